//! The Terraform provider: it sends a JSON body with every request, `null` where it has nothing to say; it finds ids in `Location`, takes `/api` and `/v2.0`
//! out of it and uses the rest as path and as the resource's name in its state; any status but the expected one is an error.

use http::Method;
use serde_json::{Value, json};
use testkit::client::{Client, Reply};

use crate::go;

struct Provider<'a>(&'a Client);

impl Provider<'_> {
    async fn send(&self, method: Method, path: &str, payload: Value, expected: u16) -> Reply {
        let call = self.0.call(method, &format!("/api/v2.0{path}")).basic().header("content-type", "application/json");
        call.body(format!("{payload}\n")).send().await.expect(expected)
    }

    async fn create(&self, path: &str, payload: Value) -> String {
        id(&self.send(Method::POST, path, payload, 201).await)
    }

    async fn read(&self, path: &str, shape: &Value) -> Value {
        let body = self.send(Method::GET, path, Value::Null, 200).await.json();
        go::reads(&body, shape);
        body
    }

    async fn update(&self, path: &str, payload: Value) {
        self.send(Method::PUT, path, payload, 200).await;
    }

    /// Deletes it; afterwards it is gone, and a second deletion is told so.
    async fn delete(&self, path: &str) {
        self.send(Method::DELETE, path, Value::Null, 200).await;
        self.send(Method::GET, path, Value::Null, 404).await;
    }

    /// All rows of a list, page by page until one is empty.
    async fn pages(&self, path: &str, shape: &Value) -> Vec<Value> {
        let mut rows = Vec::new();
        for page in 1..10 {
            let body = self.read(&path.replace("{page}", &page.to_string()), &json!([shape])).await;
            match body.as_array().expect("a list") {
                none if none.is_empty() => return rows,
                some => rows.extend(some.iter().cloned()),
            }
        }
        panic!("{path}: no end of pages");
    }
}

fn id(reply: &Reply) -> String {
    reply.header("location").replace("/api", "").replace("/v2.0", "")
}

fn number(id: &str) -> i64 {
    id.rsplit('/').next().and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{id} does not end with a number"))
}

fn project() -> Value {
    json!({
        "update_time": "string", "owner_name": "string", "name": "string", "deleted": "bool", "owner_id": "int", "repo_count": "int",
        "registry_id": "int", "creation_time": "string", "togglable": "bool", "project_id": "int", "current_user_role_id": "int",
        "current_user_role_ids": ["int"], "chart_count": "int",
        "cve_allowlist": {"items": [{"cve_id": "string"}], "project_id": "int", "id": "int", "expires_at": "int"},
        "metadata": {"*": "string"},
    })
}

fn project_body(name: &str, metadata: Value, allowlist: Value) -> Value {
    json!({"project_name": name, "cve_allowlist": allowlist, "storage_limit": -1, "metadata": metadata})
}

fn metadata(public: &str, reuse: &str) -> Value {
    json!({"enable_content_trust": "false", "auto_scan": "true", "severity": "low", "reuse_sys_cve_allowlist": reuse, "public": public,
        "prevent_vul": "false"})
}

fn robot() -> Value {
    let access = json!({"action": "string", "resource": "string", "effect": "string"});
    json!({"id": "int", "name": "string", "level": "string", "description": "string", "secret": "string", "duration": "int", "disable": "bool",
        "expires_at": "int", "creation_time": "string",
        "permissions": [{"access": [access], "kind": "string", "namespace": "string"}]})
}

/// Every setting is an object of whether it can be changed and its value.
fn configuration() -> Value {
    let of = |kind: &str| json!({"editable": "bool", "value": kind});
    let mut shape = json!({});
    for name in
        ["auth_mode", "project_creation_restriction", "robot_name_prefix", "oidc_name", "oidc_endpoint", "ldap_url", "ldap_group_gid"]
    {
        shape[name] = of("string");
    }
    for name in ["self_registration", "read_only", "quota_per_project_enable", "oidc_verify_cert", "oidc_auto_onboard"] {
        shape[name] = of("bool");
    }
    for name in ["storage_per_project", "token_expiration", "robot_token_duration", "ldap_scope", "ldap_timeout"] {
        shape[name] = of("int");
    }
    shape
}

