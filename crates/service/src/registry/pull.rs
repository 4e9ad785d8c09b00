//! Reading manifests.

use std::sync::Arc;

use model::RepositoryId;
use oci::{Reference, RepositoryName, route::RawReference};

use super::{Registry, Target, Use};
use crate::cache::CachedManifest;
use crate::record::Pull;
use crate::{Actor, Error, Result, Settings};

/// This client's reads are Harbor's own (replication, scanners): they do not count as pulls.
const INTERNAL_CLIENT: &str = "harbor-registry-client";

impl Registry {
    /// The manifest behind a tag or digest. `user_agent` decides, with `head`, whether it counts as a pull.
    pub async fn manifest(
        &self,
        actor: &Actor,
        name: &RepositoryName,
        reference: &RawReference,
        head: bool,
        user_agent: Option<&str>,
    ) -> Result<Arc<CachedManifest>> {
        let target = self.target(actor, name, Use::Pull).await?;
        let Some(repository) = self.published(&target).await? else {
            return Err(Error::not_found(format!("repository {name} not found")));
        };
        let Ok(parsed) = reference.parsed() else {
            return Err(not_found(name, &format!(":{}", reference.text)));
        };
        let found = self.find_manifest(repository, parsed).await?;
        let Some(manifest) = found else {
            return Err(match parsed {
                Reference::Tag(tag) => not_found(name, &format!(":{tag}")),
                Reference::Digest(digest) => not_found(name, &format!("@{digest}")),
            });
        };
        if !head && user_agent != Some(INTERNAL_CLIENT) {
            self.record_pull(actor, &target, repository, parsed, &manifest);
        }
        Ok(manifest)
    }

    async fn find_manifest(&self, repository: RepositoryId, reference: &Reference) -> Result<Option<Arc<CachedManifest>>> {
        let text = match reference {
            Reference::Tag(tag) => tag.as_str(),
            Reference::Digest(digest) => digest.as_str(),
        };
        if let Some(manifest) = self.core.caches.manifest(repository, text) {
            return Ok(Some(manifest));
        }
        // Boxed: what is rare does not make every request's future larger.
        Box::pin(self.read_manifest(repository, reference, text)).await
    }

    async fn read_manifest(&self, repository: RepositoryId, reference: &Reference, text: &str) -> Result<Option<Arc<CachedManifest>>> {
        let generation = self.core.caches.generation(repository);
        let mut conn = self.core.db.read().await?;
        let row = match reference {
            Reference::Tag(tag) => store::artifact::manifest_of_tag(&mut conn.link(), repository, tag.as_str()).await?,
            Reference::Digest(digest) => store::artifact::manifest(&mut conn.link(), repository, digest.as_str()).await?,
        };
        Ok(row.map(|row| {
            let manifest = Arc::new(CachedManifest {
                artifact_id: row.artifact_id,
                digest: row.digest,
                media_type: row.manifest_media_type,
                content: row.content.into(),
            });
            self.core.caches.put_manifest(generation, repository, text, manifest.clone());
            manifest
        }))
    }

    fn record_pull(&self, actor: &Actor, target: &Target<'_>, repository: RepositoryId, reference: &Reference, manifest: &CachedManifest) {
        self.core.recorder.pull(&Pull {
            project_id: target.allowed.id(),
            repository_id: repository,
            artifact_id: manifest.artifact_id,
            tag: match reference {
                Reference::Tag(tag) => Some(tag.as_str()),
                Reference::Digest(_) => None,
            },
            repository: target.full_name,
            digest: &manifest.digest,
            username: actor.name(),
            audited: audited(&self.core.settings()),
            at: self.now(),
        });
    }
}

fn audited(settings: &Settings) -> bool {
    settings.pull_audit && settings.audits("pull", "artifact")
}

/// `artifact p/r:tag not found`; `reference` comes with its separator.
pub(super) fn not_found(name: &RepositoryName, reference: &str) -> Error {
    Error::not_found(format!("artifact {name}{reference} not found"))
}
