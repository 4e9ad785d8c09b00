//! R143 to R148, R150: what is about a manifest.

use serde_json::{Value, json};
use testkit::client::Reply;

use crate::document::{Document, EMPTY, EMPTY_TYPE, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, image};
use crate::kit::{Kit, Repo, sha256, sha512};

testkit::tests! {
    Kit;
    r143_without_referrers_the_list_is_empty,
    r144_a_digest_that_is_none_is_400,
    r145_a_descriptor_tells_of_the_manifest,
    r146_every_referrer_is_listed_once,
    r147_the_filter_keeps_only_matches,
    r148_large_lists_come_in_pages,
    r150_a_subject_may_be_named_by_sha512,
    reading_referrers_needs_the_permission,
}

const NOTE: &str = "application/vnd.example.note";

fn entries(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.header("content-type"), OCI_INDEX);
    let body = reply.json();
    assert_eq!((&body["schemaVersion"], &body["mediaType"]), (&json!(2), &json!(OCI_INDEX)));
    body["manifests"].as_array().expect("an array").clone()
}

fn digests(reply: &Reply) -> Vec<String> {
    entries(reply).iter().map(|entry| entry["digest"].as_str().expect("a digest").to_owned()).collect()
}

async fn list(repo: &Repo, digest: &str) -> Reply {
    repo.get(&format!("referrers/{digest}")).send().await.expect(200)
}

async fn stored(repo: &Repo, value: &Value) -> Document {
    let document = Document::new(value);
    let _ = repo.push(&document.digest(), &document).await.expect(201);
    document
}

/// An image to be about, and the empty blob that artifacts need.
async fn subject(repo: &Repo) -> Document {
    repo.blob(EMPTY).await;
    repo.tagged("subject").await
}

async fn r143_without_referrers_the_list_is_empty(kit: Kit) {
    let repo = kit.repo().await;
    let zeros = format!("sha256:{}", "0".repeat(64));
    for (name, digest) in [(&repo, zeros.clone()), (&repo.sibling("never"), sha256("x")), (&repo, sha512("x"))] {
        assert!(entries(&list(name, &digest).await).is_empty());
    }
    let subject = subject(&repo).await;
    assert!(entries(&list(&repo, &subject.digest()).await).is_empty());
    let filtered = repo.get(&format!("referrers/{zeros}?artifactType=a")).send().await.expect(200);
    assert!(entries(&filtered).is_empty());
}

async fn r144_a_digest_that_is_none_is_400(kit: Kit) {
    let repo = kit.repo().await;
    for digest in ["nonsense", "sha256:xyz", "sha256:", &sha256("x").to_uppercase()] {
        let reply = repo.get(&format!("referrers/{digest}")).send().await.expect(400);
        assert!(!reply.code().is_empty(), "{reply:?}");
    }
}

async fn r145_a_descriptor_tells_of_the_manifest(kit: Kit) {
    let repo = kit.repo().await;
    let subject = subject(&repo).await;
    let mut named = image(EMPTY.as_bytes(), &[EMPTY.as_bytes()]);
    named["subject"] = subject.descriptor();
    let mut plain = named.clone();
    named["artifactType"] = NOTE.into();
    named["annotations"] = json!({"a": "b", "org.opencontainers.image.created": "2024-01-01T00:00:00Z", "": ""});
    plain["config"]["mediaType"] = OCI_CONFIG.into();
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [subject.descriptor()], "subject": subject.descriptor()});
    let mut named_index = index.clone();
    named_index["artifactType"] = "application/vnd.example.index".into();
    let [named_doc, plain, index, named_index] =
        [stored(&repo, &named).await, stored(&repo, &plain).await, stored(&repo, &index).await, stored(&repo, &named_index).await];
    let own =
        |document: &Document, media_type: &str| json!({"mediaType": media_type, "digest": document.digest(), "size": document.bytes.len()});
    let mut expected = [own(&named_doc, OCI_MANIFEST), own(&plain, OCI_MANIFEST), own(&index, OCI_INDEX), own(&named_index, OCI_INDEX)];
    expected[0]["artifactType"] = NOTE.into();
    expected[0]["annotations"] = named["annotations"].clone();
    expected[1]["artifactType"] = OCI_CONFIG.into();
    expected[3]["artifactType"] = "application/vnd.example.index".into();
    let mut found = entries(&list(&repo, &subject.digest()).await);
    for entry in &mut found {
        // An empty set may be left out or not.
        if entry["annotations"].as_object().is_some_and(serde_json::Map::is_empty) {
            entry.as_object_mut().expect("an object").remove("annotations");
        }
    }
    assert_eq!(found, expected);
}

