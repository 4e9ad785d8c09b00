//! `…/artifacts/{reference}/tags`: the tags of an artifact.

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{delete, get};
use http::StatusCode;
use model::api;
use model::error::Errors;
use service::Services;
use utoipa::OpenApi;

use super::artifacts::Target;
use super::extract::{Caller, Listing, PathParams, QueryParams};
use super::json::{JsonBody, Model};
use super::{Answer, Rest, page};

const TAGS: &str = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/tags";

pub(super) fn routes() -> Router<Rest> {
    Router::new().route(TAGS, get(list_tags).post(create_tag)).route(&format!("{TAGS}/{{tag_name}}"), delete(delete_tag))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(list_tags, create_tag, delete_tag))]
pub(super) struct Document;

impl Model for api::NewTag {
    const PARAMETER: &'static str = "tag";

    fn failures(&self) -> Vec<String> {
        if self.name.is_empty() { vec!["name in body is required".to_owned()] } else { Vec::new() }
    }
}

/// List tags
#[utoipa::path(get, path = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/tags", operation_id = "listTags", tag = "artifact",
    params(("project_name" = String, Path), ("repository_name" = String, Path), ("reference" = String, Path), ("q" = Option<String>, Query),
        ("sort" = Option<String>, Query), ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query),
        ("with_immutable_status" = Option<bool>, Query)),
    responses((status = 200, body = Vec<api::Tag>), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 404, body = Errors), (status = 422, body = Errors), (status = 500, body = Errors)))]
async fn list_tags(State(services): State<Services>, caller: Caller, path: PathParams, query: QueryParams, listing: Listing) -> Answer {
    let immutable_status = query.flag("with_immutable_status", false);
    listing.page(&services.tags.list(&caller.actor, &Target::of(&path).named(), &listing.query, immutable_status).await?)
}

/// Create tag
#[utoipa::path(post, path = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/tags", operation_id = "createTag",
    tag = "artifact", params(("project_name" = String, Path), ("repository_name" = String, Path), ("reference" = String, Path)),
    request_body = api::NewTag,
    responses((status = 201), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 405, body = Errors), (status = 409, body = Errors), (status = 500, body = Errors)))]
async fn create_tag(State(services): State<Services>, caller: Caller, path: PathParams, JsonBody(input): JsonBody<api::NewTag>) -> Answer {
    services.tags.create(&caller.actor, &Target::of(&path).named(), &input).await?;
    Ok(StatusCode::CREATED.into_response())
}

/// Delete tag
#[utoipa::path(delete, path = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/tags/{tag_name}", operation_id = "deleteTag",
    tag = "artifact",
    params(("project_name" = String, Path), ("repository_name" = String, Path), ("reference" = String, Path), ("tag_name" = String, Path)),
    responses((status = 200), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors), (status = 412, body = Errors),
        (status = 500, body = Errors)))]
async fn delete_tag(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    services.tags.delete(&caller.actor, &Target::of(&path).named(), path.text("tag_name")).await?;
    Ok(page::ok())
}
