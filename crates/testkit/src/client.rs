//! A small client of the registry and the API, with the token dance that real clients do: 401, challenge, token service, again.
//! Tests of the doors use it; it follows no redirect and decodes nothing, so that a test sees what was sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::Value;

pub use crate::reply::{Challenge, Reply};

/// Which credentials a request carries.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sign {
    /// A bearer token, fetched when the server asks for one; Basic where it asks for that.
    Dance,
    /// User name and password right away.
    Basic,
    /// This value of `Authorization`.
    Value(String),
    /// None.
    Nothing,
}

/// How a body is framed.
#[derive(Clone, Debug)]
enum Payload {
    None,
    /// With Content-Length.
    Whole(Bytes),
    /// `Transfer-Encoding: chunked`.
    Chunked(Bytes),
}

/// A client of one server, as one user or as nobody. Clones share connections and tokens.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    base: String,
    http: reqwest::Client,
    credentials: Option<(String, String)>,
    tokens: Mutex<HashMap<String, String>>,
}

impl Client {
    /// A client of the server at `base` (`http://host:port`); without credentials it is anonymous.
    pub fn new(base: &str, credentials: Option<(&str, &str)>) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .build()
            .expect("an HTTP client");
        Self::over(http, base, credentials)
    }

    /// The same over an HTTP client made elsewhere, for example one that speaks HTTP/2.
    pub fn over(http: reqwest::Client, base: &str, credentials: Option<(&str, &str)>) -> Self {
        let credentials = credentials.map(|(user, password)| (user.to_owned(), password.to_owned()));
        Self { shared: Arc::new(Shared { base: base.to_owned(), http, credentials, tokens: Mutex::default() }) }
    }

    /// `http://host:port`
    pub fn base_url(&self) -> &str {
        &self.shared.base
    }

    /// `Basic …` of this client's user.
    pub fn basic(&self) -> String {
        let (user, password) = self.shared.credentials.clone().unwrap_or_default();
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    }

    /// A request to a path of the server, or to a whole address.
    pub fn call(&self, method: Method, target: &str) -> Call {
        let url = if target.starts_with('/') { format!("{}{target}", self.shared.base) } else { target.to_owned() };
        let sign = if self.shared.credentials.is_some() { Sign::Dance } else { Sign::Nothing };
        Call { client: self.clone(), method, url, headers: HeaderMap::new(), payload: Payload::None, sign }
    }

    /// GET
    pub fn get(&self, target: &str) -> Call {
        self.call(Method::GET, target)
    }

    /// HEAD
    pub fn head(&self, target: &str) -> Call {
        self.call(Method::HEAD, target)
    }

    /// POST
    pub fn post(&self, target: &str) -> Call {
        self.call(Method::POST, target)
    }

    /// PUT
    pub fn put(&self, target: &str) -> Call {
        self.call(Method::PUT, target)
    }

    /// PATCH
    pub fn patch(&self, target: &str) -> Call {
        self.call(Method::PATCH, target)
    }

    /// DELETE
    pub fn delete(&self, target: &str) -> Call {
        self.call(Method::DELETE, target)
    }

    /// Asks the token service as this client's user; each scope is a parameter of its own.
    pub async fn ask_token(&self, scopes: &[&str]) -> Reply {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("service", "harbor-registry");
        query.extend_pairs(scopes.iter().map(|scope| ("scope", scope)));
        let call = self.get(&format!("/service/token?{}", query.finish()));
        let call = if self.shared.credentials.is_some() { call.basic() } else { call };
        call.send().await
    }

    /// A token for these scopes.
    ///
    /// # Panics
    /// The token service gives none.
    pub async fn token(&self, scopes: &[&str]) -> String {
        let reply = self.ask_token(scopes).await.expect(200);
        reply.json()["token"].as_str().expect("a token").to_owned()
    }

    async fn dance(&self, challenge: &Challenge) -> Result<String, reqwest::Error> {
        let mut realm = url::Url::parse(&challenge.realm).expect("the realm is an address");
        realm.query_pairs_mut().append_pair("service", &challenge.service);
        if let Some(scope) = &challenge.scope {
            realm.query_pairs_mut().append_pair("scope", scope);
        }
        let response = self.shared.http.get(realm).header(header::AUTHORIZATION, self.basic()).send().await?;
        let body: Value = serde_json::from_slice(&response.error_for_status()?.bytes().await?).expect("the token service speaks JSON");
        Ok(body["token"].as_str().expect("a token").to_owned())
    }
}

