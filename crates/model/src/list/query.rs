//! The `q` language and `sort`: text to terms. Which keys exist is not known here.

use super::page::unescape;
use crate::time::{Instant, parse_local};

/// The most terms of a `q`, keys of a `sort` and values of one list.
const MAX_TERMS: usize = 50;
const MAX_SORT: usize = 20;
const MAX_VALUES: usize = 1000;

/// One condition: a key and what its value must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// As sent, without a suffix operator: a field, column or attribute path. Unknown ones are ignored by the list.
    pub key: String,
    /// The condition.
    pub op: Op,
}

/// What a value must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// `k=v`, or `k__exact=v`.
    Exact(Value),
    /// `k=~v`, or `k__icontains=v`: contains, whatever the case. Wildcards of SQL are ordinary characters.
    Fuzzy(String),
    /// `k=[min~max]`, `k__gte=min`, `k__lte=max`: inclusive, at least one side given.
    Range {
        /// Lower bound.
        min: Option<Value>,
        /// Upper bound.
        max: Option<Value>,
    },
    /// `k__gt=v`.
    Above(Value),
    /// `k__lt=v`.
    Below(Value),
    /// `k={a b}`, or `k__in={a b}`: one of them; nothing matches when there are none.
    OrList(Vec<Value>),
    /// `k=(a b)`: all of them; only some keys know it, for others the term is ignored.
    AndList(Vec<Value>),
}

/// A value of the query language. It is text until a column says what it wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value(String);

/// What a value looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed<'a> {
    /// `2006-01-02T15:04:05`, UTC.
    Time(Instant),
    /// A whole number of 64 bits.
    Int(i64),
    /// Anything else.
    Text(&'a str),
}

impl Value {
    /// A value that is exactly this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// An item of a list or a range: surrounding quotes are dropped.
    fn item(text: &str) -> Self {
        Self(text.trim_matches(['"', '\'']).to_owned())
    }

    /// The text, for columns of text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The number, for columns of numbers; `None` when it is none.
    pub fn as_int(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The time, for columns of times: `2006-01-02T15:04:05`; `None` when it is none.
    pub fn as_time(&self) -> Option<Instant> {
        parse_local(&self.0)
    }

    /// The truth, for columns of truth: `true`, `1`, `t`, `false`, `0`, `f` in any case.
    pub fn as_bool(&self) -> Option<bool> {
        match self.0.to_ascii_lowercase().as_str() {
            "true" | "1" | "t" => Some(true),
            "false" | "0" | "f" => Some(false),
            _ => None,
        }
    }

    /// What it looks like, tried as time, then number, then text.
    pub fn typed(&self) -> Typed<'_> {
        match (self.as_time(), self.as_int()) {
            (Some(time), _) => Typed::Time(time),
            (None, Some(number)) => Typed::Int(number),
            (None, None) => Typed::Text(&self.0),
        }
    }
}

/// One key of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// As sent; unknown ones are ignored by the list.
    pub key: String,
    /// `-` was in front.
    pub descending: bool,
}

/// A `q` that cannot be read (400).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A term without key, `=` or value.
    #[error("the query string must contain \"=\" and the key/value cannot be empty")]
    Term,
    /// A value that is no pattern.
    #[error("invalid query string value: {0}")]
    Value(String),
    /// More terms or values than a list takes.
    #[error("the query string has too many terms or values")]
    TooMany,
}

/// Parses the value of `q`, which a door has unescaped once already; it is unescaped once more here, as clients expect.
/// Of several terms with one key the last one counts.
pub fn parse_q(q: &str) -> Result<Vec<Term>, QueryError> {
    if q.is_empty() {
        return Ok(Vec::new());
    }
    let q = unescape(q);
    // No value has one, and not every database takes one.
    if q.contains('\0') {
        return Err(QueryError::Value("null character".to_owned()));
    }
    let mut terms: Vec<(&str, Option<Term>)> = Vec::new();
    for (at, text) in q.split(',').enumerate() {
        if at == MAX_TERMS {
            return Err(QueryError::TooMany);
        }
        let (written, value) = text.split_once('=').ok_or(QueryError::Term)?;
        if written.is_empty() || value.is_empty() {
            return Err(QueryError::Term);
        }
        let op = parse_pattern(value)?;
        let term = match written.rsplit_once("__") {
            None => Some(Term { key: written.to_owned(), op }),
            Some((key, suffix)) => with_suffix(suffix, op).map(|op| Term { key: key.to_owned(), op }),
        };
        terms.retain(|(other, _)| *other != written);
        terms.push((written, term));
    }
    Ok(terms.into_iter().filter_map(|(_, term)| term).collect())
}

