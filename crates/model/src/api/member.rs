//! Members of projects, and groups of users.

use crate::id::{GroupId, MemberId, ProjectId, UserId};
use crate::wire::{is_default, null_is_default};
use serde::{Deserialize, Serialize};

/// A member of a project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectMemberEntity {
    /// The membership.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub id: MemberId,
    /// The project.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub project_id: ProjectId,
    /// The name of the user or group.
    #[serde(skip_serializing_if = "is_default")]
    pub entity_name: String,
    /// The role's name, such as `projectAdmin`.
    #[serde(skip_serializing_if = "is_default")]
    pub role_name: String,
    /// The role's number.
    #[serde(skip_serializing_if = "is_default")]
    pub role_id: i64,
    /// The id of the user or group.
    #[serde(skip_serializing_if = "is_default")]
    pub entity_id: i64,
    /// `u` for a user, `g` for a group.
    #[serde(skip_serializing_if = "is_default")]
    pub entity_type: String,
}

/// Who becomes a member, and as what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectMember {
    /// 1 to 5.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 5))]
    pub role_id: i64,
    /// A user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_user: Option<UserEntity>,
    /// A group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_group: Option<UserGroup>,
}

/// A user, by id or by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserEntity {
    /// The id; counts before the name.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub user_id: UserId,
    /// The name.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub username: String,
}

/// A group of users.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserGroup {
    /// Its id.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub id: GroupId,
    /// Its name.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub group_name: String,
    /// 1 LDAP, 2 HTTP, 3 OIDC.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub group_type: i64,
    /// Where it is in the directory.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub ldap_group_dn: String,
}

/// A group found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserGroupSearchItem {
    /// Its id.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub id: GroupId,
    /// Its name.
    #[serde(skip_serializing_if = "is_default")]
    pub group_name: String,
    /// 1 LDAP, 2 HTTP, 3 OIDC.
    #[serde(skip_serializing_if = "is_default")]
    pub group_type: i64,
}

/// The new role of a member.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleRequest {
    /// 1 to 5.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 5))]
    pub role_id: i64,
}
