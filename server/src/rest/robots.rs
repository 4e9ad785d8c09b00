//! `/robots`: robot accounts of the system and of projects.

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::response::IntoResponse;
use axum::routing::get;
use http::{StatusCode, header};
use model::api;
use model::error::Errors;
use service::Services;
use utoipa::OpenApi;

use super::extract::{Caller, Listing, PathParams};
use super::json::JsonBody;
use super::{Answer, Rest, page};

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/robots", get(list_robot).post(create_robot))
        .route("/robots/{robot_id}", get(get_robot_by_id).put(update_robot).patch(refresh_sec).delete(delete_robot))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(list_robot, create_robot, get_robot_by_id, update_robot, refresh_sec, delete_robot))]
pub(super) struct Document;

super::json::models! {
    api::RobotCreate = "robot",
    api::RobotUpdate = "robot",
    api::RobotSec = "robotSec",
}

/// Get robot account
#[utoipa::path(get, path = "/robots", operation_id = "ListRobot", tag = "robot",
    params(("q" = Option<String>, Query), ("sort" = Option<String>, Query), ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query)),
    responses((status = 200, body = Vec<api::Robot>), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 500, body = Errors)))]
async fn list_robot(State(services): State<Services>, caller: Caller, listing: Listing) -> Answer {
    listing.page(&services.robots.list(&caller.actor, &listing.query).await?)
}

/// Create a robot account
#[utoipa::path(post, path = "/robots", operation_id = "CreateRobot", tag = "robot", request_body = api::RobotCreate,
    responses((status = 201, body = api::RobotCreated), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 404, body = Errors), (status = 409, body = Errors), (status = 500, body = Errors)))]
async fn create_robot(
    State(services): State<Services>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    JsonBody(input): JsonBody<api::RobotCreate>,
) -> Answer {
    let made = services.robots.create(&caller.actor, &input).await?;
    let location = format!("{}/{}", uri.path().trim_end_matches('/'), made.id);
    // The secret is in the body: no store may keep it.
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, "no-store".to_owned())];
    Ok((StatusCode::CREATED, headers, page::json(&made)?).into_response())
}

/// Get a robot account
#[utoipa::path(get, path = "/robots/{robot_id}", operation_id = "GetRobotByID", tag = "robot", params(("robot_id" = i64, Path)),
    responses((status = 200, body = api::Robot), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn get_robot_by_id(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    page::json(&services.robots.get(&caller.actor, path.int64("robot_id")?).await?)
}

/// Update a robot account
#[utoipa::path(put, path = "/robots/{robot_id}", operation_id = "UpdateRobot", tag = "robot", params(("robot_id" = i64, Path)),
    request_body = api::Robot,
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn update_robot(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    JsonBody(input): JsonBody<api::RobotUpdate>,
) -> Answer {
    services.robots.update(&caller.actor, path.int64("robot_id")?, &input).await?;
    Ok(page::ok())
}

/// Refresh the robot secret
#[utoipa::path(patch, path = "/robots/{robot_id}", operation_id = "RefreshSec", tag = "robot", params(("robot_id" = i64, Path)),
    request_body = api::RobotSec,
    responses((status = 200, body = api::RobotSec), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn refresh_sec(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    JsonBody(input): JsonBody<api::RobotSec>,
) -> Answer {
    let answer = services.robots.refresh_secret(&caller.actor, path.int64("robot_id")?, &input).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], page::json(&answer)?).into_response())
}

/// Delete a robot account
#[utoipa::path(delete, path = "/robots/{robot_id}", operation_id = "DeleteRobot", tag = "robot", params(("robot_id" = i64, Path)),
    responses((status = 200), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn delete_robot(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    services.robots.delete(&caller.actor, path.int64("robot_id")?).await?;
    Ok(page::ok())
}
