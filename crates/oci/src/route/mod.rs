//! The routes of `/v2`: which operation a method, path and query ask for.
//! The registry door parses every request here, before authentication; no match is a 404.

mod parse;
mod query;
#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::digest::{Digest, DigestError};
use crate::name::RepositoryName;
use crate::percent;
use crate::reference::{Reference, ReferenceError};
use crate::scope::Scope;
use crate::tag::Tag;

/// One request of the distribution protocol, with its parts. A HEAD on anything without a `head` member is read as the
/// GET it stands for; the door leaves the body away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `GET /v2/` (end-1): is this a registry, and does it know me?
    Ping,
    /// `GET /v2/_catalog`: all repositories.
    Catalog {
        /// The page asked for.
        page: Page,
    },
    /// `GET /v2/<name>/tags/list` (end-8).
    Tags {
        /// The repository.
        name: RepositoryName,
        /// The page asked for.
        page: Page,
    },
    /// `GET` or `HEAD /v2/<name>/manifests/<reference>` (end-3).
    PullManifest {
        /// The repository.
        name: RepositoryName,
        /// Tag or digest; malformed ones are answered 404.
        reference: RawReference,
        /// Whether only the headers are wanted.
        head: bool,
    },
    /// `PUT /v2/<name>/manifests/<reference>` (end-7).
    PushManifest {
        /// The repository.
        name: RepositoryName,
        /// Tag or digest; malformed ones are answered 400.
        reference: RawReference,
        /// Further tags to set, from the `tag` parameters, unvalidated and in order. Nothing is dropped: more than
        /// `limits::MAX_TAG_PARAMETERS` must be refused as a whole (R70).
        tags: Vec<String>,
    },
    /// `DELETE /v2/<name>/manifests/<reference>` (end-9).
    DeleteManifest {
        /// The repository.
        name: RepositoryName,
        /// Tag or digest.
        reference: RawReference,
    },
    /// `GET` or `HEAD /v2/<name>/blobs/<digest>` (end-2).
    PullBlob {
        /// The repository.
        name: RepositoryName,
        /// The blob.
        digest: RawDigest,
        /// Whether only the headers are wanted.
        head: bool,
    },
    /// `DELETE /v2/<name>/blobs/<digest>` (end-10).
    DeleteBlob {
        /// The repository.
        name: RepositoryName,
        /// The blob.
        digest: RawDigest,
    },
    /// `POST /v2/<name>/blobs/uploads/` (end-4, end-11). Parameters are raw: malformed mounts start an upload (R131).
    StartUpload {
        /// The repository.
        name: RepositoryName,
        /// Digest of a blob to mount.
        mount: Option<String>,
        /// Repository to mount from.
        from: Option<String>,
        /// Digest of the whole blob in this request's body.
        digest: Option<String>,
        /// Algorithm the closing digest will use.
        digest_algorithm: Option<String>,
    },
    /// `GET /v2/<name>/blobs/uploads/<upload>` (end-13).
    UploadStatus {
        /// The repository.
        name: RepositoryName,
        /// Id of the upload, unvalidated.
        upload: String,
    },
    /// `PATCH /v2/<name>/blobs/uploads/<upload>` (end-5).
    UploadChunk {
        /// The repository.
        name: RepositoryName,
        /// Id of the upload, unvalidated.
        upload: String,
    },
    /// `PUT /v2/<name>/blobs/uploads/<upload>` (end-6).
    FinishUpload {
        /// The repository.
        name: RepositoryName,
        /// Id of the upload, unvalidated.
        upload: String,
        /// Digest of the whole blob, raw; missing or malformed is a 400 that leaves the upload open (R110).
        digest: Option<String>,
    },
    /// `DELETE /v2/<name>/blobs/uploads/<upload>` (end-14).
    CancelUpload {
        /// The repository.
        name: RepositoryName,
        /// Id of the upload, unvalidated.
        upload: String,
    },
    /// `GET /v2/<name>/referrers/<digest>` (end-12).
    Referrers {
        /// The repository.
        name: RepositoryName,
        /// The subject; malformed is a 400 (R144).
        digest: RawDigest,
        /// Types to keep, any of them; none means all. Empty ones are dropped (R147).
        artifact_types: Vec<String>,
        /// The page asked for.
        page: Page,
    },
    /// `GET /v2/_oci/ext/discover` or `GET /v2/<name>/_oci/ext/discover`.
    Extensions {
        /// The repository, or none for the whole registry.
        name: Option<RepositoryName>,
    },
}

/// What an operation does, for authorisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Needs no right but to be known.
    Ping,
    /// Lists all repositories.
    Catalog,
    /// Reads from a repository.
    Pull,
    /// Writes to a repository; cancelling an upload belongs here (R116).
    Push,
    /// Deletes from a repository.
    Delete,
}

/// Why a request is no operation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RouteError {
    /// 404: no such path.
    #[error("path was not found")]
    NotFound,
    /// 405: the path is known, the method is not. `allow` is the value of the `Allow` header.
    #[error("method is not allowed")]
    MethodNotAllowed {
        /// The methods this path knows, comma separated.
        allow: &'static str,
    },
    /// 400 NAME_INVALID: the path is known, what stands in the place of the name is none. Holds its beginning.
    #[error("invalid repository name: {0}")]
    InvalidName(String),
    /// 414: path or query are longer than `limits::MAX_URI_BYTES`.
    #[error("request path or query is too long")]
    TooLong,
}

