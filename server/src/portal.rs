//! The door of the portal: pages and server functions rendered by `app`, with the caller and the rules in their context.
//! `compose` mounts it last: whatever no other door knows is a page, or a page that says so.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use leptos::prelude::provide_context;
use service::{Actor, Services};

use crate::body_limit;
use crate::credentials::{SESSION_COOKIE, cookie};
use crate::log::RequestId;
use crate::security::{self, Origins};
use crate::site::Site;

/// What the door needs.
#[derive(Clone, Debug)]
pub struct Door {
    services: Arc<Services>,
    origins: Origins,
}

/// What pages need before the first is rendered. Takes tens of milliseconds and asks no database, so that composition does it beside.
pub fn prepare(site: &Site) {
    if let Some(assets) = site.assets().cloned() {
        app::shell::Assets { css: assets.css, js: assets.js, wasm: assets.wasm, icons: assets.icons }.install();
    } else {
        tracing::warn!("this program was built without the portal's files: pages have no style and no script");
    }
    // Walks the route tree once: a mistake in it shows at the start, and the renderer's executor is set up.
    let pages = leptos_axum::generate_route_list(app::App);
    tracing::debug!(pages = pages.len(), "the portal's routes are known");
}

/// All pages and the portal's functions; after [`prepare`].
pub fn router(services: Services, origins: Origins) -> Router {
    let door = Door { services: Arc::new(services), origins };
    Router::new()
        .route("/ui/fn/{*name}", any(function))
        // Their POST halves belong to the door of sessions.
        .route("/account/sign-in", get(page))
        .route("/account/sign-out", get(page))
        .fallback(page)
        .with_state(door)
}

/// Who asks, as both doors of the portal put it into the context.
struct Caller {
    actor: Actor,
    base: String,
    request_id: Option<String>,
}

impl Door {
    async fn caller(&self, parts: &Parts) -> Result<Caller, service::Error> {
        let (headers, extensions) = (&parts.headers, &parts.extensions);
        let client = self.origins.facts(extensions, &parts.uri, headers);
        let actor = match cookie(headers, SESSION_COOKIE) {
            Some(cookie) => self.services.sessions.actor(cookie, true).await?.unwrap_or_default(),
            None => Actor::Anonymous,
        };
        let request_id = extensions.get::<RequestId>().map(ToString::to_string);
        Ok(Caller { actor, base: self.origins.external_base(&client), request_id })
    }

    fn context(&self, caller: Caller) -> impl Fn() + Clone + Send + Sync + 'static {
        let services = self.services.clone();
        let visitor = visitor(&caller);
        let actor = caller.actor;
        let id = caller.request_id;
        move || {
            provide_context(services.clone());
            provide_context(actor.clone());
            provide_context(visitor.clone());
            if let Some(id) = &id {
                provide_context(app::ui::RequestId(id.clone()));
            }
        }
    }
}

async fn function(State(door): State<Door>, request: Request) -> Response {
    if door.origins.is_cross_site(request.method(), request.extensions(), request.uri(), request.headers()) {
        return (StatusCode::FORBIDDEN, "This form was sent from another site.\n").into_response();
    }
    let (parts, body) = request.into_parts();
    // Functions read their input whole, whatever its length.
    let body = match body_limit::read(Request::from_parts(parts.clone(), body)).await {
        Ok(body) => body,
        Err(error) => return (StatusCode::PAYLOAD_TOO_LARGE, format!("{}\n", error.message())).into_response(),
    };
    let caller = match door.caller(&parts).await {
        Ok(caller) => caller,
        Err(error) => return broken(&error),
    };
    let request = Request::from_parts(parts, Body::from(body));
    let mut response = leptos_axum::handle_server_fns_with_context(door.context(caller), request).await.into_response();
    security::page_headers(response.headers_mut());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn page(State(door): State<Door>, request: Request) -> Response {
    if !matches!(*request.method(), http::Method::GET | http::Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")], Body::empty()).into_response();
    }
    let (parts, body) = request.into_parts();
    let caller = match door.caller(&parts).await {
        Ok(caller) => caller,
        Err(error) => return broken(&error),
    };
    let request = Request::from_parts(parts, body);
    let provide = door.context(caller);
    let nonce = leptos::nonce::Nonce::new();
    let policy = content_policy(nonce.as_inner());
    let with_nonce = move || {
        provide();
        provide_context(nonce.clone());
    };
    let render = leptos_axum::render_app_async_with_context(with_nonce, app::shell::document);
    let mut response = render(request).await;
    // The renderer redirects only what asks for HTML by name, and marks the others for its own functions.
    if response.headers_mut().remove("serverfnredirect").is_some() && response.status().is_success() {
        *response.status_mut() = StatusCode::FOUND;
    }
    let headers = response.headers_mut();
    security::page_headers(headers);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The person as pages show them. Without an account nobody is shown the version.
fn visitor(caller: &Caller) -> app::session::Visitor {
    let (scheme, registry) = caller.base.split_once("://").unwrap_or(("https", &caller.base));
    let (plain_http, registry) = (scheme == "http", registry.to_owned());
    let account = match &caller.actor {
        Actor::User(user) => Some(app::session::Account {
            name: user.name.clone(),
            full_name: user.full_name.clone(),
            email: user.email.clone(),
            administrator: user.is_admin,
        }),
        _ => None,
    };
    let version = account.is_some().then(|| env!("CARGO_PKG_VERSION").to_owned());
    app::session::Visitor { account, registry, plain_http, version, ..app::session::Visitor::default() }
}

/// Nothing is loaded from elsewhere, and no script runs but ours: the nonce marks the one that starts the portal, which may load the others.
fn content_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

fn broken(error: &service::Error) -> Response {
    tracing::error!(%error, "a page could not be made");
    (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side. The log says what, under this answer's request id.\n")
        .into_response()
}
