//! `/labels`, and the labels of an artifact.

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::routing::{delete, get, post};
use model::error::Errors;
use model::{ProjectId, api};
use service::Services;
use utoipa::OpenApi;

use super::artifacts::Target;
use super::extract::{Caller, Listing, PathParams, QueryParams};
use super::json::{JsonBody, models};
use super::{Answer, Rest, page};

const OF_ARTIFACT: &str = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/labels";

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/labels", get(list_labels).post(create_label))
        .route("/labels/{label_id}", get(get_label).put(update_label).delete(delete_label))
        .route(OF_ARTIFACT, post(add_label))
        .route(&format!("{OF_ARTIFACT}/{{label_id}}"), delete(remove_label))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(list_labels, create_label, get_label, update_label, delete_label, add_label, remove_label))]
pub(super) struct Document;

models! {
    api::LabelReq = "label",
    api::LabelRef = "label",
}

/// List labels according to the query strings.
#[utoipa::path(get, path = "/labels", operation_id = "ListLabels", tag = "label",
    params(("q" = Option<String>, Query), ("sort" = Option<String>, Query), ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query),
        ("name" = Option<String>, Query), ("scope" = Option<String>, Query), ("project_id" = Option<i64>, Query)),
    responses((status = 200, body = Vec<api::Label>), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn list_labels(State(services): State<Services>, caller: Caller, query: QueryParams, listing: Listing) -> Answer {
    let project = query.int64("project_id")?.map(ProjectId);
    let scope = query.get("scope").unwrap_or_default();
    listing.page(&services.labels.list(&caller.actor, scope, project, query.get("name"), &listing.query).await?)
}

/// Post creates a label
#[utoipa::path(post, path = "/labels", operation_id = "CreateLabel", tag = "label", request_body = api::Label,
    responses((status = 201), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 409, body = Errors), (status = 500, body = Errors)))]
async fn create_label(
    State(services): State<Services>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    JsonBody(input): JsonBody<api::LabelReq>,
) -> Answer {
    let id = services.labels.create(&caller.actor, &input).await?;
    Ok(page::created(&uri, id))
}

/// Get the label specified by ID.
#[utoipa::path(get, path = "/labels/{label_id}", operation_id = "GetLabelByID", tag = "label", params(("label_id" = i64, Path)),
    responses((status = 200, body = api::Label), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn get_label(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    page::json(&services.labels.get(&caller.actor, path.int64("label_id")?).await?)
}

/// Update the label properties.
#[utoipa::path(put, path = "/labels/{label_id}", operation_id = "UpdateLabel", tag = "label", params(("label_id" = i64, Path)),
    request_body = api::Label,
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 409, body = Errors), (status = 500, body = Errors)))]
async fn update_label(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    JsonBody(input): JsonBody<api::LabelReq>,
) -> Answer {
    services.labels.update(&caller.actor, path.int64("label_id")?, &input).await?;
    Ok(page::ok())
}

/// Delete the label specified by ID.
#[utoipa::path(delete, path = "/labels/{label_id}", operation_id = "DeleteLabel", tag = "label", params(("label_id" = i64, Path)),
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn delete_label(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    services.labels.delete(&caller.actor, path.int64("label_id")?).await?;
    Ok(page::ok())
}

/// Add label to artifact
#[utoipa::path(post, path = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/labels", operation_id = "addLabel",
    tag = "artifact", params(("project_name" = String, Path), ("repository_name" = String, Path), ("reference" = String, Path)),
    request_body = api::Label,
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 409, body = Errors), (status = 500, body = Errors)))]
async fn add_label(State(services): State<Services>, caller: Caller, path: PathParams, JsonBody(input): JsonBody<api::LabelRef>) -> Answer {
    services.labels.attach(&caller.actor, &Target::of(&path).named(), input.id).await?;
    Ok(page::ok())
}

/// Remove label from artifact
#[utoipa::path(delete, path = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/labels/{label_id}",
    operation_id = "removeLabel", tag = "artifact",
    params(("project_name" = String, Path), ("repository_name" = String, Path), ("reference" = String, Path), ("label_id" = i64, Path)),
    responses((status = 200), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn remove_label(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    let label = path.int64("label_id")?;
    services.labels.detach(&caller.actor, &Target::of(&path).named(), label).await?;
    Ok(page::ok())
}
