//! The copy button: it needs a script, so without one it is not shown. Digests and commands use it.

use leptos::prelude::*;

use super::Icon;

/// Copies a text to the clipboard and says so.
#[component]
pub fn Copy(
    /// What is copied.
    text: String,
    /// What the button is called.
    label: String,
) -> impl IntoView {
    let done = RwSignal::new("");
    let press = move |_| {
        let text = text.clone();
        copy(text, done);
    };
    view! {
        <button class="copy" type="button" aria-label=label data-copied=move || (done.get() == COPIED).then_some("yes") on:click=press>
            {move || if done.get() == COPIED { view! { <Icon name="check" /> } } else { view! { <Icon name="copy" /> } }}
            <span class="vh" role="status">
                {done}
            </span>
        </button>
    }
}

const COPIED: &str = "Copied";

#[cfg(feature = "hydrate")]
fn copy(text: String, done: RwSignal<&'static str>) {
    use std::time::Duration;
    leptos::task::spawn_local(async move {
        let copied = browser::copy(&text).await;
        done.set(if copied { COPIED } else { "Copying is not allowed here; select the text instead" });
        set_timeout(move || done.set(""), Duration::from_secs(3));
    });
}

#[cfg(not(feature = "hydrate"))]
fn copy(_text: String, _done: RwSignal<&'static str>) {}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::prelude::window;
    use wasm_bindgen::{JsCast, JsValue};
    use web_sys::{HtmlDocument, HtmlTextAreaElement};

    /// The clipboard exists on secure origins only; a registry on plain http in a private network gets the older way.
    pub(super) async fn copy(text: &str) -> bool {
        let clipboard = window().navigator().clipboard();
        let there = !AsRef::<JsValue>::as_ref(&clipboard).is_undefined();
        if there && wasm_bindgen_futures::JsFuture::from(clipboard.write_text(text)).await.is_ok() {
            return true;
        }
        selected_copy(text).unwrap_or(false)
    }

    fn selected_copy(text: &str) -> Option<bool> {
        let document = window().document()?.dyn_into::<HtmlDocument>().ok()?;
        let body = document.body()?;
        let area = document.create_element("textarea").ok()?.dyn_into::<HtmlTextAreaElement>().ok()?;
        area.set_value(text);
        area.set_class_name("vh");
        body.append_child(&area).ok()?;
        area.select();
        let copied = document.exec_command("copy").unwrap_or(false);
        area.remove();
        Some(copied)
    }
}
