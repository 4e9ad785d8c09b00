use super::*;
use crate::digest::{Algorithm, Digest};
use crate::limits::{MAX_LAYERS, MAX_MEMBERS};
use crate::media_type::*;
use proptest::prelude::*;

fn descriptor(media_type: &str, content: &str) -> String {
    format!(r#"{{"mediaType":"{media_type}","digest":"{}","size":{}}}"#, Digest::sha256(content.as_bytes()), content.len())
}

fn config() -> String {
    format!(r#""config":{}"#, descriptor(OCI_CONFIG, "config"))
}

/// An OCI manifest with these members after config and an empty list of layers.
fn image(more: &str) -> String {
    format!(r#"{{"schemaVersion":2,{},"layers":[]{more}}}"#, config())
}

fn index(entries: &str, more: &str) -> String {
    format!(r#"{{"schemaVersion":2,"manifests":[{entries}]{more}}}"#)
}

fn parse(text: &str, content_type: Option<&str>) -> Result<Manifest, ManifestError> {
    Manifest::parse(text.as_bytes(), content_type)
}

/// R30, R44, R45, R48.
#[test]
fn the_kind_comes_from_header_then_body_then_shape() {
    let typed = |kind: &str| image(&format!(r#","mediaType":"{kind}""#));
    for (text, header, kind) in [
        (image(""), Some(OCI_MANIFEST), ManifestKind::OciManifest),
        (image(""), Some(DOCKER_MANIFEST), ManifestKind::DockerManifest),
        (image(""), Some("application/vnd.oci.image.manifest.v1+json; charset=utf-8"), ManifestKind::OciManifest),
        (typed(DOCKER_MANIFEST), None, ManifestKind::DockerManifest),
        (typed(DOCKER_MANIFEST), Some(""), ManifestKind::DockerManifest),
        (typed(OCI_MANIFEST), Some(OCI_MANIFEST), ManifestKind::OciManifest),
        (image(""), None, ManifestKind::OciManifest),
        (image(r#","mediaType":null"#), None, ManifestKind::OciManifest),
        (index("", ""), None, ManifestKind::OciIndex),
        (index("", ""), Some(DOCKER_LIST), ManifestKind::DockerList),
    ] {
        let manifest = parse(&text, header).unwrap();
        assert_eq!((manifest.kind, manifest.media_type.as_str()), (kind, kind.media_type()), "{text} {header:?}");
    }
    assert_eq!(parse(r#"{"schemaVersion":2}"#, None), Err(ManifestError::NoMediaType));
}

/// R46.
#[test]
fn header_and_body_must_agree() {
    let text = image(&format!(r#","mediaType":"{OCI_MANIFEST}""#));
    let error = parse(&text, Some(DOCKER_MANIFEST)).unwrap_err();
    assert_eq!(error.to_string(), format!("mediaType in manifest should be '{DOCKER_MANIFEST}' not '{OCI_MANIFEST}'"));
    assert_eq!((error.code(), error.status()), (ErrorCode::ManifestInvalid, 400));
    let text = image(&format!(r#","mediaType":"{DOCKER_MANIFEST}""#));
    assert_eq!(
        parse(&text, Some(OCI_MANIFEST)).unwrap_err().to_string(),
        format!("if present, mediaType in manifest should be '{OCI_MANIFEST}' not '{DOCKER_MANIFEST}'")
    );
}

/// R47.
#[test]
fn a_document_is_either_manifest_or_index() {
    for (text, header) in [
        (image(r#","manifests":[]"#), OCI_MANIFEST),
        (index("", r#","layers":[]"#), OCI_INDEX),
        (index("", &format!(",{}", config())), OCI_INDEX),
        (index("", &format!(",{}", config())), OCI_MANIFEST),
    ] {
        assert_eq!(parse(&text, Some(header)), Err(ManifestError::Ambiguous), "{text}");
        assert_eq!(parse(&text, None), Err(ManifestError::Ambiguous), "{text}");
    }
    assert_eq!(parse(&index("", ""), Some(OCI_MANIFEST)).unwrap_err().to_string(), "ocimanifest: expected manifest but found index");
    assert_eq!(parse(&image(""), Some(DOCKER_LIST)), Err(ManifestError::Shape { kind: ManifestKind::DockerList }));
    assert_eq!(parse(r#"{"schemaVersion":2,"layers":[]}"#, Some(OCI_MANIFEST)), Err(ManifestError::Missing("config")));
    assert_eq!(parse(r#"{"schemaVersion":2}"#, Some(OCI_INDEX)), Err(ManifestError::Missing("manifests")));
}

/// R49.
#[test]
fn only_schema_version_2_is_accepted() {
    for version in ["1", "3", r#""2""#, "2.0", "null", "[2]", "-2", "20"] {
        let text = image("").replace(r#""schemaVersion":2"#, &format!(r#""schemaVersion":{version}"#));
        let error = parse(&text, Some(OCI_MANIFEST)).unwrap_err();
        let expected = if version == "1" { "schema version 1" } else { "schemaVersion must be 2" };
        assert!(error.to_string().contains(expected), "{version}: {error}");
    }
    let text = image("").replace(r#""schemaVersion":2,"#, "");
    assert_eq!(parse(&text, None), Err(ManifestError::SchemaVersion("absent".into())));
    for old in [DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED] {
        assert_eq!(parse(&image(""), Some(old)), Err(ManifestError::Schema1));
    }
    for other in ["application/json", "application/vnd.oci.artifact.manifest.v1+json", "text/plain; a=b"] {
        assert!(matches!(parse(&image(""), Some(other)), Err(ManifestError::UnsupportedMediaType(_))), "{other}");
    }
}

/// R50.
#[test]
fn broken_documents_are_refused() {
    let good = image("");
    for text in [
        "",
        " ",
        "[]",
        "null",
        "2",
        "{",
        r#"{"schemaVersion": 2, "#,
        "\u{feff}{}",
        &format!("{good}x"),
        &format!("{good}{good}"),
        &good.replace("[]", "{}"),
        &good.replace("[]", "[null]"),
        &good.replace("[]", r#"[["a/b","sha256:x",1]]"#),
        &image(r#","schemaVersion":2"#),
        &image(r#","x":1,"x":1"#),
        &image(r#","layers":[]"#),
        &image(r#","medi\u0061Type":"a","mediaType":"a""#),
        &image(r#","annotations":{"a":"1","\u0061":"2"}"#),
        &image(r#","annotations":[]"#),
        &image(r#","artifactType":1"#),
        &image(r#","subject":"x""#),
    ] {
        let error = parse(text, Some(OCI_MANIFEST)).unwrap_err();
        assert!(matches!(error, ManifestError::Json(_)), "{text}: {error:?}");
    }
    assert_eq!(parse("", Some(OCI_MANIFEST)).unwrap_err().to_string(), "unexpected end of JSON input");
    let mut latin = image(r#","x":"?""#).into_bytes();
    let at = latin.iter().position(|b| *b == b'?').unwrap();
    latin[at] = 0xe9;
    assert_eq!(Manifest::parse(&latin, None), Err(ManifestError::NotUtf8));
    let deep = image(&format!(r#","x":{}{}"#, "[".repeat(100_000), "]".repeat(100_000)));
    let _ = parse(&deep, None);
}

/// R29, R51, R52, R53.
#[test]
fn unknown_things_and_white_space_are_accepted() {
    for text in [
        format!("\n {} \r\n\t ", image("")),
        image(r#","newUnspecifiedField":{"a":[1,2,{"b":null}],"a":1}"#),
        image(r#","artifactType":"application/vnd.example+type","annotations":null,"subject":null"#),
        image("").replace(r#""layers":[]"#, r#""layers":null"#),
        image("").replace(r#","layers":[]"#, ""),
        image("").replace(OCI_CONFIG, "application/vnd.anything"),
        image("").replace(OCI_CONFIG, ""),
    ] {
        let manifest = parse(&text, Some(OCI_MANIFEST)).unwrap();
        assert!(manifest.layers.is_empty(), "{text}");
    }
    assert!(parse(r#"{"schemaVersion":2,"manifests":null}"#, Some(OCI_INDEX)).unwrap().manifests.is_empty());
}

/// R54 and section 6: descriptors are checked and named in the message.
#[test]
fn broken_descriptors_are_refused_by_place() {
    let layer = descriptor("a/b", "layer");
    for (entry, words) in [
        (layer.replace("sha256:", "sha256:0"), "layers[1]: digest"),
        (layer.replace("sha256:", "md5:"), "layers[1]: digest"),
        (layer.replace(r#""size":5"#, r#""size":-5"#), "layers[1]: size -5 is negative"),
        (layer.replace(r#","size":5"#, ""), "layers[1]: size is missing"),
        (layer.replace('}', r#","data":"bGF5ZXI"}"#), "layers[1]: data is not base64"),
        (layer.replace('}', r#","data":"bGF5ZXM="}"#), "layers[1]: data does not match"),
    ] {
        let text = image("").replace("[]", &format!("[{layer},{entry}]"));
        let error = parse(&text, None).unwrap_err().to_string();
        assert!(error.starts_with(words), "{error}");
    }
    let text = image("").replace("[]", &format!("[{}]", layer.replace('}', r#","data":"bGF5ZXI="}"#)));
    assert_eq!(parse(&text, None).unwrap().layers[0].data.as_deref(), Some("bGF5ZXI="));
}

/// R43.
#[test]
fn four_mebibytes_are_accepted_and_one_byte_more_is_not() {
    let mut text = image("");
    text.push_str(&" ".repeat(MAX_MANIFEST_BYTES - text.len()));
    assert!(parse(&text, None).is_ok());
    text.push(' ');
    let error = parse(&text, None).unwrap_err();
    assert_eq!((error.code(), error.status()), (ErrorCode::SizeInvalid, 413));
    // What the conformance suite pushes: 390 annotations of 10 000 bytes.
    let pairs: Vec<String> = (0..390).map(|i| format!(r#""k{i}":"{}""#, "v".repeat(10_000))).collect();
    let large = image(&format!(r#","annotations":{{{}}}"#, pairs.join(",")));
    assert_eq!(parse(&large, None).unwrap().annotations.len(), 390);
}

#[test]
fn counts_are_bounded() {
    let many = vec!["{}"; MAX_LAYERS + 1].join(",");
    let error = parse(&image("").replace("[]", &format!("[{many}]")), None).unwrap_err().to_string();
    assert!(error.contains("more than 10000 entries"), "{error}");
    let members: Vec<String> = (0..MAX_MEMBERS).map(|i| format!(r#""m{i}":0"#)).collect();
    let error = parse(&image(&format!(",{}", members.join(","))), None).unwrap_err().to_string();
    assert!(error.contains("more than 1000 members"), "{error}");
    let error = parse(&image(&format!(r#","mediaType":"{}""#, "x".repeat(100_000))), Some(OCI_MANIFEST)).unwrap_err();
    assert!(error.to_string().len() < 1_000);
}

/// R57, R58, and duplicate layers.
#[test]
fn required_blobs_are_config_and_distributable_layers_once() {
    let ordinary = descriptor("application/vnd.oci.image.layer.v1.tar", "one").replace('}', r#","urls":["https://x/1"]}"#);
    let foreign: Vec<String> = NONDISTRIBUTABLE.iter().map(|t| descriptor(t, t)).collect();
    let text = image("").replace("[]", &format!("[{ordinary},{},{ordinary}]", foreign.join(",")));
    let manifest = parse(&text, None).unwrap();
    assert_eq!(manifest.layers.len(), 7);
    let wanted: Vec<&Digest> = manifest.required_blobs().iter().map(|d| &d.digest).collect();
    assert_eq!(wanted, [&Digest::sha256(b"config"), &Digest::sha256(b"one")]);
    let foreign_bytes: u64 = NONDISTRIBUTABLE.iter().map(|t| t.len() as u64).sum();
    assert_eq!(manifest.total_size(100), 100 + 6 + 3 + 3 + foreign_bytes);
    assert_eq!(manifest.total_size(u64::MAX), i64::MAX.unsigned_abs());
}

/// R60, R61, R62.
#[test]
fn children_may_be_manifests_indexes_and_blobs_of_any_platform() {
    let with = |platform: &str, content: &str| descriptor(OCI_MANIFEST, content).replace('}', &format!(r#","platform":{platform}}}"#));
    let entries = [
        with(r#"{"architecture":"arm64","os":"linux","variant":"v8"}"#, "a"),
        with(r#"{"architecture":"unknown","os":"unknown"}"#, "b"),
        with("null", "c"),
        with(r#"{"os.features":["win32k"]}"#, "a"),
        descriptor(OCI_INDEX, "d"),
        descriptor("application/vnd.buildkit.cacheconfig.v0", "e"),
    ];
    let manifest = parse(&index(&entries.join(","), ""), Some(OCI_INDEX)).unwrap();
    assert_eq!(manifest.manifests.len(), 6);
    let kinds: Vec<bool> = manifest.children().iter().map(|d| d.is_manifest()).collect();
    assert_eq!(kinds, [true, true, true, true, false]);
    assert!(manifest.required_blobs().is_empty());
    assert_eq!(manifest.total_size(10), 10);
}

/// R65.
#[test]
fn sha512_descriptors_are_accepted() {
    let digest = Digest::of(Algorithm::Sha512, b"config");
    let text = image("").replace(Digest::sha256(b"config").as_str(), digest.as_str());
    assert_eq!(parse(&text, None).unwrap().required_blobs()[0].digest, digest);
}

/// R71, R145.
#[test]
fn referrers_carry_their_effective_type() {
    let subject = format!(r#","subject":{}"#, descriptor(OCI_MANIFEST, "s"));
    let sizeless = subject.replace(r#","size":1"#, "");
    for (text, expected) in [
        (image(&format!(r#"{subject},"artifactType":"a/b""#)), Some("a/b")),
        (image(&format!(r#"{subject},"artifactType":"""#)), Some(OCI_CONFIG)),
        (image(&sizeless), Some(OCI_CONFIG)),
        (image(&subject).replace(OCI_CONFIG, ""), None),
        (index("", &subject), None),
        (index("", &format!(r#"{subject},"artifactType":"a/b""#)), Some("a/b")),
    ] {
        let manifest = parse(&text, None).unwrap();
        assert_eq!(manifest.referrer_artifact_type(), expected, "{text}");
        assert_eq!(manifest.subject.unwrap().digest, Digest::sha256(b"s"));
    }
    assert!(parse(&image("").replace(r#","size":6"#, ""), None).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..300), header in proptest::option::of("\\PC{0,40}")) {
        let _ = Manifest::parse(&bytes, header.as_deref());
    }

    #[test]
    fn any_damage_to_a_good_document_is_answered(at in 0usize..400, byte: u8) {
        let mut bytes = image(r#","annotations":{"k":"v"},"subject":null"#).into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = Manifest::parse(&bytes, None);
    }
}
