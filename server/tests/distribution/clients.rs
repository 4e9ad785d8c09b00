//! S1 to S12: what real clients send, request by request.

use http::Method;
use serde_json::json;
use testkit::client::Client;

use crate::document::{DOCKER_MANIFEST, Document, EMPTY, EMPTY_TYPE, OCI_INDEX, OCI_MANIFEST, image};
use crate::kit::{Kit, Repo, noise, sha256, with_digest};
use crate::raw::Raw;

testkit::tests! {
    Kit;
    s01_docker_pushes_a_new_layer,
    s02_containerd_pushes_with_a_mount,
    s03_containerd_pulls_through_a_mirror,
    s04_podman_pulls_in_parts,
    s05_podman_pushes,
    s06_crane_copies,
    s07_oras_attaches,
    s08_cosign_signs_and_verifies,
    s09_helm_logs_in_pushes_and_pulls,
    s10_the_suites_ask_for_tokens,
    s11_a_refused_token_is_replaced,
    s12_many_nodes_ask_at_once,
}

const ACCEPT_ALL: &str = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, */*";

async fn s01_docker_pushes_a_new_layer(kit: Kit) {
    let repo = kit.repo().await;
    let (name, me) = (repo.name.clone(), kit.nobody());
    let ping = me.get("/v2/").send().await.expect(401).challenge();
    assert_eq!(ping.scope, None);
    let ask = format!(
        "{}?account=admin&client_id=docker&offline_token=true&scope=repository%3A{}%3Apush%2Cpull&service={}",
        ping.realm,
        name.replace('/', "%2F"),
        ping.service
    );
    let answer = me.get(&ask).authorization(&kit.admin.basic()).send().await.expect(200).json();
    let token = answer["token"].as_str().expect("a token");
    let (layer, config) = (noise(1, 70_000), "{\"architecture\":\"amd64\",\"os\":\"linux\"}");
    let digest = sha256(&layer);
    let _ = me.head(&repo.path(&format!("blobs/{digest}"))).bearer(token).send().await.expect(404);
    let opened = me.post(&repo.path("blobs/uploads/")).bearer(token).send().await.expect(202);
    assert_eq!((opened.header("range"), opened.header("docker-upload-uuid").is_empty()), ("0-0", false));
    let patched = me
        .patch(&opened.location())
        .bearer(token)
        .header("content-type", "application/octet-stream")
        .chunked(layer.clone())
        .send()
        .await
        .expect(202);
    assert_eq!(patched.header("range"), "0-69999");
    let _ = me.put(&with_digest(&patched.location(), &digest)).bearer(token).send().await.expect(201);
    assert_eq!(me.head(&repo.path(&format!("blobs/{digest}"))).bearer(token).send().await.expect(200).length(), layer.len());
    let opened = me.post(&repo.path("blobs/uploads/")).bearer(token).send().await.expect(202);
    let ranged = me
        .patch(&opened.location())
        .bearer(token)
        .header("content-range", format!("0-{}", config.len() - 1))
        .body(config)
        .send()
        .await
        .expect(202);
    let _ = me.put(&with_digest(&ranged.location(), &sha256(config))).bearer(token).send().await.expect(201);
    let mut value = image(config.as_bytes(), &[&layer]);
    value["mediaType"] = DOCKER_MANIFEST.into();
    let document = Document::new(&value);
    let put = me.put(&repo.path("manifests/t")).bearer(token).header("content-type", DOCKER_MANIFEST).body(document.bytes.clone());
    assert_eq!(put.send().await.expect(201).header("docker-content-digest"), document.digest());
}

async fn s02_containerd_pushes_with_a_mount(kit: Kit) {
    let (repo, source, secret) = (kit.repo().await, kit.repo().await, kit.repo().await);
    let (me, layer) = (kit.nobody(), "s02 layer");
    let digest = source.blob(layer).await;
    let hidden = secret.blob("s02 hidden").await;
    let head = me.head(&repo.path(&format!("blobs/{digest}"))).send().await.expect(401).challenge();
    assert_eq!(head.scope, Some(format!("repository:{}:pull", repo.name)));
    let scope = format!("repository:{}:pull repository:{}:pull,push", source.name, repo.name);
    let form = [
        ("grant_type", "password"),
        ("service", &head.service),
        ("client_id", "containerd-client"),
        ("scope", &scope),
        ("username", "admin"),
        ("password", testkit::server::ADMIN_PASSWORD),
    ];
    let answer = me.post(&head.realm).form(&form).send().await.expect(200).json();
    let token = answer["access_token"].as_str().expect("a token");
    let _ = me.head(&repo.path(&format!("blobs/{digest}"))).bearer(token).send().await.expect(404);
    let mounted =
        me.post(&repo.path(&format!("blobs/uploads/?mount={digest}&from={}", source.name))).bearer(token).send().await.expect(201);
    assert_eq!(mounted.header("docker-content-digest"), digest);
    // A source that the token does not cover: an upload, in which the whole blob comes by one PUT.
    let refused =
        me.post(&repo.path(&format!("blobs/uploads/?mount={hidden}&from={}", secret.name))).bearer(token).send().await.expect(202);
    let put = me
        .put(&with_digest(&refused.location(), &hidden))
        .bearer(token)
        .header("content-type", "application/octet-stream")
        .body("s02 hidden");
    assert_eq!(put.send().await.expect(201).header("docker-content-digest"), hidden);
    let empty = me.post(&repo.path("blobs/uploads/")).bearer(token).send().await.expect(202);
    let _ = me.put(&with_digest(&empty.location(), &sha256(""))).bearer(token).chunked("").send().await.expect(201);
    let document = Document::image(b"", &[layer.as_bytes(), b"s02 hidden"]);
    let _ = me.head(&repo.path("manifests/t")).bearer(token).header("accept", ACCEPT_ALL).send().await.expect(404);
    let put = me.put(&repo.path("manifests/t")).bearer(token).header("content-type", OCI_MANIFEST).body(document.bytes.clone());
    let _ = put.send().await.expect(201);
}

async fn s03_containerd_pulls_through_a_mirror(kit: Kit) {
    let repo = kit.repo().await;
    let document = repo.tagged("3").await;
    let layer = document_part(&document, "layers");
    let head = repo.head("manifests/3?ns=docker.io").header("accept", ACCEPT_ALL).send().await.expect(200);
    assert_eq!(
        (head.header("content-type"), head.length(), head.header("docker-content-digest")),
        (OCI_MANIFEST, document.bytes.len(), document.digest().as_str())
    );
    let get = repo
        .get(&format!("manifests/{}?ns=docker.io", document.digest()))
        .header("accept", format!("{OCI_MANIFEST}, */*"))
        .send()
        .await
        .expect(200);
    assert_eq!(get.body, document.bytes);
    let coding = "zstd;q=1.0, gzip;q=0.8, deflate;q=0.5";
    let blob = repo.get(&format!("blobs/{layer}?ns=docker.io")).header("accept-encoding", coding).send().await.expect(200);
    assert_eq!((blob.find("content-encoding"), sha256(&blob.body)), (None, layer.clone()));
    let resumed = repo
        .get(&format!("blobs/{layer}?ns=docker.io"))
        .header("accept-encoding", coding)
        .header("range", "bytes=5-")
        .send()
        .await
        .expect(206);
    assert_eq!(resumed.body, blob.body.slice(5..));
}

