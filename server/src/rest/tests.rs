//! The door as clients see it, in process.

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use testkit::instance::Instance;
use tower::ServiceExt as _;

use crate::security::Origins;

const ADMIN: &str = "admin:Harbor12345";
const DANA: &str = "dana:Passw0rd1";
const TOKEN: &str = "x-harbor-csrf-token";

struct Door {
    router: Router,
    _instance: Instance,
}

/// One request: caller in `user:password` form, headers, body.
struct Ask<'a> {
    method: Method,
    path: &'a str,
    basic: Option<&'a str>,
    headers: Vec<(&'a str, String)>,
    body: String,
}

impl<'a> Ask<'a> {
    fn new(method: &str, path: &'a str) -> Self {
        Self { method: method.parse().unwrap(), path, basic: None, headers: Vec::new(), body: String::new() }
    }

    fn basic(mut self, basic: &'a str) -> Self {
        self.basic = Some(basic);
        self
    }

    fn header(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn json(self, body: Value) -> Self {
        self.text("application/json", &body.to_string())
    }

    fn form(self, body: &str) -> Self {
        self.text("application/x-www-form-urlencoded", body)
    }

    fn text(mut self, content_type: &str, body: &str) -> Self {
        self.body = body.to_owned();
        self.header("content-type", content_type)
    }
}

struct Told {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Told {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// Status and first message.
    fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned())
    }

    /// `name=value` of a cookie that was set.
    fn cookie(&self, name: &str) -> Option<String> {
        let set = self.headers.get_all(header::SET_COOKIE).iter().map(|v| v.to_str().unwrap());
        let mut pairs = set.filter_map(|v| v.split(';').next());
        pairs.rfind(|pair| pair.starts_with(&format!("{name}="))).map(str::to_owned)
    }
}

impl Door {
    async fn open() -> Self {
        let instance = Instance::open().await;
        let origins = Origins::new(Vec::new(), None, "127.0.0.1:8080".parse().unwrap());
        let door = Self { router: super::router(instance.services.clone(), origins), _instance: instance };
        for name in ["dana", "evan"] {
            assert_eq!(door.create(name, json!({})).await.status, StatusCode::CREATED);
        }
        door
    }

