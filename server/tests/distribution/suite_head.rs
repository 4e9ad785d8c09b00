//! The conformance suite at its head, in its order: every data set is pushed, listed, read, deleted; then the blob tests by algorithm.

use bytes::Bytes;
use serde_json::Value;

use crate::document::{Document, OCI_INDEX, OCI_MANIFEST};
use crate::kit::{Kit, Repo, noise, sha256, sha512, with_digest};
use crate::suite_data::{DataSet, all as data_sets, push_blob};

testkit::tests! {
    Kit;
    every_data_set_goes_its_way,
    blobs_by_sha256,
    blobs_by_sha512,
    tag_parameters_are_taken,
    a_bad_digest_is_refused,
    what_was_never_pushed_is_missing,
    sparse_documents_are_refused_by_code,
}

async fn every_data_set_goes_its_way(kit: Kit) {
    let repo = kit.repo().await;
    for (n, set) in data_sets().iter().enumerate() {
        let repo = repo.sibling(&format!("set-{n}"));
        push(&repo, set).await;
        read(&repo, set).await;
        referrers(&repo, set).await;
        delete(&repo, set).await;
    }
}

async fn push(repo: &Repo, set: &DataSet) {
    for (way, (digest, content)) in set.blobs.iter().enumerate() {
        push_blob(repo, way, digest, content).await;
    }
    for (digest, document) in &set.documents {
        put(repo, digest, document).await;
    }
    for (tag, digest) in &set.tags {
        let document = set.documents.iter().find(|(d, _)| d == digest).expect("a document of the set");
        // A tag alone is for sha256; other algorithms are tagged by parameter.
        let reference = if digest.starts_with("sha256:") { tag.clone() } else { format!("{digest}?tag={tag}") };
        put(repo, &reference, &document.1).await;
    }
}

/// Chunked, as the suite pushes all manifests; the answer's address leads to what was pushed.
async fn put(repo: &Repo, reference: &str, document: &Document) {
    let call = repo.put(&format!("manifests/{reference}")).header("content-type", &document.media_type).chunked(document.bytes.clone());
    let reply = call.send().await.expect(201);
    let value: Value = serde_json::from_slice(&document.bytes).expect("JSON");
    assert_eq!(reply.find("oci-subject"), value["subject"]["digest"].as_str());
    if let Some(digest) = reference.split('?').next().filter(|reference| reference.contains(':')) {
        assert_eq!(reply.header("docker-content-digest"), digest);
    }
    let stored = repo.client.get(&reply.location()).send().await.expect(200);
    assert!(stored.body == document.bytes && stored.header("content-type") == document.media_type);
}

async fn read(repo: &Repo, set: &DataSet) {
    if !set.tags.is_empty() {
        let mut expected: Vec<&String> = set.tags.iter().map(|(tag, _)| tag).collect();
        expected.sort();
        assert_eq!(repo.tags().await.iter().collect::<Vec<_>>(), expected, "{}", set.name);
    }
    let by_tag = set.tags.iter().map(|(tag, digest)| (tag, digest));
    for (reference, digest) in set.documents.iter().map(|(digest, _)| (digest, digest)).chain(by_tag) {
        let document = &set.documents.iter().find(|(d, _)| d == digest).expect("a document of the set").1;
        for call in [repo.head(&format!("manifests/{reference}")), repo.get(&format!("manifests/{reference}"))] {
            // Two header lines, as the suite sends them.
            let reply = call.header("accept", OCI_INDEX).header("accept", OCI_MANIFEST).send().await.expect(200);
            assert_eq!(reply.header("content-type"), document.media_type);
            assert_eq!(reply.length(), document.bytes.len());
            assert!(reply.body.is_empty() || reply.body == document.bytes);
            if reference.contains(':') {
                assert_eq!(reply.header("docker-content-digest"), reference);
            }
        }
    }
    for (digest, content) in &set.blobs {
        let head = repo.head(&format!("blobs/{digest}")).send().await.expect(200);
        let get = repo.get(&format!("blobs/{digest}")).send().await.expect(200);
        assert_eq!((head.length(), head.header("docker-content-digest")), (content.len(), digest.as_str()));
        assert_eq!((get.length(), get.header("docker-content-digest"), &get.body), (content.len(), digest.as_str(), content));
    }
}

