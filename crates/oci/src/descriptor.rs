//! Descriptors: how documents name other content by type, digest and size.
//! The manifest parser reads them; the service room stores and serves what they say.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::digest::{Digest, DigestError};
use crate::json::{Bounded, Object, TextMap};
use crate::limits::MAX_URLS;
use crate::media_type::{ManifestKind, is_nondistributable};
use crate::text::excerpt;

/// A reference to content (image-spec, "OCI Content Descriptors"). Unknown members are not kept: documents are stored as bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "Object<WireDescriptor>")]
pub struct Descriptor {
    /// Media type of the content, as written; may be empty or odd in old images.
    pub media_type: String,
    /// Digest of the content.
    pub digest: Digest,
    /// Length of the content in bytes; at most `i64::MAX`.
    pub size: u64,
    /// Artifact type of the manifest that is named; never empty when present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Annotations of this entry.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Other places from which the content may be fetched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// What the content runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// The content itself in base64; verified against digest and size when read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

impl Descriptor {
    /// A descriptor with the three required members only.
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest,
            size,
            artifact_type: None,
            annotations: BTreeMap::new(),
            urls: Vec::new(),
            platform: None,
            data: None,
        }
    }

    /// Whether its media type is that of a manifest or index. An index entry for which this is false names a blob (R60).
    pub fn is_manifest(&self) -> bool {
        ManifestKind::from_media_type(&self.media_type).is_some()
    }

    /// Whether the registry need not hold the content, by media type alone (R57, R58).
    pub fn is_nondistributable(&self) -> bool {
        is_nondistributable(&self.media_type)
    }
}

/// Platform of an index entry. Absent members are empty; attestations use `unknown` for both required ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Object<WirePlatform>")]
pub struct Platform {
    /// CPU architecture, a GOARCH value, for example `amd64`.
    pub architecture: String,
    /// Operating system, a GOOS value, for example `linux`.
    pub os: String,
    /// Version of the operating system, for example `10.0.17763.1234`.
    #[serde(rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// Required features of the operating system, for example `win32k`.
    #[serde(rename = "os.features", skip_serializing_if = "Vec::is_empty")]
    pub os_features: Vec<String>,
    /// Variant of the architecture, for example `v8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// Why a descriptor is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DescriptorError {
    /// No `digest` member.
    #[error("digest is missing")]
    NoDigest,
    /// The digest is malformed or of an unknown algorithm.
    #[error("digest '{0}': {1}")]
    Digest(String, DigestError),
    /// No `size` member.
    #[error("size is missing")]
    NoSize,
    /// The size is below zero.
    #[error("size {0} is negative")]
    NegativeSize(i64),
    /// `data` is not padded base64.
    #[error("data is not base64")]
    DataEncoding,
    /// `data` decodes to other content than the descriptor names (R54).
    #[error("data does not match digest and size")]
    DataMismatch,
}

/// A descriptor as it stands in a document, before validation. A member that is null counts as absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireDescriptor {
    media_type: Option<String>,
    digest: Option<String>,
    size: Option<i64>,
    artifact_type: Option<String>,
    annotations: Option<TextMap>,
    urls: Option<Bounded<String, MAX_URLS>>,
    platform: Option<Platform>,
    data: Option<String>,
}

impl WireDescriptor {
    /// Validates a descriptor of a config, layer or index entry: digest and size are required.
    pub(crate) fn content(self) -> Result<Descriptor, DescriptorError> {
        if self.size.is_none() {
            return Err(DescriptorError::NoSize);
        }
        self.subject()
    }

    /// Validates a descriptor of a subject, whose size some tools leave out; it is then 0.
    pub(crate) fn subject(self) -> Result<Descriptor, DescriptorError> {
        let text = self.digest.ok_or(DescriptorError::NoDigest)?;
        let digest = text.parse::<Digest>().map_err(|e| DescriptorError::Digest(excerpt(&text), e))?;
        let size = match self.size {
            None => 0,
            Some(size) => u64::try_from(size).map_err(|_| DescriptorError::NegativeSize(size))?,
        };
        // An empty text is what Go encoders write for no data.
        let data = self.data.filter(|data| !data.is_empty());
        if let Some(data) = &data {
            let bytes = STANDARD.decode(data).map_err(|_| DescriptorError::DataEncoding)?;
            let length_differs = self.size.is_some() && u64::try_from(bytes.len()).ok() != Some(size);
            if length_differs || !digest.verifies(&bytes) {
                return Err(DescriptorError::DataMismatch);
            }
        }
        Ok(Descriptor {
            media_type: self.media_type.unwrap_or_default(),
            digest,
            size,
            artifact_type: self.artifact_type.filter(|t| !t.is_empty()),
            annotations: self.annotations.map(|map| map.0).unwrap_or_default(),
            urls: self.urls.map(|urls| urls.0).unwrap_or_default(),
            platform: self.platform,
            data,
        })
    }
}

impl TryFrom<Object<WireDescriptor>> for Descriptor {
    type Error = DescriptorError;

    fn try_from(wire: Object<WireDescriptor>) -> Result<Self, DescriptorError> {
        wire.0.content()
    }
}

