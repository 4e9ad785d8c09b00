//! `with_signature`, which clients generated from the API's document send along: signatures are accessories today, and the parameter, which is still
//! taken, adds nothing and takes nothing away.

use serde_json::{Value, json};
use testkit::client::Client;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const ARTIFACTS: &str = "/api/v2.0/projects/library/repositories/signed/artifacts";

pub async fn changes_nothing(client: &Client) {
    let image = push(client, "v1", "application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar").await;
    let tag = format!("sha256-{}.sig", image.trim_start_matches("sha256:"));
    let signature =
        push(client, &tag, "application/vnd.oci.image.config.v1+json", "application/vnd.dev.cosign.simplesigning.v1+json").await;
    for reference in ["v1", image.as_str()] {
        let plain = read(client, &format!("{ARTIFACTS}/{reference}")).await;
        assert_eq!((&plain["digest"], &plain["accessories"]), (&json!(image), &Value::Null));
        for value in ["true", "false", "1", "", "maybe"] {
            let asked = read(client, &format!("{ARTIFACTS}/{reference}?with_signature={value}")).await;
            assert_eq!(asked, plain, "with_signature={value}");
        }
        // What signs it is told by the parameter for accessories, with the other or without.
        let with = read(client, &format!("{ARTIFACTS}/{reference}?with_accessory=true")).await;
        assert_eq!((&with["accessories"][0]["type"], &with["accessories"][0]["digest"]), (&json!("signature.cosign"), &json!(signature)));
        let both = read(client, &format!("{ARTIFACTS}/{reference}?with_accessory=true&with_signature=true")).await;
        assert_eq!(both, with);
    }
    let plain = read(client, ARTIFACTS).await;
    assert_eq!(plain.as_array().map(Vec::len), Some(1), "the signature is no row of its own: {plain}");
    assert_eq!(read(client, &format!("{ARTIFACTS}?with_signature=true")).await, plain, "the list does not know it");
}

async fn read(client: &Client, path: &str) -> Value {
    client.get(path).basic().send().await.expect(200).json()
}

/// Pushes an image of one layer; its digest.
async fn push(client: &Client, tag: &str, config_type: &str, layer_type: &str) -> String {
    let mut described = Vec::new();
    for (content, media_type) in [(b"{}".to_vec(), config_type), (format!("layer of {tag}").into_bytes(), layer_type)] {
        let (digest, size) = (oci::Digest::sha256(&content), content.len());
        let call = client.post(&format!("/v2/library/signed/blobs/uploads/?digest={digest}")).basic();
        let _ = call.header("content-type", "application/octet-stream").body(content).send().await.expect(201);
        described.push(json!({"mediaType": media_type, "digest": digest.as_str(), "size": size}));
    }
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": [described[1]]}).to_string();
    let digest = oci::Digest::sha256(manifest.as_bytes()).to_string();
    let call = client.put(&format!("/v2/library/signed/manifests/{tag}")).basic().header("content-type", MANIFEST).body(manifest);
    let _ = call.send().await.expect(201);
    digest
}
