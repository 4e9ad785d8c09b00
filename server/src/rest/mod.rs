//! The REST door: Harbor's API v2.0 and its form endpoints under `/c`, on one machinery of extractors, errors, pages and CSRF protection.
//! `compose` builds it with [`router`]; each noun is a file with its handlers, its routes and its part of the OpenAPI document.

mod allowlist;
mod artifacts;
mod auditlogs;
mod browse;
mod configurations;
mod error;
mod extract;
mod gate;
mod immutabletagrules;
mod json;
mod labels;
mod members;
mod metadatas;
mod openapi;
mod page;
mod permissions;
mod projects;
mod quotas;
mod remembered;
mod repositories;
mod robots;
mod search;
mod session;
mod statistics;
mod system;
mod tags;
#[cfg(test)]
mod tests;
mod user;
mod usergroups;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::any_service;
use service::Services;

pub use error::{Answer, RestError};
pub use openapi::document;

use crate::csrf::Csrf;
use crate::security::Origins;
use remembered::Remembered;

/// Where the API lives.
pub const BASE: &str = "/api/v2.0";

/// What handlers may ask for: `State<Services>`, `State<Origins>`, and so on.
#[derive(Clone, Debug)]
pub struct Rest {
    /// The rules.
    pub services: Services,
    /// Where requests come from.
    pub origins: Origins,
    /// Tokens against forged requests.
    pub csrf: Arc<Csrf>,
    /// Answers that were given before.
    remembered: Arc<Remembered>,
}

impl FromRef<Rest> for Services {
    fn from_ref(rest: &Rest) -> Self {
        rest.services.clone()
    }
}

impl FromRef<Rest> for Origins {
    fn from_ref(rest: &Rest) -> Self {
        rest.origins.clone()
    }
}

/// The whole door: `/api/…`, `/c/…`, and POST on `/account/sign-in` and `/account/sign-out`. To be merged with the other doors.
pub fn router(services: Services, origins: Origins) -> Router {
    let rest = Rest { csrf: Arc::new(Csrf::of(&services)), remembered: Arc::new(Remembered::new(&services)), services, origins };
    let api = Router::new()
        .merge(user::routes())
        .merge(system::routes())
        .merge(permissions::routes())
        .merge(projects::routes())
        .merge(metadatas::routes())
        .merge(members::routes())
        .merge(usergroups::routes())
        .merge(immutabletagrules::routes())
        .merge(robots::routes())
        .merge(quotas::routes())
        .merge(allowlist::routes())
        .merge(repositories::routes())
        .merge(artifacts::routes())
        .merge(tags::routes())
        .merge(labels::routes())
        .merge(search::routes())
        .merge(statistics::routes())
        .merge(configurations::routes())
        .merge(auditlogs::routes())
        .merge(openapi::routes());
    let inner = Router::new()
        .nest(BASE, api)
        .merge(system::version_route())
        .merge(session::routes())
        .fallback(error::no_such_path)
        .with_state(rest.clone());
    let gate = gate::service(rest.clone(), inner);
    Router::new()
        .route("/api", any_service(gate.clone()))
        .route("/api/{*rest}", any_service(gate.clone()))
        .route("/c/{*rest}", any_service(gate))
        .merge(browse::harbor_route())
        .merge(session::form_routes().with_state(rest))
}
