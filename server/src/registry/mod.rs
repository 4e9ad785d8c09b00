//! The door of the distribution protocol: `/v2/*` in, `oci::Operation` out of it, one call to the rules, the protocol's answers back.
//! `compose` mounts it; no session middleware touches it.

mod answer;
mod blobs;
mod browser;
mod lists;
mod manifests;
mod places;
mod token;
mod uploads;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, get};
use http::{HeaderMap, HeaderValue, header};
use oci::{Operation, RouteError};
use service::error::Challenge;
use service::{Actor, Error, Services};

use crate::credentials;
use crate::csrf::Csrf;
use crate::read_only;
use crate::security::Origins;
use answer::Context;
use places::Places;

/// What the door needs: the rules, and how clients see this server.
#[derive(Debug)]
pub struct Door {
    services: Services,
    origins: Origins,
    uploads: Arc<Places>,
    csrf: Csrf,
}

/// The routes of the registry and its token service.
/// `uploads`: how many may send bytes at the same time.
pub fn router(services: Services, origins: Origins, uploads: usize) -> Router {
    routes(Arc::new(Door::new(services, origins, uploads)))
}

/// The routes of a door.
pub(crate) fn routes(door: Arc<Door>) -> Router {
    Router::new()
        .route("/v2", any(registry))
        .route("/v2/", any(registry))
        .route("/v2/{*rest}", any(registry))
        .route("/service/token", any(token::token))
        .route("/.well-known/jwks.json", get(token::jwks))
        .with_state(door)
}

/// How the caller presented itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presented {
    Nothing,
    Basic,
    Bearer,
    Session,
}

impl Door {
    /// `uploads`: how many may send bytes at the same time.
    pub(crate) fn new(services: Services, origins: Origins, uploads: usize) -> Self {
        let csrf = Csrf::of(&services);
        Self { services, origins, uploads: Arc::new(Places::new(uploads)), csrf }
    }

    /// Answers a request below `/v2/`.
    pub(crate) async fn answer(&self, request: Request) -> Response {
        if request.headers().contains_key(header::COOKIE) {
            return match self.check_forgery(&request) {
                Ok(verdict) => verdict.attach(Box::pin(self.answer_checked(request)).await),
                Err(refusal) => *refusal,
            };
        }
        self.answer_checked(request).await
    }

    async fn answer_checked(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        if let Err(error) = read_only::check(&self.services, &parts.method, parts.uri.path()) {
            return answer::error(&error);
        }
        let (actor, presented) = match self.caller(&parts.headers).await {
            Ok(caller) => caller,
            Err(error) => return answer::error(&error),
        };
        let operation = match Operation::parse(parts.method.as_str(), parts.uri.path(), parts.uri.query().unwrap_or_default()) {
            Ok(operation) => operation,
            Err(error) => return unrouted(&error, &parts.method, parts.uri.path()),
        };
        let context = Context { door: self, actor, request: &parts };
        let is_read = operation.action() == oci::Action::Pull && operation.repository().is_some_and(|name| name.project().is_some());
        let answered = if presented == Presented::Nothing && is_read {
            Err(context.registry().sign_in_first())
        } else {
            dispatch(&context, &operation, body).await
        };
        let mut response = match answered {
            Ok(response) => response,
            Err(error) => {
                let mut response = answer::error(&error);
                if error.status == 401
                    && let Some(value) = self.challenge(&error, presented, &context, &operation)
                {
                    response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
                }
                response
            }
        };
        if parts.method == http::Method::HEAD {
            *response.body_mut() = axum::body::Body::empty();
        }
        response
    }

