//! R41 to R54: which documents are stored as manifests.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::document::{Document, OCI_INDEX, OCI_MANIFEST, image};
use crate::kit::{Kit, Repo};
use crate::raw::Raw;

testkit::tests! {
    Kit;
    r041_a_manifest_may_come_in_chunks,
    r042_the_answer_says_where_and_what,
    r043_a_manifest_may_have_4_mib,
    r043_a_larger_one_is_refused_before_the_rest_is_read,
    r044_r045_the_type_is_found,
    r046_two_types_must_not_disagree,
    r047_a_document_is_not_both_kinds,
    r048_the_body_need_not_name_its_type,
    r049_only_schema_version_2_is_taken,
    r050_broken_json_is_refused,
    r051_unknown_members_survive,
    r052_empty_lists_are_taken,
    r053_unknown_types_are_taken,
    r054_embedded_data_is_kept_or_refused,
}

async fn put(repo: &Repo, kind: Option<&str>, bytes: impl Into<Bytes>) -> testkit::client::Reply {
    let call = repo.put("manifests/t");
    let call = kind.into_iter().fold(call, |call, kind| call.header("content-type", kind));
    call.body(bytes).send().await
}

/// An image whose contents are there, to be changed.
async fn sound(repo: &Repo) -> Value {
    let image = repo.image("sound").await;
    serde_json::from_slice(&image.bytes).expect("JSON")
}

async fn r041_a_manifest_may_come_in_chunks(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.image("r041").await;
    let call = repo.put("manifests/t").header("content-type", OCI_MANIFEST).chunked(image.bytes.clone());
    let _ = call.send().await.expect(201);
    assert_eq!(repo.get("manifests/t").send().await.expect(200).body, image.bytes);
}

async fn r042_the_answer_says_where_and_what(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.image("r042").await;
    for reference in ["t".to_owned(), image.digest()] {
        let reply = repo.push(&reference, &image).await.expect(201);
        assert_eq!((reply.length(), reply.body.len()), (0, 0));
        assert_eq!(reply.header("docker-content-digest"), image.digest());
        let read = repo.client.get(&reply.location()).send().await.expect(200);
        assert_eq!((read.body, read.headers["content-type"].to_str().ok()), (image.bytes.clone(), Some(OCI_MANIFEST)));
    }
}

async fn r043_a_manifest_may_have_4_mib(kit: Kit) {
    const LIMIT: usize = 4 << 20;
    let repo = kit.repo().await;
    let mut value = sound(&repo).await;
    value["annotations"] = json!({"filler": ""});
    let room = LIMIT - value.to_string().len();
    value["annotations"]["filler"] = "x".repeat(room).into();
    let largest = value.to_string();
    assert_eq!(largest.len(), LIMIT);
    let _ = put(&repo, Some(OCI_MANIFEST), largest.clone()).await.expect(201);
    assert_eq!(repo.get("manifests/t").send().await.expect(200).length(), LIMIT);
    let larger = put(&repo, Some(OCI_MANIFEST), format!("{largest} ")).await.expect(413);
    assert!(!larger.code().is_empty(), "{larger:?}");
    let chunked = repo.put("manifests/t").header("content-type", OCI_MANIFEST).chunked(format!("{largest} "));
    let _ = chunked.send().await.expect(413);
}

async fn r043_a_larger_one_is_refused_before_the_rest_is_read(kit: Kit) {
    let repo = kit.repo().await;
    let mut raw = Raw::connect(&kit.base).await;
    let sign = format!("Authorization: {}", kit.admin.basic());
    raw.head("PUT", &repo.path("manifests/t"), &[&sign, "Content-Length: 1073741824"]).await;
    raw.send(&vec![b' '; (4 << 20) + (64 << 10)]).await;
    let _ = raw.reply("PUT").await.expect(413);
}