/// The digest of a manifest's config or first layer.
fn document_part(document: &Document, member: &str) -> String {
    let value: serde_json::Value = serde_json::from_slice(&document.bytes).expect("JSON");
    let part = if value[member].is_array() { &value[member][0] } else { &value[member] };
    part["digest"].as_str().expect("a digest").to_owned()
}

async fn s04_podman_pulls_in_parts(kit: Kit) {
    let repo = kit.repo().await;
    let (layer, config) = (noise(4, 4000), "{}");
    repo.blob(layer.clone()).await;
    repo.blob(config).await;
    let document = Document::image(config.as_bytes(), &[&layer]);
    let _ = repo.push("t", &document).await.expect(201);
    let _ = kit.nobody().get("/v2/").send().await.expect(401);
    let token = kit.admin.token(&[&format!("repository:{}:pull", repo.name)]).await;
    let accepts = [OCI_MANIFEST, DOCKER_MANIFEST, "application/vnd.docker.distribution.manifest.v1+prettyjws", OCI_INDEX];
    let call = accepts.iter().fold(repo.get("manifests/t").bearer(&token), |call, kind| call.header("accept", kind));
    assert_eq!(call.send().await.expect(200).body, document.bytes);
    let _ = repo.get(&format!("blobs/{}", sha256(config))).bearer(&token).send().await.expect(200);
    let path = format!("blobs/{}", sha256(&layer));
    let footer = repo.get(&path).bearer(&token).header("range", "bytes=3900-3999").send().await.expect(206);
    assert_eq!(footer.body, layer.slice(3900..));
    let several = repo.get(&path).bearer(&token).header("range", "bytes=0-99,500-899,2000-2000").send().await.expect(206);
    assert!(several.header("content-type").starts_with("multipart/byteranges; boundary="));
    let text = String::from_utf8_lossy(&several.body).into_owned();
    let at =
        ["0-99/4000", "500-899/4000", "2000-2000/4000"].map(|range| text.find(&format!("bytes {range}")).expect("a part for each range"));
    assert!(at.is_sorted());
}

