//! `/system/CVEAllowlist`: the vulnerabilities that the whole system puts up with.

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
    Router::new().route("/system/CVEAllowlist", get(get_system_cve_allowlist).put(put_system_cve_allowlist))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(get_system_cve_allowlist, put_system_cve_allowlist))]
pub(super) struct Document;

super::json::models! {
    api::CVEAllowlistReq = "allowlist",
}

/// Get the system level allowlist of CVE.
#[utoipa::path(get, path = "/system/CVEAllowlist", operation_id = "getSystemCVEAllowlist", tag = "SystemCVEAllowlist",
    responses((status = 200, body = api::CVEAllowlist), (status = 401, body = Errors), (status = 500, body = Errors)))]
async fn get_system_cve_allowlist(State(services): State<Services>, caller: Caller) -> Answer {
    page::json(&services.projects.system_allowlist(&caller.actor).await?)
}

/// Update the system level allowlist of CVE.
#[utoipa::path(put, path = "/system/CVEAllowlist", operation_id = "putSystemCVEAllowlist", tag = "SystemCVEAllowlist",
    request_body = api::CVEAllowlist,
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 500, body = Errors)))]
async fn put_system_cve_allowlist(
    State(services): State<Services>,
    caller: Caller,
    JsonBody(input): JsonBody<api::CVEAllowlistReq>,
) -> Answer {
    services.projects.set_system_allowlist(&caller.actor, &input).await?;
    Ok(page::ok())
}
