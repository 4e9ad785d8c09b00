//! Labels.

use crate::id::ProjectId;
use crate::time::Instant;
use crate::wire::{is_default, null_is_default};
use serde::{Deserialize, Serialize};

/// A label.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Label {
    /// Its id.
    #[serde(skip_serializing_if = "is_default")]
    pub id: i64,
    /// Its name.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(max_length = 128))]
    pub name: String,
    /// For people.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    /// Such as `#0065AB`.
    #[serde(skip_serializing_if = "is_default")]
    pub color: String,
    /// `g` for all projects, `p` for one.
    #[serde(skip_serializing_if = "is_default")]
    pub scope: String,
    /// Its project.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub project_id: ProjectId,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub creation_time: Instant,
    /// When it last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub update_time: Instant,
}

/// What a label is made or changed with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename = "Label")]
pub struct LabelReq {
    /// 1 to 128 characters.
    #[serde(deserialize_with = "null_is_default")]
    pub name: String,
    /// For people.
    #[serde(deserialize_with = "null_is_default")]
    pub description: String,
    /// Any text; `#RRGGBB` is shown.
    #[serde(deserialize_with = "null_is_default")]
    pub color: String,
    /// `g` or `p`; not looked at on change.
    #[serde(deserialize_with = "null_is_default")]
    pub scope: String,
    /// For `p`; not looked at on change.
    #[serde(deserialize_with = "null_is_default")]
    pub project_id: ProjectId,
}

/// The label to put on an artifact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename = "Label")]
pub struct LabelRef {
    /// Its id.
    #[serde(deserialize_with = "null_is_default")]
    pub id: i64,
}
