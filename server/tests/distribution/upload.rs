//! R97 to R99, R109 to R115: uploads in one or two requests, and digests that are wrong.

use serde_json::json;

use crate::kit::{Kit, Repo, noise, sha256, sha512, with_digest};

testkit::tests! {
    Kit;
    r097_r129_an_upload_is_opened_for_chunks_of_any_size,
    r098_a_blob_in_the_closing_request,
    r099_a_blob_in_one_stream,
    r109_a_fresh_upload_has_a_status,
    r110_a_digest_that_is_none_leaves_the_upload_open,
    r111_a_wrong_digest_ends_the_upload,
    r112_a_blob_in_the_opening_request,
    r113_the_algorithm_may_be_announced,
    r114_the_algorithm_need_not_be_announced,
    r115_the_empty_blob_by_every_way,
    pushing_needs_the_permission,
}

async fn r097_r129_an_upload_is_opened_for_chunks_of_any_size(kit: Kit) {
    let repo = kit.repo().await;
    for path in ["blobs/uploads/", "blobs/uploads"] {
        let reply = repo.post(path).header("content-type", "application/json").send().await.expect(202);
        let id = reply.header("docker-upload-uuid");
        assert!(reply.location().contains(&format!("/blobs/uploads/{id}")), "{reply:?}");
        assert_eq!((reply.header("range"), reply.length(), reply.body.len()), ("0-0", 0, 0));
        // Small chunks are as good as large ones, so no client is told otherwise.
        assert_eq!(reply.find("oci-chunk-min-length"), None);
    }
    // Two uploads are two.
    assert_ne!(repo.start().await.split('?').next(), repo.start().await.split('?').next());
}

async fn r098_a_blob_in_the_closing_request(kit: Kit) {
    let repo = kit.repo().await;
    for (n, content) in [noise(1, 10), noise(2, 1 << 20)].into_iter().enumerate() {
        for chunked in [false, true] {
            let repo = repo.sibling(&format!("r098-{n}-{chunked}"));
            let digest = sha256(&content);
            let call = repo.client.put(&with_digest(&repo.start().await, &digest)).header("content-type", "application/octet-stream");
            let call = if chunked { call.chunked(content.clone()) } else { call.body(content.clone()) };
            let reply = call.send().await.expect(201);
            assert_eq!((reply.header("docker-content-digest"), reply.length()), (digest.as_str(), 0));
            assert_eq!(reply.location(), repo.path(&format!("blobs/{digest}")));
            assert!(repo.client.get(&reply.location()).send().await.expect(200).body == content);
        }
    }
}

async fn r099_a_blob_in_one_stream(kit: Kit) {
    let repo = kit.repo().await;
    let content = noise(99, 3 << 20);
    let digest = sha256(&content);
    let reply = repo.client.patch(&repo.start().await).chunked(content.clone()).send().await.expect(202);
    assert_eq!((reply.header("range"), reply.length()), (format!("0-{}", content.len() - 1).as_str(), 0));
    assert!(!reply.header("docker-upload-uuid").is_empty());
    // It is no blob before it is closed.
    assert_eq!(repo.blob_status(&digest).await, 404);
    let closed = repo.client.put(&with_digest(&reply.location(), &digest)).send().await.expect(201);
    assert!(repo.client.get(&closed.location()).send().await.expect(200).body == content);
}

async fn r109_a_fresh_upload_has_a_status(kit: Kit) {
    let repo = kit.repo().await;
    let location = repo.start().await;
    for call in [repo.client.get(&location), repo.client.head(&location)] {
        let reply = call.send().await.expect(204);
        assert_eq!((reply.header("range"), reply.body.len()), ("0-0", 0));
        assert_eq!(reply.location(), location);
        assert!(location.contains(reply.header("docker-upload-uuid")));
    }
}

/// Without a digest the code is DIGEST_INVALID by the letter; Harbor's is BAD_REQUEST.
async fn r110_a_digest_that_is_none_leaves_the_upload_open(kit: Kit) {
    let repo = kit.repo().await;
    let location = repo.start().await;
    let _ = repo.client.patch(&location).body("abc").send().await.expect(202);
    repo.client.put(&location).send().await.expect_error(400, "BAD_REQUEST");
    for digest in ["sha256:xyz", "md5:900150983cd24fb0d6963f7d28e17f72", "nonsense", "", "blake3:00"] {
        repo.finish(&location, digest, "").await.expect_error(400, "DIGEST_INVALID");
        repo.finish(&location, digest, "more").await.expect_error(400, "DIGEST_INVALID");
        assert_eq!(repo.client.get(&location).send().await.expect(204).header("range"), "0-2", "{digest}");
    }
    let _ = repo.finish(&location, &sha256("abc"), "").await.expect(201);
}

