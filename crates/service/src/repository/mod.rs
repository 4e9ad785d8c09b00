//! Repositories: listing, reading, describing and deleting them (projects reference 7.7). The REST door and the portal call it; other use cases find
//! repositories with it.

use std::sync::Arc;

use model::api;
use model::list::{ListQuery, Page};
use model::permission::{Action, Allowed, Project, Resource};
use model::{Instant, RepositoryId};
use store::project::ProjectRow;
use store::repository::{ListedRepository, Viewer};

use crate::audit::{self, Event};
use crate::collision::retried;
use crate::{Actor, Core, Error, NameOrId, Result, immutable};

/// Bytes that a description may have.
const MAX_DESCRIPTION: usize = 64 << 10;

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Repositories {
    core: Arc<Core>,
}

impl Repositories {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// The repositories of a project. `q` and `sort` name them by their full names.
    ///
    /// # Errors
    /// 401, 403, 404 for a project that is not there.
    pub async fn list(&self, actor: &Actor, project: &NameOrId, query: &ListQuery) -> Result<Page<api::Repository>> {
        let (_, allowed) = self.core.authz.project(actor, project, Resource::Repository, Action::List).await?;
        let mut conn = self.core.db.read().await?;
        Ok(store::repository::list(&mut conn.link(), allowed.id(), query).await?.map(shown))
    }

    /// The repositories of all projects that the caller sees: public ones, and those where they are a member; for administrators all.
    pub async fn list_visible(&self, actor: &Actor, query: &ListQuery) -> Result<Page<api::Repository>> {
        let mut conn = self.core.db.read().await?;
        Ok(store::repository::list_visible(&mut conn.link(), &viewer(&self.core, actor), query).await?.map(shown))
    }

    /// One repository.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn get(&self, actor: &Actor, project: &NameOrId, repository: &str) -> Result<api::Repository> {
        Ok(self.shown_to(actor, project, repository, Action::Read).await?.1)
    }

    /// One repository and its project, for who may list repositories: it tells nothing that the list does not.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub(crate) async fn listed(&self, actor: &Actor, project: &NameOrId, repository: &str) -> Result<(Arc<ProjectRow>, api::Repository)> {
        self.shown_to(actor, project, repository, Action::List).await
    }

    async fn shown_to(
        &self,
        actor: &Actor,
        project: &NameOrId,
        repository: &str,
        action: Action,
    ) -> Result<(Arc<ProjectRow>, api::Repository)> {
        let (owner, allowed) = self.permit(actor, project, repository, action).await?;
        let mut conn = self.core.db.read().await?;
        let row = store::repository::get(&mut conn.link(), allowed.id(), repository).await?;
        let repository = row.map(shown).ok_or_else(|| missing(&owner.name, repository))?;
        Ok((owner, repository))
    }

    /// Replaces the description.
    ///
    /// # Errors
    /// 400 for one of more than 64 KiB, 401, 403, 404.
    pub async fn describe(&self, actor: &Actor, project: &NameOrId, repository: &str, input: &api::RepositoryReq) -> Result<()> {
        let (owner, allowed) = self.permit(actor, project, repository, Action::Update).await?;
        if input.description.len() > MAX_DESCRIPTION {
            return Err(Error::bad_request(format!("the description is longer than {MAX_DESCRIPTION} bytes")));
        }
        if input.description.contains('\0') {
            return Err(Error::bad_request("the description cannot have a null character"));
        }
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        let row = store::repository::find(link, allowed.id(), repository).await?.filter(|r| r.is_published);
        let row = row.ok_or_else(|| missing(&owner.name, repository))?;
        store::repository::describe(link, row.id, &input.description, self.core.clock.micros()).await?;
        Ok(tx.commit().await?)
    }

    /// Deletes a repository with all its artifacts.
    ///
    /// # Errors
    /// 401, 403, 404, 412 while a tag in it is immutable.
    pub async fn delete(&self, actor: &Actor, project: &NameOrId, repository: &str) -> Result<()> {
        let (owner, allowed) = self.permit(actor, project, repository, Action::Delete).await?;
        let id = retried(|| self.delete_once(actor, &owner, &allowed, repository)).await?;
        self.core.caches.repository_changed(id);
        self.core.caches.projects_changed();
        Ok(())
    }

    async fn delete_once(&self, actor: &Actor, owner: &ProjectRow, allowed: &Allowed<Project>, repository: &str) -> Result<RepositoryId> {
        let rules = immutable::rules(&self.core, allowed.id()).await?;
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        let found = store::repository::find(link, allowed.id(), repository).await?.filter(|r| r.is_published);
        let id = found.ok_or_else(|| missing(&owner.name, repository))?.id;
        // Held alone: what comes meanwhile waits, and then makes another repository.
        if !store::repository::lock_alone(link, id).await? {
            return Err(missing(&owner.name, repository));
        }
        rules.of(repository).check_repository(link, id).await?;
        let digests = store::repository::delete(link, allowed.id(), id, now).await?;
        let full_name = format!("{}/{repository}", owner.name);
        let artifacts = digests.iter().map(|digest| Event::new(allowed.id(), "delete", "artifact", format!("{full_name}@{digest}")));
        let own = Event::new(allowed.id(), "delete", "repository", full_name.as_str());
        audit::record(&self.core, link, actor, now, artifacts.chain([own])).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The gate, in the words for one repository: to who may know, an absent project is an absent repository.
    async fn permit(
        &self,
        actor: &Actor,
        project: &NameOrId,
        repository: &str,
        action: Action,
    ) -> Result<(Arc<ProjectRow>, Allowed<Project>)> {
        let answer = self.core.authz.project(actor, project, Resource::Repository, action).await;
        let (owner, allowed) = answer.map_err(|e| if e.status == 404 { missing(project, repository) } else { e })?;
        if is_name(repository) { Ok((owner, allowed)) } else { Err(missing(&owner.name, repository)) }
    }
}

