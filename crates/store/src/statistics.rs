//! Figures over projects and repositories, and the search over projects, each as far as somebody sees them.

use model::{ProjectId, UserId};

use crate::db::on;
use crate::list::{Bind, Column, List};
use crate::repository::Viewer;
use crate::{Link, Result};

/// How many projects and repositories of one visibility there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Figures {
    /// Whether these are the public ones.
    pub is_public: bool,
    /// Projects.
    pub projects: i64,
    /// Published repositories in them.
    pub repositories: i64,
}

/// The public and the private projects that somebody sees; a kind that has none may be missing.
pub async fn figures(link: &mut Link<'_>, viewer: &Viewer) -> Result<Vec<Figures>> {
    let (condition, binds) = viewer.condition(link.engine());
    let sql = format!(
        "SELECT p.is_public, COUNT(*) AS projects,
            CAST(COALESCE(SUM((SELECT COUNT(*) FROM repository r WHERE r.project_id = p.id AND r.deleted_at IS NULL AND r.is_published)), 0) AS BIGINT)
            AS repositories
         FROM project p WHERE p.deleted_at IS NULL AND ({}) GROUP BY p.is_public",
        condition.replace('?', "$1")
    );
    Ok(match binds.into_iter().next() {
        None => on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(c).await)?,
        Some(Bind::Int(id)) => on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(id).fetch_all(c).await)?,
        Some(Bind::Text(ids)) => on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(ids).fetch_all(c).await)?,
        Some(Bind::Bool(truth)) => on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(truth).fetch_all(c).await)?,
    })
}

/// Bytes of all distinct contents: blobs until they are collected, and the manifests of living artifacts.
pub async fn storage(link: &mut Link<'_>) -> Result<i64> {
    const SQL: &str = "SELECT CAST(COALESCE((SELECT SUM(size) FROM blob), 0)
        + COALESCE((SELECT SUM(m.manifest_size) FROM (SELECT DISTINCT digest, manifest_size FROM artifact WHERE deleted_at IS NULL) m), 0) AS BIGINT)";
    let (bytes,): (i64,) = on!(link, |c| sqlx::query_as(SQL).fetch_one(c).await)?;
    Ok(bytes)
}

/// A project that was searched for. Instants in microseconds.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct FoundProject {
    /// Id.
    #[sqlx(try_from = "i64")]
    pub id: ProjectId,
    /// Name.
    pub name: String,
    /// Who made it.
    #[sqlx(try_from = "i64")]
    pub owner_id: UserId,
    /// The registry that it is a cache of.
    pub registry_id: Option<i64>,
    /// JSON object of strings.
    pub metadata: String,
    /// When it was made.
    pub created_at: i64,
    /// When it changed last.
    pub updated_at: i64,
    /// Published repositories.
    pub repo_count: i64,
    /// The role of the one who searches.
    pub role: Option<i64>,
}

const COLUMNS: &[Column] = &[Column::text(&["name"], "p.name")];

/// Projects that somebody sees and whose name contains `text` letter by letter, by name, at most `limit`. `user` is who searches, for the role.
pub async fn search_projects(
    link: &mut Link<'_>,
    viewer: &Viewer,
    user: Option<UserId>,
    text: &str,
    limit: u64,
) -> Result<Vec<FoundProject>> {
    let engine = link.engine();
    let (sql, binds) = viewer.condition(engine);
    // An account has an id from 1 on, so 0 is nobody's.
    let select = format!(
        "SELECT p.id, p.name, p.owner_id, p.registry_id, p.metadata, p.created_at, p.updated_at,
            (SELECT COUNT(*) FROM repository r WHERE r.project_id = p.id AND r.deleted_at IS NULL AND r.is_published) AS repo_count,
            (SELECT m.role FROM project_member m WHERE m.project_id = p.id AND m.entity_type = 'u' AND m.entity_id = {}) AS role",
        user.map_or(0, UserId::get)
    );
    let query = model::list::ListQuery { page_size: limit, ..model::list::ListQuery::default() };
    List::new(select, "FROM project p", COLUMNS, "p.name", "p.id")
        .condition("p.deleted_at IS NULL", [])
        .condition(sql, binds)
        .condition(engine.contains_exact("p.name", "?"), [text.into()])
        .fetch(link, &query)
        .await
}
