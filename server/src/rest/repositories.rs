//! `/repositories` and `/projects/{project_name}/repositories`: repositories. The project in these paths is always a name.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use model::api;
use model::error::Errors;
use service::{NameOrId, Services};
use utoipa::OpenApi;

use super::extract::{Caller, Listing, PathParams};
use super::json::{JsonBody, models};
use super::{Answer, Rest, page};

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/repositories", get(list_all_repositories))
        .route("/projects/{project_name}/repositories", get(list_repositories))
        .route(
            "/projects/{project_name}/repositories/{repository_name}",
            get(get_repository).put(update_repository).delete(delete_repository),
        )
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(list_all_repositories, list_repositories, get_repository, update_repository, delete_repository))]
pub(super) struct Document;

models! {
    api::RepositoryReq = "repository",
}

/// The project of a path that has its name.
pub(super) fn project(path: &PathParams) -> NameOrId {
    NameOrId::Name(path.text("project_name").to_owned())
}

/// Descriptions leave this door escaped for HTML: clients put them into pages as they are.
fn escaped(mut repository: api::Repository) -> api::Repository {
    if repository.description.contains(['&', '<', '>', '"', '\'']) {
        let mut description = String::with_capacity(repository.description.len() + 32);
        for c in repository.description.chars() {
            match c {
                '&' => description.push_str("&amp;"),
                '<' => description.push_str("&lt;"),
                '>' => description.push_str("&gt;"),
                '"' => description.push_str("&#34;"),
                '\'' => description.push_str("&#39;"),
                other => description.push(other),
            }
        }
        repository.description = description;
    }
    repository
}

/// List all authorized repositories
#[utoipa::path(get, path = "/repositories", operation_id = "listAllRepositories", tag = "repository",
    params(("q" = Option<String>, Query), ("sort" = Option<String>, Query), ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query)),
    responses((status = 200, body = Vec<api::Repository>), (status = 400, body = Errors), (status = 500, body = Errors)))]
async fn list_all_repositories(State(services): State<Services>, caller: Caller, listing: Listing) -> Answer {
    listing.page(&services.repositories.list_visible(&caller.actor, &listing.query).await?.map(escaped))
}

/// List repositories
#[utoipa::path(get, path = "/projects/{project_name}/repositories", operation_id = "listRepositories", tag = "repository",
    params(("project_name" = String, Path), ("q" = Option<String>, Query), ("sort" = Option<String>, Query), ("page" = Option<i64>, Query),
        ("page_size" = Option<i64>, Query)),
    responses((status = 200, body = Vec<api::Repository>), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn list_repositories(State(services): State<Services>, caller: Caller, path: PathParams, listing: Listing) -> Answer {
    listing.page(&services.repositories.list(&caller.actor, &project(&path), &listing.query).await?.map(escaped))
}

/// Get repository
#[utoipa::path(get, path = "/projects/{project_name}/repositories/{repository_name}", operation_id = "getRepository", tag = "repository",
    params(("project_name" = String, Path), ("repository_name" = String, Path)),
    responses((status = 200, body = api::Repository), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn get_repository(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    let repository = services.repositories.get(&caller.actor, &project(&path), &path.repository("repository_name")).await?;
    page::json(&escaped(repository))
}

/// Update repository
#[utoipa::path(put, path = "/projects/{project_name}/repositories/{repository_name}", operation_id = "updateRepository", tag = "repository",
    params(("project_name" = String, Path), ("repository_name" = String, Path)), request_body = api::Repository,
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 500, body = Errors)))]
async fn update_repository(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    JsonBody(input): JsonBody<api::RepositoryReq>,
) -> Answer {
    services.repositories.describe(&caller.actor, &project(&path), &path.repository("repository_name"), &input).await?;
    Ok(page::ok())
}

/// Delete repository
#[utoipa::path(delete, path = "/projects/{project_name}/repositories/{repository_name}", operation_id = "deleteRepository", tag = "repository",
    params(("project_name" = String, Path), ("repository_name" = String, Path)),
    responses((status = 200), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 412, body = Errors), (status = 500, body = Errors)))]
async fn delete_repository(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    services.repositories.delete(&caller.actor, &project(&path), &path.repository("repository_name")).await?;
    Ok(page::ok())
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn descriptions_are_harmless_in_pages() {
        let of = |text: &str| escaped(api::Repository { description: text.to_owned(), ..api::Repository::default() }).description;
        assert_eq!(of("<b>\"a\" & 'b'</b>"), "&lt;b&gt;&#34;a&#34; &amp; &#39;b&#39;&lt;/b&gt;");
        assert_eq!(of("Grüße, 世界"), "Grüße, 世界");
    }
}
