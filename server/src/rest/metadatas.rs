//! `/projects/{project_name_or_id}/metadatas`: the settings of a project, one by one.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use model::error::Errors;
use service::Services;
use utoipa::OpenApi;

use super::extract::{Caller, PathParams};
use super::json::JsonBody;
use super::{Answer, Rest, page};

type Pairs = BTreeMap<String, String>;

pub(super) fn routes() -> Router<Rest> {
    Router::new().route("/projects/{project_name_or_id}/metadatas", get(list_project_metadatas).post(add_project_metadatas)).route(
        "/projects/{project_name_or_id}/metadatas/{meta_name}",
        get(get_project_metadata).put(update_project_metadata).delete(delete_project_metadata),
    )
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(list_project_metadatas, add_project_metadatas, get_project_metadata, update_project_metadata, delete_project_metadata))]
pub(super) struct Document;

super::json::models! {
    Pairs = "metadata",
}

/// Get the metadata of the specific project
#[utoipa::path(get, path = "/projects/{project_name_or_id}/metadatas/", operation_id = "listProjectMetadatas", tag = "projectMetadata",
    params(("project_name_or_id" = String, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 200, body = BTreeMap<String, String>), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn list_project_metadatas(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    page::json(&services.projects.metadata(&caller.actor, &path.project("project_name_or_id")).await?)
}

/// Add metadata for the specific project
#[utoipa::path(post, path = "/projects/{project_name_or_id}/metadatas/", operation_id = "addProjectMetadatas", tag = "projectMetadata",
    request_body = BTreeMap<String, String>, params(("project_name_or_id" = String, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 409, body = Errors), (status = 500, body = Errors)))]
async fn add_project_metadatas(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    JsonBody(input): JsonBody<Pairs>,
) -> Answer {
    services.projects.add_metadata(&caller.actor, &path.project("project_name_or_id"), &input).await?;
    Ok(page::ok())
}

/// Get the specific metadata of the specific project
#[utoipa::path(get, path = "/projects/{project_name_or_id}/metadatas/{meta_name}", operation_id = "getProjectMetadata", tag = "projectMetadata",
    params(("project_name_or_id" = String, Path), ("meta_name" = String, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 200, body = BTreeMap<String, String>), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn get_project_metadata(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    let project = path.project("project_name_or_id");
    page::json(&services.projects.metadata_of(&caller.actor, &project, path.text("meta_name")).await?)
}

/// Update the specific metadata for the specific project
#[utoipa::path(put, path = "/projects/{project_name_or_id}/metadatas/{meta_name}", operation_id = "updateProjectMetadata", tag = "projectMetadata",
    request_body = BTreeMap<String, String>,
    params(("project_name_or_id" = String, Path), ("meta_name" = String, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn update_project_metadata(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    JsonBody(input): JsonBody<Pairs>,
) -> Answer {
    let project = path.project("project_name_or_id");
    services.projects.set_metadata(&caller.actor, &project, path.text("meta_name"), &input).await?;
    Ok(page::ok())
}

/// Delete the specific metadata for the specific project
#[utoipa::path(delete, path = "/projects/{project_name_or_id}/metadatas/{meta_name}", operation_id = "deleteProjectMetadata", tag = "projectMetadata",
    params(("project_name_or_id" = String, Path), ("meta_name" = String, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn delete_project_metadata(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    let project = path.project("project_name_or_id");
    services.projects.remove_metadata(&caller.actor, &project, path.text("meta_name")).await?;
    Ok(page::ok())
}
