//! The bodies of the REST API, field for field as clients send and expect them: what is left out when empty, what is null.
//! Doors, services and the portal use them. Request types have no privileged fields, so a body cannot carry any; unknown fields are ignored.

mod artifact;
mod audit;
mod configuration;
mod immutable;
mod label;
mod member;
mod project;
mod quota;
mod robot;
mod system;
mod user;

pub use artifact::{Accessory, AdditionLink, Artifact, Icon, NewTag, Platform, Reference, Repository, RepositoryReq, Tag};
pub use audit::{AuditLog, AuditLogEventType, AuditLogExt};
pub use configuration::{BoolConfigItem, Configurations, ConfigurationsResponse, IntegerConfigItem, StringConfigItem};
pub use immutable::{ImmutableRule, ImmutableSelector};
pub use label::{Label, LabelRef, LabelReq};
pub use member::{ProjectMember, ProjectMemberEntity, RoleRequest, UserEntity, UserGroup, UserGroupSearchItem};
pub use project::{
    CVEAllowlist, CVEAllowlistItem, CVEAllowlistReq, Project, ProjectDeletable, ProjectMetadata, ProjectReq, ProjectSummary,
    ProjectSummaryQuota, Registry, RegistryCredential, is_true,
};
pub use quota::{Quota, QuotaRefObject, QuotaUpdateReq, ResourceList};
pub use robot::{Access, Robot, RobotCreate, RobotCreated, RobotPermission, RobotSec, RobotUpdate};
pub use system::{
    AuthproxySetting, ComponentHealthStatus, GeneralInfo, OverallHealthStatus, Search, SearchRepository, Statistic, Storage, SystemInfo,
};
pub use user::{
    OIDCCliSecretReq, OIDCUserInfo, PasswordReq, Permission, Permissions, UserCreationReq, UserProfile, UserResp, UserSearchRespItem,
    UserSysAdminFlag,
};

#[cfg(test)]
mod tests;
