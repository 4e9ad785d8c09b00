//! The search in the top bar: a plain form that leads to the page of the search, and the key that leads to the form. The frame uses the box, the
//! application starts the key.

use leptos::{ev::SubmitEvent, html, prelude::*};
use leptos_router::hooks::use_navigate;

use crate::{address, kit::Icon, listing::Listing};

/// The field's id, by which the key finds it.
#[cfg(feature = "hydrate")]
const FIELD: &str = "search";

/// The form; where there is no room for it, a link to the page with its own.
#[component]
pub fn SearchBox() -> impl IntoView {
    let (field, submit) = submission();
    view! {
        <form class="search everywhere" method="get" action=address::SEARCH role="search" aria-label="Everywhere" on:submit=submit>
            <Icon name="search" />
            <input
                node_ref=field
                class="input"
                type="search"
                id="search"
                name="q"
                maxlength="256"
                placeholder="Search everything"
                aria-label="Search projects and repositories"
                aria-keyshortcuts="/"
                autocomplete="off"
            />
            <kbd aria-hidden="true">"/"</kbd>
        </form>
        <a class="btn btn-icon btn-quiet to-search" href=address::SEARCH aria-label="Search">
            <Icon name="search" />
        </a>
    }
    .into_any()
}

/// For a form of the search: with scripts the next page comes without loading anew.
pub(crate) fn submission() -> (NodeRef<html::Input>, impl Fn(SubmitEvent) + 'static) {
    let field = NodeRef::<html::Input>::new();
    let navigate = use_navigate();
    let submit = move |event: SubmitEvent| {
        if let Some(input) = field.get_untracked() {
            event.prevent_default();
            let asked = Listing { q: input.value().trim().to_owned(), ..Listing::default() };
            navigate(&asked.href(address::SEARCH), leptos_router::NavigateOptions::default());
        }
    };
    (field, submit)
}

/// Listens for `/`, which leads to the search from anywhere but a field. Without scripts there is nothing to listen.
pub fn shortcuts() {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let listening = window_event_listener(leptos::ev::keydown, |event| {
            let plain = !(event.ctrl_key() || event.meta_key() || event.alt_key() || event.is_composing() || event.default_prevented());
            if event.key() == "/" && plain && !browser::in_a_field() && browser::focus(FIELD) {
                event.prevent_default();
            }
        });
        on_cleanup(move || listening.remove());
    });
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::prelude::document;
    use wasm_bindgen::JsCast;
    use web_sys::HtmlElement;

    /// Whether what is typed now goes somewhere.
    pub(super) fn in_a_field() -> bool {
        document().active_element().is_some_and(|element| {
            matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT") || element.has_attribute("contenteditable")
        })
    }

    /// Puts the focus on what has the id, if it is there to be seen.
    pub(super) fn focus(id: &str) -> bool {
        let found = document().get_element_by_id(id).and_then(|element| element.dyn_into::<HtmlElement>().ok());
        found.is_some_and(|field| field.offset_parent().is_some() && field.focus().is_ok())
    }
}
