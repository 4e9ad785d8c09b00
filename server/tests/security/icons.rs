//! Icons that artifacts bring along: pictures of strangers, shown to everybody, and so nothing else and nothing large.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Method;
use serde_json::{Value, json};

use crate::kit::{Kit, MANIFEST, Who};

testkit::tests! {
    Kit;
    a_layer_that_says_so_is_the_artifacts_icon_as_long_as_the_artifact_is_there,
    an_icon_is_a_small_picture_or_the_push_is_refused,
    what_is_no_icon_is_not_shown_as_one,
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nwhat follows is not looked at";

/// An artifact with a layer that is said to be its icon.
async fn artifact(kit: &Kit, repository: &str, icon: &[u8]) -> (String, Value) {
    let config = kit.blob(&kit.admin, repository, "{}").await;
    let digest = kit.blob(&kit.admin, repository, icon.to_vec()).await;
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.acme.rocket.config.v1+json", "digest": config, "size": 2},
        "layers": [{"mediaType": "image/png", "digest": digest, "size": icon.len(),
            "annotations": {"io.goharbor.artifact.v1alpha1.icon": ""}}]});
    (digest, manifest)
}

async fn a_layer_that_says_so_is_the_artifacts_icon_as_long_as_the_artifact_is_there(kit: Kit) {
    let name = kit.fresh("p");
    kit.project(&name, false).await;
    let own = [PNG, name.as_bytes()].concat();
    let (digest, manifest) = artifact(&kit, &format!("{name}/r"), &own).await;
    let icon = async || kit.get(&Who::nobody(), &format!("/icons/{digest}")).await;
    icon().await.expect_error(404, "NOT_FOUND");
    let _ = kit.push(&kit.admin, &format!("{name}/r"), "v1", &manifest.to_string().into()).await.expect(201);
    let place = format!("/projects/{name}/repositories/r/artifacts");
    assert_eq!(kit.read(&format!("{place}/v1")).await["icon"], digest.as_str());
    assert_eq!(kit.read(&place).await[0]["icon"], digest.as_str());
    let shown = icon().await.expect(200).json();
    assert_eq!(shown["content-type"], "image/png");
    assert_eq!(BASE64_STANDARD.decode(shown["content"].as_str().expect("a text")).expect("base64"), own);
    // A copy has it too, and it stays as long as one of both does.
    let copy = format!("/projects/{name}/repositories/s/artifacts");
    let _ = kit.api(&kit.admin, Method::POST, &format!("{copy}?from={name}/r:v1")).send().await.expect(201);
    let _ = kit.delete(&kit.admin, &format!("{place}/v1")).await.expect(200);
    assert_eq!(kit.read(&format!("{copy}/v1")).await["icon"], digest.as_str());
    let _ = icon().await.expect(200);
    let _ = kit.delete(&kit.admin, &format!("{copy}/v1")).await.expect(200);
    icon().await.expect_error(404, "NOT_FOUND");
}

async fn an_icon_is_a_small_picture_or_the_push_is_refused(kit: Kit) {
    let name = kit.fresh("p");
    kit.project(&name, false).await;
    let repository = format!("{name}/r");
    let large = [PNG, &vec![0; 1 << 20]].concat();
    for icon in [&large[..], b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", b"<script>alert(1)</script>", b"\x89PN"] {
        let (digest, manifest) = artifact(&kit, &repository, icon).await;
        kit.push(&kit.admin, &repository, "v1", &manifest.to_string().into()).await.expect_error(400, "BAD_REQUEST");
        kit.get(&Who::nobody(), &format!("/icons/{digest}")).await.expect_error(404, "NOT_FOUND");
    }
    let most = [PNG, &vec![0; (1 << 20) - PNG.len()]].concat();
    let (_, manifest) = artifact(&kit, &repository, &most).await;
    let _ = kit.push(&kit.admin, &repository, "v1", &manifest.to_string().into()).await.expect(201);
}

/// Neither a picture that no artifact calls its icon, nor one whose repository does not hold it any more.
async fn what_is_no_icon_is_not_shown_as_one(kit: Kit) {
    let name = kit.fresh("p");
    kit.project(&name, false).await;
    let repository = format!("{name}/r");
    let (digest, mut manifest) = artifact(&kit, &repository, &[PNG, name.as_bytes()].concat()).await;
    manifest["layers"][0]["annotations"] = json!({"io.goharbor.artifact.v1alpha1.icons": "true"});
    let _ = kit.push(&kit.admin, &repository, "v1", &manifest.to_string().into()).await.expect(201);
    let config = manifest["config"]["digest"].as_str().expect("a digest");
    for other in [digest.as_str(), config, "sha256:0", "", "x", &format!("sha256:{}", "0".repeat(64))] {
        let reply = kit.get(&Who::nobody(), &format!("/icons/{other}")).await;
        assert_eq!(reply.status, 404, "{other}: {reply:?}");
    }
    // A layer that is not there is told like any other.
    let absent = oci::Digest::sha256(name.as_bytes());
    manifest["layers"][0]["annotations"] = json!({"io.goharbor.artifact.v1alpha1.icon": ""});
    manifest["layers"][0]["digest"] = absent.as_str().into();
    let reply = kit.push(&kit.admin, &repository, "v2", &manifest.to_string().into()).await;
    assert_eq!(reply.code(), "MANIFEST_BLOB_UNKNOWN", "{reply:?}");
}
