//! Deleting artifacts: by the registry's way and by the API's, with everything that goes with them.

use model::{ArtifactId, ProjectId, RepositoryId};
use oci::{Reference, RepositoryName, digest, route::RawReference};
use store::Link;
use store::audit::AuditEntry;

use super::{Registry, Use, pull};
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
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        let artifact = store::artifact::find(link, repository, digest.as_str()).await?.ok_or_else(missing)?;
        let resource = format!("{}@{digest}", target.full_name);
        delete_artifact(&self.core, link, actor, target.allowed.id(), repository, artifact.id, resource).await?;
        tx.commit().await?;
        self.core.caches.repository_changed(repository);
        Ok(())
    }
}

/// Deletes an artifact inside a transaction: refused while an index needs it; its accessories and the children that nothing else keeps go too.
pub(crate) async fn delete_artifact(
    core: &Core,
    link: &mut Link<'_>,
    actor: &Actor,
    project: ProjectId,
    repository: RepositoryId,
    artifact: ArtifactId,
    resource: String,
) -> Result<()> {
    if store::artifact::is_child(link, artifact).await? {
        return Err(Error::new(model::error::ErrorCode::ViolateForeignKeyConstraint, "the deleting artifact is referenced by others"));
    }
    let now = core.clock.micros();
    let mut todo = vec![artifact];
    while let Some(id) = todo.pop() {
        let dependants = store::artifact::dependants(link, id).await?;
        store::artifact::delete(link, id, now).await?;
        store::quota::release(link, project, id.get()).await?;
        todo.extend(dependants);
    }
    store::repository::touch(link, repository, now).await?;
    let entry = AuditEntry {
        project_id: project,
        operation: "delete",
        resource_type: "artifact",
        resource,
        username: actor.name().to_owned(),
        op_time: now,
    };
    store::audit::append(link, &[entry]).await?;
    Ok(())
}
