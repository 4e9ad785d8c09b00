//! The call of the repository page: it takes who is asking and hands back what the page shows.

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
