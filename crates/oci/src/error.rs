//! The protocol's error codes and the error body.
//! The registry door renders every refusal with them; other rooms only name the codes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::limits::MAX_ERROR_BODY_BYTES;

/// An error code of the distribution protocol, with the common additions of the reference registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// A blob is not in this repository.
    BlobUnknown,
    /// An upload cannot be used in this way.
    BlobUploadInvalid,
    /// An upload does not exist, is finished, cancelled or expired.
    BlobUploadUnknown,
    /// A digest is missing, malformed, unsupported, or not that of the content.
    DigestInvalid,
    /// A manifest names content that is not in this repository.
    ManifestBlobUnknown,
    /// A document is no acceptable manifest. Some clients push another format after it: only for real format refusals.
    ManifestInvalid,
    /// A manifest or tag is not in this repository.
    ManifestUnknown,
    /// A text is no repository name.
    NameInvalid,
    /// A repository does not exist.
    NameUnknown,
    /// A length is not what was announced, or over the limit.
    SizeInvalid,
    /// Credentials are needed.
    Unauthorized,
    /// The caller is known and may not do this.
    Denied,
    /// The registry does not do this.
    Unsupported,
    /// The caller must slow down.
    TooManyRequests,
    /// A chunk does not continue the upload. Not in the specification's list.
    RangeInvalid,
    /// A tag is malformed. Legacy.
    TagInvalid,
    /// A signature of an old manifest failed. Legacy.
    ManifestUnverified,
    /// `n` of a list is no whole number.
    PaginationNumberInvalid,
    /// Anything unexpected; clients try again.
    Unknown,
    /// Overloaded or shutting down; clients try again.
    Unavailable,
    /// An extension does not exist.
    ExtensionUnknown,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 21] = [
        Self::BlobUnknown,
        Self::BlobUploadInvalid,
        Self::BlobUploadUnknown,
        Self::DigestInvalid,
        Self::ManifestBlobUnknown,
        Self::ManifestInvalid,
        Self::ManifestUnknown,
        Self::NameInvalid,
        Self::NameUnknown,
        Self::SizeInvalid,
        Self::Unauthorized,
        Self::Denied,
        Self::Unsupported,
        Self::TooManyRequests,
        Self::RangeInvalid,
        Self::TagInvalid,
        Self::ManifestUnverified,
        Self::PaginationNumberInvalid,
        Self::Unknown,
        Self::Unavailable,
        Self::ExtensionUnknown,
    ];

    /// The code as it is sent.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status it is usually sent with.
    pub fn status(self) -> u16 {
        self.row().1
    }

    /// The usual message, in the words clients know.
    pub fn message(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::BlobUnknown => ("BLOB_UNKNOWN", 404, "blob unknown to registry"),
            Self::BlobUploadInvalid => ("BLOB_UPLOAD_INVALID", 404, "blob upload invalid"),
            Self::BlobUploadUnknown => ("BLOB_UPLOAD_UNKNOWN", 404, "blob upload unknown to registry"),
            Self::DigestInvalid => ("DIGEST_INVALID", 400, "provided digest did not match uploaded content"),
            Self::ManifestBlobUnknown => ("MANIFEST_BLOB_UNKNOWN", 400, "blob unknown to registry"),
            Self::ManifestInvalid => ("MANIFEST_INVALID", 400, "manifest invalid"),
            Self::ManifestUnknown => ("MANIFEST_UNKNOWN", 404, "manifest unknown"),
            Self::NameInvalid => ("NAME_INVALID", 400, "invalid repository name"),
            Self::NameUnknown => ("NAME_UNKNOWN", 404, "repository name not known to registry"),
            Self::SizeInvalid => ("SIZE_INVALID", 400, "provided length did not match content length"),
            Self::Unauthorized => ("UNAUTHORIZED", 401, "authentication required"),
            Self::Denied => ("DENIED", 403, "requested access to the resource is denied"),
            Self::Unsupported => ("UNSUPPORTED", 405, "The operation is unsupported."),
            Self::TooManyRequests => ("TOOMANYREQUESTS", 429, "too many requests"),
            Self::RangeInvalid => ("RANGE_INVALID", 416, "invalid content range"),
            Self::TagInvalid => ("TAG_INVALID", 400, "manifest tag did not match URI"),
            Self::ManifestUnverified => ("MANIFEST_UNVERIFIED", 400, "manifest failed signature verification"),
            Self::PaginationNumberInvalid => ("PAGINATION_NUMBER_INVALID", 400, "invalid number of results requested"),
            Self::Unknown => ("UNKNOWN", 500, "unknown error"),
            Self::Unavailable => ("UNAVAILABLE", 503, "service unavailable"),
            Self::ExtensionUnknown => ("EXTENSION_UNKNOWN", 404, "extension unknown to registry"),
        }
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One error of an error body. The code is text, so that a door can send codes of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorEntry {
    /// The code, upper case.
    pub code: String,
    /// For people.
    pub message: String,
    /// Anything that helps, for example the digest that is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Value>,
}

