//! The decision. Pure: facts in, `Allowed` or `Denied` out; the only code that can make an [`Allowed`].
//! `service::authz` calls it, and whoever holds an `Allowed<Project>` uses the project id inside it.

use super::grant::{Effect, GrantKind, GrantScope, RobotGrant, RobotLevel};
use super::{Action, Resource, Role, matrix};
use crate::id::ProjectId;

/// Who asks, with everything known about their rights.
#[derive(Clone, Copy, Debug)]
pub enum Caller<'a> {
    /// Nobody is signed in.
    Anonymous,
    /// A person.
    User {
        /// A system administrator, by flag or by group.
        is_admin: bool,
        /// The roles in the project asked about, own and by groups.
        roles: &'a [Role],
    },
    /// A robot account that is enabled and not expired.
    Robot {
        /// All its permissions.
        grants: &'a [RobotGrant],
        /// Where it lives.
        level: RobotLevel,
    },
    /// Somebody who shows a registry token.
    Token(TokenScope<'a>),
}

/// What a registry token allows, and to whom it was given. Nothing outside `access` is allowed, public or not.
#[derive(Clone, Copy, Debug)]
pub struct TokenScope<'a> {
    /// The claims of the token.
    pub access: &'a [TokenAccess],
    /// Who shows it.
    pub holder: Holder<'a>,
}

/// The bearer of a token.
#[derive(Clone, Copy, Debug)]
pub enum Holder<'a> {
    /// The token was given to nobody in particular.
    Anonymous,
    /// The token was given to somebody; its claims alone count.
    Known,
    /// The token was given to this caller, who must still have the right today.
    Current(&'a Caller<'a>),
}

/// One claim of a registry token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenAccess {
    /// These actions on one repository.
    Repository {
        /// Full name, project included.
        name: String,
        /// `pull`, `push`, `delete`, `scanner-pull`.
        actions: Vec<Action>,
    },
    /// Read the catalogue of all repositories.
    Catalog,
}

/// What has to be known of the project asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectFacts {
    /// Its id.
    pub id: ProjectId,
    /// May everybody read it?
    pub public: bool,
}

/// A question, as tables of operations write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// In a project.
    Project(Resource, Action),
    /// Of the system.
    System(Resource, Action),
}

/// Proof that a question was answered with yes. Only this module can make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed<S> {
    scope: S,
    resource: Resource,
    action: Action,
}

/// Scope of an [`Allowed`]: one project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Project(ProjectId);

/// Scope of an [`Allowed`]: the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct System(());

impl<S> Allowed<S> {
    /// About what.
    pub const fn resource(&self) -> Resource {
        self.resource
    }

    /// To do what.
    pub const fn action(&self) -> Action {
        self.action
    }
}

impl Allowed<Project> {
    /// The project that was asked about. Use this id and no other.
    pub const fn id(&self) -> ProjectId {
        self.scope.0
    }
}

/// The answer no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Signing in may help (401).
    #[error("unauthorized")]
    Unauthenticated,
    /// It is not allowed (403).
    #[error("forbidden")]
    Forbidden,
}

/// May the caller do this in the project? A registry token never may: its claims are about repositories, see [`decide_repository`].
pub fn decide_project(caller: &Caller, project: &ProjectFacts, resource: Resource, action: Action) -> Result<Allowed<Project>, Denied> {
    let yes = match caller {
        Caller::Token(_) => false,
        other => in_project(other, project, resource, action),
    };
    answer(caller, yes, Project(project.id), resource, action)
}

/// May the caller do this to what one repository holds? `repository` is the full name, project included. For a registry token
/// `pull` and `push` are asked of [`Resource::Repository`]; `delete` covers the repository's artifacts and tags too.
pub fn decide_repository(
    caller: &Caller,
    project: &ProjectFacts,
    repository: &str,
    resource: Resource,
    action: Action,
) -> Result<Allowed<Project>, Denied> {
    let yes = in_repository(caller, project, repository, resource, action);
    answer(caller, yes, Project(project.id), resource, action)
}

/// May the caller do this at system level?
pub fn decide_system(caller: &Caller, resource: Resource, action: Action) -> Result<Allowed<System>, Denied> {
    let yes = in_system(caller, resource, action);
    answer(caller, yes, System(()), resource, action)
}

/// What the caller may do in the project, of all that roles can have.
pub fn project_permissions(caller: &Caller, project: &ProjectFacts) -> Vec<(Resource, Action)> {
    matrix::MATRIX
        .iter()
        .map(|row| (row.resource, row.action))
        .filter(|(resource, action)| decide_project(caller, project, *resource, *action).is_ok())
        .collect()
}

