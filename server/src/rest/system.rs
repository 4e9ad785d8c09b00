//! The system about itself: ping, health, version, information.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header;
use model::api;
use model::error::Errors;
use service::Services;
use utoipa::OpenApi;

use super::extract::Caller;
use super::{Answer, Rest, page};
use crate::security::{ClientFacts, Origins};

pub(super) fn routes() -> Router<Rest> {
    Router::new().route("/ping", get(get_ping)).route("/health", get(get_health)).route("/systeminfo", get(get_system_info))
}

/// `/api/version`, outside the versions.
pub(super) fn version_route() -> Router<Rest> {
    Router::new().route("/api/version", get(get_version))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(get_ping, get_health, get_system_info))]
pub(super) struct Document;

/// Ping Harbor to check if it's alive.
#[utoipa::path(get, path = "/ping", operation_id = "getPing", tag = "ping", responses((status = 200, body = String, content_type = "text/plain")))]
async fn get_ping() -> Response {
    ([(header::CONTENT_TYPE, "text/plain")], "Pong").into_response()
}

/// Check the status of Harbor components
#[utoipa::path(get, path = "/health", operation_id = "getHealth", tag = "health",
    responses((status = 200, body = api::OverallHealthStatus), (status = 500, body = Errors)))]
async fn get_health(State(services): State<Services>) -> Answer {
    page::json(&services.system.health().await)
}

/// Get general system info
#[utoipa::path(get, path = "/systeminfo", operation_id = "getSystemInfo", tag = "systeminfo",
    responses((status = 200, body = api::GeneralInfo), (status = 500, body = Errors)))]
async fn get_system_info(State(services): State<Services>, State(origins): State<Origins>, client: ClientFacts, caller: Caller) -> Answer {
    page::json(&services.system.info(&caller.actor, &origins.external_base(&client)))
}

async fn get_version() -> Answer {
    page::json(&serde_json::json!({"version": "v2.0"}))
}
