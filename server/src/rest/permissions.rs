//! `/permissions`: what robots may be given.

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
    Router::new().route("/permissions", get(get_permissions))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(get_permissions))]
pub(super) struct Document;

/// Get system or project level permissions info.
#[utoipa::path(get, path = "/permissions", operation_id = "getPermissions", tag = "permissions",
    responses((status = 200, body = api::Permissions), (status = 401, body = Errors), (status = 403, body = Errors), (status = 500, body = Errors)))]
async fn get_permissions(State(services): State<Services>, caller: Caller) -> Answer {
    page::json(&services.users.catalogue(&caller.actor).await?)
}