async fn s05_podman_pushes(kit: Kit) {
    let (repo, source) = (kit.repo().await, kit.repo().await);
    for (content, chunked) in [("s05 layer", true), ("{}", false)] {
        let digest = sha256(content);
        let _ = repo.head(&format!("blobs/{digest}")).send().await.expect(404);
        let unwanted =
            repo.post(&format!("blobs/uploads/?from={}&mount={digest}", source.name.replace('/', "%2F"))).send().await.expect(202);
        let _ = repo.client.delete(&unwanted.location()).send().await.expect(204);
        let location = repo.start().await;
        let patch = repo.client.patch(&location).header("content-type", "application/octet-stream");
        let patched = if chunked { patch.chunked(content) } else { patch.body(content) }.send().await.expect(202);
        let _ = repo.finish(&patched.location(), &digest, "").await.expect(201);
    }
    let document = Document::image(b"{}", &[b"s05 layer"]);
    assert_eq!(repo.push("t", &document).await.expect(201).header("docker-content-digest"), document.digest());
}

async fn s06_crane_copies(kit: Kit) {
    let (repo, source) = (kit.repo().await, kit.repo().await);
    let document = source.tagged("t").await;
    let _ = kit.nobody().get("/v2/").send().await.expect(401);
    let pull = kit.admin.token(&[&format!("repository:{}:pull", source.name)]).await;
    let push = kit.admin.token(&[&format!("repository:{}:push,pull", repo.name), &format!("repository:{}:pull", source.name)]).await;
    let read = source.get("manifests/t").bearer(&pull).header("accept", ACCEPT_ALL.replace(", */*", "")).send().await.expect(200);
    for digest in [document_part(&document, "config"), document_part(&document, "layers")] {
        let _ = repo.head(&format!("blobs/{digest}")).bearer(&push).send().await.expect(404);
        let path = format!("blobs/uploads/?from={}&mount={digest}&origin=127.0.0.1", source.name.replace('/', "%2F"));
        let _ = repo.post(&path).bearer(&push).header("content-type", "application/json").send().await.expect(201);
    }
    for reference in [document.digest(), "t".to_owned()] {
        let put = repo.put(&format!("manifests/{reference}")).bearer(&push).header("content-type", OCI_MANIFEST).body(read.body.clone());
        let _ = put.send().await.expect(201);
    }
    assert_eq!(repo.get("manifests/t").send().await.expect(200).body, document.bytes);
}

async fn s07_oras_attaches(kit: Kit) {
    let repo = kit.repo().await;
    let subject = repo.tagged("t").await;
    let me = kit.nobody();
    let challenge = me.head(&repo.path("manifests/t")).send().await.expect(401).challenge();
    let pull = kit.admin.token(&[&challenge.scope.expect("a scope")]).await;
    let _ = me.head(&repo.path("manifests/t")).bearer(&pull).send().await.expect(200);
    let _ = me.head(&repo.path(&format!("blobs/{}", sha256(EMPTY)))).bearer(&pull).send().await.expect(404);
    let challenge = me.post(&repo.path("blobs/uploads/")).bearer(&pull).send().await.expect(401).challenge();
    assert_eq!(challenge.error.as_deref(), Some("insufficient_scope"));
    let push = kit.admin.token(&[&challenge.scope.expect("a scope")]).await;
    for content in [EMPTY, "an attached file"] {
        let opened = me.post(&repo.path("blobs/uploads/")).bearer(&push).send().await.expect(202);
        let _ = me.put(&with_digest(&opened.location(), &sha256(content))).bearer(&push).body(content).send().await.expect(201);
    }
    let mut value = image(EMPTY.as_bytes(), &[b"an attached file"]);
    value["config"]["mediaType"] = EMPTY_TYPE.into();
    value["config"]["data"] = "e30=".into();
    value["artifactType"] = "application/vnd.example.file".into();
    value["subject"] = subject.descriptor();
    let document = Document::new(&value);
    let put = me.put(&repo.path(&format!("manifests/{}", document.digest()))).bearer(&push).header("content-type", OCI_MANIFEST);
    assert_eq!(put.body(document.bytes.clone()).send().await.expect(201).header("oci-subject"), subject.digest());
    let zeros = format!("referrers/sha256:{}", "0".repeat(64));
    assert_eq!(me.get(&repo.path(&zeros)).bearer(&pull).send().await.expect(200).header("content-type"), OCI_INDEX);
    let list = me.get(&repo.path(&format!("referrers/{}", subject.digest()))).bearer(&pull).send().await.expect(200).json();
    assert_eq!(list["manifests"][0]["digest"], document.digest());
}

