//! The one builder of lists: filter, order and page over a whitelist of columns, in two statements on either engine.
//! Every list of this room is made with it. Text of a statement comes from the list's author alone; what callers send is matched against the
//! whitelist or bound.

mod statement;

use model::list::{ListQuery, Page};
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use crate::db::on;
use crate::dialect::Engine;
use crate::{Link, Result};
use statement::Builder;

/// Binds the values of a built statement to an sqlx query, each with its own type.
macro_rules! bind_all {
    ($query:expr, $binds:expr) => {{
        let mut query = $query;
        for bind in $binds {
            query = match bind {
                $crate::list::Bind::Text(text) => query.bind(text.clone()),
                $crate::list::Bind::Int(number) => query.bind(*number),
                $crate::list::Bind::Bool(truth) => query.bind(*truth),
            };
        }
        query
    }};
}

/// What a column holds, and so how values are compared with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text, compared letter by letter; fuzzy matches ignore case.
    Text,
    /// A whole number; what is none matches nothing.
    Int,
    /// An instant in microseconds, asked for as `2006-01-02T15:04:05`.
    Time,
    /// True or false.
    Bool,
}

/// One column of the whitelist.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    keys: &'static [&'static str],
    sql: &'static str,
    kind: Kind,
    filterable: bool,
    sortable: bool,
    nullable: bool,
}

impl Column {
    /// A column that callers may filter and sort by, under any of `keys` (Go's field name, the column's name, snake case; upper and lower case
    /// apart). `sql` is an expression over the list's `from`.
    pub const fn new(keys: &'static [&'static str], sql: &'static str, kind: Kind) -> Self {
        Self { keys, sql, kind, filterable: true, sortable: true, nullable: false }
    }

    /// Of text.
    pub const fn text(keys: &'static [&'static str], sql: &'static str) -> Self {
        Self::new(keys, sql, Kind::Text)
    }

    /// Of whole numbers.
    pub const fn int(keys: &'static [&'static str], sql: &'static str) -> Self {
        Self::new(keys, sql, Kind::Int)
    }

    /// Of instants.
    pub const fn time(keys: &'static [&'static str], sql: &'static str) -> Self {
        Self::new(keys, sql, Kind::Time)
    }

    /// Of truth.
    pub const fn boolean(keys: &'static [&'static str], sql: &'static str) -> Self {
        Self::new(keys, sql, Kind::Bool)
    }

    /// Only to sort by.
    pub const fn sort_only(self) -> Self {
        Self { filterable: false, ..self }
    }

    /// Only to filter by.
    pub const fn filter_only(self) -> Self {
        Self { sortable: false, ..self }
    }

    /// May be NULL: sorted first ascending and last descending, on both engines.
    pub const fn nullable(self) -> Self {
        Self { nullable: true, ..self }
    }
}

/// A value for a `?` of a condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Bind {
    /// Text, also JSON for [`crate::Engine`]'s fragments.
    Text(String),
    /// A whole number, also an id or an instant.
    Int(i64),
    /// Truth.
    Bool(bool),
}

impl From<&str> for Bind {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Bind {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Bind {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Bind {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

/// A row that both engines can give.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Row for T {}

/// A list: what is selected from where, which columns callers may name, and in which order rows come if they name none.
///
/// ```ignore
/// List::new("SELECT id, name", "FROM project", COLUMNS, "name", "id")
///     .condition("deleted_at IS NULL", [])
///     .condition("owner_id = ? OR is_public", [owner.get().into()])
///     .page::<ProjectRow>(link, &query).await
/// ```
#[derive(Debug)]
pub struct List {
    select: String,
    from: String,
    columns: &'static [Column],
    order: &'static str,
    tie: &'static str,
    conditions: Vec<(String, Vec<Bind>)>,
    first: Option<FirstOf>,
}

/// Of the rows that match, only the first of each group.
#[derive(Clone, Copy, Debug)]
pub struct FirstOf {
    /// The expression that is the same for all rows of a group.
    pub group: &'static str,
    /// Which row of a group is the first; no two rows may be equal in it.
    pub order: &'static str,
    /// The expression that names a row.
    pub id: &'static str,
}

impl List {
    /// `select` and `from` begin with their keyword, `from` has the joins. `order` is the order without a valid sort key (`name`, `created_at DESC`),
    /// `tie` what settles equal rows (`id`, `id DESC`); both without keyword.
    pub fn new(
        select: impl Into<String>,
        from: impl Into<String>,
        columns: &'static [Column],
        order: &'static str,
        tie: &'static str,
    ) -> Self {
        Self { select: select.into(), from: from.into(), columns, order, tie, conditions: Vec::new(), first: None }
    }

