//! The calls of the pages of the visitor's own account: who is asking, and a new password.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use super::{Account, SignInView};
use crate::ui::{Answer, UiError};

/// Who is looking at the sign-in page, and the name that they typed before.
///
/// # Errors
/// Only when the portal is not connected to the registry.
#[server(prefix = "/ui/fn", endpoint = "visitor", input = GetUrl)]
pub async fn visitor() -> Result<Answer<SignInView>, UiError> {
    let caller = crate::ui::caller()?;
    let parts = use_context::<http::request::Parts>();
    let view = super::wiring::sign_in(parts.as_ref().map(|parts| &parts.headers));
    Ok(caller.answer(Ok(view)))
}

/// Whose password the page changes.
///
/// # Errors
/// Only when the portal is not connected to the registry; that nobody is signed in is in the answer.
#[server(prefix = "/ui/fn", endpoint = "account", input = GetUrl)]
pub async fn own_account() -> Result<Answer<Account>, UiError> {
    let caller = crate::ui::caller()?;
    let content = super::wiring::account(&caller);
    Ok(caller.answer(content))
}

/// Replaces the visitor's password, which ends all their sessions, and goes to the sign-in page. The form of the page posts here.
///
/// # Errors
/// For a form posted without scripts: what the rules refused. With scripts that is the answer; none means it worked.
#[server(prefix = "/ui/fn", endpoint = "change-password")]
pub async fn change_password(
    #[server(default)] current: String,
    #[server(default)] new: String,
    #[server(default)] repeat: String,
) -> Result<Option<UiError>, UiError> {
    let caller = crate::ui::caller()?;
    match super::wiring::change_password(&caller, &current, &new, &repeat).await {
        Ok(next) => leptos_axum::redirect(next),
        Err(refusal) => return caller.refuse(refusal),
    }
    Ok(None)
}
