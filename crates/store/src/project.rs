//! Projects: the unit of membership, visibility and quota.

use std::collections::BTreeMap;

use model::list::{ListQuery, Page};
use model::permission::{Allowed, Project};
use model::{ProjectId, UserId};

use crate::db::on;
use crate::list::{Bind, Column, List};
use crate::repository::Viewer;
use crate::{Engine, Error, Link, Result};

/// A project that is not deleted. Instants in microseconds.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ProjectRow {
    /// Id.
    #[sqlx(try_from = "i64")]
    pub id: ProjectId,
    /// Name.
    pub name: String,
    /// Who made it.
    #[sqlx(try_from = "i64")]
    pub owner_id: UserId,
    /// The upstream registry of a proxy cache.
    pub registry_id: Option<i64>,
    /// Whether everybody may pull.
    pub is_public: bool,
    /// JSON object of strings; read it with [`ProjectRow::metadata`].
    pub metadata: String,
    /// When it was made.
    pub created_at: i64,
    /// When it changed last.
    pub updated_at: i64,
}

impl ProjectRow {
    /// The metadata as a map.
    pub fn metadata(&self) -> Result<BTreeMap<String, String>> {
        serde_json::from_str(&self.metadata).map_err(|e| Error::damaged("project.metadata", e))
    }
}

/// What a new project says.
#[derive(Clone, Debug)]
pub struct NewProject<'a> {
    /// Name.
    pub name: &'a str,
    /// Owner.
    pub owner_id: UserId,
    /// Upstream of a proxy cache.
    pub registry_id: Option<i64>,
    /// Metadata; the key `public` also decides who may pull.
    pub metadata: &'a BTreeMap<String, String>,
}

fn is_public(metadata: &BTreeMap<String, String>) -> bool {
    metadata.get("public").is_some_and(|v| v.eq_ignore_ascii_case("true") || v == "1")
}

fn encode(metadata: &BTreeMap<String, String>) -> Result<String> {
    serde_json::to_string(metadata).map_err(|e| Error::damaged("project.metadata", e))
}

/// The project called `name`.
pub async fn by_name(link: &mut Link<'_>, name: &str) -> Result<Option<ProjectRow>> {
    const SQL: &str = "SELECT id, name, owner_id, registry_id, is_public, metadata, created_at, updated_at FROM project
        WHERE name = $1 AND deleted_at IS NULL";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(name).fetch_optional(c).await)?)
}

/// The project with this id.
pub async fn by_id(link: &mut Link<'_>, id: ProjectId) -> Result<Option<ProjectRow>> {
    const SQL: &str = "SELECT id, name, owner_id, registry_id, is_public, metadata, created_at, updated_at FROM project
        WHERE id = $1 AND deleted_at IS NULL";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(id.get()).fetch_optional(c).await)?)
}

/// Makes a project; [`Error::Duplicate`] when the name is taken.
pub async fn insert(link: &mut Link<'_>, project: &NewProject<'_>, now: i64) -> Result<ProjectId> {
    const SQL: &str = "INSERT INTO project (name, owner_id, registry_id, is_public, metadata, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING id";
    let metadata = encode(project.metadata)?;
    let (id,): (i64,) = on!(link, |c| sqlx::query_as(SQL)
        .bind(project.name)
        .bind(project.owner_id.get())
        .bind(project.registry_id)
        .bind(is_public(project.metadata))
        .bind(metadata)
        .bind(now)
        .fetch_one(c)
        .await)?;
    Ok(ProjectId(id))
}

