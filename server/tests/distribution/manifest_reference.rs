//! R55 to R66: what manifests refer to, and the digest under which they are pushed.

use serde_json::{Value, json};

use crate::document::{DOCKER_LIST, DOCKER_MANIFEST, Document, EMPTY, EMPTY_TYPE, OCI_CONFIG, OCI_INDEX, OCI_LAYER, described, image};
use crate::kit::{Kit, Repo, sha256, sha512};

testkit::tests! {
    Kit;
    r055_missing_contents_are_named,
    r056_a_blob_of_another_repository_is_missing,
    r057_foreign_layers_need_no_blob,
    r058_urls_excuse_no_ordinary_layer,
    r059_a_missing_child_is_named,
    r060_an_index_may_hold_layers,
    r060_r061_an_index_holds_children_of_all_kinds,
    r061_indexes_may_be_nested,
    r062_platforms_may_be_anything,
    r063_other_bytes_than_the_digest_says_are_refused,
    r064_r066_digests_that_cannot_be_are_refused,
    r065_everything_works_by_sha512,
}

fn missing(reply: &testkit::client::Reply) -> Vec<String> {
    let errors = reply.json()["errors"].as_array().cloned().unwrap_or_default();
    assert!(errors.iter().all(|error| error["code"] == "MANIFEST_BLOB_UNKNOWN"), "{reply:?}");
    errors.iter().map(|error| error["detail"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn r055_missing_contents_are_named(kit: Kit) {
    let repo = kit.repo().await;
    repo.blob("here").await;
    let reply = repo.push("t", &Document::image(b"no config", &[b"here", b"no layer", b"no layer"])).await.expect(400);
    assert_eq!(missing(&reply), [sha256("no config"), sha256("no layer")]);
    assert_eq!(repo.manifest_status("t").await, 404);
    let unknown = repo.sibling("unknown").push("t", &Document::image(b"a", &[])).await.expect(400);
    assert_eq!(missing(&unknown), [sha256("a")]);
    // A repository that no manifest reached is not there.
    assert_eq!(repo.sibling("unknown").get("tags/list").send().await.status, 404);
}

async fn r056_a_blob_of_another_repository_is_missing(kit: Kit) {
    let (repo, stranger) = (kit.repo().await, kit.repo().await);
    repo.sibling("other").blob("r056").await;
    stranger.blob("r056").await;
    repo.blob("{}").await;
    let reply = repo.push("t", &Document::image(b"{}", &[b"r056"])).await.expect(400);
    assert_eq!(missing(&reply), [sha256("r056")]);
}

async fn r057_foreign_layers_need_no_blob(kit: Kit) {
    let repo = kit.repo().await;
    repo.blob("{}").await;
    let kinds = [
        "application/vnd.docker.image.rootfs.foreign.diff.tar",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    ];
    for kind in kinds {
        for urls in [json!(["https://example.com/layer"]), json!([])] {
            let mut value = image(b"{}", &[kind.as_bytes()]);
            value["layers"][0]["mediaType"] = kind.into();
            value["layers"][0]["urls"] = urls;
            let _ = repo.push("t", &Document::new(&value)).await.expect(201);
        }
    }
}

async fn r058_urls_excuse_no_ordinary_layer(kit: Kit) {
    let repo = kit.repo().await;
    repo.blob("{}").await;
    let mut value = image(b"{}", &[b"r058"]);
    value["layers"][0]["urls"] = json!(["https://example.com/layer"]);
    let reply = repo.push("t", &Document::new(&value)).await.expect(400);
    assert_eq!(missing(&reply), [sha256("r058")]);
}

async fn r059_a_missing_child_is_named(kit: Kit) {
    let repo = kit.repo().await;
    let (here, absent) = (repo.tagged("here").await, repo.image("absent").await);
    let reply = repo.push("t", &Document::index(&[&here, &absent])).await.expect(400);
    assert_eq!(missing(&reply), [absent.digest()]);
    // A child must be in this repository.
    let other = repo.sibling("other").push("t", &Document::index(&[&here])).await.expect(400);
    assert_eq!(missing(&other), [here.digest()]);
}

async fn r060_an_index_may_hold_layers(kit: Kit) {
    let repo = kit.repo().await;
    let cache = "application/vnd.buildkit.cacheconfig.v0";
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        described("application/vnd.oci.image.layer.v1.tar+gzip", b"cached layer"), described(cache, b"cache config")]});
    let index = Document::new(&index);
    let reply = repo.push("cache", &index).await.expect(400);
    assert_eq!(missing(&reply), [sha256("cached layer"), sha256("cache config")]);
    repo.blob("cached layer").await;
    repo.blob("cache config").await;
    let _ = repo.push("cache", &index).await.expect(201);
    assert_eq!(repo.get("manifests/cache").send().await.expect(200).body, index.bytes);
}

