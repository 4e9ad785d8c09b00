//! Why a form did nothing: what the rules said, or that the session has ended, with the way to a new one. Pages put it into their forms.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::{Icon, Notice, Tone};
use crate::{address, ui::UiError};

/// The banner of a refused form. A new session is begun in another tab, so that what was typed stays.
#[component]
pub fn Refusal(
    /// What was refused.
    error: UiError,
) -> impl IntoView {
    if error.status == 401 { ended() } else { view! { <Notice tone=Tone::Bad text=words(error) /> }.into_any() }
}

fn ended() -> AnyView {
    let location = use_location();
    let here = address::here(&location.pathname.get_untracked(), &location.search.get_untracked());
    view! {
        <div class="banner bad" role="alert">
            <Icon name="error" />
            <p>
                "Your session has ended; nothing was changed. "
                <a href=address::sign_in(&here) target="_blank" rel="external">
                    "Sign in again in a new tab"
                </a> ", then come back and try once more."
            </p>
        </div>
    }
    .into_any()
}

fn words(error: UiError) -> String {
    match (error.message.is_empty(), error.request_id) {
        (false, _) => error.message,
        (true, Some(id)) => format!("Something broke on the server; nothing was changed. Request {id}"),
        (true, None) => "This didn’t work; nothing was changed.".to_owned(),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::markup;

    fn shown(error: UiError) -> String {
        let html = markup::render(move || view! { <Refusal error=error /> }.into_any());
        markup::check(&html);
        html
    }

    #[test]
    fn an_ended_session_leads_to_a_new_one_and_back() {
        let html = shown(UiError::new(401, "unauthorized"));
        assert!(html.contains("Your session has ended") && !html.contains("unauthorized"), "{html}");
        assert!(html.contains("href=\"/account/sign-in?redirect_url=/harbor/projects%3Fpage%3D2\" target=\"_blank\""), "{html}");
    }

    #[test]
    fn what_has_no_words_has_its_request() {
        assert!(shown(UiError::new(409, "It is there already.")).contains("It is there already."));
        let broken = UiError { request_id: Some("abc".into()), ..UiError::new(500, "") };
        assert!(shown(broken).contains("Request abc"));
    }
}
