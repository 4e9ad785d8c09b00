//! Manifests and indexes: what a document names, and whether it may be stored at all.
//! The service room parses every pushed or imported document here; the bytes themselves are stored untouched.

mod parse;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};

use thiserror::Error;

use crate::descriptor::{Descriptor, DescriptorError};
use crate::error::ErrorCode;
use crate::media_type::ManifestKind;

pub use crate::limits::MAX_MANIFEST_BYTES;

/// A validated manifest or index. Holds what the registry needs to know; unknown members live on in the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What it is.
    pub kind: ManifestKind,
    /// The media type it will be served with; without parameters (R30).
    pub media_type: String,
    /// The `artifactType` member, if not empty.
    pub artifact_type: Option<String>,
    /// The config; present in every manifest, absent in every index.
    pub config: Option<Descriptor>,
    /// The layers in document order, duplicates included; empty for an index.
    pub layers: Vec<Descriptor>,
    /// The entries in document order, duplicates included; empty for a manifest.
    pub manifests: Vec<Descriptor>,
    /// The manifest this one refers to; need not exist (R71).
    pub subject: Option<Descriptor>,
    /// The document's own annotations.
    pub annotations: BTreeMap<String, String>,
}

/// Why a document is refused as manifest. The messages are meant for the client's user.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// More bytes than `MAX_MANIFEST_BYTES`.
    #[error("manifest of {0} bytes is larger than {MAX_MANIFEST_BYTES} bytes")]
    TooLarge(usize),
    /// Not UTF-8.
    #[error("manifest is not UTF-8 text")]
    NotUtf8,
    /// Not one JSON object, a member of a wrong type, a duplicate member, too many entries.
    #[error("{0}")]
    Json(String),
    /// Neither the Content-Type, nor `mediaType`, nor the members tell what it is.
    #[error("manifest has no media type")]
    NoMediaType,
    /// The media type is not one of the four kinds of manifests.
    #[error("media type '{0}' is not supported for manifests")]
    UnsupportedMediaType(String),
    /// A Docker manifest of schema version 1.
    #[error("manifests of schema version 1 are not supported; push with a current client")]
    Schema1,
    /// `schemaVersion` is absent or not the number 2.
    #[error("schemaVersion must be 2, not {0}")]
    SchemaVersion(String),
    /// `mediaType` and Content-Type disagree.
    #[error("{subject} should be '{expected}' not '{found}'", subject = media_type_of(*.kind), expected = .kind.media_type())]
    MediaTypeMismatch {
        /// The kind the Content-Type names.
        kind: ManifestKind,
        /// The `mediaType` of the document.
        found: String,
    },
    /// A document with the members of both a manifest and an index (type confusion).
    #[error("manifest has both 'manifests' and 'config' or 'layers'")]
    Ambiguous,
    /// A document declared as manifest has the members of an index, or the other way round.
    #[error("{prefix}: expected {expected} but found {found}", prefix = prefix(*.kind),
        expected = if .kind.is_index() { "index" } else { "manifest" },
        found = if .kind.is_index() { "manifest" } else { "index" })]
    Shape {
        /// The declared kind.
        kind: ManifestKind,
    },
    /// A required member is absent.
    #[error("member '{0}' is missing")]
    Missing(&'static str),
    /// A descriptor is invalid; `place` says which, for example `layers[2]`.
    #[error("{place}: {reason}")]
    Descriptor {
        /// Where it stands.
        place: String,
        /// What is wrong with it.
        reason: DescriptorError,
    },
}

impl ManifestError {
    /// The protocol's code for this refusal: SIZE_INVALID when too large, else MANIFEST_INVALID.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::TooLarge(_) => ErrorCode::SizeInvalid,
            _ => ErrorCode::ManifestInvalid,
        }
    }

    /// The HTTP status for this refusal: 413 when too large, else 400.
    pub fn status(&self) -> u16 {
        match self {
            Self::TooLarge(_) => 413,
            _ => 400,
        }
    }
}

/// How the media type of a document is called in a message, in the words clients know from other registries.
fn media_type_of(kind: ManifestKind) -> &'static str {
    match kind {
        ManifestKind::OciManifest => "if present, mediaType in manifest",
        ManifestKind::OciIndex => "if present, mediaType in index",
        ManifestKind::DockerManifest => "mediaType in manifest",
        ManifestKind::DockerList => "mediaType in manifest list",
    }
}

fn prefix(kind: ManifestKind) -> &'static str {
    match kind {
        ManifestKind::OciManifest => "ocimanifest",
        ManifestKind::OciIndex => "ociindex",
        ManifestKind::DockerManifest => "schema2",
        ManifestKind::DockerList => "manifestlist",
    }
}

impl Manifest {
    /// Reads and validates a document (distribution-spec "Pushing Manifests", image-spec "Image Manifest" and "Image Index").
    ///
    /// `content_type` is the header of the push, with or without parameters; absent or empty, the document decides.
    ///
    /// # Errors
    /// A `ManifestError` for everything that must not be stored. Unknown members, artifact types, config and layer types
    /// are no errors; whether the named content exists is not looked at here.
    pub fn parse(bytes: &[u8], content_type: Option<&str>) -> Result<Self, ManifestError> {
        parse::parse(bytes, content_type)
    }

    /// The blobs that must exist: config and layers, each digest once, in document order. Layers of the foreign and
    /// nondistributable types are left out (R57); `urls` on other layers change nothing (R58). Empty for an index,
    /// whose blobs are among its `children`.
    pub fn required_blobs(&self) -> Vec<&Descriptor> {
        let layers = self.layers.iter().filter(|layer| !layer.is_nondistributable());
        distinct(self.config.iter().chain(layers))
    }

    /// The entries of an index, each digest once, in document order. An entry that is no manifest by its media type
    /// (`Descriptor::is_manifest`) names a blob, as build caches do (R60).
    pub fn children(&self) -> Vec<&Descriptor> {
        distinct(self.manifests.iter())
    }

    /// The artifact type under which this document is listed as a referrer (R145): its `artifactType`, else, for a
    /// manifest, the media type of its config.
    pub fn referrer_artifact_type(&self) -> Option<&str> {
        let config = || self.config.as_ref().map(|config| config.media_type.as_str());
        self.artifact_type.as_deref().or_else(config).filter(|text| !text.is_empty())
    }

    /// The size of an artifact in bytes: the document itself, its config and all its layers as the document states them.
    /// For an index it is the document alone; the caller adds the sizes of the children it knows. At most `i64::MAX`,
    /// whatever sizes the document claims, so that it always fits a database column.
    pub fn total_size(&self, manifest_len: u64) -> u64 {
        let parts = self.config.iter().chain(&self.layers);
        let sum = parts.fold(manifest_len, |sum, part| sum.saturating_add(part.size));
        sum.min(i64::MAX.unsigned_abs())
    }
}

fn distinct<'a>(descriptors: impl Iterator<Item = &'a Descriptor>) -> Vec<&'a Descriptor> {
    let mut seen = HashSet::new();
    descriptors.filter(|descriptor| seen.insert(&descriptor.digest)).collect()
}