    async fn create(&self, name: &str, more: Value) -> Told {
        let mut body = json!({"username": name, "email": format!("{name}@example.com"), "realname": name, "password": "Passw0rd1"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ask(Ask::new("POST", "/api/v2.0/users").basic(ADMIN).json(body)).await
    }

    async fn ask(&self, ask: Ask<'_>) -> Told {
        let mut request = Request::builder().method(ask.method).uri(ask.path).header("host", "registry.example");
        if let Some(basic) = ask.basic {
            request = request.header("authorization", format!("Basic {}", BASE64_STANDARD.encode(basic)));
        }
        for (name, value) in ask.headers {
            request = request.header(name, value);
        }
        let response: Response = self.router.clone().oneshot(request.body(Body::from(ask.body)).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Told { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    async fn get(&self, path: &str, basic: &str) -> Told {
        self.ask(Ask::new("GET", path).basic(basic)).await
    }

    /// Signs in through `/c/login`; the cookies to send from now on, and a token.
    async fn sign_in(&self, name: &str) -> (String, String) {
        let first = self.ask(Ask::new("GET", "/c/log_out")).await;
        let csrf = first.cookie("_gorilla_csrf").unwrap();
        let form = format!("principal={name}&password=Passw0rd1");
        let ask = Ask::new("POST", "/c/login").header("cookie", csrf.clone()).header(TOKEN, first.header(TOKEN)).form(&form);
        let login = self.ask(ask).await;
        assert_eq!((login.status, login.body.as_str()), (StatusCode::OK, ""));
        (format!("{}; {csrf}", login.cookie("sid").unwrap()), login.header(TOKEN).to_owned())
    }
}

#[tokio::test]
async fn refusals_have_the_envelope() {
    let door = Door::open().await;
    let unknown = door.get("/api/v2.0/nothing", ADMIN).await;
    assert_eq!(unknown.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(unknown.body, "{\"errors\":[{\"code\":\"NOT_FOUND\",\"message\":\"path /api/v2.0/nothing was not found\"}]}\n");
    let table = [
        ("GET", "/api/v2.0", 404, "path /api/v2.0 was not found"),
        ("GET", "/api/v2.0/Users", 404, "path /api/v2.0/Users was not found"),
        ("GET", "/api/v3", 404, "path /api/v3 was not found"),
        // An answer to HEAD has no body.
        ("HEAD", "/api/v2.0/nothing", 404, ""),
        ("PATCH", "/api/v2.0/users", 405, "method PATCH is not allowed, but [GET,POST] are"),
        ("OPTIONS", "/api/v2.0/ping", 405, "method OPTIONS is not allowed, but [GET] are"),
        ("HEAD", "/api/v2.0/users", 405, ""),
        ("GET", "/api/v2.0/users?q=%zz", 400, "invalid URL escape \"%zz\""),
        ("GET", "/api/v2.0/users?page=1;page_size=1", 400, "invalid semicolon separator in query"),
        ("GET", "/api/v2.0/users?q=username", 400, "the query string must contain \"=\" and the key/value cannot be empty"),
        ("GET", "/api/v2.0/users?page_size=101", 422, "validation failure list:\npage_size in query should be less than or equal to 100"),
        ("GET", "/api/v2.0/users?page=x", 422, "validation failure list:\npage in query must be of type int64: \"x\""),
        ("GET", "/api/v2.0/users/dana", 422, "validation failure list:\nuser_id in path must be of type int64: \"dana\""),
        ("GET", "/api/v2.0/users/search", 422, "validation failure list:\nusername in query is required"),
        ("GET", "/api/v2.0/users", 401, "unauthorized"),
    ];
    for (method, path, status, message) in table {
        let told = door.ask(Ask::new(method, path)).await;
        assert_eq!(told.refusal(), (status, message.to_owned()), "{method} {path}");
        assert_eq!(told.header("content-type"), "application/json; charset=utf-8");
        assert!(told.header(TOKEN).is_empty() && told.cookie("sid").is_none());
    }
}

#[tokio::test]
async fn bodies_are_bound_before_anybody_is_asked_who_they_are() {
    let door = Door::open().await;
    let path = "/api/v2.0/users";
    let table = [
        ("application/json", "", "userReq in body is required"),
        ("text/plain", "{}", "unsupported media type \"text/plain\", only [application/json] are allowed"),
        (
            "nonsense",
            "{}",
            "parsing Content-Type header from \"nonsense\" failed, because mediatype: malformed: \"nonsense\" has no subtype",
        ),
        ("application/json", "{\"username\":", "parsing userReq body from \"\" failed, because unexpected EOF"),
        (
            "application/json; charset=utf-8",
            "[]",
            "parsing userReq body from \"\" failed, because json: cannot unmarshal array into Go value of type models.UserCreationReq",
        ),
        (
            "application/json",
            "{\"username\":5}",
            "parsing userReq body from \"\" failed, because json: cannot unmarshal number into Go struct field UserCreationReq.username of type string",
        ),
    ];
    for (content_type, body, message) in table {
        let told = door.ask(Ask::new("POST", path).text(content_type, body)).await;
        assert_eq!(told.refusal(), (422, format!("validation failure list:\n{message}")));
    }
    let long = door.create(&"x".repeat(256), json!({})).await;
    let list = "validation failure list:\nvalidation failure list:\n";
    let message = format!("{list}email in body should be at most 255 chars long\nusername in body should be at most 255 chars long");
    assert_eq!(long.refusal(), (422, message));
    let large = door.ask(Ask::new("POST", path).json(json!({"comment": "x".repeat(5 << 20)}))).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn privileged_fields_of_a_body_are_ignored() {
    let door = Door::open().await;
    let privileged = json!({"sysadmin_flag": true, "user_id": 1, "is_admin": true, "admin_role_in_auth": true, "deleted": true, "creation_time": "2001-01-01T00:00:00Z"});
    let created = door.create("mallory", privileged.clone()).await;
    assert_eq!((created.status, created.header("location")), (StatusCode::CREATED, "/api/v2.0/users/5"));
    let mut profile = json!({"email": "mallory@example.com", "realname": "M", "username": "admin2", "password": "Another123"});
    profile.as_object_mut().unwrap().extend(privileged.as_object().unwrap().clone());
    let changed = door.ask(Ask::new("PUT", "/api/v2.0/users/5").basic("mallory:Passw0rd1").json(profile)).await;
    assert_eq!(changed.status, StatusCode::OK);
    let read = door.get("/api/v2.0/users/current", "mallory:Passw0rd1").await.json();
    assert_eq!((&read["username"], &read["sysadmin_flag"], &read["user_id"]), (&json!("mallory"), &json!(false), &json!(5)));
    assert_ne!(read["creation_time"], json!("2001-01-01T00:00:00.000Z"));
}

#[tokio::test]
async fn lists_carry_their_headers() {
    let door = Door::open().await;
    let told = door.get("/api/v2.0/users/?sort=-username&page_size=1&q=email%3D~example", ADMIN).await;
    assert_eq!((told.header("content-type"), told.header("x-total-count")), ("application/json", "2"));
    assert_eq!(told.header("link"), "</api/v2.0/users/?page=2&page_size=1&q=email=~example&sort=-username>; rel=\"next\"");
    assert_eq!(told.json()[0]["username"], json!("evan"));
    assert_eq!(told.json()[0].get("password"), None);
    assert_eq!(door.get("/api/v2.0/users?username=DAN", ADMIN).await.header("x-total-count"), "1");
    let empty = door.get("/api/v2.0/users?q=username%3Dnobody", ADMIN).await;
    assert_eq!((empty.body.trim(), empty.header("x-total-count"), empty.header("link")), ("[]", "0", ""));
}

#[tokio::test]
async fn a_cookie_needs_a_token_and_an_api_client_does_not() {
    let door = Door::open().await;
    let (cookies, token) = door.sign_in("dana").await;
    let profile = || json!({"email": "dana@example.com", "realname": "D"});
    let put = || Ask::new("PUT", "/api/v2.0/users/3").json(profile());
    assert_eq!(door.ask(put().basic(DANA)).await.status, StatusCode::OK);

    let without = door.ask(put().header("cookie", cookies.clone())).await;
    assert_eq!(without.refusal(), (403, "CSRF token not found in request".to_owned()));
    assert!(!without.header(TOKEN).is_empty());
    for wrong in ["nonsense", "bm90IGEgdG9rZW4=", &BASE64_STANDARD.encode([0; 64])] {
        let told = door.ask(put().header("cookie", cookies.clone()).header(TOKEN, wrong)).await;
        assert_eq!(told.refusal(), (403, "CSRF token invalid".to_owned()));
    }
    // Good for more than one request, masked anew in each answer.
    for _ in 0..2 {
        let told = door.ask(put().header("cookie", cookies.clone()).header(TOKEN, token.clone())).await;
        assert_eq!(told.status, StatusCode::OK, "{}", told.body);
        assert_ne!(told.header(TOKEN), token);
    }
    // Basic beside the cookie: the cookie still asks for the token.
    assert_eq!(door.ask(put().basic(DANA).header("cookie", cookies.clone())).await.status, StatusCode::FORBIDDEN);
    // Another browser's token does not fit this cookie; nor does a cookie that somebody planted with a token of their own making.
    let (_, other) = door.sign_in("evan").await;
    assert_eq!(door.ask(put().header("cookie", cookies.clone()).header(TOKEN, other)).await.refusal().0, 403);
    let session = cookies.split(';').next().unwrap();
    let planted = format!("{session}; _gorilla_csrf={}", "A".repeat(32));
    assert_eq!(door.ask(put().header("cookie", planted).header(TOKEN, token.clone())).await.refusal().0, 403);
    // A right token from another site's page is refused as well.
    let foreign = put().header("cookie", cookies.clone()).header(TOKEN, token).header("sec-fetch-site", "cross-site");
    assert_eq!(door.ask(foreign).await.refusal().0, 403);
    // Reading needs none.
    let read = door.ask(Ask::new("GET", "/api/v2.0/users/current").header("cookie", cookies)).await;
    assert_eq!((read.status, read.json()["username"].clone()), (StatusCode::OK, json!("dana")));
}

#[tokio::test]
async fn signing_in_makes_a_new_session() {
    let door = Door::open().await;
    let first = door.ask(Ask::new("GET", "/c/log_out")).await;
    let (planted, csrf) = (first.cookie("sid").unwrap(), first.cookie("_gorilla_csrf").unwrap());
    let both = format!("{planted}; {csrf}");
    let login = door
        .ask(
            Ask::new("POST", "/c/login?principal=dana&password=Passw0rd1")
                .header("cookie", both.clone())
                .header(TOKEN, first.header(TOKEN)),
        )
        .await;
    let given = login.cookie("sid").unwrap();
    assert_ne!(given, planted);
    let set: Vec<_> = login.headers.get_all(header::SET_COOKIE).iter().map(|v| v.to_str().unwrap()).collect();
    assert!(set.iter().all(|c| c.ends_with("; Path=/; HttpOnly; SameSite=Lax")), "{set:?}");
    let who = async |cookie: &str| door.ask(Ask::new("GET", "/api/v2.0/users/current").header("cookie", cookie)).await.status.as_u16();
    assert_eq!((who(&planted).await, who(&given).await), (401, 200));
    let out = door.ask(Ask::new("GET", "/c/log_out").header("cookie", given.clone())).await;
    assert_eq!((out.status, who(&given).await), (StatusCode::OK, 401));
    // JSON is not read.
    let json = Ask::new("POST", "/c/login")
        .header("cookie", both)
        .header(TOKEN, first.header(TOKEN))
        .json(json!({"principal": "dana", "password": "Passw0rd1"}));
    assert_eq!(door.ask(json).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_portals_form_lands_where_it_may() {
    let door = Door::open().await;
    let post = |body: &str| Ask::new("POST", "/account/sign-in").form(body);
    let good = door.ask(post("principal=dana&password=Passw0rd1&redirect_url=/harbor/projects/1")).await;
    assert_eq!((good.status, good.header("location")), (StatusCode::SEE_OTHER, "/harbor/projects/1"));
    let session = good.cookie("sid").unwrap();
    let away = door.ask(post("principal=dana&password=Passw0rd1&redirect_url=https://elsewhere.example/")).await;
    assert_eq!(away.header("location"), "/harbor/projects");
    let wrong = door.ask(post("principal=evan&password=Wrong1234&redirect_url=/harbor/projects/1")).await;
    assert_eq!(wrong.header("location"), "/account/sign-in?error=invalid&redirect_url=%2Fharbor%2Fprojects%2F1");
    assert!(wrong.cookie("sid").is_none());
    assert_eq!(wrong.cookie("sign_in_name").as_deref(), Some("sign_in_name=evan"), "the form that comes back knows the name");
    assert_eq!(good.cookie("sign_in_name").as_deref(), Some("sign_in_name="), "and forgets it");
    let odd = door.ask(post("principal=a%3B%20b%22%0D%0A&password=Wrong1234")).await;
    assert_eq!(odd.cookie("sign_in_name").as_deref(), Some("sign_in_name=a%3B%20b%22%0D%0A"));
    let foreign = door.ask(post("principal=dana&password=Passw0rd1").header("origin", "https://elsewhere.example")).await;
    assert!(foreign.header("location").starts_with("/account/sign-in?error=") && foreign.cookie("sid").is_none());
    assert!(foreign.cookie("sign_in_name").is_none());
    let forged = Ask::new("POST", "/account/sign-out").header("cookie", session.clone()).header("sec-fetch-site", "cross-site");
    assert_eq!(door.ask(forged).await.status, StatusCode::FORBIDDEN);
    let out = door.ask(Ask::new("POST", "/account/sign-out").header("cookie", session.clone())).await;
    assert_eq!((out.status, out.header("location")), (StatusCode::SEE_OTHER, "/account/sign-in"));
    assert_eq!(door.ask(Ask::new("GET", "/api/v2.0/users/current").header("cookie", session)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn strangers_learn_little_about_the_system() {
    let door = Door::open().await;
    let anonymous = door.ask(Ask::new("GET", "/api/v2.0/systeminfo")).await.json();
    let keys: Vec<_> = anonymous.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["auth_mode", "banner_message", "oidc_provider_name", "primary_auth_mode", "self_registration"]);
    let user = door.get("/api/v2.0/systeminfo", DANA).await.json();
    assert_eq!((&user["registry_url"], &user["external_url"]), (&json!("registry.example"), &json!("http://registry.example")));
    assert_eq!(door.ask(Ask::new("GET", "/api/version")).await.json(), json!({"version": "v2.0"}));
    assert_eq!(door.ask(Ask::new("GET", "/api/v2.0/ping")).await.body, "Pong");
    assert_eq!(door.ask(Ask::new("GET", "/api/v2.0/health")).await.json()["status"], json!("healthy"));
}

#[tokio::test]
async fn the_page_of_the_api_brings_its_files() {
    let door = Door::open().await;
    let page = door.ask(Ask::new("GET", "/api/v2.0/docs").header("cookie", "theme=dark")).await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; script-src 'self';"));
    assert!(page.body.starts_with("<!DOCTYPE html>\n<html lang=\"en\" data-theme=\"dark\">"));
    for (extension, kind) in [(".css\"", "text/css; charset=utf-8"), (".js\"", "text/javascript; charset=utf-8")] {
        let (before, _) = page.body.split_once(extension).unwrap();
        let address = format!("{}{}", before.rsplit('"').next().unwrap(), extension.trim_end_matches('"'));
        let file = door.ask(Ask::new("GET", &address)).await;
        assert_eq!((file.status, file.header("content-type")), (StatusCode::OK, kind), "{address}");
        assert!(file.header("cache-control").contains("immutable"));
    }
    assert_eq!(door.ask(Ask::new("GET", "/api/v2.0/docs/api.0.css")).await.status, StatusCode::NOT_FOUND);
    let moved = door.ask(Ask::new("GET", "/devcenter-api-2.0")).await;
    assert_eq!((moved.status, moved.header("location")), (StatusCode::TEMPORARY_REDIRECT, "/api/v2.0/docs"));
}

#[test]
fn the_document_names_every_operation_once() {
    let document = super::openapi::document();
    let mut ids = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no id"));
            assert!(operation["tags"][0].is_string() && operation["responses"].is_object(), "{id}");
            ids.push(id.to_owned());
        }
    }
    let mut distinct = ids.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), ids.len());
    assert!(ids.len() >= 15 && ids.contains(&"listUsers".to_owned()), "{ids:?}");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for model in ["UserResp", "UserCreationReq", "Errors", "Permission", "GeneralInfo"] {
        assert!(schemas.contains_key(model), "{model}");
    }
    assert_eq!(schemas["UserCreationReq"]["properties"].as_object().unwrap().len(), 5);
}