/// A request under construction.
#[derive(Clone)]
pub struct Call {
    client: Client,
    method: Method,
    url: String,
    headers: HeaderMap,
    payload: Payload,
    sign: Sign,
}

impl Call {
    /// Adds a header line.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let name: HeaderName = name.as_ref().parse().expect("a header's name");
        self.headers.append(name, HeaderValue::from_str(value.as_ref()).expect("a header's value"));
        self
    }

    /// A body with Content-Length.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.payload = Payload::Whole(body.into());
        self
    }

    /// A JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// A form.
    #[must_use]
    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// A body in chunks, without Content-Length; of zero bytes too.
    #[must_use]
    pub fn chunked(mut self, body: impl Into<Bytes>) -> Self {
        self.payload = Payload::Chunked(body.into());
        self
    }

    /// User name and password at once, without a token.
    #[must_use]
    pub fn basic(mut self) -> Self {
        self.sign = Sign::Basic;
        self
    }

    /// This bearer token and no other.
    #[must_use]
    pub fn bearer(mut self, token: &str) -> Self {
        self.sign = Sign::Value(format!("Bearer {token}"));
        self
    }

    /// This `Authorization`.
    #[must_use]
    pub fn authorization(mut self, value: &str) -> Self {
        self.sign = Sign::Value(value.to_owned());
        self
    }

    /// No credentials.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.sign = Sign::Nothing;
        self
    }

    /// Sends it.
    ///
    /// # Panics
    /// There is no answer.
    pub async fn send(self) -> Reply {
        let told = format!("{} {}", self.method, self.url);
        self.try_send().await.unwrap_or_else(|error| panic!("{told}: {error:?}"))
    }

    /// Sends it.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn try_send(self) -> Result<Reply, reqwest::Error> {
        let key = format!("{} {} {}", class(&self.method), area(&self.url), source(&self.url));
        let first = match &self.sign {
            Sign::Dance => {
                self.client.shared.tokens.lock().unwrap_or_else(PoisonError::into_inner).get(&key).map(|t| format!("Bearer {t}"))
            }
            Sign::Basic => Some(self.client.basic()),
            Sign::Value(value) => Some(value.clone()),
            Sign::Nothing => None,
        };
        let reply = self.once(first).await?;
        if self.sign != Sign::Dance || reply.status != 401 {
            return Ok(reply);
        }
        let Some(value) = reply.find("www-authenticate") else { return Ok(reply) };
        if value.starts_with("Basic") {
            return self.once(Some(self.client.basic())).await;
        }
        let Some(challenge) = Challenge::read(value) else { return Ok(reply) };
        let token = self.client.dance(&challenge).await?;
        let reply = self.once(Some(format!("Bearer {token}"))).await?;
        self.client.shared.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(key, token);
        Ok(reply)
    }

    async fn once(&self, authorization: Option<String>) -> Result<Reply, reqwest::Error> {
        let mut request = self.client.shared.http.request(self.method.clone(), &self.url).headers(self.headers.clone());
        if let Some(value) = authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        request = match self.payload.clone() {
            Payload::None => request,
            Payload::Whole(body) => request.body(body),
            Payload::Chunked(body) => {
                let pieces: Vec<Result<Bytes, std::io::Error>> =
                    body.chunks(32 * 1024).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
                request.body(reqwest::Body::wrap_stream(stream::iter(pieces)))
            }
        };
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await?;
        Ok(Reply { base: self.client.shared.base.clone(), told: format!("{} {}", self.method, self.url), status, headers, body })
    }
}

/// Requests that one token serves, as clients group them.
fn class(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" | "HEAD" => "read",
        "POST" | "PUT" | "PATCH" => "write",
        _ => "delete",
    }
}

/// The repository's part of an address.
fn area(url: &str) -> &str {
    let path = url.split('?').next().unwrap_or(url);
    let end = ["/manifests/", "/blobs/", "/tags/", "/referrers/"].iter().filter_map(|word| path.rfind(word)).max();
    &path[..end.unwrap_or(path.len())]
}

/// The repository that a mount takes from: it needs a token of its own.
fn source(url: &str) -> &str {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query.split('&').find_map(|pair| pair.strip_prefix("from=")).unwrap_or_default()
}
