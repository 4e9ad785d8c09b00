//! What a project holds and may hold: every distinct content counts once, however many repositories have it.

use model::list::{ListQuery, Page};
use model::permission::{Allowed, System};
use model::{ProjectId, UserId};

use crate::db::on;
use crate::dialect::Json;
use crate::list::{Column, List};
use crate::{Link, Result};

/// A project's limit and use, in bytes. `hard` -1: no limit.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct QuotaRow {
    /// Its id.
    pub id: i64,
    /// The project.
    #[sqlx(try_from = "i64")]
    pub project_id: ProjectId,
    /// Limit.
    pub hard: i64,
    /// Use.
    pub used: i64,
    /// Microseconds.
    pub created_at: i64,
    /// Microseconds.
    pub updated_at: i64,
}

/// The outcome of adding contents to a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// Counted now, or was there already.
    Fits,
    /// Does not fit; nothing changed.
    Exceeded {
        /// Bytes that would be added.
        adding: i64,
        /// Bytes in use.
        used: i64,
        /// The limit.
        hard: i64,
    },
}

/// The quota of a project, if it has one.
pub async fn find(link: &mut Link<'_>, project: ProjectId) -> Result<Option<QuotaRow>> {
    const SQL: &str = "SELECT id, project_id, hard, used, created_at, updated_at FROM quota WHERE project_id = $1";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(project.get()).fetch_optional(c).await)?)
}

