//! Lists of vulnerabilities that are put up with: one of the system (project 0), one of each project.

use model::ProjectId;
use model::permission::{Allowed, Project, System};

use crate::db::on;
use crate::{Error, Link, Result};

/// Where the list of the system is kept.
const SYSTEM: ProjectId = ProjectId(0);

/// A list. Instants in microseconds.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AllowlistRow {
    /// Its id.
    pub id: i64,
    /// Its project; 0 for the system's.
    #[sqlx(try_from = "i64")]
    pub project_id: ProjectId,
    /// Unix seconds; none for ever.
    pub expires_at: Option<i64>,
    /// JSON array of CVE ids; read it with [`AllowlistRow::items`].
    pub items: String,
    /// When it was made.
    pub created_at: i64,
    /// When it changed last.
    pub updated_at: i64,
}

impl AllowlistRow {
    /// The ids.
    pub fn items(&self) -> Result<Vec<String>> {
        decode(&self.items)
    }
}

pub(crate) fn decode(items: &str) -> Result<Vec<String>> {
    serde_json::from_str(items).map_err(|e| Error::damaged("cve_allowlist.items", e))
}

/// The list of the system, once somebody set it.
pub async fn of_system(link: &mut Link<'_>) -> Result<Option<AllowlistRow>> {
    find(link, SYSTEM).await
}

/// The list of a project.
pub async fn of_project(link: &mut Link<'_>, project: &Allowed<Project>) -> Result<Option<AllowlistRow>> {
    find(link, project.id()).await
}

async fn find(link: &mut Link<'_>, project: ProjectId) -> Result<Option<AllowlistRow>> {
    const SQL: &str = "SELECT id, project_id, expires_at, items, created_at, updated_at FROM cve_allowlist WHERE project_id = $1";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(project.get()).fetch_optional(c).await)?)
}

/// Gives a new project its empty list.
pub async fn create(link: &mut Link<'_>, project: ProjectId, now: i64) -> Result<()> {
    put(link, project, None, &[], now).await
}

/// Replaces the list of the system.
pub async fn put_of_system(link: &mut Link<'_>, _: &Allowed<System>, expires_at: Option<i64>, items: &[String], now: i64) -> Result<()> {
    put(link, SYSTEM, expires_at, items, now).await
}

/// Replaces the list of a project.
pub async fn put_of_project(
    link: &mut Link<'_>,
    project: &Allowed<Project>,
    expires_at: Option<i64>,
    items: &[String],
    now: i64,
) -> Result<()> {
    put(link, project.id(), expires_at, items, now).await
}

async fn put(link: &mut Link<'_>, project: ProjectId, expires_at: Option<i64>, items: &[String], now: i64) -> Result<()> {
    const SQL: &str = "INSERT INTO cve_allowlist (project_id, expires_at, items, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
        ON CONFLICT (project_id) DO UPDATE SET expires_at = excluded.expires_at, items = excluded.items, updated_at = excluded.updated_at";
    let items = serde_json::to_string(items).map_err(|e| Error::damaged("cve_allowlist.items", e))?;
    on!(link, |c| sqlx::query(SQL).bind(project.get()).bind(expires_at).bind(items).bind(now).execute(c).await.map(drop))?;
    Ok(())
}
