//! SQL is in one room, and what it is made of is known: the places where statements are put together from text are counted, and what they put in is
//! a constant, a word of the dialect, or one of the forms listed here. Values are bound, always.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const WHY: &str = "Text that becomes SQL is made of constants and of words of the dialect (crates/store/src/dialect.rs); what comes from outside is \
    bound as a value, never part of the text. Look at the place with that in mind; if it keeps to it, list it in xtask/tests/sql.rs.";

/// Where a text that the compiler does not know is declared to be safe as SQL, and how often.
const BUILT: &[(&str, usize)] = &[
    ("crates/store/src/accessory.rs", 1),
    ("crates/store/src/artifact.rs", 3),
    ("crates/store/src/artifact/awaited.rs", 2),
    ("crates/store/src/artifact/copy.rs", 4),
    ("crates/store/src/artifact/listed.rs", 2),
    ("crates/store/src/audit.rs", 1),
    ("crates/store/src/blob.rs", 1),
    ("crates/store/src/list.rs", 2),
    ("crates/store/src/project.rs", 1),
    ("crates/store/src/quota.rs", 4),
    ("crates/store/src/repository.rs", 3),
    ("crates/store/src/statistics.rs", 4),
    ("crates/store/src/upload.rs", 1),
    ("crates/store/src/user.rs", 2),
    ("crates/testkit/src/database.rs", 3),
    ("crates/testkit/src/server.rs", 2),
];

/// Where the store joins texts otherwise than by `format!`: file, how, and how often.
const JOINED: &[(&str, &str, usize)] = &[
    // Placeholders, counted up.
    ("audit.rs", ".join(", 2),
    // Names and types out of tables in the source.
    ("dialect.rs", ".join(", 1),
    // Conditions, each built there, and the columns of an order.
    ("list/statement.rs", ".join(", 2),
    ("list/statement.rs", ".push_str(", 1),
    // A constant's columns, each with its table.
    ("repository.rs", ".join(", 1),
    // `?` to the one placeholder.
    ("statistics.rs", ".replace(", 1),
];

/// What else than `format!` puts texts together.
const JOINING: &[&str] =
    &[".join(", ".concat(", ".push_str(", ".insert_str(", ".replace(", ".replacen(", "write!(", "+ \"", "+ &", "from_utf8"];

