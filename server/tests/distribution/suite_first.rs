//! The conformance suite of version 1.1.1, its four categories in its order.

use serde_json::{Value, json};

use crate::document::{Document, EMPTY, EMPTY_TYPE, OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, described};
use crate::kit::{Kit, Repo, noise, sha256, with_digest};

testkit::tests! {
    Kit;
    pull,
    push,
    discovery_of_tags,
    discovery_of_referrers,
    management_with_manifests_first,
    management_with_blobs_first,
}

/// The suite's image: a config with `data` and an unknown member.
async fn image(repo: &Repo, seed: &str) -> Document {
    use base64::Engine as _;
    let config = format!(r#"{{"architecture":"amd64","os":"linux","author":"{seed}","rootfs":{{"type":"layers","diff_ids":[]}}}}"#);
    let layer = format!("NBA Jam on my NBA toes {seed}");
    repo.blob(config.clone()).await;
    repo.blob(layer.clone()).await;
    let mut value =
        json!({"schemaVersion": 2, "config": described(OCI_CONFIG, config.as_bytes()), "layers": [described(OCI_LAYER, layer.as_bytes())]});
    value["config"]["data"] = base64::prelude::BASE64_STANDARD.encode(&config).into();
    value["config"]["newUnspecifiedField"] = "eyJhbGciOiJSUzI1NiJ9".into();
    // Without mediaType in the body, as the suite pushes it.
    Document { media_type: OCI_MANIFEST.into(), bytes: value.to_string().into() }
}

async fn pull(kit: Kit) {
    let repo = kit.repo().await;
    let image = image(&repo, "pull").await;
    let blob = repo.blob("pulled blob").await;
    for reference in ["tagtest0", &image.digest()] {
        let _ = repo.push(reference, &image).await.expect(201);
    }
    let dummy = sha256("hello world");
    for (rest, status) in [
        (format!("blobs/{dummy}"), 404),
        (format!("blobs/{blob}"), 200),
        ("manifests/.INVALID_MANIFEST_NAME".to_owned(), 404),
        (format!("manifests/{}", image.digest()), 200),
        ("manifests/tagtest0".to_owned(), 200),
    ] {
        let accept = |call: testkit::client::Call| call.header("accept", OCI_MANIFEST);
        let head = accept(repo.head(&rest)).send().await.expect(status);
        let get = accept(repo.get(&rest)).send().await.expect(status);
        if status == 200 && rest.starts_with("manifests") {
            assert_eq!(
                (head.header("docker-content-digest"), get.header("docker-content-digest")),
                (image.digest().as_str(), image.digest().as_str())
            );
        }
    }
    let wrong = repo.get("manifests/sha256:totallywrong").send().await;
    assert!(wrong.status == 404 || (wrong.status == 400 && !wrong.code().is_empty()), "{wrong:?}");
}

async fn push(kit: Kit) {
    let repo = kit.repo().await;
    let (blob, chunks) = (noise(11, 42), noise(12, 42));
    let (digest, chunked) = (sha256(&blob), sha256(&chunks));
    let octets = |call: testkit::client::Call| call.header("content-type", "application/octet-stream");
    let patched = octets(repo.client.patch(&repo.start().await)).body(blob.clone()).send().await.expect(202);
    let _ = octets(repo.client.put(&with_digest(&patched.location(), &digest))).send().await.expect(201);
    let posted = octets(repo.post(&format!("blobs/uploads/?digest={}", sha256("single")))).body("single").send().await.expect(201);
    let _ = repo.client.get(&posted.location()).send().await.expect(200);
    let put = octets(repo.client.put(&with_digest(&repo.start().await, &digest))).body(blob.clone()).send().await.expect(201);
    let _ = repo.client.get(&put.location()).send().await.expect(200);
    // Chunks: the second first, the first, the first again, and the session asked by its oldest address.
    let oldest = repo.start().await;
    let first = || octets(repo.client.patch(&oldest)).header("content-range", "0-21").body(chunks.slice(..22)).send();
    let early = octets(repo.client.patch(&oldest)).header("content-range", "22-41").body(chunks.slice(22..)).send().await;
    let _ = early.expect(416);
    let taken = first().await.expect(202);
    assert_eq!(taken.header("range"), "0-21");
    let _ = first().await.expect(416);
    let stale = repo.client.get(&oldest).send().await.expect(204);
    assert_eq!(stale.header("range"), "0-21");
    let second =
        octets(repo.client.patch(&stale.location())).header("content-range", "22-41").body(chunks.slice(22..)).send().await.expect(202);
    let _ = repo.client.put(&with_digest(&second.location(), &chunked)).header("content-length", "0").send().await.expect(201);
    mounts(&kit, &repo, &digest).await;
    let image = image(&repo, "push").await;
    for n in 0..4 {
        let reply = repo.push(&format!("test{n}"), &image).await.expect(201);
        assert!(!reply.location().is_empty());
    }
    let bare = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": described(OCI_CONFIG, &blob), "layers": []});
    let _ = repo.push("emptylayer", &Document::new(&bare)).await.expect(201);
    let _ = repo.client.get(&repo.push(&image.digest(), &image).await.expect(201).location()).send().await.expect(200);
}

async fn mounts(kit: &Kit, repo: &Repo, digest: &str) {
    let other = kit.repo().await;
    let dummy = sha256("hello world");
    let missing = other.post(&format!("blobs/uploads/?mount={dummy}&from={}", repo.name)).send().await.expect(202);
    assert!(missing.location().starts_with(&other.path("blobs/uploads/")));
    let mounted = other.post(&format!("blobs/uploads/?mount={digest}&from={}", repo.name)).send().await.expect(201);
    assert_eq!(mounted.location(), other.path(&format!("blobs/{digest}")));
    let _ = repo.client.get(&mounted.location()).send().await.expect(200);
    let _ = other.post(&format!("blobs/uploads/?mount={dummy}")).send().await.expect(202);
    let _ = other.post(&format!("blobs/uploads/?mount={digest}")).send().await.expect(202);
}

async fn discovery_of_tags(kit: Kit) {
    let repo = kit.repo().await;
    let image = image(&repo, "discovery").await;
    for n in 0..4 {
        let _ = repo.push(&format!("test{n}"), &image).await.expect(201);
    }
    let tags = repo.tags().await;
    let half = tags.len() / 2;
    let list = |reply: testkit::client::Reply| reply.json()["tags"].as_array().expect("an array").clone();
    let page = list(repo.get(&format!("tags/list?n={half}")).send().await.expect(200));
    assert_eq!(page, tags[..half]);
    let rest = list(repo.get(&format!("tags/list?n={half}&last={}", tags[half - 1])).send().await.expect(200));
    assert_eq!(rest, tags[half..]);
}

async fn discovery_of_referrers(kit: Kit) {
    let repo = kit.repo().await;
    let subject = image(&repo, "referrers").await;
    let absent = json!({"mediaType": OCI_MANIFEST, "digest": sha256("absent"), "size": 6});
    repo.blob(EMPTY).await;
    let (type_a, type_b) = ("application/vnd.nhl.peanut.butter.bagel", "application/vnd.nba.strawberry.jam.croissant");
    let referrer = |artifact_type: &str, config: &str, note: &str, subject: &Value| {
        let mut value = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": described(config, EMPTY.as_bytes()),
            "layers": [described(EMPTY_TYPE, EMPTY.as_bytes())], "subject": subject, "annotations": {"note": note}});
        if !artifact_type.is_empty() {
            value["artifactType"] = artifact_type.into();
        }
        Document::new(&value)
    };
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "artifactType": type_a, "manifests": [subject.descriptor()], "subject": subject.descriptor(), "annotations": {"note": "index"}});
    let about = subject.descriptor();
    let five = [
        referrer(type_a, EMPTY_TYPE, "a by type", &about),
        referrer("", type_a, "a by config", &about),
        referrer(type_b, EMPTY_TYPE, "b by type", &about),
        referrer("", type_b, "b by config", &about),
        Document::new(&index),
    ];
    for (n, document) in five.iter().enumerate() {
        if n == 2 {
            // The subject comes in the middle.
            let _ = repo.push("subject", &subject).await.expect(201);
        }
        if n == 4 {
            let _ = repo.push(&subject.digest(), &subject).await.expect(201);
        }
        let reply = repo.push(&document.digest(), document).await.expect(201);
        assert_eq!(reply.header("oci-subject"), subject.digest());
    }
    let orphan = referrer(type_a, EMPTY_TYPE, "of nothing", &absent);
    assert_eq!(repo.push(&orphan.digest(), &orphan).await.expect(201).header("oci-subject"), sha256("absent"));
    let list = async |digest: &str, query: &str| {
        let reply = repo.get(&format!("referrers/{digest}{query}")).send().await.expect(200);
        assert_eq!(reply.header("content-type"), OCI_INDEX);
        reply.json()["manifests"].as_array().expect("an array").clone()
    };
    let entries = list(&subject.digest(), "").await;
    assert_eq!(entries.len(), 5);
    assert!(entries.iter().all(|entry| entry["annotations"].as_object().is_some_and(|all| all.len() == 1)));
    assert_eq!(list(&subject.digest(), &format!("?artifactType={type_a}")).await.len(), 3);
    assert_eq!(list(&subject.digest(), &format!("?artifactType={type_b}")).await.len(), 2);
    assert_eq!(list(&sha256("absent"), "").await.len(), 1);
    assert_eq!(list(&sha256("dummy"), "").await.len(), 0);
}

