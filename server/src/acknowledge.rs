//! Changes are finished, and known to every process, before they are acknowledged. Composition puts this around all doors.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{Method, StatusCode};
use service::replicas::Replicas;
use tracing::Instrument as _;

/// Signing out may be a plain link.
const CHANGES_BY_GET: &str = "/c/log_out";

/// Reads pass. A change goes on when its client goes away: between a commit and what has to follow it nothing may be dropped.
pub(crate) async fn changes(State(replicas): State<Arc<Replicas>>, request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if is_read && request.uri().path().trim_end_matches('/') != CHANGES_BY_GET {
        return next.run(request).await;
    }
    let change = async move {
        let response = next.run(request).await;
        replicas.settled().await;
        response
    };
    match tokio::spawn(change.in_current_span()).await {
        Ok(response) => response,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only the end of the runtime ends the task otherwise.
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
    }
}