/// What `format!` of the store puts into texts, but for constants and calls of the dialect with nothing but literals: file, form, and what it is.
const FORMS: &[(&str, &str, &str)] = &[
    ("artifact.rs", r#"link.engine().json_rows("$2", &columns_of_children())"#, "columns named in the source"),
    ("artifact/awaited.rs", r#"link.engine().json_rows("$2", &columns_of_children())"#, "columns named in the source"),
    ("artifact.rs", "suffix", "a literal of the two callers"),
    ("artifact/copy.rs", "list", "a subquery of the dialect"),
    ("artifact/listed.rs", "column", "a literal"),
    ("artifact/listed.rs", "annotations", "a column or nothing"),
    ("artifact/listed.rs", "extra_attrs", "a column or nothing"),
    ("artifact/listed.rs", "any", "a literal"),
    ("artifact/listed.rs", "select", "the columns of a list"),
    ("artifact/listed.rs", "children_sql(engine, room)", "a subquery"),
    ("artifact/listed.rs", "array", "an array of an object of literals"),
    ("artifact/listed.rs", "document", "a number of the source: its type is `u32`"),
    ("artifact/listed.rs", "children", "a number of the source: its type is `u32`"),
    ("artifact/listed.rs", "platform", "a column or nothing"),
    ("artifact/listed.rs", "urls", "a column or nothing"),
    ("artifact/listed.rs", r#"engine.json_array(&tag, "t.pushed_at DESC, t.id DESC")"#, "an object of literals"),
    ("artifact/listed.rs", r#"engine.json_array(&accessory, "y.id")"#, "an object of literals"),
    ("artifact/listed.rs", r#"engine.json_array(&label, "al.created_at, l.id")"#, "an object of literals"),
    ("artifact/listed.rs", "part(with.tags, tags_sql(engine))", "a subquery or nothing"),
    ("artifact/listed.rs", "part(with.accessories, accessories_sql(engine))", "a subquery or nothing"),
    ("artifact/listed.rs", "part(with.labels, labels_sql(engine))", "a subquery or nothing"),
    ("audit.rs", "i * 8 + n", "a number of a placeholder"),
    ("audit.rs", r#"places.join(", ")"#, "placeholders"),
    ("audit.rs", r#"rows.join(", ")"#, "placeholders"),
    ("dialect.rs", "column", "what a caller gives, listed there"),
    ("dialect.rs", "columns", "names out of a table in the source"),
    ("dialect.rs", "json.postgres()", "a type"),
    ("dialect.rs", "name", "a column's name out of a table in the source"),
    ("dialect.rs", "names", "names out of a table in the source"),
    ("dialect.rs", "object", "what a caller gives, listed there"),
    ("dialect.rs", "order", "what a caller gives, listed there"),
    ("dialect.rs", "pairs", "what a caller gives, listed there"),
    ("dialect.rs", "placeholder", "what a caller gives, listed there"),
    ("dialect.rs", "table", "what a caller gives, listed there"),
    ("dialect.rs", r#"types.join(", ")"#, "names and types out of a table in the source"),
    ("list/statement.rs", "self.binds.len()", "the number of a placeholder"),
    ("list/statement.rs", "sql", "a column of the whitelist"),
    ("list/statement.rs", "column.sql", "a column of the whitelist"),
    ("list/statement.rs", "operator", "a literal"),
    ("list/statement.rs", "placeholder", "a placeholder"),
    ("list/statement.rs", "direction", "a literal"),
    ("list/statement.rs", "yes", "a placeholder"),
    ("list/statement.rs", "no", "a placeholder"),
    ("list/statement.rs", "builder.engine.json_strings(&list)", "a placeholder in a subquery"),
    ("list/statement.rs", "builder.engine.json_integers(&list)", "a placeholder in a subquery"),
    ("quota.rs", r#"link.engine().json_rows("$2", &[("digest", Json::Text), ("size", Json::Integer)])"#, "columns named there"),
    ("quota.rs", "list", "a placeholder, or a subquery of one"),
    ("quota.rs", "engine.json_integers(list)", "a placeholder in a subquery"),
    ("quota.rs", r#"needed("$2")"#, "a query with a placeholder"),
    ("list.rs", "limit", "a number: its type is `i64`"),
    ("list.rs", "offset", "a number: its type is `i64`"),
    ("quota.rs", r#"held("$3")"#, "a query with a placeholder"),
    ("quota.rs", "digests", "one of two queries"),
    ("quota.rs", "unused", "one of two constant conditions"),
    ("repository.rs", "held", "a word of the dialect"),
    ("repository.rs", "c", "a column of a constant"),
    ("repository.rs", "columns", "columns of a constant"),
    ("repository.rs", "listed_select()", "columns of constants"),
    ("statistics.rs", "condition.replace('?', \"$1\")", "a viewer's condition, its placeholder counted"),
    ("statistics.rs", "user.map_or(0, UserId::get)", "an id, a number"),
    ("user.rs", "table", "a literal of the callers: its type is `&'static str`"),
];

/// Who may use the database's driver, apart from the store and the kit for tests: tests that look behind the store.
const LOOKING_BEHIND: &[&str] = &[
    "crates/service/tests/accounts.rs",
    "crates/service/tests/catalog.rs",
    "crates/service/tests/concurrency/books.rs",
    "crates/service/tests/setting.rs",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the checkout")
}

/// The Rust sources below a folder of the checkout, as path and text.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() {
                if !path.ends_with("target") && !path.ends_with("node_modules") {
                    walk(&path, found);
                }
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    paths.sort();
    let named = |path: PathBuf| {
        let name = path.strip_prefix(root()).expect("below the checkout").to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    };
    paths.into_iter().map(named).collect()
}

fn all_sources() -> Vec<(String, String)> {
    ["app", "crates", "frontend", "server", "xtask"].iter().flat_map(|folder| sources(folder)).collect()
}

/// The source with comments and the insides of texts and characters as blanks, byte for byte as long.
fn blanked(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if source[at..].starts_with("//") => end_of(source, at, "\n"),
            b'/' if source[at..].starts_with("/*") => end_of(source, at + 2, "*/"),
            b'"' => inside(source, at, &mut out),
            b'r' if raw(source, at).is_some() && (at == 0 || !is_word(bytes[at - 1])) => {
                let marks = raw(source, at).unwrap_or_default();
                let start = at + marks + 2;
                let end = end_of(source, start, &format!("\"{}", "#".repeat(marks)));
                blank(&mut out, start, end);
                at = (end + marks + 1).min(bytes.len());
                continue;
            }
            b'\'' if source[at + 1..].starts_with('\\') => end_of(source, at + 3, "'") + 1,
            b'\'' => match source[at + 1..].char_indices().nth(1) {
                Some((length, '\'')) => at + length + 2,
                // A lifetime.
                _ => at + 1,
            },
            _ => {
                at += 1;
                continue;
            }
        };
        if bytes[at] != b'"' && end > at + 1 {
            blank(&mut out, at, end);
        }
        at = end.max(at + 1);
    }
    String::from_utf8(out).expect("blanks are ASCII, and whole characters became blanks")
}

/// The end of a text that begins at `at`; its inside becomes blanks.
fn inside(source: &str, at: usize, out: &mut [u8]) -> usize {
    let bytes = source.as_bytes();
    let mut end = at + 1;
    while end < bytes.len() && bytes[end] != b'"' {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    blank(out, at + 1, end);
    end + 1
}

/// How many marks open a raw text that begins at `at`, if one does.
fn raw(source: &str, at: usize) -> Option<usize> {
    let rest = source[at..].strip_prefix('r')?;
    let text = rest.trim_start_matches('#');
    text.starts_with('"').then(|| rest.len() - text.len())
}

fn end_of(source: &str, from: usize, mark: &str) -> usize {
    source.get(from..).and_then(|rest| rest.find(mark)).map_or(source.len(), |length| from + length)
}

fn blank(out: &mut [u8], from: usize, to: usize) {
    let to = to.min(out.len());
    out[from..to].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

/// How often a name stands in the code, texts and comments left out.
fn uses(code: &str, name: &str) -> usize {
    let bytes = code.as_bytes();
    let whole = |at: usize| (at == 0 || !is_word(bytes[at - 1])) && bytes.get(at + name.len()).is_none_or(|byte| !is_word(*byte));
    code.match_indices(name).filter(|(at, _)| whole(*at)).count()
}

/// What every `format!` of a source puts into its text: names in braces, and the arguments behind it.
fn put_in(source: &str) -> Vec<String> {
    let code = blanked(source);
    let mut forms = Vec::new();
    for (at, opening) in code.match_indices("format!(") {
        let (start, mut depth, mut end) = (at + opening.len(), 1, at + opening.len());
        let mut cuts = Vec::new();
        while depth > 0 && end < code.len() {
            match code.as_bytes()[end] {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth -= 1,
                b',' if depth == 1 => cuts.push(end),
                _ => {}
            }
            end += 1;
        }
        cuts.push(end - 1);
        let text = &source[start..cuts[0]];
        forms.extend(in_braces(text));
        let arguments = cuts.windows(2).map(|cut| source[cut[0] + 1..cut[1]].split_whitespace().collect::<Vec<_>>().join(" "));
        forms.extend(arguments.filter(|argument| !argument.is_empty()));
    }
    forms
}

/// The names in braces of a format's text.
fn in_braces(text: &str) -> Vec<String> {
    let text = text.replace("{{", "").replace("}}", "");
    let parts = text.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    parts.map(|name| name.split(':').next().unwrap_or_default().trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// A constant, or a call of the dialect with nothing but literals.
fn is_plain(form: &str) -> bool {
    let constant = form.starts_with(|c: char| c.is_ascii_uppercase()) && form.bytes().all(|b| b == b'_' || b.is_ascii_uppercase());
    let call = ["engine.", "link.engine().", "builder.engine."].iter().find_map(|start| form.strip_prefix(start));
    let literals = |rest: &str| {
        let Some((word, arguments)) = rest.strip_suffix(')').and_then(|rest| rest.split_once('(')) else { return false };
        let bare = blanked(arguments);
        word.bytes().all(is_word) && bare.bytes().all(|b| matches!(b, b'"' | b',' | b' '))
    };
    constant || call.is_some_and(literals)
}

/// A source without its tests.
fn shipped(source: &str) -> &str {
    source.split("#[cfg(test)]").next().unwrap_or_default()
}

/// The store's sources by their names in it.
fn store() -> Vec<(String, String)> {
    let named = |(path, text): (String, String)| (path.trim_start_matches("crates/store/src/").to_owned(), shipped(&text).to_owned());
    sources("crates/store/src").into_iter().map(named).collect()
}

/// What is there and not listed, and what is listed and not there.
fn apart<T: Ord + std::fmt::Debug>(found: &BTreeSet<T>, listed: &BTreeSet<T>) -> Vec<String> {
    let new = found.difference(listed).map(|place| format!("not listed: {place:?}"));
    new.chain(listed.difference(found).map(|place| format!("listed, but not there any more: {place:?}"))).collect()
}

#[test]
fn the_places_where_sql_is_built_are_known() {
    let counted = all_sources().into_iter().map(|(path, text)| (path, uses(&blanked(&text), "AssertSqlSafe")));
    let found: BTreeSet<(String, usize)> = counted.filter(|(_, count)| *count > 0).collect();
    let listed = BUILT.iter().map(|(path, count)| ((*path).to_owned(), *count)).collect();
    let wrong = apart(&found, &listed);
    assert!(wrong.is_empty(), "statements made from text:\n{}\n{WHY}", wrong.join("\n"));
}

#[test]
fn what_is_put_into_sql_is_known() {
    let mut found = BTreeSet::new();
    for (path, text) in store() {
        found.extend(put_in(&text).into_iter().filter(|form| !is_plain(form)).map(|form| (path.clone(), form)));
    }
    let listed = FORMS.iter().map(|(path, form, _)| ((*path).to_owned(), (*form).to_owned())).collect();
    let wrong = apart(&found, &listed);
    assert!(wrong.is_empty(), "put into texts by `format!`:\n{}\n{WHY}", wrong.join("\n"));
    assert!(FORMS.iter().all(|(.., what)| !what.is_empty()));
}

#[test]
fn texts_are_joined_where_it_is_known() {
    let mut found = BTreeSet::new();
    for (path, text) in store() {
        let code = blanked(&text);
        let counts: BTreeMap<&str, usize> = JOINING.iter().map(|how| (*how, code.matches(how).count())).collect();
        found.extend(counts.into_iter().filter(|(_, count)| *count > 0).map(|(how, count)| (path.clone(), how, count)));
    }
    let listed = JOINED.iter().map(|(path, how, count)| ((*path).to_owned(), *how, *count)).collect();
    let wrong = apart(&found, &listed);
    assert!(wrong.is_empty(), "texts joined in the store:\n{}\n{WHY}", wrong.join("\n"));
}

#[test]
fn only_the_store_speaks_to_the_database() {
    let free = |path: &str| path.starts_with("crates/store/") || path.starts_with("crates/testkit/");
    let using = all_sources().into_iter().filter(|(path, text)| !free(path) && uses(&blanked(text), "sqlx") > 0);
    let found: BTreeSet<String> = using.map(|(path, _)| path).collect();
    let wrong = apart(&found, &LOOKING_BEHIND.iter().map(|path| (*path).to_owned()).collect());
    assert!(
        wrong.is_empty(),
        "SQL outside of the store:\n{}\nA statement is a function of the store; tests of other rooms call it.",
        wrong.join("\n")
    );
    let handed_on: Vec<_> = store().into_iter().filter(|(_, text)| blanked(text).contains("pub use sqlx")).map(|(path, _)| path).collect();
    assert!(handed_on.is_empty(), "the store hands the driver on: {handed_on:?}");
}

#[test]
fn the_checks_see_what_they_look_for() {
    let source = r##"
        // format!("{comment}")
        let text = "format!(\"{inside}\") sqlx"; let quote = '"'; let life: &'static str = r#"sqlx "{raw}""#;
        let sql = format!("SELECT {COLUMNS} FROM t WHERE {{}} a = {} AND {name:>3}", link.engine().staying(), call(&[a, "b"]));
        sqlx::query(sqlx::AssertSqlSafe(sql));
    "##;
    let code = blanked(source);
    assert_eq!((code.len(), uses(&code, "sqlx"), uses(&code, "AssertSqlSafe"), uses(&code, "Assert")), (source.len(), 2, 1, 0));
    assert_eq!(put_in(source), ["COLUMNS", "name", "link.engine().staying()", r#"call(&[a, "b"])"#]);
    let plain: Vec<_> =
        ["COLUMNS", "engine.keeping(\"t\")", "link.engine().json_integers(\"$1\")", "builder.engine.like_any_case(\"a\", \"?\")"]
            .into_iter()
            .filter(|form| !is_plain(form))
            .collect();
    assert!(plain.is_empty(), "{plain:?}");
    for form in ["name", "query.q", "engine.keeping(name)", "engine.like_any_case(&column, \"?\")", "Query", "engine.keeping(\"t\", x(1))"]
    {
        assert!(!is_plain(form), "{form}");
    }
    let (one, two) = (BTreeSet::from([("a.rs", 1), ("b.rs", 1)]), BTreeSet::from([("a.rs", 2), ("b.rs", 1)]));
    assert_eq!(apart(&one, &two).len(), 2);
}
