//! `/projects/{project_name_or_id}/immutabletagrules`: which tags can be neither moved nor deleted.

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::routing::{get, put};
use model::api;
use model::error::Errors;
use service::Services;
use utoipa::OpenApi;

use super::extract::{Caller, Listing, PathParams};
use super::json::JsonBody;
use super::{Answer, Rest, page};

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/projects/{project_name_or_id}/immutabletagrules", get(list_immu_rules).post(create_immu_rule))
        .route("/projects/{project_name_or_id}/immutabletagrules/{immutable_rule_id}", put(update_immu_rule).delete(delete_immu_rule))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(list_immu_rules, create_immu_rule, update_immu_rule, delete_immu_rule))]
pub(super) struct Document;

super::json::models! {
    api::ImmutableRule = "immutableRule",
}

/// List all immutable tag rules of current project
#[utoipa::path(get, path = "/projects/{project_name_or_id}/immutabletagrules", operation_id = "ListImmuRules", tag = "immutable",
    params(("project_name_or_id" = String, Path), ("X-Is-Resource-Name" = Option<bool>, Header), ("page" = Option<i64>, Query),
        ("page_size" = Option<i64>, Query), ("q" = Option<String>, Query), ("sort" = Option<String>, Query)),
    responses((status = 200, body = Vec<api::ImmutableRule>), (status = 400, body = Errors), (status = 401, body = Errors),
        (status = 403, body = Errors), (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn list_immu_rules(State(services): State<Services>, caller: Caller, path: PathParams, listing: Listing) -> Answer {
    listing.page(&services.immutable_rules.list(&caller.actor, &path.project("project_name_or_id"), &listing.query).await?)
}

/// Add an immutable tag rule to current project
#[utoipa::path(post, path = "/projects/{project_name_or_id}/immutabletagrules", operation_id = "CreateImmuRule", tag = "immutable",
    request_body = api::ImmutableRule, params(("project_name_or_id" = String, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 201), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 409, body = Errors), (status = 500, body = Errors)))]
async fn create_immu_rule(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    OriginalUri(uri): OriginalUri,
    JsonBody(input): JsonBody<api::ImmutableRule>,
) -> Answer {
    let id = services.immutable_rules.create(&caller.actor, &path.project("project_name_or_id"), &input).await?;
    Ok(page::created(&uri, id))
}

/// Update the immutable tag rule or enable or disable the rule
#[utoipa::path(put, path = "/projects/{project_name_or_id}/immutabletagrules/{immutable_rule_id}", operation_id = "UpdateImmuRule", tag = "immutable",
    request_body = api::ImmutableRule,
    params(("project_name_or_id" = String, Path), ("immutable_rule_id" = i64, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn update_immu_rule(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    JsonBody(input): JsonBody<api::ImmutableRule>,
) -> Answer {
    let id = path.int64("immutable_rule_id")?;
    services.immutable_rules.update(&caller.actor, &path.project("project_name_or_id"), id, &input).await?;
    Ok(page::ok())
}

/// Delete the immutable tag rule.
#[utoipa::path(delete, path = "/projects/{project_name_or_id}/immutabletagrules/{immutable_rule_id}", operation_id = "DeleteImmuRule", tag = "immutable",
    params(("project_name_or_id" = String, Path), ("immutable_rule_id" = i64, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn delete_immu_rule(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    let id = path.int64("immutable_rule_id")?;
    services.immutable_rules.delete(&caller.actor, &path.project("project_name_or_id"), id).await?;
    Ok(page::ok())
}
