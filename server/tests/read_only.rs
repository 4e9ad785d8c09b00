//! Settings and read-only mode as clients of all doors see them, in process.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use berth::security::Origins;
use berth::{registry, rest};
use http::{HeaderMap, Request, StatusCode, header};
use model::Secret;
use serde_json::{Value, json};
use service::seal::Seal;
use service::{Parts, Services, Settings, SystemClock, SystemIds};
use tempfile::TempDir;
use testkit::database::{SqliteDatabase, sqlite};
use tower::ServiceExt as _;

/// `admin:Harbor12345`
const ADMIN: &str = "Basic YWRtaW46SGFyYm9yMTIzNDU=";
const CONFIGURATIONS: &str = "/api/v2.0/configurations";

struct Doors {
    router: Router,
    _database: SqliteDatabase,
    _blobs: TempDir,
}

struct Told {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Told {
    fn is_denied(&self) -> bool {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let error = &body["errors"][0];
        self.status == 403
            && self.headers[header::CONTENT_TYPE] == "application/json; charset=utf-8"
            && error["code"] == "DENIED"
            && error["message"] == "The system is in read only mode. Any modification is prohibited."
    }
}

impl Doors {
    async fn open() -> Self {
        let (database, blobs) = (sqlite().await, tempfile::tempdir().unwrap());
        let parts = Parts {
            db: database.db.clone(),
            blobs: blob::BlobStore::filesystem(blobs.path()).await.unwrap(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            settings: Settings::default(),
            seal: Seal::new([7; 32]),
        };
        let services = Services::open(parts).await.unwrap();
        service::bootstrap(&services, Some(&Secret::new("Harbor12345"))).await.unwrap();
        let origins = Origins::new(Vec::new(), None, SocketAddr::from(([127, 0, 0, 1], 80)));
        let router = Router::new().merge(registry::router(services.clone(), origins.clone(), 256)).merge(rest::router(services, origins));
        Self { router, _database: database, _blobs: blobs }
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Told {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        Told { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    async fn admin(&self, method: &str, path: &str, body: &Value) -> Told {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.ask(method, path, &[("authorization", ADMIN), ("content-type", "application/json")], &body).await
    }

    async fn put(&self, body: Value) -> Told {
        self.admin("PUT", CONFIGURATIONS, &body).await
    }
}

#[tokio::test]
async fn no_door_lets_a_change_through_and_every_door_still_reads() {
    let doors = Doors::open().await;
    assert_eq!(doors.put(json!({"read_only": true})).await.status, 200);
    for (method, path) in [
        ("POST", "/api/v2.0/projects"),
        ("DELETE", "/api/v2.0/projects/library"),
        ("PATCH", "/api/v2.0/nothing"),
        ("POST", "/api/v2.0/projects?q=%zz"),
        ("POST", CONFIGURATIONS),
        ("POST", "/v2/library/app/blobs/uploads/"),
        ("PUT", "/v2/library/app/manifests/v1"),
        ("DELETE", "/v2/library/app/manifests/v1"),
        ("PATCH", "/v2/nothing"),
        ("PUT", "/service/token"),
    ] {
        assert!(doors.ask(method, path, &[], "{").await.is_denied(), "{method} {path} of nobody");
        assert!(doors.admin(method, path, &json!({})).await.is_denied(), "{method} {path} of the administrator");
    }
    for (method, path, status) in [
        ("GET", "/api/v2.0/projects", 200),
        ("HEAD", "/api/v2.0/projects?project_name=library", 200),
        ("GET", "/v2/", 200),
        ("GET", "/service/token?service=harbor-registry&scope=repository:library/app:push", 200),
        ("OPTIONS", "/api/v2.0/projects", 405),
    ] {
        assert_eq!(doors.admin(method, path, &Value::Null).await.status, status, "{method} {path}");
    }
    assert_eq!(doors.put(json!({"read_only": false})).await.status, 200);
    assert_eq!(doors.admin("POST", "/api/v2.0/projects", &json!({"project_name": "north"})).await.status, 201);
}

#[tokio::test]
async fn people_still_sign_in_and_tokens_are_still_posted_for() {
    let doors = Doors::open().await;
    doors.put(json!({"read_only": true})).await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    // Refused for want of a token against forgery, which is what signing in needs first.
    let told = doors.ask("POST", "/c/login", &[form], "principal=admin&password=Harbor12345").await;
    assert!(told.status == 403 && told.body.contains("CSRF token not found"), "{}", told.body);
    let cookie = told.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let token = told.headers["x-harbor-csrf-token"].to_str().unwrap().to_owned();
    let proof = [form, ("cookie", cookie.as_str()), ("x-harbor-csrf-token", token.as_str())];
    assert!(doors.ask("POST", "/c/nothing", &proof, "").await.is_denied());
    assert_eq!(doors.ask("POST", "/c/login", &proof, "principal=admin&password=Harbor12345").await.status, 200);
    let asked =
        "grant_type=password&service=harbor-registry&client_id=x&username=admin&password=Harbor12345&scope=repository:library/app:pull";
    assert_eq!(doors.ask("POST", "/service/token", &[form], asked).await.status, 200);
}

#[tokio::test]
async fn a_changed_setting_is_seen_at_once() {
    let doors = Doors::open().await;
    let banner = r#"{"message":"Work tonight","type":"warning"}"#;
    assert_eq!(doors.put(json!({"banner_message": banner, "token_expiration": 45, "colour": "red"})).await.status, 200);
    let told = doors.admin("GET", CONFIGURATIONS, &Value::Null).await;
    let shown: Value = serde_json::from_str(&told.body).unwrap();
    assert_eq!(shown["token_expiration"], json!({"value": 45, "editable": true}));
    assert_eq!(shown["auth_mode"], json!({"value": "db_auth", "editable": true}));
    assert!(shown.get("colour").is_none());
    let info: Value = serde_json::from_str(&doors.ask("GET", "/api/v2.0/systeminfo", &[], "").await.body).unwrap();
    assert_eq!(info["banner_message"], banner);
}

#[tokio::test]
async fn values_of_another_type_are_not_taken() {
    let doors = Doors::open().await;
    for (body, what) in [
        (json!({"token_expiration": "40"}), "string into Go struct field Configurations.token_expiration of type int64"),
        (json!({"token_expiration": 1.5}), "number 1.5 into Go struct field Configurations.token_expiration of type int64"),
        (json!({"read_only": "false"}), "string into Go struct field Configurations.read_only of type bool"),
        (json!([1]), "array into Go value of type models.Configurations"),
    ] {
        let told = doors.put(body).await;
        let expected = format!("failed, because json: cannot unmarshal {what}");
        assert!(told.status == 422 && told.body.contains(&expected), "{}", told.body);
    }
    let told = doors.ask("PUT", CONFIGURATIONS, &[("content-type", "application/json")], "{}").await;
    assert_eq!(told.status, 401);
}
