//! The frame of a page: top bar with breadcrumb and account, side navigation, and the main region. Every page but sign-in puts its content
//! into it, with what it has already loaded; the frame itself asks the server for nothing.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{
    account::AccountMenu,
    navigation::{Navigation, Room},
    search::SearchBox,
};
use crate::{
    address,
    kit::{Icon, Mark},
    session::Visitor,
};

/// One step of the breadcrumb; the last one has no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crumb {
    /// What it says.
    pub label: String,
    /// Where it leads.
    pub href: Option<String>,
}

impl Crumb {
    /// A step that can be gone back to.
    pub fn to(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: Some(href.into()) }
    }

    /// The page itself.
    pub fn here(label: impl Into<String>) -> Self {
        Self { label: label.into(), href: None }
    }
}

/// Where in the portal a page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// From the projects down to the page.
    pub crumbs: Vec<Crumb>,
    /// Which navigation stands beside it.
    pub room: Room,
}

impl Place {
    /// The title of the browser's tab: the page first, then what it is in, the product last.
    fn title(&self) -> String {
        let above = if self.crumbs.len() > 1 { 1 } else { 0 };
        let steps = self.crumbs.iter().skip(above).rev().map(|crumb| crumb.label.as_str());
        steps.chain(["Berth"]).collect::<Vec<_>>().join(" · ")
    }
}

/// A page with everything around it.
#[component]
pub fn Frame(
    /// Who is looking.
    visitor: Visitor,
    /// Where they are.
    place: Place,
    /// The content of the main region.
    children: Children,
) -> impl IntoView {
    let title = place.title();
    let version = visitor.version.clone();
    view! {
        <Title text=title />
        <a class="skip" href="#main" rel="external">
            "Skip to content"
        </a>
        <div class="shell">
            <header class="topbar">
                <button type="button" class="btn btn-icon btn-quiet nav-toggle" popovertarget="nav" aria-label="Open navigation">
                    <Icon name="menu" />
                </button>
                <a class="brand" href=address::PROJECTS aria-label="Berth, home">
                    <Mark />
                    <span>"Berth"</span>
                </a>
                {crumbs(place.crumbs)}
                <SearchBox />
                <AccountMenu visitor=visitor />
            </header>
            <Navigation room=place.room version=version />
            <main class="page" id="main" tabindex="-1">
                {children()}
            </main>
        </div>
    }
    .into_any()
}

fn crumbs(crumbs: Vec<Crumb>) -> AnyView {
    let steps = crumbs
        .into_iter()
        .map(|crumb| match crumb.href {
            Some(href) => view! { <li><a href=href>{crumb.label}</a></li> }.into_any(),
            None => view! { <li><span aria-current="page">{crumb.label}</span></li> }.into_any(),
        })
        .collect_view();
    view! {
        <nav class="crumbs" aria-label="Breadcrumb">
            <ol>{steps}</ol>
        </nav>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_says_where_the_page_is() {
        let title = |labels: &[&str]| {
            let crumbs = labels.iter().map(|label| Crumb::here(*label)).collect();
            Place { crumbs, room: Room::Elsewhere }.title()
        };
        assert_eq!(title(&["Projects"]), "Projects · Berth");
        assert_eq!(title(&["Projects", "library"]), "library · Berth");
        assert_eq!(title(&["Projects", "library", "alpine", "3.20"]), "3.20 · alpine · library · Berth");
        assert_eq!(title(&[]), "Berth");
    }
}
