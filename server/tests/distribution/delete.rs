//! R75 to R82: deleting manifests, tags and blobs.

use serde_json::json;

use crate::document::Document;
use crate::kit::{Kit, Repo, sha256, with_digest};

testkit::tests! {
    Kit;
    r075_r082_a_tag_alone_is_not_deleted_here,
    r076_a_manifest_goes_with_all_its_tags,
    r077_what_is_not_there_cannot_be_deleted,
    r078_the_same_manifest_elsewhere_stays,
    r079_a_blob_goes_from_its_repository_only,
    r079_a_blob_that_a_manifest_needs_stays,
    r080_a_deleted_blob_can_be_pushed_again,
    r080_a_deleted_manifest_can_be_pushed_again,
    r081_a_deleted_referrer_is_not_listed,
    deleting_needs_the_permission,
    a_child_of_an_index_stays,
}

/// By the letter the tag goes and the manifest stays; Harbor refuses with UNSUPPORTED, which the line allows, and removes tags by its API.
async fn r075_r082_a_tag_alone_is_not_deleted_here(kit: Kit) {
    let repo = kit.repo().await;
    repo.tagged("t").await;
    for tag in ["t", "none"] {
        repo.delete(&format!("manifests/{tag}")).send().await.expect_error(400, "UNSUPPORTED");
    }
    assert_eq!(repo.manifest_status("t").await, 200);
}

async fn r076_a_manifest_goes_with_all_its_tags(kit: Kit) {
    let repo = kit.repo().await;
    let (gone, stays) = (repo.tagged("a").await, repo.tagged("b").await);
    let _ = repo.push("c", &gone).await.expect(201);
    for reference in ["a", "c", &gone.digest()] {
        assert_eq!(repo.manifest_status(reference).await, 200);
    }
    let _ = repo.delete(&format!("manifests/{}", gone.digest())).send().await.expect(202);
    for reference in ["a", "c", &gone.digest()] {
        assert_eq!(repo.manifest_status(reference).await, 404);
        assert_eq!(repo.head(&format!("manifests/{reference}")).send().await.status, 404);
    }
    assert_eq!(repo.tags().await, ["b"]);
    assert_eq!(repo.manifest_status(&stays.digest()).await, 200);
}

async fn r077_what_is_not_there_cannot_be_deleted(kit: Kit) {
    let repo = kit.repo().await;
    let digest = sha256("never");
    let _ = repo.delete(&format!("manifests/{digest}")).send().await.expect(404);
    repo.delete(&format!("blobs/{digest}")).send().await.expect_error(404, "BLOB_UNKNOWN");
    let image = repo.tagged("t").await;
    let _ = repo.delete(&format!("manifests/{digest}")).send().await.expect(404);
    repo.delete(&format!("blobs/{digest}")).send().await.expect_error(404, "BLOB_UNKNOWN");
    let _ = repo.delete(&format!("manifests/{}", image.digest())).send().await.expect(202);
    let _ = repo.delete(&format!("manifests/{}", image.digest())).send().await.expect(404);
    repo.delete("blobs/sha256:short").send().await.expect_error(400, "DIGEST_INVALID");
}

async fn r078_the_same_manifest_elsewhere_stays(kit: Kit) {
    let (repo, far) = (kit.repo().await, kit.repo().await);
    let near = repo.sibling("near");
    let mut image = None;
    for repo in [&repo, &near, &far] {
        let same = repo.image("r078").await;
        let _ = repo.push("t", &same).await.expect(201);
        image = Some(same);
    }
    let image = image.expect("an image");
    let _ = repo.delete(&format!("manifests/{}", image.digest())).send().await.expect(202);
    for repo in [&near, &far] {
        assert_eq!(repo.get("manifests/t").send().await.expect(200).body, image.bytes);
        assert_eq!(repo.manifest_status(&image.digest()).await, 200);
    }
}

async fn r079_a_blob_goes_from_its_repository_only(kit: Kit) {
    let repo = kit.repo().await;
    let other = repo.sibling("other");
    let digest = repo.blob("r079").await;
    other.blob("r079").await;
    assert_eq!(repo.blob_status(&digest).await, 200);
    let _ = repo.delete(&format!("blobs/{digest}")).send().await.expect(202);
    assert_eq!(repo.blob_status(&digest).await, 404);
    repo.get(&format!("blobs/{digest}")).send().await.expect_error(404, "BLOB_UNKNOWN");
    assert_eq!(other.get(&format!("blobs/{digest}")).send().await.expect(200).body, "r079");
}

/// The specification is silent; deleting it would break the image.
async fn r079_a_blob_that_a_manifest_needs_stays(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.tagged("t").await;
    let value: serde_json::Value = serde_json::from_slice(&image.bytes).expect("JSON");
    let layer = value["layers"][0]["digest"].as_str().expect("a digest");
    repo.delete(&format!("blobs/{layer}")).send().await.expect_error(405, "UNSUPPORTED");
    assert_eq!(repo.blob_status(layer).await, 200);
    let _ = repo.delete(&format!("manifests/{}", image.digest())).send().await.expect(202);
    let _ = repo.delete(&format!("blobs/{layer}")).send().await.expect(202);
}

