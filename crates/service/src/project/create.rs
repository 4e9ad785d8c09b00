//! Making a project with all that belongs to it.

use std::collections::BTreeMap;

use model::ProjectId;
use model::UserId;
use model::api::ProjectReq;
use model::name::ProjectName;
use model::permission::{Action, Resource, RobotLevel};
use store::Link;
use store::project::NewProject;

use super::{Projects, event, metadata};
use crate::{Actor, Error, Result, audit, quota};

impl Projects {
    /// Makes a project. Who makes it owns it and is its administrator; what a robot makes belongs to the oldest system administrator.
    ///
    /// # Errors
    /// 400 for a field that breaks its rule, 401, 403, 409 when the name is taken.
    pub async fn create(&self, actor: &Actor, input: ProjectReq) -> Result<ProjectId> {
        if !matches!(actor, Actor::User(_) | Actor::Robot(_)) {
            return Err(Error::unauthorized("unauthorized"));
        }
        let privileged = self.is_privileged(actor);
        if self.core.settings().project_creation_admin_only && !privileged {
            return Err(Error::forbidden("Only system admin can create project"));
        }
        let new = self.checked(actor, &input, privileged)?;
        robot_may_make(actor, privileged)?;
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let id = self.insert(&mut tx.link(), actor, &new, now).await?;
        tx.commit().await?;
        self.core.caches.projects_changed();
        Ok(id)
    }

    /// Whether the caller may make projects at all.
    pub fn may_create(&self, actor: &Actor) -> bool {
        let privileged = self.is_privileged(actor);
        let is_somebody = matches!(actor, Actor::User(_) | Actor::Robot(_));
        is_somebody && (privileged || !self.core.settings().project_creation_admin_only) && robot_may_make(actor, privileged).is_ok()
    }

    /// Administrators, and robots of the system that were given it.
    fn is_privileged(&self, actor: &Actor) -> bool {
        self.core.authz.system(actor, Resource::Project, Action::Create).is_ok()
    }

    fn checked(&self, actor: &Actor, input: &ProjectReq, privileged: bool) -> Result<Checked> {
        if input.registry_id.is_some() && !privileged {
            return Err(Error::forbidden("Only system admin can create proxy cache project"));
        }
        let name = ProjectName::new(input.project_name.as_str()).map_err(|e| Error::bad_request(e.to_string()))?;
        let metadata = metadata::of_new(input)?;
        if let Some(id) = input.registry_id {
            return Err(match id {
                // No registries are known yet that a project could be a cache of.
                1.. => Error::not_found(format!("registry {id} not found")),
                _ => Error::bad_request(format!("bad request: {id} is invalid value of registry_id, it should be geater than 0")),
            });
        }
        let hard = match input.storage_limit {
            Some(limit) if limit != 0 && actor.is_admin() => limit,
            _ => self.core.settings().storage_per_project,
        };
        if self.core.settings().quota_per_project {
            quota::check_limit(hard).map_err(|why| Error::bad_request(format!("bad request: {why}")))?;
        }
        Ok(Checked { name, metadata, hard })
    }

    async fn insert(&self, link: &mut Link<'_>, actor: &Actor, new: &Checked, now: i64) -> Result<ProjectId> {
        let owner_id = owner(link, actor).await?;
        let row = NewProject { name: new.name.as_str(), owner_id, registry_id: None, metadata: &new.metadata };
        let id = store::project::insert(link, &row, now).await.map_err(|e| match e {
            store::Error::Duplicate => Error::conflict(format!("The project named {} already exists", new.name)),
            other => other.into(),
        })?;
        store::member::insert_owner(link, id, owner_id, now).await?;
        if self.core.settings().quota_per_project {
            store::quota::create(link, id, new.hard, now).await?;
        }
        store::allowlist::create(link, id, now).await?;
        audit::record(&self.core, link, actor, now, [event(id, "create", new.name.as_str())]).await?;
        Ok(id)
    }
}

struct Checked {
    name: ProjectName,
    metadata: BTreeMap<String, String>,
    hard: i64,
}

/// People may; of the robots only those of the system that were given it.
fn robot_may_make(actor: &Actor, privileged: bool) -> Result<()> {
    match actor {
        Actor::Robot(robot) if robot.level == RobotLevel::Project => Err(Error::forbidden("Only system level robot can create project")),
        Actor::Robot(robot) if !privileged => Err(Error::forbidden(robot.name.clone())),
        _ => Ok(()),
    }
}

async fn owner(link: &mut Link<'_>, actor: &Actor) -> Result<UserId> {
    match actor.user_id() {
        Some(id) => Ok(id),
        None => store::project::first_administrator(link).await?.ok_or_else(|| Error::internal("there is no system administrator")),
    }
}

#[cfg(test)]
mod tests {
    use super::ProjectName;

    #[test]
    fn the_longest_name_to_push_under_leaves_room_for_a_repository() {
        let name = |length: usize| format!("{}/a", "a".repeat(length));
        assert!(name(ProjectName::MAX_TO_PUSH).parse::<oci::RepositoryName>().is_ok());
        assert!(name(ProjectName::MAX_TO_PUSH + 1).parse::<oci::RepositoryName>().is_err());
    }
}
