//! The call of the sign-in page: who is asking, nothing more.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::ui::{Answer, UiError};

/// Who is looking at the sign-in page.
///
/// # Errors
/// Only when the portal is not connected to the registry.
#[server(prefix = "/ui/fn", endpoint = "visitor", input = GetUrl)]
pub async fn visitor() -> Result<Answer<()>, UiError> {
    Ok(crate::ui::caller()?.answer(Ok(())))
}
