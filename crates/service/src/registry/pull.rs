//! Reading manifests.

use std::sync::Arc;

use model::RepositoryId;
use oci::{Reference, RepositoryName, condition, route::RawReference};

use super::{Registry, Target, Use};
use crate::cache::CachedManifest;
use crate::record::Pull;
use crate::{Actor, Error, Result, Settings};

/// This client's reads are Harbor's own (replication, scanners): they do not count as pulls.
const INTERNAL_CLIENT: &str = "harbor-registry-client";

/// How a manifest is asked for, which decides whether that counts as a pull.
#[derive(Clone, Copy, Debug, Default)]
pub struct ManifestPull<'a> {
    /// Nothing but its headers is wanted.
    pub head: bool,
    /// Which client asks, as it says.
    pub user_agent: Option<&'a str>,
    /// `If-None-Match`: what the client has already.
    pub known: Option<&'a str>,
}

/// A manifest that was asked for.
#[derive(Clone, Debug)]
pub struct PulledManifest {
    /// The manifest.
    pub manifest: Arc<CachedManifest>,
    /// The client has it already, so that it is not sent, and no pull.
    pub is_known: bool,
}

impl Registry {
    /// The manifest behind a tag or digest. It counts as a pull where it is sent, and not to a part of Harbor's own.
    pub async fn manifest(
        &self,
        actor: &Actor,
        name: &RepositoryName,
        reference: &RawReference,
        pull: ManifestPull<'_>,
    ) -> Result<PulledManifest> {
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
        let is_known = pull.known.is_some_and(|known| condition::if_none_match(known, &manifest.digest));
        if !pull.head && !is_known && pull.user_agent != Some(INTERNAL_CLIENT) {
            self.record_pull(actor, &target, repository, parsed, &manifest);
        }
        Ok(PulledManifest { manifest, is_known })
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
