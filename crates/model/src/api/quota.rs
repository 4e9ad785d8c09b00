//! Quotas.

use crate::id::ProjectId;
use crate::time::Instant;
use crate::wire::is_default;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Amounts by resource; the only one is `storage`, in bytes.
pub type ResourceList = BTreeMap<String, i64>;

/// Limit and use of a project's storage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quota {
    /// Its id.
    #[serde(skip_serializing_if = "is_default")]
    pub id: i64,
    /// Whose it is.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub reference: Option<QuotaRefObject>,
    /// The limit, -1 for none.
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, i64>))]
    pub hard: ResourceList,
    /// The use.
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, i64>))]
    pub used: ResourceList,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub creation_time: Instant,
    /// When limit or use last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub update_time: Instant,
}

/// The project that a quota is of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuotaRefObject {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub id: ProjectId,
    /// Its name.
    pub name: String,
    /// Empty when the built-in administrator owns it.
    pub owner_name: String,
}

/// A new limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuotaUpdateReq {
    /// `{"storage": bytes}`, -1 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<BTreeMap<String, i64>>))]
    pub hard: Option<ResourceList>,
}