/// Ways to bring a blob, each closed with a digest that is not its own; what the last request answered and the upload's address.
async fn wrongly(repo: &Repo, way: u32, content: &'static str, digest: &str) -> (testkit::client::Reply, Option<String>) {
    if way == 0 {
        return (repo.post(&format!("blobs/uploads/?digest={digest}")).body(content).send().await, None);
    }
    let location = repo.start().await;
    let reply = match way {
        1 => repo.finish(&location, digest, content).await,
        2 => {
            let _ = repo.client.patch(&location).chunked(content).send().await.expect(202);
            repo.finish(&location, digest, "").await
        }
        3 => {
            let _ = repo.client.patch(&location).header("content-range", "0-1").body(&content[..2]).send().await.expect(202);
            let _ = repo
                .client
                .patch(&location)
                .header("content-range", format!("2-{}", content.len() - 1))
                .body(&content[2..])
                .send()
                .await
                .expect(202);
            repo.finish(&location, digest, "").await
        }
        _ => {
            let _ = repo.client.patch(&location).header("content-range", "0-1").body(&content[..2]).send().await.expect(202);
            let last = repo.client.put(&with_digest(&location, digest)).header("content-range", format!("2-{}", content.len() - 1));
            last.body(&content[2..]).send().await
        }
    };
    (reply, Some(location))
}

async fn r111_a_wrong_digest_ends_the_upload(kit: Kit) {
    let repo = kit.repo().await;
    for way in 0..5 {
        for digest in [sha256("something else"), sha512("something else")] {
            let (reply, location) = wrongly(&repo, way, "r111 content", &digest).await;
            assert_eq!((reply.status, reply.code().as_str()), (400, "DIGEST_INVALID"), "way {way}: {reply:?}");
            assert_eq!(repo.blob_status(&digest).await, 404);
            assert_eq!(repo.blob_status(&sha256("r111 content")).await, 404);
            if let Some(location) = location {
                repo.client.get(&location).send().await.expect_error(404, "BLOB_UPLOAD_UNKNOWN");
            }
        }
    }
}

async fn r112_a_blob_in_the_opening_request(kit: Kit) {
    let repo = kit.repo().await;
    for (content, chunked) in [("r112 whole", false), ("r112 in chunks", true)] {
        let digest = sha256(content);
        let call = repo.post(&format!("blobs/uploads/?digest={digest}")).header("content-type", "application/octet-stream");
        let call = if chunked { call.chunked(content) } else { call.body(content) };
        let reply = call.send().await.expect(201);
        assert_eq!((reply.header("docker-content-digest"), reply.length()), (digest.as_str(), 0));
        assert_eq!(repo.client.get(&reply.location()).send().await.expect(200).body, content);
    }
    let wrong = repo.post(&format!("blobs/uploads/?digest={}", sha256("other"))).body("r112 wrong");
    wrong.send().await.expect_error(400, "DIGEST_INVALID");
    let none = repo.post("blobs/uploads/?digest=sha256:xyz").body("r112 wrong");
    none.send().await.expect_error(400, "DIGEST_INVALID");
    // Without a body the digest only announces what will come.
    let announced = repo.post(&format!("blobs/uploads/?digest={}", sha256("r112 later"))).send().await.expect(202);
    let _ = repo.finish(&announced.location(), &sha256("r112 later"), "r112 later").await.expect(201);
}

