//! R17, R19 to R23: how requests and answers are framed on the wire.

use std::time::Duration;

use testkit::client::Client;
use testkit::server::ADMIN_PASSWORD;

use crate::kit::{Kit, noise, sha256};
use crate::raw::Raw;

testkit::tests! {
    Kit;
    r017_errors_to_head_have_no_body,
    r019_a_body_sent_with_get_does_no_harm,
    r020_continue_is_said_only_to_those_who_may,
    r021_a_refusal_in_the_middle_of_a_large_body_can_be_read,
    r022_a_connection_survives_answers_of_every_kind,
    r023_large_contents_go_over_http2,
    zero_bytes_in_chunks_are_an_empty_blob,
}

fn signed(kit: &Kit) -> String {
    format!("Authorization: {}", kit.admin.basic())
}

async fn r017_errors_to_head_have_no_body(kit: Kit) {
    let repo = kit.repo().await;
    let mut raw = Raw::connect(&kit.base).await;
    let sign = signed(&kit);
    let never = repo.path(&format!("blobs/{}", sha256("never")));
    for (path, sign, status) in [
        (repo.path("manifests/none"), &sign, 404),
        (never.clone(), &sign, 404),
        (repo.path("blobs/sha256:short"), &sign, 400),
        (never, &String::from("X-Nobody: 1"), 401),
        ("/v2/nonsense".to_owned(), &sign, 401),
    ] {
        let reply = raw.ask("HEAD", &path, &[sign]).await.expect(status);
        assert!(reply.find("content-type").is_some_and(|value| value.starts_with("application/json")), "{reply:?}");
        // A byte of a body would be read here in place of the next status line.
        let _ = raw.ask("GET", "/v2/", &[&signed(&kit)]).await.expect(200);
    }
}

async fn r019_a_body_sent_with_get_does_no_harm(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.tagged("t").await;
    let mut raw = Raw::connect(&kit.base).await;
    let sign = signed(&kit);
    for _ in 0..2 {
        raw.head("GET", &repo.path("manifests/t"), &[&sign, "Content-Length: 11"]).await;
        raw.send(b"hello world").await;
        assert_eq!(raw.reply("GET").await.expect(200).body, image.bytes);
        raw.head("GET", &repo.path("manifests/t"), &[&sign, "Transfer-Encoding: chunked"]).await;
        raw.send(b"5\r\nhello\r\n0\r\n\r\n").await;
        assert_eq!(raw.reply("GET").await.expect(200).body, image.bytes);
    }
}

async fn r020_continue_is_said_only_to_those_who_may(kit: Kit) {
    let repo = kit.repo().await;
    let location = repo.start().await;
    let patch = ["Expect: 100-continue", "Content-Length: 3", "Content-Type: application/octet-stream"];
    let mut raw = Raw::connect(&kit.base).await;
    raw.head("PATCH", &location, &patch).await;
    let refused = raw.reply("PATCH").await.expect(401);
    assert!(refused.find("www-authenticate").is_some_and(|value| value.starts_with("Bearer ")));

    let mut raw = Raw::connect(&kit.base).await;
    let sign = signed(&kit);
    raw.head("PATCH", &location, &[&[sign.as_str()], &patch[..]].concat()).await;
    let _ = raw.reply("PATCH").await.expect(100);
    raw.send(b"abc").await;
    let _ = raw.reply("PATCH").await.expect(202);

    let mut raw = Raw::connect(&kit.base).await;
    let manifest = ["Expect: 100-continue", "Content-Length: 999999"];
    raw.head("PUT", &repo.path("manifests/t"), &manifest).await;
    let _ = raw.reply("PUT").await.expect(401);
}

async fn r021_a_refusal_in_the_middle_of_a_large_body_can_be_read(kit: Kit) {
    let repo = kit.repo().await;
    let location = repo.start().await;
    let mut raw = Raw::connect(&kit.base).await;
    raw.head("PATCH", &location, &["Content-Length: 1073741824"]).await;
    let piece = noise(21, 64 * 1024);
    let mut sent = 0;
    // A client that does not look before it is through with a good part of its body.
    while sent < 32 << 20 && raw.try_send(&piece).await {
        sent += piece.len();
    }
    assert_eq!(sent, 32 << 20, "the server stopped reading");
    let reply = raw.reply("PATCH").await.expect(401);
    assert!(String::from_utf8_lossy(&reply.body).contains("UNAUTHORIZED"));
}

async fn r022_a_connection_survives_answers_of_every_kind(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.tagged("t").await;
    let blob = repo.blob("r022").await;
    let location = repo.start().await;
    let sign = signed(&kit);
    let etag = format!("If-None-Match: \"{}\"", image.digest());
    let (manifest, blob) = (repo.path("manifests/t"), repo.path(&format!("blobs/{blob}")));
    let mut raw = Raw::connect(&kit.base).await;
    for _ in 0..2 {
        let _ = raw.ask("GET", &repo.path("manifests/none"), &[&sign]).await.expect(404);
        let _ = raw.ask("GET", &manifest, &[&sign, &etag]).await.expect(304);
        let _ = raw.ask("GET", &blob, &[&sign, "Range: bytes=99-"]).await.expect(416);
        let _ = raw.ask("GET", &location, &[&sign]).await.expect(204);
        let _ = raw.ask("HEAD", &manifest, &[&sign]).await.expect(200);
        let _ = raw.ask("HEAD", &blob, &[&sign]).await.expect(200);
        raw.head("PATCH", &location, &[&sign, "Content-Range: 7-9", "Content-Length: 3"]).await;
        raw.send(b"abc").await;
        let refused = raw.reply("PATCH").await.expect(416);
        assert_ne!(refused.find("connection"), Some("close"), "{refused:?}");
        assert_eq!(raw.ask("GET", &manifest, &[&sign]).await.expect(200).body, image.bytes);
    }
    assert!(raw.is_silent_for(Duration::from_millis(50)).await);
}

/// As much as many windows of flow control, not the gigabytes of the line.
async fn r023_large_contents_go_over_http2(kit: Kit) {
    let http = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().expect("a client of HTTP/2");
    let mut repo = kit.repo().await;
    repo.client = Client::over(http, &kit.base, Some(("admin", ADMIN_PASSWORD)));
    let content = noise(23, 24 << 20);
    let digest = sha256(&content);
    let location = repo.start().await;
    let reply = repo.client.patch(&location).chunked(content.clone()).send().await.expect(202);
    assert_eq!(reply.header("range"), format!("0-{}", content.len() - 1));
    let _ = repo.finish(&reply.location(), &digest, "").await.expect(201);
    let read = repo.get(&format!("blobs/{digest}")).send().await.expect(200);
    assert!(read.body == content && read.length() == content.len());
}

async fn zero_bytes_in_chunks_are_an_empty_blob(kit: Kit) {
    let repo = kit.repo().await;
    let digest = sha256("");
    let sign = signed(&kit);
    let location = repo.start().await;
    let mut raw = Raw::connect(&kit.base).await;
    raw.head("PUT", &crate::kit::with_digest(&location, &digest), &[&sign, "Transfer-Encoding: chunked"]).await;
    raw.send(b"0\r\n\r\n").await;
    let reply = raw.reply("PUT").await.expect(201);
    assert_eq!((reply.find("docker-content-digest"), reply.find("content-length")), (Some(digest.as_str()), Some("0")));
    assert_eq!(reply.count("docker-content-digest"), 1);
    let empty = repo.get(&format!("blobs/{digest}")).send().await.expect(200);
    assert_eq!((empty.length(), empty.body.len()), (0, 0));
}
