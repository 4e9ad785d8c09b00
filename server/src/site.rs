//! The portal's files, embedded in the program: scripts, style sheet, icons, under hashed names and precompressed.
//! `compose` takes [`Site::embedded`]; the portal door asks it for [`SiteAssets`] and puts [`Site::routes`] beside its pages.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
    routing::get,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rust_embed::RustEmbed;

use crate::security::page_headers;

/// The folder that the build of the portal writes. Empty when the portal was never built.
#[derive(RustEmbed)]
#[folder = "../target/site"]
struct Files;

/// Digits of a hash in a file's name, at least.
const HASH_DIGITS: usize = 8;
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// Addresses of the portal's files, for pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteAssets {
    /// The style sheet.
    pub css: String,
    /// The script that starts the portal in the browser.
    pub js: String,
    /// The portal itself.
    pub wasm: String,
    /// The sprite of all icons.
    pub icons: String,
}

/// One file in its forms.
#[derive(Debug)]
struct File {
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
    etag: String,
    content_type: HeaderValue,
    cache: HeaderValue,
}

/// All files. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Site {
    files: Arc<HashMap<String, File>>,
    assets: Option<SiteAssets>,
}

impl Site {
    /// What the build embedded.
    #[must_use]
    pub fn embedded() -> Self {
        Self::new(Files::iter().filter_map(|path| {
            let file = Files::get(&path)?;
            let bytes = match file.data {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => Bytes::from(bytes),
            };
            Some((path.into_owned(), bytes, hex(&file.metadata.sha256_hash()[..16])))
        }))
    }

    /// From files as `(path, content, hash)`; `.br` and `.gz` beside a file are its compressed forms, `manifest.json` names what pages need.
    fn new(files: impl Iterator<Item = (String, Bytes, String)>) -> Self {
        let all: HashMap<String, (Bytes, String)> = files.map(|(path, bytes, hash)| (path, (bytes, hash))).collect();
        let form = |path: &str, suffix: &str| all.get(&format!("{path}{suffix}")).map(|(bytes, _)| bytes.clone());
        let mut table = HashMap::new();
        for (path, (plain, hash)) in &all {
            let Some(kind) = content_type(path) else {
                continue;
            };
            let cache = if is_hashed(path) { FOREVER } else { ASK_AGAIN };
            let file = File {
                plain: plain.clone(),
                brotli: form(path, ".br"),
                gzip: form(path, ".gz"),
                etag: hash.clone(),
                content_type: kind,
                cache,
            };
            table.insert(format!("/{path}"), file);
        }
        let assets = all.get("manifest.json").and_then(|(manifest, _)| read_manifest(manifest));
        Self { files: Arc::new(table), assets }
    }

    /// Where pages find their files; none when the portal was not built into this program.
    #[must_use]
    pub fn assets(&self) -> Option<&SiteAssets> {
        self.assets.as_ref()
    }

    /// A route for every file; `/pkg/*` answers 404 to others.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let mut routes = Router::new().route("/pkg/{*file}", get(answer));
        for path in self.files.keys().filter(|path| !path.starts_with("/pkg/")) {
            routes = routes.route(path, get(answer));
        }
        routes.with_state(self.clone())
    }
}

async fn answer(State(site): State<Site>, request: Request) -> Response {
    let Some(file) = site.files.get(request.uri().path()) else {
        let mut missing = Response::new(Body::from("not found\n"));
        *missing.status_mut() = StatusCode::NOT_FOUND;
        missing.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        return missing;
    };
    let accepts = accepted(request.headers());
    let (bytes, coding) = match (&file.brotli, &file.gzip) {
        (Some(brotli), _) if accepts.brotli => (brotli, Some("br")),
        (_, Some(gzip)) if accepts.gzip => (gzip, Some("gzip")),
        _ => (&file.plain, None),
    };
    // Strong tags name bytes, so each form has its own (RFC 9110 section 8.8.3.3).
    let etag = format!("\"{}{}\"", file.etag, coding.map(|c| format!("-{c}")).unwrap_or_default());
    let fresh =
        request.headers().get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).any(|tag| {
            let tag = tag.trim();
            tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag
        });
    let mut response = Response::new(if fresh || request.method() == Method::HEAD { Body::empty() } else { Body::from(bytes.clone()) });
    let headers = response.headers_mut();
    page_headers(headers);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::CACHE_CONTROL, file.cache.clone());
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    if fresh {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(header::CONTENT_TYPE, file.content_type.clone());
    headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Accepted {
    brotli: bool,
    gzip: bool,
}

/// `Accept-Encoding`, as far as it concerns us: `br`, `gzip`, `*`, and `q=0` for "not this one".
fn accepted(headers: &HeaderMap) -> Accepted {
    let mut out = Accepted::default();
    let (mut any, mut named) = (None, Accepted::default());
    for item in headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')) {
        let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
        let wanted = !parameters.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse::<f32>().is_ok_and(|q| q <= 0.0));
        match coding.trim().to_ascii_lowercase().as_str() {
            "br" => (out.brotli, named.brotli) = (wanted, true),
            "gzip" | "x-gzip" => (out.gzip, named.gzip) = (wanted, true),
            "*" => any = Some(wanted),
            _ => {}
        }
    }
    if let Some(any) = any {
        out.brotli = if named.brotli { out.brotli } else { any };
        out.gzip = if named.gzip { out.gzip } else { any };
    }
    out
}

