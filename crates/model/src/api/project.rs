//! Projects, their metadata and summaries, and lists of vulnerabilities that they put up with.

use super::ResourceList;
use crate::id::{ProjectId, UserId};
use crate::time::Instant;
use crate::wire::{is_default, null_is_default};
use serde::{Deserialize, Serialize};

/// A project as listed and read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Project {
    /// Its id.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub project_id: ProjectId,
    /// Who made it.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub owner_id: UserId,
    /// Its name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The registry that it is a cache of; 0 for an ordinary project.
    #[serde(skip_serializing_if = "is_default")]
    pub registry_id: i64,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub creation_time: Instant,
    /// When it or its metadata last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub update_time: Instant,
    /// Always false: deleted projects are not shown.
    #[serde(skip_serializing_if = "is_default")]
    pub deleted: bool,
    /// The name of its owner; empty in lists without detail.
    #[serde(skip_serializing_if = "is_default")]
    pub owner_name: String,
    /// The caller's strongest role; 0 for none.
    #[serde(skip_serializing_if = "is_default")]
    pub current_user_role_id: i64,
    /// All roles of the caller; null for none.
    pub current_user_role_ids: Option<Vec<i64>>,
    /// How many repositories it has.
    pub repo_count: i64,
    /// Its settings; not in lists without detail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<ProjectMetadata>,
    /// The vulnerabilities that it puts up with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cve_allowlist: Option<CVEAllowlist>,
}

/// What a project is made or changed with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectReq {
    /// The name; not looked at on change.
    #[serde(deserialize_with = "null_is_default")]
    #[cfg_attr(feature = "openapi", schema(max_length = 255))]
    pub project_name: String,
    /// The old way to say `metadata.public`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
    /// Settings; those that are not given stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<ProjectMetadata>,
    /// Not looked at on creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<CVEAllowlist>))]
    pub cve_allowlist: Option<CVEAllowlistReq>,
    /// Bytes, -1 for no limit; only administrators choose it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_limit: Option<i64>,
    /// Makes it a cache of this registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<i64>,
}

/// The settings of a project. All values are text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectMetadata {
    /// `true` or `false`: may everybody read it?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    /// `true`: only what Notation signed is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_content_trust: Option<String>,
    /// `true`: only what cosign signed is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_content_trust_cosign: Option<String>,
    /// `true`: what is as vulnerable as `severity` is not served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prevent_vul: Option<String>,
    /// `none`, `low`, `medium`, `high`, `critical`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// `true`: scan on push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_scan: Option<String>,
    /// `true`: make an SBOM on push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_sbom_generation: Option<String>,
    /// `true` (also when unset): the system's allowlist counts, not the project's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reuse_sys_cve_allowlist: Option<String>,
    /// The retention policy; set by the server only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_id: Option<String>,
    /// Bandwidth of a cache in KB/s, -1 for no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_speed_kb: Option<String>,
    /// Connections of a cache to its source, -1 for no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_upstream_conn: Option<String>,
    /// `true`: a cache serves what its source no longer has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_cache_local_on_not_found: Option<String>,
    /// `true`: a cache asks its source for referrers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_referrer_api: Option<String>,
    /// The repositories that a cache fetches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_cache_filter_pattern: Option<String>,
    /// `doublestar` or `regex`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_cache_filter_kind: Option<String>,
}

/// Can a project be deleted?
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectDeletable {
    /// Yes.
    #[serde(skip_serializing_if = "is_default")]
    pub deletable: bool,
    /// Why not.
    #[serde(skip_serializing_if = "is_default")]
    pub message: String,
}

/// Figures of a project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectSummary {
    /// Its repositories.
    pub repo_count: i64,
    /// Members of this role, for who may see the members.
    #[serde(skip_serializing_if = "is_default")]
    pub project_admin_count: i64,
    /// Members of this role.
    #[serde(skip_serializing_if = "is_default")]
    pub maintainer_count: i64,
    /// Members of this role.
    #[serde(skip_serializing_if = "is_default")]
    pub developer_count: i64,
    /// Members of this role.
    #[serde(skip_serializing_if = "is_default")]
    pub guest_count: i64,
    /// Members of this role.
    #[serde(skip_serializing_if = "is_default")]
    pub limited_guest_count: i64,
    /// For who may see it, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<ProjectSummaryQuota>,
    /// The source of a cache, without credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<Registry>,
}

/// Limit and use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectSummaryQuota {
    /// The limit.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, i64>))]
    pub hard: ResourceList,
    /// The use.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, i64>))]
    pub used: ResourceList,
}

