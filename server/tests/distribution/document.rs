//! Manifests and indexes to push.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::kit::{sha256, sha512};

pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(crate) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub(crate) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub(crate) const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
/// The content that artifacts without a config name.
pub(crate) const EMPTY: &str = "{}";

/// A document as it is pushed.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
}

impl Document {
    /// The document that a JSON value is, with the type it names.
    pub(crate) fn new(value: &Value) -> Self {
        let media_type = value["mediaType"].as_str().unwrap_or(OCI_MANIFEST).to_owned();
        Self { media_type, bytes: value.to_string().into() }
    }

    /// An OCI image of these contents.
    pub(crate) fn image(config: &[u8], layers: &[&[u8]]) -> Self {
        Self::new(&image(config, layers))
    }

    /// An OCI index of documents.
    pub(crate) fn index(children: &[&Self]) -> Self {
        let manifests: Vec<Value> = children.iter().map(|child| child.descriptor()).collect();
        Self::new(&json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}))
    }

    /// An artifact about another document; its only content is `{}`.
    pub(crate) fn about(subject: &Value, artifact_type: &str, note: &str) -> Self {
        let mut value = image(EMPTY.as_bytes(), &[EMPTY.as_bytes()]);
        value["config"]["mediaType"] = EMPTY_TYPE.into();
        value["artifactType"] = artifact_type.into();
        value["subject"] = subject.clone();
        value["annotations"] = json!({"note": note});
        Self::new(&value)
    }

    pub(crate) fn digest(&self) -> String {
        sha256(&self.bytes)
    }

    pub(crate) fn sha512(&self) -> String {
        sha512(&self.bytes)
    }

    pub(crate) fn descriptor(&self) -> Value {
        json!({"mediaType": self.media_type, "digest": self.digest(), "size": self.bytes.len()})
    }
}

/// An OCI image of these contents, to be changed.
pub(crate) fn image(config: &[u8], layers: &[&[u8]]) -> Value {
    let layers: Vec<Value> = layers.iter().map(|layer| described(OCI_LAYER, layer)).collect();
    json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": described(OCI_CONFIG, config), "layers": layers})
}

/// The descriptor of a content.
pub(crate) fn described(media_type: &str, content: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": sha256(content), "size": content.len()})
}
