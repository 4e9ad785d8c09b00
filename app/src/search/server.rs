//! The call of the search page: it takes who is asking and hands back what the page shows.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use super::SearchView;
use crate::ui::{Answer, UiError};

/// Projects and repositories whose names contain a text.
///
/// # Errors
/// Only when the portal is not connected; refusals are in the answer.
#[server(prefix = "/ui/fn", endpoint = "search", input = GetUrl)]
pub async fn search(#[server(default)] q: String) -> Result<Answer<SearchView>, UiError> {
    let caller = crate::ui::caller()?;
    let text = crate::listing::Listing::checked(&q, "", "", 1, 0).q;
    let content = super::wiring::search(&caller, text).await;
    Ok(caller.answer(content))
}
