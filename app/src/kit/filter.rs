//! The text filter of a list: a form that ends up in the address, with or without scripts.

use leptos::{ev::SubmitEvent, html, prelude::*};
use leptos_router::hooks::use_navigate;

use super::Icon;
use crate::listing::Listing;

/// The toolbar of a list.
#[component]
pub fn Filter(
    /// The list's state; what is not the text goes along unchanged.
    listing: Listing,
    /// The page's path.
    path: String,
    /// What the field is called.
    label: &'static str,
    /// What the text is looked for in.
    #[prop(default = "name")]
    part: &'static str,
    /// More of the toolbar: links that change another part of the state.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let kept = [("show", listing.show.clone()), ("sort", listing.sort.clone())]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
        .collect_view();
    let chip = (!listing.q.is_empty()).then(|| chip(&listing, &path, part));
    let size =
        (listing.size != Listing::default().size).then(|| view! { <input type="hidden" name="size" value=listing.size.to_string() /> });
    let (field, submit) = submission(listing.clone(), path.clone());
    view! {
        <div class="toolbar">
            <form method="get" action=path on:submit=submit>
                <div class="search" role="search">
                    <Icon name="search" />
                    <input node_ref=field class="input" type="search" name="q" value=listing.q maxlength="256" placeholder=label aria-label=label />
                </div>
                {kept}
                {size}
                <button class="btn" type="submit">
                    "Filter"
                </button>
            </form>
            {children.map(|children| children())}
        </div>
        {chip}
    }
    .into_any()
}

/// With scripts the address is the list's own, short one, and the page stays.
fn submission(listing: Listing, path: String) -> (NodeRef<html::Input>, impl Fn(SubmitEvent) + 'static) {
    let field = NodeRef::<html::Input>::new();
    let navigate = use_navigate();
    let submit = move |event: SubmitEvent| {
        if let Some(input) = field.get_untracked() {
            event.prevent_default();
            let filtered = Listing { q: input.value().trim().to_owned(), page: 1, ..listing.clone() };
            navigate(&filtered.href(&path), leptos_router::NavigateOptions::default());
        }
    };
    (field, submit)
}

/// What hides rows now, removable.
fn chip(listing: &Listing, path: &str, part: &str) -> AnyView {
    let text = format!("The {part} has “{}”", listing.q);
    let remove = format!("Remove the {part} filter");
    view! {
        <p class="filters">
            <span class="vh">"Active filter:"</span>
            <span class="chip">
                {text} <a href=listing.unfiltered().href(path) aria-label=remove>
                    <Icon name="close" />
                </a>
            </span>
        </p>
    }
    .into_any()
}
