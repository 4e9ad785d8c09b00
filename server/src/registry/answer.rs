//! What answers of the registry have in common: the version header, the error envelope, addresses that the client can follow.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use service::{Actor, Error};

use super::Door;
use crate::security::ClientFacts;

/// `registry/2.0` on every answer: old clients and proxies look for it.
pub(super) const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
pub(super) const UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// Room for the headers of most answers, those that every answer gets included: a map that grows while it is filled costs twice.
const HEADERS: usize = 12;

/// One request: who, and what it says of itself.
pub(super) struct Context<'a> {
    pub(super) door: &'a Door,
    pub(super) actor: Actor,
    pub(super) request: &'a Parts,
}

impl Context<'_> {
    /// A header as text.
    pub(super) fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.request.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// The client behind trusted proxies. Found out when it is asked for: few answers say addresses.
    pub(super) fn client(&self) -> ClientFacts {
        self.door.origins.facts(&self.request.extensions, &self.request.uri, &self.request.headers)
    }

    /// An address of this server as this client writes it.
    pub(super) fn address(&self, path: std::fmt::Arguments<'_>) -> String {
        format!("{}{path}", self.client().base_url())
    }

    pub(super) fn registry(&self) -> &service::registry::Registry {
        &self.door.services.registry
    }
}

/// An answer under construction.
pub(super) struct Answer(Response);

impl Answer {
    pub(super) fn new(status: StatusCode) -> Self {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        *response.headers_mut() = HeaderMap::with_capacity(HEADERS);
        response.headers_mut().insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
        Self(response)
    }

    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        // Values are digests, media types and addresses that were parsed before; anything else is left out rather than sent broken.
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers_mut().insert(name, value);
        }
        self
    }

    pub(super) fn length(mut self, length: u64) -> Self {
        self.0.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        self
    }

    /// Without a body.
    pub(super) fn empty(self) -> Response {
        self.length(0).0
    }

    /// As for 204 and 304, or a HEAD: the headers say all.
    pub(super) fn bare(self) -> Response {
        self.0
    }

    pub(super) fn body(mut self, body: impl Into<Body>) -> Response {
        *self.0.body_mut() = body.into();
        self.0
    }

    pub(super) fn json(self, body: Bytes) -> Response {
        let length = body.len() as u64;
        self.header(header::CONTENT_TYPE, "application/json; charset=utf-8").length(length).body(body)
    }
}

/// The error envelope, logged when it is our fault.
pub(super) fn error(error: &Error) -> Response {
    if error.status >= 500 {
        tracing::error!(%error, "a registry request failed");
    }
    let too_many = error.status == 429;
    let entries = error.items.iter().map(|item| {
        // Of several doors' words for it, this one's.
        let code = if too_many { oci::ErrorCode::TooManyRequests.as_str() } else { &*item.code };
        let mut entry = serde_json::json!({"code": code, "message": item.message});
        if let Some(detail) = &item.detail {
            entry["detail"] = detail.clone();
        }
        entry
    });
    let mut body = serde_json::json!({"errors": entries.collect::<Vec<_>>()}).to_string();
    body.push('\n');
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let answer = Answer::new(status);
    if too_many { answer.header(header::RETRY_AFTER, "1").json(body.into()) } else { answer.json(body.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_one_too_many_is_told_so_in_the_words_of_the_protocol() {
        let refusal = Error::new(model::error::ErrorCode::TooManyRequest, "too many sign-ins at once, try again in a moment");
        let response = error(&refusal);
        assert_eq!(
            (response.status(), &response.headers()[header::RETRY_AFTER]),
            (StatusCode::TOO_MANY_REQUESTS, &HeaderValue::from_static("1"))
        );
        let body = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["errors"][0]["code"], "TOOMANYREQUESTS");
    }
}
