//! The system about itself: information, health, figures, search.

use super::Project;
use crate::id::ProjectId;
use crate::time::Instant;
use crate::wire::is_default;
use serde::{Deserialize, Serialize};

/// What the server tells about itself; anonymous callers see less.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GeneralInfo {
    /// Shown on every page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banner_message: Option<String>,
    /// The server's time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub current_time: Option<Instant>,
    /// Where to push to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_url: Option<String>,
    /// Where people find it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_url: Option<String>,
    /// Such as `db_auth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_mode: Option<String>,
    /// Does signing in go straight to the provider?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_auth_mode: Option<bool>,
    /// `everyone` or `adminonly`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_creation_restriction: Option<String>,
    /// May people sign up?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_registration: Option<bool>,
    /// Is there a certificate to download?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_ca_root: Option<bool>,
    /// The version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub harbor_version: Option<String>,
    /// Where blobs are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_storage_provider_name: Option<String>,
    /// Are writes refused?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// Are webhooks sent?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_enable: Option<bool>,
    /// In the mode of the authentication proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authproxy_settings: Option<AuthproxySetting>,
    /// What the button for signing in says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc_provider_name: Option<String>,
}

/// The authentication proxy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuthproxySetting {
    /// Its address.
    #[serde(skip_serializing_if = "is_default")]
    pub endpoint: String,
    /// Where it reviews tokens (spelled as the API spells it).
    #[serde(skip_serializing_if = "is_default")]
    pub tokenreivew_endpoint: String,
    /// Are users taken without a search?
    #[serde(skip_serializing_if = "is_default")]
    pub skip_search: bool,
    /// Is its certificate checked?
    #[serde(skip_serializing_if = "is_default")]
    pub verify_cert: bool,
    /// The certificate to trust.
    #[serde(skip_serializing_if = "is_default")]
    pub server_certificate: String,
}

/// Storage of the system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SystemInfo {
    /// One item for each place.
    pub storage: Vec<Storage>,
}

/// Space of one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Storage {
    /// Bytes.
    #[serde(skip_serializing_if = "is_default")]
    pub total: u64,
    /// Bytes.
    #[serde(skip_serializing_if = "is_default")]
    pub free: u64,
}

/// Is everything well?
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OverallHealthStatus {
    /// `healthy` or `unhealthy`.
    #[serde(skip_serializing_if = "is_default")]
    pub status: String,
    /// Every part.
    pub components: Vec<ComponentHealthStatus>,
}

/// Is this part well?
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ComponentHealthStatus {
    /// The part.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// `healthy` or `unhealthy`.
    #[serde(skip_serializing_if = "is_default")]
    pub status: String,
    /// What is wrong.
    #[serde(skip_serializing_if = "is_default")]
    pub error: String,
}

/// Figures of what the caller sees.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Statistic {
    /// Private projects.
    pub private_project_count: i64,
    /// Repositories in them.
    pub private_repo_count: i64,
    /// Public projects.
    pub public_project_count: i64,
    /// Repositories in them.
    pub public_repo_count: i64,
    /// All projects, for administrators.
    pub total_project_count: i64,
    /// All repositories, for administrators.
    pub total_repo_count: i64,
    /// Bytes, for administrators.
    pub total_storage_consumption: i64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Search {
    /// Projects by name.
    pub project: Vec<Project>,
    /// Repositories by name.
    pub repository: Vec<SearchRepository>,
}

/// A repository found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchRepository {
    /// Its project.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub project_id: ProjectId,
    /// Its project's name.
    #[serde(skip_serializing_if = "is_default")]
    pub project_name: String,
    /// May everybody read it?
    #[serde(skip_serializing_if = "is_default")]
    pub project_public: bool,
    /// Full, `project/repository`.
    #[serde(skip_serializing_if = "is_default")]
    pub repository_name: String,
    /// Pulls from it.
    #[serde(skip_serializing_if = "is_default")]
    pub pull_count: i64,
    /// Artifacts in it.
    #[serde(skip_serializing_if = "is_default")]
    pub artifact_count: i64,
}
