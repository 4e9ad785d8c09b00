//! What robots may be given: permissions of the catalogue, in places that exist, and never more than the robot has that gives them.

use std::collections::BTreeMap;

use model::ProjectId;
use model::api::{Access, RobotPermission};
use model::permission::{Action, Effect, GrantKind, GrantScope, Resource, RobotGrant, RobotLevel, catalogue};
use store::robot::{StoredAccess, StoredPermission};

use super::Robots;
use crate::actor::RobotActor;
use crate::{Actor, Error, Result};

/// The namespace of the system.
const ROOT: &str = "/";
/// The namespace of all projects.
const ALL: &str = "*";
/// More places than this, and more permissions in one of them, nobody names.
const MAX_PLACES: usize = 1000;
const MAX_ACCESS: usize = 200;

/// Checks permissions as far as it goes without looking anything up.
pub(super) fn check(level: RobotLevel, permissions: &[RobotPermission]) -> Result<()> {
    if permissions.is_empty() {
        return Err(Error::bad_request("bad request empty permission"));
    }
    if permissions.len() > MAX_PLACES || permissions.iter().any(|p| p.access.len() > MAX_ACCESS) {
        return Err(Error::bad_request("bad request too many permissions"));
    }
    for permission in permissions {
        if permission.access.is_empty() {
            return Err(Error::bad_request("bad request empty access"));
        }
        let kind = GrantKind::from_name(&permission.kind)
            .ok_or_else(|| Error::bad_request(format!("bad request permission level: {}", shortened(&permission.kind))))?;
        permission.access.iter().try_for_each(|access| check_access(kind, access))?;
        if level == RobotLevel::System && kind == GrantKind::System && permission.namespace != ROOT {
            return Err(Error::bad_request("unknown namespace"));
        }
    }
    if level == RobotLevel::Project && permissions.len() > 1 {
        return Err(Error::bad_request("bad request permission"));
    }
    Ok(())
}

fn check_access(kind: GrantKind, access: &Access) -> Result<()> {
    let known = match (access.resource.parse::<Resource>(), access.action.parse::<Action>()) {
        (Ok(resource), Ok(action)) => catalogue::contains(kind, resource, action),
        _ => false,
    };
    if !known {
        let (resource, action) = (shortened(&access.resource), shortened(&access.action));
        return Err(Error::bad_request(format!("bad request permission: {resource}:{action}")));
    }
    match access.effect.as_str() {
        "" | "allow" | "deny" => Ok(()),
        other => Err(Error::bad_request(format!("bad request permission effect: {}", shortened(other)))),
    }
}

/// A robot of a project has nothing of the system.
pub(super) fn check_kind_in_project(permission: &RobotPermission) -> Result<()> {
    if permission.kind == GrantKind::Project.as_str() { Ok(()) } else { Err(Error::bad_request("bad request permission")) }
}

fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

/// A permission as it is stored; `project` is what its namespace stands for.
pub(super) fn stored(permission: &RobotPermission, project: Option<ProjectId>) -> StoredPermission {
    let access = permission
        .access
        .iter()
        .map(|a| StoredAccess { resource: a.resource.clone(), action: a.action.clone(), effect: a.effect.clone() })
        .collect();
    StoredPermission { kind: permission.kind.clone(), project_id: project.map(ProjectId::get), access }
}

/// A permission as it is shown; `None` when its project is gone.
pub(super) fn shown(permission: StoredPermission, names: &BTreeMap<ProjectId, String>) -> Option<RobotPermission> {
    let namespace = match (GrantKind::from_name(&permission.kind)?, permission.project_id) {
        (GrantKind::System, _) => ROOT.to_owned(),
        (GrantKind::Project, None) => ALL.to_owned(),
        (GrantKind::Project, Some(id)) => names.get(&ProjectId(id))?.clone(),
    };
    let access = permission.access.into_iter().map(|a| Access { resource: a.resource, action: a.action, effect: a.effect }).collect();
    Some(RobotPermission { kind: permission.kind, namespace, access })
}

impl Robots {
    /// Checked permissions of a robot of the system with their projects looked up.
    pub(super) async fn resolved(&self, permissions: &[RobotPermission]) -> Result<Vec<StoredPermission>> {
        let mut resolved = Vec::with_capacity(permissions.len());
        for permission in permissions {
            let namespace = permission.namespace.as_str();
            let project = if permission.kind == GrantKind::System.as_str() || namespace == ALL {
                None
            } else {
                let found = self.core.authz.project_by_name(namespace).await?;
                let namespace: String = namespace.chars().take(255).collect();
                Some(found.ok_or_else(|| Error::not_found(format!("project {namespace} not found")))?.id)
            };
            resolved.push(stored(permission, project));
        }
        Ok(resolved)
    }
}

/// Refuses a robot that would give more than it has. People give what they may give by their role, within the catalogue.
pub(super) fn check_no_more_than(actor: &Actor, level: RobotLevel, permissions: &[StoredPermission]) -> Result<()> {
    let Actor::Robot(giver) = actor else { return Ok(()) };
    let refused = || {
        Error::denied(format!(
            "permission scope is invalid. It must be equal to or more restrictive than the creator robot's permissions: {}",
            giver.name
        ))
    };
    for grant in permissions.iter().flat_map(StoredPermission::grants).filter(|grant| grant.effect == Effect::Allow) {
        // At project level push brings pull along.
        let brings_pull = level == RobotLevel::Project
            && giver.level == RobotLevel::System
            && (grant.resource, grant.action) == (Resource::Repository, Action::Push);
        if !covers(giver, &grant) || (brings_pull && !covers(giver, &RobotGrant { action: Action::Pull, ..grant })) {
            return Err(refused());
        }
    }
    Ok(())
}

/// Whether the giver has this, and nothing takes any part of it away.
fn covers(giver: &RobotActor, wanted: &RobotGrant) -> bool {
    let mut same =
        giver.grants.iter().filter(|g| (g.kind, g.resource, g.action) == (wanted.kind, wanted.resource, wanted.action)).peekable();
    if same.peek().is_none() {
        return false;
    }
    let mut given = false;
    for grant in same {
        match grant.effect {
            Effect::Allow => given |= includes(grant.scope, wanted.scope),
            Effect::Deny if overlaps(grant.scope, wanted.scope) => return false,
            Effect::Deny => {}
        }
    }
    given
}

fn includes(scope: GrantScope, wanted: GrantScope) -> bool {
    scope == wanted || matches!((scope, wanted), (GrantScope::AllProjects, GrantScope::Project(_)))
}

fn overlaps(one: GrantScope, other: GrantScope) -> bool {
    includes(one, other) || includes(other, one)
}
