//! Buttons that lead somewhere. Buttons that do something are `<button class="btn …">` in their own form.

use leptos::prelude::*;

use super::Icon;

/// A link in the shape of a button.
#[component]
pub fn LinkButton(
    /// Where it leads.
    #[prop(into)]
    href: String,
    /// Verb first, one to three words.
    text: &'static str,
    /// An icon in front.
    #[prop(optional_no_strip)]
    icon: Option<&'static str>,
    /// The one thing to do on this page.
    #[prop(optional)]
    primary: bool,
) -> impl IntoView {
    let class = if primary { "btn btn-primary" } else { "btn" };
    view! {
        <a class=class href=href>
            {icon.map(|name| view! { <Icon name=name /> })} {text}
        </a>
    }
}
