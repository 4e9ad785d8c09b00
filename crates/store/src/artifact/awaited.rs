//! What waits for an artifact that is not there yet: accessories for their subject, and indexes that were stored without a child (sparse indexes).

use model::{ArtifactId, RepositoryId};

use super::{Child, child_rows, columns_of_children};
use crate::db::on;
use crate::{Link, Result};

/// Records which children an index was stored without. They may be pushed later, or never.
pub async fn await_children(link: &mut Link<'_>, repository: RepositoryId, parent: ArtifactId, children: &[Child]) -> Result<()> {
    if children.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO awaited_child (parent_id, repository_id, digest, platform, urls, annotations)
         SELECT $1, $3, c.digest, c.platform, c.urls, c.annotations FROM {} c WHERE TRUE ORDER BY c.position ON CONFLICT DO NOTHING",
        link.engine().json_rows("$2", &columns_of_children())
    );
    let rows = child_rows(children);
    on!(link, |c| sqlx::query(sqlx::AssertSqlSafe(sql)).bind(parent.get()).bind(rows).bind(repository.get()).execute(c).await.map(drop))?;
    Ok(())
}

/// Links a new artifact to what waited for it in its repository, which this transaction holds.
pub async fn arrived(link: &mut Link<'_>, repository: RepositoryId, artifact: ArtifactId) -> Result<()> {
    const IS_AWAITED: &str = "SELECT a.id FROM artifact a WHERE a.id = $2 AND (
            EXISTS (SELECT 1 FROM accessory y WHERE y.repository_id = $1 AND y.subject_digest = a.digest AND y.subject_id IS NULL)
            OR EXISTS (SELECT 1 FROM awaited_child w WHERE w.repository_id = $1 AND w.digest = a.digest))";
    let is_awaited: Option<(i64,)> =
        on!(link, |c| sqlx::query_as(IS_AWAITED).bind(repository.get()).bind(artifact.get()).fetch_optional(c).await)?;
    if is_awaited.is_none() {
        return Ok(());
    }
    const ACCESSORIES: &str = "UPDATE accessory SET subject_id = $2
        WHERE repository_id = $1 AND subject_id IS NULL AND subject_digest = (SELECT digest FROM artifact WHERE id = $2)";
    const REFERENCES: &str = "INSERT INTO artifact_reference (parent_id, child_id, child_digest, platform, urls, annotations)
        SELECT w.parent_id, a.id, a.digest, w.platform, w.urls, w.annotations
        FROM artifact a JOIN awaited_child w ON w.repository_id = $1 AND w.digest = a.digest
        WHERE a.id = $2 ORDER BY w.id ON CONFLICT DO NOTHING";
    // An index is as large as its children, so what names that index grows as well.
    const SIZES: &str = "WITH RECURSIVE above (id) AS (
            SELECT w.parent_id FROM artifact a JOIN awaited_child w ON w.repository_id = $1 AND w.digest = a.digest WHERE a.id = $2
            UNION SELECT f.parent_id FROM artifact_reference f JOIN above ON f.child_id = above.id)
        UPDATE artifact SET size = size + (SELECT n.size FROM artifact n WHERE n.id = $2) WHERE id IN (SELECT id FROM above)";
    const ARRIVED: &str = "DELETE FROM awaited_child WHERE repository_id = $1 AND digest = (SELECT digest FROM artifact WHERE id = $2)";
    for sql in [ACCESSORIES, REFERENCES, SIZES, ARRIVED] {
        on!(link, |c| sqlx::query(sql).bind(repository.get()).bind(artifact.get()).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Gives the copy of an index the children that its source has, as far as they are in the copy's repository.
pub async fn copy_children(link: &mut Link<'_>, source: ArtifactId, copy: ArtifactId, repository: RepositoryId) -> Result<()> {
    const SQL: &str = "INSERT INTO artifact_reference (parent_id, child_id, child_digest, platform, urls, annotations)
        SELECT $2, d.id, f.child_digest, f.platform, f.urls, f.annotations
        FROM artifact_reference f JOIN artifact d ON d.repository_id = $3 AND d.digest = f.child_digest AND d.deleted_at IS NULL
        WHERE f.parent_id = $1 ORDER BY f.id";
    on!(link, |c| sqlx::query(SQL).bind(source.get()).bind(copy.get()).bind(repository.get()).execute(c).await.map(drop))?;
    Ok(())
}

/// Those of these artifacts that await children.
pub async fn awaiting(link: &mut Link<'_>, artifacts: &[ArtifactId]) -> Result<Vec<ArtifactId>> {
    let sql = format!("SELECT DISTINCT parent_id FROM awaited_child WHERE parent_id IN {} ORDER BY 1", link.engine().json_integers("$1"));
    let list = serde_json::json!(artifacts.iter().map(|a| a.get()).collect::<Vec<_>>()).to_string();
    let rows: Vec<(i64,)> = on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(list).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| ArtifactId(id)).collect())
}

/// Lets the copy of an index await what its source does; what is in the copy's repository is linked at once. All that is copied is linked before
/// ([`copy_children`]): sizes grow upwards along the links.
pub async fn copy_awaited(link: &mut Link<'_>, source: ArtifactId, copy: ArtifactId, repository: RepositoryId) -> Result<()> {
    const AWAITED: &str = "INSERT INTO awaited_child (parent_id, repository_id, digest, platform, urls, annotations)
        SELECT $2, $3, w.digest, w.platform, w.urls, w.annotations FROM awaited_child w WHERE w.parent_id = $1 ORDER BY w.id";
    on!(link, |c| sqlx::query(AWAITED).bind(source.get()).bind(copy.get()).bind(repository.get()).execute(c).await.map(drop))?;
    const THERE: &str =
        "SELECT d.id FROM awaited_child w JOIN artifact d ON d.repository_id = $2 AND d.digest = w.digest AND d.deleted_at IS NULL
        WHERE w.parent_id = $1 ORDER BY w.id";
    let there: Vec<(i64,)> = on!(link, |c| sqlx::query_as(THERE).bind(copy.get()).bind(repository.get()).fetch_all(c).await)?;
    for (id,) in there {
        arrived(link, repository, ArtifactId(id)).await?;
    }
    Ok(())
}
