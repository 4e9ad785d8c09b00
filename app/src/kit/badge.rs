//! Badges: properties of a thing, never outcomes.

use leptos::prelude::*;

use super::Icon;

/// A property.
#[component]
pub fn Badge(
    /// The word.
    #[prop(into)]
    text: String,
    /// An icon in front.
    #[prop(optional_no_strip)]
    icon: Option<&'static str>,
    /// Whether it stands out.
    #[prop(optional)]
    accent: bool,
) -> impl IntoView {
    let class = if accent { "badge accent" } else { "badge" };
    view! { <span class=class>{icon.map(|name| view! { <Icon name=name /> })} {text}</span> }
}

/// Whether everyone may pull from a project.
#[component]
pub fn Access(
    /// Public or private.
    public: bool,
) -> impl IntoView {
    let (icon, word) = if public { ("globe", "Public") } else { ("lock", "Private") };
    view! {
        <span class="row-tight faint">
            <Icon name=icon small=true />
            <span class="xs">{word}</span>
        </span>
    }
}
