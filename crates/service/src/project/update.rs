//! Changing a project: its metadata key by key, and its list of vulnerabilities that are put up with.

use model::api::ProjectReq;
use model::permission::{Action, Resource};

use super::{Projects, allowlist, entry, metadata, not_found};
use crate::{Actor, Error, NameOrId, Result};

impl Projects {
    /// Sets the metadata that are given, leaves the others, and replaces the allowlist if one is given. Name, owner and limit are not looked at.
    ///
    /// # Errors
    /// 400 for what is not the project's to set, 401, 403, 404.
    pub async fn update(&self, actor: &Actor, project: &NameOrId, input: &ProjectReq) -> Result<()> {
        let (_, allowed) = self.core.authz.project(actor, project, Resource::Project, Action::Update).await?;
        let list = match &input.cve_allowlist {
            Some(list) if list.project_id.get() != 0 && list.project_id != allowed.id() => {
                return Err(Error::bad_request(format!(
                    "project_id in cve_allowlist must be {} but it's {}",
                    allowed.id(),
                    list.project_id
                )));
            }
            Some(list) => Some((list.expires_at, allowlist::checked(list)?)),
            None => None,
        };
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        let row = store::project::lock(link, &allowed).await?.ok_or_else(|| not_found(project))?;
        if let Some(given) = &input.metadata {
            let mut stored = row.metadata()?;
            metadata::merge(&mut stored, given, row.registry_id.is_some())?;
            store::project::set_metadata(link, row.id, &stored, now).await?;
        }
        if let Some((expires_at, items)) = list {
            store::allowlist::put_of_project(link, &allowed, expires_at, &items, now).await?;
        }
        store::audit::append(link, &[entry(actor, row.id, "update", &row.name, now)]).await?;
        tx.commit().await?;
        self.core.caches.projects_changed();
        Ok(())
    }
}
