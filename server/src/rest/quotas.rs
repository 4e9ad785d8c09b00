//! `/quotas`: what projects may hold.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use model::api;
use model::error::Errors;
use service::Services;
use utoipa::OpenApi;

use super::extract::{Caller, Listing, PathParams, QueryParams};
use super::json::JsonBody;
use super::{Answer, Rest, page};

pub(super) fn routes() -> Router<Rest> {
    Router::new().route("/quotas", get(list_quotas)).route("/quotas/{id}", get(get_quota).put(update_quota))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(list_quotas, get_quota, update_quota))]
pub(super) struct Document;

super::json::models! {
    api::QuotaUpdateReq = "hard",
}

/// List quotas
#[utoipa::path(get, path = "/quotas", operation_id = "listQuotas", tag = "quota",
    params(("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query), ("reference" = Option<String>, Query),
        ("reference_id" = Option<String>, Query), ("sort" = Option<String>, Query)),
    responses((status = 200, body = Vec<api::Quota>), (status = 401, body = Errors), (status = 403, body = Errors), (status = 500, body = Errors)))]
async fn list_quotas(State(services): State<Services>, caller: Caller, query: QueryParams, listing: Listing) -> Answer {
    let given = |name| query.get(name).filter(|value: &&str| !value.is_empty());
    listing.page(&services.quotas.list(&caller.actor, given("reference"), given("reference_id"), &listing.query).await?)
}

/// Get the specified quota
#[utoipa::path(get, path = "/quotas/{id}", operation_id = "getQuota", tag = "quota", params(("id" = i64, Path)),
    responses((status = 200, body = api::Quota), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn get_quota(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    page::json(&services.quotas.get(&caller.actor, path.int64("id")?).await?)
}

/// Update the specified quota
#[utoipa::path(put, path = "/quotas/{id}", operation_id = "updateQuota", tag = "quota", params(("id" = i64, Path)),
    request_body = api::QuotaUpdateReq,
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn update_quota(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    JsonBody(input): JsonBody<api::QuotaUpdateReq>,
) -> Answer {
    services.quotas.update(&caller.actor, path.int64("id")?, &input).await?;
    Ok(page::ok())
}
