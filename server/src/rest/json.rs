//! Bodies of JSON as the API's binder takes them: required, `application/json`, of bounded size; null means absent, unknown fields are ignored, an array is
//! never an object. What does not fit is a 422 that names the field; a null character in any text is a 400, as in an address.

mod strict;

use axum::extract::{FromRequest, Request};
use http::{HeaderMap, header};
use model::api;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::RestError;
use crate::body_limit;

/// A type that requests carry.
pub(super) trait Model: DeserializeOwned {
    /// What the API's document calls the parameter.
    const PARAMETER: &'static str;

    /// Fields that break the API's model, in its words: `username in body should be at most 255 chars long`.
    fn failures(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Names the parameters of models that have no limits of their own: `models! { PasswordReq = "password" }`.
macro_rules! models {
    ($($(#[$meta:meta])* $model:ty = $parameter:literal,)+) => {$(
        $(#[$meta])*
        impl $crate::rest::json::Model for $model {
            const PARAMETER: &'static str = $parameter;
        }
    )+};
}
pub(super) use models;

models! {
    api::UserProfile = "profile",
    api::PasswordReq = "password",
    api::UserSysAdminFlag = "sysadminFlag",
    api::OIDCCliSecretReq = "secret",
}

/// Says so when a text is longer than the API's model allows.
pub(super) fn too_long(failures: &mut Vec<String>, field: &str, text: &str, limit: usize) {
    if text.chars().count() > limit {
        failures.push(format!("{field} in body should be at most {limit} chars long"));
    }
}

impl Model for api::UserCreationReq {
    const PARAMETER: &'static str = "userReq";

    fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        too_long(&mut failures, "email", &self.email, 255);
        too_long(&mut failures, "username", &self.username, 255);
        failures
    }
}

/// The body of a request.
#[derive(Debug)]
pub(super) struct JsonBody<T>(pub T);

impl<S, T> FromRequest<S> for JsonBody<T>
where
    S: Send + Sync,
    T: Model,
{
    type Rejection = RestError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, RestError> {
        let media_type = check_media_type(request.headers());
        let body = body_limit::read(request).await?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(RestError::invalid(format!("{} in body is required", T::PARAMETER)));
        }
        media_type?;
        let unreadable = |why: String| RestError::invalid(format!("parsing {} body from \"\" failed, because {why}", T::PARAMETER));
        let document = parse(&body).map_err(unreadable)?;
        let value: T = strict::from_value(&document).map_err(|why| unreadable(why.to_string()))?;
        if has_null(&document) {
            return Err(service::Error::null_character("the body").into());
        }
        let failures = value.failures();
        if failures.is_empty() { Ok(Self(value)) } else { Err(RestError::invalid_body(&failures)) }
    }
}

fn parse(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|e| if e.is_eof() { "unexpected EOF".to_owned() } else { e.to_string() })
}

/// Whether a text or a field's name anywhere in the document has a null character.
fn has_null(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_null(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), RestError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Err(unsupported("application/octet-stream"));
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    let essence = text.split(';').next().unwrap_or_default().trim();
    match essence.split_once('/') {
        Some(_) if essence.eq_ignore_ascii_case("application/json") => Ok(()),
        Some((_, subtype)) if !subtype.is_empty() => Err(unsupported(essence)),
        _ => {
            let why = format!("mediatype: malformed: {essence:?} has no subtype");
            Err(RestError::invalid(format!("parsing Content-Type header from {text:?} failed, because {why}")))
        }
    }
}

fn unsupported(media_type: &str) -> RestError {
    RestError::invalid(format!("unsupported media type {media_type:?}, only [application/json] are allowed"))
}
