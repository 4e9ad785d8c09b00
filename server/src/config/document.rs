//! The configuration as text for people: the example file, the reference page, the summary of what is in force.
//! All are made from the table in `describe`, so none can become untrue.

use std::fmt::Write as _;

use super::{
    Loaded,
    describe::{SETTINGS, Setting, Shape},
};

/// A commented file with every setting at its default.
#[must_use]
pub fn example() -> String {
    let mut out = String::from(
        "# Configuration of Berth. Environment variables (BERTH_…) are stronger than this file, flags stronger than both.\n\
         # Every line that is commented out shows the default, or an example where there is none.\n",
    );
    let mut section = "";
    for setting in SETTINGS {
        let (own, name) = setting.key.split_once('.').unwrap_or(("", setting.key));
        if own != section {
            let _ = write!(out, "\n[{own}]\n");
            section = own;
        }
        out.push('\n');
        for line in wrapped(setting.about, 110) {
            let _ = writeln!(out, "# {line}");
        }
        if setting.shape == Shape::Secret {
            let _ = writeln!(out, "# Or name a file that holds it: {name}_file");
        }
        let _ = writeln!(out, "#{name} = {}", literal(setting));
    }
    out
}

fn literal(setting: &Setting) -> String {
    let text = if setting.default.is_empty() { setting.example } else { setting.default };
    match setting.shape {
        Shape::Text | Shape::Secret => format!("\"{text}\""),
        Shape::Number => text.to_owned(),
        Shape::List => format!("[{}]", text.split(',').map(|t| format!("\"{t}\"")).collect::<Vec<_>>().join(", ")),
    }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// A size as the file would have it: in the largest unit that says it exactly.
fn size(bytes: u64) -> String {
    let exact = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
        .into_iter()
        .find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit));
    exact.map_or_else(|| format!("{bytes} bytes"), |(unit, word)| format!("{} {word}", bytes / unit))
}

/// The page `docs/reference/configuration.md`.
#[must_use]
pub fn reference() -> String {
    let mut out = String::from(include_str!("reference_head.md"));
    out.push_str("\n| in the file | variable | flag | default | what it does |\n| --- | --- | --- | --- | --- |\n");
    for s in SETTINGS {
        let flag = s.flag.map(|f| format!("`--{f} {}`", s.value)).unwrap_or_default();
        let default = if s.default.is_empty() { "not set".to_owned() } else { format!("`{}`", s.default) };
        let (key, env) = (s.key, s.env);
        let _ = match s.shape {
            Shape::Secret => {
                let file = super::flag_of(&format!("{key}_file"));
                let flag = if flag.is_empty() { flag } else { format!("{flag}, ") };
                writeln!(out, "| `{key}`, `{key}_file` | `{env}`, `{env}_FILE` | {flag}`--{file} FILE` | {default} | {} |", s.about)
            }
            _ => writeln!(out, "| `{key}` | `{env}` | {flag} | {default} | {} |", s.about),
        };
    }
    let _ = write!(out, "\n## An example file\n\n`berth config example` prints it.\n\n```toml\n{}```\n", example());
    out
}

/// What is in force and where it comes from, a line per setting; secrets as `(set)`.
#[must_use]
pub fn summary(loaded: &Loaded) -> String {
    let config = &loaded.config;
    let mut out = String::new();
    let width = SETTINGS.iter().map(|s| s.key.len()).max().unwrap_or_default();
    for setting in SETTINGS {
        let value = value_of(loaded, setting);
        let file = format!("{}_file", setting.key);
        let place = loaded
            .places
            .iter()
            .find(|(key, _)| key == setting.key || *key == file)
            .map_or_else(|| "default".to_owned(), |(_, place)| place.to_string());
        let _ = writeln!(out, "{:width$}  {value}  ({place})", setting.key);
    }
    let _ = writeln!(out, "{:width$}  {}", "database", config.database.describe());
    out
}

fn value_of(loaded: &Loaded, setting: &Setting) -> String {
    let c = &loaded.config;
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "not set".to_owned());
    let (certificate, key) = match &c.tls {
        super::Tls::Files { certificate, key } => (Some(certificate.display().to_string()), Some(key.display().to_string())),
        _ => (None, None),
    };
    match setting.key {
        "listen" => c.listen.to_string(),
        "data" => c.data.display().to_string(),
        "external_url" => or_none(c.external_url.as_ref().map(ToString::to_string)),
        "trusted_proxies" if c.trusted_proxies.is_empty() => "none".to_owned(),
        "trusted_proxies" => c.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        "tls.mode" => match c.tls {
            super::Tls::Off => "off",
            super::Tls::SelfSigned => "self-signed",
            super::Tls::Files { .. } => "files",
        }
        .to_owned(),
        "tls.certificate" => or_none(certificate),
        "tls.key" => or_none(key),
        "token.minutes" => (c.token_lifetime.as_secs() / 60).to_string(),
        "session.minutes" => (c.session_timeout.as_secs() / 60).to_string(),
        "registry.sparse_indexes" => if c.sparse_indexes { "accept" } else { "refuse" }.to_owned(),
        "log.level" => c.log.level.clone(),
        "log.format" => format!("{:?}", c.log.format).to_lowercase(),
        "limits.blob_size" => or_none(c.limits.blob_size.map(size)),
        "limits.uploads" => c.limits.uploads.to_string(),
        "limits.upload_hours" => (c.limits.upload_lifetime.as_secs() / 3600).to_string(),
        "limits.request_body" => size(c.limits.request_body as u64),
        "limits.request_headers" => size(c.limits.request_headers as u64),
        "limits.connections" => c.limits.connections.to_string(),
        "shutdown.grace_seconds" => c.shutdown_grace.as_secs().to_string(),
        // Secrets, and whatever is added without a line here: say only whether it is there.
        key => {
            let file = format!("{key}_file");
            if loaded.places.iter().any(|(k, _)| k == key || *k == file) { "(set)" } else { "not set" }.to_owned()
        }
    }
}
