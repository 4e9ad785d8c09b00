//! All doors of a server as one. Reads of the registry, which are most of all requests, go straight to their door; everything else goes by the
//! router and what is around it. `compose` makes it, the listener asks it.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{Method, Request};
use tower::ServiceExt as _;

use crate::registry;

/// What answers requests. Cheap to clone.
#[derive(Clone)]
pub struct Doors {
    router: Router,
    registry: Option<Arc<registry::Door>>,
}

impl fmt::Debug for Doors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Doors(…)")
    }
}

impl From<Router> for Doors {
    /// Everything by the router.
    fn from(router: Router) -> Self {
        Self { router, registry: None }
    }
}

impl Doors {
    /// `router` knows the registry's routes too.
    pub(crate) fn new(router: Router, registry: Arc<registry::Door>) -> Self {
        Self { router, registry: Some(registry) }
    }

    /// Answers a request.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        if let Some(door) = &self.registry
            && matches!(*request.method(), Method::GET | Method::HEAD)
            && request.uri().path().starts_with("/v2/")
        {
            return door.answer(request).await;
        }
        match self.router.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        }
    }
}
