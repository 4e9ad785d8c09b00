//! Attributes of an artifact, read from its config document when it is pushed. A config that is no JSON, or too large, gives none.

use oci::{Descriptor, Manifest};
use serde_json::{Map, Value};

use super::kind::{Attributes, Kind};
use super::{Registry, Target};

/// Configs above this many bytes are not read.
const MAX_CONFIG_BYTES: u64 = 4 << 20;
/// Which keys of the config an artifact's author keeps out of the attributes.
const SKIP_LIST: &str = "io.goharbor.artifact.v1alpha1.skip-list";
/// What a child is to the bundle whose index names it.
const BUNDLE_PART: &str = "io.cnab.manifest.type";
/// What lists show of an image's run configuration.
const IMAGE_CONFIG_KEYS: [&str; 10] =
    ["User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal", "ArgsEscaped"];

impl Registry {
    /// The attributes as a JSON text, if there are any.
    pub(super) async fn attributes(&self, target: &Target<'_>, manifest: &Manifest, kind: &Kind) -> Option<String> {
        let config = manifest.config.as_ref();
        let attributes = match kind.attributes {
            Attributes::None => return None,
            Attributes::Wasm => wasm(manifest),
            Attributes::WasmImage => {
                let mut attributes = image(&self.read_config(target, config?).await?);
                attributes.insert("manifest.config.mediaType".into(), config?.media_type.clone().into());
                attributes
            }
            Attributes::Config if manifest.kind.is_index() => self.bundle_config(target, manifest).await?,
            Attributes::Image => image(&self.read_config(target, config?).await?),
            Attributes::Config => whole(self.read_config(target, config?).await?, config?),
        };
        Some(Value::Object(attributes).to_string())
    }

    /// The config document of a bundle: that of the child which its index marks as the one.
    async fn bundle_config(&self, target: &Target<'_>, index: &Manifest) -> Option<Map<String, Value>> {
        let marked = |d: &&Descriptor| d.annotations.get(BUNDLE_PART).is_some_and(|part| part == "config");
        let child = index.manifests.iter().find(marked)?;
        let repository = self.published(target).await.ok()??;
        let mut conn = self.core.db.read().await.ok()?;
        let row = store::artifact::manifest(&mut conn.link(), repository, child.digest.as_str()).await.ok()??;
        drop(conn);
        let manifest = Manifest::parse(&row.content, Some(&row.manifest_media_type)).ok()?;
        self.read_config(target, manifest.config.as_ref()?).await
    }

    /// The config as far as the repository holds it: the storage is everybody's.
    async fn read_config(&self, target: &Target<'_>, config: &Descriptor) -> Option<Map<String, Value>> {
        let repository = self.holder(target).await.ok()??;
        let mut conn = self.core.db.read().await.ok()?;
        store::blob::find_in_repository(&mut conn.link(), repository, config.digest.as_str()).await.ok()??;
        drop(conn);
        let blob = self.core.blobs.open(&config.digest).await.ok()??;
        let bytes = blob.bytes(MAX_CONFIG_BYTES).await.ok()?;
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(object)) => Some(object),
            _ => None,
        }
    }
}

fn image(config: &Map<String, Value>) -> Map<String, Value> {
    let text = |key: &str| config.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut attributes = Map::new();
    attributes.insert("architecture".into(), text("architecture").into());
    attributes.insert("author".into(), text("author").into());
    attributes.insert("created".into(), config.get("created").cloned().unwrap_or_default());
    attributes.insert("os".into(), text("os").into());
    if let Some(run) = config.get("config").and_then(Value::as_object) {
        let set = |key: &&str| run.get(*key).filter(|v| !is_unset(v)).map(|v| ((*key).to_owned(), v.clone()));
        attributes.insert("config".into(), Value::Object(IMAGE_CONFIG_KEYS.iter().filter_map(set).collect()));
    }
    attributes
}

fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

fn whole(mut config: Map<String, Value>, descriptor: &Descriptor) -> Map<String, Value> {
    if let Some(skip) = descriptor.annotations.get(SKIP_LIST) {
        for key in skip.split(',') {
            config.remove(key.trim());
        }
    }
    config
}

fn wasm(manifest: &Manifest) -> Map<String, Value> {
    let mut attributes = Map::new();
    if let Some(config) = &manifest.config {
        attributes.insert("manifest.config.mediaType".into(), config.media_type.clone().into());
    }
    if let Some(layer) = manifest.layers.first() {
        attributes.insert("manifest.layers.mediaType".into(), layer.media_type.clone().into());
        if let Some(title) = layer.annotations.get("org.opencontainers.image.title") {
            attributes.insert("org.opencontainers.image.title".into(), title.clone().into());
        }
    }
    attributes
}