async fn referrers(repo: &Repo, set: &DataSet) {
    let subject = |document: &Document| {
        serde_json::from_slice::<Value>(&document.bytes).expect("JSON")["subject"]["digest"].as_str().map(str::to_owned)
    };
    for target in set.documents.iter().flat_map(|(digest, document)| [Some(digest.clone()), subject(document)]).flatten() {
        let expected: Vec<_> = set.documents.iter().filter(|(_, document)| subject(document).as_ref() == Some(&target)).collect();
        let list = repo.get(&format!("referrers/{target}")).send().await.expect(200);
        assert_eq!(list.header("content-type"), OCI_INDEX);
        let listed = list.json();
        let digests: Vec<_> = listed["manifests"].as_array().expect("an array").iter().map(|entry| entry["digest"].as_str()).collect();
        assert_eq!(digests, expected.iter().map(|(digest, _)| Some(digest.as_str())).collect::<Vec<_>>(), "{}", set.name);
        for kind in listed["manifests"].as_array().expect("an array").iter().filter_map(|entry| entry["artifactType"].as_str()) {
            let filtered = repo.get(&format!("referrers/{target}?artifactType={}", kind.replace('+', "%2B"))).send().await.expect(200);
            assert_eq!(filtered.header("oci-filters-applied"), "artifactType");
            let entries = filtered.json()["manifests"].as_array().expect("an array").clone();
            assert!(!entries.is_empty() && entries.iter().all(|entry| entry["artifactType"] == kind), "{filtered:?}");
        }
    }
}

/// Tags (refused here, which the suite counts as skipped), documents parents first, blobs; each is gone at once.
async fn delete(repo: &Repo, set: &DataSet) {
    for (tag, _) in &set.tags {
        repo.delete(&format!("manifests/{tag}")).send().await.expect_error(400, "UNSUPPORTED");
    }
    for (digest, _) in set.documents.iter().rev() {
        let reply = repo.delete(&format!("manifests/{digest}")).send().await;
        assert!([202, 404].contains(&reply.status), "{}: {reply:?}", set.name);
        let _ = repo.head(&format!("manifests/{digest}")).send().await.expect(404);
    }
    for (tag, _) in &set.tags {
        let _ = repo.head(&format!("manifests/{tag}")).send().await.expect(404);
    }
    for (digest, _) in &set.blobs {
        let reply = repo.delete(&format!("blobs/{digest}")).send().await;
        assert!([202, 404].contains(&reply.status), "{}: {reply:?}", set.name);
        let _ = repo.head(&format!("blobs/{digest}")).send().await.expect(404);
    }
}

async fn blobs_by_sha256(kit: Kit) {
    blob_tests(&kit, |content| sha256(content)).await;
}

async fn blobs_by_sha512(kit: Kit) {
    blob_tests(&kit, |content| sha512(content)).await;
}

async fn blob_tests(kit: &Kit, digest_of: fn(&[u8]) -> String) {
    let (repo, source) = (kit.repo().await, kit.repo().await);
    let missing = digest_of(b"missing");
    let _ = repo.head(&format!("blobs/{missing}")).send().await.expect(404);
    let _ = repo.get(&format!("blobs/{missing}")).send().await.expect(404);
    for (way, content) in ["", "{}", "small"].iter().flat_map(|content| (0..4).map(move |way| (way, Bytes::from(*content)))) {
        let digest = digest_of(&content);
        push_blob(&repo, way, &digest, &content).await;
        gone_after_delete(&repo, &digest, &content).await;
    }
    let content = noise(161, 3 * 1024);
    let digest = digest_of(&content);
    for last_in_put in [false, true] {
        for out_of_order in [false, true] {
            chunked(&repo, &content, &digest, last_in_put, out_of_order).await;
            gone_after_delete(&repo, &digest, &content).await;
        }
    }
    push_blob(&source, 1, &digest, &content).await;
    let _ = repo.post(&format!("blobs/uploads/?mount={digest}&from={}", source.name)).send().await.expect(201);
    gone_after_delete(&repo, &digest, &content).await;
    for query in [format!("mount={digest}"), format!("mount={missing}&from={}", source.name)] {
        let opened = repo.post(&format!("blobs/uploads/?{query}")).send().await.expect(202);
        let _ = repo.finish(&opened.location(), &digest, content.clone()).await.expect(201);
        gone_after_delete(&repo, &digest, &content).await;
    }
    let location = repo.start().await;
    let _ = repo.client.delete(&location).send().await.expect(204);
    let _ = repo.client.get(&location).send().await.expect(404);
}