/// What a person may do at system level, of the permissions that the API lists there: all of them or nothing.
pub fn system_permissions(caller: &Caller) -> Vec<(Resource, Action)> {
    use Action::{Create, Delete, List, Read, Stop, Update};
    const CRUDL: &[Action] = &[Create, Read, Update, Delete, List];
    const LISTED: &[(Resource, &[Action])] = &[
        (Resource::Catalog, &[Read]),
        (Resource::AuditLog, &[List]),
        (Resource::Project, CRUDL),
        (Resource::User, CRUDL),
        (Resource::UserGroup, CRUDL),
        (Resource::Registry, CRUDL),
        (Resource::Replication, CRUDL),
        (Resource::Distribution, CRUDL),
        (Resource::GarbageCollection, CRUDL),
        (Resource::ScanAll, &[Create, Read, Update, Delete, List, Stop]),
        (Resource::SystemVolumes, &[Read]),
        (Resource::LdapUser, &[Create, List]),
        (Resource::Configuration, &[Read, Update]),
        (Resource::JobserviceMonitor, &[Read, List, Stop]),
        (Resource::SecurityHub, &[Read, List]),
    ];
    if !matches!(caller, Caller::User { is_admin: true, .. }) {
        return Vec::new();
    }
    LISTED.iter().flat_map(|(resource, actions)| actions.iter().map(|action| (*resource, *action))).collect()
}

fn answer<S>(caller: &Caller, yes: bool, scope: S, resource: Resource, action: Action) -> Result<Allowed<S>, Denied> {
    if yes {
        Ok(Allowed { scope, resource, action })
    } else if is_anonymous(caller) {
        Err(Denied::Unauthenticated)
    } else {
        Err(Denied::Forbidden)
    }
}

fn is_anonymous(caller: &Caller) -> bool {
    match caller {
        Caller::Anonymous => true,
        Caller::User { .. } | Caller::Robot { .. } => false,
        Caller::Token(scope) => match scope.holder {
            Holder::Anonymous => true,
            Holder::Known => false,
            Holder::Current(caller) => is_anonymous(caller),
        },
    }
}

fn in_project(caller: &Caller, project: &ProjectFacts, resource: Resource, action: Action) -> bool {
    let row = matrix::find(resource, action);
    let by_visibility = project.public && row.is_some_and(matrix::Row::public);
    match caller {
        Caller::Anonymous => by_visibility,
        Caller::User { is_admin: true, .. } => action != Action::ScannerPull,
        Caller::User { roles, .. } => by_visibility || row.is_some_and(|row| roles.iter().any(|role| row.held_by(*role))),
        Caller::Robot { grants, level } => robot_in_project(grants, *level, project, (resource, action), by_visibility),
        Caller::Token(_) => false,
    }
}

fn robot_in_project(
    grants: &[RobotGrant],
    level: RobotLevel,
    project: &ProjectFacts,
    asked: (Resource, Action),
    by_visibility: bool,
) -> bool {
    let holds_here = |grant: &&RobotGrant| {
        grant.kind == GrantKind::Project
            && match grant.scope {
                GrantScope::System => false,
                GrantScope::AllProjects => level == RobotLevel::System,
                GrantScope::Project(id) => id == project.id,
            }
    };
    let has = |wanted: (Resource, Action), effect: Effect| {
        let mut here = grants.iter().filter(holds_here);
        here.any(|grant| (grant.resource, grant.action) == wanted && grant.effect == effect)
    };
    if has(asked, Effect::Deny) {
        return false;
    }
    // Only robots of a project get the pull that a push needs; those of the system have to list it.
    let pull_by_push = level == RobotLevel::Project
        && asked == (Resource::Repository, Action::Pull)
        && has((Resource::Repository, Action::Push), Effect::Allow);
    // A robot that works at system level only is no reader of public projects.
    let reads_public = by_visibility && grants.iter().any(|grant| grant.kind == GrantKind::Project);
    has(asked, Effect::Allow) || pull_by_push || reads_public
}

fn in_repository(caller: &Caller, project: &ProjectFacts, repository: &str, resource: Resource, action: Action) -> bool {
    let Caller::Token(scope) = caller else {
        return in_project(caller, project, resource, action);
    };
    // The claim that covers this question.
    let needed = match (resource, action) {
        (Resource::Repository, Action::Pull | Action::Push | Action::Delete | Action::ScannerPull) => action,
        (Resource::Artifact | Resource::Tag, Action::Delete) => Action::Delete,
        _ => return false,
    };
    let claimed = scope
        .access
        .iter()
        .any(|access| matches!(access, TokenAccess::Repository { name, actions } if name == repository && actions.contains(&needed)));
    claimed
        && match scope.holder {
            Holder::Anonymous | Holder::Known => true,
            Holder::Current(caller) => in_repository(caller, project, repository, resource, action),
        }
}

fn in_system(caller: &Caller, resource: Resource, action: Action) -> bool {
    match caller {
        Caller::Anonymous => false,
        Caller::User { is_admin, .. } => *is_admin && action != Action::ScannerPull,
        Caller::Robot { grants, level } => {
            let has = |effect: Effect| {
                grants.iter().any(|grant| {
                    grant.kind == GrantKind::System
                        && grant.scope == GrantScope::System
                        && (grant.resource, grant.action) == (resource, action)
                        && grant.effect == effect
                })
            };
            *level == RobotLevel::System && has(Effect::Allow) && !has(Effect::Deny)
        }
        Caller::Token(scope) => {
            let claimed = (resource, action) == (Resource::Catalog, Action::Read) && scope.access.contains(&TokenAccess::Catalog);
            claimed
                && match scope.holder {
                    Holder::Anonymous | Holder::Known => true,
                    Holder::Current(caller) => in_system(caller, resource, action),
                }
        }
    }
}
