//! R1 to R4, R12 to R16, R18, R24 to R28: what holds for every endpoint.

use serde_json::json;
use testkit::client::Call;
use testkit::server::Server;

use crate::document::{Document, OCI_MANIFEST};
use crate::kit::{Kit, sha256, with_digest};
use crate::raw::Raw;

testkit::tests! {
    Kit;
    r001_ping_without_credentials_is_401_with_one_bearer_challenge,
    r002_ping_with_bearer_or_basic_is_200,
    r003_ping_without_slash_is_the_same,
    r004_every_answer_names_the_api_version,
    r012_the_colon_of_a_digest_may_be_encoded,
    r013_unknown_parameters_are_ignored,
    r014_wrong_methods_are_405_and_unknown_paths_harbors_401,
    r015_errors_are_json_with_a_code_of_the_lists,
    r016_errors_stay_below_8_kib,
    r018_nothing_is_content_encoded,
    r024_r025_addresses_are_the_clients_own,
    r025_a_trusted_proxy_is_believed,
    r026_a_namespace_parameter_is_ignored,
    r027_who_is_asked_to_wait_is_told_how_long,
    r028_no_warnings_are_sent,
}

async fn r001_ping_without_credentials_is_401_with_one_bearer_challenge(kit: Kit) {
    let reply = kit.nobody().get("/v2/").send().await.expect(401);
    assert_eq!(reply.headers.get_all("www-authenticate").iter().count(), 1);
    let challenge = reply.challenge();
    assert_eq!(challenge.realm, format!("{}/service/token", kit.base));
    assert_eq!((challenge.service.as_str(), challenge.scope, challenge.error), ("harbor-registry", None, None));
    assert_eq!(reply.code(), "UNAUTHORIZED");
    assert!(reply.header("content-type").starts_with("application/json"));
}

async fn r002_ping_with_bearer_or_basic_is_200(kit: Kit) {
    let token = kit.admin.token(&[]).await;
    for call in [kit.admin.get("/v2/").bearer(&token), kit.admin.get("/v2/").basic(), kit.user().await.get("/v2/").basic()] {
        let reply = call.send().await.expect(200);
        assert_eq!((&*reply.body, reply.length()), (&b"{}"[..], 2));
        assert!(reply.header("content-type").starts_with("application/json"));
    }
    let wrong = kit.nobody().get("/v2/").authorization("Basic YWRtaW46d3Jvbmc=").send().await.expect(401);
    assert_eq!(wrong.header("www-authenticate"), "Basic realm=\"harbor\"");
}

async fn r003_ping_without_slash_is_the_same(kit: Kit) {
    assert_eq!(kit.nobody().get("/v2").send().await.status, 401);
    assert_eq!(kit.admin.get("/v2").send().await.status, 200);
}

async fn r004_every_answer_names_the_api_version(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.tagged("t").await;
    let blob = repo.blob("r004").await;
    let upload = repo.start().await;
    let calls = [
        kit.nobody().get("/v2/"),
        kit.admin.get("/v2/"),
        kit.admin.get("/v2/_catalog"),
        kit.admin.get("/v2/nonsense"),
        kit.admin.post("/v2/"),
        repo.get("manifests/t"),
        repo.head("manifests/t"),
        repo.get("manifests/none"),
        repo.get("manifests/t").header("if-none-match", format!("\"{}\"", image.digest())),
        repo.get(&format!("blobs/{blob}")),
        repo.get(&format!("blobs/{blob}")).header("range", "bytes=99-"),
        repo.get("tags/list"),
        repo.get(&format!("referrers/{blob}")),
        repo.post("blobs/uploads/"),
        repo.client.get(&upload),
        repo.client.patch(&upload).header("content-range", "5-6").body("xx"),
        repo.client.delete(&upload),
        repo.delete("manifests/t"),
        repo.delete(&format!("blobs/{blob}")),
    ];
    for call in calls {
        let reply = call.send().await;
        assert_eq!(reply.find("docker-distribution-api-version"), Some("registry/2.0"), "{reply:?}");
    }
}