/// Gives a project a quota.
pub async fn create(link: &mut Link<'_>, project: ProjectId, hard: i64, now: i64) -> Result<()> {
    const SQL: &str = "INSERT INTO quota (project_id, hard, created_at, updated_at) VALUES ($1, $2, $3, $3)";
    on!(link, |c| sqlx::query(SQL).bind(project.get()).bind(hard).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Changes the limit.
pub async fn set_hard(link: &mut Link<'_>, id: i64, hard: i64, now: i64) -> Result<bool> {
    const SQL: &str = "UPDATE quota SET hard = $2, updated_at = $3 WHERE id = $1 RETURNING id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(id).bind(hard).bind(now).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Counts `contents` (digest, bytes) to the project as far as it does not have them, all or nothing. The caller's transaction must be rolled
/// back when they do not fit.
pub async fn charge(link: &mut Link<'_>, project: ProjectId, contents: &[(String, i64)]) -> Result<Charge> {
    let adding = add_contents(link, project, contents).await?;
    if adding == 0 {
        return Ok(Charge::Fits);
    }
    const USE: &str = "UPDATE quota SET used = used + $2 WHERE project_id = $1 AND (hard < 0 OR used + $2 <= hard) RETURNING used";
    let fits: Option<(i64,)> = on!(link, |c| sqlx::query_as(USE).bind(project.get()).bind(adding).fetch_optional(c).await)?;
    if fits.is_some() {
        return Ok(Charge::Fits);
    }
    Ok(match find(link, project).await? {
        Some(quota) => Charge::Exceeded { adding, used: quota.used, hard: quota.hard },
        None => Charge::Fits,
    })
}

/// As [`charge`] while limits are switched off: what is used stays known, however much it is.
pub async fn count(link: &mut Link<'_>, project: ProjectId, contents: &[(String, i64)]) -> Result<()> {
    const USE: &str = "UPDATE quota SET used = used + $2 WHERE project_id = $1";
    let adding = add_contents(link, project, contents).await?;
    if adding > 0 {
        on!(link, |c| sqlx::query(USE).bind(project.get()).bind(adding).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// The most bytes that are counted at once: what manifests claim to need may be any number, and sums of it must remain numbers.
const MOST: i64 = i64::MAX / 2;

/// The bytes of what the project did not have until now.
async fn add_contents(link: &mut Link<'_>, project: ProjectId, contents: &[(String, i64)]) -> Result<i64> {
    // In the same order by everybody, so that two pushes of the same contents wait for each other in one direction.
    let sql = format!(
        "INSERT INTO project_content (project_id, digest, size) SELECT $1, c.digest, c.size FROM {} c WHERE TRUE ORDER BY c.digest
         ON CONFLICT DO NOTHING RETURNING size",
        link.engine().json_rows("$2", &[("digest", Json::Text), ("size", Json::Integer)])
    );
    let contents: Vec<_> = contents.iter().map(|(digest, size)| serde_json::json!({"digest": digest, "size": size})).collect();
    let list = serde_json::Value::from(contents).to_string();
    let new: Vec<(i64,)> = on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(project.get()).bind(list).fetch_all(c).await)?;
    Ok(new.iter().fold(0, |sum: i64, (size,)| sum.saturating_add(*size)).min(MOST))
}

/// Gives back what a deleted artifact held, as far as nothing alive in the project uses it.
pub async fn release(link: &mut Link<'_>, project: ProjectId, artifact: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM project_content WHERE project_id = $1
        AND digest IN (SELECT b.digest FROM artifact_blob l JOIN blob b ON b.id = l.blob_id WHERE l.artifact_id = $2
                       UNION SELECT digest FROM artifact WHERE id = $2)
        AND NOT EXISTS (SELECT 1 FROM blob b JOIN artifact_blob l ON l.blob_id = b.id JOIN artifact a ON a.id = l.artifact_id
                        WHERE b.digest = project_content.digest AND a.project_id = $1 AND a.deleted_at IS NULL)
        AND NOT EXISTS (SELECT 1 FROM artifact a WHERE a.project_id = $1 AND a.digest = project_content.digest AND a.deleted_at IS NULL)
        RETURNING size";
    let freed: Vec<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(project.get()).bind(artifact).fetch_all(c).await)?;
    let bytes: i64 = freed.iter().map(|(size,)| size).sum();
    if bytes > 0 {
        const GIVE: &str = "UPDATE quota SET used = CASE WHEN used > $2 THEN used - $2 ELSE 0 END WHERE project_id = $1";
        on!(link, |c| sqlx::query(GIVE).bind(project.get()).bind(bytes).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// A quota with whose it is.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ListedQuota {
    /// The quota.
    #[sqlx(flatten)]
    pub quota: QuotaRow,
    /// Name of its project.
    pub project_name: String,
    /// Owner of its project.
    #[sqlx(try_from = "i64")]
    pub owner_id: UserId,
    /// The owner's name, while there is such an account.
    pub owner_name: Option<String>,
}

const COLUMNS: &[Column] = &[
    Column::int(&["id", "ID"], "q.id"),
    // No limit is more than any limit.
    Column::int(&["hard.storage"], "CASE WHEN q.hard < 0 THEN 9223372036854775807 ELSE q.hard END").sort_only(),
    Column::int(&["used.storage"], "q.used").sort_only(),
    Column::time(&["creation_time", "CreationTime"], "q.created_at"),
    Column::time(&["update_time", "UpdateTime"], "q.updated_at"),
];

const SELECT: &str = "SELECT q.id, q.project_id, q.hard, q.used, q.created_at, q.updated_at, p.name AS project_name, p.owner_id,
    u.username AS owner_name";
const FROM: &str = "FROM quota q JOIN project p ON p.id = q.project_id AND p.deleted_at IS NULL
    LEFT JOIN user_account u ON u.id = p.owner_id AND u.deleted_at IS NULL";

/// A page of all quotas, newest first unless the query says otherwise; only the one of `project` when given.
pub async fn list(link: &mut Link<'_>, _: &Allowed<System>, project: Option<ProjectId>, query: &ListQuery) -> Result<Page<ListedQuota>> {
    List::new(SELECT, FROM, COLUMNS, "q.created_at DESC", "q.id DESC")
        .condition_if(project.is_some(), "q.project_id = ?", project.map(|id| id.get().into()))
        .page(link, query)
        .await
}

/// The quota with this id.
pub async fn by_id(link: &mut Link<'_>, _: &Allowed<System>, id: i64) -> Result<Option<ListedQuota>> {
    let list = List::new(SELECT, FROM, COLUMNS, "q.id", "q.id").condition("q.id = ?", [id.into()]);
    Ok(list.fetch(link, &ListQuery::all()).await?.pop())
}

/// Whether the project's use counts this content already.
pub async fn is_counted(link: &mut Link<'_>, project: ProjectId, digest: &str) -> Result<bool> {
    const SQL: &str = "SELECT size FROM project_content WHERE project_id = $1 AND digest = $2";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(project.get()).bind(digest).fetch_optional(c).await)?;
    Ok(row.is_some())
}
