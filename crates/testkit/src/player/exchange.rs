//! One HTTP/1.1 request and its answer, each on a connection of its own. The path goes out byte for byte as the recording
//! says and no header is added but Host and Content-Length: a client library that normalises or adds would test something else.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue, SET_COOKIE};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::conversation::Step;
use super::json::{Json, Ordered};
use super::values::Values;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest body that is read, in bytes; recorded answers are far below.
const LONGEST_BODY: usize = 64 << 20;

/// What a server answered.
pub(super) struct Reply {
    pub(super) status: u16,
    headers: HeaderMap,
    pub(super) body: Bytes,
    /// The body as JSON; `None` also where it is `null`.
    pub(super) json: Option<Value>,
}

impl Reply {
    pub(super) fn from_parts(parts: http::response::Parts, body: Bytes) -> Self {
        let json = serde_json::from_slice(&body).ok().filter(|json: &Value| !json.is_null());
        Self { status: parts.status.as_u16(), headers: parts.headers, body, json }
    }

    /// The first header of this name.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// The beginning of the body, for a message.
    pub(super) fn beginning(&self) -> String {
        self.text().chars().take(200).collect()
    }

    /// The body as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A request before its `${…}` are filled.
#[derive(Default)]
pub(super) struct Order<'s> {
    pub(super) caller: &'s str,
    pub(super) method: &'s str,
    pub(super) path: &'s str,
    pub(super) headers: &'s [(String, String)],
    pub(super) body: Payload<'s>,
    pub(super) at: Option<&'s str>,
}

/// What a request carries.
#[derive(Default)]
pub(super) enum Payload<'s> {
    /// Nothing.
    #[default]
    None,
    /// A step's `body`.
    Written(&'s Json),
    /// Bytes as they are.
    Bytes(&'s [u8]),
}

impl<'s> Order<'s> {
    /// What a step sends, as `caller`.
    pub(super) fn of(step: &'s Step, caller: &'s str) -> Result<Self, String> {
        let (Some(method), Some(path)) = (&step.method, &step.path) else {
            return Err("the step has neither method and path nor anything else to do".to_owned());
        };
        Ok(Self {
            caller,
            method,
            path,
            headers: &step.headers.0,
            body: step.body.as_ref().map_or(Payload::None, Payload::Written),
            at: step.at.as_deref(),
        })
    }
}

/// Sends requests to one server and keeps the cookies of named sessions.
pub(super) struct Client {
    sessions: Ordered<Ordered<String>>,
}

impl Client {
    pub(super) fn new() -> Self {
        Self { sessions: Ordered::default() }
    }

    /// Sends `order` and reads the whole answer.
    pub(super) async fn send(&mut self, order: &Order<'_>, values: &Values) -> Result<Reply, String> {
        let (address, request) = self.request(order, values)?;
        let reply = tokio::time::timeout(PATIENCE, exchange(&address, request))
            .await
            .map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))??;
        if let Some(session) = order.caller.strip_prefix("session:") {
            self.keep_cookies(session, &reply);
        }
        Ok(reply)
    }

    fn request(&self, order: &Order<'_>, values: &Values) -> Result<(String, Request<Full<Bytes>>), String> {
        let mut headers = HeaderMap::new();
        for (name, value) in order.headers {
            let name: HeaderName = name.parse().map_err(|e| format!("header {name}: {e}"))?;
            headers.insert(name, header_value(&values.fill(value)?)?);
        }
        let body = payload(order, values, &mut headers)?;
        self.sign(order.caller, values, &mut headers)?;

        let address = match order.at {
            None => values.host.clone(),
            Some(rig) => match values.vars.get(rig) {
                Some(Value::String(url)) => split_url(url)?.0.to_owned(),
                _ => return Err(format!("no address is given for {rig}")),
            },
        };
        let path = values.fill(order.path)?;
        let path = if path.starts_with("http") { split_url(&path)?.1 } else { &path };
        // A saved Location may be empty; the request then still has to be one.
        let path = if path.is_empty() { "/" } else { path };
        if body.is_some() || ["POST", "PUT", "PATCH"].contains(&order.method) {
            headers.insert(CONTENT_LENGTH, body.as_ref().map_or(0, Vec::len).into());
        }
        headers.insert(HOST, header_value(&address)?);
        let method = Method::from_bytes(order.method.as_bytes()).map_err(|e| e.to_string())?;
        let mut request = Request::builder().method(method).uri(path).body(Full::new(Bytes::from(body.unwrap_or_default())));
        if let Ok(request) = &mut request {
            *request.headers_mut() = headers;
        }
        Ok((address, request.map_err(|e| format!("{} {path}: {e}", order.method))?))
    }

    /// Adds what shows who the caller is.
    fn sign(&self, caller: &str, values: &Values, headers: &mut HeaderMap) -> Result<(), String> {
        let authorization = if let Some(session) = caller.strip_prefix("session:") {
            let cookies = self.sessions.get(session).map(|jar| jar.0.as_slice()).unwrap_or_default();
            if !cookies.is_empty() {
                let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
                headers.insert(COOKIE, header_value(&pairs.join("; "))?);
            }
            return Ok(());
        } else if caller == "anonymous" {
            return Ok(());
        } else if let Some(token) = caller.strip_prefix("bearer:") {
            format!("Bearer {}", values.fill(token)?)
        } else {
            let login = match caller.strip_prefix("basic:") {
                Some(login) => login,
                None => values.users.get(caller).ok_or_else(|| format!("no user is named {caller}"))?,
            };
            format!("Basic {}", STANDARD.encode(values.fill(login)?))
        };
        headers.insert(AUTHORIZATION, header_value(&authorization)?);
        Ok(())
    }

    /// A session takes every cookie that it is given: one site, no expiry, as recordings are made.
    fn keep_cookies(&mut self, session: &str, reply: &Reply) {
        for cookie in reply.headers.get_all(SET_COOKIE) {
            let text = String::from_utf8_lossy(cookie.as_bytes()).into_owned();
            let pair = text.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if self.sessions.get(session).is_none() {
                self.sessions.set(session, Ordered::default());
            }
            if let Some((_, jar)) = self.sessions.0.iter_mut().find(|(known, _)| known == session) {
                jar.set(name, value.to_owned());
            }
        }
    }
}

