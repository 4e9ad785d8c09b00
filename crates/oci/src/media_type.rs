//! The media types the registry knows by name and the four kinds of manifests.
//! Everything else is an opaque text that is stored and served unchanged.

/// OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Docker manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker manifest, schema 1, unsigned; refused on push.
pub const DOCKER_SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+json";
/// Docker manifest, schema 1, signed; refused on push.
pub const DOCKER_SCHEMA1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
/// OCI image configuration.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Docker image configuration.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// The empty JSON object `{}`.
pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// Any bytes; how blobs are served.
pub const OCTET_STREAM: &str = "application/octet-stream";
/// JSON lists and errors.
pub const JSON: &str = "application/json";

/// The five layer types that may have no blob in the registry (R57).
pub const NONDISTRIBUTABLE: [&str; 5] = [
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
];

/// What a manifest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ManifestKind {
    /// OCI image manifest (images and all other artifacts).
    OciManifest,
    /// OCI image index.
    OciIndex,
    /// Docker schema 2.
    DockerManifest,
    /// Docker manifest list.
    DockerList,
}

impl ManifestKind {
    /// The kind of a media type; the text must be exact and without parameters.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        match media_type {
            OCI_MANIFEST => Some(Self::OciManifest),
            OCI_INDEX => Some(Self::OciIndex),
            DOCKER_MANIFEST => Some(Self::DockerManifest),
            DOCKER_LIST => Some(Self::DockerList),
            _ => None,
        }
    }

    /// The media type, as it is served.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::OciManifest => OCI_MANIFEST,
            Self::OciIndex => OCI_INDEX,
            Self::DockerManifest => DOCKER_MANIFEST,
            Self::DockerList => DOCKER_LIST,
        }
    }

    /// Whether it lists other manifests instead of a config and layers.
    pub fn is_index(self) -> bool {
        matches!(self, Self::OciIndex | Self::DockerList)
    }
}

/// Whether a layer of this type may be absent from the registry (R57).
pub fn is_nondistributable(media_type: &str) -> bool {
    NONDISTRIBUTABLE.contains(&media_type)
}

/// The media type of a `Content-Type` value without its parameters and surrounding white space (R44).
pub fn essence(content_type_header: &str) -> &str {
    content_type_header.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_types_are_a_bijection() {
        for kind in [ManifestKind::OciManifest, ManifestKind::OciIndex, ManifestKind::DockerManifest, ManifestKind::DockerList] {
            assert_eq!(ManifestKind::from_media_type(kind.media_type()), Some(kind));
        }
        for other in ["", JSON, DOCKER_SCHEMA1, "application/vnd.oci.image.manifest.v1+JSON"] {
            assert_eq!(ManifestKind::from_media_type(other), None, "{other}");
        }
    }

    /// R44.
    #[test]
    fn parameters_are_stripped() {
        for (header, expected) in [("a/b", "a/b"), ("a/b; charset=utf-8", "a/b"), (" a/b ;x", "a/b"), ("", ""), (";", "")] {
            assert_eq!(essence(header), expected);
        }
    }

    /// R57.
    #[test]
    fn five_layer_types_need_no_blob() {
        assert!(NONDISTRIBUTABLE.iter().all(|t| is_nondistributable(t)));
        assert!(!is_nondistributable("application/vnd.oci.image.layer.v1.tar+gzip"));
    }
}
