//! Repositories of a project. `name` is the path inside the project; a repository is published by its first manifest.

use model::list::{ListQuery, Page};
use model::{ArtifactId, BlobId, ProjectId, RepositoryId, UserId};

use crate::artifact::LISTED;
use crate::db::on;
use crate::dialect::Engine;
use crate::list::{Bind, Column, List};
use crate::quota::{self, Gone};
use crate::{Link, Result};

/// A repository that is not deleted. Instants in microseconds.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct RepositoryRow {
    /// Its id.
    #[sqlx(try_from = "i64")]
    pub id: RepositoryId,
    /// The project it belongs to.
    #[sqlx(try_from = "i64")]
    pub project_id: ProjectId,
    /// Path inside the project.
    pub name: String,
    /// Free text by its users.
    pub description: String,
    /// Manifest pulls so far.
    pub pull_count: i64,
    /// Whether a manifest was ever stored here; until then it is shown nowhere.
    pub is_published: bool,
    /// When the first upload or manifest came.
    pub created_at: i64,
    /// When an artifact, a tag or the description changed last.
    pub updated_at: i64,
}

const COLUMNS: &str = "id, project_id, name, description, pull_count, is_published, created_at, updated_at";

/// The repository `name` of a project, published or not.
pub async fn find(link: &mut Link<'_>, project: ProjectId, name: &str) -> Result<Option<RepositoryRow>> {
    const SQL: &str = "SELECT id, project_id, name, description, pull_count, is_published, created_at, updated_at
        FROM repository WHERE project_id = $1 AND name = $2 AND deleted_at IS NULL";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(project.get()).bind(name).fetch_optional(c).await)?)
}

/// The repository `name` of a project, published or not. Until the transaction ends it stays: a [`delete`] by somebody else waits.
pub async fn find_staying(link: &mut Link<'_>, project: ProjectId, name: &str) -> Result<Option<RepositoryRow>> {
    let sql =
        format!("SELECT {COLUMNS} FROM repository WHERE project_id = $1 AND name = $2 AND deleted_at IS NULL{}", link.engine().staying());
    Ok(on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(project.get()).bind(name).fetch_optional(c).await)?)
}

/// The same, made now if it is not there: its project is held.
pub async fn find_or_create(link: &mut Link<'_>, project: ProjectId, name: &str, now: i64) -> Result<RepositoryRow> {
    match find_staying(link, project, name).await? {
        Some(row) => Ok(row),
        None => create(link, project, name, now).await,
    }
}

/// Makes a repository in a project that is held; the one that somebody else made since it was looked for. It stays like [`find_staying`].
pub async fn create(link: &mut Link<'_>, project: ProjectId, name: &str, now: i64) -> Result<RepositoryRow> {
    const SQL: &str = "INSERT INTO repository (project_id, name, created_at, updated_at) VALUES ($1, $2, $3, $3)
        ON CONFLICT (project_id, name) WHERE deleted_at IS NULL DO UPDATE SET name = excluded.name
        RETURNING id, project_id, name, description, pull_count, is_published, created_at, updated_at";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(project.get()).bind(name).bind(now).fetch_one(c).await)?)
}

/// Holds a repository until the transaction ends, so that nobody else changes its artifacts and tags; `false` when it is gone. Who does this comes
/// here first, before any other row of the repository and of the project's contents: so nobody waits for each other. Blobs may come meanwhile
/// ([`find_or_create`]).
pub async fn lock(link: &mut Link<'_>, id: RepositoryId) -> Result<bool> {
    let held = link.engine().changing();
    found(link, format!("SELECT id FROM repository WHERE id = $1 AND deleted_at IS NULL{held}"), id).await
}

/// As [`lock`], and no blobs come meanwhile: for its end.
pub async fn lock_alone(link: &mut Link<'_>, id: RepositoryId) -> Result<bool> {
    let held = link.engine().alone();
    found(link, format!("SELECT id FROM repository WHERE id = $1 AND deleted_at IS NULL{held}"), id).await
}

async fn found(link: &mut Link<'_>, sql: String, id: RepositoryId) -> Result<bool> {
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(id.get()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Notes that content changed, and holds the repository as [`lock`] does; the first time this also publishes it, and its life begins now.
pub async fn touch(link: &mut Link<'_>, id: RepositoryId, now: i64) -> Result<()> {
    const SQL: &str = "UPDATE repository SET updated_at = $2, created_at = CASE WHEN is_published THEN created_at ELSE $2 END,
        is_published = TRUE WHERE id = $1 AND deleted_at IS NULL RETURNING id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(id.get()).bind(now).fetch_optional(c).await)?;
    // Somebody deleted it since this transaction found it: it did not happen, and may be tried again.
    row.map(drop).ok_or(crate::Error::Conflict)
}

/// As [`touch`], for the repository `name` of a project if it is published already: which it is. A project with something published in it is not deleted,
/// so that this holds the project too.
pub async fn touch_published(link: &mut Link<'_>, project: ProjectId, name: &str, now: i64) -> Result<Option<RepositoryId>> {
    const SQL: &str = "UPDATE repository SET updated_at = $3
        WHERE project_id = $1 AND name = $2 AND deleted_at IS NULL AND is_published RETURNING id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(project.get()).bind(name).bind(now).fetch_optional(c).await)?;
    Ok(row.map(|(id,)| RepositoryId(id)))
}

