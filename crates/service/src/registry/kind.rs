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
            // A bundle of policies is none of the known types: its config names it.
            ("application/vnd.cncf.openpolicyagent.config.v1+json", None, "OPENPOLICYAGENT"),
            (CNAB, None, "CNAB"),
            (HARBOR_SBOM, None, "SBOM"),
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

    #[test]
    fn a_docker_list_is_an_image_too() {
        let text = format!(r#"{{"schemaVersion":2,"mediaType":"{DOCKER_LIST}","manifests":[]}}"#);
        let list = recognise(&Manifest::parse(text.as_bytes(), None).unwrap());
        let expected = Kind {
            name: "IMAGE".to_owned(),
            media_type: DOCKER_LIST.to_owned(),
            artifact_type: String::new(),
            attributes: Attributes::None,
        };
        assert_eq!(list, expected);
    }

    const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// A manifest with these layers, of what has this subject.
    fn signing(config_type: &str, artifact_type: Option<&str>, subject: Option<&Digest>, layers: &[serde_json::Value]) -> Manifest {
        let described = |media_type: &str, digest: &str| serde_json::json!({"mediaType": media_type, "digest": digest, "size": 2});
        let zero = format!("sha256:{}", "0".repeat(64));
        let mut json = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": described(config_type, &zero),
            "layers": layers,
        });
        if let Some(artifact_type) = artifact_type {
            json["artifactType"] = artifact_type.into();
        }
        if let Some(subject) = subject {
            json["subject"] = described("application/vnd.oci.image.manifest.v1+json", subject.as_str());
        }
        Manifest::parse(json.to_string().as_bytes(), None).unwrap()
    }

    fn layer(media_type: &str, annotation: Option<&str>) -> serde_json::Value {
        let annotations: serde_json::Map<String, serde_json::Value> =
            annotation.into_iter().map(|name| (name.to_owned(), "true".into())).collect();
        serde_json::json!({
            "mediaType": media_type, "digest": format!("sha256:{}", "1".repeat(64)), "size": 2, "annotations": annotations,
        })
    }

    const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    const TAR: &str = "application/vnd.oci.image.layer.v1.tar";

    #[test]
    fn what_has_a_subject_is_the_accessory_that_it_says_to_be() {
        let subject = Digest::sha256(b"what is signed");
        let (plain, nydus) = (layer(TAR, None), layer(TAR, Some(NYDUS_BOOTSTRAP)));
        for (config, own, layers, kind) in [
            (EMPTY, Some(COSIGN_ARTIFACT), vec![plain.clone()], "signature.cosign"),
            (COSIGN_ARTIFACT, None, vec![], "signature.cosign"),
            (EMPTY, Some(SIGSTORE_BUNDLE), vec![], "signature.cosign"),
            (EMPTY, Some(NOTATION), vec![plain.clone()], "signature.notation"),
            (NOTATION, None, vec![plain.clone()], "signature.notation"),
            (EMPTY, Some(HARBOR_SBOM), vec![plain.clone()], "sbom.harbor"),
            (HARBOR_SBOM, None, vec![], "sbom.harbor"),
            (OCI_CONFIG, None, vec![plain.clone(), nydus.clone()], "accelerator.nydus"),
            (DOCKER_CONFIG, None, vec![nydus.clone()], "accelerator.nydus"),
            // The bootstrap is the last layer of an image, or it is none.
            (OCI_CONFIG, None, vec![nydus.clone(), plain.clone()], "subject.accessory"),
            (EMPTY, None, vec![nydus.clone()], "subject.accessory"),
            (OCI_CONFIG, Some("application/x"), vec![nydus], "subject.accessory"),
            (OCI_CONFIG, None, vec![], "subject.accessory"),
            // What it says to be goes before what its config is.
            (NOTATION, Some("application/x"), vec![], "subject.accessory"),
            (NOTATION, Some(HARBOR_SBOM), vec![plain], "sbom.harbor"),
            (EMPTY, Some("application/vnd.dev.sigstore.bundle.v0.4+json"), vec![], "subject.accessory"),
        ] {
            let manifest = signing(config, own, Some(&subject), &layers);
            // The tag says nothing where there is a subject.
            for tag in ["v1", &format!("sha256-{}.sig", "2".repeat(64))] {
                let found = accessory(&manifest, &tag.parse().unwrap());
                assert_eq!(found, Some((kind, subject.clone())), "{config} {own:?} {tag}");
            }
        }
    }

    #[test]
    fn a_tag_of_cosign_makes_a_signature_of_what_is_one() {
        let subject = Digest::sha256(b"what is signed");
        let hex = subject.as_str().strip_prefix("sha256:").unwrap();
        let (signed, plain) = (layer(COSIGN_LAYER, None), layer(TAR, None));
        let found = |reference: &str, layers: &[serde_json::Value]| {
            accessory(&signing(OCI_CONFIG, None, None, layers), &reference.parse().unwrap())
        };
        let tag = format!("sha256-{hex}.sig");
        assert_eq!(found(&tag, std::slice::from_ref(&signed)), Some(("signature.cosign", subject.clone())));
        assert_eq!(found(&tag, &[plain.clone(), signed.clone()]), Some(("signature.cosign", subject.clone())));
        for unsigned in [vec![plain], vec![]] {
            assert_eq!(found(&tag, &unsigned), None, "{unsigned:?}");
        }
        let others = ["", ".att", ".sbom", ".SIG", ".sig.old"].map(|end| format!("sha256-{hex}{end}"));
        let broken = [format!("sha256-{}.sig", &hex[1..]), format!("sha256-{}.sig", hex.to_uppercase()), format!("sha512-{hex}.sig")];
        for reference in others.iter().chain(&broken).map(String::as_str).chain(["v1", subject.as_str()]) {
            assert_eq!(found(reference, std::slice::from_ref(&signed)), None, "{reference}");
        }
    }
}
