//! The text of list statements: placeholders, conditions out of terms, and the order.

use model::list::{Op, SortKey, Value};

use super::{Bind, Column, Kind};
use crate::dialect::{self, Engine};

/// Collects the text and the values of one statement.
pub(super) struct Builder {
    engine: Engine,
    sql: String,
    binds: Vec<Bind>,
}

impl Builder {
    pub(super) fn new(engine: Engine) -> Self {
        Self { engine, sql: String::with_capacity(512), binds: Vec::new() }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.sql.push_str(text);
    }

    /// A placeholder for the value.
    fn bind(&mut self, bind: Bind) -> String {
        self.binds.push(bind);
        format!("${}", self.binds.len())
    }

    /// Text in which every `?` stands for the next value.
    pub(super) fn condition(&mut self, sql: &str, binds: impl IntoIterator<Item = Bind>) {
        let mut parts = sql.split('?');
        self.push(parts.next().unwrap_or_default());
        let mut binds = binds.into_iter();
        for part in parts {
            // A `?` without a value is a mistake of the list's author; NULL matches nothing.
            let placeholder = binds.next().map_or_else(|| "NULL".to_owned(), |bind| self.bind(bind));
            self.push(&placeholder);
            self.push(part);
        }
        debug_assert!(binds.next().is_none(), "a value without a place in {sql}");
    }

    pub(super) fn finish(self) -> (String, Vec<Bind>) {
        (self.sql, self.binds)
    }
}

/// Adds ` AND …` for one term on one column.
pub(super) fn filter(builder: &mut Builder, column: &Column, op: &Op) {
    let sql = column.sql;
    let condition = match op {
        // Only some lists know it, by conditions of their own.
        Op::AndList(_) => return,
        Op::Exact(value) => exact(builder, column, value),
        Op::Fuzzy(text) => {
            let pattern = builder.bind(dialect::contains(text).into());
            match column.kind {
                Kind::Text => builder.engine.like_any_case(sql, &pattern),
                Kind::Int | Kind::Time | Kind::Bool => builder.engine.like_any_case(&format!("CAST({sql} AS TEXT)"), &pattern),
            }
        }
        Op::Range { min, max } => {
            let lower = min.as_ref().map(|v| compare(builder, column, ">=", v));
            let upper = max.as_ref().map(|v| compare(builder, column, "<=", v));
            lower.into_iter().chain(upper).collect::<Vec<_>>().join(" AND ")
        }
        Op::Above(value) => compare(builder, column, ">", value),
        Op::Below(value) => compare(builder, column, "<", value),
        Op::OrList(values) => one_of(builder, column, values),
    };
    if !condition.is_empty() {
        builder.push(" AND (");
        builder.push(&condition);
        builder.push(")");
    }
}

const NOTHING: &str = "FALSE";

fn exact(builder: &mut Builder, column: &Column, value: &Value) -> String {
    compare(builder, column, "=", value)
}

fn compare(builder: &mut Builder, column: &Column, operator: &'static str, value: &Value) -> String {
    match typed(column.kind, value) {
        Some(bind) => {
            let placeholder = builder.bind(bind);
            format!("{} {operator} {placeholder}", column.sql)
        }
        None => NOTHING.to_owned(),
    }
}

/// The value as the column wants it; `None` when it is nothing of the kind.
fn typed(kind: Kind, value: &Value) -> Option<Bind> {
    match kind {
        Kind::Text => Some(value.text().into()),
        Kind::Int => value.as_int().map(Bind::Int),
        Kind::Time => value.as_time().map(|time| Bind::Int(time.micros())),
        Kind::Bool => value.as_bool().map(Bind::Bool),
    }
}

/// One parameter for the whole list: statements keep one text however many values there are.
fn one_of(builder: &mut Builder, column: &Column, values: &[Value]) -> String {
    let mut texts: Vec<&str> = Vec::new();
    let mut numbers: Vec<i64> = Vec::new();
    let mut truths: Vec<bool> = Vec::new();
    for value in values {
        match column.kind {
            Kind::Text => texts.push(value.text()),
            Kind::Int => numbers.extend(value.as_int()),
            Kind::Time => numbers.extend(value.as_time().map(|time| time.micros())),
            Kind::Bool => truths.extend(value.as_bool()),
        }
    }
    let sql = column.sql;
    match column.kind {
        Kind::Text if !texts.is_empty() => {
            let list = builder.bind(serde_json::Value::from(texts).to_string().into());
            format!("{sql} IN {}", builder.engine.json_strings(&list))
        }
        Kind::Int | Kind::Time if !numbers.is_empty() => {
            let list = builder.bind(serde_json::Value::from(numbers).to_string().into());
            format!("{sql} IN {}", builder.engine.json_integers(&list))
        }
        Kind::Bool if !truths.is_empty() => {
            let (yes, no) = (builder.bind(truths.contains(&true).into()), builder.bind(truths.contains(&false).into()));
            format!("({yes} AND {sql}) OR ({no} AND NOT {sql})")
        }
        _ => NOTHING.to_owned(),
    }
}

/// The text after `ORDER BY`: the keys that are known, each once, then the tie-breaker; the list's own order when none is known.
pub(super) fn order(columns: &[Column], keys: &[SortKey], default: &str, tie: &str) -> String {
    let mut used: Vec<&str> = Vec::new();
    let mut order = Vec::new();
    for key in keys {
        let column = columns.iter().find(|c| c.sortable && c.keys.contains(&key.key.as_str()));
        let Some(column) = column.filter(|c| !used.contains(&c.sql)) else { continue };
        used.push(column.sql);
        let direction = match (key.descending, column.nullable) {
            (false, false) => "",
            (true, false) => " DESC",
            (false, true) => " ASC NULLS FIRST",
            (true, true) => " DESC NULLS LAST",
        };
        order.push(format!("{}{direction}", column.sql));
    }
    if order.is_empty() {
        order.push(default.to_owned());
    }
    order.push(tie.to_owned());
    order.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::list::{parse_q, parse_sort};

    const COLUMNS: &[Column] = &[
        Column::int(&["user_id", "UserID"], "u.id"),
        Column::text(&["email", "Email"], "u.email").nullable(),
        Column::boolean(&["sysadmin_flag"], "u.is_admin").filter_only(),
    ];

    fn where_of(q: &str) -> (String, usize) {
        let mut builder = Builder::new(Engine::Sqlite);
        for term in parse_q(q).unwrap() {
            if let Some(column) = COLUMNS.iter().find(|c| c.keys.contains(&term.key.as_str())) {
                filter(&mut builder, column, &term.op);
            }
        }
        (builder.sql, builder.binds.len())
    }

    #[test]
    fn nothing_a_caller_writes_becomes_text_of_a_statement() {
        let (sql, binds) = where_of("email=x' OR 1=1 --,UserID=1");
        assert_eq!((sql.as_str(), binds), (" AND (u.email = $1) AND (u.id = $2)", 2));
        assert_eq!(where_of("user_id=drop").0, " AND (FALSE)");
        assert_eq!(where_of("email={}").0, " AND (FALSE)");
        assert_eq!(where_of("email=(a b)").0, "");
        let keys = parse_sort("id;drop table x,-email,UserID,user_id,sysadmin_flag");
        assert_eq!(order(COLUMNS, &keys, "u.username", "u.id"), "u.email DESC NULLS LAST, u.id, u.id");
        assert_eq!(order(COLUMNS, &[], "u.username", "u.id"), "u.username, u.id");
    }
}
