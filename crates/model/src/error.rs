//! The error codes of the REST API, their statuses and the envelope that carries them.
//! Doors render it; the codes of the distribution protocol proper live in `oci`.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal;)+) => {
        /// A code of the API's error envelope. Anything of status 500 is masked by [`Errors::internal`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)+
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code as sent.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status),+ }
            }
        }
    };
}

codes! {
    /// A rule about the input is broken.
    BadRequest = "BAD_REQUEST", 400;
    /// The digest is malformed or does not fit the content.
    DigestInvalid = "DIGEST_INVALID", 400;
    /// The manifest is malformed.
    ManifestInvalid = "MANIFEST_INVALID", 400;
    /// Not offered.
    Unsupported = "UNSUPPORTED", 400;
    /// Nobody is signed in and somebody has to be.
    Unauthorized = "UNAUTHORIZED", 401;
    /// Signed in, but not allowed.
    Forbidden = "FORBIDDEN", 403;
    /// Refused by a state of the system: read-only mode, quota, proxy project.
    Denied = "DENIED", 403;
    /// There is no such thing.
    NotFound = "NOT_FOUND", 404;
    /// Not possible here (copying into a proxy project), or an unknown method.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", 405;
    /// There is such a thing already.
    Conflict = "CONFLICT", 409;
    /// A state forbids it: immutable tag, project not empty.
    Precondition = "PRECONDITION", 412;
    /// The same, spelled as the sign-on pages spell it.
    PreconditionFailed = "PRECONDITION_FAILED", 412;
    /// Something else refers to it.
    ViolateForeignKeyConstraint = "VIOLATE_FOREIGN_KEY_CONSTRAINT", 412;
    /// A policy of the project forbids the pull.
    ProjectPolicyViolation = "PROJECTPOLICYVIOLATION", 412;
    /// The body is too large.
    RequestEntityTooLarge = "REQUEST_ENTITY_TOO_LARGE", 413;
    /// The body's type is not understood.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", 415;
    /// The request does not fit the API's model.
    UnprocessableEntity = "UNPROCESSABLE_ENTITY", 422;
    /// Too many at once.
    TooManyRequest = "TOO_MANY_REQUEST", 429;
    /// A failure of ours; its details are in the log only.
    Unknown = "UNKNOWN", 500;
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The body of every error answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Errors {
    /// Usually one.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub errors: Vec<ErrorItem>,
}

/// One error.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Error))]
pub struct ErrorItem {
    /// One of [`ErrorCode`], or a code of the distribution protocol.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub code: String,
    /// For people.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub message: String,
    /// What the distribution protocol adds, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<serde_json::Value>,
}

impl Errors {
    /// One error with a code and a message.
    pub fn one(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { errors: vec![ErrorItem { code: code.as_str().to_owned(), message: message.into(), detail: None }] }
    }

    /// What a caller may know about a failure of ours: nothing.
    pub fn internal() -> Self {
        Self::one(ErrorCode::Unknown, "internal server error")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_named_after_their_status_class() {
        let mut texts: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), ErrorCode::ALL.len());
        assert!(ErrorCode::ALL.iter().all(|code| (400..=500).contains(&code.status())));
        assert_eq!((ErrorCode::TooManyRequest.as_str(), ErrorCode::TooManyRequest.status()), ("TOO_MANY_REQUEST", 429));
    }

    #[test]
    fn the_envelope_has_no_detail_unless_there_is_one() {
        let json = serde_json::to_string(&Errors::one(ErrorCode::NotFound, "project x not found")).unwrap();
        assert_eq!(json, r#"{"errors":[{"code":"NOT_FOUND","message":"project x not found"}]}"#);
        assert_eq!(Errors::internal().errors[0].message, "internal server error");
    }
}
