//! The OpenAPI document, made from the handlers: each noun brings its part, this file puts them together and serves them.

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::{InfoBuilder, OpenApi as Document, ServerBuilder};

use super::{
    BASE, Rest, allowlist, artifacts, configurations, immutabletagrules, labels, members, metadatas, permissions, projects, quotas,
    repositories, robots, search, statistics, system, tags, user, usergroups,
};

pub(super) fn routes() -> Router<Rest> {
    // Made once: it does not change while the program runs.
    let text: axum::body::Bytes = document().to_json().unwrap_or_default().into();
    Router::new().route("/openapi.json", get(move || std::future::ready(serve(text.clone()))))
}

fn serve(text: axum::body::Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// The whole document.
pub(super) fn document() -> Document {
    let mut document = Document::builder()
        .info(InfoBuilder::new().title("Berth API").version("2.0").description(Some("Harbor's REST API v2.0.")).build())
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
    ];
    for part in parts {
        document.merge(part);
    }
    document
}