async fn management_with_manifests_first(kit: Kit) {
    management(&kit, true).await;
}

async fn management_with_blobs_first(kit: Kit) {
    management(&kit, false).await;
}

async fn management(kit: &Kit, manifests_first: bool) {
    let repo = kit.repo().await;
    let (kept, image) = (image(&repo, "kept").await, image(&repo, "managed").await);
    let _ = repo.push("kept", &kept).await.expect(201);
    for tag in ["tagtest0", "tagtest1"] {
        let _ = repo.push(tag, &image).await.expect(201);
    }
    let value: Value = serde_json::from_slice(&image.bytes).expect("JSON");
    let blobs = [&value["config"], &value["layers"][0]].map(|part| part["digest"].as_str().expect("a digest").to_owned());
    let delete_blobs = async || {
        for digest in &blobs {
            let reply = repo.delete(&format!("blobs/{digest}")).send().await;
            assert!([202, 404, 405].contains(&reply.status), "{reply:?}");
            assert_eq!(reply.status == 405, repo.blob_status(digest).await == 200);
        }
    };
    if !manifests_first {
        delete_blobs().await;
        // What the image needs is still there.
        assert_eq!(repo.blob_status(&blobs[0]).await, 200);
    }
    repo.delete("manifests/tagtest0").send().await.expect_error(400, "UNSUPPORTED");
    let before = repo.tags().await.len();
    let _ = repo.delete(&format!("manifests/{}", image.digest())).send().await.expect(202);
    for reference in ["tagtest0", "tagtest1", &image.digest()] {
        assert_eq!(repo.manifest_status(reference).await, 404);
    }
    assert!(repo.tags().await.len() < before);
    delete_blobs().await;
    for digest in &blobs {
        assert_eq!(repo.get(&format!("blobs/{digest}")).send().await.status, 404);
    }
    assert_eq!(repo.get("manifests/kept").send().await.expect(200).body, kept.bytes);
}