    /// Who calls, by the `Authorization` header; without one by the session of the portal.
    async fn caller(&self, headers: &HeaderMap) -> Result<(Actor, Presented), Error> {
        let Some(value) = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()) else {
            return if headers.contains_key(header::COOKIE) {
                Box::pin(self.by_session(headers)).await
            } else {
                Ok((Actor::Anonymous, Presented::Nothing))
            };
        };
        if let Some(token) = credentials::bearer(value) {
            let actor = self.services.core.tokens.verify(token).map(Actor::Token);
            return Ok((actor.unwrap_or_default(), Presented::Bearer));
        }
        let Some((user, password)) = credentials::basic(value) else {
            return Ok((Actor::Anonymous, Presented::Nothing));
        };
        if user.is_empty() && password.is_empty() {
            // Some clients send empty credentials for "nobody".
            return Ok((Actor::Anonymous, Presented::Nothing));
        }
        // Boxed: what checks passwords is large, and most requests bring tokens.
        let actor = Box::pin(self.services.authn.basic(&user, &password)).await?;
        Ok((actor.unwrap_or_default(), Presented::Basic))
    }

    /// The value of `WWW-Authenticate` for a 401. Bearer always names how to get a token, and what was wrong with the one presented.
    fn challenge(&self, error: &Error, presented: Presented, context: &Context<'_>, operation: &Operation) -> Option<HeaderValue> {
        use oci::challenge::TokenFault;
        let text = match (error.challenge, presented) {
            (Challenge::Empty, _) => String::new(),
            (Challenge::Basic, _) | (Challenge::Asked, Presented::Basic) => oci::Challenge::basic("harbor").to_string(),
            (Challenge::Asked, presented) => {
                let realm = format!("{}/service/token", self.origins.external_base(&context.client()));
                let challenge = oci::Challenge::bearer(realm, service::token::SERVICE, operation.scopes());
                match (presented, &context.actor) {
                    (Presented::Bearer, Actor::Token(_)) => challenge.with_error(TokenFault::InsufficientScope),
                    (Presented::Bearer, _) => challenge.with_error(TokenFault::Invalid),
                    _ => challenge,
                }
                .to_string()
            }
        };
        HeaderValue::from_str(&text).ok()
    }
}

async fn registry(State(door): State<Arc<Door>>, request: Request) -> Response {
    door.answer(request).await
}

/// Boxed is what is rare or long: a future is copied several times on its way, and that of a small read must not have room for an upload's.
async fn dispatch(context: &Context<'_>, operation: &Operation, body: axum::body::Body) -> Result<Response, Error> {
    match operation {
        Operation::Ping => lists::ping(context),
        Operation::Catalog { page } => Box::pin(lists::catalog(context, page)).await,
        Operation::Tags { name, page } => lists::tags(context, name, page).await,
        Operation::Referrers { name, digest, artifact_types, page } => {
            Box::pin(lists::referrers(context, name, digest, artifact_types, page)).await
        }
        Operation::Extensions { name } => Box::pin(lists::extensions(context, name.as_ref())).await,
        Operation::PullManifest { name, reference, head } => manifests::pull(context, name, reference, *head).await,
        Operation::PushManifest { name, reference, tags } => Box::pin(manifests::push(context, name, reference, tags, body)).await,
        Operation::DeleteManifest { name, reference } => Box::pin(manifests::delete(context, name, reference)).await,
        Operation::PullBlob { name, digest, head } => blobs::pull(context, name, digest, *head).await,
        Operation::DeleteBlob { name, digest } => Box::pin(blobs::delete(context, name, digest)).await,
        Operation::StartUpload { name, mount, from, digest, digest_algorithm } => {
            let request = service::registry::UploadRequest {
                mount: mount.as_deref(),
                from: from.as_deref(),
                digest_algorithm: digest_algorithm.as_deref(),
            };
            Box::pin(uploads::start(context, name, &request, digest.as_deref(), body)).await
        }
        Operation::UploadStatus { name, upload } => Box::pin(uploads::status(context, name, upload)).await,
        Operation::UploadChunk { name, upload } => Box::pin(uploads::append(context, name, upload, body)).await,
        Operation::FinishUpload { name, upload, digest } => Box::pin(uploads::finish(context, name, upload, digest.as_deref(), body)).await,
        Operation::CancelUpload { name, upload } => Box::pin(uploads::cancel(context, name, upload)).await,
    }
}

/// A request that is no operation. Harbor calls what it does not know unauthorised, with an empty challenge.
fn unrouted(error: &RouteError, method: &http::Method, path: &str) -> Response {
    let plain = |status: u16, code: oci::ErrorCode, message: String| {
        let item = service::error::Item { code: code.as_str().into(), message, detail: None };
        answer::error(&Error::with_items(status, vec![item]))
    };
    match error {
        RouteError::MethodNotAllowed { allow } => {
            let mut response = plain(405, oci::ErrorCode::Unsupported, format!("{method} is not possible here"));
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
            response
        }
        RouteError::TooLong => plain(414, oci::ErrorCode::Unsupported, "the address is too long".into()),
        RouteError::NotFound | RouteError::InvalidName(_) => {
            let sentence = format!("un-recognized request: {method} {}", path.chars().take(512).collect::<String>());
            let mut response = answer::error(&Error::unauthorized(format!("{sentence}: {sentence}")));
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(""));
            response
        }
    }
}
