//! Robot accounts.

use crate::id::RobotId;
use crate::secret::Secret;
use crate::time::Instant;
use crate::wire::{is_default, null_is_default};
use serde::{Deserialize, Serialize};

/// A robot as listed and read; never with its secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Robot {
    /// Its id.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub id: RobotId,
    /// With the prefix, and the project for one of a project.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// For people.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    /// `system` or `project`.
    #[serde(skip_serializing_if = "is_default")]
    pub level: String,
    /// Days, -1 for ever.
    pub duration: i64,
    /// Can it be changed?
    pub editable: bool,
    /// Is it switched off?
    pub disable: bool,
    /// Seconds since the epoch, -1 for never.
    #[serde(skip_serializing_if = "is_default")]
    pub expires_at: i64,
    /// What it may do.
    pub permissions: Option<Vec<RobotPermission>>,
    /// `local` or `robot`.
    #[serde(skip_serializing_if = "is_default")]
    pub creator_type: String,
    /// The id of the user or robot that made it.
    #[serde(skip_serializing_if = "is_default")]
    pub creator_ref: i64,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub creation_time: Instant,
    /// When it last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub update_time: Instant,
}

/// Permissions in one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RobotPermission {
    /// `system` or `project`.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub kind: String,
    /// `/`, a project's name, or `*`.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub namespace: String,
    /// What is permitted there.
    #[serde(deserialize_with = "null_is_default")]
    pub access: Vec<Access>,
}

/// One permission of a robot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Access {
    /// About what.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub resource: String,
    /// To do what.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub action: String,
    /// `allow` (also when empty) or `deny`.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub effect: String,
}

/// A new robot. Its secret is always made by the server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RobotCreate {
    /// As chosen: no prefix, no project.
    #[serde(deserialize_with = "null_is_default")]
    pub name: String,
    /// For people.
    #[serde(deserialize_with = "null_is_default")]
    pub description: String,
    /// `system` or `project`.
    #[serde(deserialize_with = "null_is_default")]
    pub level: String,
    /// Days, -1 for ever.
    #[serde(deserialize_with = "null_is_default")]
    pub duration: i64,
    /// What it may do.
    #[serde(deserialize_with = "null_is_default")]
    pub permissions: Vec<RobotPermission>,
}

/// The whole of a robot, to change it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RobotUpdate {
    /// Must be the present one, prefix included.
    #[serde(deserialize_with = "null_is_default")]
    pub name: String,
    /// For people.
    #[serde(deserialize_with = "null_is_default")]
    pub description: String,
    /// Must be the present one.
    #[serde(deserialize_with = "null_is_default")]
    pub level: String,
    /// Days from creation, -1 for ever; kept when absent.
    pub duration: Option<i64>,
    /// Switches it off.
    #[serde(deserialize_with = "null_is_default")]
    pub disable: bool,
    /// What it may do.
    #[serde(deserialize_with = "null_is_default")]
    pub permissions: Vec<RobotPermission>,
}

/// A robot that was just made: the only time its secret is shown.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RobotCreated {
    /// Its id.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub id: RobotId,
    /// With the prefix.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Keep it.
    #[serde(skip_serializing_if = "Secret::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub secret: Secret,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub creation_time: Instant,
    /// Seconds since the epoch, -1 for never.
    #[serde(skip_serializing_if = "is_default")]
    pub expires_at: i64,
}

/// A robot's secret.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RobotSec {
    /// In a request empty for a random one; in an answer empty when the caller chose it.
    #[serde(skip_serializing_if = "Secret::is_empty", deserialize_with = "null_is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub secret: Secret,
}
