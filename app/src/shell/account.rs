//! The corner of the top bar that belongs to the visitor: who they are, the theme, signing in and out. Plain forms, so all of it works without
//! scripts. The frame uses it.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_location;

use super::{SetTheme, Theme};
use crate::{
    address,
    kit::Icon,
    session::{Account, Visitor},
};

/// The account button with its menu, or the way to sign in.
#[component]
pub fn AccountMenu(
    /// Who is looking.
    visitor: Visitor,
) -> impl IntoView {
    let here = here();
    let (head, own, ways) = match visitor.account {
        Some(account) => (known(&account), own(), sign_out()),
        None => (anonymous(), ().into_any(), ().into_any()),
    };
    view! {
        <div class="end">
            {head.button}
            {head.link.then(|| view! { <a class="btn btn-primary" href=sign_in_from(here)>"Sign in"</a> })}
        </div>
        <div class="menu" id="me" popover="">
            <p class="head">
                <strong>{head.name}</strong>
                <small>{head.note}</small>
            </p>
            {theme_form(visitor.theme, here)}
            <ul>
                <li class="sep"></li>
                {own}
                <li>
                    <a href=address::API rel="external">
                        <Icon name="file" />
                        "API"
                    </a>
                </li>
            </ul>
            {ways}
        </div>
    }
    .into_any()
}

struct Head {
    button: AnyView,
    link: bool,
    name: String,
    note: String,
}

fn known(account: &Account) -> Head {
    let name = account.shown_name().to_owned();
    let initials = initials(&name);
    let label = format!("{initials}: your account, {name}");
    let mut note = account.email.clone().unwrap_or_else(|| account.name.clone());
    if account.administrator {
        note.push_str(" · Administrator");
    }
    let button = view! {
        <button type="button" class="btn btn-icon btn-quiet" popovertarget="me" aria-label=label>
            <span class="avatar a0" aria-hidden="true">{initials}</span>
        </button>
    };
    Head { button: button.into_any(), link: false, name, note }
}

fn anonymous() -> Head {
    let button = view! {
        <button type="button" class="btn btn-icon btn-quiet" popovertarget="me" aria-label="Settings of this browser">
            <Icon name="settings" />
        </button>
    };
    Head { button: button.into_any(), link: true, name: "Not signed in".to_owned(), note: "You see what everyone may see".to_owned() }
}

/// What only somebody with an account has.
fn own() -> AnyView {
    view! {
        <li>
            <a href=address::PASSWORD>
                <Icon name="key" />
                "Password"
            </a>
        </li>
    }
    .into_any()
}

fn sign_out() -> AnyView {
    view! {
        <form method="post" action=address::SIGN_OUT>
            <ul>
                <li class="sep"></li>
                <li>
                    <button type="submit">
                        <Icon name="logout" />
                        "Sign out"
                    </button>
                </li>
            </ul>
        </form>
    }
    .into_any()
}

fn theme_form(current: Theme, here: Signal<String>) -> AnyView {
    let choices = Theme::ALL
        .into_iter()
        .map(|theme| {
            let icon = match theme {
                Theme::System => "columns",
                Theme::Light => "sun",
                Theme::Dark => "moon",
            };
            let chosen = theme == current;
            view! {
                <li>
                    <button type="submit" name="theme" value=theme.word() aria-pressed=if chosen { "true" } else { "false" }>
                        <Icon name=icon />
                        {theme.label()}
                        {chosen.then(|| view! { <Icon name="check" /> })}
                    </button>
                </li>
            }
        })
        .collect_view();
    view! {
        <form method="post" action=SetTheme::url()>
            <input type="hidden" name="back" value=here />
            <ul aria-label="Theme">{choices}</ul>
        </form>
    }
    .into_any()
}

/// Path and query of the page, following the reader's navigation.
fn here() -> Signal<String> {
    let location = use_location();
    Signal::derive(move || address::here(&location.pathname.get(), &location.search.get()))
}

fn sign_in_from(here: Signal<String>) -> impl Fn() -> String {
    move || address::sign_in(&here.get())
}

/// One or two letters: the first of the first and of the last word.
fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    let letters: String = first.into_iter().chain(last).flat_map(char::to_uppercase).collect();
    if letters.is_empty() { "?".to_owned() } else { letters }
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_are_the_first_and_last_word() {
        assert_eq!(initials("Maya Lindqvist"), "ML");
        assert_eq!(initials("admin"), "A");
        assert_eq!(initials("김서연"), "김");
        assert_eq!(initials("Ana Maria de Souza"), "AS");
        assert_eq!(initials("  "), "?");
    }
}
