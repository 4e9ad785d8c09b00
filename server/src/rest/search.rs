//! `/search`: projects and repositories by name.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use model::api;
use model::error::Errors;
use service::Services;
use utoipa::OpenApi;

use super::extract::{Caller, QueryParams};
use super::{Answer, Rest, page};

pub(super) fn routes() -> Router<Rest> {
    Router::new().route("/search", get(search))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(search))]
pub(super) struct Document;

/// Search for projects and repositories
#[utoipa::path(get, path = "/search", operation_id = "search", tag = "search", params(("q" = String, Query)),
    responses((status = 200, body = api::Search), (status = 500, body = Errors)))]
async fn search(State(services): State<Services>, caller: Caller, query: QueryParams) -> Answer {
    page::json(&services.search.find(&caller.actor, query.required("q")?).await?)
}