/// By the letter a missing Content-Type is found in the body; Harbor refuses it, and so do we.
async fn r044_r045_the_type_is_found(kit: Kit) {
    let repo = kit.repo().await;
    let named = sound(&repo).await;
    let mut unnamed = named.clone();
    unnamed.as_object_mut().expect("an object").remove("mediaType");
    let index = json!({"schemaVersion": 2, "manifests": []});
    let parameters = format!("{OCI_MANIFEST}; charset=utf-8; x=y");
    for (kind, document, stored) in [
        (Some(parameters.as_str()), &named, OCI_MANIFEST),
        // Content-Type is there and says nothing: the body's own type, then its shape, decide.
        (Some(""), &named, OCI_MANIFEST),
        (Some(""), &unnamed, OCI_MANIFEST),
        (Some(""), &index, OCI_INDEX),
    ] {
        let _ = put(&repo, kind, document.to_string()).await.expect(201);
        assert_eq!(repo.head("manifests/t").send().await.header("content-type"), stored);
    }
    put(&repo, Some(""), r#"{"schemaVersion":2}"#).await.expect_error(400, "MANIFEST_INVALID");
    put(&repo, None, named.to_string()).await.expect_error(400, "MANIFEST_INVALID");
    put(&repo, Some("application/json"), named.to_string()).await.expect_error(400, "MANIFEST_INVALID");
}

async fn r046_two_types_must_not_disagree(kit: Kit) {
    let repo = kit.repo().await;
    let value = sound(&repo).await;
    put(&repo, Some(OCI_INDEX), value.to_string()).await.expect_error(400, "MANIFEST_INVALID");
    put(&repo, Some(crate::document::DOCKER_MANIFEST), value.to_string()).await.expect_error(400, "MANIFEST_INVALID");
}

async fn r047_a_document_is_not_both_kinds(kit: Kit) {
    let repo = kit.repo().await;
    let mut both = sound(&repo).await;
    both["manifests"] = json!([]);
    put(&repo, Some(OCI_MANIFEST), both.to_string()).await.expect_error(400, "MANIFEST_INVALID");
    both["mediaType"] = OCI_INDEX.into();
    put(&repo, Some(OCI_INDEX), both.to_string()).await.expect_error(400, "MANIFEST_INVALID");
    let layers = json!({"schemaVersion": 2, "manifests": [], "layers": []});
    put(&repo, Some(OCI_INDEX), layers.to_string()).await.expect_error(400, "MANIFEST_INVALID");
}

async fn r048_the_body_need_not_name_its_type(kit: Kit) {
    let repo = kit.repo().await;
    let mut value = sound(&repo).await;
    value.as_object_mut().expect("an object").remove("mediaType");
    let _ = put(&repo, Some(OCI_MANIFEST), value.to_string()).await.expect(201);
    let index = json!({"schemaVersion": 2, "manifests": []});
    let _ = put(&repo, Some(OCI_INDEX), index.to_string()).await.expect(201);
}

async fn r049_only_schema_version_2_is_taken(kit: Kit) {
    let repo = kit.repo().await;
    let mut value = sound(&repo).await;
    for version in [json!(1), json!(3), json!("2"), Value::Null] {
        value["schemaVersion"] = version;
        put(&repo, Some(OCI_MANIFEST), value.to_string()).await.expect_error(400, "MANIFEST_INVALID");
    }
    value.as_object_mut().expect("an object").remove("schemaVersion");
    put(&repo, Some(OCI_MANIFEST), value.to_string()).await.expect_error(400, "MANIFEST_INVALID");
    let old = json!({"schemaVersion": 1, "name": "a", "tag": "b", "fsLayers": [], "history": []}).to_string();
    for kind in ["application/vnd.docker.distribution.manifest.v1+json", "application/vnd.docker.distribution.manifest.v1+prettyjws"] {
        put(&repo, Some(kind), old.clone()).await.expect_error(400, "MANIFEST_INVALID");
    }
    put(&repo, Some(""), old).await.expect_error(400, "MANIFEST_INVALID");
}

async fn r050_broken_json_is_refused(kit: Kit) {
    let repo = kit.repo().await;
    let good = sound(&repo).await.to_string();
    let twice = good.replacen("\"schemaVersion\":2", "\"schemaVersion\":2,\"schemaVersion\":2", 1);
    let layers = good.replacen("\"layers\":", "\"layers\":[],\"layers\":", 1);
    let mut not_utf8 = good.clone().into_bytes();
    let at = good.find("schemaVersion").expect("a member") - 1;
    not_utf8.splice(at..at, *b"\"x\":\"\xff\",");
    let broken = [
        Bytes::new(),
        Bytes::from("nonsense"),
        Bytes::from("[]"),
        Bytes::from("null"),
        Bytes::from(format!("[{good}]")),
        Bytes::from(good[..good.len() - 1].to_owned()),
        Bytes::from(format!("{good}{good}")),
        Bytes::from(format!("{good} x")),
        Bytes::from(twice),
        Bytes::from(layers),
        Bytes::from(not_utf8),
        Bytes::from(format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))),
    ];
    for bytes in broken {
        let told = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        let reply = put(&repo, Some(OCI_MANIFEST), bytes).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "MANIFEST_INVALID"), "{told}: {reply:?}");
    }
    assert_eq!(repo.manifest_status("t").await, 404);
}

