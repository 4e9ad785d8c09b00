//! Rules that make tags immutable, of one project each. What a rule says is a document that `service` understands.

use model::ProjectId;
use model::list::{ListQuery, Page};
use model::permission::{Allowed, Project};

use crate::db::on;
use crate::list::{Column, List};
use crate::{Link, Result};

/// A rule. Instants in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RuleRow {
    /// Id.
    pub id: i64,
    /// Its project.
    #[sqlx(try_from = "i64")]
    pub project_id: ProjectId,
    /// JSON.
    pub rule: String,
    /// Is it switched off?
    pub disabled: bool,
    /// When it was made.
    pub created_at: i64,
    /// When it changed last.
    pub updated_at: i64,
}

const COLUMNS: &[Column] = &[
    Column::int(&["id", "ID"], "r.id"),
    Column::int(&["project_id", "ProjectID"], "r.project_id"),
    Column::boolean(&["disabled", "Disabled"], "r.disabled"),
    Column::time(&["creation_time", "CreationTime"], "r.created_at"),
    Column::time(&["update_time", "UpdateTime"], "r.updated_at"),
];

/// The rules of a project, oldest first unless the query orders otherwise.
pub async fn list(link: &mut Link<'_>, project: &Allowed<Project>, query: &ListQuery) -> Result<Page<RuleRow>> {
    const SELECT: &str = "SELECT r.id, r.project_id, r.rule, r.disabled, r.created_at, r.updated_at";
    List::new(SELECT, "FROM immutable_rule r", COLUMNS, "r.id", "r.id")
        .condition("r.project_id = ?", [project.id().get().into()])
        .page(link, query)
        .await
}

/// What the rules that are in force in a project say.
pub async fn enabled(link: &mut Link<'_>, project: ProjectId) -> Result<Vec<String>> {
    const SQL: &str = "SELECT rule FROM immutable_rule WHERE project_id = $1 AND NOT disabled ORDER BY id";
    let rows: Vec<(String,)> = on!(link, |c| sqlx::query_as(SQL).bind(project.get()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(rule,)| rule).collect())
}

/// How many rules the project has, and whether one of them says exactly this.
pub async fn count(link: &mut Link<'_>, project: &Allowed<Project>, rule: &str) -> Result<(i64, bool)> {
    const SQL: &str = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN rule = $2 THEN 1 ELSE 0 END), 0) FROM immutable_rule WHERE project_id = $1";
    let (all, same): (i64, i64) = on!(link, |c| sqlx::query_as(SQL).bind(project.id().get()).bind(rule).fetch_one(c).await)?;
    Ok((all, same > 0))
}

/// The rule with this id, of whatever project.
pub async fn get(link: &mut Link<'_>, id: i64) -> Result<Option<RuleRow>> {
    const SQL: &str = "SELECT id, project_id, rule, disabled, created_at, updated_at FROM immutable_rule WHERE id = $1";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(id).fetch_optional(c).await)?)
}

/// Makes a rule that is in force; its id.
pub async fn insert(link: &mut Link<'_>, project: &Allowed<Project>, rule: &str, now: i64) -> Result<i64> {
    const SQL: &str = "INSERT INTO immutable_rule (project_id, rule, created_at, updated_at) VALUES ($1, $2, $3, $3) RETURNING id";
    let (id,): (i64,) = on!(link, |c| sqlx::query_as(SQL).bind(project.id().get()).bind(rule).bind(now).fetch_one(c).await)?;
    Ok(id)
}

/// Changes what a rule of the project says and whether it is switched off; whether it was there.
pub async fn update(link: &mut Link<'_>, project: &Allowed<Project>, id: i64, rule: &str, disabled: bool, now: i64) -> Result<bool> {
    const SQL: &str = "UPDATE immutable_rule SET rule = $3, disabled = $4, updated_at = $5 WHERE id = $1 AND project_id = $2 RETURNING id";
    let row: Option<(i64,)> =
        on!(link, |c| sqlx::query_as(SQL).bind(id).bind(project.id().get()).bind(rule).bind(disabled).bind(now).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Deletes a rule of the project; whether it was there.
pub async fn delete(link: &mut Link<'_>, project: &Allowed<Project>, id: i64) -> Result<bool> {
    const SQL: &str = "DELETE FROM immutable_rule WHERE id = $1 AND project_id = $2 RETURNING id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(id).bind(project.id().get()).fetch_optional(c).await)?;
    Ok(row.is_some())
}
