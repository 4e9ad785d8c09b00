//! `/configurations`: settings that administrators change while the server runs; `/internalconfig`, which nobody may read.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use model::api;
use model::error::Errors;
use service::Services;
use utoipa::OpenApi;

use super::extract::Caller;
use super::json::JsonBody;
use super::{Answer, Rest, page};

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/configurations", get(get_configurations).put(update_configurations))
        .route("/internalconfig", get(get_internalconfig))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(get_configurations, update_configurations, get_internalconfig))]
pub(super) struct Document;

super::json::models! {
    api::Configurations = "configurations",
}

/// Get system configurations.
#[utoipa::path(get, path = "/configurations", operation_id = "getConfigurations", tag = "configure",
    responses((status = 200, body = api::ConfigurationsResponse), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 500, body = Errors)))]
async fn get_configurations(State(services): State<Services>, caller: Caller) -> Answer {
    page::json(&services.configuration.get(&caller.actor).await?)
}

/// Modify system configurations.
#[utoipa::path(put, path = "/configurations", operation_id = "updateConfigurations", tag = "configure", request_body = api::Configurations,
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 422, body = Errors),
        (status = 500, body = Errors)))]
async fn update_configurations(State(services): State<Services>, caller: Caller, JsonBody(input): JsonBody<api::Configurations>) -> Answer {
    services.configuration.update(&caller.actor, &input).await?;
    Ok(page::ok())
}

/// Get internal configurations.
#[utoipa::path(get, path = "/internalconfig", operation_id = "getInternalconfig", tag = "configure",
    responses((status = 401, body = Errors), (status = 500, body = Errors)))]
async fn get_internalconfig(State(services): State<Services>) -> Answer {
    Ok(services.configuration.internal().map(|()| page::ok())?)
}
