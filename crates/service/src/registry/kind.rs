//! What an artifact is to its users: the type that Harbor names, where its attributes come from, and whether it is an accessory of another.
//! The table is Harbor's (registry-and-token reference, artifact model and accessories).

use oci::{Digest, Manifest, ManifestKind, Reference};

/// Where an artifact's attributes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attributes {
    /// There are none.
    None,
    /// The well-known part of an image config.
    Image,
    /// The config document, less what its annotation skips.
    Config,
    /// The media types of a WASM module.
    Wasm,
    /// The well-known part of an image config, of a WASM module that is packed like an image.
    WasmImage,
}

/// A recognised artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// IMAGE, CHART, …
    pub(super) name: String,
    /// The media type that lists show.
    pub(super) media_type: String,
    /// What it says to be: `artifactType`, else the config's type; empty for an index without.
    pub(super) artifact_type: String,
    /// Where attributes come from.
    pub(super) attributes: Attributes,
}

const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const HELM_CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const CNAB: &str = "application/vnd.cnab.manifest.v1";
const WASM_CONFIG: &str = "application/vnd.wasm.config.v1+json";
const HARBOR_SBOM: &str = "application/vnd.goharbor.harbor.sbom.v1";
const MODEL: &str = "application/vnd.cncf.model.manifest.v1+json";
const NOTATION: &str = "application/vnd.cncf.notary.signature";
const COSIGN_ARTIFACT: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";
const SIGSTORE_BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const COSIGN_LAYER: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const NYDUS_BOOTSTRAP: &str = "containerd.io/snapshot/nydus-bootstrap";

/// Recognises a manifest.
pub(super) fn recognise(manifest: &Manifest) -> Kind {
    let config_type = manifest.config.as_ref().map(|c| c.media_type.as_str());
    let mut media_type = config_type.unwrap_or(&manifest.media_type).to_owned();
    if manifest.kind.is_index()
        && let Some(named) = manifest.annotations.get("org.opencontainers.artifactType")
    {
        media_type.clone_from(named);
    }
    let wasm = manifest.annotations.get("module.wasm.image/variant").is_some_and(|v| v == "compat")
        || manifest.annotations.get("run.oci.handler").is_some_and(|v| v == "wasm");
    if wasm {
        WASM_CONFIG.clone_into(&mut media_type);
    }
    let own = manifest.artifact_type.clone();
    let artifact_type = own.clone().or_else(|| config_type.map(str::to_owned)).unwrap_or_default();
    // What it says to be decides; a mark as WASM counts only where nothing else does.
    let key = own.as_deref().or(config_type).unwrap_or(&media_type);
    let (name, mut attributes) = name_of(key, config_type, manifest.kind);
    if wasm && attributes == Attributes::Wasm {
        attributes = Attributes::WasmImage;
    }
    Kind { name, media_type, artifact_type, attributes }
}

fn name_of(key: &str, config_type: Option<&str>, kind: ManifestKind) -> (String, Attributes) {
    let known = |name: &str, attributes| (name.to_owned(), attributes);
    match key {
        OCI_CONFIG | DOCKER_CONFIG => known("IMAGE", Attributes::Image),
        _ if kind.is_index() && ManifestKind::from_media_type(key).is_some_and(ManifestKind::is_index) => known("IMAGE", Attributes::None),
        HELM_CONFIG => known("CHART", Attributes::Config),
        CNAB => known("CNAB", Attributes::Config),
        WASM_CONFIG => known("WASM", Attributes::Wasm),
        HARBOR_SBOM => known("SBOM", Attributes::Config),
        MODEL => known("CNAI", Attributes::Config),
        _ => match config_type.and_then(vendor_type) {
            Some(name) => (name, Attributes::Config),
            None => known("UNKNOWN", Attributes::None),
        },
    }
}

