//! A browser at the doors: sessions count at the registry as they do at the API, and no page of another site can use them. Clients of the
//! registry, which have no cookies, see nothing of it.

mod in_process;

use http::header;
use in_process::{BASIC, Doors, FORM, TOKEN};
use serde_json::{Value, json};
use service::Settings;
use testkit::instance::ADMIN_PASSWORD;

const UPLOADS: &str = "/v2/north/app/blobs/uploads/";
const TOKEN_OF_APP: &str = "/service/token?service=harbor-registry&scope=repository:north/app:pull";

/// Cookies and token of somebody who signed in.
async fn sign_in(doors: &Doors) -> (String, String) {
    let first = doors.ask("GET", "/c/log_out", &[], "").await;
    let cookies = first.cookies();
    let body = format!("principal=admin&password={ADMIN_PASSWORD}");
    let told = doors.ask("POST", "/c/login", &[("cookie", &cookies), (TOKEN, &first.token()), FORM], body).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let csrf = cookies.split("; ").find(|pair| pair.starts_with("_gorilla_csrf=")).unwrap();
    (format!("{}; {csrf}", told.cookies()), told.token())
}

#[tokio::test]
async fn a_session_counts_at_the_registry() {
    let it = Doors::open(Settings::default()).await;
    it.instance.project(&it.instance.admin().await, "north").await;
    let (cookies, token) = sign_in(&it).await;
    let session = ("cookie", cookies.as_str());
    let ping = it.ask("GET", "/v2/", &[session], "").await;
    assert_eq!(ping.status, 200);
    assert!(!ping.token().is_empty() && ping.token() != token, "a token for the next change, masked anew");
    assert_eq!(it.ask("GET", "/v2/_catalog", &[session], "").await.status, 200);
    let granted = it.ask("GET", TOKEN_OF_APP, &[session], "").await;
    assert_eq!(granted.status, 200);
    let bearer = format!("Bearer {}", granted.json()["token"].as_str().unwrap());
    // There is nothing to read, but it may be read.
    assert_eq!(it.ask("GET", "/v2/north/app/tags/list", &[("authorization", &bearer)], "").await.status, 404);
    assert_eq!(it.ask("GET", "/v2/north/app/tags/list", &[session], "").await.status, 404);
    for cookie in ["sid=unknown", "other=1", "sid="] {
        let told = it.ask("GET", "/v2/north/app/tags/list", &[("cookie", cookie)], "").await;
        assert_eq!(told.status, 401, "{cookie}");
        assert!(told.header(header::WWW_AUTHENTICATE).starts_with("Bearer realm="), "{cookie}");
    }
    it.ask("GET", "/c/log_out", &[session], "").await;
    assert_eq!(it.ask("GET", "/v2/", &[session], "").await.status, 401, "the session is over");
}

#[tokio::test]
async fn changes_by_a_session_need_its_token() {
    let it = Doors::open(Settings::default()).await;
    it.instance.project(&it.instance.admin().await, "north").await;
    let (cookies, token) = sign_in(&it).await;
    let (session, token) = (("cookie", cookies.as_str()), (TOKEN, token.as_str()));
    let without = it.ask("POST", UPLOADS, &[session], "").await;
    assert_eq!(without.refusal(), (403, "CSRF token not found in request".to_owned()));
    assert!(!without.token().is_empty(), "a token to try again with");
    assert_eq!(it.ask("POST", UPLOADS, &[session, BASIC], "").await.refusal().0, 403, "a browser adds cookies to credentials it knows");
    assert_eq!(it.ask("POST", "/service/token", &[session, FORM], "grant_type=password").await.refusal().0, 403);
    assert_eq!(it.ask("POST", UPLOADS, &[session, (TOKEN, "bm9uc2Vuc2U=")], "").await.refusal().1, "CSRF token invalid");
    let foreign = ("origin", "https://evil.example.com");
    assert_eq!(it.ask("POST", UPLOADS, &[session, token, foreign], "").await.refusal().1, "CSRF origin invalid");
    assert_eq!(it.ask("POST", UPLOADS, &[session, token], "").await.status, 202);
}

