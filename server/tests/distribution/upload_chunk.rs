//! R100 to R108, R120: uploads in chunks.

use bytes::Bytes;
use testkit::client::{Call, Reply};

use crate::kit::{Kit, Repo, noise, sha256, with_digest};

testkit::tests! {
    Kit;
    r100_chunks_add_up,
    r101_the_last_chunk_may_come_with_the_closing_request,
    r102_a_closing_body_without_a_range_is_appended,
    r103_first_chunk_not_at_zero_is_416_and_the_session_survives,
    r104_a_repeated_chunk_is_416_by_any_address_of_the_session,
    r105_skipping_ahead_is_416,
    r106_the_refusal_says_where_to_go_on,
    r107_odd_content_ranges_are_understood_or_refused,
    r108_a_range_of_another_length_than_the_body_is_refused,
    r120_the_address_may_be_rewritten,
}

/// The chunk of `content` from `first` to `last`.
fn chunk(repo: &Repo, location: &str, content: &Bytes, first: usize, last: usize) -> Call {
    repo.client.patch(location).header("content-range", format!("{first}-{last}")).body(content.slice(first..=last))
}

async fn stands_at(repo: &Repo, location: &str, last: usize) {
    let status = repo.client.get(location).send().await.expect(204);
    assert_eq!(status.header("range"), format!("0-{last}"));
}

async fn r100_chunks_add_up(kit: Kit) {
    let repo = kit.repo().await;
    let content = noise(100, 3000);
    let mut location = repo.start().await;
    for n in 0..3 {
        let reply = chunk(&repo, &location, &content, n * 1000, n * 1000 + 999).send().await.expect(202);
        assert_eq!((reply.header("range"), reply.length()), (format!("0-{}", n * 1000 + 999).as_str(), 0));
        location = reply.location();
    }
    let _ = repo.finish(&location, &sha256(&content), "").await.expect(201);
    assert_eq!(repo.get(&format!("blobs/{}", sha256(&content))).send().await.expect(200).body, content);
}

async fn r101_the_last_chunk_may_come_with_the_closing_request(kit: Kit) {
    let repo = kit.repo().await;
    let content = noise(101, 3000);
    let location = repo.start().await;
    let patched = chunk(&repo, &location, &content, 0, 1999).send().await.expect(202);
    let last = repo.client.put(&with_digest(&patched.location(), &sha256(&content))).header("content-range", "2000-2999");
    let _ = last.body(content.slice(2000..)).send().await.expect(201);
    assert_eq!(repo.get(&format!("blobs/{}", sha256(&content))).send().await.expect(200).body, content);
}

async fn r102_a_closing_body_without_a_range_is_appended(kit: Kit) {
    let repo = kit.repo().await;
    let content = noise(102, 3000);
    for chunked in [false, true] {
        let repo = repo.sibling(&format!("r102-{chunked}"));
        let patched = repo.client.patch(&repo.start().await).chunked(content.slice(..1000)).send().await.expect(202);
        let call = repo.client.put(&with_digest(&patched.location(), &sha256(&content)));
        let call = if chunked { call.chunked(content.slice(1000..)) } else { call.body(content.slice(1000..)) };
        let _ = call.send().await.expect(201);
        assert_eq!(repo.get(&format!("blobs/{}", sha256(&content))).send().await.expect(200).body, content);
    }
}

async fn r103_first_chunk_not_at_zero_is_416_and_the_session_survives(kit: Kit) {
    let repo = kit.repo().await;
    let content = noise(103, 2000);
    let location = repo.start().await;
    let _ = chunk(&repo, &location, &content, 1000, 1999).send().await.expect(416);
    stands_at(&repo, &location, 0).await;
    let first = chunk(&repo, &location, &content, 0, 999).send().await.expect(202);
    let second = chunk(&repo, &first.location(), &content, 1000, 1999).send().await.expect(202);
    let _ = repo.finish(&second.location(), &sha256(&content), "").await.expect(201);
}

async fn r104_a_repeated_chunk_is_416_by_any_address_of_the_session(kit: Kit) {
    let repo = kit.repo().await;
    let content = noise(104, 42);
    let oldest = repo.start().await;
    let newer = chunk(&repo, &oldest, &content, 0, 21).send().await.expect(202);
    assert_eq!(newer.header("range"), "0-21");
    for location in [&oldest, &newer.location()] {
        let _ = chunk(&repo, location, &content, 0, 21).send().await.expect(416);
        let status = repo.client.get(location).send().await.expect(204);
        assert_eq!((status.header("range"), status.location()), ("0-21", newer.location()));
    }
    let last = chunk(&repo, &oldest, &content, 22, 41).send().await.expect(202);
    assert_eq!(last.header("range"), "0-41");
    let _ = repo.finish(&oldest, &sha256(&content), "").await.expect(201);
}