async fn r051_unknown_members_survive(kit: Kit) {
    let repo = kit.repo().await;
    let mut value = sound(&repo).await;
    value["newUnspecifiedField"] = json!({"a": [1, {"b": null}], "schemaVersion": 7});
    value["config"]["newUnspecifiedField"] = json!("x");
    value["layers"][0]["another"] = json!([[]]);
    value["annotations"] = json!({"a": "b"});
    let image = Document::new(&value);
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [image.descriptor()], "extra": {"manifests": 1}});
    let index = Document::new(&index);
    for (tag, document) in [("image", &image), ("index", &index)] {
        let _ = repo.push(tag, document).await.expect(201);
        assert_eq!(repo.get(&format!("manifests/{tag}")).send().await.expect(200).body, document.bytes);
    }
}

async fn r052_empty_lists_are_taken(kit: Kit) {
    let repo = kit.repo().await;
    repo.blob("{}").await;
    let mut value = image(b"{}", &[]);
    let _ = put(&repo, Some(OCI_MANIFEST), value.to_string()).await.expect(201);
    value["layers"] = Value::Null;
    let _ = put(&repo, Some(OCI_MANIFEST), value.to_string()).await.expect(201);
    let _ = put(&repo, Some(OCI_INDEX), r#"{"schemaVersion":2,"manifests":[]}"#).await.expect(201);
}

async fn r053_unknown_types_are_taken(kit: Kit) {
    let repo = kit.repo().await;
    let mut value = sound(&repo).await;
    value["config"]["mediaType"] = "application/vnd.example.config+json".into();
    value["layers"][0]["mediaType"] = "text/plain".into();
    value["artifactType"] = "application/vnd.example.thing".into();
    let _ = put(&repo, Some(OCI_MANIFEST), value.to_string()).await.expect(201);
    value["layers"][0]["mediaType"] = "not a media type".into();
    let _ = put(&repo, Some(OCI_MANIFEST), value.to_string()).await.expect(201);
}

async fn r054_embedded_data_is_kept_or_refused(kit: Kit) {
    let repo = kit.repo().await;
    repo.blob("{}").await;
    let mut value = image(b"{}", &[b"{}"]);
    value["config"]["data"] = "e30=".into();
    value["layers"][0]["data"] = "e30=".into();
    let document = Document::new(&value);
    let _ = repo.push("t", &document).await.expect(201);
    assert_eq!(repo.get("manifests/t").send().await.expect(200).body, document.bytes);
    for data in ["e31=", "nonsense!", "e30"] {
        value["config"]["data"] = data.into();
        put(&repo, Some(OCI_MANIFEST), value.to_string()).await.expect_error(400, "MANIFEST_INVALID");
    }
}
