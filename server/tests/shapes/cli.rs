//! The command line client over its generated library: instants that nobody set go along as the year one, numbers of pages that nobody gave as 0, empty
//! texts as empty parameters; a project's name is said to be one in a header; `Accept` names exactly what the operation gives.

use http::Method;
use serde_json::{Value, json};
use testkit::client::{Client, Reply};

use crate::go;

const NEVER: &str = "0001-01-01T00:00:00.000Z";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A request as the library makes it.
async fn send(client: &Client, method: Method, path: &str, payload: Option<Value>, by_name: Option<bool>) -> Reply {
    let call =
        client.call(method, &format!("/api/v2.0{path}")).basic().header("accept", "application/json").header("accept-encoding", "gzip");
    let call = match by_name {
        Some(flag) => call.header("x-is-resource-name", flag.to_string()),
        None => call,
    };
    match payload {
        Some(payload) => call.json(&payload),
        None => call,
    }
    .send()
    .await
}

async fn get(client: &Client, path: &str, shape: Value) -> Value {
    let body = send(client, Method::GET, path, None, None).await.expect(200).json();
    go::reads(&body, &shape);
    body
}

async fn done(client: &Client, method: Method, path: &str, payload: Option<Value>) {
    let status = if method == Method::POST { 201 } else { 200 };
    let _ = send(client, method, path, payload, None).await.expect(status);
}

fn project() -> Value {
    json!({"project_id": "int", "name": "string", "owner_id": "int", "owner_name": "string", "registry_id": "int", "repo_count": "int",
        "creation_time": "time", "update_time": "time", "deleted": "bool", "togglable": "bool", "current_user_role_id": "int",
        "current_user_role_ids": ["int"], "metadata": {"*": "string"}, "cve_allowlist": {"id": "int", "project_id": "int",
            "items": [{"cve_id": "string"}], "expires_at": "int", "creation_time": "time", "update_time": "time"}})
}

fn label() -> Value {
    json!({"id": "int", "name": "string", "description": "string", "color": "string", "scope": "string", "project_id": "int",
        "creation_time": "time", "update_time": "time"})
}

fn artifact() -> Value {
    let tag = json!({"id": "int", "repository_id": "int", "artifact_id": "int", "name": "string", "push_time": "time", "pull_time": "time",
        "immutable": "bool"});
    let reference = json!({"parent_id": "int", "child_id": "int", "child_digest": "string", "platform": {"*": "any"}, "annotations": {"*": "string"},
        "urls": ["string"]});
    json!({"id": "int", "type": "string", "media_type": "string", "manifest_media_type": "string", "artifact_type": "string", "project_id": "int",
        "repository_id": "int", "repository_name": "string", "digest": "string", "size": "int", "icon": "string", "push_time": "time",
        "pull_time": "time", "extra_attrs": {"*": "any"}, "annotations": {"*": "string"}, "references": [reference], "tags": [tag],
        "addition_links": {"*": {"href": "string", "absolute": "bool"}}, "labels": [label()], "accessories": ["any"]})
}

async fn push(client: &Client, repository: &str, tag: &str) {
    let blob = async |content: &str, media_type: &str| {
        let digest = oci::Digest::sha256(content.as_bytes());
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let _ = client.post(&path).header("content-type", "application/octet-stream").body(content.to_owned()).send().await.expect(201);
        json!({"mediaType": media_type, "digest": digest.to_string(), "size": content.len()})
    };
    let config = blob(r#"{"architecture":"amd64","os":"linux"}"#, "application/vnd.oci.image.config.v1+json").await;
    let layer = blob("layer", "application/vnd.oci.image.layer.v1.tar").await;
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]});
    let call = client.put(&format!("/v2/{repository}/manifests/{tag}")).header("content-type", MANIFEST);
    let _ = call.body(manifest.to_string()).send().await.expect(201);
}

