//! What a project holds and may hold: every distinct content counts once, however many repositories have it.

use std::collections::BTreeMap;

use model::list::{ListQuery, Page};
use model::permission::{Allowed, System};
use model::{ArtifactId, BlobId, ProjectId, UserId};

use crate::db::on;
use crate::dialect::Json;
use crate::list::{Column, List};
use crate::{Engine, Error, Link, Result};

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

/// How often contents are counted anew because they went between two questions.
const ROUNDS: usize = 8;

/// The bytes of what the project did not have until now. All of `contents` stay counted until the transaction ends: who gives one back waits.
async fn add_contents(link: &mut Link<'_>, project: ProjectId, contents: &[(String, i64)]) -> Result<i64> {
    let mut open: BTreeMap<&str, i64> = contents.iter().map(|(digest, size)| (digest.as_str(), *size)).collect();
    let mut added: i64 = 0;
    for _ in 0..ROUNDS {
        for (digest, size) in insert_contents(link, project, &open).await? {
            open.remove(digest.as_str());
            added = added.saturating_add(size).min(MOST);
        }
        // SQLite has one writer: what was not added is there and stays.
        if open.is_empty() || link.engine() == Engine::Sqlite {
            return Ok(added);
        }
        for digest in keep_contents(link, project, &open).await? {
            open.remove(digest.as_str());
        }
        if open.is_empty() {
            return Ok(added);
        }
    }
    Err(Error::Conflict)
}

/// Adds those that are not there. In the same order by everybody, so that two pushes of the same contents wait for each other in one direction.
async fn insert_contents(link: &mut Link<'_>, project: ProjectId, contents: &BTreeMap<&str, i64>) -> Result<Vec<(String, i64)>> {
    let sql = format!(
        "INSERT INTO project_content (project_id, digest, size) SELECT $1, c.digest, c.size FROM {} c WHERE TRUE ORDER BY c.digest
         ON CONFLICT DO NOTHING RETURNING digest, size",
        link.engine().json_rows("$2", &[("digest", Json::Text), ("size", Json::Integer)])
    );
    let rows: Vec<_> = contents.iter().map(|(digest, size)| serde_json::json!({"digest": digest, "size": size})).collect();
    let list = serde_json::Value::from(rows).to_string();
    Ok(on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(project.get()).bind(list).fetch_all(c).await)?)
}

/// Those that are there, and stay until the transaction ends.
async fn keep_contents(link: &mut Link<'_>, project: ProjectId, contents: &BTreeMap<&str, i64>) -> Result<Vec<String>> {
    let engine = link.engine();
    let sql = format!(
        "SELECT digest FROM project_content WHERE project_id = $1 AND digest IN {} ORDER BY digest{}",
        engine.json_strings("$2"),
        engine.keeping("project_content")
    );
    let list = serde_json::json!(contents.keys().collect::<Vec<_>>()).to_string();
    let rows: Vec<(String,)> = on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(project.get()).bind(list).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(digest,)| digest).collect())
}

/// What a project loses.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gone<'a> {
    /// Artifacts that were deleted. What they needed is given back although repositories still hold it: only manifests keep it.
    pub artifacts: &'a [ArtifactId],
    /// Blobs that a repository held, and does not hold any more. What no manifest ever needed counts as long as some repository holds it.
    pub holds: &'a [BlobId],
}

/// No artifact of the project is or needs the content.
const UNNEEDED: &str = "NOT EXISTS (SELECT 1 FROM blob b JOIN artifact_blob l ON l.blob_id = b.id JOIN artifact a ON a.id = l.artifact_id
                        WHERE b.digest = project_content.digest AND a.project_id = $1 AND a.deleted_at IS NULL)
        AND NOT EXISTS (SELECT 1 FROM artifact a WHERE a.project_id = $1 AND a.digest = project_content.digest AND a.deleted_at IS NULL)";
/// No repository of the project holds the content.
const UNHELD: &str =
    "NOT EXISTS (SELECT 1 FROM blob b JOIN repository_blob l ON l.blob_id = b.id JOIN repository r ON r.id = l.repository_id
                        WHERE b.digest = project_content.digest AND r.project_id = $1 AND r.deleted_at IS NULL)";

/// Gives back to the quota what the project has no more, after the rows that say so were written. The only place where contents stop counting.
pub async fn release(link: &mut Link<'_>, project: ProjectId, gone: Gone<'_>) -> Result<()> {
    let engine = link.engine();
    let text = |ids: Vec<i64>| (!ids.is_empty()).then(|| serde_json::json!(ids).to_string());
    let artifacts = text(gone.artifacts.iter().map(|id| id.get()).collect());
    let holds = text(gone.holds.iter().map(|id| id.get()).collect());
    let needed = |list: &str| {
        let list = engine.json_integers(list);
        format!(
            "SELECT b.digest FROM artifact_blob l JOIN blob b ON b.id = l.blob_id WHERE l.artifact_id IN {list}
             UNION SELECT digest FROM artifact WHERE id IN {list}"
        )
    };
    let held = |list: &str| format!("SELECT digest FROM blob WHERE id IN {}", engine.json_integers(list));
    // First held, then asked in statements of their own: who counts on one of them meanwhile was waited for, and is seen.
    if engine == Engine::Postgres {
        let sql = format!(
            "SELECT digest FROM project_content WHERE project_id = $1 AND digest IN ({} UNION {}) ORDER BY digest{}",
            needed("$2"),
            held("$3"),
            engine.alone()
        );
        let (artifacts, holds) = (artifacts.as_deref().unwrap_or("[]"), holds.as_deref().unwrap_or("[]"));
        on!(link, |c| sqlx::query(sqlx::AssertSqlSafe(sql)).bind(project.get()).bind(artifacts).bind(holds).execute(c).await.map(drop))?;
    }
    let mut bytes: i64 = 0;
    let asked = [(artifacts, needed("$2"), UNNEEDED.to_owned()), (holds, held("$2"), format!("{UNNEEDED} AND {UNHELD}"))];
    for (list, digests, unused) in asked {
        let Some(list) = list else { continue };
        let sql = format!("DELETE FROM project_content WHERE project_id = $1 AND digest IN ({digests}) AND {unused} RETURNING size");
        let freed: Vec<(i64,)> = on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(project.get()).bind(list).fetch_all(c).await)?;
        bytes += freed.iter().map(|(size,)| size).sum::<i64>();
    }
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