async fn r012_the_colon_of_a_digest_may_be_encoded(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.tagged("t").await;
    let blob = repo.blob("r012").await;
    let encoded = |digest: &str| digest.replace(':', "%3A");
    assert_eq!(repo.manifest_status(&encoded(&image.digest())).await, 200);
    assert_eq!(repo.blob_status(&encoded(&blob)).await, 200);
    let _ = repo.get(&format!("referrers/{}", encoded(&image.digest()).to_lowercase())).send().await.expect(200);
}

async fn r013_unknown_parameters_are_ignored(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.tagged("t").await;
    let blob = repo.blob("r013").await;
    let reads = ["manifests/t", "tags/list", &format!("blobs/{blob}"), &format!("referrers/{blob}")]
        .map(|rest| repo.get(&format!("{rest}?x=1&account=a&y")));
    for call in reads.into_iter().chain([kit.admin.get("/v2/?x=1"), kit.admin.get("/v2/_catalog?x=1")]) {
        let _ = call.send().await.expect(200);
    }
    let location = repo.post("blobs/uploads/?x=1&origin=y").send().await.expect(202).location();
    let _ = repo.client.patch(&format!("{location}&x=1")).body("abc").send().await.expect(202);
    let _ = repo.finish(&format!("{location}&x=1"), &sha256("abc"), "").await.expect(201);
    let put = repo.put("manifests/u?x=1").header("content-type", OCI_MANIFEST).body(image.bytes.clone());
    let _ = put.send().await.expect(201);
    let _ = repo.delete(&format!("manifests/{}?x=1", image.digest())).send().await.expect(202);
    let _ = repo.delete(&format!("blobs/{blob}?x=1")).send().await.expect(202);
}

/// An unknown path is a 404 by the letter; Harbor answers 401 with an empty challenge, and so do we.
async fn r014_wrong_methods_are_405_and_unknown_paths_harbors_401(kit: Kit) {
    let repo = kit.repo().await;
    for (call, allow) in [
        (repo.post("manifests/t"), "GET, HEAD, PUT, DELETE"),
        (repo.put("blobs/uploads/"), "POST"),
        (repo.post("tags/list"), "GET, HEAD"),
        (repo.put(&format!("blobs/{}", sha256("x"))), "GET, HEAD, DELETE"),
        (repo.delete("referrers/x"), "GET, HEAD"),
        (repo.post("blobs/uploads/id"), "GET, HEAD, PATCH, PUT, DELETE"),
    ] {
        let reply = call.send().await.expect(405);
        assert_eq!((reply.header("allow"), reply.code().as_str()), (allow, "UNSUPPORTED"));
    }
    for path in ["/v2/nonsense", "/v2/a/b/nonsense/x", "/v2/a/b/", "/v2/_unknown", "/v2//manifests/t"] {
        let reply = kit.admin.get(path).send().await.expect(401);
        assert_eq!((reply.header("www-authenticate"), reply.code().as_str()), ("", "UNAUTHORIZED"), "{path}");
    }
}

async fn r015_errors_are_json_with_a_code_of_the_lists(kit: Kit) {
    // BAD_REQUEST and NOT_FOUND are Harbor's own.
    let codes: Vec<&str> = oci::ErrorCode::ALL.iter().map(|code| code.as_str()).chain(["BAD_REQUEST", "NOT_FOUND"]).collect();
    let repo = kit.repo().await;
    let upload = repo.start().await;
    let wrong = sha256("never");
    for call in [
        kit.nobody().get("/v2/"),
        kit.admin.get("/v2/app/tags/list"),
        kit.admin.get("/v2/_catalog?n=x"),
        repo.get("manifests/none"),
        repo.get("tags/list?n=-1"),
        repo.get("referrers/nonsense"),
        repo.get(&format!("blobs/{wrong}")),
        repo.get("blobs/sha256:short"),
        repo.put("manifests/t").body("nonsense"),
        repo.delete("manifests/t"),
        repo.client.patch("/v2/a/b/blobs/uploads/none").body("x"),
        repo.client.put(&with_digest(&upload, "nonsense")),
        repo.client.put(&upload),
    ] {
        let reply = call.send().await;
        assert!((400..500).contains(&reply.status), "{reply:?}");
        assert!(reply.header("content-type").starts_with("application/json"), "{reply:?}");
        assert!(codes.contains(&reply.code().as_str()), "{reply:?}");
        assert_eq!(reply.length(), reply.body.len());
    }
}

