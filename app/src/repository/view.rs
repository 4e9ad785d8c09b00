//! What the repository page shows: plain values, filled by the server function, rendered by the page, made up by tests.

use model::Instant;
use serde::{Deserialize, Serialize};

use crate::listing::Listing;

/// What an artifact is, as far as that decides how it is pulled and drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A container image for one platform.
    Image,
    /// An index or manifest list: one name for several platforms.
    Index,
    /// An index that names nothing.
    EmptyIndex,
    /// A Helm chart.
    Chart,
    /// Anything else; the API's word for it.
    Other(String),
}

impl Kind {
    /// From the API's `type` and the manifest's media type.
    pub fn of(word: &str, manifest_media_type: &str) -> Self {
        let index = manifest_media_type == "application/vnd.oci.image.index.v1+json"
            || manifest_media_type == "application/vnd.docker.distribution.manifest.list.v2+json";
        match word {
            "IMAGE" if index => Self::Index,
            "IMAGE" => Self::Image,
            "CHART" => Self::Chart,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The word for people.
    pub fn word(&self) -> &str {
        match self {
            Self::Image => "Image",
            Self::Index => "Multi-platform",
            Self::EmptyIndex => "Empty index",
            Self::Chart => "Helm chart",
            // The API's word for what it has no word for.
            Self::Other(word) if word == "UNKNOWN" => "Artifact",
            Self::Other(word) => word,
        }
    }

    /// Its icon in the sprite.
    pub fn icon(&self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Index | Self::EmptyIndex => "index",
            Self::Chart => "chart",
            Self::Other(_) => "file",
        }
    }
}

/// A repository with its artifacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryView {
    /// The project's id, for addresses.
    pub project_id: i64,
    /// The project's name.
    pub project: String,
    /// Whether everyone may pull.
    pub public: bool,
    /// The name inside the project.
    pub name: String,
    /// The description, if any.
    pub description: String,
    /// How many artifacts it holds.
    pub artifacts: u64,
    /// How often something was pulled from it.
    pub pulls: u64,
    /// The rows of the page.
    pub rows: Vec<ArtifactRow>,
    /// Rows of the whole result.
    pub total: u64,
    /// The state of the list that was shown.
    pub listing: Listing,
    /// Whether the visitor may push.
    pub may_push: bool,
    /// Whether the visitor may delete the repository.
    pub may_delete: bool,
}

/// One artifact of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactRow {
    /// `sha256:…`
    pub digest: String,
    /// What it is.
    pub kind: Kind,
    /// Its tags, as the list gave them.
    pub tags: Vec<String>,
    /// `linux/amd64`, …
    pub platforms: Vec<String>,
    /// Bytes, all its blobs and manifests counted once.
    pub size: u64,
    /// How many accessories (signatures, SBOMs, …) it has.
    pub accessories: u64,
    /// When it was pushed.
    pub pushed: Instant,
    /// When it was last pulled.
    pub pulled: Instant,
}
