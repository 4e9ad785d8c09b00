//! R29 to R40: reading manifests.

use bytes::Bytes;
use serde_json::json;

use crate::document::{DOCKER_LIST, DOCKER_MANIFEST, Document, OCI_INDEX, OCI_MANIFEST, image};
use crate::kit::{Kit, Repo};

testkit::tests! {
    Kit;
    r029_the_bytes_are_those_that_were_pushed,
    r030_the_type_is_the_one_pushed_without_parameters,
    r031_r035_head_and_get_have_the_same_headers,
    r032_r033_the_digest_is_the_one_asked_for,
    r034_what_the_client_has_is_304,
    r036_accept_changes_nothing,
    r037_what_is_not_there_is_404,
    r038_a_manifest_of_another_repository_is_not_readable,
    r039_a_manifest_is_no_blob,
    r040_ranges_of_manifests_are_ignored,
}

async fn r029_the_bytes_are_those_that_were_pushed(kit: Kit) {
    let repo = kit.repo().await;
    let plain = repo.image("r029").await;
    let text = String::from_utf8(plain.bytes.to_vec()).expect("text");
    // White space before, between and after, members in another order, escapes that say the same.
    let odd = format!(
        "\n {}\t\r\n  ",
        text.replacen("\"schemaVersion\":2", "\"annotations\" : {\"b\":\"\\u0041\",\"a\":\"\"} , \"schemaVersion\" : 2", 1)
    );
    for bytes in [plain.bytes.clone(), Bytes::from(format!("{text}\n")), Bytes::from(odd)] {
        let document = Document { media_type: OCI_MANIFEST.into(), bytes };
        let _ = repo.push("t", &document).await.expect(201);
        for reference in ["t".to_owned(), document.digest()] {
            let read = repo.get(&format!("manifests/{reference}")).send().await.expect(200);
            assert_eq!(read.body, document.bytes);
        }
    }
}

async fn r030_the_type_is_the_one_pushed_without_parameters(kit: Kit) {
    let repo = kit.repo().await;
    let oci = repo.image("r030").await;
    let docker = |kind: &str, from: &Document| Bytes::from(String::from_utf8_lossy(&from.bytes).replace(&from.media_type, kind));
    let schema2 = Document { media_type: DOCKER_MANIFEST.into(), bytes: docker(DOCKER_MANIFEST, &oci) };
    let index = Document::index(&[&oci]);
    let _ = repo.push("oci", &oci).await.expect(201);
    let list = Document { media_type: DOCKER_LIST.into(), bytes: docker(DOCKER_LIST, &index) };
    for (tag, document) in [("a", &oci), ("b", &schema2), ("c", &index), ("d", &list)] {
        let kind = format!("{}; charset=utf-8", document.media_type);
        let put = repo.put(&format!("manifests/{tag}")).header("content-type", kind).body(document.bytes.clone());
        let _ = put.send().await.expect(201);
        assert_eq!(repo.get(&format!("manifests/{tag}")).send().await.header("content-type"), document.media_type);
        assert_eq!(repo.head(&format!("manifests/{}", document.digest())).send().await.header("content-type"), document.media_type);
    }
}

async fn r031_r035_head_and_get_have_the_same_headers(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.tagged("t").await;
    for reference in ["t".to_owned(), image.digest()] {
        let get = repo.get(&format!("manifests/{reference}")).send().await.expect(200);
        let head = repo.head(&format!("manifests/{reference}")).send().await.expect(200);
        assert!(head.body.is_empty());
        for name in ["content-type", "content-length", "docker-content-digest", "etag"] {
            assert_eq!(get.header(name), head.header(name), "{name}");
        }
        assert_eq!(head.length(), image.bytes.len());
    }
}

async fn r032_r033_the_digest_is_the_one_asked_for(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.image("r032").await;
    let _ = repo.push("t", &image).await.expect(201);
    let _ = repo.push(&image.sha512(), &image).await.expect(201);
    for (reference, digest) in [("t".to_owned(), image.digest()), (image.digest(), image.digest()), (image.sha512(), image.sha512())] {
        for call in [repo.get(&format!("manifests/{reference}")), repo.head(&format!("manifests/{reference}"))] {
            assert_eq!(call.send().await.expect(200).header("docker-content-digest"), digest);
        }
    }
}

