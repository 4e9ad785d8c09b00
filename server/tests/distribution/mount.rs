//! R130 to R136: blobs taken over from other repositories.

use crate::kit::{Kit, Repo, sha256};

testkit::tests! {
    Kit;
    r130_a_readable_blob_is_mounted,
    r131_a_mount_that_cannot_be_is_an_upload,
    r132_a_mount_from_an_unreadable_repository_is_an_upload,
    r133_a_mount_without_a_source_is_an_upload,
    r134_an_origin_changes_nothing,
    r135_the_upload_of_a_failed_mount_takes_the_blob,
    r136_a_mounted_blob_outlives_its_source,
    a_token_without_the_source_gets_an_upload,
}

fn mount(repo: &Repo, digest: &str, from: &str) -> testkit::client::Call {
    repo.post(&format!("blobs/uploads/?mount={digest}&from={}", from.replace('/', "%2F")))
}

async fn r130_a_readable_blob_is_mounted(kit: Kit) {
    let source = kit.repo().await;
    let digest = source.blob("r130").await;
    let public = kit.public_repo().await;
    let shared = public.blob("r130 public").await;
    let target = kit.repo().await;
    for (digest, from) in [(&digest, &source.name), (&digest, &target.name), (&shared, &public.name)] {
        let reply = mount(&target, digest, from).send().await.expect(201);
        assert_eq!(reply.location(), target.path(&format!("blobs/{digest}")));
        assert_eq!((reply.header("docker-content-digest"), reply.length()), (digest.as_str(), 0));
        assert_eq!(target.blob_status(digest).await, 200);
    }
    // A developer of the target may mount what everybody may read.
    let developer = target.sibling("dev").used_by(&kit.member(&target, 2).await);
    let _ = mount(&developer, &shared, &public.name).send().await.expect(201);
    // Within one project, too.
    let _ = mount(&target.sibling("near"), &digest, &target.name).send().await.expect(201);
}

async fn upload_opened(repo: &Repo, reply: testkit::client::Reply) {
    let reply = reply.expect(202);
    assert!(reply.location().starts_with(&repo.path("blobs/uploads/")), "{reply:?}");
    assert_eq!(repo.client.get(&reply.location()).send().await.expect(204).header("range"), "0-0");
}

/// Harbor refuses some of these with 400 or 401, at which clients give up (trap T1); the specification's 202 serves them all.
async fn r131_a_mount_that_cannot_be_is_an_upload(kit: Kit) {
    let (repo, source) = (kit.repo().await, kit.repo().await);
    let digest = source.blob("r131").await;
    let never = sha256("never");
    let unknown = source.sibling("unknown").name;
    for (digest, from) in [
        (never.as_str(), source.name.as_str()),
        (&digest, &unknown),
        (&digest, "there-is-none/app"),
        (&digest, "Not%20A%20Name"),
        (&digest, "single"),
        (&digest, ""),
        ("nonsense", &source.name),
        ("sha256:xyz", &source.name),
        ("", &source.name),
    ] {
        let reply = mount(&repo, digest, from).send().await;
        upload_opened(&repo, reply).await;
    }
    assert_eq!(repo.blob_status(&digest).await, 404);
}

async fn r132_a_mount_from_an_unreadable_repository_is_an_upload(kit: Kit) {
    let (repo, secret) = (kit.repo().await, kit.repo().await);
    let digest = secret.blob("r132").await;
    let developer = repo.used_by(&kit.member(&repo, 2).await);
    for sign in ["bearer", "basic"] {
        let call = mount(&developer, &digest, &secret.name);
        let reply = if sign == "basic" { call.basic() } else { call }.send().await;
        upload_opened(&developer, reply).await;
        assert_eq!(developer.blob_status(&digest).await, 404);
    }
    // The target is another matter.
    let elsewhere = secret.used_by(&developer.client);
    mount(&elsewhere, &digest, &repo.name).send().await.expect_error(401, "UNAUTHORIZED");
}

async fn r133_a_mount_without_a_source_is_an_upload(kit: Kit) {
    let repo = kit.repo().await;
    let digest = repo.blob("r133").await;
    for digest in [digest, sha256("never")] {
        let other = repo.sibling("other");
        let reply = other.post(&format!("blobs/uploads/?mount={digest}")).send().await;
        upload_opened(&other, reply).await;
    }
}

async fn r134_an_origin_changes_nothing(kit: Kit) {
    let repo = kit.repo().await;
    let digest = repo.blob("r134").await;
    let other = repo.sibling("other");
    let path = format!("blobs/uploads/?from={}&mount={digest}&origin=registry.example.com", repo.name);
    let _ = other.post(&path).header("content-type", "application/json").send().await.expect(201);
    let path = format!("blobs/uploads/?from={}&mount={}&origin=registry.example.com", repo.name, sha256("never"));
    let reply = other.post(&path).send().await;
    upload_opened(&other, reply).await;
}

async fn r135_the_upload_of_a_failed_mount_takes_the_blob(kit: Kit) {
    let repo = kit.repo().await;
    let digest = sha256("r135");
    let location = mount(&repo, &digest, &repo.sibling("none").name).send().await.expect(202).location();
    let _ = repo.finish(&location, &digest, "r135").await.expect(201);
    assert_eq!(repo.get(&format!("blobs/{digest}")).send().await.expect(200).body, "r135");
}

async fn r136_a_mounted_blob_outlives_its_source(kit: Kit) {
    let (repo, source) = (kit.repo().await, kit.repo().await);
    let digest = source.blob("r136").await;
    let _ = mount(&repo, &digest, &source.name).send().await.expect(201);
    let _ = source.delete(&format!("blobs/{digest}")).send().await.expect(202);
    assert_eq!(source.blob_status(&digest).await, 404);
    assert_eq!(repo.get(&format!("blobs/{digest}")).send().await.expect(200).body, "r136");
}

/// The challenge names both scopes; who comes with less is served without the mount.
async fn a_token_without_the_source_gets_an_upload(kit: Kit) {
    let (repo, source) = (kit.repo().await, kit.repo().await);
    let digest = source.blob("scopes").await;
    let challenge = mount(&repo, &digest, &source.name).anonymous().send().await.expect(401).challenge();
    let (push, pull) = (format!("repository:{}:pull,push", repo.name), format!("repository:{}:pull", source.name));
    assert_eq!(challenge.scope, Some(format!("{push} {pull}")));
    let less = kit.admin.token(&[&push]).await;
    let reply = mount(&repo, &digest, &source.name).bearer(&less).send().await;
    upload_opened(&repo, reply).await;
    // One parameter with both, or one for each.
    for scopes in [vec![format!("{push} {pull}")], vec![push, pull]] {
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let token = kit.admin.token(&scopes).await;
        let _ = mount(&repo, &digest, &source.name).bearer(&token).send().await.expect(201);
    }
}
