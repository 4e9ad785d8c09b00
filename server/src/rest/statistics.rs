//! `/statistics`: how much there is.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use model::api;
use model::error::Errors;
use service::Services;
use utoipa::OpenApi;

use super::extract::Caller;
use super::{Answer, Rest, page};

pub(super) fn routes() -> Router<Rest> {
    Router::new().route("/statistics", get(get_statistic))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(get_statistic))]
pub(super) struct Document;

/// Get the statistic information about the projects and repositories
#[utoipa::path(get, path = "/statistics", operation_id = "getStatistic", tag = "statistic",
    responses((status = 200, body = api::Statistic), (status = 401, body = Errors), (status = 500, body = Errors)))]
async fn get_statistic(State(services): State<Services>, caller: Caller) -> Answer {
    page::json(&services.statistics.get(&caller.actor).await?)
}