async fn s08_cosign_signs_and_verifies(kit: Kit) {
    let repo = kit.repo().await;
    let subject = repo.tagged("t").await;
    let _ = repo.head(&format!("manifests/{}", subject.digest())).send().await.expect(200);
    let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
    for content in [EMPTY, "a bundle"] {
        let location = repo.start().await;
        let patched = repo.client.patch(&location).chunked(content).send().await.expect(202);
        let _ = repo.finish(&patched.location(), &sha256(content), "").await.expect(201);
    }
    let mut value = image(EMPTY.as_bytes(), &[b"a bundle"]);
    value["config"]["mediaType"] = EMPTY_TYPE.into();
    value["layers"][0]["mediaType"] = bundle.into();
    value["artifactType"] = bundle.into();
    value["subject"] = subject.descriptor();
    let signature = Document::new(&value);
    let _ = repo.push(&signature.digest(), &signature).await.expect(201);
    // The older way: a tag that spells the digest.
    let mut old = image(EMPTY.as_bytes(), &[b"a bundle"]);
    old["layers"][0]["mediaType"] = "application/vnd.dev.cosign.simplesigning.v1+json".into();
    let old = Document::new(&old);
    let tag = format!("{}.sig", subject.digest().replace(':', "-"));
    let _ = repo.push(&tag, &old).await.expect(201);
    assert_eq!(repo.get(&format!("manifests/{tag}")).send().await.expect(200).body, old.bytes);
    let list = repo.get(&format!("referrers/{}", subject.digest())).send().await.expect(200).json();
    let entries = list["manifests"].as_array().expect("an array");
    // Signatures that point by their tag are listed as well, as Harbor lists them.
    assert_eq!(
        entries.iter().map(|entry| entry["digest"].as_str()).collect::<Vec<_>>(),
        [Some(&*signature.digest()), Some(&*old.digest())]
    );
    assert_eq!(entries[0]["artifactType"], bundle);
    for entry in entries {
        let manifest = repo.get(&format!("manifests/{}", entry["digest"].as_str().expect("a digest"))).send().await.expect(200).json();
        let blob = repo.get(&format!("blobs/{}", manifest["layers"][0]["digest"].as_str().expect("a digest"))).send().await.expect(200);
        assert_eq!(blob.body, "a bundle");
    }
}

