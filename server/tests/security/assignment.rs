//! Nothing that a caller may not decide is taken out of a body: every model that is written is sent once with each field that somebody might
//! wish to set, and what is there afterwards is what the caller may decide.

use http::Method;
use serde_json::{Value, json};
use testkit::server::Server;

use crate::kit::{Facts, Kit, PASSWORD, Who, cookie};
use crate::world::{TAG, immutable_rule};

testkit::tests! {
    Kit;
    a_new_account_is_nobodys_administrator,
    a_person_who_registers_is_nobodys_administrator,
    ones_own_profile_makes_nobody_an_administrator,
    a_project_belongs_to_who_makes_it_and_stays_where_it_is,
    a_member_stays_the_person_and_in_the_project_that_the_path_names,
    a_label_stays_where_it_lives,
    a_robot_has_no_chosen_secret_maker_or_place,
    rules_quotas_and_repositories_keep_what_is_not_for_them_to_say,
    a_tag_is_of_the_artifact_that_the_path_names,
}

/// Fields with which others have been made administrators, owners, neighbours.
fn wishes(foreign: i64) -> Value {
    json!({
        "sysadmin_flag": true, "has_admin_role": true, "admin_role_in_auth": true, "is_admin": true, "sysadmin": true, "role": 1,
        "user_id": 1, "id": 1, "owner_id": 1, "owner_name": "admin", "creator": "admin", "creator_ref": 1, "creator_type": "robot",
        "deleted": true, "editable": false, "visible": false, "salt": "x", "password_version": "x", "secret": "Wished0secret",
        "reset_uuid": "x", "oidc_user_meta": {"user_id": 1, "secret": "x"}, "project_id": foreign, "repository_id": 1, "artifact_id": 1,
        "creation_time": "2001-01-01T00:00:00Z", "update_time": "2001-01-01T00:00:00Z", "pull_count": 4711, "artifact_count": 4711,
        "repo_count": 4711, "current_user_role_id": 1, "current_user_role_ids": [1], "expires_at": 1, "used": {"storage": 4711},
        "__proto__": {"sysadmin_flag": true}, "constructor": {"prototype": {"sysadmin_flag": true}}
    })
}

/// A body with all wishes that it does not itself have a value for.
fn with_wishes(body: Value, foreign: i64) -> Value {
    let (mut wished, Value::Object(own)) = (wishes(foreign), body) else { panic!("an object") };
    wished.as_object_mut().expect("an object").extend(own);
    wished
}

/// Same fields, without those that differ for any two objects.
fn alike(mut value: Value, own: &[&str]) -> Value {
    let fields = value.as_object_mut().expect("an object");
    fields.retain(|name, _| !own.contains(&name.as_str()) && !name.ends_with("_time"));
    value
}

/// Made long ago, as a wish would have it.
fn is_backdated(value: &Value) -> bool {
    value["creation_time"].as_str().is_some_and(|time| time.starts_with("2001"))
        || value["update_time"].as_str().is_some_and(|t| t.starts_with("2001"))
}

async fn foreign_project(kit: &Kit) -> (String, i64) {
    let name = kit.fresh("victim");
    let id = kit.project(&name, false).await;
    (name, id)
}

fn account(name: &str) -> Value {
    json!({"username": name, "email": format!("{name}@example.com"), "realname": "somebody", "password": PASSWORD})
}

async fn a_new_account_is_nobodys_administrator(kit: Kit) {
    let (_, foreign) = foreign_project(&kit).await;
    let (plain, wished) = (kit.fresh("u"), kit.fresh("u"));
    let plain_id = kit.make("/users", &account(&plain)).await;
    let wished_id = kit.make("/users", &with_wishes(account(&wished), foreign)).await;
    let read = |id: i64| {
        let kit = kit.clone();
        async move { kit.read(&format!("/users/{id}")).await }
    };
    let (plain_user, wished_user) = (read(plain_id).await, read(wished_id).await);
    let own = ["user_id", "username", "email"];
    assert_eq!(wished_user["user_id"], wished_id);
    assert!(!is_backdated(&wished_user), "{wished_user}");
    assert_eq!(alike(plain_user, &own), alike(wished_user, &own));
    let who = Who::user("wished", &wished, PASSWORD, Facts::User { id: wished_id, is_admin: false, role: None });
    assert_eq!(kit.get(&who, "/users").await.status, 403);
    assert_eq!(kit.get(&who, &format!("/projects/{foreign}")).await.status, 403);
}