/// Replaces the metadata.
pub async fn set_metadata(link: &mut Link<'_>, id: ProjectId, metadata: &BTreeMap<String, String>, now: i64) -> Result<()> {
    const SQL: &str = "UPDATE project SET metadata = $2, is_public = $3, updated_at = $4 WHERE id = $1";
    let text = encode(metadata)?;
    on!(link, |c| sqlx::query(SQL).bind(id.get()).bind(text).bind(is_public(metadata)).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Deletes a project: its name is free at once. Members, robots, labels, rules and the quota go for good.
pub async fn delete(link: &mut Link<'_>, id: ProjectId, now: i64) -> Result<()> {
    const PROJECT: &str = "UPDATE project SET deleted_at = $2, updated_at = $2 WHERE id = $1 AND deleted_at IS NULL";
    on!(link, |c| sqlx::query(PROJECT).bind(id.get()).bind(now).execute(c).await.map(drop))?;
    for sql in [
        "DELETE FROM project_member WHERE project_id = $1",
        "DELETE FROM robot WHERE project_id = $1",
        "DELETE FROM cve_allowlist WHERE project_id = $1",
        "DELETE FROM quota WHERE project_id = $1",
        "DELETE FROM project_content WHERE project_id = $1",
        "DELETE FROM immutable_rule WHERE project_id = $1",
    ] {
        on!(link, |c| sqlx::query(sql).bind(id.get()).execute(c).await.map(drop))?;
    }
    crate::label::delete_of_project(link, id).await
}

/// Keeps a project from being deleted until this transaction ends; `false` when it is gone already. Many transactions may do so at once.
pub async fn hold(link: &mut Link<'_>, project: &Allowed<Project>) -> Result<bool> {
    let sql = format!("SELECT id FROM project WHERE id = $1 AND deleted_at IS NULL{}", link.engine().keeping("project"));
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(project.id().get()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// The project as it is now, held against other changes until the transaction ends. `None` when it is gone.
pub async fn lock(link: &mut Link<'_>, project: &Allowed<Project>) -> Result<Option<ProjectRow>> {
    const SQL: &str = "SELECT id, name, owner_id, registry_id, is_public, metadata, created_at, updated_at FROM project
        WHERE id = $1 AND deleted_at IS NULL FOR UPDATE";
    match link.engine() {
        // One transaction writes at a time.
        Engine::Sqlite => by_id(link, project.id()).await,
        Engine::Postgres => Ok(on!(link, |c| sqlx::query_as(SQL).bind(project.id().get()).fetch_optional(c).await)?),
    }
}

/// A project as lists show it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ListedProject {
    /// The project.
    #[sqlx(flatten)]
    pub project: ProjectRow,
    /// Its owner's name, while there is such an account.
    pub owner_name: Option<String>,
    /// Repositories that hold something.
    pub repo_count: i64,
    /// Its allowlist; every project has one.
    pub allowlist_id: Option<i64>,
    /// Unix seconds; none for ever.
    pub allowlist_expires_at: Option<i64>,
    /// JSON array of CVE ids.
    pub allowlist_items: Option<String>,
}

impl ListedProject {
    /// The ids of the allowlist.
    pub fn allowlist(&self) -> Result<Vec<String>> {
        self.allowlist_items.as_deref().map_or(Ok(Vec::new()), crate::allowlist::decode)
    }
}

const COLUMNS: &[Column] = &[
    Column::int(&["project_id", "ProjectID", "id"], "p.id"),
    Column::text(&["name", "Name"], "p.name"),
    Column::int(&["owner_id", "OwnerID"], "p.owner_id"),
    Column::text(&["owner", "Owner"], "u.username").filter_only(),
    Column::boolean(&["public", "Public"], "p.is_public").filter_only(),
    Column::int(&["registry_id", "RegistryID"], "COALESCE(p.registry_id, 0)"),
    Column::time(&["creation_time", "CreationTime"], "p.created_at"),
    Column::time(&["update_time", "UpdateTime"], "p.updated_at"),
];

/// Both in one line of a list: the joined rows are found by unique keys, and the count comes from an index.
const SELECT: &str =
    "SELECT p.id, p.name, p.owner_id, p.registry_id, p.is_public, p.metadata, p.created_at, p.updated_at, u.username AS owner_name,
    (SELECT COUNT(*) FROM repository r WHERE r.project_id = p.id AND r.deleted_at IS NULL AND r.is_published) AS repo_count,
    l.id AS allowlist_id, l.expires_at AS allowlist_expires_at, l.items AS allowlist_items";
const FROM: &str = "FROM project p LEFT JOIN user_account u ON u.id = p.owner_id AND u.deleted_at IS NULL
    LEFT JOIN cve_allowlist l ON l.project_id = p.id";

/// A page of the projects that somebody sees, by name unless the query says otherwise.
pub async fn list(link: &mut Link<'_>, viewer: &Viewer, query: &ListQuery) -> Result<Page<ListedProject>> {
    let (sql, binds) = viewer.condition(link.engine());
    List::new(SELECT, FROM, COLUMNS, "p.name", "p.id").condition("p.deleted_at IS NULL", []).condition(sql, binds).page(link, query).await
}

/// One project as lists show it.
pub async fn listed(link: &mut Link<'_>, project: &Allowed<Project>) -> Result<Option<ListedProject>> {
    let list = List::new(SELECT, FROM, COLUMNS, "p.id", "p.id").condition("p.deleted_at IS NULL AND p.id = ?", [project.id().get().into()]);
    Ok(list.fetch(link, &ListQuery::all()).await?.pop())
}

/// Names of those of these projects that are there.
pub async fn names_of(link: &mut Link<'_>, ids: &[ProjectId]) -> Result<BTreeMap<ProjectId, String>> {
    #[derive(sqlx::FromRow)]
    struct Named {
        #[sqlx(try_from = "i64")]
        id: ProjectId,
        name: String,
    }
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let list = List::new("SELECT p.id, p.name", "FROM project p", &[], "p.id", "p.id")
        .condition("p.deleted_at IS NULL", [])
        .condition(format!("p.id IN {}", link.engine().json_integers("?")), [json_ids(ids)]);
    let rows: Vec<Named> = list.fetch(link, &ListQuery::all()).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// How many repositories of the project hold something.
pub async fn repository_count(link: &mut Link<'_>, project: &Allowed<Project>) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM repository WHERE project_id = $1 AND deleted_at IS NULL AND is_published";
    let (count,): (i64,) = on!(link, |c| sqlx::query_as(SQL).bind(project.id().get()).fetch_one(c).await)?;
    Ok(count)
}

/// The oldest administrator: owns what robots make.
pub async fn first_administrator(link: &mut Link<'_>) -> Result<Option<UserId>> {
    const SQL: &str = "SELECT id FROM user_account WHERE is_admin AND deleted_at IS NULL ORDER BY id LIMIT 1";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).fetch_optional(c).await)?;
    Ok(row.map(|(id,)| UserId(id)))
}

/// The ids as a JSON array: many values, one statement text.
fn json_ids(ids: &[ProjectId]) -> Bind {
    serde_json::Value::from(ids.iter().map(|id| id.get()).collect::<Vec<_>>()).to_string().into()
}
