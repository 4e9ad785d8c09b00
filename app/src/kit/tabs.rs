//! Tabs: links, with the brass line under the current one. For the sections of a long page they stay in sight.

use leptos::prelude::*;

use super::grouped;

/// One tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    /// The section's id.
    pub to: &'static str,
    /// Its heading.
    pub label: &'static str,
    /// A number beside it, where it is cheap.
    pub count: Option<u64>,
}

/// Tabs to the sections of this page.
#[component]
pub fn Tabs(
    /// At least one.
    tabs: Vec<Tab>,
) -> impl IntoView {
    let links = tabs
        .into_iter()
        .map(|tab| {
            // The browser's own jump is wanted here, also where the router is.
            view! {
                <a href=format!("#{}", tab.to) rel="external">
                    {tab.label}
                    {tab.count.map(|count| view! { <span class="count">{grouped(count)}</span> })}
                </a>
            }
        })
        .collect_view();
    view! {
        <nav class="tabs sticky" aria-label="On this page">
            {links}
        </nav>
    }
}
