//! Where settings come from: the file, then the environment, then flags. Used by `config` alone; nothing is interpreted here.

use std::{collections::BTreeMap, ffi::OsString, fmt, fs, path::Path};

use super::describe::{SETTINGS, Setting, Shape, by_key};

/// Variables that are not settings: the file's own, and what tests are steered with.
const NOT_SETTINGS: &[&str] = &["BERTH_CONFIG"];
const TEST_PREFIX: &str = "BERTH_TEST_";
/// A configuration file is short; more than this is something else by mistake.
const FILE_LIMIT: u64 = 1 << 20;

/// Values given on the command line, as `(key, value)`; a key is one of [`SETTINGS`] or a secret's `<key>_file`.
pub type Flags = Vec<(String, String)>;

/// Where a value was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Nobody set it.
    Default,
    /// Key and file.
    File(String, String),
    /// Variable.
    Environment(String),
    /// Flag, without dashes.
    Flag(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(key, file) => write!(f, "{key} in {file}"),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// A text, and where it was found.
#[derive(Clone)]
pub(super) struct Raw {
    pub(super) text: String,
    pub(super) place: Place,
}

/// Everything found, the strongest source per key, and what was wrong on the way.
#[derive(Default)]
pub(super) struct Found {
    pub(super) values: BTreeMap<String, Raw>,
    pub(super) problems: Vec<String>,
}

impl Found {
    fn put(&mut self, key: &str, text: String, place: Place) {
        // A secret and its file are one setting: the stronger source replaces either spelling of the weaker.
        let sibling = key.strip_suffix("_file").map_or_else(|| format!("{key}_file"), str::to_owned);
        if by_key(key).is_some_and(|s| s.shape == Shape::Secret)
            && let Some(other) = self.values.get(&sibling)
        {
            if std::mem::discriminant(&other.place) == std::mem::discriminant(&place) {
                self.problems.push(format!("{place}: given together with {}; only one of them can be used", other.place));
                return;
            }
            self.values.remove(&sibling);
        }
        self.values.insert(key.to_owned(), Raw { text, place });
    }

    pub(super) fn read_file(&mut self, file: &Path) {
        let shown = file.display().to_string();
        let text = match fs::metadata(file)
            .and_then(|m| if m.len() > FILE_LIMIT { Err(std::io::Error::other("larger than 1 MiB")) } else { fs::read_to_string(file) })
        {
            Ok(text) => text,
            Err(error) => {
                return self.problems.push(format!("{shown}: cannot be read: {error}"));
            }
        };
        match text.parse::<toml::Table>() {
            Ok(table) => self.walk(&table, "", &shown),
            Err(error) => {
                // Not the error's own display: that quotes the line, which may hold a secret.
                let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
                self.problems.push(format!("{shown}, line {line}: {}", error.message().lines().next().unwrap_or("not TOML")));
            }
        }
    }

    fn walk(&mut self, table: &toml::Table, prefix: &str, file: &str) {
        for (name, value) in table {
            let key = format!("{prefix}{name}");
            let is_section = SETTINGS.iter().any(|s| s.key.split_once('.').is_some_and(|(section, _)| section == key));
            match (value, by_key(&key)) {
                (toml::Value::Table(inner), None) if is_section && prefix.is_empty() => self.walk(inner, &format!("{key}."), file),
                (_, None) => {
                    let hint = nearest(&key, known_keys()).map(|k| format!(" (did you mean `{k}`?)")).unwrap_or_default();
                    self.problems.push(format!("{file}: unknown key `{key}`{hint}"));
                }
                (value, Some(setting)) => match text_of(value, setting) {
                    Some(text) => self.put(&key, text, Place::File(key.clone(), file.to_owned())),
                    None => self.problems.push(format!("{file}: `{key}` must be {}", wanted(setting))),
                },
            }
        }
    }

    pub(super) fn read_environment(&mut self, environment: impl IntoIterator<Item = (OsString, OsString)>) {
        let mut variables: Vec<_> = environment
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| name.starts_with("BERTH_") && !name.starts_with(TEST_PREFIX) && !NOT_SETTINGS.contains(&name.as_str()))
            .collect();
        variables.sort();
        for (name, value) in variables {
            let Some(key) = key_of_variable(&name) else {
                let hint =
                    nearest(&name, SETTINGS.iter().map(|s| s.env.to_owned())).map(|k| format!(" (did you mean {k}?)")).unwrap_or_default();
                self.problems.push(format!("unknown environment variable {name}{hint}"));
                continue;
            };
            match value.into_string() {
                // Deployment tools set variables to nothing to unset them.
                Ok(text) if text.is_empty() => {}
                Ok(text) => self.put(&key, text, Place::Environment(name)),
                Err(_) => self.problems.push(format!("{name}: not UTF-8")),
            }
        }
    }

    pub(super) fn read_flags(&mut self, flags: Flags) {
        for (key, text) in flags {
            let name = flag_of(&key);
            self.put(&key, text, Place::Flag(name));
        }
    }
}

/// The flag of a key, without dashes; a secret's file has one too.
#[must_use]
pub fn flag_of(key: &str) -> String {
    by_key(key).filter(|s| s.key == key).and_then(|s| s.flag).map_or_else(|| key.replace(['.', '_'], "-"), str::to_owned)
}

fn key_of_variable(name: &str) -> Option<String> {
    SETTINGS.iter().find_map(|s| {
        if s.env == name {
            Some(s.key.to_owned())
        } else if s.shape == Shape::Secret && name.strip_suffix("_FILE") == Some(s.env) {
            Some(format!("{}_file", s.key))
        } else {
            None
        }
    })
}

fn known_keys() -> impl Iterator<Item = String> {
    SETTINGS.iter().map(|s| s.key.to_owned())
}

/// A value of the file as the text that the environment would hold.
fn text_of(value: &toml::Value, setting: &Setting) -> Option<String> {
    match (value, setting.shape) {
        (toml::Value::String(text), _) => Some(text.clone()),
        (toml::Value::Integer(n), Shape::Number) => Some(n.to_string()),
        // A bare number of bytes is a size.
        (toml::Value::Integer(n), Shape::Text) if setting.value == "SIZE" => Some(n.to_string()),
        (toml::Value::Array(items), Shape::List) => {
            let texts: Option<Vec<_>> = items.iter().map(|item| item.as_str()).collect();
            texts.map(|texts| texts.join(","))
        }
        _ => None,
    }
}

fn wanted(setting: &Setting) -> &'static str {
    match setting.shape {
        Shape::Text | Shape::Secret => "text in quotes",
        Shape::Number => "a whole number",
        Shape::List => "a list of texts in quotes",
    }
}

/// The known name that differs from `given` by no more than two letters.
fn nearest(given: &str, known: impl Iterator<Item = String>) -> Option<String> {
    known.map(|name| (distance(given, &name), name)).filter(|(d, _)| *d <= 2).min().map(|(_, name)| name)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}
