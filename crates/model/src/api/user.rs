//! Users, their secrets and what they may do.

use crate::id::UserId;
use crate::secret::Secret;
use crate::time::Instant;
use crate::wire::{is_default, null_is_default};
use serde::{Deserialize, Serialize};

/// A user.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserResp {
    /// May be empty for users of a directory.
    #[serde(skip_serializing_if = "is_default")]
    pub email: String,
    /// The name for people.
    #[serde(skip_serializing_if = "is_default")]
    pub realname: String,
    /// A remark.
    #[serde(skip_serializing_if = "is_default")]
    pub comment: String,
    /// The id.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub user_id: UserId,
    /// The login name.
    #[serde(skip_serializing_if = "is_default")]
    pub username: String,
    /// Administrator by flag.
    pub sysadmin_flag: bool,
    /// Administrator by group; true only in what one reads about oneself.
    pub admin_role_in_auth: bool,
    /// The identity at the provider, for the user and administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc_user_meta: Option<OIDCUserInfo>,
    /// When the account was made.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub creation_time: Instant,
    /// When it last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub update_time: Instant,
}

/// An identity at an OpenID Connect provider.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OIDCUserInfo {
    /// Its id.
    #[serde(skip_serializing_if = "is_default")]
    pub id: i64,
    /// Whose it is.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub user_id: UserId,
    /// Subject and issuer, joined.
    #[serde(skip_serializing_if = "is_default")]
    pub subiss: String,
    /// The secret for command lines.
    #[serde(skip_serializing_if = "Secret::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub secret: Secret,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub creation_time: Instant,
    /// When it last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub update_time: Instant,
}

/// A new user.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserCreationReq {
    /// Required.
    #[serde(deserialize_with = "null_is_default")]
    #[cfg_attr(feature = "openapi", schema(max_length = 255))]
    pub email: String,
    /// Required.
    #[serde(deserialize_with = "null_is_default")]
    pub realname: String,
    /// At most 30 characters.
    #[serde(deserialize_with = "null_is_default")]
    #[cfg_attr(feature = "openapi", schema(max_length = 30))]
    pub comment: String,
    /// 8 to 128 characters with a lower case letter, an upper case letter and a digit.
    #[serde(deserialize_with = "null_is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 8, max_length = 128))]
    pub password: Secret,
    /// The login name.
    #[serde(deserialize_with = "null_is_default")]
    #[cfg_attr(feature = "openapi", schema(max_length = 255))]
    pub username: String,
}

/// What may be changed of a user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserProfile {
    /// Required.
    #[serde(deserialize_with = "null_is_default")]
    pub email: String,
    /// Required.
    #[serde(deserialize_with = "null_is_default")]
    pub realname: String,
    /// At most 30 characters.
    #[serde(deserialize_with = "null_is_default")]
    #[cfg_attr(feature = "openapi", schema(max_length = 30))]
    pub comment: String,
}

/// A change of password.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordReq {
    /// Needed for one's own.
    #[serde(deserialize_with = "null_is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub old_password: Secret,
    /// 8 to 128 characters with a lower case letter, an upper case letter and a digit.
    #[serde(deserialize_with = "null_is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 8, max_length = 128))]
    pub new_password: Secret,
}

/// Makes or unmakes an administrator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserSysAdminFlag {
    /// The flag.
    #[serde(deserialize_with = "null_is_default")]
    pub sysadmin_flag: bool,
}

/// A new secret for command lines.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OIDCCliSecretReq {
    /// Empty for a random one.
    #[serde(deserialize_with = "null_is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub secret: Secret,
}

/// A user found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserSearchRespItem {
    /// The id.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub user_id: UserId,
    /// The login name.
    #[serde(skip_serializing_if = "is_default")]
    pub username: String,
}

/// One permission.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Permission {
    /// About what.
    #[serde(skip_serializing_if = "is_default")]
    pub resource: String,
    /// To do what.
    #[serde(skip_serializing_if = "is_default")]
    pub action: String,
}

/// The catalogue of what robots may be given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Permissions {
    /// Null for who is no administrator.
    pub system: Option<Vec<Permission>>,
    /// In projects.
    pub project: Option<Vec<Permission>>,
}
