//! The OpenAPI document, made from the handlers: each noun brings its part, this file puts them together and serves them, as does the page of `browse`.

mod bodies;
mod conventions;

use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;
use utoipa::OpenApi;
use utoipa::openapi::{InfoBuilder, OpenApi as Document, ServerBuilder};

use super::{
    BASE, Rest, allowlist, artifacts, auditlogs, browse, configurations, immutabletagrules, labels, members, metadatas, permissions,
    projects, quotas, repositories, robots, search, statistics, system, tags, user, usergroups,
};

const ABOUT: &str = "Harbor's REST API v2.0: the same operations, models and names. A caller signs in with Basic credentials, of a person or a robot account, \
    or with a session's cookie; a session's changes carry the token that every answer to it has in X-Harbor-CSRF-Token.";

/// Made when somebody first asks; it does not change while the program runs.
static TEXT: LazyLock<Bytes> = LazyLock::new(|| document().to_string().into());

pub(super) fn routes() -> Router<Rest> {
    Router::new().route("/openapi.json", get(serve)).merge(browse::routes())
}

async fn serve() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.clone()).into_response()
}

/// The whole document, as it is served.
#[must_use]
pub fn document() -> Value {
    // Made of texts, numbers and maps by text: always serialises.
    let mut document = serde_json::to_value(merged()).unwrap_or_default();
    conventions::apply(&mut document);
    document
}

fn merged() -> Document {
    let mut document = Document::builder()
        .info(InfoBuilder::new().title("Berth API").version("2.0").description(Some(ABOUT)).build())
        .servers(Some([ServerBuilder::new().url(BASE).build()]))
        .build();
    let parts = [
        user::Document::openapi(),
        system::Document::openapi(),
        permissions::Document::openapi(),
        projects::Document::openapi(),
        metadatas::Document::openapi(),
        members::Document::openapi(),
        usergroups::Document::openapi(),
        immutabletagrules::Document::openapi(),
        robots::Document::openapi(),
        quotas::Document::openapi(),
        allowlist::Document::openapi(),
        repositories::Document::openapi(),
        artifacts::Document::openapi(),
        tags::Document::openapi(),
        labels::Document::openapi(),
        search::Document::openapi(),
        statistics::Document::openapi(),
        configurations::Document::openapi(),
        auditlogs::Document::openapi(),
    ];
    for part in parts {
        document.merge(part);
    }
    document
}
