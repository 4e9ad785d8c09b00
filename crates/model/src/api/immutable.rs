//! Rules that make tags immutable.

use crate::wire::{is_default, null_is_default};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A rule: these tags in these repositories can be neither moved nor deleted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImmutableRule {
    /// Its id.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub id: i64,
    /// Not looked at.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub priority: i64,
    /// Is it switched off?
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub disabled: bool,
    /// `immutable`.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub action: String,
    /// `immutable_template`.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub template: String,
    /// Not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub params: Option<BTreeMap<String, Value>>,
    /// Which tags.
    pub tag_selectors: Option<Vec<ImmutableSelector>>,
    /// Which repositories, under the key `repository`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_selectors: Option<BTreeMap<String, Option<Vec<ImmutableSelector>>>>,
}

/// A pattern and whether it takes or leaves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImmutableSelector {
    /// `doublestar`.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub kind: String,
    /// `matches` or `excludes`, for repositories `repoMatches` or `repoExcludes`.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub decoration: String,
    /// The pattern.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub pattern: String,
    /// Not looked at.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub extras: String,
}