async fn r080_a_deleted_blob_can_be_pushed_again(kit: Kit) {
    let repo = kit.repo().await;
    let source = repo.sibling("source");
    let digest = repo.blob("r080").await;
    source.blob("r080").await;
    for way in 0..5 {
        let _ = repo.delete(&format!("blobs/{digest}")).send().await.expect(202);
        assert_eq!(repo.blob_status(&digest).await, 404);
        again(&repo, &source, &digest, way).await;
        assert_eq!(repo.get(&format!("blobs/{digest}")).send().await.expect(200).body, "r080");
    }
}

async fn again(repo: &Repo, source: &Repo, digest: &str, way: u32) {
    let location = repo.start().await;
    let _ = match way {
        0 => repo.finish(&location, digest, "r080").await.expect(201),
        1 => repo.post(&format!("blobs/uploads/?digest={digest}")).body("r080").send().await.expect(201),
        2 => repo.post(&format!("blobs/uploads/?mount={digest}&from={}", source.name)).send().await.expect(201),
        3 => {
            let patched = repo.client.patch(&location).chunked("r080").send().await.expect(202);
            repo.finish(&patched.location(), digest, "").await.expect(201)
        }
        _ => {
            let patched = repo.client.patch(&location).header("content-range", "0-1").body("r0").send().await.expect(202);
            let last = repo.client.put(&with_digest(&patched.location(), digest)).header("content-range", "2-3").body("80");
            last.send().await.expect(201)
        }
    };
}

async fn r080_a_deleted_manifest_can_be_pushed_again(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.tagged("t").await;
    for _ in 0..3 {
        let _ = repo.delete(&format!("manifests/{}", image.digest())).send().await.expect(202);
        assert_eq!(repo.manifest_status("t").await, 404);
        let _ = repo.push("t", &image).await.expect(201);
        assert_eq!(repo.get("manifests/t").send().await.expect(200).body, image.bytes);
    }
}

/// Accessories go with their subject, as Harbor's do; asking about either is never an error.
async fn r081_a_deleted_referrer_is_not_listed(kit: Kit) {
    let repo = kit.repo().await;
    repo.blob("{}").await;
    let subject = repo.tagged("t").await;
    let notes = ["a", "b"].map(|note| Document::about(&subject.descriptor(), "application/vnd.example.note", note));
    for note in &notes {
        let _ = repo.push(&note.digest(), note).await.expect(201);
    }
    let listed = async || {
        let list = repo.get(&format!("referrers/{}", subject.digest())).send().await.expect(200).json();
        list["manifests"]
            .as_array()
            .expect("an array")
            .iter()
            .map(|entry| entry["digest"].as_str().expect("a digest").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [notes[0].digest(), notes[1].digest()]);
    let _ = repo.delete(&format!("manifests/{}", notes[0].digest())).send().await.expect(202);
    assert_eq!(listed().await, [notes[1].digest()]);
    let _ = repo.delete(&format!("manifests/{}", subject.digest())).send().await.expect(202);
    let left = listed().await;
    assert_eq!(left.contains(&notes[1].digest()), repo.manifest_status(&notes[1].digest()).await == 200);
    let again = repo.delete(&format!("manifests/{}", notes[1].digest())).send().await;
    assert!([202, 404].contains(&again.status), "{again:?}");
    assert!(listed().await.is_empty());
}

async fn deleting_needs_the_permission(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.tagged("t").await;
    let blob = repo.blob("kept").await;
    // A developer may push and pull, and not delete.
    let developer = kit.member(&repo, 2).await;
    for rest in [format!("manifests/{}", image.digest()), format!("blobs/{blob}")] {
        repo.used_by(&developer).delete(&rest).send().await.expect_error(401, "UNAUTHORIZED");
        repo.used_by(&kit.nobody()).delete(&rest).send().await.expect_error(401, "UNAUTHORIZED");
    }
    let push_only = kit.admin.token(&[&format!("repository:{}:pull,push", repo.name)]).await;
    let refused = repo.delete(&format!("blobs/{blob}")).bearer(&push_only).send().await.expect(401);
    assert_eq!(refused.challenge().error.as_deref(), Some("insufficient_scope"));
    let maintainer = kit.member(&repo, 4).await;
    let _ = repo.used_by(&maintainer).delete(&format!("blobs/{blob}")).send().await.expect(202);
}

/// Harbor refuses to delete what an index names.
async fn a_child_of_an_index_stays(kit: Kit) {
    let repo = kit.repo().await;
    let child = repo.tagged("child").await;
    let index = Document::new(&json!({"schemaVersion": 2, "mediaType": crate::document::OCI_INDEX, "manifests": [child.descriptor()]}));
    let _ = repo.push("index", &index).await.expect(201);
    let _ = repo.delete(&format!("manifests/{}", child.digest())).send().await.expect(412);
    let _ = repo.delete(&format!("manifests/{}", index.digest())).send().await.expect(202);
    assert_eq!(repo.manifest_status("child").await, 200);
    let _ = repo.delete(&format!("manifests/{}", child.digest())).send().await.expect(202);
}
