//! Copying artifacts between repositories: rows only, the bytes are shared.

use std::collections::BTreeSet;

use model::{ArtifactId, ProjectId, RepositoryId};

use crate::db::on;
use crate::{Link, Result};

/// A tag of an artifact that is copied.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CopiedTag {
    /// What it names at the source.
    #[sqlx(try_from = "i64")]
    pub artifact_id: ArtifactId,
    /// The name.
    pub name: String,
}

/// An artifact with all that goes with it, children of indexes and accessories, however deep: one statement for each level. Stops when there are
/// more than `limit`. Oldest first.
pub async fn tree_of(link: &mut Link<'_>, id: ArtifactId, limit: usize) -> Result<Vec<ArtifactId>> {
    let list = link.engine().json_integers("$1");
    let sql = format!(
        "SELECT a.id FROM artifact_reference f JOIN artifact a ON a.id = f.child_id WHERE f.parent_id IN {list} AND a.deleted_at IS NULL
         UNION
         SELECT a.id FROM accessory y JOIN artifact a ON a.id = y.artifact_id WHERE y.subject_id IN {list} AND a.deleted_at IS NULL"
    );
    let mut tree = BTreeSet::from([id]);
    let mut level = vec![id];
    while !level.is_empty() && tree.len() <= limit {
        let found: Vec<(i64,)> = on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql.clone())).bind(ids(&level)).fetch_all(c).await)?;
        level = found.into_iter().map(|(id,)| ArtifactId(id)).filter(|id| tree.insert(*id)).collect();
    }
    Ok(tree.into_iter().collect())
}

/// Keeps artifacts from being deleted until this transaction ends; `false` when one of them is gone.
pub async fn keep(link: &mut Link<'_>, artifacts: &[ArtifactId]) -> Result<bool> {
    let engine = link.engine();
    let sql = format!(
        "SELECT id FROM artifact WHERE deleted_at IS NULL AND id IN {} ORDER BY id{}",
        engine.json_integers("$1"),
        engine.keeping("artifact")
    );
    let kept: Vec<(i64,)> = on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(ids(artifacts)).fetch_all(c).await)?;
    Ok(kept.len() == artifacts.len())
}

fn ids(artifacts: &[ArtifactId]) -> String {
    serde_json::json!(artifacts.iter().map(|a| a.get()).collect::<Vec<_>>()).to_string()
}

/// Every distinct content (blobs and manifests; digest and bytes) of these artifacts: what a quota counts.
pub async fn contents_of(link: &mut Link<'_>, artifacts: &[ArtifactId]) -> Result<Vec<(String, i64)>> {
    let list = link.engine().json_integers("$1");
    let sql = format!(
        "SELECT b.digest, b.size FROM artifact_blob l JOIN blob b ON b.id = l.blob_id WHERE l.artifact_id IN {list}
         UNION SELECT digest, manifest_size FROM artifact WHERE id IN {list}"
    );
    Ok(on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(ids(artifacts)).fetch_all(c).await)?)
}

/// The tags of these artifacts, newest first.
pub async fn tags_of(link: &mut Link<'_>, artifacts: &[ArtifactId]) -> Result<Vec<CopiedTag>> {
    let sql = format!(
        "SELECT artifact_id, name FROM tag WHERE deleted_at IS NULL AND artifact_id IN {} ORDER BY pushed_at DESC, id DESC",
        link.engine().json_integers("$1")
    );
    Ok(on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(ids(artifacts)).fetch_all(c).await)?)
}

/// Copies one artifact without tags, labels and links to children ([`super::copy_children`]) into a repository; one that is there already stays as it
/// is. `true` when it is new.
pub async fn copy_row(
    link: &mut Link<'_>,
    source: ArtifactId,
    project: ProjectId,
    repository: RepositoryId,
    now: i64,
) -> Result<(ArtifactId, bool)> {
    const THERE: &str =
        "SELECT d.id FROM artifact s JOIN artifact d ON d.repository_id = $2 AND d.digest = s.digest AND d.deleted_at IS NULL
        WHERE s.id = $1";
    let there: Option<(i64,)> = on!(link, |c| sqlx::query_as(THERE).bind(source.get()).bind(repository.get()).fetch_optional(c).await)?;
    if let Some((id,)) = there {
        return Ok((ArtifactId(id), false));
    }
    const ARTIFACT: &str =
        "INSERT INTO artifact (project_id, repository_id, digest, kind, media_type, manifest_media_type, artifact_type, size,
            manifest_size, icon, annotations, extra_attrs, subject_digest, referrer_type, pushed_at)
        SELECT $2, $3, digest, kind, media_type, manifest_media_type, artifact_type, size,
            manifest_size, icon, annotations, extra_attrs, subject_digest, referrer_type, $4 FROM artifact WHERE id = $1 RETURNING id";
    let (id,): (i64,) =
        on!(link, |c| sqlx::query_as(ARTIFACT).bind(source.get()).bind(project.get()).bind(repository.get()).bind(now).fetch_one(c).await)?;
    for sql in [
        "INSERT INTO manifest (artifact_id, content) SELECT $2, content FROM manifest WHERE artifact_id = $1",
        "INSERT INTO artifact_blob (artifact_id, blob_id) SELECT $2, blob_id FROM artifact_blob WHERE artifact_id = $1",
    ] {
        on!(link, |c| sqlx::query(sql).bind(source.get()).bind(id).execute(c).await.map(drop))?;
    }
    const HOLD: &str = "INSERT INTO repository_blob (repository_id, blob_id, created_at)
        SELECT $2, blob_id, $3 FROM artifact_blob WHERE artifact_id = $1 ON CONFLICT DO NOTHING";
    on!(link, |c| sqlx::query(HOLD).bind(source.get()).bind(repository.get()).bind(now).execute(c).await.map(drop))?;
    Ok((ArtifactId(id), true))
}