#[tokio::test]
async fn clients_without_cookies_are_not_asked_for_tokens() {
    let it = Doors::open(Settings::default()).await;
    it.instance.project(&it.instance.admin().await, "north").await;
    for headers in [vec![BASIC], vec![BASIC, ("cookie", "other=1")]] {
        let told = it.ask("POST", UPLOADS, &headers, "").await;
        assert_eq!(told.status, 202, "{headers:?}");
        assert_eq!(told.token(), "");
    }
}

#[tokio::test]
async fn the_certificate_to_trust_is_there_for_everybody() {
    let none = Doors::open(Settings::default()).await;
    assert_eq!(none.ask("GET", "/api/v2.0/systeminfo/getcert", &[], "").await.status, 404);
    assert_eq!(none.ask("GET", "/api/v2.0/systeminfo", &[BASIC], "").await.json()["has_ca_root"], json!(false));
    let pem = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";
    let it = Doors::open(Settings { ca_certificate: Some(pem.into()), ..Settings::default() }).await;
    let told = it.ask("GET", "/api/v2.0/systeminfo/getcert", &[], "").await;
    assert_eq!((told.status.as_u16(), told.body.as_str()), (200, pem));
    assert_eq!(told.header(header::CONTENT_TYPE), "application/octet-stream");
    assert_eq!(told.header(header::CONTENT_DISPOSITION), "attachment; filename=ca.crt");
    assert_eq!(it.ask("GET", "/api/v2.0/systeminfo", &[BASIC], "").await.json()["has_ca_root"], json!(true));
}

#[tokio::test]
async fn the_space_of_the_storage_is_told_to_who_may_know() {
    let it = Doors::open(Settings::default()).await;
    let told = it.ask("GET", "/api/v2.0/systeminfo/volumes", &[BASIC], "").await.json();
    let (total, free) = (told["storage"][0]["total"].as_u64().unwrap(), told["storage"][0]["free"].as_u64().unwrap());
    assert!(total > 0 && free <= total, "{told}");
    assert_eq!(it.ask("GET", "/api/v2.0/systeminfo/volumes", &[], "").await.status, 401);
}

/// The body that the page of the API begins with for an operation.
fn shown_body(page: &str, operation: &str) -> Value {
    let (_, rest) = page.split_once(&format!("id=\"op-{operation}\"")).expect(operation);
    let (_, rest) = rest.split_once("aria-label=\"Example of a body\">").expect("a body");
    let text = rest.split_once("</pre>").expect("its end").0.replace("&#34;", "\"").replace("&#39;", "'").replace("&amp;", "&");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{operation}: {error}: {text}"))
}

#[tokio::test]
async fn what_the_page_of_the_api_begins_with_can_be_sent() {
    let it = Doors::open(Settings::default()).await;
    let page = it.ask("GET", "/api/v2.0/docs", &[], "").await.body;
    it.manifest("library/app", "v1", None).await;
    let artifact = "/projects/library/repositories/app/artifacts/v1";
    // In this order: members have to be users, and artifacts can have no label that is not there.
    let made: [(&str, &str, u16); 9] = [
        ("createUser", "/users", 201),
        ("createProject", "/projects", 201),
        ("createProjectMember", "/projects/library/members", 201),
        ("addProjectMetadatas", "/projects/library/metadatas/", 200),
        ("CreateImmuRule", "/projects/library/immutabletagrules", 201),
        ("CreateRobot", "/robots", 201),
        ("createUserGroup", "/usergroups", 201),
        ("createTag", &format!("{artifact}/tags"), 201),
        ("CreateLabel", "/labels", 201),
    ];
    for (operation, path, expected) in made.into_iter().chain([("addLabel", format!("{artifact}/labels").as_str(), 200)]) {
        let body = shown_body(&page, operation).to_string();
        let told = it.ask("POST", &format!("/api/v2.0{path}"), &[BASIC, ("content-type", "application/json")], body).await;
        assert_eq!(told.status, expected, "{operation}: {}", told.body);
    }
}
