//! Manifests: read, stored, deleted.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, StatusCode, header};
use model::error::ErrorCode;
use oci::{RepositoryName, condition, limits, route::RawReference};
use service::Error;
use service::registry::{ManifestPull, ManifestPush, PulledManifest, Use};

use super::answer::{Answer, CONTENT_DIGEST, Context};

pub(super) async fn pull(context: &Context<'_>, name: &RepositoryName, reference: &RawReference, head: bool) -> Result<Response, Error> {
    let (user_agent, known) = (context.header(header::USER_AGENT), context.header(header::IF_NONE_MATCH));
    let pull = ManifestPull { head, user_agent, known };
    let PulledManifest { manifest, is_known } = context.registry().manifest(&context.actor, name, reference, pull).await?;
    if is_known {
        return Ok(Answer::new(StatusCode::NOT_MODIFIED)
            .header(header::ETAG, &condition::etag(&manifest.digest))
            .header(CONTENT_DIGEST, &manifest.digest)
            .bare());
    }
    // The stored document with its type, whatever Accept says: never converted, never compressed.
    let answer = Answer::new(StatusCode::OK)
        .header(header::CONTENT_TYPE, &manifest.media_type)
        .header(CONTENT_DIGEST, &manifest.digest)
        .header(header::ETAG, &condition::etag(&manifest.digest))
        .length(manifest.content.len() as u64);
    Ok(if head { answer.bare() } else { answer.body(manifest.content.clone()) })
}

pub(super) async fn push(
    context: &Context<'_>,
    name: &RepositoryName,
    reference: &RawReference,
    tags: &[String],
    body: Body,
) -> Result<Response, Error> {
    // Before a byte of the body is read: a client that may not push learns it at once.
    context.registry().may(&context.actor, name, Use::Push).await?;
    let content = axum::body::to_bytes(body, limits::MAX_MANIFEST_BYTES)
        .await
        .map_err(|_| Error::new(ErrorCode::RequestEntityTooLarge, "request entity too large"))?;
    let push = ManifestPush { reference, tags, content_type: context.header(header::CONTENT_TYPE), content };
    let pushed = context.registry().push_manifest(&context.actor, name, &push).await?;
    let mut answer = Answer::new(StatusCode::CREATED)
        .header(header::LOCATION, &context.address(format_args!("/v2/{name}/manifests/{}", pushed.digest)))
        .header(CONTENT_DIGEST, pushed.digest.as_str());
    if let Some(subject) = &pushed.subject {
        answer = answer.header(HeaderName::from_static("oci-subject"), subject.as_str());
    }
    if !pushed.tags.is_empty() {
        answer = answer.header(HeaderName::from_static("oci-tag"), &pushed.tags.join(", "));
    }
    Ok(answer.empty())
}

pub(super) async fn delete(context: &Context<'_>, name: &RepositoryName, reference: &RawReference) -> Result<Response, Error> {
    context.registry().delete_manifest(&context.actor, name, reference).await?;
    Ok(Answer::new(StatusCode::ACCEPTED).empty())
}