async fn r105_skipping_ahead_is_416(kit: Kit) {
    let repo = kit.repo().await;
    let content = noise(105, 3000);
    let location = repo.start().await;
    let _ = chunk(&repo, &location, &content, 0, 999).send().await.expect(202);
    let _ = chunk(&repo, &location, &content, 2000, 2999).send().await.expect(416);
    let ahead = repo.client.put(&with_digest(&location, &sha256(&content))).header("content-range", "2000-2999");
    let _ = ahead.body(content.slice(2000..)).send().await.expect(416);
    let back = repo.client.put(&with_digest(&location, &sha256(&content))).header("content-range", "0-999");
    let _ = back.body(content.slice(..1000)).send().await.expect(416);
    stands_at(&repo, &location, 999).await;
    let _ = chunk(&repo, &location, &content, 1000, 1999).send().await.expect(202);
    let last = repo.client.put(&with_digest(&location, &sha256(&content))).header("content-range", "2000-2999");
    let _ = last.body(content.slice(2000..)).send().await.expect(201);
}

fn resumable(reply: &Reply, upload: &str, last: usize) {
    assert_eq!(reply.header("range"), format!("0-{last}"));
    assert!(reply.location().contains(upload) && reply.header("docker-upload-uuid") == upload, "{reply:?}");
    assert_eq!((reply.length(), reply.body.len()), (0, 0));
}

async fn r106_the_refusal_says_where_to_go_on(kit: Kit) {
    let repo = kit.repo().await;
    let content = noise(106, 3000);
    let opened = repo.post("blobs/uploads/").send().await.expect(202);
    let upload = opened.header("docker-upload-uuid");
    let _ = chunk(&repo, &opened.location(), &content, 0, 999).send().await.expect(202);
    resumable(&chunk(&repo, &opened.location(), &content, 0, 999).send().await.expect(416), upload, 999);
    let put = repo.client.put(&with_digest(&opened.location(), &sha256(&content))).header("content-range", "2000-2999");
    let refused = put.body(content.slice(2000..)).send().await.expect(416);
    resumable(&refused, upload, 999);
    let resumed = chunk(&repo, &refused.location(), &content, 1000, 2999).send().await.expect(202);
    let _ = repo.finish(&resumed.location(), &sha256(&content), "").await.expect(201);
}

async fn r107_odd_content_ranges_are_understood_or_refused(kit: Kit) {
    let repo = kit.repo().await;
    let location = repo.start().await;
    for range in ["9-0", "nonsense", "-", "0-", "-9", "0-9-9", "bytes", "0-99999999999999999999999999", "0x0-0x9"] {
        let reply = repo.client.patch(&location).header("content-range", range).body("0123456789").send().await;
        assert_eq!(reply.status, 416, "{range}: {reply:?}");
        stands_at(&repo, &location, 0).await;
    }
    let _ = repo.client.patch(&location).header("content-range", "bytes 0-9/10").body("0123456789").send().await.expect(202);
    let _ = repo.client.patch(&location).header("content-range", "bytes 10-10/*").body("x").send().await.expect(202);
    let _ = repo.finish(&location, &sha256("0123456789x"), "").await.expect(201);
}

async fn r108_a_range_of_another_length_than_the_body_is_refused(kit: Kit) {
    let repo = kit.repo().await;
    let location = repo.start().await;
    let _ = repo.client.patch(&location).header("content-range", "0-9").body("0123456789").send().await.expect(202);
    for (range, body) in [("10-19", "short"), ("10-11", "too long"), ("10-10", "")] {
        for chunked in [false, true] {
            let call = repo.client.patch(&location).header("content-range", range);
            let call = if chunked { call.chunked(body) } else { call.body(body) };
            let reply = call.send().await;
            assert_eq!((reply.status, reply.code().as_str()), (400, "SIZE_INVALID"), "{range} {body} {chunked}: {reply:?}");
            stands_at(&repo, &location, 9).await;
        }
    }
    let put = repo.client.put(&with_digest(&location, &sha256("0123456789ab"))).header("content-range", "10-15").body("ab");
    put.send().await.expect_error(400, "SIZE_INVALID");
    stands_at(&repo, &location, 9).await;
    let put = repo.client.put(&with_digest(&location, &sha256("0123456789ab"))).header("content-range", "10-11").body("ab");
    let _ = put.send().await.expect(201);
}

async fn r120_the_address_may_be_rewritten(kit: Kit) {
    let repo = kit.repo().await;
    let location = repo.start().await;
    let (path, query) = location.split_once('?').unwrap_or((&location, ""));
    // Sorted otherwise, every character encoded, with a parameter of the client's own; and with nothing left of it.
    let encoded: String = query
        .split('&')
        .rev()
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
            format!("{key}={value}&")
        })
        .collect();
    let patched = repo.client.patch(&format!("{path}?ns=docker.io&{encoded}a=b")).body("r120").send().await.expect(202);
    assert_eq!(patched.header("range"), "0-3");
    let status = repo.client.get(path).send().await.expect(204);
    assert_eq!(status.header("range"), "0-3");
    let _ = repo.client.put(&format!("{path}?digest={}&{encoded}x=", sha256("r120").replace(':', "%3A"))).send().await.expect(201);
}
