//! What callers may learn about themselves: the account, and the list of what they may do.

use model::ProjectId;
use model::api::{Permission, Permissions, UserResp};
use model::permission::{GrantKind, ProjectFacts, Role, catalogue, project_permissions, system_permissions};

use super::{Users, not_found, response};
use crate::authz::{NameOrId, caller};
use crate::{Actor, Error, Result};

impl Users {
    /// The caller's own account. `cookie` is the session's, if one came with the request.
    ///
    /// # Errors
    /// 401 for nobody, 404 for the session of an account that was deleted, 412 for a robot.
    pub async fn current(&self, actor: &Actor, cookie: Option<&str>) -> Result<UserResp> {
        match actor {
            Actor::User(user) => Ok(response(self.find(user.id).await?.ok_or_else(|| not_found(user.id))?)),
            Actor::Robot(_) => Err(Error::precondition("get current user not available for security context: robot")),
            Actor::Anonymous | Actor::Token(_) => match cookie {
                Some(cookie) => match self.sessions.deleted_holder(cookie).await? {
                    Some(id) => Err(not_found(id)),
                    None => Err(Error::unauthorized("unauthorized")),
                },
                None => Err(Error::unauthorized("unauthorized")),
            },
        }
    }

    /// What the caller may do in `scope` (`/project/{id}` or `/system`), as resource and action; nothing for any other scope. `relative` leaves
    /// the scope out of the resources.
    ///
    /// # Errors
    /// 401.
    pub async fn permissions(&self, actor: &Actor, scope: &str, relative: bool) -> Result<Vec<Permission>> {
        if actor.is_anonymous() {
            return Err(Error::unauthorized("unauthorized"));
        }
        if scope == "/system" {
            // Relative to the system nothing is left of these names.
            let all = if relative { Vec::new() } else { system_permissions(&caller(actor, &[])) };
            return Ok(all.into_iter().map(|(resource, action)| permission(resource.to_string(), action)).collect());
        }
        let id = scope.strip_prefix("/project/").and_then(|id| id.parse().ok()).map(ProjectId);
        let Some(id) = id else { return Ok(Vec::new()) };
        let Some(project) = self.core.authz.find_project(&NameOrId::Id(id)).await? else { return Ok(Vec::new()) };
        let roles = self.core.authz.roles(actor, id).await?;
        let facts = ProjectFacts { id, public: project.is_public };
        let granted = project_permissions(&caller(actor, &roles), &facts);
        Ok(granted.into_iter().map(|(resource, action)| permission(resource.in_project(id, relative), action)).collect())
    }

    /// What robots may be given: all of it for administrators, the part of projects for administrators of one.
    ///
    /// # Errors
    /// 401, 403 for everybody else.
    pub async fn catalogue(&self, actor: &Actor) -> Result<Permissions> {
        if actor.is_anonymous() {
            return Err(Error::unauthorized(""));
        }
        if !actor.is_admin() && !self.administers_a_project(actor).await? {
            return Err(Error::forbidden("forbidden: only admins(system and project) can access permissions"));
        }
        let of = |kind| catalogue::pairs(kind).map(|(resource, action)| permission(resource.to_string(), action)).collect();
        Ok(Permissions { system: actor.is_admin().then(|| of(GrantKind::System)), project: Some(of(GrantKind::Project)) })
    }

    async fn administers_a_project(&self, actor: &Actor) -> Result<bool> {
        let Some(id) = actor.user_id() else { return Ok(false) };
        let mut conn = self.core.db.read().await?;
        Ok(store::user::has_role_anywhere(&mut conn.link(), id, Role::ProjectAdmin.id()).await?)
    }
}

fn permission(resource: String, action: model::permission::Action) -> Permission {
    Permission { resource, action: action.to_string() }
}
