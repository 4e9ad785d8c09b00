//! `/projects`: projects themselves.

use axum::extract::{OriginalUri, State};
use axum::routing::get;
use axum::{Router, http::HeaderMap};
use model::api;
use model::error::Errors;
use model::list::{Op, Term, Value};
use service::Services;
use utoipa::OpenApi;

use super::extract::{Caller, Listing, PathParams, QueryParams, flag_header};
use super::json::{JsonBody, Model, too_long};
use super::{Answer, Rest, page};

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/projects", get(list_projects).head(head_project).post(create_project))
        .route("/projects/{project_name_or_id}", get(get_project).put(update_project).delete(delete_project))
        .route("/projects/{project_name_or_id}/_deletable", get(get_project_deletable))
        .route("/projects/{project_name_or_id}/summary", get(get_project_summary))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(
    list_projects,
    head_project,
    create_project,
    get_project,
    update_project,
    delete_project,
    get_project_deletable,
    get_project_summary
))]
pub(super) struct Document;

impl Model for api::ProjectReq {
    const PARAMETER: &'static str = "project";

    fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        too_long(&mut failures, "project_name", &self.project_name, 255);
        failures
    }
}

/// List projects
#[utoipa::path(get, path = "/projects", operation_id = "listProjects", tag = "project",
    params(("q" = Option<String>, Query), ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query), ("sort" = Option<String>, Query),
        ("name" = Option<String>, Query), ("public" = Option<bool>, Query), ("owner" = Option<String>, Query), ("with_detail" = Option<bool>, Query)),
    responses((status = 200, body = Vec<api::Project>), (status = 401, body = Errors), (status = 500, body = Errors)))]
async fn list_projects(State(services): State<Services>, caller: Caller, query: QueryParams, mut listing: Listing) -> Answer {
    let given = |name| query.get(name).filter(|value: &&str| !value.is_empty());
    let mut narrow = |key: &str, op: Op| listing.query.q.push(Term { key: key.to_owned(), op });
    if let Some(name) = given("name") {
        narrow("name", Op::Fuzzy(name.to_owned()));
    }
    if given("public").is_some() {
        narrow("public", Op::Exact(Value::new(query.flag("public", false).to_string())));
    }
    if let Some(owner) = given("owner") {
        narrow("owner", Op::Exact(Value::new(owner)));
    }
    let projects = &services.projects;
    let page = if query.flag("with_detail", true) {
        projects.list(&caller.actor, &listing.query).await?
    } else {
        projects.list_brief(&caller.actor, &listing.query).await?
    };
    listing.page(&page)
}

/// Check if the project name user provided already exists.
#[utoipa::path(head, path = "/projects", operation_id = "headProject", tag = "project", params(("project_name" = String, Query)),
    responses((status = 200), (status = 401, body = Errors), (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn head_project(State(services): State<Services>, caller: Caller, query: QueryParams) -> Answer {
    let name = query.required("project_name")?;
    if services.projects.exists(&caller.actor, name).await? {
        return Ok(page::ok());
    }
    // A HEAD has no body to say which.
    Err(service::Error::not_found("project not found").into())
}

/// Create a new project.
#[utoipa::path(post, path = "/projects", operation_id = "createProject", tag = "project", request_body = api::ProjectReq,
    params(("X-Resource-Name-In-Location" = Option<bool>, Header)),
    responses((status = 201), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors), (status = 409, body = Errors),
        (status = 500, body = Errors)))]
async fn create_project(
    State(services): State<Services>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    JsonBody(input): JsonBody<api::ProjectReq>,
) -> Answer {
    let name = flag_header(&headers, "x-resource-name-in-location").then(|| input.project_name.clone());
    let id = services.projects.create(&caller.actor, input).await?;
    Ok(page::created(&uri, name.unwrap_or_else(|| id.to_string())))
}

/// Return specific project detail information
#[utoipa::path(get, path = "/projects/{project_name_or_id}", operation_id = "getProject", tag = "project",
    params(("project_name_or_id" = String, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 200, body = api::Project), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn get_project(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    page::json(&services.projects.get(&caller.actor, &path.project("project_name_or_id")).await?)
}

/// Update properties for a selected project.
#[utoipa::path(put, path = "/projects/{project_name_or_id}", operation_id = "updateProject", tag = "project", request_body = api::ProjectReq,
    params(("project_name_or_id" = String, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn update_project(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    JsonBody(input): JsonBody<api::ProjectReq>,
) -> Answer {
    services.projects.update(&caller.actor, &path.project("project_name_or_id"), &input).await?;
    Ok(page::ok())
}

/// Delete specified project
#[utoipa::path(delete, path = "/projects/{project_name_or_id}", operation_id = "deleteProject", tag = "project",
    params(("project_name_or_id" = String, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 200), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors), (status = 412, body = Errors),
        (status = 500, body = Errors)))]
async fn delete_project(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    services.projects.delete(&caller.actor, &path.project("project_name_or_id")).await?;
    Ok(page::ok())
}

/// Get the deletable status of the project
#[utoipa::path(get, path = "/projects/{project_name_or_id}/_deletable", operation_id = "getProjectDeletable", tag = "project",
    params(("project_name_or_id" = String, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 200, body = api::ProjectDeletable), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn get_project_deletable(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    page::json(&services.projects.deletable(&caller.actor, &path.project("project_name_or_id")).await?)
}

/// Get summary of the project.
#[utoipa::path(get, path = "/projects/{project_name_or_id}/summary", operation_id = "getProjectSummary", tag = "project",
    params(("project_name_or_id" = String, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 200, body = api::ProjectSummary), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn get_project_summary(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    page::json(&services.projects.summary(&caller.actor, &path.project("project_name_or_id")).await?)
}
