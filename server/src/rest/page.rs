//! Successful answers: JSON, pages with their headers, and what was made with its place.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use model::list::Page;
use serde::Serialize;

use super::RestError;
use super::extract::Listing;

const X_TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// 200 with a body of JSON.
pub(super) fn json<T: Serialize>(value: &T) -> Result<Response, RestError> {
    let mut body = serde_json::to_vec(value).map_err(service::Error::internal)?;
    body.push(b'\n');
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// 200 without a body.
pub(super) fn ok() -> Response {
    Response::new(Body::empty())
}

/// 201 with `Location`: the request's path and what was made.
pub(super) fn created(uri: &Uri, made: impl std::fmt::Display) -> Response {
    created_at(&format!("{}/{made}", uri.path().trim_end_matches('/')))
}

/// 201 with this `Location`.
pub(super) fn created_at(location: &str) -> Response {
    let mut response = StatusCode::CREATED.into_response();
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

impl Listing {
    /// 200 with the rows, `X-Total-Count` and `Link`.
    pub(super) fn page<T: Serialize>(&self, page: &Page<T>) -> Result<Response, RestError> {
        let mut response = json(&page.items)?;
        let headers = response.headers_mut();
        headers.insert(X_TOTAL_COUNT, HeaderValue::from(page.total));
        if let Some(link) = self.paging.link(&self.path_and_query, page.total)
            && let Ok(link) = HeaderValue::from_str(&link)
        {
            headers.insert(header::LINK, link);
        }
        Ok(response)
    }
}
