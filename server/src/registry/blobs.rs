//! Blobs: read whole or in ranges, and removed.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http::{StatusCode, header};
use oci::range::Multipart;
use oci::{RangeOutcome, RepositoryName, condition, parse_range, route::RawDigest};
use service::Error;
use service::registry::BlobFound;

use super::answer::{Answer, CONTENT_DIGEST, Context};

const OCTETS: &str = "application/octet-stream";

pub(super) async fn pull(context: &Context<'_>, name: &RepositoryName, digest: &RawDigest, head: bool) -> Result<Response, Error> {
    let found = context.registry().blob(&context.actor, name, digest).await?;
    let etag = condition::etag(found.digest.as_str());
    if context.header(header::IF_NONE_MATCH).is_some_and(|k| condition::if_none_match(k, found.digest.as_str())) {
        return Ok(Answer::new(StatusCode::NOT_MODIFIED).header(header::ETAG, &etag).header(CONTENT_DIGEST, found.digest.as_str()).bare());
    }
    if head {
        return Ok(described(StatusCode::OK, &found).header(header::CONTENT_TYPE, OCTETS).length(found.size).bare());
    }
    let blob = context.registry().open_blob(&found).await?;
    match wanted(context, &found) {
        RangeOutcome::Whole => {
            let answer = described(StatusCode::OK, &found).header(header::CONTENT_TYPE, OCTETS).length(found.size);
            Ok(answer.body(Body::from_stream(blob.stream(0, found.size))))
        }
        RangeOutcome::Ranges(ranges) => match ranges.as_slice() {
            [(first, last)] => {
                let length = last - first + 1;
                let answer = described(StatusCode::PARTIAL_CONTENT, &found)
                    .header(header::CONTENT_TYPE, OCTETS)
                    .header(header::CONTENT_RANGE, &format!("bytes {first}-{last}/{}", found.size))
                    .length(length);
                Ok(answer.body(Body::from_stream(blob.stream(*first, length))))
            }
            ranges => Ok(multipart(&found, &blob, ranges)),
        },
        RangeOutcome::Unsatisfiable => {
            Ok(Answer::new(StatusCode::RANGE_NOT_SATISFIABLE).header(header::CONTENT_RANGE, &format!("bytes */{}", found.size)).empty())
        }
        // Clients that ask for too many ranges ask again for fewer when they read 400.
        RangeOutcome::TooMany => Err(Error::bad_request("too many ranges in one request")),
    }
}

pub(super) async fn delete(context: &Context<'_>, name: &RepositoryName, digest: &RawDigest) -> Result<Response, Error> {
    context.registry().delete_blob(&context.actor, name, digest).await?;
    Ok(Answer::new(StatusCode::ACCEPTED).empty())
}

fn wanted(context: &Context<'_>, found: &BlobFound) -> RangeOutcome {
    let Some(range) = context.header(header::RANGE) else {
        return RangeOutcome::Whole;
    };
    match context.header(header::IF_RANGE) {
        Some(condition) if !condition::if_range(condition, found.digest.as_str()) => RangeOutcome::Whole,
        _ => parse_range(range, found.size),
    }
}

/// A blob never changes: whoever may read it may keep it.
fn described(status: StatusCode, found: &BlobFound) -> Answer {
    Answer::new(status)
        .header(CONTENT_DIGEST, found.digest.as_str())
        .header(header::ETAG, &condition::etag(found.digest.as_str()))
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CACHE_CONTROL, "private, max-age=31536000, immutable")
}

/// One part for each range, in the order asked for, never merged: clients count them.
fn multipart(found: &BlobFound, blob: &blob::Blob, ranges: &[(u64, u64)]) -> Response {
    // Parts are told apart by a boundary that no blob can be made to contain on purpose: it depends on the content's own digest.
    let boundary = format!("berth-{}", &found.digest.hex()[..40]);
    let frame = Multipart::new(ranges, found.size, OCTETS, &boundary);
    let mut pieces: Vec<Piece> = Vec::with_capacity(frame.parts.len() * 2 + 1);
    for (head, first, last) in frame.parts {
        pieces.push(Piece::Text(Bytes::from(head)));
        pieces.push(Piece::Content(first, last - first + 1));
    }
    pieces.push(Piece::Text(Bytes::from(frame.tail)));
    let blob = blob.clone();
    let body = stream::iter(pieces).flat_map(move |piece| match piece {
        Piece::Text(text) => Part::Text(Some(text)),
        Piece::Content(start, length) => Part::Content(Box::pin(blob.stream(start, length))),
    });
    described(StatusCode::PARTIAL_CONTENT, found)
        .header(header::CONTENT_TYPE, &frame.content_type)
        .length(frame.length)
        .body(Body::from_stream(body))
}

enum Piece {
    Text(Bytes),
    Content(u64, u64),
}

enum Part {
    Text(Option<Bytes>),
    Content(Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>),
}

impl Stream for Part {
    type Item = std::io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        match self.get_mut() {
            Self::Text(text) => Poll::Ready(text.take().map(Ok)),
            Self::Content(stream) => stream.as_mut().poll_next(cx),
        }
    }
}