/// `application/vnd.<vendor>.<NAME>.config.<version>+json` names the type in its middle.
fn vendor_type(config_type: &str) -> Option<String> {
    let rest = config_type.strip_prefix("application/vnd.")?.strip_suffix("+json")?;
    let (_vendor, rest) = rest.split_once('.')?;
    let (rest, _version) = rest.rsplit_once('.')?;
    rest.strip_suffix(".config").map(str::to_uppercase)
}

/// The accessory that a manifest is: its kind, and the digest of what it belongs to.
pub(super) fn accessory(manifest: &Manifest, reference: &Reference) -> Option<(&'static str, Digest)> {
    if let Some(subject) = &manifest.subject {
        return Some((accessory_kind(manifest), subject.digest.clone()));
    }
    // cosign's older way: a tag that spells the digest of what was signed.
    let hex = reference.tag()?.as_str().strip_prefix("sha256-")?.strip_suffix(".sig")?;
    let subject = Digest::from_parts(oci::Algorithm::Sha256, hex).ok()?;
    let signed = manifest.layers.iter().any(|l| l.media_type == COSIGN_LAYER);
    signed.then_some(("signature.cosign", subject))
}

fn accessory_kind(manifest: &Manifest) -> &'static str {
    let config_type = manifest.config.as_ref().map(|c| c.media_type.as_str());
    match manifest.artifact_type.as_deref().or(config_type) {
        Some(NOTATION) => "signature.notation",
        Some(COSIGN_ARTIFACT | SIGSTORE_BUNDLE) => "signature.cosign",
        Some(HARBOR_SBOM) => "sbom.harbor",
        Some(OCI_CONFIG | DOCKER_CONFIG) if manifest.layers.last().is_some_and(|l| l.annotations.contains_key(NYDUS_BOOTSTRAP)) => {
            "accelerator.nydus"
        }
        _ => "subject.accessory",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(config_type: &str, artifact_type: Option<&str>) -> Manifest {
        let zero = "0".repeat(64);
        let mut json = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": config_type, "digest": format!("sha256:{zero}"), "size": 2},
            "layers": [],
        });
        if let Some(artifact_type) = artifact_type {
            json["artifactType"] = artifact_type.into();
        }
        Manifest::parse(json.to_string().as_bytes(), None).unwrap()
    }

    #[test]
    fn types_are_named_as_harbor_names_them() {
        for (config, own, name) in [
            (OCI_CONFIG, None, "IMAGE"),
            (DOCKER_CONFIG, None, "IMAGE"),
            (HELM_CONFIG, None, "CHART"),
            (WASM_CONFIG, None, "WASM"),
            ("application/vnd.acme.rocket.config.v1+json", None, "ROCKET"),
            ("application/vnd.acme.big.rocket.config.v1+json", None, "BIG.ROCKET"),
            ("application/vnd.oci.empty.v1+json", Some("application/x"), "UNKNOWN"),
            (OCI_CONFIG, Some("application/x"), "IMAGE"),
            ("text/plain", None, "UNKNOWN"),
            ("application/vnd.oci.empty.v1+json", Some(MODEL), "CNAI"),
        ] {
            assert_eq!(recognise(&image(config, own)).name, name, "{config} {own:?}");
        }
        assert_eq!(recognise(&image(OCI_CONFIG, Some("application/x"))).attributes, Attributes::Config);
    }

    #[test]
    fn an_index_is_an_image_unless_it_says_what_else_it_is() {
        let parse = |extra: &str| {
            let text = format!(r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]{extra}}}"#);
            recognise(&Manifest::parse(text.as_bytes(), None).unwrap())
        };
        assert_eq!(parse("").name, "IMAGE");
        assert_eq!(parse(r#","artifactType":"application/x""#).name, "UNKNOWN");
        assert_eq!(parse(r#","annotations":{"org.opencontainers.artifactType":"application/vnd.cnab.manifest.v1"}"#).name, "CNAB");
    }
}
