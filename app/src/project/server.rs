//! The calls of the project pages: each takes who is asking, makes one call into the rules' rooms and hands back what the page shows.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use super::{NewProjectView, ProjectsView, RepositoriesView};
use crate::ui::{Answer, UiError};

/// A page of the list of projects that the caller may see.
///
/// # Errors
/// Only when the portal is not connected; refusals are in the answer.
#[server(prefix = "/ui/fn", endpoint = "projects", input = GetUrl)]
pub async fn projects(
    #[server(default)] q: String,
    #[server(default)] show: String,
    #[server(default)] sort: String,
    page: u32,
    size: u32,
) -> Result<Answer<ProjectsView>, UiError> {
    let caller = crate::ui::caller()?;
    let listing = crate::listing::Listing::checked(&q, &show, &sort, page, size);
    let content = super::wiring::projects(&caller, listing).await;
    Ok(caller.answer(content))
}

/// What the form for a new project needs to know.
///
/// # Errors
/// Only when the portal is not connected; refusals are in the answer.
#[server(prefix = "/ui/fn", endpoint = "new-project", input = GetUrl)]
pub async fn new_project() -> Result<Answer<NewProjectView>, UiError> {
    let caller = crate::ui::caller()?;
    let content = super::wiring::new_project(&caller).await;
    Ok(caller.answer(content))
}

/// Makes a project and goes to it. The form of the page posts here.
///
/// # Errors
/// For a form posted without scripts: what the rules refused. With scripts that is the answer; none means it worked.
#[server(prefix = "/ui/fn", endpoint = "create-project")]
pub async fn create_project(
    name: String,
    #[server(default)] public: bool,
    #[server(default)] limit: String,
    #[server(default)] unit: String,
) -> Result<Option<UiError>, UiError> {
    let caller = crate::ui::caller()?;
    let limit = match super::create::limit_bytes(&limit, &unit) {
        Ok(limit) => limit,
        Err(message) => return caller.refuse(UiError::about("limit", message)),
    };
    match super::wiring::create(&caller, name.trim().to_owned(), public, limit).await {
        Ok(id) => leptos_axum::redirect(&crate::address::repositories(&id)),
        Err(refusal) => return caller.refuse(refusal),
    }
    Ok(None)
}

/// A page of the repositories of a project, with the project.
///
/// # Errors
/// Only when the portal is not connected; refusals are in the answer.
#[server(prefix = "/ui/fn", endpoint = "repositories", input = GetUrl)]
pub async fn repositories(
    project: String,
    #[server(default)] q: String,
    #[server(default)] sort: String,
    page: u32,
    size: u32,
) -> Result<Answer<RepositoriesView>, UiError> {
    let caller = crate::ui::caller()?;
    let listing = crate::listing::Listing::checked(&q, "", &sort, page, size);
    let content = super::wiring::repositories(&caller, &project, listing).await;
    Ok(caller.answer(content))
}
