//! The token service and the challenges that lead to it (token protocol, traps T2, T10, T18, T27 to T29).

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::kit::{Kit, Repo};

testkit::tests! {
    Kit;
    t29_the_answer_has_the_types_that_clients_need,
    t02_all_scopes_are_read,
    scopes_are_granted_as_far_as_allowed,
    odd_scopes_grant_nothing,
    wrong_credentials_are_401_and_never_anonymous,
    empty_credentials_are_nobody,
    an_unknown_service_is_400,
    the_form_of_oauth2_is_answered,
    t18_challenges_name_the_scope_that_is_missing,
    t27_a_bad_token_is_told_to_be_one,
    a_token_serves_its_repository_only,
    the_key_set_is_published,
    signatures_are_right_by_the_published_keys,
}

/// The `access` that a token carries.
fn access(token: &str) -> Value {
    let claims = token.split('.').nth(1).expect("three parts");
    let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).expect("base64")).expect("JSON");
    claims["access"].clone()
}

fn scope(repo: &Repo, actions: &str) -> String {
    format!("repository:{}:{actions}", repo.name)
}

/// `access_token` is empty, as Harbor's; clients fall back from it.
async fn t29_the_answer_has_the_types_that_clients_need(kit: Kit) {
    let repo = kit.repo().await;
    for scopes in [vec![], vec![scope(&repo, "pull")]] {
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let reply = kit.admin.ask_token(&scopes).await.expect(200);
        let body = reply.json();
        assert!(body["token"].as_str().is_some_and(|token| token.split('.').count() == 3 && token.len() < 7000));
        assert_eq!(body["access_token"], "");
        // Long enough for a push of half an hour (T14).
        assert!(body["expires_in"].as_u64().is_some_and(|seconds| seconds >= 1800), "{body}");
        let issued = chrono::DateTime::parse_from_rfc3339(body["issued_at"].as_str().expect("text")).expect("RFC 3339");
        assert!((chrono::Utc::now() - issued.to_utc()).num_seconds().abs() < 60);
        // None without the grant that redeems them (T28).
        assert_eq!(body.get("refresh_token"), None);
        assert_eq!(reply.header("cache-control"), "no-store");
        assert!(reply.header("content-type").starts_with("application/json"));
    }
    let offline = kit.admin.get("/service/token?service=harbor-registry&offline_token=true&client_id=docker&account=admin").basic();
    assert_eq!(offline.send().await.expect(200).json().get("refresh_token"), None);
}

async fn t02_all_scopes_are_read(kit: Kit) {
    let (one, two) = (kit.repo().await, kit.repo().await);
    let expected = json!([
        {"type": "repository", "name": one.name, "actions": ["pull", "push"]},
        {"type": "repository", "name": two.name, "actions": ["pull"]},
    ]);
    let (a, b) = (scope(&one, "pull,push"), scope(&two, "pull"));
    for scopes in [vec![a.clone(), b.clone()], vec![format!("{a} {b}")]] {
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let token = kit.admin.token(&scopes).await;
        assert_eq!(access(&token), expected);
        let _ = one.post("blobs/uploads/").bearer(&token).send().await.expect(202);
        let _ = two.get("manifests/none").bearer(&token).send().await.expect(404);
        let _ = two.post("blobs/uploads/").bearer(&token).send().await.expect(401);
    }
}

