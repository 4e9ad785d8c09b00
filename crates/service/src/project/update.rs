//! Changing a project: its metadata key by key, and its list of vulnerabilities that are put up with.

use model::api::ProjectReq;
use model::permission::{Action, Resource};

use super::{Projects, allowlist, event, metadata, not_found};
use crate::audit;
use crate::{Actor, Error, NameOrId, Result};

impl Projects {
    /// Sets the metadata that are given, leaves the others, and replaces the allowlist if one is given. Name, owner and limit are not looked at.
    ///
    /// # Errors
    /// 400 for what is not the project's to set, 401, 403, 404.
    pub async fn update(&self, actor: &Actor, project: &NameOrId, input: &ProjectReq) -> Result<()> {
        let updated = self.update_once(actor, project, input).await;
        self.note_refusal(actor, project, updated).await
    }

    /// Passes the result on. Who tried to change a project and was refused is in the log of that project.
    pub(super) async fn note_refusal(&self, actor: &Actor, project: &NameOrId, result: Result<()>) -> Result<()> {
        let refused = result.as_ref().is_err_and(|error| matches!(error.status, 400 | 403));
        if refused
            && !actor.is_anonymous()
            && let Some(row) = self.core.authz.find_project(project).await?
        {
            audit::note(&self.core, actor.name(), event(row.id, "update", &row.name).failed());
        }
        result
    }

    async fn update_once(&self, actor: &Actor, project: &NameOrId, input: &ProjectReq) -> Result<()> {
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
        audit::record(&self.core, link, actor, now, [event(row.id, "update", &row.name)]).await?;
        tx.commit().await?;
        self.core.caches.projects_changed();
        Ok(())
    }
}
