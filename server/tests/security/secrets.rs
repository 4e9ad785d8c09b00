//! Secrets go in and never come out: a day's work with known ones, and then every answer, every line of the log at its most talkative, and
//! everything at rest is searched for them.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Method;
use serde_json::{Value, json};
use testkit::client::{Client, Reply};
use testkit::server::{ADMIN_PASSWORD, Server};

use crate::kit::{Facts, Kit, Sign, Who, cookie, report};
use crate::matrix::changes;
use crate::operations::{OPERATIONS, Target, document, place};

testkit::tests! {
    Kit;
    no_secret_comes_out_in_an_answer_a_log_or_a_file,
}

/// What went in, and what came back.
#[derive(Default)]
struct Day {
    /// What may be nowhere, by name.
    secrets: Vec<(String, String)>,
    /// Answers with the name of the one secret that they may show.
    answers: Vec<(String, Option<String>, String)>,
}

impl Day {
    fn secret(&mut self, name: &str, value: &str) {
        self.secrets.push((name.to_owned(), value.to_owned()));
    }

    fn keep(&mut self, title: &str, may_show: Option<&str>, reply: &Reply) {
        let headers: String =
            reply.headers.iter().map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))).collect();
        let text = format!("{headers}\n{}", String::from_utf8_lossy(&reply.body));
        self.answers.push((title.to_owned(), may_show.map(str::to_owned), text));
    }

    fn found_in(&self, place: &str, text: &str, may_show: Option<&str>, wrong: &mut Vec<String>) {
        for (name, value) in self.secrets.iter().filter(|(name, _)| Some(name.as_str()) != may_show) {
            if let Some(at) = text.find(value.as_str()) {
                let line = text[..at].rsplit('\n').next().unwrap_or_default();
                wrong.push(format!(
                    "{name} in {place}: {}",
                    line.chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect::<String>()
                ));
            }
        }
    }
}

async fn no_secret_comes_out_in_an_answer_a_log_or_a_file(kit: Kit) {
    let settings = [("BERTH_LOG_LEVEL", "trace"), ("BERTH_LOG_FORMAT", "json")];
    let server = Server::start_heard(crate::berth(), &kit.engine, &settings).await.unwrap_or_else(|error| panic!("{error}"));
    let kit = Kit::new(kit.name, &server.base_url(), kit.engine.clone());
    let mut day = Day::default();
    day.secret("the administrator's password", ADMIN_PASSWORD);
    day.secret("the administrator's Basic", &BASE64_STANDARD.encode(format!("admin:{ADMIN_PASSWORD}")));
    accounts(&kit, &mut day).await;
    robots(&kit, &mut day).await;
    sessions(&kit, &mut day).await;
    tokens(&kit, &mut day).await;
    everything_is_read(&kit, &mut day).await;
    let mut at_rest = Vec::new();
    files(server.data(), &mut at_rest);
    if let Some(url) = server.database_url() {
        at_rest.extend(testkit::database::contents(&url).await);
    }
    let mut wrong = Vec::new();
    for (title, may_show, text) in &day.answers {
        day.found_in(title, text, may_show.as_deref(), &mut wrong);
    }
    for (place, text) in &at_rest {
        day.found_in(place, text, None, &mut wrong);
    }
    what_is_no_secret_is_found(&at_rest);
    let log = server.output();
    assert!(log.lines().count() > 100, "a trace of {} lines", log.lines().count());
    assert!(server.stop().await.expect("it ends").success());
    day.found_in("the log", &log, None, &mut wrong);
    report(&wrong);
    assert!(day.answers.len() > 60 && day.secrets.len() > 15, "{} answers, {} secrets", day.answers.len(), day.secrets.len());
}

