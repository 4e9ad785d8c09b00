//! Tags: names of artifacts in a repository.

use model::list::{ListQuery, Page};
use model::{ArtifactId, RepositoryId, TagId};

use crate::db::on;
use crate::list::{Column, List};
use crate::{Link, Result};

/// A tag that is not deleted. Instants in microseconds.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TagRow {
    /// Id.
    #[sqlx(try_from = "i64")]
    pub id: TagId,
    /// Repository.
    #[sqlx(try_from = "i64")]
    pub repository_id: RepositoryId,
    /// What it names.
    #[sqlx(try_from = "i64")]
    pub artifact_id: ArtifactId,
    /// The name.
    pub name: String,
    /// When it was set last.
    pub pushed_at: i64,
    /// When somebody pulled by it last.
    pub pulled_at: Option<i64>,
}

/// The tag `name`.
pub async fn find(link: &mut Link<'_>, repository: RepositoryId, name: &str) -> Result<Option<TagRow>> {
    const SQL: &str = "SELECT id, repository_id, artifact_id, name, pushed_at, pulled_at FROM tag
        WHERE repository_id = $1 AND name = $2 AND deleted_at IS NULL";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(repository.get()).bind(name).fetch_optional(c).await)?)
}

/// Lets the tag name this artifact, whatever it named before. Atomic: of two at once one comes last and wins.
pub async fn set(link: &mut Link<'_>, repository: RepositoryId, artifact: ArtifactId, name: &str, now: i64) -> Result<()> {
    const SQL: &str = "INSERT INTO tag (repository_id, artifact_id, name, pushed_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (repository_id, name) WHERE deleted_at IS NULL
        DO UPDATE SET artifact_id = excluded.artifact_id, pushed_at = excluded.pushed_at";
    on!(link, |c| sqlx::query(SQL).bind(repository.get()).bind(artifact.get()).bind(name).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Sets a tag that must not be there: [`crate::Error::Duplicate`] if it is.
pub async fn create(link: &mut Link<'_>, repository: RepositoryId, artifact: ArtifactId, name: &str, now: i64) -> Result<TagId> {
    const SQL: &str = "INSERT INTO tag (repository_id, artifact_id, name, pushed_at) VALUES ($1, $2, $3, $4) RETURNING id";
    let (id,): (i64,) =
        on!(link, |c| sqlx::query_as(SQL).bind(repository.get()).bind(artifact.get()).bind(name).bind(now).fetch_one(c).await)?;
    Ok(TagId(id))
}

/// Deletes a tag; whether it was there.
pub async fn delete(link: &mut Link<'_>, repository: RepositoryId, name: &str, now: i64) -> Result<bool> {
    const SQL: &str = "UPDATE tag SET deleted_at = $3 WHERE repository_id = $1 AND name = $2 AND deleted_at IS NULL RETURNING id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(repository.get()).bind(name).bind(now).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Names in byte order, after `last`, at most `limit`.
pub async fn names(link: &mut Link<'_>, repository: RepositoryId, last: Option<&str>, limit: i64) -> Result<Vec<String>> {
    const SQL: &str = "SELECT name FROM tag WHERE repository_id = $1 AND deleted_at IS NULL AND name > $2 ORDER BY name LIMIT $3";
    let rows: Vec<(String,)> =
        on!(link, |c| sqlx::query_as(SQL).bind(repository.get()).bind(last.unwrap_or("")).bind(limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// Notes when somebody pulled by this tag.
pub async fn set_pulled(link: &mut Link<'_>, repository: RepositoryId, name: &str, at: i64) -> Result<()> {
    const SQL: &str = "UPDATE tag SET pulled_at = $3
        WHERE repository_id = $1 AND name = $2 AND deleted_at IS NULL AND (pulled_at IS NULL OR pulled_at < $3)";
    on!(link, |c| sqlx::query(SQL).bind(repository.get()).bind(name).bind(at).execute(c).await.map(drop))?;
    Ok(())
}

const COLUMNS: &[Column] = &[
    Column::int(&["id", "ID"], "t.id"),
    Column::int(&["repository_id", "RepositoryID"], "t.repository_id"),
    Column::int(&["artifact_id", "ArtifactID"], "t.artifact_id"),
    Column::text(&["name", "Name"], "t.name"),
    Column::time(&["push_time", "PushTime"], "t.pushed_at"),
    Column::time(&["pull_time", "PullTime"], "t.pulled_at").nullable(),
];

/// The tags of an artifact, newest first unless the query orders otherwise.
pub async fn list(link: &mut Link<'_>, artifact: ArtifactId, query: &ListQuery) -> Result<Page<TagRow>> {
    const SELECT: &str = "SELECT t.id, t.repository_id, t.artifact_id, t.name, t.pushed_at, t.pulled_at";
    List::new(SELECT, "FROM tag t", COLUMNS, "t.pushed_at DESC", "t.id DESC")
        .condition("t.deleted_at IS NULL AND t.artifact_id = ?", [artifact.get().into()])
        .page(link, query)
        .await
}

/// Deletes a tag if it names this artifact; whether it did.
pub async fn delete_of(link: &mut Link<'_>, artifact: ArtifactId, name: &str, now: i64) -> Result<bool> {
    const SQL: &str = "UPDATE tag SET deleted_at = $3 WHERE artifact_id = $1 AND name = $2 AND deleted_at IS NULL RETURNING id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(artifact.get()).bind(name).bind(now).fetch_optional(c).await)?;
    Ok(row.is_some())
}
