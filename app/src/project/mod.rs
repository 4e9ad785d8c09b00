//! Projects: the list, the form for a new one, and the repositories of one. The route tree uses the pages.

mod create;
mod list;
mod repositories;
mod server;
mod view;
#[cfg(feature = "ssr")]
pub(crate) mod wiring;

use leptos::prelude::*;
use leptos_router::{components::Redirect, hooks::use_params_map};

pub use create::CreateProjectPage;
pub use list::ProjectsPage;
pub use repositories::RepositoriesPage;
pub use view::{NewProjectView, ProjectHead, ProjectRow, ProjectsView, RepositoriesView, RepositoryRow, StorageView};

/// `/harbor/projects/:id` and `…/summary` lead to the project's repositories.
#[component]
pub fn ToRepositories() -> impl IntoView {
    let params = use_params_map();
    let id = params.with_untracked(|params| params.get("id").unwrap_or_default());
    view! { <Redirect path=crate::address::repositories(&id) /> }
}
