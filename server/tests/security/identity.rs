//! Who somebody is, is never told by how their name begins: a robot is one that showed a robot's secret, a person one that showed a person's
//! password, whatever both are called.

use http::Method;
use model::permission::{Action as A, GrantScope, Resource as R, RobotLevel};
use serde_json::json;
use testkit::client::Client;
use testkit::server::Server;

use crate::kit::{Facts, Kit, PASSWORD, Who, grant};

testkit::tests! {
    Kit;
    a_name_that_begins_as_robots_do_makes_nobody_a_robot,
    projects_are_made_by_those_who_may_when_that_is_restricted,
    a_person_cannot_be_called_as_robots_are_by_default,
    secrets_of_one_kind_are_no_credentials_of_another,
}

async fn a_name_that_begins_as_robots_do_makes_nobody_a_robot(kit: Kit) {
    let server = Server::start(crate::berth(), &kit.engine, &[]).await.unwrap_or_else(|error| panic!("{error}"));
    let kit = Kit::new(kit.name, &server.base_url(), kit.engine.clone());
    let _ = kit.put(&kit.admin, "/configurations", &json!({"robot_name_prefix": "ci-"})).await.expect(200);
    kit.project("north", false).await;
    let _ = kit.tagged("north/app", "v1").await;
    let pulls = vec![grant(GrantScope::System, R::User, A::List), grant(GrantScope::AllProjects, R::Repository, A::Pull)];
    let (_, robot) = kit.robot("robot", RobotLevel::System, pulls, |_| String::new()).await;
    assert!(robot.name().starts_with("ci-"), "{}", robot.name());
    // Two people: one called as some robot might be, one as this one is.
    for name in ["ci-dana", robot.name()] {
        let id = kit.account(name).await;
        let person = Who::user("person", name, PASSWORD, Facts::User { id, is_admin: false, role: None });
        assert_eq!(kit.get(&person, "/users/current").await.expect(200).json()["user_id"], id);
        assert_eq!(kit.get(&person, "/users").await.status, 403);
        let pull = |who: &Who| kit.call(who, Method::GET, "/v2/north/app/manifests/v1");
        assert_eq!(pull(&person).send().await.status, 401);
        let client = Client::new(&kit.base, Some((name, PASSWORD)));
        let token = client.token(&["repository:north/app:pull"]).await;
        assert_eq!(pull(&person.bearing("by token", &token)).send().await.status, 401);
        // They own what they make, as people do.
        let _ = kit.post(&person, "/projects", &json!({"project_name": format!("of-{name}")})).await.expect(201);
        assert_eq!(kit.read(&format!("/projects/of-{name}")).await["owner_id"], id);
        assert_eq!(kit.get(&kit.session(&person).await, "/users/current").await.status, 200);
    }
    assert_eq!(kit.get(&robot, "/users/current").await.status, 412);
    assert_eq!(kit.get(&robot, "/users").await.status, 200);
    assert_eq!(kit.call(&robot, Method::GET, "/v2/north/app/manifests/v1").send().await.status, 200);
    // A robot has no session.
    let (name, secret) = robot.secret.clone().expect("a secret");
    let first = kit.call(&Who::nobody(), Method::GET, "/c/log_out").send().await;
    let (token, guard) = (first.header("x-harbor-csrf-token").to_owned(), crate::kit::cookie(&first, "_gorilla_csrf").expect("a cookie"));
    let call = kit.call(&Who::nobody(), Method::POST, "/c/login").header("cookie", &guard).header("x-harbor-csrf-token", &token);
    assert_eq!(call.form(&[("principal", &name), ("password", &secret)]).send().await.status, 401);
    assert!(server.stop().await.expect("it ends").success());
}

