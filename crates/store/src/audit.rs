//! What was done by whom: one row per operation, and the lists of them. `service` writes and reads it.
//!
//! Lists come in the order of the indexes (`op_time`, `id`), newest first, so that a page costs the same in a log of any length.

use model::list::{ListQuery, Page};
use model::{ProjectId, UserId};

use crate::db::on;
use crate::dialect::Engine;
use crate::list::{Bind, Column, List};
use crate::{Link, Result};

/// An operation to record. `op_time` in microseconds.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Where; 0 is the system.
    pub project_id: ProjectId,
    /// `create`, `delete`, `pull`, …
    pub operation: &'static str,
    /// `artifact`, `repository`, `project`, …
    pub resource_type: &'static str,
    /// What, as people name it: `project/repo:tag`.
    pub resource: String,
    /// The same in words.
    pub description: String,
    /// Whether it was done, or only tried.
    pub succeeded: bool,
    /// By whom; `anonymous` for nobody.
    pub username: String,
    /// When.
    pub op_time: i64,
}

/// An operation that was recorded. `op_time` in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditRow {
    /// Its id.
    pub id: i64,
    /// `create`, `delete`, `pull`, …
    pub operation: String,
    /// `artifact`, `repository`, `project`, …
    pub resource_type: String,
    /// What, as people name it.
    pub resource: String,
    /// The same in words.
    pub description: String,
    /// Whether it was done, or only tried.
    pub succeeded: bool,
    /// By whom.
    pub username: String,
    /// When.
    pub op_time: i64,
}

/// Whose eyes see the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Everything.
    All,
    /// What was done in one project.
    Of(ProjectId),
    /// What was done in these projects.
    In(Vec<i64>),
    /// What was done where this person has one of these roles.
    Member(UserId, Vec<i64>),
}

impl Reader {
    fn condition(&self, engine: Engine) -> (String, Vec<Bind>) {
        let list = |ids: &[i64]| Bind::from(serde_json::json!(ids).to_string());
        match self {
            Self::All => ("TRUE".to_owned(), Vec::new()),
            Self::Of(project) => ("project_id = ?".to_owned(), vec![project.get().into()]),
            Self::In(projects) => (format!("project_id IN {}", engine.json_integers("?")), vec![list(projects)]),
            Self::Member(user, roles) => (
                format!(
                    "project_id IN (SELECT m.project_id FROM project_member m WHERE m.entity_type = 'u' AND m.entity_id = ? AND m.role IN {})",
                    engine.json_integers("?")
                ),
                vec![user.get().into(), list(roles)],
            ),
        }
    }
}

const COLUMNS: &[Column] = &[
    Column::int(&["id", "ID"], "id"),
    Column::int(&["project_id", "ProjectID"], "project_id"),
    Column::text(&["operation", "Operation"], "operation"),
    Column::text(&["op_desc", "OperationDescription"], "description"),
    Column::boolean(&["op_result", "IsSuccessful"], "succeeded"),
    Column::text(&["resource_type", "ResourceType"], "resource_type"),
    Column::text(&["resource", "Resource"], "resource"),
    Column::text(&["username", "Username"], "username"),
    Column::time(&["op_time", "OpTime"], "op_time"),
];

fn rows(engine: Engine, reader: &Reader) -> List {
    const SELECT: &str = "SELECT id, operation, resource_type, resource, description, succeeded, username, op_time";
    let (sql, binds) = reader.condition(engine);
    List::new(SELECT, "FROM audit_log", COLUMNS, "op_time DESC", "id DESC").condition(sql, binds)
}

/// A page of what somebody sees, newest first, and how many rows match.
pub async fn list(link: &mut Link<'_>, reader: &Reader, query: &ListQuery) -> Result<Page<AuditRow>> {
    rows(link.engine(), reader).page(link, query).await
}

/// As [`list`], by somebody who knows how many rows match.
pub async fn list_of_known(link: &mut Link<'_>, reader: &Reader, query: &ListQuery, total: u64) -> Result<Page<AuditRow>> {
    let items = if query.offset() < total { rows(link.engine(), reader).fetch(link, query).await? } else { Vec::new() };
    Ok(Page { items, total })
}

/// How many rows of a time somebody sees: from `since` to before `until`, both in microseconds and open if absent.
pub async fn count(link: &mut Link<'_>, reader: &Reader, since: Option<i64>, until: Option<i64>) -> Result<u64> {
    rows(link.engine(), reader)
        .condition_if(since.is_some(), "op_time >= ?", since.map(Bind::from))
        .condition_if(until.is_some(), "op_time < ?", until.map(Bind::from))
        .count(link, &ListQuery::all())
        .await
}

/// Appends entries in one statement.
pub async fn append(link: &mut Link<'_>, entries: &[AuditEntry]) -> Result<()> {
    // 8 parameters a row: far below the limits of both engines (32766 and 65535).
    for chunk in entries.chunks(1000) {
        let rows: Vec<String> = (0..chunk.len())
            .map(|i| {
                let places: Vec<String> = (1..=8).map(|n| format!("${}", i * 8 + n)).collect();
                format!("({})", places.join(", "))
            })
            .collect();
        let sql = format!(
            "INSERT INTO audit_log (project_id, operation, resource_type, resource, description, succeeded, username, op_time) VALUES {}",
            rows.join(", ")
        );
        on!(link, |c| {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for e in chunk {
                query = query
                    .bind(e.project_id.get())
                    .bind(e.operation)
                    .bind(e.resource_type)
                    .bind(e.resource.clone())
                    .bind(e.description.clone())
                    .bind(e.succeeded)
                    .bind(e.username.clone())
                    .bind(e.op_time);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}
