//! From the rules to the pages of the visitor's own account. The server functions beside it use it.

use http::{HeaderMap, header};
use model::{Secret, api::PasswordReq, name, percent};

use super::{Account, SignInView};
use crate::{
    address,
    ui::{Caller, UiError},
};

/// What the sign-in page begins with: the name that was typed before the password turned out wrong.
pub(super) fn sign_in(headers: Option<&HeaderMap>) -> SignInView {
    let pairs = headers.into_iter().flat_map(|headers| headers.get_all(header::COOKIE)).filter_map(|value| value.to_str().ok());
    let typed = pairs.flat_map(|value| value.split(';')).find_map(|pair| pair.trim().strip_prefix(super::TYPED_NAME)?.strip_prefix('='));
    SignInView { name: typed.and_then(percent::decode).map(std::borrow::Cow::into_owned).unwrap_or_default() }
}

pub(super) fn account(caller: &Caller) -> Result<Account, UiError> {
    caller.visitor.account.clone().ok_or_else(|| UiError::new(401, ""))
}

/// Replaces the caller's password; gives the address of what comes then.
pub(super) async fn change_password(caller: &Caller, current: &str, new: &str, repeat: &str) -> Result<&'static str, UiError> {
    let Some(id) = caller.actor.user_id() else { return Err(UiError::new(401, "")) };
    if new != repeat {
        return Err(UiError::about("repeat", "This isn’t what stands above."));
    }
    caller.services.configuration.writable().map_err(|error| caller.refusal(&error))?;
    let request = PasswordReq { old_password: Secret::new(current), new_password: Secret::new(new) };
    match caller.services.users.set_password(&caller.actor, id, &request).await {
        Ok(()) => Ok(address::PASSWORD_CHANGED),
        Err(error) => Err(refused(caller.refusal(&error), new)),
    }
}

/// Puts what the rules refuse beside the field that it is about.
fn refused(error: UiError, new: &str) -> UiError {
    let about = |field, message: &str| UiError { status: error.status, ..UiError::about(field, message) };
    match error.status {
        403 => about("current", "This isn’t your current password."),
        400 if name::validate_password(new).is_err() => {
            about("new", "It takes 8 to 128 characters, with an upper-case letter, a lower-case one and a digit.")
        }
        400 => about("new", "This is the password that you have."),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_stands_beside_its_field() {
        let field = |status, new| refused(UiError::new(status, "in raw words"), new).field;
        assert_eq!(field(403, "Better-than-that-2").as_deref(), Some("current"));
        assert_eq!(field(400, "short").as_deref(), Some("new"));
        assert_eq!(field(400, "Better-than-that-2").as_deref(), Some("new"));
        assert_eq!(field(500, "Better-than-that-2"), None);
    }

    #[test]
    fn the_name_that_was_typed_comes_back() {
        let typed = |cookie: &str| {
            let mut headers = HeaderMap::new();
            headers.append(header::COOKIE, http::HeaderValue::from_str(cookie).unwrap());
            sign_in(Some(&headers)).name
        };
        assert_eq!(typed("sid=x; sign_in_name=Maya%20%22L%22; theme=dark"), "Maya \"L\"");
        assert_eq!(typed("sid=x"), "");
        assert_eq!(typed("sign_in_name=%FF"), "");
        assert_eq!(sign_in(None).name, "");
    }
}
