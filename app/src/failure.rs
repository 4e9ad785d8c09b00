//! Pages for what did not work: not found, not allowed, not signed in, broken. The page loader and the route tree's fallback use them.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{components::Redirect, hooks::use_location};

use crate::{
    address,
    kit::{Art, Empty, Mark},
    session::Visitor,
    shell::{Crumb, Frame, Place, Room},
    ui::UiError,
};

/// The page for an address that the portal does not have.
#[component]
pub fn LostPage() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text="Not found · Berth" />
        <div class="plain">
            <header>
                <p class="brand">
                    <Mark />
                    "Berth"
                </p>
            </header>
            <main id="main">{explanation(&UiError::new(404, ""), Reader::Member)}</main>
        </div>
    }
}

/// The page in place of one that was refused; somebody not signed in is sent to sign in and back to `here`.
pub fn refused(visitor: Visitor, error: UiError, here: &str) -> AnyView {
    let anonymous = visitor.account.is_none();
    if !here.is_empty() && (error.status == 401 || (error.status == 403 && anonymous)) {
        return view! { <Redirect path=address::sign_in(here) /> }.into_any();
    }
    page(visitor, &error)
}

/// The explanation in its frame.
pub fn page(visitor: Visitor, error: &UiError) -> AnyView {
    let reader = Reader::of(&visitor);
    let place = Place { crumbs: vec![Crumb::to("Projects", address::PROJECTS), Crumb::here(crumb(error))], room: Room::Elsewhere };
    let explanation = explanation(error, reader);
    view! { <Frame visitor=visitor place=place>{explanation}</Frame> }.into_any()
}

/// The page's name in the breadcrumb and in the browser's tab.
fn crumb(error: &UiError) -> &'static str {
    if error.status == 404 { "Not found" } else { words(error).1 }
}

/// Who reads the explanation, as far as it speaks of what they may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Anonymous,
    Member,
    Administrator,
}

impl Reader {
    fn of(visitor: &Visitor) -> Self {
        match &visitor.account {
            None => Self::Anonymous,
            Some(account) if account.administrator => Self::Administrator,
            Some(_) => Self::Member,
        }
    }
}

fn explanation(error: &UiError, reader: Reader) -> AnyView {
    let (art, title, text) = match (error.status, reader) {
        (404, Reader::Administrator) => {
            (Art::Quay, "This page doesn’t exist", "What was here may have been deleted, or the address is mistyped.".to_owned())
        }
        _ => words(error),
    };
    let request = error.request_id.clone();
    let sign_in = (reader == Reader::Anonymous && error.status == 404).then(sign_in_link);
    let again = (error.status == 0 || error.status >= 500).then(again);
    view! {
        <Empty art=art title=title level=1>
            <p>{text}</p>
            {request.map(|id| view! { <p class="xs">"Request " <code>{id}</code></p> })}
            <p class="row">
                {again}
                <a class="btn" href=address::PROJECTS>
                    "All projects"
                </a>
                {sign_in}
            </p>
        </Empty>
    }
    .into_any()
}

/// The page as a whole once more, also where the router could show it.
fn again() -> AnyView {
    let location = use_location();
    let here = address::here(&location.pathname.get_untracked(), &location.search.get_untracked());
    view! {
        <a class="btn btn-primary" href=here rel="external">
            "Try again"
        </a>
    }
    .into_any()
}

fn sign_in_link() -> AnyView {
    let back = use_location().pathname.get_untracked();
    view! {
        <a class="btn btn-primary" href=address::sign_in(&back)>
            "Sign in"
        </a>
    }
    .into_any()
}

/// Drawing, title and explanation for an error. Absence and refusal of what one may not know about read the same.
fn words(error: &UiError) -> (Art, &'static str, String) {
    let given = |fallback: &str| if error.message.is_empty() { fallback.to_owned() } else { error.message.clone() };
    match error.status {
        0 => (Art::Storm, "The server can’t be reached", given("Check the connection, then reload.")),
        401 => (Art::Barrier, "This takes signing in", given("Sign in to see this page.")),
        403 => (
            Art::Barrier,
            "You can’t do this here",
            given("It takes a role that you don’t have. An administrator of the project can grant it."),
        ),
        404 => (
            Art::Quay,
            "This page doesn’t exist, or you can’t see it",
            "If somebody gave you the link, they may need to add you to the project first.".to_owned(),
        ),
        400..=499 => (Art::Barrier, "This didn’t work", given("The address or the input doesn’t fit.")),
        _ => (
            Art::Storm,
            "Berth couldn’t load this page",
            given("Something broke on the server. Pulls and pushes may go on working. Try again in a moment."),
        ),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::{markup, session::Account};

    fn lost(account: Option<Account>) -> String {
        let html = markup::render(move || page(Visitor { account, ..Visitor::default() }, &UiError::new(404, "")));
        markup::check(&html);
        html
    }

    #[test]
    fn only_who_may_not_see_everything_is_told_so() {
        let hint = "or you can’t see it";
        assert!(lost(None).contains(hint) && lost(Some(Account::default())).contains(hint));
        let administrator = lost(Some(Account { administrator: true, ..Account::default() }));
        assert!(administrator.contains("This page doesn’t exist") && !administrator.contains(hint), "{administrator}");
    }
}
