//! The side navigation: the registry's, or one project's. On narrow screens the same markup is a popover behind the menu button. The frame
//! uses it.

use leptos::prelude::*;

use crate::{address, kit::Icon};

/// Which navigation stands beside a page, and which of its entries is the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Room {
    /// The list of projects.
    Projects,
    /// Something else outside any project.
    Elsewhere,
    /// Inside a project.
    Project {
        /// For addresses: the id.
        id: String,
        /// The name.
        name: String,
        /// Whether everyone may pull; unknown on pages that did not need to learn it.
        public: Option<bool>,
    },
}

/// The navigation of a room.
#[component]
pub fn Navigation(
    /// Where the page is.
    room: Room,
    /// The server's version, where the visitor may know it.
    version: Option<String>,
) -> impl IntoView {
    let entries = match room {
        Room::Projects => registry(true),
        Room::Elsewhere => registry(false),
        Room::Project { id, name, public } => project(&id, name, public),
    };
    view! {
        <nav class="sidenav" id="nav" popover="" aria-label="Main">
            <button type="button" class="btn btn-icon btn-quiet nav-close" popovertarget="nav" popovertargetaction="hide" aria-label="Close navigation">
                <Icon name="close" />
            </button>
            {entries}
            {version.map(|version| view! { <p class="foot">{format!("Berth {version}")}</p> })}
        </nav>
    }
    .into_any()
}

fn registry(here: bool) -> AnyView {
    view! {
        <section aria-labelledby="nav-registry">
            <h2 id="nav-registry">"Registry"</h2>
            <ul>
                <li>
                    <a href=address::PROJECTS aria-current=here.then_some("page")>
                        <Icon name="project" />
                        <span>"Projects"</span>
                    </a>
                </li>
            </ul>
        </section>
    }
    .into_any()
}

fn project(id: &str, name: String, public: Option<bool>) -> AnyView {
    let access = public.map(|public| {
        let (icon, word) = if public { ("globe", "Public") } else { ("lock", "Private") };
        view! {
            <Icon name=icon small=true />
            <span class="vh">{word}</span>
        }
    });
    view! {
        <ul>
            <li>
                <a href=address::PROJECTS>
                    <Icon name="chevron-left" />
                    <span>"All projects"</span>
                </a>
            </li>
        </ul>
        <div class="context">
            <span class="xs muted">"Project"</span>
            <strong>{access} {name}</strong>
        </div>
        <section aria-labelledby="nav-contents">
            <h2 id="nav-contents">"Contents"</h2>
            <ul>
                <li>
                    <a href=address::repositories(id) aria-current="page">
                        <Icon name="repo" />
                        <span>"Repositories"</span>
                    </a>
                </li>
            </ul>
        </section>
    }
    .into_any()
}
