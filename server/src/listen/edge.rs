//! What surrounds every request, whichever door it is for: its id, the bound on its head, panics, the access line.
//! Used by the listener, and by tests that call doors without a socket.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::body::Body;
use futures::FutureExt as _;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use serde_json::json;

use crate::{doors::Doors, log::RequestId};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The doors with their surroundings. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Edge {
    doors: Arc<Doors>,
    request_headers: usize,
}

impl Edge {
    /// `request_headers`: the largest target and headers together, in bytes.
    #[must_use]
    pub fn new(doors: impl Into<Doors>, request_headers: usize) -> Self {
        Self { doors: Arc::new(doors.into()), request_headers }
    }

    /// Answers one request. The answer carries `X-Request-Id`, whatever happens; a panic becomes a 500 that says nothing else.
    pub async fn answer(&self, mut request: Request<Body>) -> Response<Body> {
        let id = RequestId::from_header(request.headers().get(X_REQUEST_ID));
        let access = Access::begin(&request);
        let mut answer = if head_size(&request) > self.request_headers {
            plain(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the request's address and headers are too large\n".to_owned())
        } else {
            request.extensions_mut().insert(id.clone());
            let path = request.uri().path();
            let registry = path.starts_with("/v2") || path.starts_with("/api/") || path.starts_with("/service/");
            // The inner future is made inside: a panic while it is made is caught as well. Boxed, since what is around it moves it several times.
            let work = AssertUnwindSafe(async { Box::pin(self.doors.answer(request)).await }).catch_unwind();
            match id.clone().during(work).await {
                Ok(answer) => answer,
                Err(_) => after_panic(&id, registry),
            }
        };
        answer.headers_mut().insert(X_REQUEST_ID, id.header().clone());
        access.end(&answer, &id);
        answer
    }
}

fn head_size(request: &Request<Body>) -> usize {
    let target = request.uri().path_and_query().map_or(0, |p| p.as_str().len());
    request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>() + target
}

/// The message of the panic is in the log, through the panic hook.
fn after_panic(id: &RequestId, registry: bool) -> Response<Body> {
    if registry {
        let message = format!("internal server error; request id {id}");
        let body = json!({ "errors": [{ "code": "UNKNOWN", "message": message }] }).to_string();
        let mut answer = Response::new(Body::from(body));
        *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        return answer;
    }
    plain(StatusCode::INTERNAL_SERVER_ERROR, format!("Internal server error. Request id: {id}\n"))
}

fn plain(status: StatusCode, text: String) -> Response<Body> {
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// The line of a request: for all at level debug of target `access`, for a 5xx always. Costs nothing where it is off: the method and target are
/// taken over only to be shown.
struct Access(Option<(Instant, Method, Uri)>, Option<(Method, Uri)>);

impl Access {
    fn begin(request: &Request<Body>) -> Self {
        let wanted = tracing::enabled!(target: "access", tracing::Level::DEBUG);
        // Both are reference counts, not copies.
        let head = (request.method().clone(), request.uri().clone());
        if wanted { Self(Some((Instant::now(), head.0, head.1)), None) } else { Self(None, Some(head)) }
    }

    /// The query stays out: it may hold what must not be logged.
    fn end(self, answer: &Response<Body>, id: &RequestId) {
        let status = answer.status().as_u16();
        if let Some((begun, method, uri)) = self.0 {
            let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            tracing::debug!(target: "access", %method, path = uri.path(), status, micros, request_id = %id, "answered");
        } else if let (true, Some((method, uri))) = (status >= 500, self.1) {
            tracing::warn!(target: "access", %method, path = uri.path(), status, request_id = %id, "answered");
        }
    }
}
