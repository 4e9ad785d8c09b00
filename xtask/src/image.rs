//! Makes container images of given layers and sizes, the same for the same seed: as an OCI layout or a docker archive.
//! Journeys and bench use it, so that nothing has to be pulled from anywhere.

use crate::digest::{digest, hex};
use crate::random::Random;
use crate::tar::Tar;
use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// Media type of an image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of an image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Media type of an image configuration.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Media type of a gzip-compressed layer.
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What the image is to be like.
pub struct Recipe<'a> {
    /// Decides the bytes.
    pub seed: &'a str,
    /// Number of layers of each platform.
    pub layers: usize,
    /// Bytes of random data in each layer.
    pub layer_size: usize,
    /// Architectures; more than one makes an index.
    pub architectures: &'a [&'a str],
}

/// One platform's image, in memory.
struct Image {
    architecture: String,
    config: Vec<u8>,
    /// Plain and compressed form of each layer.
    layers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Image {
    fn make(recipe: &Recipe, architecture: &str) -> Result<Self> {
        let mut layers = Vec::new();
        for number in 0..recipe.layers {
            let mut random = Random::named(&format!("{}/{architecture}/{number}", recipe.seed));
            let mut tar = Tar::default();
            tar.add(&format!("data/layer{number}.bin"), &random.bytes(recipe.layer_size));
            let plain = tar.finish();
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(&plain)?;
            layers.push((plain, gzip.finish()?));
        }
        let history: Vec<Value> =
            (0..recipe.layers).map(|n| json!({"created": CREATED, "created_by": format!("COPY layer {n}")})).collect();
        let config = json!({
            "created": CREATED, "architecture": architecture, "os": "linux",
            "config": {"Env": ["PATH=/"], "Cmd": ["/data/none"], "Labels": {"seed": recipe.seed}},
            "rootfs": {"type": "layers", "diff_ids": layers.iter().map(|(plain, _)| digest(plain)).collect::<Vec<_>>()},
            "history": history,
        });
        Ok(Self { architecture: architecture.to_owned(), config: serde_json::to_vec(&config)?, layers })
    }

    fn manifest(&self) -> Result<Vec<u8>> {
        let layers: Vec<Value> = self.layers.iter().map(|(_, packed)| descriptor(LAYER, packed)).collect();
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, &self.config), "layers": layers});
        Ok(serde_json::to_vec(&manifest)?)
    }
}

const CREATED: &str = "2024-01-01T00:00:00Z";

/// A descriptor of some bytes.
pub fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len()})
}

/// Writes an OCI image layout with one tag; gives the digest of what the tag names.
pub fn layout(folder: &Path, tag: &str, recipe: &Recipe) -> Result<String> {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    let store = |bytes: &[u8]| fs::write(blobs.join(hex(bytes)), bytes);
    let mut platforms = Vec::new();
    for architecture in recipe.architectures {
        let image = Image::make(recipe, architecture)?;
        store(&image.config)?;
        for (_, packed) in &image.layers {
            store(packed)?;
        }
        let manifest = image.manifest()?;
        store(&manifest)?;
        let mut entry = descriptor(MANIFEST, &manifest);
        entry["platform"] = json!({"architecture": image.architecture, "os": "linux"});
        platforms.push(entry);
    }
    let mut top = platforms[0].clone();
    if platforms.len() > 1 {
        let index = serde_json::to_vec(&json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": platforms}))?;
        store(&index)?;
        top = descriptor(INDEX, &index);
    }
    let named = top["digest"].as_str().unwrap_or_default().to_owned();
    top["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    fs::write(folder.join("index.json"), serde_json::to_vec(&json!({"schemaVersion": 2, "manifests": [top]}))?)?;
    Ok(named)
}

/// Writes an archive that `docker load` takes, with one image under `name` (`repository:tag`).
pub fn docker_archive(file: &Path, name: &str, recipe: &Recipe) -> Result<()> {
    let image = Image::make(recipe, recipe.architectures[0])?;
    let config = format!("{}.json", hex(&image.config));
    let mut tar = Tar::default();
    tar.add(&config, &image.config);
    let mut names = Vec::new();
    for (plain, _) in &image.layers {
        let layer = format!("{}.tar", hex(plain));
        tar.add(&layer, plain);
        names.push(layer);
    }
    tar.add("manifest.json", &serde_json::to_vec(&json!([{"Config": config, "RepoTags": [name], "Layers": names}]))?);
    Ok(fs::write(file, tar.finish())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: Recipe = Recipe { seed: "t", layers: 2, layer_size: 1000, architectures: &["amd64", "arm64"] };

    #[test]
    fn a_layout_is_complete_and_repeatable() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let top = layout(one.path(), "v1", &RECIPE).unwrap();
        assert_eq!(top, layout(two.path(), "v1", &RECIPE).unwrap());
        let blobs = one.path().join("blobs/sha256");
        for entry in fs::read_dir(&blobs).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(hex(&fs::read(&path).unwrap()), path.file_name().unwrap().to_str().unwrap());
        }
        // Per platform: two layers, a configuration, a manifest; and the index.
        assert_eq!(fs::read_dir(&blobs).unwrap().count(), 9);
        let index: Value = serde_json::from_slice(&fs::read(blobs.join(&top[7..])).unwrap()).unwrap();
        assert_eq!(index["manifests"][1]["platform"]["architecture"], "arm64");
    }
}
