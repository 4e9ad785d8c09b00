//! R83 to R85, R95, R96: reading whole blobs.

use std::time::Duration;

use crate::kit::{Kit, noise, sha256, sha512};
use crate::raw::Raw;

testkit::tests! {
    Kit;
    r083_r084_get_and_head_say_all_about_a_blob,
    r085_what_is_not_there_is_404,
    r093_clients_that_hang_up_do_no_harm,
    r095_the_empty_blob_is_read,
    r096_a_blob_of_another_repository_is_not_there,
    a_known_blob_is_304,
    a_blob_is_read_by_the_digest_it_was_pushed_by,
}

async fn r083_r084_get_and_head_say_all_about_a_blob(kit: Kit) {
    let repo = kit.repo().await;
    let content = noise(83, 300_000);
    let digest = repo.blob(content.clone()).await;
    let get = repo.get(&format!("blobs/{digest}")).send().await.expect(200);
    let head = repo.head(&format!("blobs/{digest}")).send().await.expect(200);
    assert!(get.body == content && head.body.is_empty());
    for reply in [&get, &head] {
        assert_eq!(reply.length(), content.len());
        assert_eq!(reply.header("content-type"), "application/octet-stream");
        assert_eq!(reply.header("docker-content-digest"), digest);
        assert_eq!(reply.header("etag"), format!("\"{digest}\""));
        assert_eq!(reply.header("accept-ranges"), "bytes");
        assert!(reply.header("cache-control").contains("max-age="));
    }
}

async fn r085_what_is_not_there_is_404(kit: Kit) {
    let repo = kit.repo().await;
    let never = format!("blobs/{}", sha256("never"));
    repo.get(&never).send().await.expect_error(404, "BLOB_UNKNOWN");
    let _ = repo.head(&never).send().await.expect(404);
    repo.blob("something").await;
    repo.get(&never).send().await.expect_error(404, "BLOB_UNKNOWN");
    // An algorithm that is not supported names nothing that is here; the grammar is fine or not, it is never a 5xx.
    let status = repo.get("blobs/md5:d41d8cd98f00b204e9800998ecf8427e").send().await.status;
    assert!([400, 404].contains(&status), "{status}");
}

async fn r093_clients_that_hang_up_do_no_harm(kit: Kit) {
    let repo = kit.repo().await;
    let content = noise(93, 8 << 20);
    let digest = repo.blob(content.clone()).await;
    let sign = format!("Authorization: {}", kit.admin.basic());
    for _ in 0..20 {
        let mut raw = Raw::connect(&kit.base).await;
        raw.head("GET", &repo.path(&format!("blobs/{digest}")), &[&sign]).await;
        assert!(!raw.is_silent_for(Duration::from_secs(10)).await);
        raw.cut();
    }
    // An error that was logged fails the run when the server stops.
    assert!(repo.get(&format!("blobs/{digest}")).send().await.expect(200).body == content);
}

async fn r095_the_empty_blob_is_read(kit: Kit) {
    let repo = kit.repo().await;
    let digest = repo.blob("").await;
    for call in [repo.get(&format!("blobs/{digest}")), repo.head(&format!("blobs/{digest}"))] {
        let reply = call.send().await.expect(200);
        assert_eq!((reply.length(), reply.body.len()), (0, 0));
    }
}

async fn r096_a_blob_of_another_repository_is_not_there(kit: Kit) {
    let (repo, other) = (kit.repo().await, kit.repo().await);
    let digest = other.blob("r096").await;
    repo.blob("something").await;
    for repo in [&repo, &other.sibling("sibling")] {
        let elsewhere = repo.get(&format!("blobs/{digest}")).send().await.expect(404);
        let never = repo.get(&format!("blobs/{}", sha256("never"))).send().await.expect(404);
        let plain = |reply: &testkit::client::Reply, digest: &str| String::from_utf8_lossy(&reply.body).replace(digest, "-");
        assert_eq!(plain(&elsewhere, &digest), plain(&never, &sha256("never")));
    }
    let stranger = kit.user().await;
    other.used_by(&stranger).get(&format!("blobs/{digest}")).send().await.expect_error(401, "UNAUTHORIZED");
}

async fn a_known_blob_is_304(kit: Kit) {
    let repo = kit.repo().await;
    let digest = repo.blob("known").await;
    let reply = repo.get(&format!("blobs/{digest}")).header("if-none-match", format!("\"{digest}\"")).send().await.expect(304);
    assert!(reply.body.is_empty());
    let _ = repo.get(&format!("blobs/{digest}")).header("if-none-match", "\"other\"").send().await.expect(200);
}

async fn a_blob_is_read_by_the_digest_it_was_pushed_by(kit: Kit) {
    let repo = kit.repo().await;
    let location = repo.start().await;
    let digest = sha512("twice named");
    let _ = repo.finish(&location, &digest, "twice named").await.expect(201);
    let reply = repo.get(&format!("blobs/{digest}")).send().await.expect(200);
    assert_eq!((reply.header("docker-content-digest"), &*reply.body), (digest.as_str(), &b"twice named"[..]));
}
