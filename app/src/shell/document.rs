//! The HTML document around the portal, and the hashed names of its files. The server installs the names once and renders the document for
//! every page; no style or script in it is inline but the one nonced line that starts hydration.

use std::sync::OnceLock;

use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;

use super::Theme;

/// Addresses of the portal's files, as the build named them (`/pkg/app.<hash>.css`, …).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assets {
    /// The style sheet.
    pub css: String,
    /// The module that wasm-bindgen wrote.
    pub js: String,
    /// The program itself.
    pub wasm: String,
    /// The icon sprite.
    pub icons: String,
}

static ASSETS: OnceLock<Assets> = OnceLock::new();

impl Assets {
    /// Makes the names known to every page. Called once at start; later calls change nothing, since pages may already carry the first names.
    pub fn install(self) {
        ASSETS.get_or_init(|| self);
    }
}

/// The address of the icon sprite. The browser reads it from the document that the server wrote, so both sides agree.
pub fn sprite() -> &'static str {
    #[cfg(feature = "ssr")]
    {
        ASSETS.get().map_or("/icons.svg", |assets| assets.icons.as_str())
    }
    #[cfg(not(feature = "ssr"))]
    {
        static SPRITE: OnceLock<String> = OnceLock::new();
        SPRITE.get_or_init(|| {
            leptos::prelude::document()
                .document_element()
                .and_then(|html| html.get_attribute("data-icons"))
                .unwrap_or_else(|| "/icons.svg".to_owned())
        })
    }
}

/// The whole document, for the server's renderer. Without installed [`Assets`] the page is complete but for its style and its script.
pub fn document() -> impl IntoView {
    let assets = ASSETS.get();
    let nonce = use_nonce();
    let theme = theme_of_request();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.attribute() data-icons=sprite()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                {assets
                    .map(|assets| {
                        view! {
                            <link rel="stylesheet" href=assets.css.as_str() />
                            <link rel="modulepreload" href=assets.js.as_str() nonce=nonce.clone() />
                            <link rel="preload" href=assets.wasm.as_str() r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
                            <script type="module" nonce=nonce.clone()>
                                {start(assets)}
                            </script>
                        }
                    })}
                <MetaTags />
            </head>
            <body>
                <crate::App />
            </body>
        </html>
    }
}

/// The line that fetches the program and hands it the page.
fn start(assets: &Assets) -> String {
    format!("import({js:?}).then(m=>m.default({{module_or_path:{wasm:?}}}).then(()=>m.hydrate()))", js = assets.js, wasm = assets.wasm)
}

fn theme_of_request() -> Theme {
    #[cfg(feature = "ssr")]
    {
        use_context::<http::request::Parts>().map(|parts| Theme::of_request(&parts.headers)).unwrap_or_default()
    }
    #[cfg(not(feature = "ssr"))]
    {
        Theme::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_line_names_the_hashed_files() {
        let assets = Assets {
            css: "/pkg/app.1.css".into(),
            js: "/pkg/app.2.js".into(),
            wasm: "/pkg/app_bg.3.wasm".into(),
            icons: "/icons.4.svg".into(),
        };
        assert_eq!(
            start(&assets),
            r#"import("/pkg/app.2.js").then(m=>m.default({module_or_path:"/pkg/app_bg.3.wasm"}).then(()=>m.hydrate()))"#
        );
    }
}
