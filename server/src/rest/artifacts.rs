//! `…/artifacts`: artifacts of a repository or a project, their accessories and additions, and `/icons`.

use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderValue, header};
use model::api;
use model::error::Errors;
use model::list::Paging;
use service::artifact::{Addition, AdditionBody, ArtifactFlags, Named};
use service::{NameOrId, Services};
use utoipa::OpenApi;

use super::extract::{Caller, Listing, PathParams, QueryParams};
use super::repositories::project;
use super::{Answer, Rest, RestError, page};

const ARTIFACTS: &str = "/projects/{project_name}/repositories/{repository_name}/artifacts";

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route(ARTIFACTS, get(list_artifacts).post(copy_artifact))
        .route(&format!("{ARTIFACTS}/{{reference}}"), get(get_artifact).delete(delete_artifact))
        .route(&format!("{ARTIFACTS}/{{reference}}/accessories"), get(list_accessories))
        .route(&format!("{ARTIFACTS}/{{reference}}/additions/vulnerabilities"), get(get_vulnerabilities_addition))
        .route(&format!("{ARTIFACTS}/{{reference}}/additions/{{addition}}"), get(get_addition))
        .route("/projects/{project_name_or_id}/artifacts", get(list_artifacts_of_project))
        .route("/icons/{digest}", get(get_icon))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(
    list_artifacts,
    copy_artifact,
    get_artifact,
    delete_artifact,
    list_accessories,
    get_vulnerabilities_addition,
    get_addition,
    list_artifacts_of_project,
    get_icon
))]
pub(super) struct Document;

/// The artifact that a path names, with what it borrows from.
pub(super) struct Target {
    project: NameOrId,
    repository: String,
    reference: String,
}

impl Target {
    pub(super) fn of(path: &PathParams) -> Self {
        Self { project: project(path), repository: path.repository("repository_name"), reference: path.text("reference").to_owned() }
    }

    pub(super) fn named(&self) -> Named<'_> {
        Named { project: &self.project, repository: &self.repository, reference: &self.reference }
    }
}

fn flags(query: &QueryParams) -> ArtifactFlags {
    ArtifactFlags {
        tag: query.flag("with_tag", true),
        immutable_status: query.flag("with_immutable_status", false),
        label: query.flag("with_label", false),
        accessory: query.flag("with_accessory", false),
        inherited_accessory: query.flag("with_inherited_accessory", false),
    }
}

fn content(body: AdditionBody) -> Response {
    let mut response = Response::new(Body::from(body.content));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(body.content_type));
    response
}

/// List artifacts
#[utoipa::path(get, path = "/projects/{project_name}/repositories/{repository_name}/artifacts", operation_id = "listArtifacts", tag = "artifact",
    params(("project_name" = String, Path), ("repository_name" = String, Path), ("q" = Option<String>, Query), ("sort" = Option<String>, Query),
        ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query), ("X-Accept-Vulnerabilities" = Option<String>, Header),
        ("with_tag" = Option<bool>, Query), ("with_label" = Option<bool>, Query), ("with_scan_overview" = Option<bool>, Query),
        ("with_sbom_overview" = Option<bool>, Query), ("with_accessory" = Option<bool>, Query), ("with_inherited_accessory" = Option<bool>, Query),
        ("with_immutable_status" = Option<bool>, Query)),
    responses((status = 200, body = Vec<api::Artifact>), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 404, body = Errors), (status = 422, body = Errors), (status = 500, body = Errors)))]
async fn list_artifacts(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    query: QueryParams,
    listing: Listing,
) -> Answer {
    let repository = path.repository("repository_name");
    listing.page(&services.artifacts.list(&caller.actor, &project(&path), &repository, &listing.query, flags(&query)).await?)
}

/// Copy artifact
#[utoipa::path(post, path = "/projects/{project_name}/repositories/{repository_name}/artifacts", operation_id = "CopyArtifact", tag = "artifact",
    params(("project_name" = String, Path), ("repository_name" = String, Path), ("from" = String, Query)),
    responses((status = 201), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors),
        (status = 405, body = Errors), (status = 412, body = Errors), (status = 500, body = Errors)))]
async fn copy_artifact(
    State(services): State<Services>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    path: PathParams,
    query: QueryParams,
) -> Answer {
    let from = query.required("from")?;
    let reference = services.artifacts.copy(&caller.actor, &project(&path), &path.repository("repository_name"), from).await?;
    // The path as sent, its escapes undone once.
    let place = uri.path().trim_end_matches('/').replace("%25", "%");
    Ok(page::created_at(&format!("{place}/{reference}")))
}