async fn gone_after_delete(repo: &Repo, digest: &str, content: &Bytes) {
    assert_eq!(repo.head(&format!("blobs/{digest}")).send().await.expect(200).length(), content.len());
    assert_eq!(repo.get(&format!("blobs/{digest}")).send().await.expect(200).body, content);
    let _ = repo.delete(&format!("blobs/{digest}")).send().await.expect(202);
    let _ = repo.head(&format!("blobs/{digest}")).send().await.expect(404);
}

/// Three chunks; out of order, the suite skips ahead and then back to 0, by PATCH and by PUT, and goes on where GET says.
async fn chunked(repo: &Repo, content: &Bytes, digest: &str, last_in_put: bool, out_of_order: bool) {
    let mut location = repo.start().await;
    let chunks = if last_in_put { 2 } else { 3 };
    let send = async |location: &str, n: usize| {
        let call = repo.client.patch(location).header("content-range", format!("{}-{}", n * 1024, n * 1024 + 1023));
        // What lies beyond the end is refused before it is read.
        let bytes = if n < 3 { content.slice(n * 1024..n * 1024 + 1024) } else { content.slice(..1024) };
        call.body(bytes).send().await
    };
    for n in 0..chunks {
        if out_of_order {
            let _ = send(&location, n + 1).await.expect(416);
            if n > 0 {
                let _ = send(&location, 0).await.expect(416);
            }
            let ahead =
                repo.client.put(&with_digest(&location, digest)).header("content-range", format!("{}-{}", 9 * 1024, 9 * 1024 + 1023));
            let _ = ahead.body(content.slice(..1024)).send().await.expect(416);
            let status = repo.client.get(&location).send().await.expect(204);
            assert_eq!(status.header("range"), format!("0-{}", (n * 1024).saturating_sub(1)));
            location = status.location();
        }
        let reply = send(&location, n).await.expect(202);
        assert_eq!(reply.header("range"), format!("0-{}", n * 1024 + 1023));
        location = reply.location();
    }
    let close = repo.client.put(&with_digest(&location, digest));
    let close = if last_in_put { close.header("content-range", "2048-3071").body(content.slice(2048..)) } else { close };
    let _ = close.send().await.expect(201);
}

async fn tag_parameters_are_taken(kit: Kit) {
    for by_sha512 in [false, true] {
        let repo = kit.repo().await;
        let image = repo.image("tag parameters").await;
        let digest = if by_sha512 { image.sha512() } else { image.digest() };
        let reply = repo.push(&format!("{digest}?tag=one&tag=two&tag=one"), &image).await.expect(201);
        assert!(reply.header("oci-tag").contains("one") && reply.header("oci-tag").contains("two"));
        assert_eq!(repo.tags().await, ["one", "two"]);
    }
}

async fn a_bad_digest_is_refused(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.image("bad digest").await;
    let spaced = [&image.bytes[..], b"  "].concat();
    let call = repo.put(&format!("manifests/{}", image.digest())).header("content-type", OCI_MANIFEST).chunked(spaced);
    let _ = call.send().await.expect(400);
    let call = repo.put("manifests/sha256:baddigeststring").header("content-type", OCI_MANIFEST).chunked(image.bytes.clone());
    let _ = call.send().await.expect(400);
    let read = repo.get("manifests/sha256:baddigeststring").send().await;
    assert!([400, 404].contains(&read.status), "{read:?}");
}

async fn what_was_never_pushed_is_missing(kit: Kit) {
    let repo = kit.repo().await;
    for reference in ["missing", &sha256("missing"), &sha512("missing")] {
        let _ = repo.head(&format!("manifests/{reference}")).send().await.expect(404);
        let _ = repo.get(&format!("manifests/{reference}")).send().await.expect(404);
    }
    assert_eq!(repo.get(&format!("referrers/{}", sha256("missing"))).send().await.expect(200).json()["manifests"], serde_json::json!([]));
}

/// Accepting them is optional and off in the suite; refusing must carry this code.
async fn sparse_documents_are_refused_by_code(kit: Kit) {
    let repo = kit.repo().await;
    repo.blob("{}").await;
    let image = Document::image(b"{}", &[b"never pushed"]);
    repo.push("sparse", &image).await.expect_error(400, "MANIFEST_BLOB_UNKNOWN");
    repo.push("sparse", &Document::index(&[&image])).await.expect_error(400, "MANIFEST_BLOB_UNKNOWN");
}