pub async fn projects_and_their_parts(client: &Client) {
    let provider = Provider(client);
    let at = provider.create("/projects", project_body("main", metadata("false", "true"), json!({}))).await;
    assert!(at.starts_with("/projects/"), "{at}");
    let got = provider.read(&at, &project()).await;
    assert_eq!((&got["name"], got["project_id"].as_i64()), (&json!("main"), Some(number(&at))));
    assert_eq!((&got["metadata"]["public"], &got["metadata"]["auto_scan"]), (&json!("false"), &json!("true")));

    let listed = json!({"items": [{"cve_id": "CVE-2024-0001"}]});
    provider.update(&at, project_body("main", metadata("true", "false"), listed)).await;
    let got = provider.read(&at, &project()).await;
    assert_eq!((&got["metadata"]["public"], &got["cve_allowlist"]["items"][0]["cve_id"]), (&json!("true"), &json!("CVE-2024-0001")));
    let found = provider.read("/projects?name=main", &json!([project()])).await;
    assert_eq!(found[0]["project_id"].as_i64(), Some(number(&at)));

    quota(&provider, &at).await;
    members(&provider, &at).await;
    labels(&provider, &at).await;
    immutable_rule(&provider, &at).await;
    robots(&provider, &at).await;
    // What does not exist yet says so in the API's own words.
    let rules = json!({"algorithm": "or", "scope": {"level": "project", "ref": number(&at)}, "rules": [], "trigger": {"kind": "Schedule"}});
    provider.send(Method::POST, "/retentions", rules, 404).await.expect_error(404, "NOT_FOUND");

    assert_eq!(
        provider.pages("/projects/main/repositories?page={page}&page_size=100", &json!({"name": "string"})).await,
        Vec::<Value>::new()
    );
    provider.delete(&at).await;
}

async fn quota(provider: &Provider<'_>, project: &str) {
    let config = provider.read("/configurations", &configuration()).await;
    assert_eq!(config["quota_per_project_enable"]["value"], true);
    let shape = json!({"id": "int", "ref": {"id": "int"}, "hard": {"storage": "int"}, "used": {"storage": "int"}});
    let rows = provider.pages("/quotas/?page={page}&page_size=100", &shape).await;
    let row = rows.iter().find(|row| row["ref"]["id"].as_i64() == Some(number(project))).expect("the project's quota");
    provider.update(&format!("/quotas/{}", row["id"]), json!({"hard": {"storage": 10_i64 << 30}})).await;
    let rows = provider.pages("/quotas/?page={page}&page_size=100", &shape).await;
    assert!(rows.iter().any(|row| row["hard"]["storage"] == 10_i64 << 30));
}

async fn members(provider: &Provider<'_>, project: &str) {
    let shape = json!({"id": "int", "project_id": "int", "entity_name": "string", "entity_id": "int", "entity_type": "string", "role_id": "int",
        "role_name": "string"});
    let user = provider.create("/users", user_body("anna", "Passw0rd1", false)).await;
    let body = |role: i64| json!({"role_id": role, "member_group": {}, "member_user": {"username": "anna"}});
    let at = provider.create(&format!("{project}/members"), body(2)).await;
    provider.update(&at, body(4)).await;
    let got = provider.read(&at, &shape).await;
    assert_eq!((&got["role_id"], &got["entity_name"], got["project_id"].as_i64()), (&json!(4), &json!("anna"), Some(number(project))));
    provider.delete(&at).await;
    provider.delete(&user).await;

    let group = json!({"group_name": "crew", "group_type": 3});
    let place = provider.create("/usergroups", group).await;
    let shape_of_group = json!({"group_name": "string", "group_type": "int", "ldap_group_dn": "string", "id": "int"});
    assert_eq!(provider.read(&place, &shape_of_group).await["group_name"], "crew");
    assert_eq!(provider.pages("/usergroups?page={page}", &shape_of_group).await.len(), 1);
    let body = |role: i64| json!({"role_id": role, "member_group": {"group_type": 3, "group_name": "crew"}, "member_user": {}});
    let at = provider.create(&format!("{project}/members"), body(3)).await;
    provider.update(&at, body(1)).await;
    let got = provider.read(&at, &shape).await;
    assert_eq!((&got["role_id"], &got["entity_name"], &got["entity_type"]), (&json!(1), &json!("crew"), &json!("g")));
    let members = provider.read(&format!("{project}/members?page=1&page_size=100"), &json!([shape])).await;
    assert_eq!(members.as_array().map(Vec::len), Some(2), "{members}");
    provider.delete(&at).await;
    provider.delete(&place).await;
}