/// Get the specific artifact
#[utoipa::path(get, path = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}", operation_id = "getArtifact", tag = "artifact",
    params(("project_name" = String, Path), ("repository_name" = String, Path), ("reference" = String, Path), ("page" = Option<i64>, Query),
        ("page_size" = Option<i64>, Query), ("X-Accept-Vulnerabilities" = Option<String>, Header), ("with_tag" = Option<bool>, Query),
        ("with_label" = Option<bool>, Query), ("with_scan_overview" = Option<bool>, Query), ("with_sbom_overview" = Option<bool>, Query),
        ("with_accessory" = Option<bool>, Query), ("with_inherited_accessory" = Option<bool>, Query), ("with_signature" = Option<bool>, Query),
        ("with_immutable_status" = Option<bool>, Query)),
    responses((status = 200, body = api::Artifact), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn get_artifact(State(services): State<Services>, caller: Caller, path: PathParams, query: QueryParams) -> Answer {
    // Bound, as the API binds them; there is only one.
    Paging::parse(query.get("page"), query.get("page_size")).map_err(RestError::invalid)?;
    page::json(&services.artifacts.get(&caller.actor, &Target::of(&path).named(), flags(&query)).await?)
}

/// Delete the specific artifact
#[utoipa::path(delete, path = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}", operation_id = "deleteArtifact",
    tag = "artifact", params(("project_name" = String, Path), ("repository_name" = String, Path), ("reference" = String, Path)),
    responses((status = 200), (status = 401, body = Errors), (status = 403, body = Errors), (status = 404, body = Errors), (status = 412, body = Errors),
        (status = 500, body = Errors)))]
async fn delete_artifact(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    services.artifacts.delete(&caller.actor, &Target::of(&path).named()).await?;
    Ok(page::ok())
}

/// List accessories
#[utoipa::path(get, path = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/accessories", operation_id = "listAccessories",
    tag = "artifact", params(("project_name" = String, Path), ("repository_name" = String, Path), ("reference" = String, Path),
        ("q" = Option<String>, Query), ("sort" = Option<String>, Query), ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query)),
    responses((status = 200, body = Vec<api::Accessory>), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn list_accessories(State(services): State<Services>, caller: Caller, path: PathParams, listing: Listing) -> Answer {
    listing.page(&services.artifacts.accessories(&caller.actor, &Target::of(&path).named(), &listing.query).await?)
}

/// Get the vulnerabilities addition of the specific artifact
#[utoipa::path(get, path = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/additions/vulnerabilities",
    operation_id = "getVulnerabilitiesAddition", tag = "artifact",
    params(("project_name" = String, Path), ("repository_name" = String, Path), ("reference" = String, Path),
        ("X-Accept-Vulnerabilities" = Option<String>, Header)),
    responses((status = 200, body = String), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn get_vulnerabilities_addition(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    Ok(content(services.artifacts.vulnerabilities(&caller.actor, &Target::of(&path).named()).await?))
}

/// Get the addition of the specific artifact
#[utoipa::path(get, path = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/additions/{addition}",
    operation_id = "getAddition", tag = "artifact",
    params(("project_name" = String, Path), ("repository_name" = String, Path), ("reference" = String, Path), ("addition" = String, Path)),
    responses((status = 200, content((serde_json::Value = "application/json"), (String = "text/plain"), (String = "text/markdown"),
            (String = "application/vnd.goharbor.harbor.sbom.v1"))), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 404, body = Errors), (status = 422, body = Errors), (status = 500, body = Errors)))]
async fn get_addition(State(services): State<Services>, caller: Caller, path: PathParams) -> Answer {
    let addition = Addition::from_name(path.text("addition")).ok_or_else(|| {
        let all: Vec<_> = Addition::ALL.iter().map(|a| a.as_str()).collect();
        RestError::invalid(format!("addition in path should be one of [{}]", all.join(" ")))
    })?;
    Ok(content(services.artifacts.addition(&caller.actor, &Target::of(&path).named(), addition).await?))
}

/// List artifacts of a project
#[utoipa::path(get, path = "/projects/{project_name_or_id}/artifacts", operation_id = "listArtifactsOfProject", tag = "project",
    params(("project_name_or_id" = String, Path), ("X-Is-Resource-Name" = Option<bool>, Header), ("q" = Option<String>, Query),
        ("sort" = Option<String>, Query), ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query),
        ("X-Accept-Vulnerabilities" = Option<String>, Header), ("with_tag" = Option<bool>, Query), ("with_label" = Option<bool>, Query),
        ("with_scan_overview" = Option<bool>, Query), ("with_sbom_overview" = Option<bool>, Query), ("with_accessory" = Option<bool>, Query), ("with_inherited_accessory" = Option<bool>, Query),
        ("with_immutable_status" = Option<bool>, Query),
        ("latest_in_repository" = Option<bool>, Query)),
    responses((status = 200, body = Vec<api::Artifact>), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 404, body = Errors), (status = 422, body = Errors), (status = 500, body = Errors)))]
async fn list_artifacts_of_project(
    State(services): State<Services>,
    caller: Caller,
    path: PathParams,
    query: QueryParams,
    listing: Listing,
) -> Answer {
    let (project, latest) = (path.project("project_name_or_id"), query.flag("latest_in_repository", false));
    listing.page(&services.artifacts.list_of_project(&caller.actor, &project, &listing.query, flags(&query), latest).await?)
}

/// Get artifact icon
#[utoipa::path(get, path = "/icons/{digest}", operation_id = "getIcon", tag = "icon", params(("digest" = String, Path)),
    responses((status = 200, body = api::Icon), (status = 400, body = Errors), (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn get_icon(State(services): State<Services>, path: PathParams) -> Answer {
    page::json(&services.artifacts.icon(path.text("digest")).await?)
}
