//! `/users`: people's accounts.

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::routing::{get, put};
use model::UserId;
use model::api;
use model::error::Errors;
use model::list::{Op, Term};
use service::Services;
use utoipa::OpenApi;

use super::extract::{Caller, Listing, PathParams, QueryParams};
use super::json::JsonBody;
use super::{Answer, Rest, page};

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/users", get(list_users).post(create_user))
        .route("/users/current", get(get_current_user_info))
        .route("/users/current/permissions", get(get_current_user_permissions))
        .route("/users/search", get(search_users))
        .route("/users/{user_id}", get(get_user).put(update_user_profile).delete(delete_user))
        .route("/users/{user_id}/sysadmin", put(set_user_sys_admin))
        .route("/users/{user_id}/password", put(update_user_password))
        .route("/users/{user_id}/cli_secret", put(set_cli_secret))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(
    list_users,
    create_user,
    get_current_user_info,
    get_current_user_permissions,
    search_users,
    get_user,
    update_user_profile,
    delete_user,
    set_user_sys_admin,
    update_user_password,
    set_cli_secret
))]
pub(super) struct Document;

/// List users
#[utoipa::path(get, path = "/users", operation_id = "listUsers", tag = "user",
    params(("q" = Option<String>, Query), ("sort" = Option<String>, Query), ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query)),
    responses((status = 200, body = Vec<api::UserResp>), (status = 401, body = Errors), (status = 403, body = Errors), (status = 500, body = Errors)))]
async fn list_users(State(services): State<Services>, caller: Caller, query: QueryParams, mut listing: Listing) -> Answer {
    // What came before `q`, and still works.
    for field in ["username", "email"] {
        if let Some(text) = query.get(field).filter(|text| !text.is_empty()) {
            listing.query.q.push(Term { key: field.to_owned(), op: Op::Fuzzy(text.to_owned()) });
        }
    }
    listing.page(&services.users.list(&caller.actor, &listing.query).await?)
}

/// Create a local user.
#[utoipa::path(post, path = "/users", operation_id = "createUser", tag = "user", request_body = api::UserCreationReq,
    responses((status = 201), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 409, body = Errors),
        (status = 500, body = Errors)))]
async fn create_user(
    State(services): State<Services>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    JsonBody(input): JsonBody<api::UserCreationReq>,
) -> Answer {
    let id = services.users.create(&caller.actor, &input, caller.cookie.is_some()).await?;
    Ok(page::created(&uri, id))
}

/// Get current user info.
#[utoipa::path(get, path = "/users/current", operation_id = "getCurrentUserInfo", tag = "user",
    responses((status = 200, body = api::UserResp), (status = 401, body = Errors), (status = 404, body = Errors), (status = 412, body = Errors),
        (status = 500, body = Errors)))]
async fn get_current_user_info(State(services): State<Services>, caller: Caller) -> Answer {
    page::json(&services.users.current(&caller.actor, caller.cookie.as_deref()).await?)
}

/// Get current user permissions.
#[utoipa::path(get, path = "/users/current/permissions", operation_id = "getCurrentUserPermissions", tag = "user",
    params(("scope" = Option<String>, Query), ("relative" = Option<bool>, Query)),
    responses((status = 200, body = Vec<api::Permission>), (status = 401, body = Errors), (status = 500, body = Errors)))]
async fn get_current_user_permissions(State(services): State<Services>, caller: Caller, query: QueryParams) -> Answer {
    let scope = query.get("scope").unwrap_or_default();
    page::json(&services.users.permissions(&caller.actor, scope, query.flag("relative", false)).await?)
}

/// Search users by username
#[utoipa::path(get, path = "/users/search", operation_id = "searchUsers", tag = "user",
    params(("username" = String, Query), ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query)),
    responses((status = 200, body = Vec<api::UserSearchRespItem>), (status = 401, body = Errors), (status = 500, body = Errors)))]
async fn search_users(State(services): State<Services>, caller: Caller, query: QueryParams, listing: Listing) -> Answer {
    let text = query.required("username")?;
    listing.page(&services.users.search(&caller.actor, text, &listing.query).await?)
}

/// Get a user's profile.
#[utoipa::path(get, path = "/users/{user_id}", operation_id = "getUser", tag = "user", params(("user_id" = i64, Path)),
    responses((status = 200, body = api::UserResp), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn get_user(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    let id: UserId = path.int64("user_id")?;
    page::json(&services.users.get(&caller.actor, id).await?)
}

/// Update user's profile.
#[utoipa::path(put, path = "/users/{user_id}", operation_id = "updateUserProfile", tag = "user", params(("user_id" = i64, Path)),
    request_body = api::UserProfile,
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 409, body = Errors), (status = 500, body = Errors)))]
async fn update_user_profile(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    JsonBody(input): JsonBody<api::UserProfile>,
) -> Answer {
    let id: UserId = path.int64("user_id")?;
    services.users.update(&caller.actor, id, &input).await?;
    Ok(page::ok())
}

/// Mark a registered user as be removed.
#[utoipa::path(delete, path = "/users/{user_id}", operation_id = "deleteUser", tag = "user", params(("user_id" = i64, Path)),
    responses((status = 200), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn delete_user(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    services.users.delete(&caller.actor, path.int64("user_id")?).await?;
    Ok(page::ok())
}

/// Update a registered user to change to be an administrator of the system.
#[utoipa::path(put, path = "/users/{user_id}/sysadmin", operation_id = "setUserSysAdmin", tag = "user", params(("user_id" = i64, Path)),
    request_body = api::UserSysAdminFlag,
    responses((status = 200), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn set_user_sys_admin(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    JsonBody(input): JsonBody<api::UserSysAdminFlag>,
) -> Answer {
    let id: UserId = path.int64("user_id")?;
    services.users.set_sysadmin(&caller.actor, id, input.sysadmin_flag).await?;
    Ok(page::ok())
}

/// Change the password on a user that already exists.
#[utoipa::path(put, path = "/users/{user_id}/password", operation_id = "updateUserPassword", tag = "user", params(("user_id" = i64, Path)),
    request_body = api::PasswordReq,
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn update_user_password(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    JsonBody(input): JsonBody<api::PasswordReq>,
) -> Answer {
    let id: UserId = path.int64("user_id")?;
    services.users.set_password(&caller.actor, id, &input).await?;
    Ok(page::ok())
}

/// Set CLI secret for a user.
#[utoipa::path(put, path = "/users/{user_id}/cli_secret", operation_id = "setCliSecret", tag = "user", params(("user_id" = i64, Path)),
    request_body = api::OIDCCliSecretReq,
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 412, body = Errors), (status = 500, body = Errors)))]
async fn set_cli_secret(State(services): State<Services>, path: PathParams, JsonBody(_): JsonBody<api::OIDCCliSecretReq>) -> Answer {
    path.int64::<UserId>("user_id")?;
    Ok(services.users.set_cli_secret().map(|()| page::ok())?)
}