/// None for what is not served: compressed forms, the manifest, the build's own notes.
fn content_type(path: &str) -> Option<HeaderValue> {
    if path == "manifest.json" || path.starts_with('.') {
        return None;
    }
    Some(HeaderValue::from_static(match path.rsplit_once('.')?.1 {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        _ => return None,
    }))
}

/// `app.0123456789abcdef.js`: the content can never change under this name.
fn is_hashed(path: &str) -> bool {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let parts: Vec<&str> = name.split('.').collect();
    parts.len() >= 3
        && parts[1..parts.len() - 1].iter().any(|part| part.len() >= HASH_DIGITS && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The manifest maps the files' own names to the paths they are served at.
fn read_manifest(manifest: &[u8]) -> Option<SiteAssets> {
    let mut paths: HashMap<String, String> = serde_json::from_slice(manifest).ok()?;
    Some(SiteAssets {
        css: paths.remove("app.css")?,
        js: paths.remove("app.js")?,
        wasm: paths.remove("app_bg.wasm")?,
        icons: paths.remove("icons.svg").unwrap_or_default(),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    fn site() -> Site {
        let manifest = r#"{"app.css":"/pkg/app.0123456789abcdef.css","app.js":"/pkg/app.aaaaaaaa00000000.js","app_bg.wasm":"/pkg/app_bg.bbbbbbbb00000000.wasm","icons.svg":"/pkg/icons.cccccccc00000000.svg","favicon.svg":"/favicon.svg"}"#;
        let files = [
            ("manifest.json", manifest),
            ("pkg/app.0123456789abcdef.css", "body{}"),
            ("pkg/app.0123456789abcdef.css.br", "BR"),
            ("pkg/app.0123456789abcdef.css.gz", "GZ"),
            ("favicon.svg", "<svg/>"),
        ];
        Site::new(files.into_iter().map(|(path, text)| (path.to_owned(), Bytes::from_static(text.as_bytes()), "f00".to_owned())))
    }

    async fn get_file(path: &str, pairs: &[(header::HeaderName, &str)]) -> (StatusCode, HeaderMap, String) {
        let mut request = http::Request::builder().uri(path);
        for (name, value) in pairs {
            request = request.header(name, *value);
        }
        let answer = site().routes::<()>().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        (parts.status, parts.headers, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
    }

    const CSS: &str = "/pkg/app.0123456789abcdef.css";

    #[tokio::test]
    async fn the_best_form_that_the_client_takes_is_sent() {
        for (accept, body, coding) in [
            ("gzip, deflate, br", "BR", Some("br")),
            ("gzip", "GZ", Some("gzip")),
            ("br;q=0, *", "GZ", Some("gzip")),
            ("identity", "body{}", None),
            ("*;q=0", "body{}", None),
        ] {
            let (status, headers, text) = get_file(CSS, &[(header::ACCEPT_ENCODING, accept)]).await;
            assert_eq!((status, text.as_str()), (StatusCode::OK, body), "{accept}");
            assert_eq!(headers.get(header::CONTENT_ENCODING).map(|v| v.to_str().unwrap()), coding, "{accept}");
            assert_eq!(headers[header::CONTENT_TYPE], "text/css; charset=utf-8");
            assert_eq!(headers[header::CACHE_CONTROL], FOREVER);
            assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        }
    }

    #[tokio::test]
    async fn a_known_tag_gets_304_and_each_form_has_its_own() {
        let (_, headers, _) = get_file(CSS, &[]).await;
        assert_eq!(headers[header::ETAG], "\"f00\"");
        let (status, headers, body) = get_file(CSS, &[(header::IF_NONE_MATCH, "\"x\", W/\"f00\"")]).await;
        assert_eq!((status, body.as_str(), headers.contains_key(header::CONTENT_TYPE)), (StatusCode::NOT_MODIFIED, "", false));
        let (status, ..) = get_file(CSS, &[(header::IF_NONE_MATCH, "\"f00\""), (header::ACCEPT_ENCODING, "br")]).await;
        assert_eq!(status, StatusCode::OK);
    }

    #[tokio::test]
    async fn only_files_are_served() {
        assert_eq!(get_file("/favicon.svg", &[]).await.1[header::CACHE_CONTROL], ASK_AGAIN);
        for path in ["/manifest.json", "/pkg/app.css", "/pkg/app.0123456789abcdef.css.br", "/pkg/../manifest.json"] {
            assert_eq!(get_file(path, &[]).await.0, StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn pages_learn_the_names_from_the_manifest() {
        assert_eq!(site().assets().unwrap().js, "/pkg/app.aaaaaaaa00000000.js");
        assert_eq!(Site::new(std::iter::empty()).assets(), None);
        // The embedded folder may be empty, but never half there.
        let embedded = Site::embedded();
        assert_eq!(embedded.assets().is_some(), embedded.files.keys().any(|path| path.starts_with("/pkg/")));
    }
}
