//! Finding the operation: the path decides the target, the method what is done to it.
//! Only `Operation::parse` calls it.

use super::query::Query;
use super::{Operation, RawDigest, RawReference, RouteError};
use crate::limits::MAX_URI_BYTES;
use crate::name::RepositoryName;
use crate::percent::decode_strict;
use crate::text::excerpt;

/// What a path names. `name` is not validated yet.
enum Target<'a> {
    Ping,
    Catalog,
    Extensions { name: Option<&'a str> },
    Tags { name: &'a str },
    Manifest { name: &'a str, reference: &'a str },
    Blob { name: &'a str, digest: &'a str },
    Uploads { name: &'a str },
    Upload { name: &'a str, upload: &'a str },
    Referrers { name: &'a str, digest: &'a str },
}

const READ: &str = "GET, HEAD";

pub(super) fn parse(method: &str, path: &str, query: &str) -> Result<Operation, RouteError> {
    if path.len() > MAX_URI_BYTES || query.len() > MAX_URI_BYTES {
        return Err(RouteError::TooLong);
    }
    let path = decode_strict(path).ok_or(RouteError::NotFound)?;
    let target = target(&path).ok_or(RouteError::NotFound)?;
    operation(method, target, Query(query))
}

/// Matches from the right, because names contain slashes and may contain every word of the routes (R7).
fn target(path: &str) -> Option<Target<'_>> {
    let rest = match path.strip_prefix("/v2")? {
        "" | "/" => return Some(Target::Ping),
        rest => rest.strip_prefix('/')?,
    };
    let segments: Vec<&str> = rest.split('/').collect();
    // The parts of a name with the slashes between them are the beginning of the path.
    let name = |parts: &[&str]| rest.get(..parts.iter().map(|part| part.len() + 1).sum::<usize>().checked_sub(1)?);
    let target = match segments.as_slice() {
        ["_catalog"] => Target::Catalog,
        ["_oci", "ext", "discover"] => Target::Extensions { name: None },
        [n @ .., "_oci", "ext", "discover"] => Target::Extensions { name: Some(name(n)?) },
        [n @ .., "tags", "list"] => Target::Tags { name: name(n)? },
        [n @ .., "blobs", "uploads", ""] | [n @ .., "blobs", "uploads"] => Target::Uploads { name: name(n)? },
        [.., ""] => return None,
        [n @ .., "manifests", reference] => Target::Manifest { name: name(n)?, reference },
        [n @ .., "referrers", digest] => Target::Referrers { name: name(n)?, digest },
        [n @ .., "blobs", "uploads", upload] => Target::Upload { name: name(n)?, upload },
        [n @ .., "blobs", digest] => Target::Blob { name: name(n)?, digest },
        _ => return None,
    };
    Some(target)
}

fn operation(method: &str, target: Target<'_>, query: Query<'_>) -> Result<Operation, RouteError> {
    let read = matches!(method, "GET" | "HEAD");
    match target {
        Target::Ping if read => Ok(Operation::Ping),
        Target::Catalog if read => Ok(Operation::Catalog { page: query.page() }),
        Target::Extensions { name } if read => Ok(Operation::Extensions { name: name.map(repository).transpose()? }),
        Target::Tags { name } if read => Ok(Operation::Tags { name: repository(name)?, page: query.page() }),
        Target::Referrers { name, digest } if read => Ok(Operation::Referrers {
            name: repository(name)?,
            digest: RawDigest::new(digest),
            artifact_types: query.all("artifactType").filter(|text| !text.is_empty()).collect(),
            page: query.page(),
        }),
        Target::Ping | Target::Catalog | Target::Extensions { .. } | Target::Tags { .. } | Target::Referrers { .. } => {
            Err(RouteError::MethodNotAllowed { allow: READ })
        }
        Target::Manifest { name, reference } => manifest(method, name, reference, query),
        Target::Blob { name, digest } => blob(method, name, digest),
        Target::Uploads { name } => start(method, name, query),
        Target::Upload { name, upload } => upload_step(method, name, upload, query),
    }
}

fn manifest(method: &str, name: &str, reference: &str, query: Query<'_>) -> Result<Operation, RouteError> {
    let build: fn(RepositoryName, RawReference, Query<'_>) -> Operation = match method {
        "GET" => |name, reference, _| Operation::PullManifest { name, reference, head: false },
        "HEAD" => |name, reference, _| Operation::PullManifest { name, reference, head: true },
        "PUT" => |name, reference, query| Operation::PushManifest { name, reference, tags: query.all("tag").collect() },
        "DELETE" => |name, reference, _| Operation::DeleteManifest { name, reference },
        _ => {
            return Err(RouteError::MethodNotAllowed { allow: "GET, HEAD, PUT, DELETE" });
        }
    };
    Ok(build(repository(name)?, RawReference::new(reference), query))
}

fn blob(method: &str, name: &str, digest: &str) -> Result<Operation, RouteError> {
    let build: fn(RepositoryName, RawDigest) -> Operation = match method {
        "GET" => |name, digest| Operation::PullBlob { name, digest, head: false },
        "HEAD" => |name, digest| Operation::PullBlob { name, digest, head: true },
        "DELETE" => |name, digest| Operation::DeleteBlob { name, digest },
        _ => {
            return Err(RouteError::MethodNotAllowed { allow: "GET, HEAD, DELETE" });
        }
    };
    Ok(build(repository(name)?, RawDigest::new(digest)))
}

fn start(method: &str, name: &str, query: Query<'_>) -> Result<Operation, RouteError> {
    if method != "POST" {
        return Err(RouteError::MethodNotAllowed { allow: "POST" });
    }
    Ok(Operation::StartUpload {
        name: repository(name)?,
        mount: query.first("mount"),
        from: query.first("from"),
        digest: query.first("digest"),
        digest_algorithm: query.first("digest-algorithm"),
    })
}

fn upload_step(method: &str, name: &str, upload: &str, query: Query<'_>) -> Result<Operation, RouteError> {
    let build: fn(RepositoryName, String, Query<'_>) -> Operation = match method {
        "GET" | "HEAD" => |name, upload, _| Operation::UploadStatus { name, upload },
        "PATCH" => |name, upload, _| Operation::UploadChunk { name, upload },
        "PUT" => |name, upload, query| Operation::FinishUpload { name, upload, digest: query.first("digest") },
        "DELETE" => |name, upload, _| Operation::CancelUpload { name, upload },
        _ => {
            return Err(RouteError::MethodNotAllowed { allow: "GET, HEAD, PATCH, PUT, DELETE" });
        }
    };
    Ok(build(repository(name)?, upload.to_owned(), query))
}

fn repository(text: &str) -> Result<RepositoryName, RouteError> {
    text.parse().map_err(|_| RouteError::InvalidName(excerpt(text)))
}