/// A document with white space that no writer of JSON would leave, so that only the same bytes are the same.
fn spaced(value: &Value) -> Document {
    let document = Document::new(value);
    let text = serde_json::to_string_pretty(value).expect("JSON").replace("\": ", "\"\t:  ");
    Document { media_type: document.media_type, bytes: format!("{text}\r\n ").into() }
}

/// A Docker image whose blobs are pushed and whose manifest is not.
async fn docker_image(repo: &Repo) -> Document {
    let (config, layer) = (r#"{"architecture":"arm64","os":"linux"}"#, "layer of a Docker image");
    repo.blob(config).await;
    repo.blob(layer).await;
    Document::new(&json!({"schemaVersion": 2, "mediaType": DOCKER_MANIFEST,
        "config": described("application/vnd.docker.container.image.v1+json", config.as_bytes()),
        "layers": [described("application/vnd.docker.image.rootfs.diff.tar.gzip", layer.as_bytes())]}))
}

async fn r060_r061_an_index_holds_children_of_all_kinds(kit: Kit) {
    let repo = kit.repo().await;
    let (oci, docker, inner) = (repo.image("outer").await, docker_image(&repo).await, repo.image("inner").await);
    let nested = Document::index(&[&inner]);
    repo.blob(EMPTY).await;
    let mut artifact = image(EMPTY.as_bytes(), &[EMPTY.as_bytes()]);
    artifact["config"]["mediaType"] = EMPTY_TYPE.into();
    artifact["artifactType"] = "application/vnd.example.thing".into();
    let artifact = Document::new(&artifact);
    repo.blob("a blob as a child").await;
    for child in [&oci, &docker, &inner, &nested, &artifact] {
        let _ = repo.push(&child.digest(), child).await.expect(201);
    }
    let mut children: Vec<Value> = [&oci, &docker, &nested, &artifact].map(Document::descriptor).to_vec();
    children[0]["platform"] = json!({"architecture": "amd64", "os": "linux"});
    children[1]["platform"] = json!({"architecture": "arm64", "os": "linux", "variant": "v8"});
    children[3]["artifactType"] = "application/vnd.example.thing".into();
    children.push(described("application/vnd.buildkit.cacheconfig.v0", b"a blob as a child"));
    for media_type in [OCI_INDEX, DOCKER_LIST] {
        let index = spaced(&json!({"schemaVersion": 2, "mediaType": media_type, "manifests": children}));
        let reply = repo.push("mixed", &index).await.expect(201);
        assert_eq!(reply.header("docker-content-digest"), index.digest());
        for reference in ["mixed".to_owned(), index.digest()] {
            let reply = repo.get(&format!("manifests/{reference}")).header("accept", media_type).send().await.expect(200);
            assert_eq!((reply.header("content-type"), &reply.body), (media_type, &index.bytes), "{reference}");
            assert_eq!(reply.header("docker-content-digest"), index.digest());
        }
    }
    // What they hold is still what was pushed, each under its own type.
    for child in [&oci, &docker, &inner, &nested, &artifact] {
        let reply = repo.get(&format!("manifests/{}", child.digest())).send().await.expect(200);
        assert_eq!((reply.header("content-type"), &reply.body), (child.media_type.as_str(), &child.bytes));
    }
}

async fn r061_indexes_may_be_nested(kit: Kit) {
    let repo = kit.repo().await;
    let mut documents = vec![repo.image("r061").await];
    for _ in 0..3 {
        documents.push(Document::index(&[&documents[documents.len() - 1]]));
    }
    for document in &documents {
        let _ = repo.push(&document.digest(), document).await.expect(201);
    }
    for document in &documents {
        assert_eq!(repo.get(&format!("manifests/{}", document.digest())).send().await.expect(200).body, document.bytes);
    }
}

async fn r062_platforms_may_be_anything(kit: Kit) {
    let repo = kit.repo().await;
    let platforms = [
        Value::Null,
        json!({"architecture": "unknown", "os": "unknown"}),
        json!({"architecture": "arm", "os": "linux", "variant": "v7"}),
        json!({"architecture": "amd64", "os": "windows", "os.version": "10.0.1", "os.features": ["win32k"]}),
        json!({}),
    ];
    let mut children = Vec::new();
    for (n, platform) in platforms.into_iter().enumerate() {
        let mut child = repo.tagged(&format!("t{n}")).await.descriptor();
        child["platform"] = platform;
        children.push(child);
    }
    children.push(repo.tagged("without").await.descriptor());
    let index = Document::new(&json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children}));
    let _ = repo.push("all", &index).await.expect(201);
}

