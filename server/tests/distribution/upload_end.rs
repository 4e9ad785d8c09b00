//! R116 to R119, R127, R128: how uploads end, and what they may cost.

use http::Method;
use serde_json::json;

use crate::document::Document;
use crate::kit::{Kit, Repo, noise, sha256, with_digest};

testkit::tests! {
    Kit;
    r116_a_cancelled_upload_is_gone,
    r116_cancelling_needs_only_the_right_to_push,
    r117_an_unknown_upload_is_404,
    r118_an_upload_belongs_to_its_repository,
    r119_a_finished_upload_is_gone,
    r127_a_full_project_takes_no_more,
    r128_an_existing_blob_is_taken_again,
}

async fn gone(repo: &Repo, location: &str) {
    for method in [Method::GET, Method::PATCH, Method::PUT, Method::DELETE] {
        let target = if method == Method::PUT { with_digest(location, &sha256("x")) } else { location.to_owned() };
        let call = repo.client.call(method.clone(), &target);
        let call = if [Method::PATCH, Method::PUT].contains(&method) { call.body("x") } else { call };
        let reply = call.send().await;
        assert_eq!((reply.status, reply.code().as_str()), (404, "BLOB_UPLOAD_UNKNOWN"), "{reply:?}");
    }
    let _ = repo.client.head(location).send().await.expect(404);
}

async fn r116_a_cancelled_upload_is_gone(kit: Kit) {
    let repo = kit.repo().await;
    for fed in [false, true] {
        let location = repo.start().await;
        if fed {
            let _ = repo.client.patch(&location).body("abc").send().await.expect(202);
        }
        let reply = repo.client.delete(&location).send().await.expect(204);
        assert!(reply.body.is_empty());
        gone(&repo, &location).await;
    }
}

async fn r116_cancelling_needs_only_the_right_to_push(kit: Kit) {
    let repo = kit.repo().await;
    let developer = repo.used_by(&kit.member(&repo, 2).await);
    let location = developer.start().await;
    let token = developer.client.token(&[&format!("repository:{}:pull,push", repo.name)]).await;
    let _ = developer.client.delete(&location).bearer(&token).send().await.expect(204);
    // And the challenge of one who asks without a token names what is enough.
    let location = developer.start().await;
    let challenge = kit.nobody().delete(&location).send().await.expect(401).challenge();
    assert_eq!(challenge.scope, Some(format!("repository:{}:pull,push", repo.name)));
}

async fn r117_an_unknown_upload_is_404(kit: Kit) {
    let repo = kit.repo().await;
    gone(&repo, &repo.path("blobs/uploads/00000000-0000-4000-8000-000000000000")).await;
    gone(&repo, &repo.path("blobs/uploads/nonsense")).await;
    gone(&repo, &repo.path("blobs/uploads/%2e%2e%5cx")).await;
}

async fn r118_an_upload_belongs_to_its_repository(kit: Kit) {
    let repo = kit.repo().await;
    let far = kit.repo().await;
    let location = repo.start().await;
    let _ = repo.client.patch(&location).body("abc").send().await.expect(202);
    for other in [repo.sibling("other"), far] {
        gone(&other, &location.replace(&repo.name, &other.name)).await;
    }
    assert_eq!(repo.client.get(&location).send().await.expect(204).header("range"), "0-2");
    let _ = repo.finish(&location, &sha256("abc"), "").await.expect(201);
}

async fn r119_a_finished_upload_is_gone(kit: Kit) {
    let repo = kit.repo().await;
    let location = repo.start().await;
    let _ = repo.finish(&location, &sha256("abc"), "abc").await.expect(201);
    gone(&repo, &location).await;
    assert_eq!(repo.blob_status(&sha256("abc")).await, 200);
}

async fn r127_a_full_project_takes_no_more(kit: Kit) {
    let project = kit.project(&json!({"storage_limit": 10_000})).await;
    let repo = kit.repo_in(&project);
    repo.blob(noise(1271, 6000)).await;
    let large = noise(1272, 6000);
    let digest = sha256(&large);
    let location = repo.start().await;
    repo.finish(&location, &digest, large.clone()).await.expect_error(403, "DENIED");
    assert_eq!(repo.blob_status(&digest).await, 404);
    // What fits is taken still.
    repo.blob(noise(1273, 3900)).await;
    let image = Document::image(&noise(1271, 6000), &[&noise(1273, 3900)]);
    repo.push("t", &image).await.expect_error(403, "DENIED");
    assert_eq!((repo.manifest_status("t").await, repo.manifest_status(&image.digest()).await), (404, 404));
    repo.blob(noise(1274, 100)).await;
    repo.post("blobs/uploads/").send().await.expect_error(403, "DENIED");
    // The same blob elsewhere in the project costs nothing, and another project has its own room.
    let elsewhere = repo.sibling("elsewhere");
    let mount = format!("blobs/uploads/?mount={}&from={}", sha256(noise(1271, 6000)), repo.name);
    let _ = elsewhere.post(&mount).send().await.expect(201);
    kit.repo().await.blob(large).await;
}

async fn r128_an_existing_blob_is_taken_again(kit: Kit) {
    let repo = kit.repo().await;
    for _ in 0..3 {
        assert_eq!(repo.blob("r128").await, sha256("r128"));
        let streamed = repo.client.patch(&repo.start().await).chunked("r128").send().await.expect(202);
        let _ = repo.finish(&streamed.location(), &sha256("r128"), "").await.expect(201);
        assert_eq!(repo.get(&format!("blobs/{}", sha256("r128"))).send().await.expect(200).body, "r128");
    }
}
