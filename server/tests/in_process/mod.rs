//! Registry and API of an instance, asked in process: for tests of what doors share, without a socket. Tests take it in by `mod in_process`.
#![allow(dead_code, reason = "each suite that takes this in needs another part of it")]

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use berth::security::Origins;
use berth::{registry, rest};
use http::{HeaderMap, Request, StatusCode, header};
use serde_json::Value;
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
        Self::of(Instance::on(db, Settings::default()).await)
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
}