pub async fn projects_and_their_parts(client: &Client) {
    let body = json!({"metadata": {"public": "false"}, "project_name": "crew", "public": false, "storage_limit": -1});
    let made = send(client, Method::POST, "/projects", Some(body), None).await.expect(201);
    let id: i64 = made.location().rsplit('/').next().and_then(|word| word.parse().ok()).expect("the id");
    for (name, flag, status) in [("crew".to_owned(), true, 200), (id.to_string(), false, 200), (id.to_string(), true, 404)] {
        let reply = send(client, Method::GET, &format!("/projects/{name}"), None, Some(flag)).await.expect(status);
        if status == 200 {
            go::reads(&reply.json(), &project());
        }
    }
    let rows = get(client, "/projects?name=&page=1&page_size=10&public=false&q=&sort=", json!([project()])).await;
    assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows}");
    let unset = send(client, Method::GET, "/projects?name=&page=0&page_size=0&q=&sort=", None, None).await;
    go::reads(&unset.expect(200).json(), &json!([project()]));

    push(client, "crew/deep/app", "v1").await;
    repositories(client).await;
    members(client, id).await;
    immutable_rules(client).await;
    labels(client, id).await;
    let pairs = json!({"*": "string"});
    done(client, Method::PUT, "/projects/crew/metadatas/public", Some(json!({"public": "true"}))).await;
    assert_eq!(get(client, "/projects/crew/metadatas/", pairs).await["public"], "true");
    let summary = json!({"repo_count": "int", "project_admin_count": "int", "quota": {"hard": {"*": "int"}, "used": {"*": "int"}}});
    assert_eq!(get(client, "/projects/crew/summary", summary).await["repo_count"], 1);

    send(client, Method::DELETE, "/projects/crew", None, Some(true)).await.expect_error(412, "PRECONDITION");
    let _ = send(client, Method::DELETE, "/projects/crew/repositories/deep%252Fapp", None, None).await.expect(200);
    let _ = send(client, Method::DELETE, "/projects/crew", None, Some(true)).await.expect(200);
}

async fn repositories(client: &Client) {
    let repository = json!({"id": "int", "project_id": "int", "name": "string", "description": "string", "artifact_count": "int", "pull_count": "int",
        "creation_time": "time", "update_time": "time"});
    let rows = get(client, "/projects/crew/repositories?page=1&page_size=10&q=&sort=", json!([repository])).await;
    assert_eq!(rows[0]["name"], "crew/deep/app");
    let at = "/projects/crew/repositories/deep%252Fapp";
    done(client, Method::PUT, at, Some(json!({"creation_time": NEVER, "update_time": NEVER, "description": "said"}))).await;
    assert_eq!(get(client, at, repository).await["description"], "said");

    let rows = get(client, &format!("{at}/artifacts?page=1&page_size=10&q=&sort="), json!([artifact()])).await;
    let digest = rows[0]["digest"].as_str().expect("a digest").to_owned();
    let one = format!("{at}/artifacts/{digest}");
    assert_eq!(get(client, &one, artifact()).await["tags"][0]["name"], "v1");
    let tag = json!({"immutable": false, "name": "v2", "pull_time": NEVER, "push_time": NEVER});
    done(client, Method::POST, &format!("{one}/tags"), Some(tag)).await;
    let rows =
        get(client, &format!("{one}/tags"), json!([{"name": "string", "push_time": "time", "pull_time": "time", "immutable": "bool"}]))
            .await;
    assert_eq!(rows.as_array().map(Vec::len), Some(2), "{rows}");
    done(client, Method::DELETE, &format!("{one}/tags/v2"), None).await;
    let found = get(
        client,
        "/search?q=crew",
        json!({"project": [project()], "repository": [{"project_id": "int", "project_name": "string",
        "project_public": "bool", "repository_name": "string", "pull_count": "int", "artifact_count": "int"}], "chart": ["any"]}),
    );
    assert_eq!(found.await["repository"][0]["repository_name"], "crew/deep/app");
}

async fn members(client: &Client, project: i64) {
    let shape = json!({"id": "int", "project_id": "int", "entity_name": "string", "entity_id": "int", "entity_type": "string", "role_id": "int",
        "role_name": "string"});
    user(client, "carla").await;
    let body = json!({"member_user": {"username": "carla"}, "role_id": 2});
    let made = send(client, Method::POST, "/projects/crew/members", Some(body), Some(true)).await.expect(201);
    let at = made.location().replace("/api/v2.0", "");
    assert!(at.contains("/members/"), "{at}");
    let rows = get(client, "/projects/crew/members?entityname=carla&page=1&page_size=10", json!([shape])).await;
    assert_eq!((&rows[0]["entity_name"], rows[0]["project_id"].as_i64()), (&json!("carla"), Some(project)));
    let at = format!("/projects/crew/members/{}", rows[0]["id"]);
    done(client, Method::PUT, &at, Some(json!({"role_id": 4}))).await;
    assert_eq!(get(client, &at, shape).await["role_name"], "maintainer");
    done(client, Method::DELETE, &at, None).await;
}