async fn s09_helm_logs_in_pushes_and_pulls(kit: Kit) {
    let repo = kit.repo().await.sibling("charts/demo");
    let me = kit.nobody();
    let challenge = me.get("/v2/").send().await.expect(401).challenge();
    let form = [
        ("grant_type", "password"),
        ("service", &challenge.service),
        ("client_id", "oras"),
        ("username", "admin"),
        ("password", testkit::server::ADMIN_PASSWORD),
    ];
    let login = me.post(&challenge.realm).form(&form).send().await.expect(200).json();
    let _ = me.get("/v2/").bearer(login["access_token"].as_str().expect("a token")).send().await.expect(200);
    let (config, chart, prov) = (r#"{"name":"demo","version":"1.2.3+build","apiVersion":"v2"}"#, "a chart", "a provenance");
    for content in [chart, config, prov] {
        repo.blob(content).await;
    }
    let mut value = image(config.as_bytes(), &[chart.as_bytes(), prov.as_bytes()]);
    value["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json".into();
    value["layers"][0]["mediaType"] = "application/vnd.cncf.helm.chart.content.v1.tar+gzip".into();
    value["layers"][1]["mediaType"] = "application/vnd.cncf.helm.chart.provenance.v1.prov".into();
    let document = Document::new(&value);
    let _ = repo.push("1.2.3_build", &document).await.expect(201);
    assert_eq!(repo.tags().await, ["1.2.3_build"]);
    let head = repo.head("manifests/1.2.3_build").send().await.expect(200);
    let read = repo.get(&format!("manifests/{}", head.header("docker-content-digest"))).send().await.expect(200);
    assert_eq!(read.body, document.bytes);
    for content in [chart, config, prov] {
        assert_eq!(repo.get(&format!("blobs/{}", sha256(content))).send().await.expect(200).body, content);
    }
}

async fn s10_the_suites_ask_for_tokens(kit: Kit) {
    let (one, two) = (kit.repo().await, kit.repo().await);
    let scopes = format!("repository:{}:pull,push repository:{}:pull,push", one.name, two.name).replace(' ', "%20");
    let reply = kit.admin.get(&format!("/service/token?scope={scopes}&service=harbor-registry")).basic().send().await.expect(200).json();
    let token = reply["token"].as_str().expect("a token");
    let plus = kit
        .admin
        .get(&format!("/service/token?scope={}&service=harbor-registry", scopes.replace("%20", "+")))
        .basic()
        .send()
        .await
        .expect(200);
    assert_eq!(plus.json()["token"].as_str().map(str::is_empty), Some(false));
    for repo in [&one, &two] {
        let location = repo.post("blobs/uploads/").bearer(token).send().await.expect(202).location();
        let _ = repo.client.put(&with_digest(&location, &sha256(""))).bearer(token).chunked("").send().await.expect(201);
        repo.blob(EMPTY).await;
        let document = Document::image(EMPTY.as_bytes(), &[b""]);
        let put = repo.put("manifests/t").bearer(token).header("content-type", OCI_MANIFEST).chunked(document.bytes.clone());
        let _ = put.send().await.expect(201);
        let mut raw = Raw::connect(&kit.base).await;
        raw.head(
            "GET",
            &repo.path("manifests/t"),
            &[&format!("Authorization: Bearer {token}"), &format!("Accept: {OCI_MANIFEST}"), "Content-Length: 2"],
        )
        .await;
        raw.send(b"{}").await;
        assert_eq!(raw.reply("GET").await.expect(200).body, document.bytes);
    }
    let _ = one.get("manifests/t").authorization("Basic Og==").send().await.expect(401);
}

/// A client with a token that is no good any more learns it from `error` and comes back with a new one. (That a token expires by the clock is
/// tested where the clock is.)
async fn s11_a_refused_token_is_replaced(kit: Kit) {
    let repo = kit.repo().await;
    let document = repo.tagged("t").await;
    for (method, rest) in [(Method::HEAD, "manifests/t"), (Method::GET, "manifests/t"), (Method::POST, "blobs/uploads/")] {
        let refused = repo.call(method.clone(), rest).bearer("eyJhbGciOiJSUzI1NiJ9.e30.c2ln").send().await.expect(401).challenge();
        assert_eq!(refused.error.as_deref(), Some("invalid_token"));
        let token = kit.admin.token(&[&refused.scope.expect("a scope")]).await;
        let reply = repo.call(method, rest).bearer(&token).send().await;
        assert!([200, 202].contains(&reply.status), "{reply:?}");
    }
    assert_eq!(repo.get("manifests/t").send().await.expect(200).body, document.bytes);
}

async fn s12_many_nodes_ask_at_once(kit: Kit) {
    let repo = kit.repo().await;
    let document = repo.tagged("t").await;
    let robot: Client = kit.member(&repo, 3).await;
    let repo: Repo = repo.used_by(&robot);
    let token = robot.token(&[&format!("repository:{}:pull", repo.name)]).await;
    let asked = (0..200).map(|_| repo.head("manifests/t").bearer(&token).send());
    let started = std::time::Instant::now();
    for reply in futures::future::join_all(asked).await {
        assert_eq!(reply.expect(200).header("docker-content-digest"), document.digest());
    }
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    let count = json!(repo.tags().await.len());
    assert_eq!(count, 1);
}
