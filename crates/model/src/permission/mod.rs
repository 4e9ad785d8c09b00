//! Who may do what: roles, resources, actions, the role matrix, the catalogue of robot permissions and the one pure decision over them.
//! `service::authz` loads the facts and asks [`decide_project`], [`decide_repository`] or [`decide_system`]; the portal reads the names.

pub mod catalogue;
pub mod decide;
mod grant;
pub mod matrix;
mod role;
mod word;

pub use decide::{
    Allowed, Ask, Caller, Denied, Holder, Project, ProjectFacts, System, TokenAccess, TokenScope, decide_project, decide_repository,
    decide_system, project_permissions, system_permissions,
};
pub use grant::{Effect, GrantKind, GrantScope, RobotGrant, RobotLevel};
pub use role::{Role, strongest};
pub use word::{Action, Resource, UnknownWord};
