//! The calls of the repository page: each takes who is asking, makes one call into the rules and hands back what the page shows.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use super::RepositoryView;
use crate::ui::{Answer, UiError};

/// A repository with a page of its artifacts.
///
/// # Errors
/// Only when the portal is not connected; refusals are in the answer.
#[server(prefix = "/ui/fn", endpoint = "repository", input = GetUrl)]
pub async fn repository(
    project: String,
    name: String,
    #[server(default)] q: String,
    #[server(default)] show: String,
    #[server(default)] sort: String,
    page: u32,
    size: u32,
) -> Result<Answer<RepositoryView>, UiError> {
    let caller = crate::ui::caller()?;
    let listing = crate::listing::Listing::checked(&q, &show, &sort, page, size);
    let content = super::wiring::repository(&caller, &project, &name, listing).await;
    Ok(caller.answer(content))
}

/// Deletes a repository with everything in it, and goes to its project. The page's form posts here.
///
/// # Errors
/// For a form posted without scripts: what the rules refused. With scripts that is the answer; none means it worked.
#[server(prefix = "/ui/fn", endpoint = "delete-repository")]
pub async fn delete_repository(project: String, name: String) -> Result<Option<UiError>, UiError> {
    let caller = crate::ui::caller()?;
    match super::wiring::delete(&caller, &project, &name).await {
        Ok(back) => leptos_axum::redirect(&back),
        Err(refusal) => return caller.refuse(refusal),
    }
    Ok(None)
}
