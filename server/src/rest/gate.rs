//! What every request of the door passes on its way in and out: a readable query, protection against forged requests, read-only mode, HEAD only where the API has it,
//! a slash at the end of a path ignored, answers that are remembered, the API's own words for a method that a path does not have.

use std::convert::Infallible;

use axum::Router;
use axum::extract::{OriginalUri, Request};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, Uri, header};
use model::error::{ErrorCode, Errors};
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;

use super::error::envelope;
use super::remembered::Found;
use super::{BASE, Rest, RestError};
use crate::read_only;

/// The only path with a HEAD of its own.
const WITH_HEAD: &str = "/projects";

pub(super) type Gate = BoxCloneSyncService<Request, Response, Infallible>;

/// The inner router behind the gate.
pub(super) fn service(rest: Rest, inner: Router) -> Gate {
    BoxCloneSyncService::new(tower::service_fn(move |request: Request| {
        let (rest, inner) = (rest.clone(), inner.clone());
        async move { Ok(pass(rest, inner, request).await) }
    }))
}

async fn pass(rest: Rest, inner: Router, request: Request) -> Response {
    let verdict = match rest.csrf.check(&rest.origins, &request) {
        Ok(verdict) => verdict,
        Err(refusal) => {
            let (error, verdict) = *refusal;
            return verdict.attach(RestError::from(error).into_response());
        }
    };
    if let Err(error) = read_only::check(&rest.services, request.method(), request.uri().path()) {
        return verdict.attach(RestError::from(error).into_response());
    }
    if let Err(error) = check_nulls(request.uri()).and_then(|()| check_query(request.uri().query().unwrap_or_default())) {
        return verdict.attach(error.into_response());
    }
    let mut request = request;
    let response = match rest.remembered.find(&rest.services, &mut request).await {
        Err(error) => error.into_response(),
        Ok(Found::Answer(response)) => response,
        Ok(Found::Nothing) => answer(inner, request).await,
        Ok(Found::Question(question)) => {
            let response = answer(inner, request).await;
            rest.remembered.keep(question, response).await
        }
    };
    verdict.attach(response)
}

async fn answer(inner: Router, mut request: Request) -> Response {
    let method = request.method().clone();
    let uri = request.uri().clone();
    request.extensions_mut().insert(OriginalUri(uri.clone()));
    if let Some(trimmed) = without_last_slash(&uri) {
        *request.uri_mut() = trimmed;
    }
    let has_head = request.uri().path().strip_prefix(BASE) == Some(WITH_HEAD);
    if method == Method::HEAD && !has_head {
        // A method that no route has: an unknown path is still 404, a known one says which methods it has.
        *request.method_mut() = Method::TRACE;
    }
    let Ok(response) = inner.oneshot(request).await;
    // Only the router says what is allowed; a handler's own refusal has its own words.
    let by_router = response.status() == StatusCode::METHOD_NOT_ALLOWED && response.headers().contains_key(header::ALLOW);
    if by_router { not_allowed(&method, has_head, &response) } else { response }
}

/// 405 as the API words it; the router has put the methods into `Allow`.
fn not_allowed(method: &Method, has_head: bool, response: &Response) -> Response {
    let allow = response.headers().get(header::ALLOW).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let methods: Vec<_> = allow.split(',').map(str::trim).filter(|m| !m.is_empty() && (has_head || *m != "HEAD")).collect();
    let message = format!("method {method} is not allowed, but [{}] are", methods.join(","));
    let mut answer = envelope(StatusCode::METHOD_NOT_ALLOWED, &Errors::one(ErrorCode::MethodNotAllowed, message));
    if let Ok(value) = methods.join(", ").parse() {
        answer.headers_mut().insert(header::ALLOW, value);
    }
    answer
}

fn without_last_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path().strip_suffix('/').filter(|path| path.starts_with(BASE) && path.len() > BASE.len())?;
    let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    format!("{path}{query}").parse().ok()
}

/// 400 for an address with a null character: nothing has one in its name, and not every database takes one.
fn check_nulls(uri: &Uri) -> Result<(), RestError> {
    let has = |text: &str| text.contains("%00");
    if has(uri.path()) || uri.query().is_some_and(has) {
        return Err(service::Error::null_character("the address").into());
    }
    Ok(())
}

/// 400 for a query that cannot be taken apart; the words are those of the API.
fn check_query(query: &str) -> Result<(), RestError> {
    if query.contains(';') {
        return Err(service::Error::bad_request("invalid semicolon separator in query").into());
    }
    let bytes = query.as_bytes();
    for (at, _) in bytes.iter().enumerate().filter(|(_, b)| **b == b'%') {
        let digits = bytes.get(at + 1..at + 3).unwrap_or_default();
        if digits.len() < 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
            let end = (at + 3).min(bytes.len());
            let escape = String::from_utf8_lossy(&bytes[at..end]);
            return Err(service::Error::bad_request(format!("invalid URL escape \"{escape}\"")).into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn queries_that_cannot_be_read() {
        for good in ["", "a=b&c=%20+", "q=username%3D~a", "a"] {
            assert!(check_query(good).is_ok(), "{good}");
        }
        for bad in ["a=1;b=2", "q=%zz", "q=%", "q=%4"] {
            assert_eq!(check_query(bad).unwrap_err().status(), StatusCode::BAD_REQUEST, "{bad}");
        }
    }

    #[test]
    fn null_characters_are_refused() {
        for (uri, good) in [("/a?q=%00", false), ("/a%00b", false), ("/a?q=%0000", false), ("/a%2500?q=%20", true)] {
            assert_eq!(check_nulls(&Uri::from_static(uri)).is_ok(), good, "{uri}");
        }
    }

    #[test]
    fn one_slash_at_the_end_is_ignored_below_the_base() {
        let trimmed = |uri: &'static str| without_last_slash(&Uri::from_static(uri)).map(|u| u.to_string());
        assert_eq!(trimmed("/api/v2.0/projects/?page=1").as_deref(), Some("/api/v2.0/projects?page=1"));
        assert_eq!(trimmed("/api/v2.0/"), None);
        assert_eq!(trimmed("/c/login/"), None);
    }
}