async fn r016_errors_stay_below_8_kib(kit: Kit) {
    let repo = kit.repo().await;
    let contents: Vec<String> = (0..100).map(|n| format!("missing {n}")).collect();
    let layers: Vec<&[u8]> = contents.iter().map(|content| content.as_bytes()).collect();
    let reply = repo.push("t", &Document::image(b"{}", &layers)).await.expect(400);
    assert_eq!(reply.code(), "MANIFEST_BLOB_UNKNOWN");
    assert!(reply.body.len() < 8 * 1024 && reply.json()["errors"].as_array().is_some_and(|errors| errors.len() > 10), "{reply:?}");
    let long = format!("manifests/{}", "x".repeat(5000));
    let reply = repo.put(&long).body("{}").send().await.expect(400);
    assert!(reply.body.len() < 8 * 1024, "{} bytes", reply.body.len());
}

async fn r018_nothing_is_content_encoded(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.tagged("t").await;
    let text = "compressible ".repeat(1000);
    let blob = repo.blob(text.clone()).await;
    for rest in ["manifests/t".to_owned(), format!("blobs/{blob}"), format!("referrers/{}", image.digest()), "tags/list".to_owned()] {
        for coding in ["gzip, zstd, br", "zstd;q=1.0, gzip;q=0.8, deflate;q=0.5", "gzip"] {
            let reply = repo.get(&rest).header("accept-encoding", coding).send().await.expect(200);
            assert_eq!((reply.find("content-encoding"), reply.length()), (None, reply.body.len()), "{reply:?}");
        }
    }
    let ranged =
        repo.get(&format!("blobs/{blob}")).header("accept-encoding", "gzip").header("range", "bytes=0-99").send().await.expect(206);
    assert_eq!(ranged.body, text.as_bytes()[..100]);
}

/// Absolute addresses are allowed when they are the client's own; forwarding headers of a peer that is no trusted proxy change nothing.
async fn r024_r025_addresses_are_the_clients_own(kit: Kit) {
    let repo = kit.repo().await;
    for tag in ["a", "b", "c"] {
        repo.tagged(tag).await;
    }
    let forged = |call: Call| {
        let call = call.header("x-forwarded-proto", "https").header("x-forwarded-host", "evil.example.com");
        call.header("forwarded", "proto=https;host=evil.example.com")
    };
    let location = forged(repo.post("blobs/uploads/")).send().await.expect(202).location();
    let patched = forged(repo.client.patch(&location).body("abc")).send().await.expect(202).location();
    let closed = forged(repo.client.put(&with_digest(&patched, &sha256("abc")))).send().await.expect(201).location();
    assert_eq!(closed, repo.path(&format!("blobs/{}", sha256("abc"))));
    let list = forged(repo.get("tags/list?n=1")).send().await.expect(200);
    assert!(list.header("link").starts_with("</v2/"), "{list:?}");
    let ping = forged(kit.nobody().get("/v2/")).send().await.expect(401);
    assert_eq!(ping.challenge().realm, format!("{}/service/token", kit.base));
}

