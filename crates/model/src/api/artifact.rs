//! Repositories, artifacts, tags, accessories.

use super::Label;
use crate::id::{ArtifactId, ProjectId, RepositoryId, TagId};
use crate::time::Instant;
use crate::wire::{is_default, null_is_default};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Repository {
    /// Its id.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub id: RepositoryId,
    /// Its project.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub project_id: ProjectId,
    /// Full, `project/repository`.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// For people.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    /// Artifacts in it.
    pub artifact_count: i64,
    /// Pulls from it.
    pub pull_count: i64,
    /// When the first push made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub creation_time: Option<Instant>,
    /// When its tags or artifacts last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub update_time: Instant,
}

/// What may be changed of a repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename = "Repository")]
pub struct RepositoryReq {
    /// For people.
    #[serde(deserialize_with = "null_is_default")]
    pub description: String,
}

/// An artifact: one manifest in one repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Artifact {
    /// Its id.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub id: ArtifactId,
    /// `IMAGE`, `CHART`, `CNAB`, `WASM`, …, `UNKNOWN`.
    #[serde(rename = "type", skip_serializing_if = "is_default")]
    pub kind: String,
    /// Of its configuration; of the manifest for an index.
    #[serde(skip_serializing_if = "is_default")]
    pub media_type: String,
    /// Of its manifest.
    #[serde(skip_serializing_if = "is_default")]
    pub manifest_media_type: String,
    /// Its artifact type; the configuration's media type without one.
    #[serde(skip_serializing_if = "is_default")]
    pub artifact_type: String,
    /// Its project.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub project_id: ProjectId,
    /// Its repository.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub repository_id: RepositoryId,
    /// The repository's full name.
    #[serde(skip_serializing_if = "is_default")]
    pub repository_name: String,
    /// Of its manifest.
    #[serde(skip_serializing_if = "is_default")]
    pub digest: String,
    /// Bytes of manifest, configuration and layers.
    #[serde(skip_serializing_if = "is_default")]
    pub size: i64,
    /// Digest of its icon.
    #[serde(skip_serializing_if = "is_default")]
    pub icon: String,
    /// When it was pushed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub push_time: Instant,
    /// When it was last pulled; [`Instant::ZERO_TIME`] for never.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub pull_time: Instant,
    /// What its type knows about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub extra_attrs: Option<BTreeMap<String, Value>>,
    /// Of its manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// The children of an index; null for others.
    pub references: Option<Vec<Reference>>,
    /// Null without.
    pub tags: Option<Vec<Tag>>,
    /// Where more about it is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addition_links: Option<BTreeMap<String, AdditionLink>>,
    /// Null without.
    pub labels: Option<Vec<Label>>,
    /// Results of scans by type of report.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub scan_overview: Option<BTreeMap<String, Value>>,
    /// Its bill of materials.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub sbom_overview: Option<BTreeMap<String, Value>>,
    /// Null without.
    pub accessories: Option<Vec<Accessory>>,
    /// Those of the index that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inherited_accessories: Option<Vec<Accessory>>,
}

/// A child of an index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reference {
    /// The index.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub parent_id: ArtifactId,
    /// The child.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub child_id: ArtifactId,
    /// The child's digest.
    #[serde(skip_serializing_if = "is_default")]
    pub child_digest: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Of the entry in the index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Null without.
    pub urls: Option<Vec<String>>,
}

/// What an image runs on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Platform {
    /// Such as `amd64`.
    #[serde(skip_serializing_if = "is_default")]
    pub architecture: String,
    /// Such as `linux`.
    #[serde(skip_serializing_if = "is_default")]
    pub os: String,
    /// Sent in this spelling.
    #[serde(rename = "OsVersion", skip_serializing_if = "is_default")]
    pub os_version: String,
    /// Sent in this spelling; null without.
    #[serde(rename = "OsFeatures")]
    pub os_features: Option<Vec<String>>,
    /// Such as `v8`.
    #[serde(skip_serializing_if = "is_default")]
    pub variant: String,
}

/// A tag.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tag {
    /// Its id.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub id: TagId,
    /// Its repository.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub repository_id: RepositoryId,
    /// What it points to.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub artifact_id: ArtifactId,
    /// Its name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// When it was put there.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub push_time: Instant,
    /// When it was last pulled by this name; [`Instant::ZERO_TIME`] for never.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub pull_time: Instant,
    /// Does a rule forbid to move or delete it?
    pub immutable: bool,
}

/// A tag to make.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewTag {
    /// Its name; required.
    #[serde(deserialize_with = "null_is_default")]
    #[cfg_attr(feature = "openapi", schema(required = true, min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_][A-Za-z0-9_.-]*$"))]
    pub name: String,
}

/// What belongs to an artifact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Accessory {
    /// Its id.
    #[serde(skip_serializing_if = "is_default")]
    pub id: i64,
    /// The accessory as an artifact.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub artifact_id: ArtifactId,
    /// What it belongs to; 0 while that is not there.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub subject_artifact_id: ArtifactId,
    /// Digest of what it belongs to.
    pub subject_artifact_digest: String,
    /// Repository of what it belongs to.
    pub subject_artifact_repo: String,
    /// Bytes.
    pub size: i64,
    /// Its digest.
    pub digest: String,
    /// Such as `signature.cosign`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Digest of its icon, or empty.
    pub icon: String,
    /// When it was pushed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub creation_time: Instant,
}

/// Where an addition is found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdditionLink {
    /// A path of this server, or an address.
    #[serde(skip_serializing_if = "is_default")]
    pub href: String,
    /// Is it an address?
    pub absolute: bool,
}

/// An icon.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Icon {
    /// Such as `image/png`.
    #[serde(rename = "content-type", skip_serializing_if = "is_default")]
    pub content_type: String,
    /// Base64.
    #[serde(skip_serializing_if = "is_default")]
    pub content: String,
}
