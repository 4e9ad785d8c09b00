//! R67 to R73: tags, and what a pushed manifest is visible by at once.

use crate::document::Document;
use crate::kit::{Kit, sha256};

testkit::tests! {
    Kit;
    r067_the_same_again_is_201,
    r068_a_moved_tag_leaves_the_old_manifest,
    r069_tag_parameters_set_all_tags,
    r069_a_wrong_tag_parameter_sets_none,
    r070_too_many_tag_parameters_set_none,
    r071_r072_the_subject_is_confirmed,
    r073_a_pushed_manifest_is_visible_at_once,
}

async fn r067_the_same_again_is_201(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.image("r067").await;
    for reference in ["t", "t", "u", &image.digest(), &image.digest()] {
        let reply = repo.push(reference, &image).await.expect(201);
        assert_eq!(reply.header("docker-content-digest"), image.digest());
    }
    assert_eq!(repo.tags().await, ["t", "u"]);
}

async fn r068_a_moved_tag_leaves_the_old_manifest(kit: Kit) {
    let repo = kit.repo().await;
    let old = repo.tagged("t").await;
    assert_eq!(repo.get("manifests/t").send().await.body, old.bytes);
    let new = repo.image("r068 new").await;
    let _ = repo.push("t", &new).await.expect(201);
    assert_eq!(repo.get("manifests/t").send().await.expect(200).body, new.bytes);
    assert_eq!(repo.get(&format!("manifests/{}", old.digest())).send().await.expect(200).body, old.bytes);
    assert_eq!(repo.tags().await, ["t"]);
}

async fn r069_tag_parameters_set_all_tags(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.image("r069").await;
    let tags: Vec<String> = (0..10).map(|n| format!("t{n}")).collect();
    for digest in [image.digest(), image.sha512()] {
        let query: Vec<String> = tags.iter().map(|tag| format!("tag={tag}")).collect();
        let reply = repo.push(&format!("{digest}?{}", query.join("&")), &image).await.expect(201);
        let told: Vec<&str> =
            reply.headers.get_all("oci-tag").iter().flat_map(|line| line.to_str().expect("text").split(',')).map(str::trim).collect();
        assert_eq!(told, tags);
        assert_eq!(reply.header("docker-content-digest"), digest);
        assert_eq!(repo.tags().await, tags);
        for tag in &tags {
            let read = repo.get(&format!("manifests/{tag}")).send().await.expect(200);
            assert_eq!((read.header("docker-content-digest"), &read.body), (digest.as_str(), &image.bytes));
        }
    }
}

async fn r069_a_wrong_tag_parameter_sets_none(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.image("r069 wrong").await;
    for wrong in [".x", "a%20b", "", &"t".repeat(129)] {
        let reply = repo.push(&format!("{}?tag=good&tag={wrong}", image.digest()), &image).await;
        assert_eq!(reply.status, 400, "{wrong}: {reply:?}");
        assert_eq!((repo.manifest_status("good").await, repo.manifest_status(&image.digest()).await), (404, 404));
    }
}

async fn r070_too_many_tag_parameters_set_none(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.image("r070").await;
    let query: Vec<String> = (0..1000).map(|n| format!("tag=t{n}")).collect();
    let _ = repo.push(&format!("{}?{}", image.digest(), query.join("&")), &image).await.expect(414);
    assert_eq!((repo.manifest_status("t0").await, repo.manifest_status(&image.digest()).await), (404, 404));
    let _ = repo.push(&format!("{}?{}", image.digest(), query[..100].join("&")), &image).await.expect(201);
    assert_eq!(repo.tags().await.len(), 100);
}

async fn r071_r072_the_subject_is_confirmed(kit: Kit) {
    let repo = kit.repo().await;
    repo.blob("{}").await;
    let here = repo.tagged("t").await;
    let absent = repo.image("r071 absent").await;
    for subject in [&here, &absent] {
        let about = Document::about(&subject.descriptor(), "application/vnd.example.note", "r071");
        let reply = repo.push(&about.digest(), &about).await.expect(201);
        assert_eq!(reply.header("oci-subject"), subject.digest());
        let again = repo.push("note", &about).await.expect(201);
        assert_eq!(again.header("oci-subject"), subject.digest());
        let mut index: serde_json::Value = serde_json::from_slice(&Document::index(&[&here]).bytes).expect("JSON");
        index["subject"] = subject.descriptor();
        let reply = repo.push("index", &Document::new(&index)).await.expect(201);
        assert_eq!(reply.header("oci-subject"), subject.digest());
    }
    let plain = repo.push("plain", &here).await.expect(201);
    assert_eq!((plain.find("oci-subject"), plain.find("oci-tag")), (None, None));
}

async fn r073_a_pushed_manifest_is_visible_at_once(kit: Kit) {
    let repo = kit.repo().await;
    repo.blob("{}").await;
    let subject = repo.tagged("subject").await;
    for n in 0..10 {
        let tag = format!("t{n}");
        let about = Document::about(&subject.descriptor(), "application/vnd.example.note", &tag);
        // Everything is asked before too, so that a remembered "no" would show.
        assert_eq!((repo.manifest_status(&tag).await, repo.manifest_status(&about.digest()).await), (404, 404));
        assert_eq!(repo.tags().await.len(), n + 1);
        let before = repo.get(&format!("referrers/{}", subject.digest())).send().await.expect(200).json();
        assert_eq!(before["manifests"].as_array().map(Vec::len), Some(n));
        let _ = repo.push(&tag, &about).await.expect(201);
        assert_eq!((repo.manifest_status(&tag).await, repo.manifest_status(&about.digest()).await), (200, 200));
        assert!(repo.tags().await.contains(&tag));
        let after = repo.get(&format!("referrers/{}", subject.digest())).send().await.expect(200).json();
        assert_eq!(after["manifests"].as_array().map(Vec::len), Some(n + 1));
    }
    assert_eq!(repo.manifest_status(&sha256("never")).await, 404);
}
