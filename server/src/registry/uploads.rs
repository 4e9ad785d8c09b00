//! Uploads: opened, fed, asked about, closed, cancelled.

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::{StatusCode, header};
use http_body::Body as _;
use oci::{ContentRange, Digest, RepositoryName};
use service::Error;
use service::registry::{Chunk, Progress, Refused, Started, UploadRequest};

use super::answer::{Answer, CONTENT_DIGEST, Context, UPLOAD_UUID};
use super::places::Place;

pub(super) async fn start(
    context: &Context<'_>,
    name: &RepositoryName,
    request: &UploadRequest<'_>,
    digest: Option<&str>,
    body: Body,
) -> Result<Response, Error> {
    match context.registry().start_upload(&context.actor, name, request).await? {
        Started::Mounted(digest) => Ok(created(context, name, &digest)),
        Started::Open(upload) => {
            // A whole blob in the opening request. Without a body the client only announces its digest.
            if let Some(text) = digest
                && (!body.is_end_stream() || text.parse::<Digest>().is_ok_and(|d| d.verifies(b"")))
            {
                return finish(context, name, &upload, Some(text), body).await;
            }
            Ok(located(context, StatusCode::ACCEPTED, name, &Progress { upload, received: 0 }).empty())
        }
    }
}

pub(super) async fn status(context: &Context<'_>, name: &RepositoryName, upload: &str) -> Result<Response, Error> {
    let progress = context.registry().upload_status(&context.actor, name, upload).await?;
    Ok(located(context, StatusCode::NO_CONTENT, name, &progress).bare())
}

pub(super) async fn append(context: &Context<'_>, name: &RepositoryName, upload: &str, body: Body) -> Result<Response, Error> {
    let Ok(chunk) = chunk(context, &body) else {
        return out_of_order(context, name, upload).await;
    };
    // In a task of its own: a client that goes away ends this request, and what had arrived must still be recorded.
    let (registry, actor) = (context.registry().clone(), context.actor.clone());
    let (repository, id) = (name.clone(), upload.to_owned());
    let place = place_to_send(context, chunk)?;
    let task = tokio::spawn(async move {
        let _place = place;
        registry.append(&actor, &repository, &id, chunk, body.into_data_stream()).await
    });
    match task.await.map_err(Error::internal)? {
        Ok(progress) => Ok(located(context, StatusCode::ACCEPTED, name, &progress).empty()),
        Err(Refused::OutOfOrder(progress)) => Ok(located(context, StatusCode::RANGE_NOT_SATISFIABLE, name, &progress).empty()),
        Err(Refused::Error(error)) => Err(error),
    }
}

pub(super) async fn finish(
    context: &Context<'_>,
    name: &RepositoryName,
    upload: &str,
    digest: Option<&str>,
    body: Body,
) -> Result<Response, Error> {
    let Ok(chunk) = chunk(context, &body) else {
        return out_of_order(context, name, upload).await;
    };
    let (registry, actor) = (context.registry().clone(), context.actor.clone());
    let (repository, id, text) = (name.clone(), upload.to_owned(), digest.map(str::to_owned));
    let place = place_to_send(context, chunk)?;
    let task = tokio::spawn(async move {
        let _place = place;
        registry.finish_upload(&actor, &repository, &id, text.as_deref(), chunk, body.into_data_stream()).await
    });
    match task.await.map_err(Error::internal)? {
        Ok(digest) => Ok(created(context, name, &digest)),
        Err(Refused::OutOfOrder(progress)) => Ok(located(context, StatusCode::RANGE_NOT_SATISFIABLE, name, &progress).empty()),
        Err(Refused::Error(error)) => Err(error),
    }
}

pub(super) async fn cancel(context: &Context<'_>, name: &RepositoryName, upload: &str) -> Result<Response, Error> {
    context.registry().cancel_upload(&context.actor, name, upload).await?;
    Ok(Answer::new(StatusCode::NO_CONTENT).bare())
}

/// One of the places for uploads that send bytes (`limits.uploads`); none is needed for a request without a body.
fn place_to_send(context: &Context<'_>, chunk: Chunk) -> Result<Option<Place>, Error> {
    if chunk.length == Some(0) {
        return Ok(None);
    }
    let place = context.door.uploads.take(context.actor.name()).ok_or_else(|| {
        let message = "too many uploads send at the same time: wait a moment";
        Error::oci_message(oci::ErrorCode::TooManyRequests, message, serde_json::Value::Null)
    })?;
    Ok(Some(place))
}

/// How the body is framed; an error when `Content-Range` cannot be read.
fn chunk(context: &Context<'_>, body: &Body) -> Result<Chunk, ()> {
    let range = match context.header(header::CONTENT_RANGE) {
        None => None,
        Some(text) => Some(text.parse::<ContentRange>().map_err(drop)?),
    };
    let length = if body.is_end_stream() { Some(0) } else { body.size_hint().exact() };
    Ok(Chunk { range, length })
}

/// A chunk that cannot continue the upload, whatever its range was meant to say.
async fn out_of_order(context: &Context<'_>, name: &RepositoryName, upload: &str) -> Result<Response, Error> {
    let progress = context.registry().upload_status(&context.actor, name, upload).await?;
    Ok(located(context, StatusCode::RANGE_NOT_SATISFIABLE, name, &progress).empty())
}

fn created(context: &Context<'_>, name: &RepositoryName, digest: &Digest) -> Response {
    Answer::new(StatusCode::CREATED)
        .header(header::LOCATION, &context.address(format_args!("/v2/{name}/blobs/{digest}")))
        .header(CONTENT_DIGEST, digest.as_str())
        .empty()
}

/// Where the upload goes on, and how far it came. The parameter of the address says how far it was then; an older address works as well.
fn located(context: &Context<'_>, status: StatusCode, name: &RepositoryName, progress: &Progress) -> Answer {
    let state = BASE64_URL_SAFE_NO_PAD.encode(progress.received.to_string());
    Answer::new(status)
        .header(header::LOCATION, &context.address(format_args!("/v2/{name}/blobs/uploads/{}?_state={state}", progress.upload)))
        .header(header::RANGE, &format!("0-{}", progress.received.saturating_sub(1)))
        .header(UPLOAD_UUID, &progress.upload)
}