/// It sends neither action nor template nor the selectors' kind.
async fn immutable_rules(client: &Client) {
    let rules = "/projects/crew/immutabletagrules";
    let selectors = json!({"repository": [{"decoration": "repoMatches", "pattern": "**"}]});
    let body = json!({"scope_selectors": selectors, "tag_selectors": [{"decoration": "matches", "pattern": "fixed-*"}]});
    done(client, Method::POST, rules, Some(body)).await;
    let selector = json!({"kind": "string", "decoration": "string", "pattern": "string", "extras": "string"});
    let rows = get(
        client,
        rules,
        json!([{"id": "int", "priority": "int", "disabled": "bool", "action": "string", "template": "string",
        "tag_selectors": [selector], "scope_selectors": {"*": [selector]}, "params": {"*": "any"}}]),
    );
    let rows = rows.await;
    assert_eq!(rows[0]["tag_selectors"][0]["pattern"], "fixed-*");
    done(client, Method::DELETE, &format!("{rules}/{}", rows[0]["id"]), None).await;
}

async fn labels(client: &Client, project: i64) {
    let body =
        json!({"color": "#FFFFFF", "creation_time": NEVER, "update_time": NEVER, "name": "urgent", "project_id": project, "scope": "p"});
    done(client, Method::POST, "/labels", Some(body)).await;
    let rows = get(client, &format!("/labels?name=&page=1&page_size=10&project_id={project}&q=&scope=p&sort="), json!([label()])).await;
    assert_eq!(rows[0]["name"], "urgent");
    let at = format!("/labels/{}", rows[0]["id"]);
    let mut changed = rows[0].clone();
    changed["description"] = json!("said");
    done(client, Method::PUT, &at, Some(changed)).await;
    assert_eq!(get(client, &at, label()).await["description"], "said");
    let one = "/projects/crew/repositories/deep%252Fapp/artifacts/v1";
    let body = json!({"creation_time": NEVER, "update_time": NEVER, "id": rows[0]["id"]});
    let _ = send(client, Method::POST, &format!("{one}/labels"), Some(body), None).await.expect(200);
    assert_eq!(get(client, &format!("{one}?with_label=true"), artifact()).await["labels"][0]["name"], "urgent");
    done(client, Method::DELETE, &format!("{one}/labels/{}", rows[0]["id"]), None).await;
    done(client, Method::DELETE, &at, None).await;
}

async fn user(client: &Client, name: &str) -> i64 {
    let body = json!({"email": format!("{name}@example.com"), "password": "Passw0rd1", "realname": name, "username": name});
    done(client, Method::POST, "/users", Some(body)).await;
    let shape = json!([{"user_id": "int", "username": "string", "realname": "string", "email": "string", "comment": "string", "sysadmin_flag": "bool",
        "admin_role_in_auth": "bool", "creation_time": "time", "update_time": "time"}]);
    let rows = get(client, "/users?page=1&page_size=100&q=&sort=", shape).await;
    let row = rows.as_array().and_then(|rows| rows.iter().find(|row| row["username"] == name)).expect("the user");
    row["user_id"].as_i64().expect("an id")
}

