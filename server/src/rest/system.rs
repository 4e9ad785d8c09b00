//! The system about itself: ping, health, version, information.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, header};
use model::api;
use model::error::Errors;
use service::Services;
use utoipa::OpenApi;

use super::extract::Caller;
use super::session::with_any_session;
use super::{Answer, Rest, page};
use crate::security::{ClientFacts, Origins};

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/ping", get(get_ping))
        .route("/health", get(get_health))
        .route("/systeminfo", get(get_system_info))
        .route("/systeminfo/volumes", get(get_volumes))
        .route("/systeminfo/getcert", get(get_cert))
}

/// `/api/version`, outside the versions.
pub(super) fn version_route() -> Router<Rest> {
    Router::new().route("/api/version", get(get_version))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(get_ping, get_health, get_system_info, get_volumes, get_cert))]
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
async fn get_system_info(
    State(services): State<Services>,
    State(origins): State<Origins>,
    client: ClientFacts,
    caller: Caller,
    headers: HeaderMap,
) -> Answer {
    let answer = page::json(&services.system.info(&caller.actor, &origins.external_base(&client)))?;
    // What a browser asks first: from here on it has a session, and so a token to sign in with (api-conventions 1.7).
    let comes_with_secret = headers.contains_key(header::AUTHORIZATION);
    Ok(if comes_with_secret { answer } else { with_any_session(answer, &services, &headers, &client) })
}

/// Get system volume info (total/free size).
#[utoipa::path(get, path = "/systeminfo/volumes", operation_id = "getVolumes", tag = "systeminfo",
    responses((status = 200, body = api::SystemInfo), (status = 401, body = Errors), (status = 403, body = Errors), (status = 500, body = Errors)))]
async fn get_volumes(State(services): State<Services>, caller: Caller) -> Answer {
    page::json(&services.system.volumes(&caller.actor).await?)
}

/// Get default root certificate.
#[utoipa::path(get, path = "/systeminfo/getcert", operation_id = "getCert", tag = "systeminfo",
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn get_cert(State(services): State<Services>) -> Answer {
    let certificate = services.system.ca_certificate()?;
    let headers = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CONTENT_DISPOSITION, "attachment; filename=ca.crt")];
    Ok((headers, certificate).into_response())
}

async fn get_version() -> Answer {
    page::json(&serde_json::json!({"version": "v2.0"}))
}
