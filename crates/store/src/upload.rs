//! Uploads in flight: how far each has come, and the state of its hash, so that any replica and any later process can go on.

use model::ProjectId;

use crate::db::on;
use crate::{Link, Result};

/// An upload that is open. Instants in microseconds.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct UploadRow {
    /// UUID, also the name of its file.
    pub id: String,
    /// The project it goes to.
    #[sqlx(try_from = "i64")]
    pub project_id: ProjectId,
    /// Repository path inside the project.
    pub repository: String,
    /// Bytes received.
    pub received: i64,
    /// The blob room's saved state.
    pub state: Vec<u8>,
    /// Counts the changes, so that of two writers one loses.
    pub version: i64,
}

/// Opens an upload, unless its project has `most` open already; whether it did. Some at the same moment may be counted by none of each other.
pub async fn create(link: &mut Link<'_>, upload: &UploadRow, most: i64, now: i64) -> Result<bool> {
    const SQL: &str = "INSERT INTO upload (id, project_id, repository, received, state, version, created_at, updated_at)
        SELECT $1, $2, $3, $4, $5, $6, $7, $7
        WHERE (SELECT COUNT(*) FROM (SELECT 1 FROM upload WHERE project_id = $2 LIMIT $8) o) < $8 RETURNING version";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL)
        .bind(&upload.id)
        .bind(upload.project_id.get())
        .bind(&upload.repository)
        .bind(upload.received)
        .bind(&upload.state)
        .bind(upload.version)
        .bind(now)
        .bind(most)
        .fetch_optional(c)
        .await)?;
    Ok(row.is_some())
}

/// The upload, if it belongs to this repository of this project.
pub async fn find(link: &mut Link<'_>, project: ProjectId, repository: &str, id: &str) -> Result<Option<UploadRow>> {
    const SQL: &str = "SELECT id, project_id, repository, received, state, version FROM upload
        WHERE id = $1 AND project_id = $2 AND repository = $3";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(id).bind(project.get()).bind(repository).fetch_optional(c).await)?)
}

/// Records progress. False when another writer was faster or the upload is gone: then nothing changed.
pub async fn advance(link: &mut Link<'_>, upload: &UploadRow, received: i64, state: &[u8], now: i64) -> Result<bool> {
    const SQL: &str = "UPDATE upload SET received = $3, state = $4, version = version + 1, updated_at = $5
        WHERE id = $1 AND version = $2 RETURNING version";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL)
        .bind(&upload.id)
        .bind(upload.version)
        .bind(received)
        .bind(state)
        .bind(now)
        .fetch_optional(c)
        .await)?;
    Ok(row.is_some())
}

/// Ends an upload; whether it was there.
pub async fn remove(link: &mut Link<'_>, id: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM upload WHERE id = $1 RETURNING version";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(id).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Ends an upload that nobody touched since `before`; whether it was there.
pub async fn remove_idle(link: &mut Link<'_>, id: &str, before: i64) -> Result<bool> {
    const SQL: &str = "DELETE FROM upload WHERE id = $1 AND updated_at < $2 RETURNING version";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(id).bind(before).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Those of `ids` that are open uploads.
pub async fn known(link: &mut Link<'_>, ids: &[&str]) -> Result<Vec<String>> {
    let sql = format!("SELECT id FROM upload WHERE id IN {}", link.engine().json_strings("$1"));
    let list = serde_json::json!(ids).to_string();
    let rows: Vec<(String,)> = on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(list).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Ids of a project's uploads that nobody touched since `before`, oldest first, at most `limit`.
pub async fn idle_of(link: &mut Link<'_>, project: ProjectId, before: i64, limit: i64) -> Result<Vec<String>> {
    const SQL: &str = "SELECT id FROM upload WHERE project_id = $1 AND updated_at < $2 ORDER BY updated_at LIMIT $3";
    let rows: Vec<(String,)> = on!(link, |c| sqlx::query_as(SQL).bind(project.get()).bind(before).bind(limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Ids of uploads that nobody touched since `before`, oldest first, at most `limit`.
pub async fn idle(link: &mut Link<'_>, before: i64, limit: i64) -> Result<Vec<String>> {
    const SQL: &str = "SELECT id FROM upload WHERE updated_at < $1 ORDER BY updated_at LIMIT $2";
    let rows: Vec<(String,)> = on!(link, |c| sqlx::query_as(SQL).bind(before).bind(limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