async fn r034_what_the_client_has_is_304(kit: Kit) {
    let repo = kit.repo().await;
    let digest = repo.tagged("t").await.digest();
    let etag = format!("\"{digest}\"");
    assert_eq!(repo.get("manifests/t").send().await.header("etag"), etag);
    for known in [etag.clone(), digest.clone(), format!("\"other\", {etag}"), format!("W/{etag}"), "*".into()] {
        for reference in ["t", &digest] {
            let reply = repo.get(&format!("manifests/{reference}")).header("if-none-match", &known).send().await.expect(304);
            assert!(reply.body.is_empty(), "{reply:?}");
            assert_eq!((reply.header("etag"), reply.header("docker-content-digest")), (etag.as_str(), digest.as_str()));
        }
    }
    let _ = repo.get("manifests/t").header("if-none-match", "\"sha256:other\"").send().await.expect(200);
}

async fn r036_accept_changes_nothing(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.tagged("t").await;
    let _ = repo.push("i", &Document::index(&[&image])).await.expect(201);
    let lines: [&[&str]; 7] = [
        &[],
        &["*/*"],
        &[DOCKER_MANIFEST],
        &["text/html"],
        &[OCI_INDEX, OCI_MANIFEST],
        &["application/vnd.docker.distribution.manifest.v1+prettyjws;q=0.1", "application/json;q=0"],
        &["nonsense;;q=,"],
    ];
    for (tag, kind) in [("t", OCI_MANIFEST), ("i", OCI_INDEX)] {
        for accept in lines {
            let call = accept.iter().fold(repo.get(&format!("manifests/{tag}")), |call, value| call.header("accept", value));
            assert_eq!(call.send().await.expect(200).header("content-type"), kind, "{accept:?}");
        }
    }
}

/// The code is MANIFEST_UNKNOWN or NAME_UNKNOWN by the letter; Harbor's is NOT_FOUND. A project that does not exist is 401.
async fn r037_what_is_not_there_is_404(kit: Kit) {
    let repo = kit.repo().await;
    repo.get("manifests/t").send().await.expect_error(404, "NOT_FOUND");
    let image = repo.tagged("t").await;
    let other = Document::new(&json!({"other": image.digest()})).digest();
    for reference in ["none", &other] {
        repo.get(&format!("manifests/{reference}")).send().await.expect_error(404, "NOT_FOUND");
        let _ = repo.head(&format!("manifests/{reference}")).send().await.expect(404);
    }
    kit.admin.get("/v2/there-is-none/app/manifests/t").send().await.expect_error(401, "UNAUTHORIZED");
}

async fn r038_a_manifest_of_another_repository_is_not_readable(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.tagged("t").await;
    let other: Repo = repo.sibling("other");
    other.tagged("mine").await;
    assert_eq!(other.manifest_status(&image.digest()).await, 404);
    assert_eq!(other.manifest_status("t").await, 404);
}

async fn r039_a_manifest_is_no_blob(kit: Kit) {
    let repo = kit.repo().await;
    let document = repo.tagged("t").await;
    let path = format!("blobs/{}", document.digest());
    repo.get(&path).send().await.expect_error(404, "BLOB_UNKNOWN");
    assert_eq!(repo.blob_status(&document.digest()).await, 404);
    // Pushed as a blob too, it is both.
    repo.blob(document.bytes.clone()).await;
    assert_eq!(repo.get(&path).send().await.expect(200).header("content-type"), "application/octet-stream");
    assert_eq!(repo.get("manifests/t").send().await.expect(200).header("content-type"), OCI_MANIFEST);
    // And a blob is no manifest.
    let blob = repo.blob(image(b"{}", &[]).to_string()).await;
    assert_eq!(repo.manifest_status(&blob).await, 404);
}

async fn r040_ranges_of_manifests_are_ignored(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.tagged("t").await;
    for range in ["bytes=0-9", "bytes=5-", "bytes=99999999-", "nonsense"] {
        let reply = repo.get("manifests/t").header("range", range).send().await.expect(200);
        assert_eq!(reply.body, image.bytes);
    }
}
