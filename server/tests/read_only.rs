//! Settings and read-only mode as clients of all doors see them, in process.

mod in_process;

use http::header;
use in_process::{BASIC, Doors, FORM, TOKEN, Told};
use serde_json::{Value, json};
use service::Settings;

const CONFIGURATIONS: &str = "/api/v2.0/configurations";

fn is_denied(told: &Told) -> bool {
    let error = &told.json()["errors"][0];
    told.status == 403
        && told.header(header::CONTENT_TYPE) == "application/json; charset=utf-8"
        && error["code"] == "DENIED"
        && error["message"] == "The system is in read only mode. Any modification is prohibited."
}

async fn admin(doors: &Doors, method: &str, path: &str, body: &Value) -> Told {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    doors.ask(method, path, &[BASIC, ("content-type", "application/json")], body).await
}

async fn put(doors: &Doors, body: Value) -> Told {
    admin(doors, "PUT", CONFIGURATIONS, &body).await
}

#[tokio::test]
async fn no_door_lets_a_change_through_and_every_door_still_reads() {
    let doors = Doors::open(Settings::default()).await;
    assert_eq!(put(&doors, json!({"read_only": true})).await.status, 200);
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
        assert!(is_denied(&doors.ask(method, path, &[], "{").await), "{method} {path} of nobody");
        assert!(is_denied(&admin(&doors, method, path, &json!({})).await), "{method} {path} of the administrator");
    }
    for (method, path, status) in [
        ("GET", "/api/v2.0/projects", 200),
        ("HEAD", "/api/v2.0/projects?project_name=library", 200),
        ("GET", "/v2/", 200),
        ("GET", "/service/token?service=harbor-registry&scope=repository:library/app:push", 200),
        ("OPTIONS", "/api/v2.0/projects", 405),
    ] {
        assert_eq!(admin(&doors, method, path, &Value::Null).await.status, status, "{method} {path}");
    }
    assert_eq!(put(&doors, json!({"read_only": false})).await.status, 200);
    assert_eq!(admin(&doors, "POST", "/api/v2.0/projects", &json!({"project_name": "north"})).await.status, 201);
}

#[tokio::test]
async fn people_still_sign_in_and_tokens_are_still_posted_for() {
    let doors = Doors::open(Settings::default()).await;
    put(&doors, json!({"read_only": true})).await;
    // Refused for want of a token against forgery, which is what signing in needs first.
    let told = doors.ask("POST", "/c/login", &[FORM], "principal=admin&password=Harbor12345").await;
    assert!(told.status == 403 && told.body.contains("CSRF token not found"), "{}", told.body);
    let (cookie, token) = (told.cookies(), told.token());
    let proof = [FORM, ("cookie", cookie.as_str()), (TOKEN, token.as_str())];
    assert!(is_denied(&doors.ask("POST", "/c/nothing", &proof, "").await));
    assert_eq!(doors.ask("POST", "/c/login", &proof, "principal=admin&password=Harbor12345").await.status, 200);
    let asked =
        "grant_type=password&service=harbor-registry&client_id=x&username=admin&password=Harbor12345&scope=repository:library/app:pull";
    assert_eq!(doors.ask("POST", "/service/token", &[FORM], asked).await.status, 200);
}

#[tokio::test]
async fn a_changed_setting_is_seen_at_once() {
    let doors = Doors::open(Settings::default()).await;
    let banner = r#"{"message":"Work tonight","type":"warning"}"#;
    assert_eq!(put(&doors, json!({"banner_message": banner, "token_expiration": 45, "colour": "red"})).await.status, 200);
    let told = admin(&doors, "GET", CONFIGURATIONS, &Value::Null).await;
    let shown = told.json();
    assert_eq!(shown["token_expiration"], json!({"value": 45, "editable": true}));
    assert_eq!(shown["auth_mode"], json!({"value": "db_auth", "editable": true}));
    assert!(shown.get("colour").is_none());
    let info = doors.ask("GET", "/api/v2.0/systeminfo", &[], "").await.json();
    assert_eq!(info["banner_message"], banner);
}

#[tokio::test]
async fn values_of_another_type_are_not_taken() {
    let doors = Doors::open(Settings::default()).await;
    for (body, what) in [
        (json!({"token_expiration": "40"}), "string into Go struct field Configurations.token_expiration of type int64"),
        (json!({"token_expiration": 1.5}), "number 1.5 into Go struct field Configurations.token_expiration of type int64"),
        (json!({"read_only": "false"}), "string into Go struct field Configurations.read_only of type bool"),
        (json!([1]), "array into Go value of type models.Configurations"),
    ] {
        let told = put(&doors, body).await;
        let expected = format!("failed, because json: cannot unmarshal {what}");
        assert!(told.status == 422 && told.body.contains(&expected), "{}", told.body);
    }
    let told = doors.ask("PUT", CONFIGURATIONS, &[("content-type", "application/json")], "{}").await;
    assert_eq!(told.status, 401);
}