async fn projects_are_made_by_those_who_may_when_that_is_restricted(kit: Kit) {
    let server = Server::start(crate::berth(), &kit.engine, &[]).await.unwrap_or_else(|error| panic!("{error}"));
    let kit = Kit::new(kit.name, &server.base_url(), kit.engine.clone());
    let project = model::ProjectId(kit.project("north", false).await);
    let restricted = grant(GrantScope::System, R::Project, A::Create);
    let in_project = vec![grant(GrantScope::Project(project), R::Project, A::Read)];
    let callers = [
        (Who::nobody(), 401),
        (kit.stranger().await, 403),
        (kit.robot("robot of a project", RobotLevel::Project, in_project, |_| "north".to_owned()).await.1, 403),
        (
            kit.robot("robot that may not", RobotLevel::System, vec![grant(GrantScope::System, R::Project, A::List)], |_| String::new())
                .await
                .1,
            403,
        ),
        (kit.robot("robot that may", RobotLevel::System, vec![restricted], |_| String::new()).await.1, 201),
        (kit.admin.clone(), 201),
    ];
    let _ = kit.put(&kit.admin, "/configurations", &json!({"project_creation_restriction": "adminonly"})).await.expect(200);
    for (who, status) in callers {
        let reply = kit.post(&who, "/projects", &json!({"project_name": kit.fresh("made")})).await;
        assert_eq!(reply.status, status, "{}: {reply:?}", who.title);
    }
    assert!(server.stop().await.expect("it ends").success());
}

async fn a_person_cannot_be_called_as_robots_are_by_default(kit: Kit) {
    for name in ["robot$ci", "robot$north+ci", "a$b", "a,b", "a\"b", "a%b"] {
        let body = json!({"username": name, "email": format!("{}@example.com", kit.fresh("u")), "realname": "x", "password": PASSWORD});
        let reply = kit.post(&kit.admin, "/users", &body).await;
        assert!(reply.status == 400 || !name.contains('$') && reply.status == 201, "{name}: {reply:?}");
    }
    for name in ["robot$ci", "robot$north+ci", "a,b"] {
        let body = json!({"username": name, "email": format!("{}@example.com", kit.fresh("u")), "realname": "x", "password": PASSWORD});
        assert_eq!(kit.post(&kit.admin, "/users", &body).await.status, 400, "{name}");
    }
}

async fn secrets_of_one_kind_are_no_credentials_of_another(kit: Kit) {
    // Somebody of their own: wrong secrets freeze a name for a moment.
    let (owner, project) = (&kit.stranger().await, kit.fresh("p"));
    let _ = kit.post(owner, "/projects", &json!({"project_name": project})).await.expect(201);
    let _ = kit.tagged(&format!("{project}/app"), "v1").await;
    let (name, password) = owner.secret.clone().expect("a person");
    let client = Client::new(&kit.base, Some((&name, &password)));
    let token = client.token(&[&format!("repository:{project}/app:pull")]).await;
    let session = match kit.session(owner).await.sign {
        crate::kit::Sign::Session { cookie, .. } => cookie.split(';').next().expect("a cookie").trim_start_matches("sid=").to_owned(),
        other => panic!("{other:?}"),
    };
    let path = format!("/projects/{project}");
    // A registry token is nobody at the API, as a bearer's or as a password; so is a session's cookie elsewhere than in its place.
    assert_eq!(kit.get(&owner.bearing("token", &token), &path).await.status, 401);
    for secret in [&token, &session] {
        let who = Who::user("mixed", &name, secret, Facts::Nobody);
        assert_eq!(kit.get(&who, &path).await.status, 401);
        assert_eq!(kit.get(&owner.bearing("mixed", secret), &path).await.status, 401);
        let cookie = kit.api(&Who::nobody(), Method::GET, &path).header("cookie", format!("sid={secret}"));
        assert_eq!(cookie.send().await.status == 200, *secret == session);
    }
    let reply = kit.call(&owner.bearing("session", &session), Method::GET, &format!("/v2/{project}/app/tags/list")).send().await;
    assert_eq!(reply.status, 401);
    // A token buys no other token.
    let scope = format!("/service/token?service=harbor-registry&scope=repository:{project}/app:pull,push,delete");
    let reply = kit.call(&owner.bearing("token", &token), Method::GET, &scope).send().await;
    let told = String::from_utf8_lossy(&reply.body).into_owned();
    let granted = reply.status == 200 && {
        let bought = reply.json()["token"].as_str().expect("a token").to_owned();
        let who = owner.bearing("bought", &bought);
        kit.call(&who, Method::GET, &format!("/v2/{project}/app/tags/list")).send().await.status == 200
    };
    assert!(!granted, "{told}");
}
