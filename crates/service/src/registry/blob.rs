//! Reading and removing blobs.

use model::RepositoryId;
use oci::{Digest, RepositoryName, route::RawDigest};
use store::quota::Gone;

use super::{Registry, Target, Use};
use crate::collision::retried;
use crate::{Actor, Error, Result};

/// A blob that the repository holds.
#[derive(Clone, Debug)]
pub struct BlobFound {
    /// Its digest, as asked for.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    repository: RepositoryId,
}

impl Registry {
    /// Whether the repository holds the blob, and its size. Who cannot read the repository cannot learn that the blob exists elsewhere.
    pub async fn blob(&self, actor: &Actor, name: &RepositoryName, digest: &RawDigest) -> Result<BlobFound> {
        let target = self.target(actor, name, Use::Pull).await?;
        let digest = valid(digest)?;
        let Some(repository) = self.holder(&target).await? else {
            return Err(unknown(digest));
        };
        if let Some(size) = self.core.caches.blob(repository, digest.as_str()) {
            return Ok(BlobFound { digest: digest.clone(), size, repository });
        }
        // Boxed: what is rare does not make every request's future larger.
        let size = Box::pin(self.read_blob(repository, digest)).await?;
        Ok(BlobFound { digest: digest.clone(), size, repository })
    }

    async fn read_blob(&self, repository: RepositoryId, digest: &Digest) -> Result<u64> {
        let generation = self.core.caches.generation(repository);
        let mut conn = self.core.db.read().await?;
        let row = store::blob::find_in_repository(&mut conn.link(), repository, digest.as_str()).await?;
        drop(conn);
        let row = row.ok_or_else(|| unknown(digest))?;
        let size = u64::try_from(row.size).unwrap_or_default();
        if !self.is_stored(digest, size).await? {
            return Err(unknown(digest));
        }
        self.core.caches.put_blob(generation, repository, digest.as_str(), size);
        Ok(size)
    }

    /// The bytes of a blob that [`Registry::blob`] found.
    pub async fn open_blob(&self, found: &BlobFound) -> Result<::blob::Blob> {
        let opened = self.core.blobs.open(&found.digest).await?;
        opened.filter(|blob| blob.size == found.size).ok_or_else(|| {
            self.core.caches.repository_changed(found.repository);
            lost(&found.digest);
            unknown(&found.digest)
        })
    }

    /// Whether the storage has what the database knows. Who asks is told when it has not: clients then upload it again, which heals.
    pub(super) async fn is_stored(&self, digest: &Digest, size: u64) -> Result<bool> {
        let stored = self.core.blobs.stat(digest).await? == Some(size);
        if !stored {
            lost(digest);
        }
        Ok(stored)
    }

    /// Ends the repository's hold on a blob. One that a manifest of the repository needs stays: deleting it would break the manifest.
    pub async fn delete_blob(&self, actor: &Actor, name: &RepositoryName, digest: &RawDigest) -> Result<()> {
        let target = self.target(actor, name, Use::Delete).await?;
        let digest = valid(digest)?;
        let missing = || Error::oci(oci::ErrorCode::BlobUnknown, serde_json::Value::Null);
        let repository = self.holder(&target).await?.ok_or_else(missing)?;
        let detached = retried(|| self.detach(&target, repository, digest)).await?;
        self.core.caches.repository_changed(repository);
        if detached { Ok(()) } else { Err(missing()) }
    }

    /// Whether the repository held it. What no manifest of the project needs and no repository of it holds is given back to the quota.
    async fn detach(&self, target: &Target<'_>, repository: RepositoryId, digest: &Digest) -> Result<bool> {
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        self.hold_project(link, target).await?;
        // Held: a push that counts on the blob is waited for and then found.
        if !store::repository::lock(link, repository).await? {
            return Ok(false);
        }
        let Some(blob) = store::blob::detach(link, repository, digest.as_str()).await? else {
            return Ok(false);
        };
        if store::blob::is_needed(link, repository, digest.as_str()).await? {
            let message = "a manifest of this repository needs the blob: delete the manifest first";
            return Err(Error::oci_message(oci::ErrorCode::Unsupported, message, digest.as_str()));
        }
        store::quota::release(link, target.allowed.id(), Gone { holds: &[blob], ..Gone::default() }).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The repository's id, published or not: uploads put blobs into repositories that no manifest has published yet.
    pub(super) async fn holder(&self, target: &super::Target<'_>) -> Result<Option<RepositoryId>> {
        let project = target.allowed.id();
        if let Some(id) = self.core.caches.repository(project, target.path) {
            return Ok(Some(id));
        }
        Box::pin(self.read_holder(target)).await
    }

    async fn read_holder(&self, target: &super::Target<'_>) -> Result<Option<RepositoryId>> {
        let project = target.allowed.id();
        let mut conn = self.core.db.read().await?;
        Ok(store::repository::find(&mut conn.link(), project, target.path).await?.map(|r| r.id))
    }
}

fn valid(digest: &RawDigest) -> Result<&Digest> {
    digest.parsed().map_err(|_| Error::oci(oci::ErrorCode::DigestInvalid, serde_json::json!({})))
}

fn lost(digest: &Digest) {
    tracing::error!(%digest, "a blob that the database knows is not in the storage, or not whole");
}

fn unknown(digest: &Digest) -> Error {
    Error::oci(oci::ErrorCode::BlobUnknown, digest.as_str())
}