/// `repository p/r not found`.
pub(crate) fn missing(project: impl std::fmt::Display, repository: &str) -> Error {
    Error::not_found(format!("repository {project}/{repository} not found"))
}

/// Whether a text can be the path of a repository: what cannot is not looked for.
fn is_name(repository: &str) -> bool {
    repository.parse::<oci::RepositoryName>().is_ok()
}

/// The id of a published repository of the project that was authorised.
///
/// # Errors
/// 404.
pub(crate) async fn find(core: &Core, allowed: &Allowed<Project>, project: &ProjectRow, repository: &str) -> Result<RepositoryId> {
    if let Some(id) = core.caches.repository(allowed.id(), repository) {
        return Ok(id);
    }
    if !is_name(repository) {
        return Err(missing(&project.name, repository));
    }
    let generation = core.caches.project_generation();
    let mut conn = core.db.read().await?;
    let row = store::repository::find(&mut conn.link(), allowed.id(), repository).await?.filter(|r| r.is_published);
    let id = row.ok_or_else(|| missing(&project.name, repository))?.id;
    core.caches.put_repository(generation, allowed.id(), repository, id);
    Ok(id)
}

/// Whose eyes see lists over several projects: administrators see all, people public projects and those where they are a member, robots public ones
/// and those they were given something in.
pub(crate) fn viewer(core: &Core, actor: &Actor) -> Viewer {
    use model::permission::{GrantKind, GrantScope, RobotLevel};
    match actor {
        Actor::User(user) if user.is_admin => Viewer::All,
        Actor::User(user) => Viewer::Member(user.id),
        Actor::Robot(robot) => {
            let in_all = robot.grants.iter().any(|g| g.kind == GrantKind::Project && g.scope == GrantScope::AllProjects);
            let sees_all = in_all || core.authz.system(actor, Resource::Project, Action::List).is_ok();
            if robot.level == RobotLevel::System && sees_all {
                return Viewer::All;
            }
            let mut projects: Vec<_> = robot
                .grants
                .iter()
                .filter_map(|g| match g.scope {
                    GrantScope::Project(id) => Some(id.get()),
                    GrantScope::System | GrantScope::AllProjects => None,
                })
                .collect();
            projects.sort_unstable();
            projects.dedup();
            Viewer::Projects(projects)
        }
        Actor::Anonymous | Actor::Token(_) => Viewer::Public,
    }
}

/// Whose eyes see the search and the figures. As [`viewer`], but a robot, whatever it was given, sees what is public: what Harbor's robots see.
pub(crate) fn searcher(core: &Core, actor: &Actor) -> Viewer {
    match actor {
        Actor::Robot(_) => Viewer::Public,
        _ => viewer(core, actor),
    }
}

fn shown(row: ListedRepository) -> api::Repository {
    let r = row.repository;
    api::Repository {
        id: r.id,
        project_id: r.project_id,
        name: format!("{}/{}", row.project_name, r.name),
        description: r.description,
        artifact_count: row.artifact_count,
        pull_count: r.pull_count,
        creation_time: Some(Instant::from_micros(r.created_at)),
        update_time: Instant::from_micros(r.updated_at),
    }
}
