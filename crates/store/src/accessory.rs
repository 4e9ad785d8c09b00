//! Accessories: artifacts about another artifact (signatures, SBOMs, …), whose subject may come later.

use model::list::{ListQuery, Page};
use model::{ArtifactId, RepositoryId};

use crate::db::on;
use crate::list::{Column, List};
use crate::{Link, Result};

/// Records that `artifact` is about the manifest `subject_digest`, which is linked if it is there.
pub async fn create(
    link: &mut Link<'_>,
    repository: RepositoryId,
    artifact: ArtifactId,
    subject_digest: &str,
    kind: &str,
    now: i64,
) -> Result<()> {
    const SQL: &str = "INSERT INTO accessory (artifact_id, repository_id, subject_id, subject_digest, kind, created_at)
        VALUES ($1, $2, (SELECT id FROM artifact WHERE repository_id = $2 AND digest = $3 AND deleted_at IS NULL), $3, $4, $5)
        ON CONFLICT (artifact_id) DO NOTHING";
    on!(link, |c| sqlx::query(SQL)
        .bind(artifact.get())
        .bind(repository.get())
        .bind(subject_digest)
        .bind(kind)
        .bind(now)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Whether an artifact is an accessory.
pub async fn is_accessory(link: &mut Link<'_>, artifact: ArtifactId) -> Result<bool> {
    const SQL: &str = "SELECT id FROM accessory WHERE artifact_id = $1";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(artifact.get()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// An accessory as lists show it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AccessoryRow {
    /// Id.
    pub id: i64,
    /// The accessory as an artifact.
    #[sqlx(try_from = "i64")]
    pub artifact_id: ArtifactId,
    /// What it is about; none while that is not there.
    pub subject_id: Option<i64>,
    /// Digest of what it is about.
    pub subject_digest: String,
    /// `project/path`.
    pub repository_name: String,
    /// `signature.cosign`, …
    pub kind: String,
    /// Bytes altogether.
    pub size: i64,
    /// Its digest.
    pub digest: String,
    /// Microseconds.
    pub created_at: i64,
}

const COLUMNS: &[Column] = &[
    Column::int(&["id", "ID"], "y.id"),
    Column::int(&["artifact_id", "ArtifactID"], "y.artifact_id"),
    Column::int(&["subject_artifact_id", "SubjectArtifactID"], "y.subject_id").nullable(),
    Column::text(&["subject_artifact_digest", "SubjectArtifactDigest"], "y.subject_digest"),
    Column::text(&["type", "Type"], "y.kind"),
    Column::int(&["size", "Size"], "ya.size"),
    Column::text(&["digest", "Digest"], "ya.digest"),
    Column::time(&["creation_time", "CreationTime"], "y.created_at"),
];

const SELECT: &str =
    "SELECT y.id, y.artifact_id, y.subject_id, y.subject_digest, p.name || '/' || r.name AS repository_name, y.kind, ya.size,
    ya.digest, y.created_at";
const FROM: &str = "FROM accessory y JOIN artifact ya ON ya.id = y.artifact_id AND ya.deleted_at IS NULL
    JOIN repository r ON r.id = y.repository_id JOIN project p ON p.id = r.project_id";

/// The accessories of an artifact, oldest first unless the query orders otherwise.
pub async fn list(link: &mut Link<'_>, subject: ArtifactId, query: &ListQuery) -> Result<Page<AccessoryRow>> {
    List::new(SELECT, FROM, COLUMNS, "y.id", "y.id").condition("y.subject_id = ?", [subject.get().into()]).page(link, query).await
}

/// An accessory that a child of an index has from that index.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct InheritedRow {
    /// The child.
    #[sqlx(try_from = "i64")]
    pub child_id: ArtifactId,
    /// The accessory.
    #[sqlx(flatten)]
    pub accessory: AccessoryRow,
}

/// The signatures of the indexes that these artifacts belong to, for those of them that have no signature of their own.
pub async fn inherited(link: &mut Link<'_>, artifacts: &[ArtifactId]) -> Result<Vec<InheritedRow>> {
    let sql = format!(
        "{SELECT}, f.child_id {FROM}
         JOIN artifact_reference f ON f.parent_id = y.subject_id
         JOIN artifact fp ON fp.id = f.parent_id AND fp.deleted_at IS NULL
         WHERE y.kind LIKE 'signature.%' AND f.child_id IN {}
           AND NOT EXISTS (SELECT 1 FROM accessory o JOIN artifact oa ON oa.id = o.artifact_id
                           WHERE o.subject_id = f.child_id AND o.kind LIKE 'signature.%' AND oa.deleted_at IS NULL)
         ORDER BY f.child_id, y.id",
        link.engine().json_integers("$1")
    );
    let ids = serde_json::json!(artifacts.iter().map(|a| a.get()).collect::<Vec<_>>()).to_string();
    Ok(on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(ids).fetch_all(c).await)?)
}

/// What the accessories of an artifact say to be: digest and artifact type, oldest first.
pub async fn artifact_types(link: &mut Link<'_>, subject: ArtifactId) -> Result<Vec<(String, String)>> {
    const SQL: &str = "SELECT a.digest, a.artifact_type FROM accessory y JOIN artifact a ON a.id = y.artifact_id
        WHERE y.subject_id = $1 AND a.deleted_at IS NULL ORDER BY y.id";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(subject.get()).fetch_all(c).await)?)
}

/// What kind of accessory an artifact is and of which subject (by digest); none when it is an artifact of its own.
pub async fn of(link: &mut Link<'_>, artifact: ArtifactId) -> Result<Option<(String, String)>> {
    const SQL: &str = "SELECT kind, subject_digest FROM accessory WHERE artifact_id = $1";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(artifact.get()).fetch_optional(c).await)?)
}
