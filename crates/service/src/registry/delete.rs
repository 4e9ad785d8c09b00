//! Deleting artifacts: by the registry's way and by the API's, with everything that goes with them.

use model::{ArtifactId, ProjectId, RepositoryId};
use oci::{Digest, Reference, RepositoryName, digest, route::RawReference};
use store::Link;
use store::quota::Gone;

use super::{Registry, Target, Use, pull};
use crate::audit::{self, Event};
use crate::collision::retried;
use crate::immutable::{self, Protected};
use crate::{Actor, Core, Error, Result};

impl Registry {
    /// Deletes an artifact by its digest, with all its tags. By tag it is refused: a tag alone is deleted by the API.
    pub async fn delete_manifest(&self, actor: &Actor, name: &RepositoryName, reference: &RawReference) -> Result<()> {
        let target = self.target(actor, name, Use::Delete).await?;
        let Ok(Reference::Digest(digest)) = reference.parsed() else {
            let why = digest::complaint(&reference.text).unwrap_or("invalid checksum digest format");
            let message = format!("unsupported digest {}: {why}", reference.text);
            let mut error = Error::oci_message(oci::ErrorCode::Unsupported, message, serde_json::Value::Null);
            error.status = 400;
            return Err(error);
        };
        let missing = || pull::not_found(name, &format!("@{digest}"));
        let repository = self.holder(&target).await?.ok_or_else(missing)?;
        if !retried(|| self.delete_by_digest(actor, &target, repository, digest)).await? {
            return Err(missing());
        }
        self.core.caches.repository_changed(repository);
        Ok(())
    }

    /// Whether it was there.
    async fn delete_by_digest(&self, actor: &Actor, target: &Target<'_>, repository: RepositoryId, digest: &Digest) -> Result<bool> {
        let rules = immutable::rules(&self.core, target.allowed.id()).await?;
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        if !store::repository::lock(link, repository).await? {
            return Ok(false);
        }
        let Some(artifact) = store::artifact::find(link, repository, digest.as_str()).await? else {
            return Ok(false);
        };
        let resource = format!("{}@{digest}", target.full_name);
        let protected = &rules.of(target.path);
        let doomed = Doomed { project: target.allowed.id(), repository, artifact: artifact.id, resource, protected };
        delete_artifact(&self.core, link, actor, doomed).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// The artifact to delete.
#[derive(Debug)]
pub(crate) struct Doomed<'a> {
    /// Where it is.
    pub(crate) project: ProjectId,
    /// Where it is.
    pub(crate) repository: RepositoryId,
    /// It.
    pub(crate) artifact: ArtifactId,
    /// What the log calls it.
    pub(crate) resource: String,
    /// Tags of its repository that stay.
    pub(crate) protected: &'a Protected<'a>,
}

/// Deletes an artifact inside a transaction that holds its repository ([`store::repository::lock`]): refused while an index needs it; its
/// accessories and the children that nothing else keeps go too. None of what goes may have an immutable tag.
pub(crate) async fn delete_artifact(core: &Core, link: &mut Link<'_>, actor: &Actor, doomed: Doomed<'_>) -> Result<()> {
    let Doomed { project, repository, artifact, resource, protected } = doomed;
    if store::artifact::is_child(link, artifact).await? {
        return Err(Error::new(model::error::ErrorCode::ViolateForeignKeyConstraint, "the deleting artifact is referenced by others"));
    }
    let now = core.clock.micros();
    let mut gone = Vec::new();
    let mut todo = vec![artifact];
    while let Some(id) = todo.pop() {
        protected.check_artifact(link, id).await?;
        let dependants = store::artifact::dependants(link, id).await?;
        store::artifact::delete(link, id, now).await?;
        gone.push(id);
        todo.extend(dependants);
    }
    store::quota::release(link, project, Gone { artifacts: &gone, ..Gone::default() }).await?;
    store::repository::touch(link, repository, now).await?;
    audit::record(core, link, actor, now, [Event::new(project, "delete", "artifact", resource)]).await
}