async fn r063_other_bytes_than_the_digest_says_are_refused(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.image("r063").await;
    let spaced = Document { media_type: image.media_type.clone(), bytes: [&image.bytes[..], b"  "].concat().into() };
    repo.push(&image.digest(), &spaced).await.expect_error(400, "DIGEST_INVALID");
    repo.push(&image.sha512(), &spaced).await.expect_error(400, "DIGEST_INVALID");
    for digest in [image.digest(), spaced.digest(), image.sha512()] {
        assert_eq!(repo.manifest_status(&digest).await, 404);
    }
}

async fn r064_r066_digests_that_cannot_be_are_refused(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.image("r064").await;
    for digest in ["sha256:baddigeststring", "md5:d41d8cd98f00b204e9800998ecf8427e", "blake3:00", "sha384:ab", "sha256:"] {
        let reply = repo.push(digest, &image).await.expect(400);
        assert!(!reply.code().is_empty(), "{reply:?}");
    }
    assert_eq!(repo.get("tags/list").send().await.status, 404);
}

async fn r065_everything_works_by_sha512(kit: Kit) {
    let repo = kit.repo().await;
    let (config, layer) = (EMPTY, "layer by sha512");
    for content in [config, layer] {
        let location = repo.start().await;
        let reply = repo.finish(&location, &sha512(content), content).await.expect(201);
        assert_eq!(reply.header("docker-content-digest"), sha512(content));
    }
    let by_sha512 = |kind: &str, content: &str| json!({"mediaType": kind, "digest": sha512(content), "size": content.len()});
    let image = json!({"schemaVersion": 2, "mediaType": crate::document::OCI_MANIFEST,
        "config": by_sha512(OCI_CONFIG, config), "layers": [by_sha512(OCI_LAYER, layer)]});
    let image = Document::new(&image);
    let _ = repo.push(&image.sha512(), &image).await.expect(201);
    let mut child = image.descriptor();
    child["digest"] = image.sha512().into();
    let index = Document::new(&json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]}));
    let _ = repo.push(&index.sha512(), &index).await.expect(201);
    for (rest, bytes) in [
        (format!("manifests/{}", image.sha512()), image.bytes.clone()),
        (format!("manifests/{}", index.sha512()), index.bytes.clone()),
        (format!("blobs/{}", sha512(layer)), layer.into()),
    ] {
        let reply = repo.get(&rest).send().await.expect(200);
        assert_eq!(reply.body, bytes);
        assert!(rest.ends_with(reply.header("docker-content-digest")));
    }
    docker_by_sha512(&repo, layer).await;
}

/// A Docker manifest may be named by it, too.
async fn docker_by_sha512(repo: &Repo, layer: &str) {
    let mut value = image(EMPTY.as_bytes(), &[]);
    value["mediaType"] = DOCKER_MANIFEST.into();
    repo.blob(EMPTY).await;
    value["layers"] = json!([{"mediaType": OCI_LAYER, "digest": sha512(layer), "size": layer.len()}]);
    let document = Document::new(&value);
    let _ = repo.push(&document.sha512(), &document).await.expect(201);
    assert_eq!(repo.manifest_status(&document.sha512()).await, 200);
}