async fn a_person_who_registers_is_nobodys_administrator(kit: Kit) {
    let server = Server::start(crate::berth(), &kit.engine, &[]).await.unwrap_or_else(|error| panic!("{error}"));
    let kit = Kit::new(kit.name, &server.base_url(), kit.engine.clone());
    let register = |name: &'static str| {
        let kit = kit.clone();
        async move {
            // As the portal does it: with the cookie that marks a browser, and the token that goes with it.
            let first = kit.call(&Who::nobody(), Method::GET, "/c/log_out").send().await.expect(200);
            let token = first.header("x-harbor-csrf-token").to_owned();
            let (sid, guard) = (cookie(&first, "sid").expect("a cookie"), cookie(&first, "_gorilla_csrf").expect("a cookie"));
            let call = kit.api(&Who::nobody(), Method::POST, "/users").header("cookie", format!("{sid}; {guard}"));
            call.header("x-harbor-csrf-token", token).json(&with_wishes(account(name), 1)).send().await
        }
    };
    assert_eq!(register("early").await.status, 401);
    let _ = kit.put(&kit.admin, "/configurations", &json!({"self_registration": true})).await.expect(200);
    let id = register("mallory").await.expect(201).location().rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
    assert_eq!(kit.read(&format!("/users/{id}")).await["sysadmin_flag"], false);
    let who = Who::user("registered", "mallory", PASSWORD, Facts::User { id, is_admin: false, role: None });
    assert_eq!(kit.get(&who, "/users/current").await.expect(200).json()["sysadmin_flag"], false);
    assert_eq!(kit.get(&who, "/users").await.status, 403);
    // Whoever registers makes their own account and no other's; a request without the cookie makes none.
    assert_eq!(kit.post(&Who::nobody(), "/users", &account("script")).await.status, 403);
    assert_eq!(register("admin").await.status, 409);
    assert!(server.stop().await.expect("it ends").success());
}

async fn ones_own_profile_makes_nobody_an_administrator(kit: Kit) {
    let (who, (_, foreign)) = (kit.stranger().await, foreign_project(&kit).await);
    let path = format!("/users/{}", who.user_id());
    let before = kit.read(&path).await;
    let admin_before = kit.read("/users/1").await;
    let profile =
        json!({"email": before["email"], "realname": before["realname"], "comment": "", "username": "admin2", "password": "Other0word"});
    let _ = kit.put(&who, &path, &with_wishes(profile, foreign)).await.expect(200);
    assert_eq!(alike(before, &[]), alike(kit.read(&path).await, &[]));
    assert_eq!(alike(admin_before, &[]), alike(kit.read("/users/1").await, &[]));
    // Another account's flag, password and profile are not one's own to write, whatever the body says.
    let flag = with_wishes(json!({"sysadmin_flag": true, "user_id": who.user_id()}), foreign);
    assert_eq!(kit.put(&who, &format!("{path}/sysadmin"), &flag).await.status, 403);
    let password = with_wishes(json!({"old_password": PASSWORD, "new_password": "Other0word1", "user_id": who.user_id()}), foreign);
    assert_eq!(kit.put(&who, "/users/1/password", &password).await.status, 403);
    assert_eq!(kit.get(&who, "/users").await.status, 403);
    assert_eq!(kit.get(&who, "/users/current").await.expect(200).json()["sysadmin_flag"], false);
}