/// Another registry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Registry {
    /// Its id.
    pub id: i64,
    /// Its address.
    #[serde(skip_serializing_if = "is_default")]
    pub url: String,
    /// Its name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// How to sign in there; never with the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<RegistryCredential>,
    /// Its kind, such as `docker-hub`.
    #[serde(rename = "type", skip_serializing_if = "is_default")]
    pub kind: String,
    /// Is its certificate not checked?
    #[serde(skip_serializing_if = "is_default")]
    pub insecure: bool,
    /// Certificates to trust there, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    /// `healthy` or `unhealthy`.
    #[serde(skip_serializing_if = "is_default")]
    pub status: String,
    /// When it was added.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub creation_time: Instant,
    /// When it last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub update_time: Instant,
}

/// How to sign in at another registry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegistryCredential {
    /// `basic`, `oauth` or `secret`.
    #[serde(rename = "type", skip_serializing_if = "is_default")]
    pub kind: String,
    /// The name.
    #[serde(skip_serializing_if = "is_default")]
    pub access_key: String,
    /// Always masked.
    #[serde(skip_serializing_if = "is_default")]
    pub access_secret: String,
}

/// Vulnerabilities that are put up with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CVEAllowlist {
    /// Its id.
    #[serde(skip_serializing_if = "is_default")]
    pub id: i64,
    /// Its project; 0 for the system's.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub project_id: ProjectId,
    /// Seconds since the epoch; for ever without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// Null in lists without detail.
    pub items: Option<Vec<CVEAllowlistItem>>,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub creation_time: Instant,
    /// When it last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub update_time: Instant,
}

/// One vulnerability.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CVEAllowlistItem {
    /// Such as `CVE-2019-10164`.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "null_is_default")]
    pub cve_id: String,
}

/// The part of an allowlist that a caller may set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename = "CVEAllowlist")]
pub struct CVEAllowlistReq {
    /// 0 or the project's own id.
    #[serde(deserialize_with = "null_is_default")]
    pub project_id: ProjectId,
    /// Seconds since the epoch; for ever without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// What is put up with.
    #[serde(deserialize_with = "null_is_default")]
    pub items: Vec<CVEAllowlistItem>,
}

impl ProjectMetadata {
    /// From stored keys and values; keys that are not of the API are left out.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut metadata = Self::default();
        for (key, value) in pairs {
            if let Some(slot) = metadata.slot(&key) {
                *slot = Some(value);
            }
        }
        metadata
    }

    /// The keys that are set, with their values.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("public", &self.public),
            ("enable_content_trust", &self.enable_content_trust),
            ("enable_content_trust_cosign", &self.enable_content_trust_cosign),
            ("prevent_vul", &self.prevent_vul),
            ("severity", &self.severity),
            ("auto_scan", &self.auto_scan),
            ("auto_sbom_generation", &self.auto_sbom_generation),
            ("reuse_sys_cve_allowlist", &self.reuse_sys_cve_allowlist),
            ("retention_id", &self.retention_id),
            ("proxy_speed_kb", &self.proxy_speed_kb),
            ("max_upstream_conn", &self.max_upstream_conn),
            ("proxy_cache_local_on_not_found", &self.proxy_cache_local_on_not_found),
            ("proxy_referrer_api", &self.proxy_referrer_api),
            ("proxy_cache_filter_pattern", &self.proxy_cache_filter_pattern),
            ("proxy_cache_filter_kind", &self.proxy_cache_filter_kind),
        ];
        all.into_iter().filter_map(|(key, value)| value.as_deref().map(|value| (key, value))).collect()
    }

    /// May everybody read the project? `true` and `1` in any case mean yes.
    pub fn is_public(&self) -> bool {
        self.public.as_deref().is_some_and(is_true)
    }

    fn slot(&mut self, key: &str) -> Option<&mut Option<String>> {
        Some(match key {
            "public" => &mut self.public,
            "enable_content_trust" => &mut self.enable_content_trust,
            "enable_content_trust_cosign" => &mut self.enable_content_trust_cosign,
            "prevent_vul" => &mut self.prevent_vul,
            "severity" => &mut self.severity,
            "auto_scan" => &mut self.auto_scan,
            "auto_sbom_generation" => &mut self.auto_sbom_generation,
            "reuse_sys_cve_allowlist" => &mut self.reuse_sys_cve_allowlist,
            "retention_id" => &mut self.retention_id,
            "proxy_speed_kb" => &mut self.proxy_speed_kb,
            "max_upstream_conn" => &mut self.max_upstream_conn,
            "proxy_cache_local_on_not_found" => &mut self.proxy_cache_local_on_not_found,
            "proxy_referrer_api" => &mut self.proxy_referrer_api,
            "proxy_cache_filter_pattern" => &mut self.proxy_cache_filter_pattern,
            "proxy_cache_filter_kind" => &mut self.proxy_cache_filter_kind,
            _ => return None,
        })
    }
}

/// Does the value of a setting mean yes? `true` and `1` in any case do.
pub fn is_true(value: &str) -> bool {
    value == "1" || value.eq_ignore_ascii_case("true")
}
