//! `/auditlog-exts` and what came before it: who did what, in the system and in a project.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use model::api;
use model::error::Errors;
use service::Services;
use utoipa::OpenApi;

use super::extract::{Caller, Listing, PathParams};
use super::{Answer, Rest, page};

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/audit-logs", get(list_audit_logs))
        .route("/auditlog-exts", get(list_audit_log_exts))
        .route("/auditlog-exts/events", get(list_audit_log_event_types))
        .route("/projects/{project_name}/logs", get(get_logs))
        .route("/projects/{project_name}/auditlog-exts", get(get_log_exts))
}

/// This noun's part of the document.
#[derive(OpenApi)]
#[openapi(paths(list_audit_logs, list_audit_log_exts, list_audit_log_event_types, get_logs, get_log_exts))]
pub(super) struct Document;

/// Get recent logs of projects which the user is a member with project admin role, or return all audit logs for system admin user (deprecated)
#[utoipa::path(get, path = "/audit-logs", operation_id = "listAuditLogs", tag = "auditlog",
    params(("q" = Option<String>, Query), ("sort" = Option<String>, Query), ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query)),
    responses((status = 200, body = Vec<api::AuditLog>), (status = 400, body = Errors), (status = 401, body = Errors), (status = 500, body = Errors)))]
async fn list_audit_logs(State(services): State<Services>, caller: Caller, listing: Listing) -> Answer {
    listing.page(&services.audit.list_former(&caller.actor)?)
}

/// Get recent logs of the projects which the user is a member with project_admin role, or return all audit logs for system admin user
#[utoipa::path(get, path = "/auditlog-exts", operation_id = "listAuditLogExts", tag = "auditlog",
    params(("q" = Option<String>, Query), ("sort" = Option<String>, Query), ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query)),
    responses((status = 200, body = Vec<api::AuditLogExt>), (status = 400, body = Errors), (status = 401, body = Errors),
        (status = 500, body = Errors)))]
async fn list_audit_log_exts(State(services): State<Services>, caller: Caller, listing: Listing) -> Answer {
    listing.page(&services.audit.list(&caller.actor, &listing.query).await?)
}

/// Get all event types of audit log
#[utoipa::path(get, path = "/auditlog-exts/events", operation_id = "listAuditLogEventTypes", tag = "auditlog",
    responses((status = 200, body = Vec<api::AuditLogEventType>), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 500, body = Errors)))]
async fn list_audit_log_event_types(State(services): State<Services>, caller: Caller) -> Answer {
    page::json(&services.audit.event_types(&caller.actor)?)
}

/// Get recent logs of the projects (deprecated)
#[utoipa::path(get, path = "/projects/{project_name}/logs", operation_id = "getLogs", tag = "project",
    params(("project_name" = String, Path), ("q" = Option<String>, Query), ("sort" = Option<String>, Query), ("page" = Option<i64>, Query),
        ("page_size" = Option<i64>, Query)),
    responses((status = 200, body = Vec<api::AuditLog>), (status = 400, body = Errors), (status = 401, body = Errors), (status = 403, body = Errors),
        (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn get_logs(State(services): State<Services>, caller: Caller, path: PathParams, listing: Listing) -> Answer {
    listing.page(&services.audit.list_former_of_project(&caller.actor, path.text("project_name")).await?)
}

/// Get recent logs of the projects
#[utoipa::path(get, path = "/projects/{project_name}/auditlog-exts", operation_id = "getLogExts", tag = "project",
    params(("project_name" = String, Path), ("q" = Option<String>, Query), ("sort" = Option<String>, Query), ("page" = Option<i64>, Query),
        ("page_size" = Option<i64>, Query)),
    responses((status = 200, body = Vec<api::AuditLogExt>), (status = 400, body = Errors), (status = 401, body = Errors),
        (status = 403, body = Errors), (status = 404, body = Errors), (status = 500, body = Errors)))]
async fn get_log_exts(State(services): State<Services>, caller: Caller, path: PathParams, listing: Listing) -> Answer {
    listing.page(&services.audit.list_of_project(&caller.actor, path.text("project_name"), &listing.query).await?)
}
