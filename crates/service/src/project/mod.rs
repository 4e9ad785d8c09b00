//! Projects: making, finding, changing and deleting them, their metadata and their lists of vulnerabilities that are put up with (projects.md 7.1,
//! 7.2, 7.6). The doors call it.

mod allowlist;
mod create;
mod list;
mod metadata;
mod update;

use std::sync::Arc;

use model::ProjectId;
use model::api::{Project, ProjectDeletable, ProjectSummary, ProjectSummaryQuota, ResourceList};
use model::permission::{Action, Resource, Role};
use store::project::ProjectRow;
use store::quota::QuotaRow;

use crate::audit::{self, Event};
use crate::authn::{AccountRef, Authn};
use crate::{Actor, Core, Error, NameOrId, Result};

/// Why a project stays.
const NOT_EMPTY: &str = "the project contains repositories, can not be deleted";

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Projects {
    core: Arc<Core>,
    authn: Authn,
}

impl Projects {
    pub(crate) fn new(core: Arc<Core>, authn: Authn) -> Self {
        Self { core, authn }
    }

    /// Whether a name is taken, for whoever is signed in: people ask before they make a project.
    ///
    /// # Errors
    /// 401.
    pub async fn exists(&self, actor: &Actor, name: &str) -> Result<bool> {
        if actor.is_anonymous() {
            return Err(Error::unauthorized("unauthorized"));
        }
        Ok(self.core.authz.project_by_name(name).await?.is_some())
    }

    /// A project with all that it says about itself.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn get(&self, actor: &Actor, project: &NameOrId) -> Result<Project> {
        let (row, allowed) = self.core.authz.project(actor, project, Resource::Project, Action::Read).await?;
        let roles = self.core.authz.roles(actor, row.id).await?;
        let mut conn = self.core.db.read().await?;
        let listed = store::project::listed(&mut conn.link(), &allowed).await?.ok_or_else(|| not_found(project))?;
        list::project_of(listed, &roles, true)
    }

    /// Whether the project could be deleted now, for who may delete it.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn deletable(&self, actor: &Actor, project: &NameOrId) -> Result<ProjectDeletable> {
        let (_, allowed) = self.core.authz.project(actor, project, Resource::Project, Action::Delete).await?;
        let mut conn = self.core.db.read().await?;
        let full = store::repository::any_in_project(&mut conn.link(), allowed.id()).await?;
        Ok(ProjectDeletable { deletable: !full, message: if full { NOT_EMPTY.to_owned() } else { String::new() } })
    }

    /// Deletes an empty project with its members, robots, quota and lists. Its name is free at once.
    ///
    /// # Errors
    /// 401, 403, 404, 412 while it has repositories.
    pub async fn delete(&self, actor: &Actor, project: &NameOrId) -> Result<()> {
        let (_, allowed) = self.core.authz.project(actor, project, Resource::Project, Action::Delete).await?;
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        let row = store::project::lock(link, &allowed).await?.ok_or_else(|| not_found(project))?;
        if store::repository::any_in_project(link, row.id).await? {
            return Err(Error::precondition(format!("precondition failed: {NOT_EMPTY}")));
        }
        let robots = store::robot::ids_in(link, &allowed).await?;
        store::project::delete(link, row.id, now).await?;
        audit::record(&self.core, link, actor, now, [event(row.id, "delete", &row.name)]).await?;
        tx.commit().await?;
        self.core.caches.projects_changed();
        self.core.authz.members_changed(row.id);
        for robot in robots {
            self.authn.forget(AccountRef::Robot(robot));
        }
        Ok(())
    }

    /// Figures of a project, each for who may see it.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn summary(&self, actor: &Actor, project: &NameOrId) -> Result<ProjectSummary> {
        let (row, allowed) = self.core.authz.project(actor, project, Resource::Project, Action::Read).await?;
        let quota = self.quota(actor, &row).await?;
        let sees_members = self.core.authz.decide(actor, &row, Resource::Member, Action::List).await?.is_ok();
        let mut conn = self.core.db.read().await?;
        let link = &mut conn.link();
        let mut summary =
            ProjectSummary { repo_count: store::project::repository_count(link, &allowed).await?, ..ProjectSummary::default() };
        summary.quota = quota.map(|quota| ProjectSummaryQuota {
            hard: ResourceList::from([("storage".to_owned(), quota.hard)]),
            used: ResourceList::from([("storage".to_owned(), quota.used)]),
        });
        if sees_members {
            for (role, count) in store::member::count_by_role(link, &allowed).await? {
                match Role::from_id(role) {
                    Some(Role::ProjectAdmin) => summary.project_admin_count = count,
                    Some(Role::Maintainer) => summary.maintainer_count = count,
                    Some(Role::Developer) => summary.developer_count = count,
                    Some(Role::Guest) => summary.guest_count = count,
                    Some(Role::LimitedGuest) => summary.limited_guest_count = count,
                    None => {}
                }
            }
        }
        Ok(summary)
    }

    /// What the project may hold and holds, for who may see that; nothing where it is not counted.
    pub(crate) async fn quota(&self, actor: &Actor, project: &ProjectRow) -> Result<Option<QuotaRow>> {
        let Ok(allowed) = self.core.authz.decide(actor, project, Resource::Quota, Action::Read).await? else { return Ok(None) };
        let mut conn = self.core.db.read().await?;
        Ok(store::quota::find(&mut conn.link(), allowed.id()).await?)
    }
}

fn not_found(project: &NameOrId) -> Error {
    Error::not_found(format!("project {project} not found"))
}

fn event(project: ProjectId, operation: &'static str, name: &str) -> Event {
    Event::new(project, operation, "project", name)
}
