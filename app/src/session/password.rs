//! The page to change one's own password. Its form posts to its server function, with scripts or without.

use leptos::{form::ActionForm, prelude::*};

use super::{
    Account, Visitor,
    server::{self, ChangePassword},
};
use crate::{
    address,
    kit::{Field, Refusal},
    shell::{Crumb, Frame, Place, Room, loaded},
    ui::UiError,
};

/// `/account/password`
#[component]
pub fn PasswordPage() -> impl IntoView {
    let change = ServerAction::<ChangePassword>::new();
    let answer = Resource::new(|| (), |()| server::own_account());
    loaded(answer, move |visitor, account| password(visitor, account, change))
}

fn password(visitor: Visitor, account: Account, change: ServerAction<ChangePassword>) -> AnyView {
    let place = Place { crumbs: vec![Crumb::to("Projects", address::PROJECTS), Crumb::here("Password")], room: Room::Elsewhere };
    view! {
        <Frame visitor=visitor place=place>
            <header class="page-head">
                <div class="titles">
                    <h1>"Password"</h1>
                    <p class="lede">"Changing it ends all your sessions, this one too: you sign in again with the new one."</p>
                </div>
            </header>
            <section class="card" aria-label="Password">
                <div class="body">
                    <ActionForm action=change>
                        <div class="form">{fields(account.name, change)}</div>
                    </ActionForm>
                </div>
            </section>
        </Frame>
    }
    .into_any()
}

/// What the last attempt was refused for.
fn refusal(change: ServerAction<ChangePassword>) -> Option<UiError> {
    match change.value().get()? {
        Ok(refusal) => refusal,
        Err(error) => Some(error),
    }
}

fn fields(name: String, change: ServerAction<ChangePassword>) -> AnyView {
    let pending = change.pending();
    view! {
        {move || refusal(change).filter(|error| error.field.is_none()).map(|error| view! { <Refusal error=error /> })}
        // For the browser's store of passwords, which wants to know whose it is.
        <input type="hidden" name="username" autocomplete="username" value=name />
        {secret(change, "current", "Current password", "", "current-password")}
        {secret(
            change,
            "new",
            "New password",
            "8 to 128 characters, with an upper-case letter, a lower-case one and a digit.",
            "new-password",
        )}
        {secret(change, "repeat", "New password again", "", "new-password")}
        <div class="row">
            <button class="btn btn-primary" type="submit" aria-busy=move || pending.get().then_some("true")>
                "Change password"
            </button>
            <a class="btn" href=address::PROJECTS>
                "Cancel"
            </a>
        </div>
    }
    .into_any()
}

/// A field for a password with what was wrong with it the last time.
fn secret(
    change: ServerAction<ChangePassword>,
    id: &'static str,
    label: &'static str,
    hint: &'static str,
    autocomplete: &'static str,
) -> AnyView {
    let error = Signal::derive(move || refusal(change).filter(|error| error.field.as_deref() == Some(id)).map(|error| error.message));
    let described = if hint.is_empty() { format!("{id}-err") } else { format!("{id}-hint {id}-err") };
    view! {
        <Field id=id label=label hint=hint error=error>
            <input
                type="password"
                class="input"
                id=id
                name=id
                autocomplete=autocomplete
                maxlength="1024"
                required
                aria-describedby=described
                aria-invalid=move || error.get().is_some().then_some("true")
            />
        </Field>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::markup;

    #[test]
    fn the_form_posts_without_scripts() {
        let account = Account { name: "maya".into(), ..Account::default() };
        let visitor = Visitor { account: Some(account.clone()), ..Visitor::default() };
        let html = markup::render(move || password(visitor, account, ServerAction::new()));
        markup::check(&html);
        assert!(html.contains("action=\"/ui/fn/change-password\"") && html.contains("method=\"post\""), "{html}");
        for part in ["name=\"current\"", "name=\"new\"", "name=\"repeat\"", "value=\"maya\"", "href=\"/account/password\""] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }
}