pub async fn accounts_and_system(client: &Client) {
    let id = user(client, "dora").await;
    done(client, Method::PUT, &format!("/users/{id}/sysadmin"), Some(json!({"sysadmin_flag": true}))).await;
    done(client, Method::PUT, &format!("/users/{id}/password"), Some(json!({"new_password": "Passw0rd2"}))).await;
    let own = Client::new(client.base_url(), Some(("dora", "Passw0rd2")));
    assert_eq!(
        get(&own, "/users/current", json!({"user_id": "int", "username": "string", "sysadmin_flag": "bool"})).await["username"],
        "dora"
    );
    done(client, Method::DELETE, &format!("/users/{id}"), None).await;

    let access = json!([{"action": "pull", "resource": "repository"}, {"action": "push", "resource": "repository"}]);
    let permissions = json!([{"access": access, "kind": "project", "namespace": "library"}]);
    let body = json!({"duration": 7, "level": "project", "name": "ci", "permissions": permissions});
    let made = send(client, Method::POST, "/robots", Some(body), None).await.expect(201).json();
    go::reads(&made, &json!({"id": "int", "name": "string", "secret": "string", "creation_time": "time", "expires_at": "int"}));
    let at = format!("/robots/{}", made["id"]);
    let shape = json!({"id": "int", "name": "string", "description": "string", "level": "string", "duration": "int", "editable": "bool",
        "disable": "bool", "expires_at": "int", "creation_time": "time", "update_time": "time", "permissions": [{"kind": "string",
            "namespace": "string", "access": [{"resource": "string", "action": "string", "effect": "string"}]}]});
    let mut robot = get(client, &at, shape.clone()).await;
    robot["description"] = json!("said");
    robot["creation_time"] = json!(NEVER);
    robot["update_time"] = json!(NEVER);
    done(client, Method::PUT, &at, Some(robot)).await;
    assert_eq!(get(client, &at, shape).await["description"], "said");
    let secret = send(client, Method::PATCH, &at, Some(json!({})), None).await.expect(200).json();
    assert!(secret["secret"].as_str().is_some_and(|secret| secret.len() >= 8), "{secret}");
    done(client, Method::DELETE, &at, None).await;

    let permission = json!([{"resource": "string", "action": "string"}]);
    get(client, "/permissions", json!({"system": permission, "project": permission})).await;
    let rows = get(
        client,
        "/quotas?page=1&page_size=10&reference=project&reference_id=&sort=",
        json!([{"id": "int", "ref": {"*": "any"},
        "hard": {"*": "int"}, "used": {"*": "int"}, "creation_time": "time", "update_time": "time"}]),
    );
    let rows = rows.await;
    done(client, Method::PUT, &format!("/quotas/{}", rows[0]["id"]), Some(json!({"hard": {"storage": 1 << 30}}))).await;
    system(client).await;
}

async fn system(client: &Client) {
    let pong = client.get("/api/v2.0/ping").anonymous().header("accept", "text/plain").send().await.expect(200);
    assert_eq!((pong.body.as_ref(), pong.header("content-type").split(';').next()), (&b"Pong"[..], Some("text/plain")));
    let health =
        get(client, "/health", json!({"status": "string", "components": [{"name": "string", "status": "string", "error": "string"}]}))
            .await;
    assert_eq!(health["status"], "healthy");
    let info = json!({"current_time": "time", "harbor_version": "string", "external_url": "string", "auth_mode": "string", "primary_auth_mode": "bool",
        "self_registration": "bool", "has_ca_root": "bool", "read_only": "bool", "project_creation_restriction": "string", "registry_url": "string",
        "notification_enable": "bool", "banner_message": "string"});
    assert_eq!(get(client, "/systeminfo", info).await["auth_mode"], "db_auth");
    let counts = json!({"*": "int"});
    get(client, "/statistics", counts).await;
    let setting = |kind: &str| json!({"editable": "bool", "value": kind});
    let settings = json!({"auth_mode": setting("string"), "robot_name_prefix": setting("string"), "token_expiration": setting("int"),
        "read_only": setting("bool"), "storage_per_project": setting("int"), "banner_message": setting("string"),
        "session_timeout": setting("int"), "audit_log_forward_endpoint": setting("string")});
    assert_eq!(get(client, "/configurations", settings).await["robot_name_prefix"]["value"], "robot$");
    done(client, Method::PUT, "/configurations", Some(json!({"token_expiration": 45}))).await;
    let allowlist =
        json!({"id": "int", "items": [{"cve_id": "string"}], "expires_at": "int", "creation_time": "time", "update_time": "time"});
    let mut listed = get(client, "/system/CVEAllowlist", allowlist).await;
    listed["items"] = json!([{"cve_id": "CVE-2024-0003"}]);
    done(client, Method::PUT, "/system/CVEAllowlist", Some(listed)).await;
}