async fn r146_every_referrer_is_listed_once(kit: Kit) {
    let repo = kit.repo().await;
    let subject = subject(&repo).await;
    let absent = repo.image("absent").await;
    let mut expected = Vec::new();
    for (n, of) in [&subject, &absent].iter().enumerate() {
        let mut wanted = Vec::new();
        for note in ["untagged", "tagged", "twice"] {
            let about = Document::about(&of.descriptor(), NOTE, &format!("{note} {n}"));
            let _ = repo.push(&about.digest(), &about).await.expect(201);
            if note != "untagged" {
                let _ = repo.push(&format!("{note}-{n}"), &about).await.expect(201);
                let _ = repo.push(&format!("{note}-{n}-again"), &about).await.expect(201);
            }
            wanted.push(about.digest());
        }
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "subject": of.descriptor(), "annotations": {"n": n.to_string()}});
        wanted.push(stored(&repo, &index).await.digest());
        expected.push(wanted);
    }
    assert_eq!(digests(&list(&repo, &subject.digest()).await), expected[0]);
    assert_eq!(digests(&list(&repo, &absent.digest()).await), expected[1]);
    // The subject that comes late changes nothing, and another repository knows nothing.
    let _ = repo.push("late", &absent).await.expect(201);
    assert_eq!(digests(&list(&repo, &absent.digest()).await), expected[1]);
    assert!(entries(&list(&repo.sibling("other"), &subject.digest()).await).is_empty());
}

async fn r147_the_filter_keeps_only_matches(kit: Kit) {
    let repo = kit.repo().await;
    let subject = subject(&repo).await;
    let kinds = ["application/vnd.example.a+json", "application/vnd.example.b", "application/vnd.example.b"];
    let mut documents = Vec::new();
    for (n, kind) in kinds.iter().enumerate() {
        let about = Document::about(&subject.descriptor(), kind, &n.to_string());
        let _ = repo.push(&about.digest(), &about).await.expect(201);
        documents.push(about.digest());
    }
    let filtered = async |query: &str| repo.get(&format!("referrers/{}?{query}", subject.digest())).send().await.expect(200);
    for (query, expected) in [
        ("artifactType=application/vnd.example.b", &documents[1..]),
        ("artifactType=application%2Fvnd.example.a%2Bjson", &documents[..1]),
        ("artifactType=application/vnd.example.a+json", &documents[..1]),
        ("artifactType=application/vnd.example.none", &[][..]),
        ("artifactType=application/vnd.example", &[][..]),
        ("artifactType=application/vnd.example.b&artifactType=application/vnd.example.a%2Bjson", &documents[..]),
    ] {
        let reply = filtered(query).await;
        assert_eq!(digests(&reply), expected, "{query}");
        assert_eq!(reply.header("oci-filters-applied"), "artifactType");
    }
    for query in ["", "artifactType=", "n=1&x=y"] {
        let reply = filtered(query).await;
        assert_eq!((digests(&reply).len(), reply.find("oci-filters-applied")), (3, None), "{query}");
    }
}

async fn r148_large_lists_come_in_pages(kit: Kit) {
    let repo = kit.repo().await;
    let subject = subject(&repo).await;
    let mut expected = Vec::new();
    for n in 0..6 {
        let mut value: Value = serde_json::from_slice(&Document::about(&subject.descriptor(), NOTE, "large").bytes).expect("JSON");
        value["annotations"] = json!({"n": n.to_string(), "filler": "x".repeat(900_000)});
        expected.push(stored(&repo, &value).await.digest());
    }
    // A filter may be anything, and comes back in the link as it was.
    for query in
        ["", "?artifactType=application/vnd.example.note", "?artifactType=a%26b%C3%A9%2B&artifactType=application/vnd.example.note"]
    {
        let (mut found, mut pages) = (Vec::new(), 0);
        let mut target = Some(repo.path(&format!("referrers/{}{query}", subject.digest())));
        while let Some(path) = target {
            let reply = repo.client.get(&path).send().await.expect(200);
            assert!(reply.body.len() < 4 << 20);
            assert_eq!(reply.header("x-total-count"), "6");
            found.extend(digests(&reply));
            pages += 1;
            target = reply.find("link").map(|link| {
                link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).expect("a link to the next page").to_owned()
            });
        }
        assert_eq!(found, expected);
        assert!(pages > 1);
    }
}

async fn r150_a_subject_may_be_named_by_sha512(kit: Kit) {
    let repo = kit.repo().await;
    let subject = subject(&repo).await;
    let _ = repo.push(&subject.sha512(), &subject).await.expect(201);
    let mut descriptor = subject.descriptor();
    descriptor["digest"] = subject.sha512().into();
    let about = Document::about(&descriptor, NOTE, "by sha512");
    let reply = repo.push(&about.digest(), &about).await.expect(201);
    assert_eq!(reply.header("oci-subject"), subject.sha512());
    assert_eq!(digests(&list(&repo, &subject.sha512()).await), [about.digest()]);
    // The digest's text decides, not the content.
    assert!(entries(&list(&repo, &subject.digest()).await).is_empty());
    // And what refers may be named by it as well.
    let other = Document::about(&subject.descriptor(), EMPTY_TYPE, "pushed by sha512");
    let _ = repo.push(&other.sha512(), &other).await.expect(201);
    assert_eq!(digests(&list(&repo, &subject.digest()).await), [other.sha512()]);
}

async fn reading_referrers_needs_the_permission(kit: Kit) {
    let repo = kit.repo().await;
    let subject = subject(&repo).await;
    let path = format!("referrers/{}", subject.digest());
    let challenge = repo.used_by(&kit.nobody()).get(&path).send().await.expect(401).challenge();
    assert_eq!(challenge.scope, Some(format!("repository:{}:pull", repo.name)));
    let _ = repo.used_by(&kit.user().await).get(&path).send().await.expect(401);
    let guest = kit.member(&repo, 3).await;
    let _ = repo.used_by(&guest).get(&path).send().await.expect(200);
}