fn payload(order: &Order<'_>, values: &Values, headers: &mut HeaderMap) -> Result<Option<Vec<u8>>, String> {
    Ok(match order.body {
        Payload::None => None,
        Payload::Bytes(bytes) => Some(bytes.to_vec()),
        Payload::Written(Json::Text(text)) => Some(match text.strip_prefix('@') {
            Some(content) => values.content(content)?.to_vec(),
            None => values.fill(text)?.into_bytes(),
        }),
        Payload::Written(json) => {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
            Some(values.bytes(json)?)
        }
    })
}

fn header_value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|e| format!("{text:?}: {e}"))
}

/// `host:port`, and path with query, of an absolute URL.
pub(super) fn split_url(url: &str) -> Result<(&str, &str), String> {
    let (_, rest) = url.split_once("://").ok_or_else(|| format!("{url:?} is no absolute URL"))?;
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    Ok((host, if path.is_empty() { "/" } else { path }))
}

async fn exchange(address: &str, request: Request<Full<Bytes>>) -> Result<Reply, String> {
    let with_port =
        if address.rsplit(']').next().is_some_and(|end| end.contains(':')) { address.to_owned() } else { format!("{address}:80") };
    let stream = TcpStream::connect(&with_port).await.map_err(|e| format!("{with_port}: {e}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| describe(&e))?;
    let driver = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(|e| describe(&e));
    let reply = match answer {
        Ok(answer) => read(answer).await,
        Err(reason) => Err(reason),
    };
    driver.abort();
    reply
}

async fn read(answer: hyper::Response<hyper::body::Incoming>) -> Result<Reply, String> {
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, LONGEST_BODY).collect().await.map_err(|e| describe(e.as_ref()))?.to_bytes();
    Ok(Reply::from_parts(parts, body))
}

/// The error with its causes, without which hyper's say little.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        let mut values = Values::new("http", "127.0.0.1:81", "pw", &[("rig".to_owned(), "http://127.0.0.1:82".to_owned())]);
        values.users.set("dana", "dana:Passw0rd1".to_owned());
        values.vars.set("token", Value::from("abc"));
        values.contents.set("app", b"bytes".to_vec());
        values
    }

    fn built(step: &str, caller: &str) -> (String, Request<Full<Bytes>>) {
        let step: Step = serde_json::from_str(step).expect(step);
        let mut client = Client::new();
        client.sessions.set("a", Ordered(vec![("sid".to_owned(), "1".to_owned()), ("_csrf".to_owned(), "2".to_owned())]));
        client.request(&Order::of(&step, caller).expect("an order"), &values()).expect("a request")
    }

    fn header(request: &Request<Full<Bytes>>, name: &str) -> Option<String> {
        request.headers().get(name).map(|value| value.to_str().expect("text").to_owned())
    }

    #[test]
    fn callers_are_shown() {
        let get = r#"{"method": "GET", "path": "/x", "headers": {"Authorization": "mine"}}"#;
        let cases = [
            ("anonymous", "authorization", Some("mine")),
            ("admin", "authorization", Some("Basic YWRtaW46cHc=")),
            ("dana", "authorization", Some("Basic ZGFuYTpQYXNzdzByZDE=")),
            ("basic:a:${token}", "authorization", Some("Basic YTphYmM=")),
            ("bearer:${token}", "authorization", Some("Bearer abc")),
            ("session:a", "authorization", Some("mine")),
            ("session:a", "cookie", Some("sid=1; _csrf=2")),
            ("session:new", "cookie", None),
        ];
        for (caller, name, expected) in cases {
            assert_eq!(header(&built(get, caller).1, name).as_deref(), expected, "{caller}");
        }
    }

    #[test]
    fn paths_and_bodies_go_out_as_written() {
        let (address, request) = built(r#"{"method": "GET", "path": "/a/../b//c%2Fd?q=~(x)&e="}"#, "anonymous");
        assert_eq!((address.as_str(), request.uri().to_string().as_str()), ("127.0.0.1:81", "/a/../b//c%2Fd?q=~(x)&e="));
        assert_eq!((header(&request, "host").as_deref(), header(&request, "content-length")), (Some("127.0.0.1:81"), None));

        let (address, request) = built(r#"{"method": "GET", "path": "http://elsewhere/v2/u?_state=1#x", "at": "rig"}"#, "anonymous");
        assert_eq!((address.as_str(), request.uri().to_string().as_str()), ("127.0.0.1:82", "/v2/u?_state=1"));

        let cases = [
            (r#""method": "POST""#, Some("0"), None),
            (r#""method": "DELETE""#, None, None),
            (r#""method": "PUT", "body": "@app""#, Some("5"), None),
            (r#""method": "PUT", "body": "a=${token}""#, Some("5"), None),
            (r#""method": "PUT", "body": {"a": 1}"#, Some("7"), Some("application/json")),
            (r#""method": "PUT", "body": null"#, Some("4"), Some("application/json")),
            (r#""method": "PUT", "body": {}, "headers": {"content-type": "text/plain"}"#, Some("2"), Some("text/plain")),
        ];
        for (step, length, kind) in cases {
            let (_, request) = built(&format!(r#"{{"path": "/", {step}}}"#), "anonymous");
            let found = (header(&request, "content-length"), header(&request, "content-type"));
            assert_eq!((found.0.as_deref(), found.1.as_deref()), (length, kind), "{step}");
        }
    }

    #[test]
    fn unknown_names_are_said() {
        let step: Step = serde_json::from_str(r#"{"method": "GET", "path": "/${nothing}"}"#).expect("step");
        let client = Client::new();
        for (caller, expected) in [("mallory", "no user is named mallory"), ("anonymous", "variable nothing has no value yet")] {
            let error = client.request(&Order::of(&step, caller).expect("order"), &values()).expect_err("an error");
            assert_eq!(error, expected);
        }
    }
}