async fn scopes_are_granted_as_far_as_allowed(kit: Kit) {
    let (repo, public) = (kit.repo().await, kit.public_repo().await);
    let (guest, developer, stranger) = (kit.member(&repo, 3).await, kit.member(&repo, 2).await, kit.user().await);
    let granted = async |client: &testkit::client::Client, repo: &Repo| {
        access(&client.token(&[&scope(repo, "push,pull,delete")]).await)[0]["actions"]
            .as_array()
            .map(|actions| actions.iter().map(|action| action.as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>().join(","))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(granted(&kit.admin, &repo).await, some("pull,push,delete"));
    assert_eq!(granted(&developer, &repo).await, some("pull,push"));
    assert_eq!(granted(&guest, &repo).await, some("pull"));
    assert_eq!(granted(&stranger, &repo).await.unwrap_or_default(), "");
    assert_eq!(granted(&kit.nobody(), &repo).await.unwrap_or_default(), "");
    assert_eq!(granted(&stranger, &public).await, some("pull"));
    assert_eq!(granted(&kit.nobody(), &public).await, some("pull"));
    // Everybody reads a public project with such a token, and only with one: clients learn the realm from the 401.
    public.tagged("t").await;
    let token = kit.nobody().token(&[&scope(&public, "pull")]).await;
    let _ = public.get("manifests/t").bearer(&token).send().await.expect(200);
    let _ = public.get("manifests/t").anonymous().send().await.expect(401);
}

async fn odd_scopes_grant_nothing(kit: Kit) {
    let repo = kit.repo().await;
    for odd in [
        "repository",
        "repository:",
        ":",
        "repository::",
        "nonsense:x:pull",
        "repository:a b:pull",
        "repository:there-is-none/x:pull",
        &scope(&repo, "sing"),
        "repository(plugin):a/b:pull",
        "x".repeat(5000).as_str(),
    ] {
        let reply = kit.admin.ask_token(&[odd]).await.expect(200);
        let token = reply.json()["token"].as_str().expect("a token").to_owned();
        for entry in access(&token).as_array().unwrap_or(&Vec::new()) {
            assert_eq!(entry["actions"].as_array().map_or(0, Vec::len), 0, "{odd}: {entry}");
        }
        let _ = repo.get("tags/list").bearer(&token).send().await.expect(401);
    }
    // Many are one token as long as a client could still send it; more are refused with a sentence.
    let many = |count: u32| (0..count).map(|n| format!("repository:{}/r{n}:pull", repo.project())).collect::<Vec<_>>().join(" ");
    let reply = kit.admin.ask_token(&[&many(100)]).await.expect(200);
    let token = reply.json()["token"].as_str().expect("a token").to_owned();
    let _ = repo.get("tags/list").bearer(&token).send().await.expect(401);
    let _ = kit.admin.ask_token(&[&many(300)]).await.expect(400);
}

async fn wrong_credentials_are_401_and_never_anonymous(kit: Kit) {
    let public = kit.public_repo().await;
    let wrong = testkit::client::Client::new(&kit.base, Some(("admin", "wrong")));
    let unknown = testkit::client::Client::new(&kit.base, Some(("nobody-knows", "Passw0rd1")));
    for client in [wrong, unknown] {
        assert_eq!(client.ask_token(&[]).await.status, 401);
        let scoped = client.ask_token(&[&scope(&public, "pull")]).await;
        if scoped.status == 200 {
            // Recorded: with a scope Harbor gives what nobody may have. Never more than that.
            let token = scoped.json()["token"].as_str().expect("a token").to_owned();
            let _ = client.get("/v2/").bearer(&token).send().await.expect(401);
            let _ = public.post("blobs/uploads/").bearer(&token).send().await.expect(401);
        } else {
            assert_eq!(scoped.status, 401);
        }
    }
}

async fn empty_credentials_are_nobody(kit: Kit) {
    let public = kit.public_repo().await;
    let path = format!("/service/token?service=harbor-registry&scope={}", scope(&public, "pull"));
    let reply = kit.nobody().get(&path).authorization("Basic Og==").send().await.expect(200);
    let token = reply.json()["token"].as_str().expect("a token").to_owned();
    let _ = public.get("manifests/none").bearer(&token).send().await.expect(404);
    // A login without a name is none: `/v2/` still says 401.
    let _ = kit.nobody().get("/service/token?service=harbor-registry").authorization("Basic Og==").send().await.expect(401);
    let _ = kit.nobody().get("/v2/").bearer(&token).send().await.expect(401);
    let _ = kit.nobody().get("/v2/").authorization("Basic Og==").send().await.expect(401);
}

async fn an_unknown_service_is_400(kit: Kit) {
    for query in ["", "?service=other", "?scope=repository:a/b:pull", "?service=%3Cscript%3E"] {
        let reply = kit.admin.get(&format!("/service/token{query}")).basic().send().await.expect(400);
        assert!(!String::from_utf8_lossy(&reply.body).contains('<'));
    }
}

async fn the_form_of_oauth2_is_answered(kit: Kit) {
    let repo = kit.repo().await;
    let (name, user) = kit.named_user().await;
    let wanted = scope(&repo, "pull,push");
    let form = |grant: &str, user: &str, password: &str, service: &str| {
        let pairs = [
            ("grant_type", grant),
            ("service", service),
            ("client_id", "containerd-client"),
            ("scope", &wanted),
            ("username", user),
            ("password", password),
            ("access_type", "offline"),
        ];
        kit.nobody().post("/service/token").form(&pairs)
    };
    let body = form("password", "admin", testkit::server::ADMIN_PASSWORD, "harbor-registry").send().await.expect(200).json();
    let token = body["access_token"].as_str().expect("a token");
    assert_eq!((body["expires_in"].is_u64(), body["issued_at"].is_string(), body.get("refresh_token")), (true, true, None));
    let _ = repo.post("blobs/uploads/").bearer(token).send().await.expect(202);
    // Good credentials without the permission: a token that does not grant it.
    let body = form("password", &name, "Passw0rd1", "harbor-registry").send().await.expect(200).json();
    let _ = repo.used_by(&user).post("blobs/uploads/").bearer(body["access_token"].as_str().expect("a token")).send().await.expect(401);
    let _ = form("password", "admin", "wrong", "harbor-registry").send().await.expect(401);
    let _ = form("password", "", "", "harbor-registry").send().await.expect(401);
    // Clients ask by GET then.
    let _ = form("refresh_token", "admin", testkit::server::ADMIN_PASSWORD, "harbor-registry").send().await.expect(400);
    let _ = form("password", "admin", testkit::server::ADMIN_PASSWORD, "other").send().await.expect(400);
    let _ = kit.nobody().post("/service/token").send().await.expect(405);
    let _ = kit.nobody().put("/service/token").send().await.expect(405);
}

async fn t18_challenges_name_the_scope_that_is_missing(kit: Kit) {
    let repo = kit.repo().await;
    let upload = repo.start().await;
    let digest = crate::kit::sha256("x");
    let nobody = repo.used_by(&kit.nobody());
    for (call, actions) in [
        (nobody.get("manifests/t"), "pull"),
        (nobody.head("manifests/t"), "pull"),
        (nobody.get("tags/list"), "pull"),
        (nobody.head(&format!("blobs/{digest}")), "pull"),
        (nobody.get(&format!("referrers/{digest}")), "pull"),
        (nobody.put("manifests/t").body("{}"), "pull,push"),
        (nobody.post("blobs/uploads/"), "pull,push"),
        (nobody.client.patch(&upload).body("x"), "pull,push"),
        (nobody.client.put(&upload), "pull,push"),
        (nobody.delete(&format!("manifests/{digest}")), "delete"),
        (nobody.delete(&format!("blobs/{digest}")), "delete"),
    ] {
        let reply = call.send().await.expect(401);
        assert_eq!(reply.headers.get_all("www-authenticate").iter().count(), 1);
        let challenge = reply.challenge();
        assert_eq!((challenge.scope, challenge.error), (Some(scope(&repo, actions)), None));
        assert_eq!(challenge.service, "harbor-registry");
    }
}

async fn t27_a_bad_token_is_told_to_be_one(kit: Kit) {
    let repo = kit.repo().await;
    let good = kit.admin.token(&[&scope(&repo, "pull")]).await;
    let mut parts: Vec<&str> = good.split('.').collect();
    let unsigned = format!("{}.{}.", BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#), parts[1]);
    let reversed: String = parts[2].chars().rev().collect();
    parts[2] = &reversed;
    for token in ["nonsense", "a.b.c", &unsigned, &parts.join("."), "x".repeat(20_000).as_str()] {
        let challenge = repo.get("manifests/t").bearer(token).send().await.expect(401).challenge();
        assert_eq!((challenge.error.as_deref(), challenge.scope), (Some("invalid_token"), Some(scope(&repo, "pull"))));
        assert_eq!(kit.admin.get("/v2/").bearer(token).send().await.expect(401).challenge().error.as_deref(), Some("invalid_token"));
    }
    let weak = repo.put("manifests/t").bearer(&good).body("{}").send().await.expect(401).challenge();
    assert_eq!((weak.error.as_deref(), weak.scope), (Some("insufficient_scope"), Some(scope(&repo, "pull,push"))));
    // Another scheme's refusal is in that scheme.
    let basic = repo.used_by(&kit.user().await).get("manifests/t").basic().send().await.expect(401);
    assert_eq!(basic.header("www-authenticate"), "Basic realm=\"harbor\"");
}

async fn a_token_serves_its_repository_only(kit: Kit) {
    let repo = kit.repo().await;
    let near = repo.sibling("app2");
    for repo in [&repo, &near] {
        repo.tagged("t").await;
    }
    let token = kit.admin.token(&[&scope(&repo, "pull")]).await;
    let _ = repo.get("manifests/t").bearer(&token).send().await.expect(200);
    let _ = near.get("manifests/t").bearer(&token).send().await.expect(401);
    let _ = repo.sibling("app/deeper").get("manifests/t").bearer(&token).send().await.expect(401);
    let _ = repo.get("manifests/t").authorization(&format!("bearer {token}")).send().await.expect(200);
    // It is a credential of the registry, not of the API.
    let reply = kit.admin.get("/api/v2.0/users/current").bearer(&token).send().await;
    assert_eq!(reply.status, 401, "{reply:?}");
    // Signed in is signed in, whatever the token grants.
    let _ = kit.admin.get("/v2/").bearer(&kit.admin.token(&[]).await).send().await.expect(200);
}

async fn the_key_set_is_published(kit: Kit) {
    let token = kit.admin.token(&[]).await;
    let header = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next().expect("a header")).expect("base64");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    let keys = kit.nobody().get("/.well-known/jwks.json").send().await.expect(200).json();
    let key = &keys["keys"][0];
    assert_eq!((&key["kid"], &key["alg"], &header["alg"]), (&header["kid"], &json!("RS256"), &json!("RS256")));
    assert_eq!(key.get("d"), None);
}

/// Whether a token is signed by a published key, as somebody finds out who knows nothing else.
fn is_signed(token: &str, keys: &Value) -> bool {
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let decoded = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64");
    let signature = decoded(signature);
    keys["keys"].as_array().expect("keys").iter().any(|key| {
        let [n, e] = ["n", "e"].map(|name| decoded(key[name].as_str().expect("a number")));
        assert_eq!((&key["kty"], n.len() >= 256), (&json!("RSA"), true), "{key}");
        RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).is_ok()
    })
}

async fn signatures_are_right_by_the_published_keys(kit: Kit) {
    let repo = kit.repo().await;
    repo.tagged("t").await;
    let keys = kit.nobody().get("/.well-known/jwks.json").send().await.expect(200).json();
    let (name, user) = kit.named_user().await;
    assert!(is_signed(&user.token(&[]).await, &keys), "{name}");
    let token = kit.admin.token(&[&scope(&repo, "pull")]).await;
    assert!(is_signed(&token, &keys));
    let _ = repo.get("manifests/t").bearer(&token).send().await.expect(200);
    // One bit of anything that was signed, or of the signature.
    let parts: Vec<Vec<u8>> = token.split('.').map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64")).collect();
    let text = |parts: &[Vec<u8>]| parts.iter().map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).collect::<Vec<_>>().join(".");
    assert_eq!(text(&parts), token);
    let mut changed = Vec::new();
    for at in 0..parts.len() {
        for byte in [0, parts[at].len() / 2, parts[at].len() - 1] {
            let mut parts = parts.clone();
            parts[at][byte] ^= 1;
            changed.push(text(&parts));
        }
    }
    // And what somebody would change.
    let mut claims = parts.clone();
    claims[1] = String::from_utf8_lossy(&parts[1]).replace("\"pull\"", "\"push\"").into_bytes();
    assert_ne!(claims[1], parts[1]);
    changed.push(text(&claims));
    for token in changed {
        assert!(!is_signed(&token, &keys), "{token}");
        let challenge = repo.get("manifests/t").bearer(&token).send().await.expect(401).challenge();
        assert_eq!(challenge.error.as_deref(), Some("invalid_token"), "{token}");
    }
}
