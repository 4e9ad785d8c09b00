//! Null characters, which not every database takes: whoever sends one is told so, or that there is nothing of that name, by every door. Bodies of
//! JSON are tried in `bodies`, field by field.

use http::Method;
use oci::Digest;
use serde_json::json;

use crate::bodies::{own_server, stop};
use crate::kit::{Kit, Who, report};
use crate::matrix::brief;

testkit::tests! {
    Kit;
    names_of_nobody_in_the_bodies_of_requests,
    forms_have_no_null_character,
    tokens_are_asked_for_by_any_name,
    the_registrys_addresses,
    no_stored_type_has_a_null_character_and_all_have_a_bound,
}

/// Nobody signed in, and everybody who is let in, are answered alike: what is wrong with a body comes first.
async fn names_of_nobody_in_the_bodies_of_requests(kit: Kit) {
    let (server, kit) = own_server(&kit).await;
    let name = kit.fresh("p");
    kit.project(&name, false).await;
    let robot = |level: &str| {
        json!({"name": "x", "level": level, "duration": 1, "permissions":
            [{"kind": "project", "namespace": "a\0b", "access": [{"resource": "repository", "action": "pull"}]}]})
    };
    let members = format!("/projects/{name}/members");
    let asks = [
        (Method::POST, "/robots", robot("project")),
        (Method::POST, "/robots", robot("system")),
        (Method::PUT, "/robots/1", robot("project")),
        (Method::POST, members.as_str(), json!({"role_id": 1, "member_user": {"username": "\0"}})),
        (Method::POST, members.as_str(), json!({"role_id": 1, "member_group": {"group_name": "g\0", "group_type": 2}})),
        (Method::PUT, "/configurations", json!({"unknown": {"a\0": 1}})),
    ];
    for (method, path, body) in asks {
        for who in [&Who::nobody(), &kit.admin] {
            let reply = kit.api(who, method.clone(), path).json(&body).send().await;
            reply.expect_error(400, "BAD_REQUEST");
        }
    }
    stop(server).await;
}

async fn forms_have_no_null_character(kit: Kit) {
    let world = kit.world().await;
    let session = &world.sessions[0];
    let form = async |path: &str, pairs: &[(&str, &str)]| kit.call(session, Method::POST, path).form(pairs).send().await;
    for target in ["username", "email"] {
        form("/c/userExists", &[("target", target), ("value", "\0")]).await.expect_error(400, "BAD_REQUEST");
    }
    form("/c/login", &[("principal", "a\0"), ("password", "x")]).await.expect_error(400, "BAD_REQUEST");
}

async fn tokens_are_asked_for_by_any_name(kit: Kit) {
    let mut wrong = Vec::new();
    for who in [&Who::nobody(), &kit.admin] {
        for scope in
            ["repository:a%00/b:pull", "repository:%00/%00:pull,push", "repository:a/b%00:pull", "%00:%00:%00", "registry:catalog%00:*"]
        {
            let path = format!("/service/token?service=harbor-registry&scope={scope}");
            let reply = kit.call(who, Method::GET, &path).send().await;
            if reply.status != 200 {
                wrong.push(format!("{} {scope}: {}", who.title, brief(&reply)));
            }
        }
    }
    report(&wrong);
}

async fn the_registrys_addresses(kit: Kit) {
    let name = kit.fresh("p");
    kit.project(&name, false).await;
    for method in [Method::GET, Method::PATCH, Method::PUT, Method::DELETE] {
        let reply = kit.call(&kit.admin, method.clone(), &format!("/v2/{name}/r/blobs/uploads/%00")).send().await;
        assert_eq!(reply.status, 404, "{method}: {reply:?}");
    }
    for query in ["mount=%00", "mount=%00&from=%00", "from=a%00/b", "digest-algorithm=%00", "digest=%00"] {
        let reply = kit.call(&kit.admin, Method::POST, &format!("/v2/{name}/r/blobs/uploads/?{query}")).send().await;
        assert!(reply.status < 500, "{query}: {reply:?}");
    }
    // A name whose escapes are escaped again is no name either.
    let reply = kit.get(&kit.admin, &format!("/projects/{name}/repositories/a%2500b")).await;
    assert_eq!(reply.status, 404, "{reply:?}");
}

async fn no_stored_type_has_a_null_character_and_all_have_a_bound(kit: Kit) {
    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    let name = kit.fresh("p");
    kit.project(&name, false).await;
    let repository = format!("{name}/r");
    let config = kit.blob(&kit.admin, &repository, "{}").await;
    let image = |config_type: &str| {
        json!({"schemaVersion": 2, "mediaType": crate::kit::MANIFEST, "layers": [],
            "config": {"mediaType": config_type, "digest": config, "size": 2}})
    };
    let index = |more: serde_json::Value| {
        let mut index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []});
        index.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        index
    };
    let push = async |manifest: &serde_json::Value| {
        let path = format!("/v2/{repository}/manifests/{}", Digest::sha256(manifest.to_string().as_bytes()));
        let media_type = manifest["mediaType"].as_str().expect("a type");
        kit.call(&kit.admin, Method::PUT, &path).header("content-type", media_type).body(manifest.to_string()).send().await
    };
    let long = |length: usize| format!("application/vnd.{}", "x".repeat(length - "application/vnd.".len()));
    for odd in ["a\0b", "\0", &long(256), &long(70_000), &format!("application/vnd.v.{}\0.config.v1+json", "y")] {
        for manifest in
            [index(json!({"annotations": {"org.opencontainers.artifactType": odd}})), index(json!({"artifactType": odd})), image(odd)]
        {
            push(&manifest).await.expect_error(400, "MANIFEST_INVALID");
        }
    }
    // As long as may be, and in texts that nobody searches.
    for manifest in [
        image(&long(255)),
        index(json!({"artifactType": long(255), "annotations": {"any\0": "\0"}})),
        index(json!({"manifests": [{"mediaType": "text/plain", "digest": config, "size": 2, "urls": ["\0"], "annotations": {"a\0": "\0"},
            "platform": {"os": "\0", "architecture": "\0"}}]})),
    ] {
        let _ = push(&manifest).await.expect(201);
    }
    let listed = kit.get(&kit.admin, &format!("/projects/{name}/repositories/r/artifacts?with_accessory=true")).await.expect(200);
    assert_eq!(listed.json().as_array().map(Vec::len), Some(3));
}
