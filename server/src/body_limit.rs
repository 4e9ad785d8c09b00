//! How large the body of a request may be that is neither a blob nor a manifest: the setting `limits.request_body`. `compose` puts it on every
//! request, and the doors read bodies here.

use axum::body::Bytes;
use axum::extract::Request;
use http::header;
use model::error::ErrorCode;

/// Bytes that a body may have; 4 MiB where composition says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimit(pub usize);

impl Default for BodyLimit {
    fn default() -> Self {
        Self(4 << 20)
    }
}

/// The whole body of a request. One that says that it is larger is not read at all.
///
/// # Errors
/// 413.
pub(crate) async fn read(request: Request) -> Result<Bytes, service::Error> {
    let BodyLimit(limit) = request.extensions().get().copied().unwrap_or_default();
    let too_large = || service::Error::new(ErrorCode::RequestEntityTooLarge, format!("the body is larger than {limit} bytes"));
    let told = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|told| told > limit as u64) {
        return Err(too_large());
    }
    // The only other failure is a connection that broke, and then nobody reads the answer.
    axum::body::to_bytes(request.into_body(), limit).await.map_err(|_| too_large())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    async fn status(body: Body, length: Option<&str>, limit: Option<usize>) -> Result<usize, u16> {
        let mut request = Request::new(body);
        if let Some(length) = length {
            request.headers_mut().insert(header::CONTENT_LENGTH, length.parse().unwrap());
        }
        if let Some(limit) = limit {
            request.extensions_mut().insert(BodyLimit(limit));
        }
        read(request).await.map(|bytes| bytes.len()).map_err(|error| error.status)
    }

    #[tokio::test]
    async fn a_body_has_at_most_as_many_bytes_as_are_set() {
        assert_eq!(status(Body::from("12345"), None, Some(5)).await, Ok(5));
        assert_eq!(status(Body::from("123456"), None, Some(5)).await, Err(413));
        assert_eq!(status(Body::from(vec![b'x'; 4 << 20]), None, None).await, Ok(4 << 20));
        assert_eq!(status(Body::from(vec![b'x'; (4 << 20) + 1]), None, None).await, Err(413));
    }

    #[tokio::test]
    async fn a_length_that_is_too_much_is_enough() {
        assert_eq!(status(Body::empty(), Some("6"), Some(5)).await, Err(413));
        assert_eq!(status(Body::empty(), Some("18446744073709551616"), Some(5)).await, Ok(0));
    }
}
