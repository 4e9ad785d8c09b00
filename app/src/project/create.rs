//! The form for a new project. It posts to its server function, with scripts or without.

use leptos::{form::ActionForm, prelude::*};

use super::{
    NewProjectView,
    server::{self, CreateProject},
};
use crate::{
    address,
    kit::{Field, Notice, Tone},
    session::Visitor,
    shell::{Crumb, Frame, Place, Room, loaded},
    ui::UiError,
};

/// `/harbor/projects/new`
#[component]
pub fn CreateProjectPage() -> impl IntoView {
    let creation = ServerAction::<CreateProject>::new();
    let answer = Resource::new(|| (), |()| server::new_project());
    loaded(answer, move |visitor, view| new_project(visitor, view, creation))
}

fn new_project(visitor: Visitor, view: NewProjectView, creation: ServerAction<CreateProject>) -> AnyView {
    let place = Place { crumbs: vec![Crumb::to("Projects", address::PROJECTS), Crumb::here("New project")], room: Room::Projects };
    let registry = visitor.registry.clone();
    view! {
        <Frame visitor=visitor place=place>
            <header class="page-head">
                <div class="titles">
                    <h1>"New project"</h1>
                    <p class="lede">"A project holds repositories and says who may use them."</p>
                </div>
            </header>
            <section class="card" aria-label="New project">
                <div class="body">
                    <ActionForm action=creation>
                        <div class="form">{fields(&registry, view.may_limit, creation)}</div>
                    </ActionForm>
                </div>
            </section>
        </Frame>
    }
    .into_any()
}

/// The message of the last attempt about one field; `None` asks for what is about no field.
fn message(creation: ServerAction<CreateProject>, field: Option<&'static str>) -> Signal<Option<String>> {
    Signal::derive(move || match creation.value().get() {
        Some(Ok(Some(UiError { message, field: about, .. })) | Err(UiError { message, field: about, .. })) if about.as_deref() == field => {
            Some(message)
        }
        _ => None,
    })
}

fn fields(registry: &str, may_limit: bool, creation: ServerAction<CreateProject>) -> AnyView {
    let whole = message(creation, None);
    let name = message(creation, Some("name"));
    let limit = message(creation, Some("limit"));
    let pending = creation.pending();
    let limit = may_limit.then(|| limit_field(limit));
    view! {
        {move || whole.get().map(|text| view! { <Notice tone=Tone::Bad text=text /> })}
        <Field
            id="name"
            label="Name"
            hint=format!("Lower-case letters, digits, and . _ - between them. People pull from {registry}/name.")
            error=name
        >
            <input
                type="text"
                class="input mono"
                id="name"
                name="name"
                required
                maxlength="255"
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                pattern="[a-z0-9]+([._\\-][a-z0-9]+)*"
                aria-describedby="name-hint name-err"
                aria-invalid=move || name.get().is_some().then_some("true")
            />
        </Field>
        <fieldset class="stack-sm">
            <legend class="sm strong">"Who can pull"</legend>
            <label class="radio">
                <input type="radio" name="public" value="false" checked=true />
                <span>
                    "Members only"
                    <span class="hint">"Everyone else can’t see that it exists"</span>
                </span>
            </label>
            <label class="radio">
                <input type="radio" name="public" value="true" />
                <span>"Everyone, without signing in"</span>
            </label>
        </fieldset>
        {limit}
        <div class="row">
            <button class="btn btn-primary" type="submit" aria-busy=move || pending.get().then_some("true")>
                "Create project"
            </button>
            <a class="btn" href=address::PROJECTS>
                "Cancel"
            </a>
        </div>
    }
    .into_any()
}

fn limit_field(error: Signal<Option<String>>) -> AnyView {
    view! {
        <Field id="limit" label="Storage limit" optional=true hint="Empty means no limit." error=error>
            <div class="joined">
                <input type="text" class="input" id="limit" name="limit" inputmode="decimal" maxlength="20" placeholder="50" aria-describedby="limit-hint limit-err" aria-invalid=move || error.get().is_some().then_some("true") />
                <select class="select" name="unit" aria-label="Unit of the storage limit">
                    <option value="MiB">"MiB"</option>
                    <option value="GiB" selected=true>
                        "GiB"
                    </option>
                    <option value="TiB">"TiB"</option>
                </select>
            </div>
        </Field>
    }
    .into_any()
}

/// Bytes of a limit as it was typed: an amount with up to three decimals and a unit. Empty is no limit, which the rules call -1.
///
/// # Errors
/// A sentence for the field.
#[cfg_attr(not(feature = "ssr"), expect(dead_code, reason = "the server reads what the browser sends"))]
pub(super) fn limit_bytes(amount: &str, unit: &str) -> Result<i64, &'static str> {
    const NO_NUMBER: &str = "This isn’t an amount. Try 50, or 1.5.";
    let amount = amount.trim();
    if amount.is_empty() {
        return Ok(-1);
    }
    let unit: i128 = match unit {
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err("Choose MiB, GiB or TiB."),
    };
    let (whole, part) = amount.split_once(['.', ',']).unwrap_or((amount, ""));
    let digits = |text: &str| text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 3 {
        return Err(NO_NUMBER);
    }
    let thousandths: i128 = format!("{whole}{part:0<3}").parse().map_err(|_| NO_NUMBER)?;
    match i64::try_from(thousandths * unit / 1000) {
        Ok(0) => Err("A limit of nothing would refuse every push. Leave it empty for no limit."),
        Ok(bytes) => Ok(bytes),
        Err(_) => Err("This is more than there is anywhere. Leave it empty for no limit."),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::markup;

    #[test]
    fn the_form_posts_without_scripts() {
        let html = markup::render(|| {
            new_project(
                Visitor { registry: "registry.example".into(), ..Visitor::default() },
                NewProjectView { may_limit: true },
                ServerAction::new(),
            )
        });
        markup::check(&html);
        assert!(html.contains("action=\"/ui/fn/create-project\"") && html.contains("method=\"post\""), "{html}");
        assert!(html.contains("name=\"limit\"") && html.contains("registry.example/name"));
        let html = markup::render(|| new_project(Visitor::default(), NewProjectView { may_limit: false }, ServerAction::new()));
        assert!(!html.contains("name=\"limit\""));
    }

    #[test]
    fn limits_are_read_as_people_write_them() {
        assert_eq!(limit_bytes("", "GiB"), Ok(-1));
        assert_eq!(limit_bytes(" 50 ", "GiB"), Ok(50 << 30));
        assert_eq!(limit_bytes("1.5", "MiB"), Ok(1_572_864));
        assert_eq!(limit_bytes("1,5", "TiB"), Ok(3 << 39));
        for (amount, unit) in [
            ("-1", "GiB"),
            ("x", "GiB"),
            ("0", "GiB"),
            (".5", "GiB"),
            ("1.2345", "GiB"),
            ("1e9", "GiB"),
            ("5", "bytes"),
            ("999999999999", "TiB"),
        ] {
            assert!(limit_bytes(amount, unit).is_err(), "{amount} {unit}");
        }
    }
}