async fn labels(provider: &Provider<'_>, project: &str) {
    let shape = json!({"description": "string", "color": "string", "deleted": "bool", "scope": "string", "project_id": "int", "id": "int",
        "name": "string"});
    for (scope, project_id) in [("g", 0), ("p", number(project))] {
        let body = |text: &str| {
            json!({"description": text, "color": "#FFFFFF", "deleted": false, "scope": scope, "project_id": project_id, "id": 0,
                "name": format!("of-{scope}")})
        };
        let at = provider.create("/labels", body("")).await;
        provider.update(&at, body("said")).await;
        let got = provider.read(&at, &shape).await;
        assert_eq!((&got["name"], &got["description"], &got["scope"]), (&json!(format!("of-{scope}")), &json!("said"), &json!(scope)));
        provider.delete(&at).await;
    }
}

async fn immutable_rule(provider: &Provider<'_>, project: &str) {
    let selector = json!({"kind": "string", "decoration": "string", "pattern": "string"});
    let shape = json!({"id": "int", "disabled": "bool", "scope_selectors": {"*": [selector]}, "tag_selectors": [selector], "action": "string",
        "template": "string"});
    let body = |disabled: bool| {
        json!({"disabled": disabled, "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]},
            "tag_selectors": [{"kind": "doublestar", "decoration": "excludes", "pattern": "latest"}], "action": "immutable",
            "template": "immutable_template"})
    };
    let at = provider.create(&format!("{project}/immutabletagrules"), body(false)).await;
    let (rules, _) = at.rsplit_once('/').expect("a path");
    let mut changed = body(true);
    changed["id"] = json!(number(&at));
    provider.update(&at, changed).await;
    let list = provider.read(rules, &json!([shape])).await;
    let rule = list.as_array().and_then(|rows| rows.iter().find(|row| row["id"].as_i64() == Some(number(&at)))).expect("the rule");
    assert_eq!((&rule["disabled"], &rule["tag_selectors"][0]["decoration"]), (&json!(true), &json!("excludes")));
    assert_eq!(rule["scope_selectors"]["repository"][0]["decoration"], "repoMatches");
    provider.send(Method::DELETE, &at, Value::Null, 200).await;
    assert_eq!(provider.read(rules, &json!([])).await, json!([]));
}