/// Replaces the description.
pub async fn describe(link: &mut Link<'_>, id: RepositoryId, description: &str, now: i64) -> Result<()> {
    const SQL: &str = "UPDATE repository SET description = $2, updated_at = $3 WHERE id = $1";
    on!(link, |c| sqlx::query(SQL).bind(id.get()).bind(description).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Deletes a repository that is held alone ([`lock_alone`]), with its tags and artifacts (each keeps its row with the time), their labels and
/// accessory rows, forgets which blobs it held, and gives back to the quota what the project has no more. The digests of the artifacts that went,
/// oldest first.
pub async fn delete(link: &mut Link<'_>, project: ProjectId, id: RepositoryId, now: i64) -> Result<Vec<String>> {
    const LABELS: &str =
        "DELETE FROM artifact_label WHERE artifact_id IN (SELECT id FROM artifact WHERE repository_id = $1 AND deleted_at IS NULL)";
    const ACCESSORIES: &str = "DELETE FROM accessory WHERE repository_id = $1";
    const AWAITED: &str = "DELETE FROM awaited_child WHERE repository_id = $1";
    const LINKS: &str = "DELETE FROM repository_blob WHERE repository_id = $1 RETURNING blob_id";
    const ARTIFACTS: &str = "UPDATE artifact SET deleted_at = $2 WHERE repository_id = $1 AND deleted_at IS NULL RETURNING id, digest";
    for sql in [
        "UPDATE repository SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL",
        "UPDATE tag SET deleted_at = $2 WHERE repository_id = $1 AND deleted_at IS NULL",
    ] {
        on!(link, |c| sqlx::query(sql).bind(id.get()).bind(now).execute(c).await.map(drop))?;
    }
    for sql in [LABELS, ACCESSORIES, AWAITED] {
        on!(link, |c| sqlx::query(sql).bind(id.get()).execute(c).await.map(drop))?;
    }
    let mut artifacts: Vec<(i64, String)> = on!(link, |c| sqlx::query_as(ARTIFACTS).bind(id.get()).bind(now).fetch_all(c).await)?;
    artifacts.sort_unstable();
    let blobs: Vec<(i64,)> = on!(link, |c| sqlx::query_as(LINKS).bind(id.get()).fetch_all(c).await)?;
    let ids: Vec<_> = artifacts.iter().map(|(id, _)| ArtifactId(*id)).collect();
    let blobs: Vec<_> = blobs.into_iter().map(|(id,)| BlobId(id)).collect();
    quota::release(link, project, Gone { artifacts: &ids, holds: &blobs }).await?;
    Ok(artifacts.into_iter().map(|(_, digest)| digest).collect())
}

/// Adds pulls that were counted elsewhere.
pub async fn add_pulls(link: &mut Link<'_>, id: RepositoryId, pulls: i64) -> Result<()> {
    const SQL: &str = "UPDATE repository SET pull_count = pull_count + $2 WHERE id = $1";
    on!(link, |c| sqlx::query(SQL).bind(id.get()).bind(pulls).execute(c).await.map(drop))?;
    Ok(())
}

/// A published repository's full name `project/path`, for the catalog.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct FullName {
    /// `project/path`.
    pub full_name: String,
}

/// Full names of all repositories that hold a tag, in byte order, after `last`, at most `limit` when given.
pub async fn catalog(link: &mut Link<'_>, last: Option<&str>, limit: Option<i64>) -> Result<Vec<String>> {
    const SQL: &str = "SELECT p.name || '/' || r.name AS full_name FROM repository r JOIN project p ON p.id = r.project_id
        WHERE r.deleted_at IS NULL AND p.deleted_at IS NULL AND p.name || '/' || r.name > $1
          AND EXISTS (SELECT 1 FROM tag t WHERE t.repository_id = r.id AND t.deleted_at IS NULL)
        ORDER BY full_name LIMIT $2";
    let limit = limit.unwrap_or(i64::MAX);
    let rows: Vec<FullName> = on!(link, |c| sqlx::query_as(SQL).bind(last.unwrap_or("")).bind(limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|r| r.full_name).collect())
}

/// Whether the project holds a published repository.
pub async fn any_in_project(link: &mut Link<'_>, project: ProjectId) -> Result<bool> {
    const SQL: &str = "SELECT id FROM repository WHERE project_id = $1 AND deleted_at IS NULL AND is_published LIMIT 1";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(project.get()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// A repository in a list, with its project's name and how many artifacts it shows.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ListedRepository {
    /// The repository.
    #[sqlx(flatten)]
    pub repository: RepositoryRow,
    /// Name of its project.
    pub project_name: String,
    /// Whether everybody may read its project.
    pub project_public: bool,
    /// Artifacts as lists show them: without accessories and untagged children of an index.
    pub artifact_count: i64,
}

/// Whose eyes see a list over several projects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// All projects: an administrator.
    All,
    /// Public projects and those in which this user is a member.
    Member(UserId),
    /// Public projects and these: a robot.
    Projects(Vec<i64>),
    /// Public projects.
    Public,
}

impl Viewer {
    /// What must hold of a project `p`.
    pub(crate) fn condition(&self, engine: Engine) -> (String, Vec<Bind>) {
        match self {
            Self::All => ("TRUE".to_owned(), Vec::new()),
            Self::Public => ("p.is_public".to_owned(), Vec::new()),
            Self::Member(user) => (
                "p.is_public OR p.id IN (SELECT m.project_id FROM project_member m WHERE m.entity_type = 'u' AND m.entity_id = ?)"
                    .to_owned(),
                vec![user.get().into()],
            ),
            Self::Projects(ids) => {
                (format!("p.is_public OR p.id IN {}", engine.json_integers("?")), vec![serde_json::json!(ids).to_string().into()])
            }
        }
    }
}

const LIST_COLUMNS: &[Column] = &[
    Column::int(&["id", "repository_id", "RepositoryID"], "r.id"),
    Column::text(&["name", "Name"], "p.name || '/' || r.name"),
    Column::int(&["project_id", "ProjectID"], "r.project_id"),
    Column::text(&["description", "Description"], "r.description"),
    Column::int(&["pull_count", "PullCount"], "r.pull_count"),
    Column::time(&["creation_time", "CreationTime"], "r.created_at"),
    Column::time(&["update_time", "UpdateTime"], "r.updated_at"),
];

const LIST_FROM: &str = "FROM repository r JOIN project p ON p.id = r.project_id";

/// `SELECT` list of [`ListedRepository`] over [`LIST_FROM`].
fn listed_select() -> String {
    let columns = COLUMNS.split(", ").map(|c| format!("r.{c}")).collect::<Vec<_>>().join(", ");
    format!(
        "SELECT {columns}, p.name AS project_name, p.is_public AS project_public,
            (SELECT COUNT(*) FROM artifact a WHERE a.repository_id = r.id AND a.deleted_at IS NULL AND {LISTED}) AS artifact_count"
    )
}

fn listed() -> List {
    List::new(listed_select(), LIST_FROM, LIST_COLUMNS, "r.created_at DESC", "r.id DESC")
        .condition("r.deleted_at IS NULL AND r.is_published AND p.deleted_at IS NULL", [])
}

/// The published repositories of a project, newest first unless the query orders otherwise. Names in queries are full names.
pub async fn list(link: &mut Link<'_>, project: ProjectId, query: &ListQuery) -> Result<Page<ListedRepository>> {
    listed().condition("r.project_id = ?", [project.get().into()]).page(link, query).await
}

/// The published repositories of all projects that somebody sees.
pub async fn list_visible(link: &mut Link<'_>, viewer: &Viewer, query: &ListQuery) -> Result<Page<ListedRepository>> {
    let (sql, binds) = viewer.condition(link.engine());
    listed().condition(sql, binds).page(link, query).await
}

/// Repositories that somebody sees and whose full name contains `text`, whatever the case; newest first, at most `limit`.
pub async fn search(link: &mut Link<'_>, viewer: &Viewer, text: &str, limit: u64) -> Result<Vec<ListedRepository>> {
    let engine = link.engine();
    let (sql, binds) = viewer.condition(engine);
    let pattern = crate::dialect::contains(text);
    let query = ListQuery { page_size: limit, ..ListQuery::default() };
    listed()
        .condition(sql, binds)
        .condition(engine.like_any_case("p.name || '/' || r.name", "?"), [pattern.into()])
        .fetch(link, &query)
        .await
}

/// A published repository as lists show it.
pub async fn get(link: &mut Link<'_>, project: ProjectId, name: &str) -> Result<Option<ListedRepository>> {
    let sql = format!(
        "{} {LIST_FROM} WHERE r.project_id = $1 AND r.name = $2 AND r.deleted_at IS NULL AND r.is_published AND p.deleted_at IS NULL",
        listed_select()
    );
    Ok(on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(project.get()).bind(name).fetch_optional(c).await)?)
}