async fn a_project_belongs_to_who_makes_it_and_stays_where_it_is(kit: Kit) {
    let (who, (victim, foreign)) = (kit.stranger().await, foreign_project(&kit).await);
    let (plain, wished) = (kit.fresh("mine"), kit.fresh("mine"));
    let _ = kit.post(&who, "/projects", &json!({"project_name": plain})).await.expect(201);
    let body = with_wishes(json!({"project_name": wished, "storage_limit": 4711, "metadata": {"owner": "admin"}}), foreign);
    let _ = kit.post(&who, "/projects", &body).await.expect(201);
    let (plain_project, wished_project) = (kit.read(&format!("/projects/{plain}")).await, kit.read(&format!("/projects/{wished}")).await);
    let own = ["project_id", "name", "cve_allowlist"];
    assert_eq!((&wished_project["owner_name"], &wished_project["owner_id"]), (&json!(who.name()), &json!(who.user_id())));
    assert!(!is_backdated(&wished_project), "{wished_project}");
    assert_eq!(alike(plain_project, &own), alike(wished_project.clone(), &own));
    let quota = kit.read(&format!("/quotas?reference=project&reference_id={}", wished_project["project_id"])).await;
    assert_eq!(quota[0]["hard"]["storage"], -1, "a limit that only administrators set");
    let (victim_before, mine_before) = (kit.read(&format!("/projects/{victim}")).await, kit.read(&format!("/projects/{wished}")).await);
    let body = with_wishes(
        json!({"project_name": victim, "metadata": {"auto_scan": "false", "retention_id": "1"}, "cve_allowlist": {"id": 1, "project_id": foreign, "items": []}}),
        foreign,
    );
    let reply = kit.put(&who, &format!("/projects/{wished}"), &body).await;
    assert!(matches!(reply.status, 200 | 400), "{reply:?}");
    let mine_after = kit.read(&format!("/projects/{wished}")).await;
    for field in ["name", "owner_id", "owner_name", "project_id", "registry_id"] {
        assert_eq!(mine_before[field], mine_after[field], "{field}");
    }
    assert_eq!(mine_after["metadata"]["retention_id"], Value::Null, "{mine_after}");
    assert_eq!(mine_after["cve_allowlist"]["project_id"], mine_after["project_id"]);
    assert_eq!(victim_before, kit.read(&format!("/projects/{victim}")).await);
    // A cache of another registry is for administrators to make.
    let cache = json!({"project_name": kit.fresh("cache"), "registry_id": 1});
    assert_eq!(kit.post(&who, "/projects", &cache).await.status, 403);
}

async fn a_member_stays_the_person_and_in_the_project_that_the_path_names(kit: Kit) {
    let (who, other, (victim, foreign)) = (kit.stranger().await, kit.stranger().await, foreign_project(&kit).await);
    let mine = kit.fresh("mine");
    let _ = kit.post(&who, "/projects", &json!({"project_name": mine})).await.expect(201);
    let member =
        with_wishes(json!({"role_id": 3, "member_user": {"user_id": other.user_id()}, "entity_id": 1, "entity_type": "u"}), foreign);
    let location = kit.post(&who, &format!("/projects/{mine}/members"), &member).await.expect(201).location();
    let path = location.trim_start_matches("/api/v2.0").to_owned();
    let role = with_wishes(json!({"role_id": 2, "entity_id": who.user_id(), "role_name": "projectAdmin"}), foreign);
    let _ = kit.put(&who, &path, &role).await.expect(200);
    let found = kit.read(&path).await;
    assert_eq!((&found["entity_id"], &found["role_id"], &found["role_name"]), (&json!(other.user_id()), &json!(2), &json!("developer")));
    let members = kit.read(&format!("/projects/{victim}/members")).await;
    assert_eq!(members.as_array().map(Vec::len), Some(1), "{members}");
    assert_eq!(kit.get(&other, &format!("/projects/{victim}")).await.status, 403);
}

