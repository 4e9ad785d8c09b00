//! The page to read and try the API: made from the OpenAPI document when somebody first asks, readable without scripts, with a small script of its own that
//! sends requests. Nothing comes from elsewhere; `rest` mounts it beside the document.

mod example;
mod page;
mod sample;

use std::sync::LazyLock;

use app::shell::Theme;
use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::extract::PathParams;
use super::{BASE, Rest};
use crate::security::page_headers;

/// Below [`BASE`].
const PLACE: &str = "/docs";
/// Where Harbor has its page.
const AS_HARBOR: &str = "/devcenter-api-2.0";

/// The portal's tokens and components that the page uses, and its own rules.
const STYLE: &str = concat!(
    include_str!("../../../style/tokens.css"),
    include_str!("../../../style/base.css"),
    include_str!("../../../style/kit/text.css"),
    include_str!("../../../style/kit/frame.css"),
    include_str!("../../../style/kit/button.css"),
    include_str!("../../../style/kit/field.css"),
    include_str!("../../../style/kit/badge.css"),
    include_str!("browse/page.css"),
);
const SCRIPT: &str = include_str!("browse/page.js");

/// No script, style or address but this server's, and no form that leaves the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The page around the word that chooses the theme, and its two files under hashed names.
struct Browse {
    head: String,
    body: Bytes,
    files: [File; 2],
}

struct File {
    name: String,
    content: &'static str,
    content_type: &'static str,
}

impl File {
    fn new(extension: &str, content: &'static str, content_type: &'static str) -> Self {
        let hash = digest(&SHA256, content.as_bytes());
        let name: String = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { name: format!("api.{name}.{extension}"), content, content_type }
    }

    fn address(&self) -> String {
        format!("{BASE}{PLACE}/{}", self.name)
    }
}

static BROWSE: LazyLock<Browse> = LazyLock::new(|| {
    let style = File::new("css", STYLE, "text/css; charset=utf-8");
    let script = File::new("js", SCRIPT, "text/javascript; charset=utf-8");
    let head = page::head(&style.address(), &script.address());
    Browse { head, body: page::body(&super::document()).into(), files: [style, script] }
});

/// The page and its files.
pub(super) fn routes() -> Router<Rest> {
    Router::new().route(PLACE, get(serve_page)).route(&format!("{PLACE}/{{file}}"), get(serve_file))
}

/// The address that people know from Harbor.
pub(super) fn harbor_route() -> Router {
    Router::new().route(AS_HARBOR, get(async || Redirect::temporary(&format!("{BASE}{PLACE}"))))
}

async fn serve_page(headers: HeaderMap) -> Response {
    let theme = Theme::of_request(&headers).attribute().map(|word| format!(" data-theme=\"{word}\"")).unwrap_or_default();
    let mut html = format!("<!DOCTYPE html>\n<html lang=\"en\"{theme}>\n{}", BROWSE.head).into_bytes();
    html.extend_from_slice(&BROWSE.body);
    let mut response = answer(Bytes::from(html), "text/html; charset=utf-8");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn serve_file(path: PathParams) -> Response {
    let Some(file) = BROWSE.files.iter().find(|file| file.name == path.text("file")) else {
        return (StatusCode::NOT_FOUND, "not found\n").into_response();
    };
    let mut response = answer(Bytes::from_static(file.content.as_bytes()), file.content_type);
    // Its name changes with its content.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    response
}

fn answer(content: Bytes, content_type: &'static str) -> Response {
    let mut response = Response::new(Body::from(content));
    page_headers(response.headers_mut());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_everything_of_the_document_and_nothing_inline() {
        let document = crate::rest::document();
        let html = page::head("/a.css", "/a.js") + &page::body(&document);
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(html.contains(&format!("id=\"op-{id}\" data-method=\"{}\" data-path=\"{path}\"", method.to_uppercase())), "{id}");
            }
        }
        for model in document["components"]["schemas"].as_object().unwrap().keys() {
            assert!(html.contains(&format!("id=\"model-{model}\"")), "{model}");
        }
        for inline in [" style=", "<style", " onclick=", "javascript:", "http://", "https://"] {
            assert!(!html.replace("http://www.w3.org/2000/svg", "").contains(inline), "{inline}");
        }
        assert_eq!(html.matches("<script").count(), 1);
    }

    #[test]
    fn files_are_named_after_their_content() {
        let (a, b) = (File::new("css", "a", "text/css"), File::new("css", "b", "text/css"));
        assert_ne!(a.name, b.name);
        assert_eq!(a.name, File::new("css", "a", "text/css").name);
        assert!(a.name.starts_with("api.") && a.name.ends_with(".css") && a.name.len() == 24, "{}", a.name);
    }
}