impl Operation {
    /// Finds the operation. `path` is the raw, percent-encoded path from `/v2` on; `query` is the raw query without its
    /// question mark, empty when absent. Unknown parameters are ignored (R13); names are matched greedily from the right
    /// (R7), and the path is decoded once (R12).
    ///
    /// # Errors
    /// `RouteError` when there is none; a wrong method is told before a wrong name.
    pub fn parse(method: &str, path: &str, query: &str) -> Result<Self, RouteError> {
        parse::parse(method, path, query)
    }

    /// The repository it is about.
    pub fn repository(&self) -> Option<&RepositoryName> {
        match self {
            Self::Ping | Self::Catalog { .. } => None,
            Self::Extensions { name } => name.as_ref(),
            Self::Tags { name, .. }
            | Self::PullManifest { name, .. }
            | Self::PushManifest { name, .. }
            | Self::DeleteManifest { name, .. }
            | Self::PullBlob { name, .. }
            | Self::DeleteBlob { name, .. }
            | Self::StartUpload { name, .. }
            | Self::UploadStatus { name, .. }
            | Self::UploadChunk { name, .. }
            | Self::FinishUpload { name, .. }
            | Self::CancelUpload { name, .. }
            | Self::Referrers { name, .. } => Some(name),
        }
    }

    /// What it does.
    pub fn action(&self) -> Action {
        match self {
            Self::Ping | Self::Extensions { name: None } => Action::Ping,
            Self::Catalog { .. } => Action::Catalog,
            Self::Tags { .. }
            | Self::PullManifest { .. }
            | Self::PullBlob { .. }
            | Self::Referrers { .. }
            | Self::Extensions { name: Some(_) } => Action::Pull,
            Self::PushManifest { .. }
            | Self::StartUpload { .. }
            | Self::UploadStatus { .. }
            | Self::UploadChunk { .. }
            | Self::FinishUpload { .. }
            | Self::CancelUpload { .. } => Action::Push,
            Self::DeleteManifest { .. } | Self::DeleteBlob { .. } => Action::Delete,
        }
    }

    /// The token scopes to ask for in a challenge, in the form clients expect: `pull`, `pull,push` or `delete` on the
    /// repository, pull on the source of a mount, `*` on the catalog, none for a ping.
    pub fn scopes(&self) -> Vec<Scope> {
        let actions: &[&str] = match self.action() {
            Action::Ping => return Vec::new(),
            Action::Catalog => return vec![Scope::new("registry", "catalog", &["*"])],
            Action::Pull => &["pull"],
            Action::Push => &["pull", "push"],
            Action::Delete => &["delete"],
        };
        let mut scopes: Vec<Scope> = self.repository().iter().map(|name| Scope::new("repository", name.as_str(), actions)).collect();
        if let Self::StartUpload { mount: Some(_), from: Some(from), .. } = self
            && let Ok(source) = from.parse::<RepositoryName>()
        {
            scopes.push(Scope::new("repository", source.as_str(), &["pull"]));
        }
        scopes
    }
}

/// A reference as it stood in the path, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawReference {
    /// The text, decoded.
    pub text: String,
    /// Tag, digest, or why it is neither.
    pub parsed: Result<Reference, ReferenceError>,
}

impl RawReference {
    /// Reads a text; never fails, the result is kept.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { parsed: text.parse(), text }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Tag or digest.
    ///
    /// # Errors
    /// Why it is neither.
    pub fn parsed(&self) -> Result<&Reference, &ReferenceError> {
        self.parsed.as_ref()
    }

    /// The digest, if it is a good one.
    pub fn digest(&self) -> Option<&Digest> {
        self.parsed.as_ref().ok().and_then(Reference::digest)
    }

    /// The tag, if it is a good one.
    pub fn tag(&self) -> Option<&Tag> {
        self.parsed.as_ref().ok().and_then(Reference::tag)
    }
}

impl std::fmt::Display for RawReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// A digest as it stood in the path, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawDigest {
    /// The text, decoded.
    pub text: String,
    /// The digest, or why it is none.
    pub parsed: Result<Digest, DigestError>,
}

impl RawDigest {
    /// Reads a text; never fails, the result is kept.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { parsed: text.parse(), text }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The digest.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parsed(&self) -> Result<&Digest, &DigestError> {
        self.parsed.as_ref()
    }

    /// The digest, if it is a good one.
    pub fn digest(&self) -> Option<&Digest> {
        self.parsed.as_ref().ok()
    }
}

impl std::fmt::Display for RawDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Which part of a list is wanted, as it stood in the query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// `n`: most entries to answer.
    pub n: Option<String>,
    /// `last`: answer only what comes after this entry.
    pub last: Option<String>,
}

/// `n` is not a whole number of zero or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("n must be a whole number of zero or more")]
pub struct PageError;

impl Page {
    /// The number of entries asked for, cut to `max`; `None` when absent or empty (R138).
    ///
    /// # Errors
    /// `PageError` when `n` is negative or no number.
    pub fn limit(&self, max: u64) -> Result<Option<u64>, PageError> {
        match self.n.as_deref() {
            None | Some("") => Ok(None),
            // Too large for 64 bits is larger than any maximum.
            Some(n) if n.bytes().all(|b| b.is_ascii_digit()) => Ok(Some(n.parse().unwrap_or(u64::MAX).min(max))),
            Some(_) => Err(PageError),
        }
    }

    /// The entry after which to go on; `None` when absent or empty.
    pub fn after(&self) -> Option<&str> {
        self.last.as_deref().filter(|last| !last.is_empty())
    }
}

/// The value of a `Link` header to the next page (RFC 8288): `path` is the list's own path, `last` the last entry of this
/// page, `n` the page size.
pub fn next_link(path: &str, last: &str, n: u64) -> String {
    format!("<{path}?last={}&n={n}>; rel=\"next\"", percent::encode(last))
}