async fn a_label_stays_where_it_lives(kit: Kit) {
    let (who, (_, foreign)) = (kit.stranger().await, foreign_project(&kit).await);
    let mine = kit.fresh("mine");
    let _ = kit.post(&who, "/projects", &json!({"project_name": mine})).await.expect(201);
    let project = kit.read(&format!("/projects/{mine}")).await["project_id"].as_i64().expect("an id");
    let body = with_wishes(json!({"name": "a", "scope": "p", "project_id": project}), foreign);
    let path = kit.post(&who, "/labels", &body).await.expect(201).location().trim_start_matches("/api/v2.0").to_owned();
    for wish in [
        json!({"name": "b", "scope": "g", "project_id": 0}),
        json!({"name": "c", "scope": "p", "project_id": foreign}),
        json!({"name": "d", "id": 1}),
    ] {
        let _ = kit.put(&who, &path, &with_wishes(wish, foreign)).await.expect(200);
        let label = kit.read(&path).await;
        assert_eq!((&label["scope"], &label["project_id"]), (&json!("p"), &json!(project)));
        assert!(!is_backdated(&label) && path.ends_with(&format!("/{}", label["id"])), "{label}");
    }
    // Neither everybody's labels nor a neighbour's are made by saying so.
    assert_eq!(kit.post(&who, "/labels", &json!({"name": "x", "scope": "g", "project_id": project})).await.status, 403);
    assert_eq!(kit.post(&who, "/labels", &json!({"name": "x", "scope": "p", "project_id": foreign})).await.status, 403);
}

async fn a_robot_has_no_chosen_secret_maker_or_place(kit: Kit) {
    let (who, (victim, foreign)) = (kit.stranger().await, foreign_project(&kit).await);
    let mine = kit.fresh("mine");
    let _ = kit.post(&who, "/projects", &json!({"project_name": mine})).await.expect(201);
    let access =
        |namespace: &str| json!([{"kind": "project", "namespace": namespace, "access": [{"resource": "repository", "action": "pull"}]}]);
    let body =
        with_wishes(json!({"name": "bot", "level": "project", "duration": 1, "disable": true, "permissions": access(&mine)}), foreign);
    let made = kit.post(&who, "/robots", &body).await.expect(201).json();
    assert_ne!(made["secret"], "Wished0secret");
    let path = format!("/robots/{}", made["id"]);
    let robot = kit.read(&path).await;
    assert_eq!((&robot["creator_ref"], &robot["creator_type"]), (&json!(who.user_id()), &json!("local")));
    assert_eq!((&robot["editable"], &robot["disable"]), (&json!(true), &json!(false)));
    assert!(!is_backdated(&robot) && robot["expires_at"].as_i64().is_some_and(|at| at > 1_000_000_000), "{robot}");
    let mut change = with_wishes(robot.clone(), foreign);
    change["secret"] = json!("Wished0secret");
    change["creator_ref"] = json!(1);
    change["expires_at"] = json!(-1);
    let _ = kit.put(&who, &path, &change).await.expect(200);
    let changed = kit.read(&path).await;
    assert_eq!(alike(robot.clone(), &[]), alike(changed, &[]));
    let as_wished = Who::user("wished", made["name"].as_str().expect("a name"), "Wished0secret", Facts::Nobody);
    assert_eq!(kit.get(&as_wished, &format!("/projects/{mine}")).await.status, 401);
    // Another level, another project, everything: not for who administers one project.
    for (level, permissions) in [("system", access(&mine)), ("system", access("*")), ("project", access(&victim)), ("project", access("*"))]
    {
        let reply = kit.post(&who, "/robots", &json!({"name": "more", "level": level, "duration": 1, "permissions": permissions})).await;
        assert!(matches!(reply.status, 400 | 403), "{reply:?}");
        let mut change = robot.clone();
        change["level"] = json!(level);
        change["permissions"] = permissions.clone();
        let unchanged = level == "project" && permissions == access(&mine);
        let reply = kit.put(&who, &path, &change).await;
        assert!(unchanged || matches!(reply.status, 400 | 403 | 404), "{level} {permissions}: {reply:?}");
    }
    assert_eq!(alike(robot, &[]), alike(kit.read(&path).await, &[]));
}