/// On a server of its own, which trusts whoever comes from this machine.
async fn r025_a_trusted_proxy_is_believed(kit: Kit) {
    let server = Server::start(crate::berth(), &kit.engine, &[("BERTH_TRUSTED_PROXIES", "127.0.0.0/8")]).await.expect("a server");
    let kit = Kit::new(kit.name, &server.base_url(), kit.engine.clone());
    let repo = kit.repo().await;
    let ways: [&[(&str, &str)]; 2] = [
        &[("x-forwarded-proto", "https"), ("x-forwarded-host", "registry.example.com")],
        &[("forwarded", "for=192.0.2.1;proto=https;host=registry.example.com")],
    ];
    for headers in ways {
        let through = |call: Call| headers.iter().fold(call, |call, (name, value)| call.header(name, value));
        let ping = through(kit.nobody().get("/v2/")).send().await.expect(401);
        assert_eq!(ping.challenge().realm, "https://registry.example.com/service/token");
        let opened = through(repo.post("blobs/uploads/").basic()).send().await.expect(202);
        let path = opened.header("location").trim_start_matches("https://registry.example.com").to_owned();
        assert!(path.starts_with(&repo.path("blobs/uploads/")), "{opened:?}");
        let closed = through(repo.client.put(&with_digest(&path, &sha256("abc"))).basic().body("abc")).send().await.expect(201);
        let blob = repo.path(&format!("blobs/{}", sha256("abc")));
        assert!(
            [blob.clone(), format!("https://registry.example.com{blob}")].contains(&closed.header("location").to_owned()),
            "{closed:?}"
        );
    }
    assert!(server.stop().await.expect("the server ends").success());
}

async fn r026_a_namespace_parameter_is_ignored(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.tagged("t").await;
    for rest in ["manifests/t".to_owned(), format!("manifests/{}", image.digest()), "tags/list".to_owned()] {
        let _ = repo.get(&format!("{rest}?ns=docker.io")).send().await.expect(200);
    }
    let _ = repo.post("blobs/uploads/?ns=docker.io").send().await.expect(202);
}

/// On a server of its own, where one upload may send at a time.
async fn r027_who_is_asked_to_wait_is_told_how_long(kit: Kit) {
    let server = Server::start(crate::berth(), &kit.engine, &[("BERTH_LIMITS_UPLOADS", "1")]).await.expect("a server");
    let kit = Kit::new(kit.name, &server.base_url(), kit.engine.clone());
    let repo = kit.repo().await;
    let (first, second) = (repo.start().await, repo.start().await);
    let mut sending = Raw::connect(&kit.base).await;
    let sign = format!("Authorization: {}", kit.admin.basic());
    sending.head("PATCH", &first, &[&sign, "Content-Length: 3", "Expect: 100-continue"]).await;
    // The server asks for the body when it begins to read it: then this upload has the place.
    let _ = sending.reply("PATCH").await.expect(100);
    let closing = with_digest(&second, &sha256("abc"));
    let at_once = format!("blobs/uploads/?digest={}", sha256("abc"));
    for call in [repo.client.patch(&second), repo.client.put(&closing), repo.post(&at_once)] {
        let reply = call.body("abc").send().await.expect(429);
        assert_eq!((reply.code().as_str(), reply.header("retry-after")), ("TOOMANYREQUESTS", "1"), "{reply:?}");
        assert!(reply.header("content-type").starts_with("application/json"), "{reply:?}");
    }
    sending.send(b"abc").await;
    let _ = sending.reply("PATCH").await.expect(202);
    // Having waited, the other goes on as if nothing had been.
    let _ = repo.client.put(&closing).body("abc").send().await.expect(201);
    assert!(server.stop().await.expect("the server ends").success());
}

/// Nothing warns yet; a warning that comes must have the form of the line.
async fn r028_no_warnings_are_sent(kit: Kit) {
    let repo = kit.repo().await;
    let image = repo.tagged("t").await;
    assert_eq!(repo.push("u", &image).await.expect(201).find("warning"), None);
    assert_eq!(repo.get("manifests/t").send().await.expect(200).find("warning"), None);
    // The old way to name the type in the place of an index is no reason for one either.
    let index = Document::new(&json!({"schemaVersion": 2, "mediaType": crate::document::OCI_INDEX, "manifests": [image.descriptor()]}));
    assert_eq!(repo.push("v", &index).await.expect(201).find("warning"), None);
}
