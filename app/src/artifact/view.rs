//! What the artifact page shows: plain values, filled by the server function, rendered by the page, made up by tests.

use std::collections::BTreeMap;

use model::Instant;
use serde::{Deserialize, Serialize};

use crate::repository::Kind;

/// An artifact with all its parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactView {
    /// The project's id, for addresses.
    pub project_id: i64,
    /// The project's name.
    pub project: String,
    /// Whether everyone may pull.
    pub public: bool,
    /// The repository's name inside the project.
    pub repository: String,
    /// `sha256:…`
    pub digest: String,
    /// What it is.
    pub kind: Kind,
    /// The manifest's media type.
    pub media_type: String,
    /// The artifact type that the manifest declares or implies.
    pub artifact_type: String,
    /// Bytes, all its blobs and manifests counted once.
    pub size: u64,
    /// `linux/amd64`, for an image of one platform.
    pub platform: Option<String>,
    /// When it was built, if it says.
    pub created: Option<Instant>,
    /// Who built it, if it says.
    pub author: String,
    /// When it was pushed.
    pub pushed: Instant,
    /// When it was last pulled.
    pub pulled: Instant,
    /// Its tags.
    pub tags: Vec<TagRow>,
    /// The manifests of an index.
    pub platforms: Vec<PlatformRow>,
    /// The layers, first to last.
    pub layers: Vec<LayerRow>,
    /// The build steps of an image, first to last.
    pub history: Vec<HistoryRow>,
    /// The runtime configuration of an image.
    pub config: Option<ImageConfig>,
    /// What the configuration of a chart or another artifact says of it: name and value.
    pub details: Vec<(String, String)>,
    /// The manifest's annotations as they were pushed.
    pub annotations: BTreeMap<String, String>,
    /// What refers to it: signatures, SBOMs, …
    pub accessories: Vec<AccessoryRow>,
    /// What it refers to itself, when it is attached to something.
    pub subject: Option<SubjectView>,
    /// Its manifest and its configuration as they are, for what has no view of its own.
    #[serde(default)]
    pub documents: Vec<DocumentView>,
    /// Whether the visitor may delete it.
    pub may_delete: bool,
    /// Whether the visitor may take tags from it.
    pub may_untag: bool,
}

/// What an attached artifact belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectView {
    /// `sha256:…`
    pub digest: String,
    /// Whether it is in this repository; it may come later.
    pub is_here: bool,
}

/// A JSON document, set out for reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentView {
    /// What it is to the artifact.
    pub part: Part,
    /// Its text, a member a line.
    pub text: String,
    /// Whether there is more of it than is shown.
    pub is_cut: bool,
}

/// What a document is to its artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// The manifest.
    Manifest,
    /// The configuration that the manifest names.
    Configuration,
}

/// A tag of the artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagRow {
    /// The tag.
    pub name: String,
    /// When it was put here.
    pub pushed: Instant,
    /// When something was last pulled by it.
    pub pulled: Instant,
    /// Whether a rule keeps it from moving.
    pub immutable: bool,
}

/// A manifest of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformRow {
    /// `linux/arm64/v8`; empty where the index names none.
    pub platform: String,
    /// What the entry attests, when it is an attestation beside the platforms: a platform, or a digest that the index does not have.
    pub attests: Option<String>,
    /// `sha256:…`
    pub digest: String,
    /// Bytes of the platform's own artifact, where it is here; an index may be sparse.
    pub size: Option<u64>,
}

/// A layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerRow {
    /// `sha256:…`
    pub digest: String,
    /// Its media type.
    pub media_type: String,
    /// Bytes as stored.
    pub size: u64,
    /// The file's name, where the manifest gives one.
    #[serde(default)]
    pub title: String,
}

/// A build step, as the image's configuration tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// The command.
    #[serde(default)]
    pub created_by: String,
    /// A remark.
    #[serde(default)]
    pub comment: String,
    /// Whether it made no layer.
    #[serde(default)]
    pub empty_layer: bool,
}

/// The part of an image's configuration that a container starts with; the keys are those of the OCI image configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageConfig {
    /// The user, and group.
    pub user: String,
    /// `PATH=…`
    #[serde(deserialize_with = "or_default")]
    pub env: Vec<String>,
    /// What is run.
    #[serde(deserialize_with = "or_default")]
    pub entrypoint: Vec<String>,
    /// Its arguments.
    #[serde(deserialize_with = "or_default")]
    pub cmd: Vec<String>,
    /// Where it is run.
    pub working_dir: String,
    /// `8443/tcp`
    #[serde(deserialize_with = "or_default")]
    pub exposed_ports: BTreeMap<String, Nothing>,
    /// Paths meant to be mounted.
    #[serde(deserialize_with = "or_default")]
    pub volumes: BTreeMap<String, Nothing>,
    /// Labels.
    #[serde(deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
    /// How it is stopped.
    pub stop_signal: String,
}

/// The empty object that JSON sets use for values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing {}

/// Builders write `null` for what is empty.
fn or_default<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

/// Something that refers to the artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessoryRow {
    /// The API's word, such as `signature.cosign`.
    pub kind: String,
    /// What it says to be, if it does.
    pub artifact_type: String,
    /// `sha256:…`
    pub digest: String,
    /// Bytes.
    pub size: u64,
    /// When it came.
    pub created: Instant,
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_may_have_nulls_and_gaps() {
        let config: ImageConfig = serde_json::from_str(
            r#"{"User":"1000","Env":null,"Entrypoint":null,"Cmd":["/app"],"ExposedPorts":{"80/tcp":{}},"OnBuild":null}"#,
        )
        .unwrap();
        assert_eq!((config.user.as_str(), config.cmd.len(), config.exposed_ports.len()), ("1000", 1, 1));
        assert_eq!(serde_json::from_str::<ImageConfig>("{}").unwrap(), ImageConfig::default());
    }
}