    /// Only rows for which this holds; every `?` stands for one of the values, in order. `sql` is the author's text, never a caller's.
    #[must_use]
    pub fn condition(mut self, sql: impl Into<String>, binds: impl IntoIterator<Item = Bind>) -> Self {
        self.conditions.push((sql.into(), binds.into_iter().collect()));
        self
    }

    /// Like [`Self::condition`], when `wanted`.
    #[must_use]
    pub fn condition_if(self, wanted: bool, sql: impl Into<String>, binds: impl IntoIterator<Item = Bind>) -> Self {
        if wanted { self.condition(sql, binds) } else { self }
    }

    /// Of the rows that match everything else, also what the query asks, only the first of each group.
    #[must_use]
    pub fn first_of(self, first: Option<FirstOf>) -> Self {
        Self { first, ..self }
    }

    /// How many rows match.
    pub async fn count(&self, link: &mut Link<'_>, query: &ListQuery) -> Result<u64> {
        let mut builder = Builder::new(link.engine());
        builder.push("SELECT COUNT(*) ");
        self.rows(&mut builder, query);
        let (sql, binds) = builder.finish();
        let (total,): (i64,) = on!(link, |c| bind_all!(sqlx::query_as(sqlx::AssertSqlSafe(sql)), &binds).fetch_one(c).await)?;
        Ok(u64::try_from(total).unwrap_or(0))
    }

    /// One page and the number of all rows that match: one statement when the page is the last one and so tells the number, else two.
    pub async fn page<R: Row>(&self, link: &mut Link<'_>, query: &ListQuery) -> Result<Page<R>> {
        let items: Vec<R> = self.fetch(link, query).await?;
        let (before, shown) = (query.offset(), items.len() as u64);
        let is_last = shown < query.limit() && (shown > 0 || before == 0);
        let total = if is_last { before.saturating_add(shown) } else { self.count(link, query).await? };
        Ok(Page { items, total })
    }

    /// One page without counting.
    pub async fn fetch<R: Row>(&self, link: &mut Link<'_>, query: &ListQuery) -> Result<Vec<R>> {
        let mut builder = Builder::new(link.engine());
        builder.push(&self.select);
        builder.push(" ");
        self.rows(&mut builder, query);
        builder.push(" ORDER BY ");
        let order = statement::order(self.columns, &query.sort, self.order, self.tie);
        builder.push(&order);
        let bounded = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let (limit, offset): (i64, i64) = (bounded(query.limit()), bounded(query.offset()));
        match link.engine() {
            Engine::Sqlite => builder.condition(" LIMIT ? OFFSET ?", [limit.into(), offset.into()]),
            // In the text, where the planner sees them: it plans once for all values (see `Db::open`).
            Engine::Postgres => builder.push(&format!(" LIMIT {limit} OFFSET {offset}")),
        }
        let (sql, binds) = builder.finish();
        Ok(on!(link, |c| bind_all!(sqlx::query_as(sqlx::AssertSqlSafe(sql)), &binds).fetch_all(c).await)?)
    }

    /// `FROM … WHERE …`
    fn rows(&self, builder: &mut Builder, query: &ListQuery) {
        let Some(first) = &self.first else { return self.matching(builder, query) };
        builder.push(&self.from);
        for part in [
            " WHERE ",
            first.id,
            " IN (SELECT ranked.id FROM (SELECT ",
            first.id,
            " AS id, ROW_NUMBER() OVER (PARTITION BY ",
            first.group,
            " ORDER BY ",
            first.order,
            ") AS place ",
        ] {
            builder.push(part);
        }
        self.matching(builder, query);
        builder.push(") ranked WHERE ranked.place = 1)");
    }

    fn matching(&self, builder: &mut Builder, query: &ListQuery) {
        builder.push(&self.from);
        builder.push(" WHERE TRUE");
        for (sql, binds) in &self.conditions {
            builder.push(" AND (");
            builder.condition(sql, binds.iter().cloned());
            builder.push(")");
        }
        for term in &query.q {
            let column = self.columns.iter().find(|c| c.filterable && c.keys.contains(&term.key.as_str()));
            if let Some(column) = column {
                statement::filter(builder, column, &term.op);
            }
        }
    }
}
