//! How a content that is stored becomes a blob of a repository: the transaction that closes an upload, and mounts, which need no upload. The
//! uploads of this room call it.

use model::RepositoryId;
use model::permission::{Action, Resource};
use oci::{Digest, RepositoryName};

use super::{Registry, Target};
use crate::collision::retried;
use crate::{Actor, NameOrId, Result};

/// Where a content comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin<'a> {
    /// From this upload, which ends.
    Upload(&'a str),
    /// From this repository, as long as it holds it.
    Repository(RepositoryId),
}

impl Registry {
    /// Makes a stored content a blob of the repository. `false` when the repository that it comes from does not hold it any more.
    pub(super) async fn keep(&self, target: &Target<'_>, digest: &Digest, size: i64, origin: Origin<'_>) -> Result<bool> {
        retried(|| self.keep_once(target, digest, size, origin)).await
    }

    async fn keep_once(&self, target: &Target<'_>, digest: &Digest, size: i64, origin: Origin<'_>) -> Result<bool> {
        let now = self.now();
        let project = target.allowed.id();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        let repository = self.hold_repository(link, target, now).await?;
        if let Origin::Repository(source) = origin
            && store::blob::hold_all_in_repository(link, source, &[digest.as_str()]).await?.is_empty()
        {
            return Ok(false);
        }
        let blob = store::blob::upsert(link, digest.as_str(), size, now).await?;
        store::blob::attach(link, repository, blob, now).await?;
        crate::quota::charge(&self.core, link, project, &[(digest.to_string(), size)]).await?;
        if let Origin::Upload(upload) = origin {
            store::upload::remove(link, upload).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Mounts if it can be done; whether it was.
    pub(super) async fn mount(&self, actor: &Actor, target: &Target<'_>, digest: &Digest, from: Option<&str>) -> Result<bool> {
        let Some(source) = from.and_then(|text| text.parse::<RepositoryName>().ok()) else {
            return Ok(false);
        };
        let (Some(project_name), Some(path)) = (source.project(), source.rest()) else {
            return Ok(false);
        };
        let Some(project) = self.core.authz.project_by_name(project_name).await? else {
            self.core.authz.look_as_if_there(actor, &NameOrId::Name(project_name.to_owned())).await?;
            return Ok(false);
        };
        let readable = self.core.authz.repository(actor, &project, source.as_str(), Resource::Repository, Action::Pull).await?;
        let Ok(allowed) = readable else {
            return Ok(false);
        };
        let mut conn = self.core.db.read().await?;
        let link = &mut conn.link();
        let Some(repository) = store::repository::find(link, allowed.id(), path).await? else {
            return Ok(false);
        };
        let Some(blob) = store::blob::find_in_repository(link, repository.id, digest.as_str()).await? else {
            return Ok(false);
        };
        drop(conn);
        if !self.is_stored(digest, u64::try_from(blob.size).unwrap_or_default()).await? {
            return Ok(false);
        }
        self.keep(target, digest, blob.size, Origin::Repository(repository.id)).await
    }
}
