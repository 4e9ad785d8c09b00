//! `/projects/{project_name_or_id}/members`: who belongs to a project.

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequest, OptionalFromRequest, OriginalUri, Request, State};
use axum::routing::get;
use model::api;
use model::error::Errors;
use service::Services;
use utoipa::OpenApi;

use super::extract::{Caller, Listing, PathParams, QueryParams};
use super::json::{JsonBody, Model};
use super::{Answer, Rest, RestError, page};
use crate::body_limit;

pub(super) fn routes() -> Router<Rest> {
    Router::new().route("/projects/{project_name_or_id}/members", get(list_project_members).post(create_project_member)).route(
        "/projects/{project_name_or_id}/members/{mid}",
        get(get_project_member).put(update_project_member).delete(delete_project_member),
    )
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(list_project_members, create_project_member, get_project_member, update_project_member, delete_project_member))]
pub(super) struct Document;

super::json::models! {
    api::ProjectMember = "projectMember",
    api::RoleRequest = "role",
}

/// Here an absent body is the use case's to refuse, after it has asked who is calling.
impl<S, T> OptionalFromRequest<S> for JsonBody<T>
where
    S: Send + Sync,
    T: Model,
{
    type Rejection = RestError;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, RestError> {
        let (parts, body) = request.into_parts();
        let body = body_limit::read(Request::from_parts(parts.clone(), body)).await?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(Request::from_parts(parts, Body::from(body)), state).await.map(Some)
    }
}

/// Get all project member information
#[utoipa::path(get, path = "/projects/{project_name_or_id}/members", operation_id = "listProjectMembers", tag = "member",
    params(("project_name_or_id" = String, Path), ("X-Is-Resource-Name" = Option<bool>, Header), ("page" = Option<i64>, Query),
        ("page_size" = Option<i64>, Query), ("entityname" = Option<String>, Query)),
    responses((status = 200, body = Vec<api::ProjectMemberEntity>), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn list_project_members(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    query: QueryParams,
    listing: Listing,
) -> Answer {
    let name = query.get("entityname").filter(|name| !name.is_empty());
    let project = path.project("project_name_or_id");
    listing.page(&services.members.list(&caller.actor, &project, name, &listing.query).await?)
}

/// Create project member
#[utoipa::path(post, path = "/projects/{project_name_or_id}/members", operation_id = "createProjectMember", tag = "member",
    request_body = api::ProjectMember, params(("project_name_or_id" = String, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 201), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 409, body = Errors), (status = 500, body = Errors)))]
async fn create_project_member(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    OriginalUri(uri): OriginalUri,
    input: Option<JsonBody<api::ProjectMember>>,
) -> Answer {
    let input = input.map(|JsonBody(input)| input);
    let id = services.members.create(&caller.actor, &path.project("project_name_or_id"), input.as_ref()).await?;
    Ok(page::created(&uri, id))
}

/// Get the project member information
#[utoipa::path(get, path = "/projects/{project_name_or_id}/members/{mid}", operation_id = "getProjectMember", tag = "member",
    params(("project_name_or_id" = String, Path), ("mid" = i64, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 200, body = api::ProjectMemberEntity), (status = 400, body = Errors), (status = 401, body = Errors),
        (status = 403, body = Errors), (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn get_project_member(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    let id = path.int64("mid")?;
    page::json(&services.members.get(&caller.actor, &path.project("project_name_or_id"), id).await?)
}

/// Update project member
#[utoipa::path(put, path = "/projects/{project_name_or_id}/members/{mid}", operation_id = "updateProjectMember", tag = "member",
    request_body = api::RoleRequest, params(("project_name_or_id" = String, Path), ("mid" = i64, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn update_project_member(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    input: Option<JsonBody<api::RoleRequest>>,
) -> Answer {
    let id = path.int64("mid")?;
    let input = input.map(|JsonBody(input)| input);
    services.members.update(&caller.actor, &path.project("project_name_or_id"), id, input.as_ref()).await?;
    Ok(page::ok())
}

/// Delete project member
#[utoipa::path(delete, path = "/projects/{project_name_or_id}/members/{mid}", operation_id = "deleteProjectMember", tag = "member",
    params(("project_name_or_id" = String, Path), ("mid" = i64, Path), ("X-Is-Resource-Name" = Option<bool>, Header)),
    responses((status = 200), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn delete_project_member(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    let id = path.int64("mid")?;
    services.members.delete(&caller.actor, &path.project("project_name_or_id"), id).await?;
    Ok(page::ok())
}