async fn rules_quotas_and_repositories_keep_what_is_not_for_them_to_say(kit: Kit) {
    let (who, (_, foreign)) = (kit.stranger().await, foreign_project(&kit).await);
    let mine = kit.fresh("mine");
    let _ = kit.post(&who, "/projects", &json!({"project_name": mine})).await.expect(201);
    let _ = kit.tagged(&format!("{mine}/app"), TAG).await;
    let repository = format!("/projects/{mine}/repositories/app");
    let before = kit.read(&repository).await;
    let body = with_wishes(json!({"name": "elsewhere/app", "description": before["description"]}), foreign);
    let _ = kit.put(&who, &repository, &body).await.expect(200);
    assert_eq!(alike(before, &[]), alike(kit.read(&repository).await, &[]));
    let rules = format!("/projects/{mine}/immutabletagrules");
    let mut rule = with_wishes(immutable_rule("w*"), foreign);
    rule["id"] = json!(4711);
    let location = kit.post(&who, &rules, &rule).await.expect(201).location();
    let found = kit.read(&rules).await;
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    assert!(location.ends_with(&format!("/{}", found[0]["id"])) && found[0]["id"] != 4711, "{location} {found}");
    let id = kit.read(&format!("/projects/{mine}")).await["project_id"].clone();
    let quota = kit.read(&format!("/quotas?reference=project&reference_id={id}")).await[0].clone();
    let path = format!("/quotas/{}", quota["id"]);
    let body = with_wishes(json!({"hard": {"storage": -1}, "ref": {"id": foreign}}), foreign);
    assert_eq!(kit.put(&who, &path, &body).await.status, 403);
    let _ = kit.put(&kit.admin, &path, &body).await.expect(200);
    let after = kit.read(&path).await;
    assert_eq!((&quota["used"], &quota["ref"], &quota["id"]), (&after["used"], &after["ref"], &after["id"]));
    // A group is of the kind that may be made here, and an allowlist is the system's own.
    let group = kit.fresh("group");
    let id = kit.make("/usergroups", &with_wishes(json!({"group_name": group, "group_type": 2}), foreign)).await;
    assert_eq!(kit.read(&format!("/usergroups/{id}")).await["group_name"], json!(group));
}

async fn a_tag_is_of_the_artifact_that_the_path_names(kit: Kit) {
    let (who, (victim, foreign)) = (kit.stranger().await, foreign_project(&kit).await);
    let mine = kit.fresh("mine");
    let _ = kit.post(&who, "/projects", &json!({"project_name": mine})).await.expect(201);
    let theirs = kit.tagged(&format!("{victim}/app"), TAG).await;
    let digest = kit.tagged(&format!("{mine}/app"), TAG).await;
    let victim_artifact = kit.read(&format!("/projects/{victim}/repositories/app/artifacts/{theirs}")).await;
    let tags = format!("/projects/{mine}/repositories/app/artifacts/{digest}/tags");
    let body =
        json!({"name": "new", "artifact_id": victim_artifact["id"], "repository_id": victim_artifact["repository_id"], "digest": theirs});
    let _ = kit.post(&who, &tags, &with_wishes(body, foreign)).await.expect(201);
    let mine_artifact = kit.read(&format!("/projects/{mine}/repositories/app/artifacts/new")).await;
    assert_eq!(mine_artifact["digest"], json!(digest));
    let immutable = mine_artifact["tags"].as_array().expect("tags").iter().any(|tag| tag["immutable"] == true);
    assert!(!immutable, "{mine_artifact}");
    let reply = kit.api(&kit.admin, Method::GET, &format!("/projects/{victim}/repositories/app/artifacts/{theirs}")).send().await;
    assert_eq!(reply.json()["tags"].as_array().map(Vec::len), Some(1));
    // A label of another project cannot be put on, whatever the body says of its scope.
    let label = kit.make("/labels", &json!({"name": "theirs", "scope": "p", "project_id": foreign})).await;
    let labels = format!("/projects/{mine}/repositories/app/artifacts/{digest}/labels");
    let own = kit.read(&format!("/projects/{mine}")).await["project_id"].clone();
    assert_eq!(kit.post(&who, &labels, &json!({"id": label, "scope": "g", "project_id": own})).await.status, 404);
}