fn parse_pattern(text: &str) -> Result<Op, QueryError> {
    let invalid = || QueryError::Value(text.chars().take(256).collect());
    let closed = |end: char| text[1..].strip_suffix(end).ok_or_else(invalid);
    match text.as_bytes().first() {
        Some(b'~') if text.len() > 1 => Ok(Op::Fuzzy(text[1..].to_owned())),
        Some(b'~') => Err(invalid()),
        Some(b'[') => {
            let (min, max) = closed(']')?.split_once('~').ok_or_else(invalid)?;
            if max.contains('~') || (min.is_empty() && max.is_empty()) {
                return Err(invalid());
            }
            let side = |text: &str| (!text.is_empty()).then(|| Value::item(text));
            Ok(Op::Range { min: side(min), max: side(max) })
        }
        Some(b'{') => Ok(Op::OrList(parse_items(closed('}')?)?)),
        Some(b'(') => Ok(Op::AndList(parse_items(closed(')')?)?)),
        _ => Ok(Op::Exact(Value::new(text.strip_prefix('\\').unwrap_or(text)))),
    }
}

fn parse_items(text: &str) -> Result<Vec<Value>, QueryError> {
    let items: Vec<_> = text.split(' ').filter(|item| !item.is_empty()).take(MAX_VALUES + 1).map(Value::item).collect();
    if items.len() > MAX_VALUES { Err(QueryError::TooMany) } else { Ok(items) }
}

/// A suffix operator applied to a pattern; `None` for an operator or a combination that is ignored.
fn with_suffix(suffix: &str, op: Op) -> Option<Op> {
    match (suffix, op) {
        ("exact", Op::Exact(value)) => Some(Op::Exact(value)),
        ("icontains", Op::Exact(value)) => Some(Op::Fuzzy(value.0)),
        ("icontains", Op::Fuzzy(text)) => Some(Op::Fuzzy(text)),
        ("in", Op::Exact(value)) => Some(Op::OrList(vec![value])),
        ("in", Op::OrList(values)) => Some(Op::OrList(values)),
        ("gte", Op::Exact(value)) => Some(Op::Range { min: Some(value), max: None }),
        ("lte", Op::Exact(value)) => Some(Op::Range { min: None, max: Some(value) }),
        ("gt", Op::Exact(value)) => Some(Op::Above(value)),
        ("lt", Op::Exact(value)) => Some(Op::Below(value)),
        _ => None,
    }
}

