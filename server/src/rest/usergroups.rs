//! `/usergroups`: groups of people.

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::routing::get;
use model::error::Errors;
use model::{GroupId, api};
use service::Services;
use utoipa::OpenApi;

use super::extract::{Caller, Listing, PathParams, QueryParams};
use super::json::JsonBody;
use super::{Answer, Rest, page};

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/usergroups", get(list_user_groups).post(create_user_group))
        .route("/usergroups/search", get(search_user_groups))
        .route("/usergroups/{group_id}", get(get_user_group).put(update_user_group).delete(delete_user_group))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(list_user_groups, create_user_group, search_user_groups, get_user_group, update_user_group, delete_user_group))]
pub(super) struct Document;

super::json::models! {
    api::UserGroup = "usergroup",
}

/// Get all user groups information
#[utoipa::path(get, path = "/usergroups", operation_id = "listUserGroups", tag = "usergroup",
    params(("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query), ("ldap_group_dn" = Option<String>, Query),
        ("group_name" = Option<String>, Query)),
    responses((status = 200, body = Vec<api::UserGroup>), (status = 401, body = Errors), (status = 403, body = Errors), (status = 500, body = Errors)))]
async fn list_user_groups(State(services): State<Services>, caller: Caller, query: QueryParams, listing: Listing) -> Answer {
    listing.page(&services.groups.list(&caller.actor, query.get("group_name"), query.get("ldap_group_dn"), &listing.query).await?)
}

/// Create user group
#[utoipa::path(post, path = "/usergroups", operation_id = "createUserGroup", tag = "usergroup", request_body = api::UserGroup,
    responses((status = 201), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 409, body = Errors),
        (status = 500, body = Errors)))]
async fn create_user_group(
    State(services): State<Services>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    input: Option<JsonBody<api::UserGroup>>,
) -> Answer {
    let input = input.map(|JsonBody(input)| input);
    let id = services.groups.create(&caller.actor, input.as_ref()).await?;
    Ok(page::created(&uri, id))
}

/// Search groups by groupname
#[utoipa::path(get, path = "/usergroups/search", operation_id = "searchUserGroups", tag = "usergroup",
    params(("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query), ("groupname" = String, Query)),
    responses((status = 200, body = Vec<api::UserGroupSearchItem>), (status = 401, body = Errors), (status = 500, body = Errors)))]
async fn search_user_groups(State(services): State<Services>, caller: Caller, query: QueryParams, listing: Listing) -> Answer {
    listing.page(&services.groups.search(&caller.actor, query.required("groupname")?, &listing.query).await?)
}

/// Get user group information
#[utoipa::path(get, path = "/usergroups/{group_id}", operation_id = "getUserGroup", tag = "usergroup", params(("group_id" = i64, Path)),
    responses((status = 200, body = api::UserGroup), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn get_user_group(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    page::json(&services.groups.get(&caller.actor, path.int64::<GroupId>("group_id")?).await?)
}

/// Update group information
#[utoipa::path(put, path = "/usergroups/{group_id}", operation_id = "updateUserGroup", tag = "usergroup", params(("group_id" = i64, Path)),
    request_body = api::UserGroup,
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 409, body = Errors), (status = 500, body = Errors)))]
async fn update_user_group(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    input: Option<JsonBody<api::UserGroup>>,
) -> Answer {
    let input = input.map(|JsonBody(input)| input);
    services.groups.rename(&caller.actor, path.int64::<GroupId>("group_id")?, input.as_ref()).await?;
    Ok(page::ok())
}

/// Delete user group
#[utoipa::path(delete, path = "/usergroups/{group_id}", operation_id = "deleteUserGroup", tag = "usergroup", params(("group_id" = i64, Path)),
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 500, body = Errors)))]
async fn delete_user_group(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    services.groups.delete(&caller.actor, path.int64::<GroupId>("group_id")?).await?;
    Ok(page::ok())
}