#[derive(Deserialize)]
struct WirePlatform {
    architecture: Option<String>,
    os: Option<String>,
    #[serde(rename = "os.version")]
    os_version: Option<String>,
    #[serde(rename = "os.features")]
    os_features: Option<Bounded<String, MAX_URLS>>,
    variant: Option<String>,
}

impl From<Object<WirePlatform>> for Platform {
    fn from(Object(wire): Object<WirePlatform>) -> Self {
        Self {
            architecture: wire.architecture.unwrap_or_default(),
            os: wire.os.unwrap_or_default(),
            os_version: wire.os_version.filter(|v| !v.is_empty()),
            os_features: wire.os_features.map(|list| list.0).unwrap_or_default(),
            variant: wire.variant.filter(|v| !v.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = r#""digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a""#;

    fn read(members: &str) -> Result<Descriptor, String> {
        serde_json::from_str(&format!("{{{members}}}")).map_err(|e| e.to_string())
    }

    #[test]
    fn a_descriptor_round_trips() {
        let text = format!(
            r#"{{"mediaType":"application/vnd.oci.empty.v1+json",{EMPTY},"size":2,"artifactType":"a/b","annotations":{{"k":""}},"urls":["https://x/y"],"platform":{{"architecture":"arm64","os":"linux","os.version":"1","os.features":["f"],"variant":"v8"}},"data":"e30="}}"#
        );
        let descriptor: Descriptor = serde_json::from_str(&text).unwrap();
        assert_eq!(descriptor.size, 2);
        assert_eq!(descriptor.platform.as_ref().unwrap().variant.as_deref(), Some("v8"));
        assert_eq!(serde_json::to_string(&descriptor).unwrap(), text);
    }

    /// R51, R53, R62: what is unknown, absent or null is no error.
    #[test]
    fn odd_members_are_accepted() {
        for members in [
            format!(r#"{EMPTY},"size":2"#),
            format!(r#"{EMPTY},"size":2,"mediaType":"text/html""#),
            format!(r#"{EMPTY},"size":2,"platform":null,"annotations":null,"urls":null,"data":null"#),
            format!(r#"{EMPTY},"size":2,"platform":{{}},"annotations":{{"a":null}},"data":"""#),
            format!(r#"{EMPTY},"size":2,"platform":{{"architecture":"unknown","os":"unknown","features":["sse4"]}}"#),
            format!(r#"{EMPTY},"size":2,"platform":{{"os.features":null,"variant":null,"x":[1]}},"newField":{{"a":[1]}}"#),
            format!(r#"{EMPTY},"size":9223372036854775807"#),
        ] {
            assert!(read(&members).is_ok(), "{members}");
        }
    }

    /// R54 and the grammar of digest and size.
    #[test]
    fn broken_members_are_refused() {
        for (members, words) in [
            (r#""size":2"#.to_owned(), "digest is missing"),
            (EMPTY.to_owned(), "size is missing"),
            (format!(r#"{EMPTY},"size":-1"#), "negative"),
            (format!(r#"{EMPTY},"size":1.5"#), "floating point"),
            (format!(r#"{EMPTY},"size":"2""#), "string"),
            (format!(r#"{EMPTY},"size":18446744073709551615"#), "expected i64"),
            (format!(r#"{EMPTY},{EMPTY},"size":2"#), "duplicate field"),
            (format!(r#"{EMPTY},"size":2,"annotations":{{"a":"1","a":"2"}}"#), "duplicate member 'a'"),
            (format!(r#"{EMPTY},"size":2,"annotations":{{"a":1}}"#), "expected a string"),
            (format!(r#"{EMPTY},"size":2,"platform":["amd64","linux"]"#), "expected an object"),
            (format!(r#"{EMPTY},"size":2,"data":"e31=""#), "data"),
            (format!(r#"{EMPTY},"size":2,"data":"e30""#), "not base64"),
            (format!(r#"{EMPTY},"size":3,"data":"e30=""#), "does not match"),
            (r#""digest":"sha256:xyz","size":2"#.to_owned(), "invalid digest"),
            (r#""digest":"md5:d41d8cd98f00b204e9800998ecf8427e","size":2"#.to_owned(), "unsupported digest algorithm md5"),
        ] {
            let error = read(&members).unwrap_err();
            assert!(error.contains(words), "{members}: {error}");
        }
        assert!(serde_json::from_str::<Descriptor>(r#"["a/b","sha256:x",2]"#).is_err());
    }

    #[test]
    fn lists_and_maps_are_bounded() {
        let many = vec![r#""u""#; MAX_URLS + 1].join(",");
        assert!(read(&format!(r#"{EMPTY},"size":2,"urls":[{many}]"#)).unwrap_err().contains("more than"));
    }

    #[test]
    fn manifests_and_foreign_layers_are_told_by_type() {
        let digest = Digest::sha256(b"");
        assert!(Descriptor::new(crate::media_type::DOCKER_LIST, digest.clone(), 0).is_manifest());
        assert!(!Descriptor::new("application/vnd.buildkit.cacheconfig.v0", digest.clone(), 0).is_manifest());
        assert!(Descriptor::new(crate::media_type::NONDISTRIBUTABLE[0], digest, 0).is_nondistributable());
    }
}