/// Parses the value of `sort`. Never fails: what is no key is left out, and what comes after the twentieth key too.
pub fn parse_sort(sort: &str) -> Vec<SortKey> {
    sort.split(',')
        .map(|key| match key.strip_prefix('-') {
            Some(key) => SortKey { key: key.to_owned(), descending: true },
            None => SortKey { key: key.to_owned(), descending: false },
        })
        .filter(|sort| !sort.key.is_empty())
        .take(MAX_SORT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(q: &str) -> Op {
        let mut terms = parse_q(q).unwrap();
        assert_eq!((terms.len(), terms[0].key.as_str()), (1, "k"), "{q}");
        terms.remove(0).op
    }

    fn values(texts: &[&str]) -> Vec<Value> {
        texts.iter().map(|text| Value::new(*text)).collect()
    }

    #[test]
    fn patterns() {
        let v = |text: &str| Some(Value::new(text));
        let table = [
            ("k=v", Op::Exact(Value::new("v"))),
            ("k=a=b", Op::Exact(Value::new("a=b"))),
            ("k=\\~dana", Op::Exact(Value::new("~dana"))),
            ("k=\"dana\"", Op::Exact(Value::new("\"dana\""))),
            ("k= dana", Op::Exact(Value::new(" dana"))),
            ("k=~v_%", Op::Fuzzy("v_%".to_owned())),
            ("k%3Dv", Op::Exact(Value::new("v"))),
            ("k=da+na", Op::Exact(Value::new("da na"))),
            ("k=[1~100]", Op::Range { min: v("1"), max: v("100") }),
            ("k=[1~]", Op::Range { min: v("1"), max: None }),
            ("k=[~'b']", Op::Range { min: None, max: v("b") }),
            ("k={a \"b\"  c}", Op::OrList(values(&["a", "b", "c"]))),
            ("k={}", Op::OrList(Vec::new())),
            ("k=(1 2)", Op::AndList(values(&["1", "2"]))),
            ("k__icontains=dan", Op::Fuzzy("dan".to_owned())),
            ("k__in={a b}", Op::OrList(values(&["a", "b"]))),
            ("k__in=a", Op::OrList(values(&["a"]))),
            ("k__gte=1", Op::Range { min: v("1"), max: None }),
            ("k__lt=1", Op::Below(Value::new("1"))),
            ("k__exact=1", Op::Exact(Value::new("1"))),
        ];
        for (q, op) in table {
            assert_eq!(one(q), op, "{q}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for q in ["username", "=dana", "username=", "username=dana,", "a=b,,c=d", ","] {
            assert_eq!(parse_q(q), Err(QueryError::Term), "{q}");
        }
        for value in ["~", "[a]", "[~]", "[a~b~c]", "[a~b", "{dana", "(a", "[", "{"] {
            let error = parse_q(&format!("k={value}")).unwrap_err();
            assert_eq!(error.to_string(), format!("invalid query string value: {value}"));
        }
        assert!(matches!(parse_q("a=%00"), Err(QueryError::Value(_))));
        assert_eq!(parse_q(&vec!["a=b"; 51].join(",")), Err(QueryError::TooMany));
        assert_eq!(parse_q(&format!("k={{{}}}", "a ".repeat(1001))), Err(QueryError::TooMany));
    }

    #[test]
    fn terms_stand_together_and_unknown_suffixes_fall_away() {
        let keys = |q: &str| parse_q(q).unwrap().into_iter().map(|term| term.key).collect::<Vec<_>>();
        assert_eq!(keys("Level=project,ProjectID=1"), ["Level", "ProjectID"]);
        assert_eq!(keys("k__gte=1,k__lt=5"), ["k", "k"]);
        assert_eq!(keys("k__like=dan"), Vec::<String>::new());
        assert_eq!(keys(""), Vec::<String>::new());
        assert_eq!(one("k=a,k=b"), Op::Exact(Value::new("b")));
    }

    #[test]
    fn values_have_the_type_that_is_wanted() {
        let typed = |text: &str| match Value::new(text).typed() {
            Typed::Time(time) => format!("time {}", time.unix_seconds()),
            Typed::Int(number) => format!("int {number}"),
            Typed::Text(text) => format!("text {text}"),
        };
        assert_eq!(typed("1970-01-01T00:00:05"), "time 5");
        assert_eq!(typed("-7"), "int -7");
        assert_eq!(typed("7a"), "text 7a");
        assert_eq!((Value::new("True").as_bool(), Value::new("no").as_bool()), (Some(true), None));
    }

    #[test]
    fn sort_never_fails() {
        let keys = |sort: &str| parse_sort(sort).into_iter().map(|s| (s.key, s.descending)).collect::<Vec<_>>();
        assert_eq!(keys("name,-creation_time"), [("name".to_owned(), false), ("creation_time".to_owned(), true)]);
        assert_eq!(keys("-hard.storage"), [("hard.storage".to_owned(), true)]);
        for nothing in ["", "-", ","] {
            assert!(keys(nothing).is_empty());
        }
        assert_eq!(parse_sort(&"a,".repeat(500)).len(), 20);
    }
}
