//! Refusals as the API sends them: the envelope with its content type and trailing newline, and nothing of what failed inside.

use axum::body::Body;
use axum::extract::OriginalUri;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use model::error::{ErrorItem, Errors};

/// What handlers return.
pub type Answer<T = Response> = Result<T, RestError>;

/// A refusal of the rules or of the machinery.
#[derive(Debug)]
pub struct RestError(service::Error);

impl From<service::Error> for RestError {
    fn from(error: service::Error) -> Self {
        Self(error)
    }
}

impl RestError {
    /// 422 with the list of what is wrong with the request, as the API's binder words it.
    pub(super) fn invalid(failure: impl std::fmt::Display) -> Self {
        service::Error::unprocessable(format!("validation failure list:\n{failure}")).into()
    }

    /// 422 for fields of a body that break the API's model.
    pub(super) fn invalid_body(failures: &[String]) -> Self {
        Self::invalid(format!("validation failure list:\n{}", failures.join("\n")))
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            // The request's id is in the span; the caller gets nothing but that id, in its header.
            tracing::error!(error = %self.0, "a request of the API failed");
            return envelope(status, &Errors::internal());
        }
        let errors =
            self.0.items.into_iter().map(|i| ErrorItem { code: i.code.into_owned(), message: i.message, detail: i.detail }).collect();
        envelope(status, &Errors { errors })
    }
}

/// `{"errors":[…]}` and a newline.
pub(super) fn envelope(status: StatusCode, errors: &Errors) -> Response {
    // Texts and JSON values always serialise.
    let mut body = serde_json::to_string(errors).unwrap_or_default();
    body.push('\n');
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

/// 404 for a path that is no operation's.
pub(super) async fn no_such_path(OriginalUri(uri): OriginalUri) -> RestError {
    service::Error::not_found(format!("path {} was not found", uri.path())).into()
}
