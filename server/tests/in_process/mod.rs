//! Registry and API of an instance, asked in process: for tests of what doors share, without a socket. Tests take it in by `mod in_process`.
#![allow(dead_code, reason = "each suite that takes this in needs another part of it")]

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use berth::security::Origins;
use berth::{registry, rest};
use http::{HeaderMap, Request, StatusCode, header};
use serde_json::{Value, json};
use service::Settings;
use store::Db;
use testkit::instance::Instance;
use tower::ServiceExt as _;

/// `admin:Harbor12345`, as a header.
pub const BASIC: (&str, &str) = ("authorization", "Basic YWRtaW46SGFyYm9yMTIzNDU=");
/// The header of tokens against forged requests.
pub const TOKEN: &str = "x-harbor-csrf-token";
/// What a browser sends a form as.
pub const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// The type of the manifests made here.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Uploads that may send at once.
const UPLOADS: usize = 256;

/// Both doors, and what is behind them.
pub struct Doors {
    router: Router,
    /// What is behind them.
    pub instance: Instance,
}

/// An answer.
pub struct Told {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Told {
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A header's text, or nothing.
    pub fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The token against forged requests that it brings.
    pub fn token(&self) -> String {
        self.header(TOKEN).to_owned()
    }

    /// Status and first message.
    pub fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned())
    }

    /// What was set, as it is to be sent back.
    pub fn cookies(&self) -> String {
        let set = self.headers.get_all(header::SET_COOKIE).iter().map(|v| v.to_str().unwrap().split(';').next().unwrap());
        set.collect::<Vec<_>>().join("; ")
    }
}

impl Doors {
    /// Of an instance on SQLite.
    pub async fn open(settings: Settings) -> Self {
        Self::of(Instance::with(settings).await)
    }

    /// Of an instance on an empty database.
    pub async fn on(db: Db) -> Self {
        Self::with(db, Settings::default()).await
    }

    /// The same, set up otherwise.
    pub async fn with(db: Db, settings: Settings) -> Self {
        Self::of(Instance::on(db, settings).await)
    }

    fn of(instance: Instance) -> Self {
        let origins = Origins::new(Vec::new(), None, SocketAddr::from(([127, 0, 0, 1], 80)));
        let services = instance.services.clone();
        let router =
            Router::new().merge(registry::router(services.clone(), origins.clone(), UPLOADS)).merge(rest::router(services, origins));
        Self { router, instance }
    }

    /// Asks, and waits for all of the answer.
    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Told {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Told { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// Makes something, as administrator; where it is.
    pub async fn make(&self, method: &str, address: &str, media_type: &str, body: impl Into<Vec<u8>>) -> String {
        let told = self.ask(method, address, &[BASIC, ("content-type", media_type)], body.into()).await;
        assert!(told.status.is_success(), "{address}: {} {}", told.status, told.body);
        told.header(header::LOCATION).to_owned()
    }

    /// The same with a JSON body, below the API's place.
    pub async fn post(&self, path: &str, body: Value) -> String {
        self.make("POST", &format!("/api/v2.0{path}"), "application/json", body.to_string()).await
    }

    /// Uploads a configuration; its descriptor.
    pub async fn blob(&self, repository: &str, content: &[u8]) -> Value {
        let digest = oci::Digest::sha256(content).to_string();
        let begun = self.make("POST", &format!("/v2/{repository}/blobs/uploads/"), "application/octet-stream", "").await;
        let place = begun.split_once("/v2/").map_or(begun.clone(), |(_, rest)| format!("/v2/{rest}"));
        let glue = if place.contains('?') { '&' } else { '?' };
        self.make("PUT", &format!("{place}{glue}digest={digest}"), "application/octet-stream", content).await;
        json!({"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": content.len()})
    }

    /// A manifest like no other; its descriptor.
    pub async fn manifest(&self, repository: &str, tag: &str, subject: Option<&Value>) -> Value {
        let config = self.blob(repository, json!({"architecture": "amd64", "os": "linux", "mark": tag}).to_string().as_bytes()).await;
        let mut manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []});
        if let Some(subject) = subject {
            manifest["subject"] = subject.clone();
            manifest["artifactType"] = json!("application/vnd.dev.cosign.artifact.sig.v1+json");
        }
        let text = manifest.to_string();
        self.make("PUT", &format!("/v2/{repository}/manifests/{tag}"), MANIFEST, text.clone()).await;
        json!({"mediaType": MANIFEST, "digest": oci::Digest::sha256(text.as_bytes()).to_string(), "size": text.len()})
    }
}