impl ErrorEntry {
    /// An entry with the code's usual message and no detail.
    pub fn new(code: ErrorCode) -> Self {
        Self { code: code.as_str().to_owned(), message: code.message().to_owned(), detail: None }
    }

    /// The same with another message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// The same with a detail.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Value>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl From<ErrorCode> for ErrorEntry {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

/// The body of every refusal: `{"errors":[…]}` (distribution-spec, "Error Codes").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// At least one entry; an empty list is a malformed answer to some clients.
    pub errors: Vec<ErrorEntry>,
}

impl ErrorBody {
    /// A body of one entry.
    pub fn one(entry: impl Into<ErrorEntry>) -> Self {
        Self { errors: vec![entry.into()] }
    }

    /// The body as JSON, below 8 KiB (R16): entries that do not fit are left out, and a single one that does not fit
    /// loses its detail and the end of its message.
    pub fn to_json(&self) -> String {
        let mut out = String::from("{\"errors\":[");
        for (index, entry) in self.errors.iter().enumerate() {
            let text = render(entry);
            let comma = usize::from(index > 0);
            if out.len() + comma + text.len() + 2 >= MAX_ERROR_BODY_BYTES {
                if index == 0 {
                    let message = entry.message.chars().take(1_000).collect();
                    let code = entry.code.chars().take(100).collect();
                    out.push_str(&render(&ErrorEntry { code, message, detail: None }));
                }
                break;
            }
            if index > 0 {
                out.push(',');
            }
            out.push_str(&text);
        }
        out.push_str("]}");
        out
    }
}

fn render(entry: &ErrorEntry) -> String {
    // Texts and JSON values always serialise.
    serde_json::to_string(entry).unwrap_or_else(|_| "{}".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    /// R15.
    #[test]
    fn codes_are_distinct_and_have_error_statuses() {
        let mut names: Vec<&str> = ErrorCode::ALL.iter().map(|c| c.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert!((400..600).contains(&code.status()) && !code.message().is_empty());
            assert!(code.to_string().bytes().all(|b| b.is_ascii_uppercase() || b == b'_'));
        }
    }

    #[test]
    fn bodies_have_the_specified_shape() {
        assert_eq!(
            ErrorBody::one(ErrorEntry::new(ErrorCode::BlobUnknown).with_detail("sha256:x")).to_json(),
            r#"{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry","detail":"sha256:x"}]}"#
        );
        let body = ErrorBody::one(ErrorCode::Denied);
        assert_eq!(serde_json::to_string(&body).unwrap(), body.to_json());
        let own = ErrorEntry { code: "NOT_FOUND".into(), ..ErrorEntry::new(ErrorCode::NameUnknown).with_message("x") };
        assert_eq!(ErrorBody::one(own).to_json(), r#"{"errors":[{"code":"NOT_FOUND","message":"x"}]}"#);
    }

    /// R16.
    #[test]
    fn bodies_stay_below_8_kib() {
        let entry = |i: u32| {
            let digest = Digest::sha256(&i.to_be_bytes());
            ErrorEntry::new(ErrorCode::ManifestBlobUnknown).with_detail(digest.as_str())
        };
        for count in [1, 50, 100, 1000] {
            let text = ErrorBody { errors: (0..count).map(entry).collect() }.to_json();
            assert!(text.len() < 8192, "{}", text.len());
            let read: ErrorBody = serde_json::from_str(&text).unwrap();
            assert!(!read.errors.is_empty() && read.errors.len() <= count as usize);
            assert_eq!(read.errors[0], entry(0));
        }
        for letter in ["a", "\0", "é", "\""] {
            let huge = ErrorEntry::new(ErrorCode::Unknown).with_message(letter.repeat(10_000)).with_detail("d");
            let text = ErrorBody::one(huge).to_json();
            assert!(text.len() < 8192 && serde_json::from_str::<ErrorBody>(&text).is_ok());
        }
    }
}
