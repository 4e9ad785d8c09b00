//! Blobs: contents known to the registry, and which repositories hold them. The bytes are the room `blob`'s.

use model::{BlobId, RepositoryId};

use crate::db::on;
use crate::{Link, Result};

/// A content and its size in bytes.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct BlobRow {
    /// Its id.
    #[sqlx(try_from = "i64")]
    pub id: BlobId,
    /// `algorithm:hex`.
    pub digest: String,
    /// Bytes.
    pub size: i64,
}

/// The blob if the repository holds it.
pub async fn find_in_repository(link: &mut Link<'_>, repository: RepositoryId, digest: &str) -> Result<Option<BlobRow>> {
    const SQL: &str = "SELECT b.id, b.digest, b.size FROM blob b JOIN repository_blob l ON l.blob_id = b.id
        WHERE b.digest = $2 AND l.repository_id = $1";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(repository.get()).bind(digest).fetch_optional(c).await)?)
}

/// Those of `digests` that the repository holds, and holds until the end of this transaction: a [`detach`] by somebody else waits for it.
pub async fn hold_all_in_repository(link: &mut Link<'_>, repository: RepositoryId, digests: &[&str]) -> Result<Vec<BlobRow>> {
    if digests.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT b.id, b.digest, b.size FROM blob b JOIN repository_blob l ON l.blob_id = b.id
         WHERE l.repository_id = $1 AND b.digest IN {}{}",
        link.engine().json_strings("$2"),
        link.engine().keeping("l")
    );
    let list = serde_json::json!(digests).to_string();
    Ok(on!(link, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(repository.get()).bind(list).fetch_all(c).await)?)
}

/// Records a content; one that is known already keeps its row.
pub async fn upsert(link: &mut Link<'_>, digest: &str, size: i64, now: i64) -> Result<BlobId> {
    // A known row is not locked: a layer that many images share must not make one project's upload wait for another's.
    const MADE: &str = "INSERT INTO blob (digest, size, created_at) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING RETURNING id";
    const KNOWN: &str = "SELECT id FROM blob WHERE digest = $1";
    let made: Option<(i64,)> = on!(link, |c| sqlx::query_as(MADE).bind(digest).bind(size).bind(now).fetch_optional(c).await)?;
    let (id,) = match made {
        Some(made) => made,
        None => on!(link, |c| sqlx::query_as(KNOWN).bind(digest).fetch_one(c).await)?,
    };
    Ok(BlobId(id))
}

/// Lets the repository hold the blob.
pub async fn attach(link: &mut Link<'_>, repository: RepositoryId, blob: BlobId, now: i64) -> Result<()> {
    const SQL: &str = "INSERT INTO repository_blob (repository_id, blob_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    on!(link, |c| sqlx::query(SQL).bind(repository.get()).bind(blob.get()).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Ends the repository's hold on the blob; which blob, if there was one. What it held of the quota is given back by [`crate::quota::release`].
pub async fn detach(link: &mut Link<'_>, repository: RepositoryId, digest: &str) -> Result<Option<BlobId>> {
    const SQL: &str = "DELETE FROM repository_blob WHERE repository_id = $1 AND blob_id = (SELECT id FROM blob WHERE digest = $2)
        RETURNING blob_id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(repository.get()).bind(digest).fetch_optional(c).await)?;
    Ok(row.map(|(id,)| BlobId(id)))
}

/// Whether an artifact of the repository needs the blob.
pub async fn is_needed(link: &mut Link<'_>, repository: RepositoryId, digest: &str) -> Result<bool> {
    const SQL: &str = "SELECT a.id FROM blob b JOIN artifact_blob l ON l.blob_id = b.id JOIN artifact a ON a.id = l.artifact_id
        WHERE b.digest = $2 AND a.repository_id = $1 AND a.deleted_at IS NULL LIMIT 1";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(repository.get()).bind(digest).fetch_optional(c).await)?;
    Ok(row.is_some())
}