async fn robots(provider: &Provider<'_>, project: &str) {
    let pull = json!({"action": "pull", "resource": "repository", "effect": "allow"});
    let make = json!({"action": "create", "resource": "project", "effect": "allow"});
    for (level, permissions) in [
        (
            "system",
            json!([{"access": [pull], "kind": "project", "namespace": "*"}, {"access": [make], "kind": "system", "namespace": "/"}]),
        ),
        ("project", json!([{"access": [pull], "kind": "project", "namespace": "main"}])),
    ] {
        let mut body = json!({"name": "tf", "level": level, "duration": -1, "permissions": permissions});
        let reply = provider.send(Method::POST, "/robots", body.clone(), 201).await;
        let (at, made) = (id(&reply), reply.json());
        go::reads(&made, &robot());
        assert_eq!(made["id"].as_i64(), Some(number(&at)));
        let own = json!({"secret": "Own-Secret-1"});
        provider.send(Method::PATCH, &format!("/robots/{}", number(&at)), own, 200).await;

        let prefix =
            provider.read("/configurations", &configuration()).await["robot_name_prefix"]["value"].as_str().expect("a prefix").to_owned();
        let got = provider.read(&at, &robot()).await;
        let full = got["name"].as_str().expect("a name");
        let short = full.strip_prefix(&prefix).expect("the prefix before the name");
        assert_eq!(if level == "project" { short.split('+').nth(1).expect("the project before the name") } else { short }, "tf");
        assert_eq!((&got["level"], &got["duration"], &got["description"]), (&json!(level), &json!(-1), &Value::Null));
        assert_eq!(got["permissions"].as_array().map(Vec::len), permissions.as_array().map(Vec::len));

        body["name"] = json!(full);
        body["description"] = json!("said");
        body["disable"] = json!(true);
        provider.update(&at, body).await;
        let got = provider.read(&at, &robot()).await;
        assert_eq!((&got["description"], &got["disable"]), (&json!("said"), &json!(true)));
        let query = match level {
            "project" => format!("Level=project,ProjectID={}", number(project)),
            _ => "Level=system".to_owned(),
        };
        assert_eq!(provider.pages(&format!("/robots?page={{page}}&q={query}"), &robot()).await.len(), 1, "{query}");
        provider.delete(&at).await;
    }
}

fn user_body(name: &str, password: &str, admin: bool) -> Value {
    let mut body = json!({"username": name, "password": password, "realname": "Anna A", "email": format!("{name}@example.com"), "new_password": password});
    if admin {
        body["sysadmin_flag"] = json!(true);
    }
    body
}

pub async fn accounts_and_settings(client: &Client) {
    let provider = Provider(client);
    let shape = json!({"username": "string", "comment": "string", "update_time": "string", "user_id": "int", "realname": "string",
        "creation_time": "string", "admin_role_in_auth": "bool", "sysadmin_flag": "bool", "email": "string"});
    let at = provider.create("/users", user_body("berta", "Passw0rd1", false)).await;
    let body = user_body("berta", "Passw0rd2", true);
    for path in [at.clone(), format!("{at}/sysadmin"), format!("{at}/password")] {
        provider.update(&path, body.clone()).await;
    }
    let got = provider.read(&at, &shape).await;
    assert_eq!((&got["username"], &got["realname"], &got["sysadmin_flag"]), (&json!("berta"), &json!("Anna A"), &json!(true)));
    let own = Client::new(client.base_url(), Some(("berta", "Passw0rd2")));
    let found = Provider(&own).pages("/users?page={page}&q=username=berta,email=berta@example.com", &shape).await;
    assert_eq!(found.len(), 1);
    provider.delete(&at).await;
    provider.send(Method::DELETE, &at, Value::Null, 404).await;

    let settings = |restriction: &str| {
        json!({"oidc_verify_cert": false, "oidc_auto_onboard": false, "self_registration": false, "scan_all_policy": {"parameter": {}},
            "read_only": false, "quota_per_project_enable": true, "project_creation_restriction": restriction, "email_insecure": false,
            "email_ssl": false, "robot_token_duration": 30})
    };
    provider.update("/configurations", settings("adminonly")).await;
    let got = provider.read("/configurations", &configuration()).await;
    assert_eq!(got["project_creation_restriction"], json!({"editable": true, "value": "adminonly"}));
    assert_eq!(got["robot_token_duration"]["value"], 30);
    provider.update("/configurations", settings("everyone")).await;

    let allowlist = "/system/CVEAllowlist";
    provider.update(allowlist, json!({"items": [{"cve_id": "CVE-2024-0001"}], "expires_at": 4_102_444_800_i64})).await;
    let shape =
        json!({"id": "int", "items": [{"cve_id": "string"}], "update_time": "string", "creation_time": "string", "expires_at": "int"});
    let got = provider.read(allowlist, &shape).await;
    assert_eq!((&got["items"][0]["cve_id"], &got["expires_at"]), (&json!("CVE-2024-0001"), &json!(4_102_444_800_i64)));
    provider.update(allowlist, json!({})).await;
    assert_eq!(provider.read(allowlist, &shape).await["items"].as_array().map_or(0, Vec::len), 0);
}
