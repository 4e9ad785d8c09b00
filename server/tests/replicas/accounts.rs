//! Passwords, roles, robots and sessions over two processes.

use serde_json::json;
use testkit::client::{Client, Reply};

use crate::{Pair, make_project, program};

const ME: &str = "/api/v2.0/users/current";

async fn make_user(admin: &Client, name: &str, password: &str) -> i64 {
    let body = json!({"username": name, "email": format!("{name}@example.com"), "realname": name, "password": password});
    let made = admin.post("/api/v2.0/users").basic().json(&body).send().await.expect(201);
    made.location().rsplit('/').next().and_then(|id| id.parse().ok()).expect("the id in Location")
}

#[tokio::test]
async fn an_old_password_is_refused_by_both_at_once() {
    let Some(pair) = Pair::start().await else { return };
    let (a, b) = (pair.a.admin(), pair.b.base_url());
    let id = make_user(&a, "dana", "Passw0rd0").await;
    for n in 0..3 {
        let (old, new) = (format!("Passw0rd{n}"), format!("Passw0rd{}", n + 1));
        let before = Client::new(&b, Some(("dana", &old)));
        let _ = before.get(ME).basic().send().await.expect(200);
        let _ = a.put(&format!("/api/v2.0/users/{id}/password")).basic().json(&json!({"new_password": new})).send().await.expect(200);
        // The new one first: a wrong one freezes the name for a moment.
        let _ = Client::new(&b, Some(("dana", &new))).get(ME).basic().send().await.expect(200);
        assert_eq!(before.get(ME).basic().send().await.status, 401);
    }
    // A right that is taken away, and an account that is deleted.
    let dana = Client::new(&b, Some(("dana", "Passw0rd3")));
    let make_admin = |on: bool| a.put(&format!("/api/v2.0/users/{id}/sysadmin")).basic().json(&json!({"sysadmin_flag": on})).send();
    let _ = make_admin(true).await.expect(200);
    let _ = dana.get("/api/v2.0/users").basic().send().await.expect(200);
    let _ = make_admin(false).await.expect(200);
    assert_eq!(dana.get("/api/v2.0/users").basic().send().await.status, 403);
    let _ = a.delete(&format!("/api/v2.0/users/{id}")).basic().send().await.expect(200);
    assert_eq!(dana.get(ME).basic().send().await.status, 401);
    pair.stop().await;
}

#[tokio::test]
async fn a_member_who_is_removed_is_out_everywhere() {
    let Some(pair) = Pair::start().await else { return };
    let a = pair.a.admin();
    let id = make_user(&a, "evan", "Passw0rd0").await;
    make_project(&a, "club", false).await;
    let evan = Client::new(&pair.b.base_url(), Some(("evan", "Passw0rd0")));
    for _ in 0..5 {
        let member = json!({"role_id": 2, "member_user": {"user_id": id}});
        let made = a.post("/api/v2.0/projects/club/members").basic().json(&member).send().await.expect(201);
        let _ = evan.get("/api/v2.0/projects/club").basic().send().await.expect(200);
        let _ = a.delete(&made.location()).basic().send().await.expect(200);
        assert_eq!(evan.get("/api/v2.0/projects/club").basic().send().await.status, 403);
    }
    pair.stop().await;
}

#[tokio::test]
async fn a_robot_that_is_switched_off_is_nobody_everywhere() {
    let Some(pair) = Pair::start().await else { return };
    let (a, b) = (pair.a.admin(), pair.b.base_url());
    make_project(&a, "machines", false).await;
    let permissions = json!([{"kind": "project", "namespace": "machines", "access": [{"resource": "repository", "action": "list"}]}]);
    let robot = json!({"name": "ci", "level": "project", "duration": -1, "permissions": permissions});
    let made = a.post("/api/v2.0/robots").basic().json(&robot).send().await.expect(201).json();
    let (name, secret) = (made["name"].as_str().expect("a name"), made["secret"].as_str().expect("a secret"));
    let robot = Client::new(&b, Some((name, secret)));
    let list = || robot.get("/api/v2.0/projects/machines/repositories").basic().send();
    let path = format!("/api/v2.0/robots/{}", made["id"]);
    for _ in 0..5 {
        let _ = list().await.expect(200);
        let switch = |off: bool| {
            let body =
                json!({"id": made["id"], "name": name, "level": "project", "duration": -1, "disable": off, "permissions": permissions});
            a.put(&path).basic().json(&body).send()
        };
        let _ = switch(true).await.expect(200);
        assert_eq!(list().await.status, 401);
        let _ = switch(false).await.expect(200);
    }
    let _ = list().await.expect(200);
    let _ = a.delete(&path).basic().send().await.expect(200);
    assert_eq!(list().await.status, 401);
    pair.stop().await;
}

/// The cookies that an answer sets.
fn cookies(reply: &Reply) -> Vec<String> {
    let set = reply.headers.get_all("set-cookie").iter();
    set.filter_map(|value| Some(value.to_str().ok()?.split(';').next()?.to_owned())).collect()
}

#[tokio::test]
async fn a_session_that_ends_on_one_ends_on_the_other() {
    let Some(pair) = Pair::start().await else { return };
    let (a, b) = (Client::new(&pair.a.base_url(), None), Client::new(&pair.b.base_url(), None));
    make_user(&pair.a.admin(), "fay", "Passw0rd0").await;
    for _ in 0..3 {
        let first = a.get("/c/log_out").send().await.expect(200);
        let form = [("principal", "fay"), ("password", "Passw0rd0")];
        let sign_in = a
            .post("/c/login")
            .header("cookie", cookies(&first).join("; "))
            .header("x-harbor-csrf-token", first.header("x-harbor-csrf-token"));
        let session = cookies(&sign_in.form(&form).send().await.expect(200)).join("; ");
        for client in [&a, &b] {
            assert_eq!(client.get(ME).header("cookie", &session).send().await.expect(200).json()["username"], "fay");
        }
        let _ = a.get("/c/log_out").header("cookie", &session).send().await.expect(200);
        assert_eq!(b.get(ME).header("cookie", &session).send().await.status, 401);
    }
    pair.stop().await;
}

#[tokio::test]
async fn what_an_operator_changes_is_heard_too() {
    let Some(pair) = Pair::start().await else { return };
    let b = pair.b.admin();
    let _ = b.get(ME).basic().send().await.expect(200);
    let file = pair.a.data().join("new-password");
    std::fs::write(&file, "Another1Password").expect("a file");
    let ended = std::process::Command::new(program())
        .args(["admin", "reset-password", "--password-file"])
        .arg(&file)
        .env("BERTH_DATA", pair.a.data())
        .env("BERTH_DATABASE_URL", pair.a.database_url().expect("a database"))
        .status();
    assert!(ended.expect("the command runs").success());
    // Nobody waits for the others here: they hear it a moment later.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(b.get(ME).basic().send().await.status, 401);
    pair.stop().await;
}
