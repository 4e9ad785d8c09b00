//! Icons from the sprite, and the product's mark. Decoration always: the word stands beside it or in the control's label.

use leptos::prelude::*;

use crate::shell::sprite;

/// An icon by its id in the sprite (`public/icons.svg`).
#[component]
pub fn Icon(
    /// The id.
    name: &'static str,
    /// 16 instead of 20 px.
    #[prop(optional)]
    small: bool,
) -> impl IntoView {
    let class = if small { "icon icon-sm" } else { "icon" };
    view! {
        <svg class=class aria-hidden="true">
            <use_ href=format!("{}#{name}", sprite())></use_>
        </svg>
    }
}

/// A bollard and its mooring line, which is also a b.
#[component]
pub fn Mark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
            <path class="post" d="M6 2.5h6.6a1.9 1.9 0 0 1 0 3.8h-.2v22.2a1 1 0 0 1-1 1H7.2a1 1 0 0 1-1-1V6.3H6a1.9 1.9 0 0 1 0-3.8z"></path>
            <path class="rope" d="M13.9 11.9A9.2 9.2 0 1 1 13.9 28.7V24.3A5.5 5.5 0 1 0 13.9 16.3Z"></path>
        </svg>
    }
}
