//! The log of what was done.

use crate::time::Instant;
use crate::wire::is_default;
use serde::{Deserialize, Serialize};

/// One thing that was done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditLogExt {
    /// Its id.
    #[serde(skip_serializing_if = "is_default")]
    pub id: i64,
    /// By whom.
    #[serde(skip_serializing_if = "is_default")]
    pub username: String,
    /// To what.
    #[serde(skip_serializing_if = "is_default")]
    pub resource: String,
    /// What kind of thing that is.
    #[serde(skip_serializing_if = "is_default")]
    pub resource_type: String,
    /// What was done.
    #[serde(skip_serializing_if = "is_default")]
    pub operation: String,
    /// In words.
    #[serde(skip_serializing_if = "is_default")]
    pub operation_description: String,
    /// Did it succeed?
    pub operation_result: bool,
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub op_time: Instant,
}

/// One thing that was done, in the older form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditLog {
    /// Its id.
    #[serde(skip_serializing_if = "is_default")]
    pub id: i64,
    /// By whom.
    #[serde(skip_serializing_if = "is_default")]
    pub username: String,
    /// To what.
    #[serde(skip_serializing_if = "is_default")]
    pub resource: String,
    /// What kind of thing that is.
    #[serde(skip_serializing_if = "is_default")]
    pub resource_type: String,
    /// What was done.
    #[serde(skip_serializing_if = "is_default")]
    pub operation: String,
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub op_time: Instant,
}

/// A kind of event that is logged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditLogEventType {
    /// Such as `create_project`.
    #[serde(skip_serializing_if = "is_default")]
    pub event_type: String,
}
