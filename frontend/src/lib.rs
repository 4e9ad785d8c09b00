//! The browser half of the portal: it takes over the page that the server has written. The page's own script calls
//! [`hydrate`] once; nobody else does.

use wasm_bindgen::prelude::wasm_bindgen;

/// Attaches the portal's handlers to the server-rendered body.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}
