//! The one error of the rules: a status, the items of the envelope that REST and /v2 share, and what a challenge must ask for.

use std::borrow::Cow;

use model::error::ErrorCode;

/// Shorthand for this room.
pub type Result<T> = std::result::Result<T, Error>;

/// One entry of the envelope `{"errors":[{code,message,detail}]}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Upper-case code.
    pub code: Cow<'static, str>,
    /// What a person reads.
    pub message: String,
    /// Any JSON; absent when `None`.
    pub detail: Option<serde_json::Value>,
}

/// What a 401 of the registry says about signing in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Challenge {
    /// How to sign in, by what the request asked for.
    #[default]
    Asked,
    /// Nothing: signing in would not help.
    Empty,
    /// Only with a user name and a password.
    Basic,
}

/// A refused or failed use case. Errors of 500 and above keep their cause for the log and show nothing of it.
#[derive(Debug)]
pub struct Error {
    /// HTTP status.
    pub status: u16,
    /// Never empty.
    pub items: Vec<Item>,
    /// For a 401 of the registry.
    pub challenge: Challenge,
    /// For the log only.
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of Harbor's list.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::with_items(code.status(), vec![Item { code: Cow::Borrowed(code.as_str()), message: message.into(), detail: None }])
    }

    /// An error of the distribution protocol, in its own words.
    pub fn oci(code: oci::ErrorCode, detail: impl Into<serde_json::Value>) -> Self {
        Self::oci_message(code, code.message(), detail)
    }

    /// An error of the distribution protocol, in other words.
    pub fn oci_message(code: oci::ErrorCode, message: impl Into<String>, detail: impl Into<serde_json::Value>) -> Self {
        let detail = Some(detail.into()).filter(|d| !d.is_null());
        Self::with_items(code.status(), vec![Item { code: Cow::Borrowed(code.as_str()), message: message.into(), detail }])
    }

    /// An error with several entries.
    pub fn with_items(status: u16, items: Vec<Item>) -> Self {
        Self { status, items, challenge: Challenge::Asked, cause: None }
    }

    /// 400 BAD_REQUEST.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }

    /// 400 BAD_REQUEST for a null character in `place`: no text has one, and not every database takes one.
    pub fn null_character(place: &str) -> Self {
        Self::bad_request(format!("null character in {place}"))
    }

    /// 401 UNAUTHORIZED.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unauthorized, message)
    }

    /// 403 FORBIDDEN.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Forbidden, message)
    }

    /// 403 DENIED.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Denied, message)
    }

    /// 404 NOT_FOUND.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }

    /// 409 CONFLICT.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Conflict, message)
    }

    /// 412 PRECONDITION.
    pub fn precondition(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Precondition, message)
    }

    /// 422 UNPROCESSABLE_ENTITY.
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::UnprocessableEntity, message)
    }

    /// 500: something of ours failed; the cause goes to the log.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut error = Self::new(ErrorCode::Unknown, "internal server error");
        error.cause = Some(cause.into());
        error
    }

    /// The first entry's code.
    pub fn code(&self) -> &str {
        self.items.first().map_or("UNKNOWN", |i| &i.code)
    }

    /// The first entry's message.
    pub fn message(&self) -> &str {
        self.items.first().map_or("", |i| &i.message)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code(), self.message())?;
        match &self.cause {
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NullCharacter => Self::null_character("a text"),
            other => Self::internal(other),
        }
    }
}

impl From<blob::BlobError> for Error {
    fn from(error: blob::BlobError) -> Self {
        Self::internal(error)
    }
}