async fn r113_the_algorithm_may_be_announced(kit: Kit) {
    let repo = kit.repo().await;
    for (algorithm, digest) in [("sha512", sha512("r113")), ("sha256", sha256("r113"))] {
        let location = repo.post(&format!("blobs/uploads/?digest-algorithm={algorithm}")).send().await.expect(202).location();
        let patched = repo.client.patch(&location).body("r1").send().await.expect(202).location();
        let _ = repo.finish(&patched, &digest, "13").await.expect(201);
        assert_eq!(repo.get(&format!("blobs/{digest}")).send().await.expect(200).body, "r113");
    }
    // It is a hint: another algorithm at the end is none the worse.
    let location = repo.post("blobs/uploads/?digest-algorithm=sha512").send().await.expect(202).location();
    let patched = repo.client.patch(&location).body("hint").send().await.expect(202).location();
    let _ = repo.finish(&patched, &sha256("hint"), "").await.expect(201);
    for algorithm in ["foo", "md5", "SHA512", "%20"] {
        let reply = repo.post(&format!("blobs/uploads/?digest-algorithm={algorithm}")).send().await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "DIGEST_INVALID"), "{algorithm}");
    }
}

async fn r114_the_algorithm_need_not_be_announced(kit: Kit) {
    let repo = kit.repo().await;
    let content = noise(114, 600_000);
    let mut location = repo.start().await;
    for piece in content.chunks(200_000) {
        location = repo.client.patch(&location).body(bytes::Bytes::copy_from_slice(piece)).send().await.expect(202).location();
    }
    let digest = sha512(&content);
    let reply = repo.finish(&location, &digest, "").await.expect(201);
    assert_eq!(reply.header("docker-content-digest"), digest);
    assert!(repo.get(&format!("blobs/{digest}")).send().await.expect(200).body == content);
}

async fn r115_the_empty_blob_by_every_way(kit: Kit) {
    for digest in [sha256(""), sha512("")] {
        let repo = kit.repo().await;
        let (by_put, by_post, by_chunks) = (repo.sibling("put"), repo.sibling("post"), repo.sibling("chunks"));
        let _ = by_put.finish(&by_put.start().await, &digest, "").await.expect(201);
        let _ = by_post.post(&format!("blobs/uploads/?digest={digest}")).send().await.expect(201);
        let call = by_chunks.client.put(&with_digest(&by_chunks.start().await, &digest)).chunked("");
        let _ = call.send().await.expect(201);
        let streamed = repo.client.patch(&repo.start().await).chunked("").send().await.expect(202);
        let _ = repo.finish(&streamed.location(), &digest, "").await.expect(201);
        for repo in [by_put, by_post, by_chunks, repo] {
            let read = repo.get(&format!("blobs/{digest}")).send().await.expect(200);
            assert_eq!((read.length(), read.header("docker-content-digest")), (0, digest.as_str()));
        }
    }
}

async fn pushing_needs_the_permission(kit: Kit) {
    let repo = kit.public_repo().await;
    let image = repo.tagged("t").await;
    let (guest, stranger) = (kit.member(&repo, 3).await, kit.user().await);
    for client in [&guest, &stranger, &kit.nobody()] {
        let repo = repo.used_by(client);
        repo.post("blobs/uploads/").send().await.expect_error(401, "UNAUTHORIZED");
        repo.push("u", &image).await.expect_error(401, "UNAUTHORIZED");
        let upload = kit.repo_in(repo.project()).start().await;
        client.patch(&upload).body("x").send().await.expect_error(401, "UNAUTHORIZED");
        client.put(&with_digest(&upload, &sha256("x"))).body("x").send().await.expect_error(401, "UNAUTHORIZED");
        client.get(&upload).send().await.expect_error(401, "UNAUTHORIZED");
        client.delete(&upload).send().await.expect_error(401, "UNAUTHORIZED");
    }
    let developer = kit.member(&repo, 2).await;
    let _ = repo.used_by(&developer).push("u", &image).await.expect(201);
    // A project that is not there is refused like one that is closed to the caller; an administrator is told, with an empty challenge.
    let told = |reply: testkit::client::Reply| reply.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
    let start = "/v2/there-is-none/app/blobs/uploads/";
    let sentence = "unauthorized to access repository: there-is-none/app, action: push";
    assert_eq!(told(developer.post(start).basic().send().await.expect(401)), format!("{sentence}: {sentence}"));
    let reply = kit.admin.post(start).basic().send().await.expect(401);
    assert_eq!(reply.header("www-authenticate"), "");
    assert_eq!(
        reply.json(),
        json!({"errors": [{"code": "UNAUTHORIZED", "message": "project there-is-none not found: project there-is-none not found"}]})
    );
}