/// Every file below a directory, with what it holds.
fn files(directory: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(directory).expect("a directory").filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if let Ok(bytes) = std::fs::read(&path) {
            found.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}

/// That the search reaches what is stored: a column of text, one of bytes, and a blob.
fn what_is_no_secret_is_found(at_rest: &[(String, String)]) {
    for known in ["carla@example.com", r#""schemaVersion":2"#, "layer of canary"] {
        assert!(at_rest.iter().any(|(_, text)| text.contains(known)), "{known} is nowhere at rest, so the search sees too little");
    }
}

async fn accounts(kit: &Kit, day: &mut Day) {
    let (first, second, wrong) = ("Canary0First", "Canary1Second", "Canary2Wrong");
    day.secret("a password", first);
    day.secret("a new password", second);
    day.secret("a wrong password", wrong);
    let body = json!({"username": "carla", "email": "carla@example.com", "realname": "Carla", "password": first});
    let made = kit.post(&kit.admin, "/users", &body).await;
    let id = made.location().rsplit('/').next().and_then(|id| id.parse::<i64>().ok()).expect("an id");
    day.keep("a new account", None, &made);
    day.keep("the same account", None, &kit.post(&kit.admin, "/users", &body).await);
    // Refused for its type, its length, its rule: never told back.
    for odd in [json!(["Canary3Typed"]), json!({"Canary3Typed": "Canary3Typed"}), json!("Canary3Typed".repeat(30)), json!("canary3typed")] {
        let mut bad = body.clone();
        bad["password"] = odd;
        day.keep("an account with a bad password", None, &kit.post(&kit.admin, "/users", &bad).await);
    }
    day.secret("a password of a wrong type", "Canary3Typed");
    day.secret("a password that breaks the rule", "canary3typed");
    day.keep(
        "half a body",
        None,
        &kit.api(&kit.admin, Method::POST, "/users")
            .header("content-type", "application/json")
            .body(r#"{"password":"Canary4Half"#)
            .send()
            .await,
    );
    day.secret("half a body", "Canary4Half");
    let carla = |password: &str| Who::user("carla", "carla", password, Facts::User { id, is_admin: false, role: None });
    for password in [first, wrong] {
        let who = carla(password);
        let Sign::Header(basic) = &who.sign else { panic!("Basic") };
        day.secret("Basic credentials", basic.trim_start_matches("Basic "));
        day.keep("the account itself", None, &kit.get(&who, "/users/current").await);
    }
    let change = json!({"old_password": first, "new_password": second});
    day.keep("a change of password", None, &kit.put(&carla(first), &format!("/users/{id}/password"), &change).await.expect(200));
    day.keep(
        "a wrong change of password",
        None,
        &kit.put(&carla(second), &format!("/users/{id}/password"), &json!({"old_password": wrong, "new_password": "Canary5New"})).await,
    );
    day.secret("a new password that was refused", "Canary5New");
    day.keep(
        "a secret for command lines",
        None,
        &kit.put(&carla(second), &format!("/users/{id}/cli_secret"), &json!({"secret": "Canary6Cli"})).await,
    );
    day.secret("a secret for command lines", "Canary6Cli");
}

async fn robots(kit: &Kit, day: &mut Day) {
    kit.project("north", false).await;
    let access = json!([{"kind": "project", "namespace": "north", "access": [{"resource": "repository", "action": "pull"}]}]);
    let made =
        kit.post(&kit.admin, "/robots", &json!({"name": "ci", "level": "project", "duration": 1, "permissions": access})).await.expect(201);
    let robot = made.json();
    let (id, name) = (robot["id"].clone(), robot["name"].as_str().expect("a name").to_owned());
    let secret = robot["secret"].as_str().expect("a secret").to_owned();
    day.secret("a robot's secret", &secret);
    day.keep("a new robot", Some("a robot's secret"), &made);
    let path = format!("/robots/{id}");
    let use_it = |secret: &str| Who::user("robot", &name, secret, Facts::Nobody);
    day.keep("a robot's call", None, &kit.get(&use_it(&secret), "/projects/north").await);
    let refreshed = kit.api(&kit.admin, Method::PATCH, &path).json(&json!({"secret": ""})).send().await.expect(200);
    day.secret("a robot's new secret", refreshed.json()["secret"].as_str().expect("a secret"));
    day.keep("a refreshed robot", Some("a robot's new secret"), &refreshed);
    day.secret("a robot's chosen secret", "Canary7Chosen");
    day.keep(
        "a robot with a chosen secret",
        None,
        &kit.api(&kit.admin, Method::PATCH, &path).json(&json!({"secret": "Canary7Chosen"})).send().await.expect(200),
    );
    day.keep("its call", None, &kit.get(&use_it("Canary7Chosen"), "/projects/north").await.expect(403));
    day.secret("a robot's bad secret", "canary8bad");
    day.keep(
        "a robot with a bad secret",
        None,
        &kit.api(&kit.admin, Method::PATCH, &path).json(&json!({"secret": "canary8bad"})).send().await,
    );
    for read in [path, "/robots?q=Level%3Dproject,ProjectID%3D2".to_owned(), "/robots".to_owned()] {
        day.keep("robots as they are read", None, &kit.get(&kit.admin, &read).await);
    }
}

async fn sessions(kit: &Kit, day: &mut Day) {
    let first = kit.call(&Who::nobody(), Method::GET, "/c/log_out").send().await.expect(200);
    let (token, guard) = (first.header("x-harbor-csrf-token").to_owned(), cookie(&first, "_gorilla_csrf").expect("a cookie"));
    let login = |principal: &str, password: &str| {
        let call = kit.call(&Who::nobody(), Method::POST, "/c/login").header("cookie", &guard).header("x-harbor-csrf-token", &token);
        call.form(&[("principal", principal), ("password", password)])
    };
    let answer = login("admin", ADMIN_PASSWORD).send().await.expect(200);
    let session = cookie(&answer, "sid").expect("a session");
    day.secret("a session", session.trim_start_matches("sid="));
    day.keep("a sign-in", Some("a session"), &answer);
    day.secret("a password that did not sign in", "Canary9Login");
    day.keep("a wrong sign-in", None, &login("carla", "Canary9Login").send().await);
    // Where somebody writes it into the address, it is not told on either.
    day.secret("a password in an address", "CanaryAQuery");
    let call = kit.call(&Who::nobody(), Method::POST, "/c/login?principal=carla&password=CanaryAQuery").header("cookie", &guard);
    day.keep("a sign-in by address", None, &call.header("x-harbor-csrf-token", &token).send().await);
    let call = kit.call(&Who::nobody(), Method::POST, "/account/sign-in").form(&[("principal", "carla"), ("password", "CanaryBForm")]);
    day.secret("a password in the portal's form", "CanaryBForm");
    day.keep("the portal's form", None, &call.send().await);
    for path in ["/", "/projects", "/account/sign-in", "/api/v2.0/users/current", "/api/v2.0/systeminfo"] {
        let call = kit.call(&Who::nobody(), Method::GET, path).header("cookie", format!("{session}; {guard}"));
        day.keep(path, None, &call.send().await);
    }
}

async fn tokens(kit: &Kit, day: &mut Day) {
    let client = Client::new(&kit.base, Some(("admin", ADMIN_PASSWORD)));
    let told = client.ask_token(&["repository:north/app:pull,push"]).await.expect(200);
    let token = told.json()["token"].as_str().expect("a token").to_owned();
    day.secret("a token", &token);
    day.keep("a token", Some("a token"), &told);
    let who = kit.admin.bearing("by token", &token);
    let image = kit.image(&who, "north/app", "canary").await;
    day.keep("a push", None, &kit.push(&who, "north/app", "v1", &image).await);
    day.keep("a pull", None, &kit.call(&who, Method::GET, "/v2/north/app/manifests/v1").send().await);
    day.secret("a token that is none", "CanaryCBearer");
    day.keep(
        "a bad token",
        None,
        &kit.call(&kit.admin.bearing("bad", "CanaryCBearer"), Method::GET, "/v2/north/app/tags/list").send().await,
    );
    let form = [
        ("grant_type", "password"),
        ("service", "harbor-registry"),
        ("username", "carla"),
        ("password", "CanaryDForm"),
        ("client_id", "test"),
    ];
    day.secret("a password in the token service's form", "CanaryDForm");
    day.keep("the token service's form", None, &kit.call(&Who::nobody(), Method::POST, "/service/token").form(&form).send().await);
    day.secret("credentials of another kind", "CanaryEOther");
    for value in ["Harbor-Secret CanaryEOther", "Negotiate CanaryEOther", "Basic CanaryEOther"] {
        let call = kit.api(&Who::nobody(), Method::GET, "/users/current").authorization(value);
        day.keep("other credentials", None, &call.send().await);
    }
    // HTTP/2 has its own layers that might be talkative.
    let http = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().expect("a client");
    let client = Client::over(http, &kit.base, Some(("admin", ADMIN_PASSWORD)));
    day.keep("over HTTP/2", None, &client.get("/api/v2.0/users/current").basic().send().await.expect(200));
}

/// Every read of the document, as the administrator sees it.
async fn everything_is_read(kit: &Kit, day: &mut Day) {
    let (world, routes) = (kit.world().await, document(kit).await);
    for operation in OPERATIONS {
        let Some(route) = routes.get(operation.id).filter(|route| !changes(&route.method)) else { continue };
        let target = Target::new(kit, world, world.own());
        let query = operation.query.map(|query| format!("?{}", query(&target))).unwrap_or_default();
        let path = route.filled(|name| place(operation, &target, name, None));
        let reply = kit.get(&kit.admin, &format!("{path}{query}")).await;
        day.keep(operation.id, None, &reply);
        assert!(!has_secret_field(&serde_json::from_slice(&reply.body).unwrap_or_default()), "{}: {reply:?}", operation.id);
    }
}

/// Whether an answer has a field that is called as a secret and says something.
fn has_secret_field(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            let named = ["secret", "password", "salt", "access_secret", "secret_hash", "password_hash"].contains(&name.as_str());
            named && value.as_str().is_some_and(|text| !text.is_empty()) || has_secret_field(value)
        }),
        Value::Array(items) => items.iter().any(has_secret_field),
        _ => false,
    }
}
