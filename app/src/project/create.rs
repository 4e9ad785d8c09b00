//! The form for a new project. It posts to its server function, with scripts or without.

use leptos::{form::ActionForm, html, prelude::*};
use model::{name::ProjectName, size::MAX_STORAGE_LIMIT};

use super::{
    NewProjectView,
    server::{self, CreateProject},
};
use crate::{
    address,
    kit::{Field, Refusal},
    session::Visitor,
    shell::{Crumb, Frame, Place, Room, loaded},
    ui::UiError,
};

/// `/harbor/projects/new`
#[component]
pub fn CreateProjectPage() -> impl IntoView {
    let creation = ServerAction::<CreateProject>::new();
    let answer = Resource::new(|| (), |()| server::new_project());
    let form = NodeRef::<html::Form>::new();
    // Where scripts run, what is wrong is said at the field; without them the browser says it, in a bubble.
    Effect::new(move |_| {
        if let Some(form) = form.get() {
            form.set_no_validate(true);
        }
    });
    loaded(answer, move |visitor, view| new_project(visitor, view, creation, form))
}

fn new_project(visitor: Visitor, view: NewProjectView, creation: ServerAction<CreateProject>, form: NodeRef<html::Form>) -> AnyView {
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
                    <ActionForm action=creation node_ref=form>
                        <div class="form">{fields(&registry, view.may_limit, creation)}</div>
                    </ActionForm>
                </div>
            </section>
        </Frame>
    }
    .into_any()
}

/// What the last attempt was refused for.
fn refusal(creation: ServerAction<CreateProject>) -> Option<UiError> {
    match creation.value().get()? {
        Ok(refusal) => refusal,
        Err(error) => Some(error),
    }
}

/// The message of the last attempt about one field.
fn message(creation: ServerAction<CreateProject>, field: &'static str) -> Signal<Option<String>> {
    Signal::derive(move || refusal(creation).filter(|error| error.field.as_deref() == Some(field)).map(|error| error.message))
}

/// What is wrong with a name, in words for its field; nothing for one that the rules take and something can be pushed under.
pub(super) fn wrong_name(name: &str) -> Option<&'static str> {
    const TOO_LONG: &str = "At most 253 characters: with a slash and a repository’s name behind it, it has 255.";
    if name.is_empty() {
        Some("A project needs a name.")
    } else if name.len() > ProjectName::MAX_TO_PUSH {
        Some(TOO_LONG)
    } else if ProjectName::is_one(name) {
        None
    } else {
        Some("Lower-case letters and digits only, with single . _ - between them.")
    }
}

fn fields(registry: &str, may_limit: bool, creation: ServerAction<CreateProject>) -> AnyView {
    let pending = creation.pending();
    let limit = may_limit.then(|| limit_field(message(creation, "limit")));
    view! {
        {move || refusal(creation).filter(|error| error.field.is_none()).map(|error| view! { <Refusal error=error /> })}
        {name_field(registry, message(creation, "name"))}
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

/// Says what is wrong with the name when its field is left; typing takes that back.
fn name_field(registry: &str, refused: Signal<Option<String>>) -> AnyView {
    let noticed = RwSignal::new(None::<&'static str>);
    let error = Signal::derive(move || noticed.get().map(str::to_owned).or_else(|| refused.get()));
    view! {
        <Field
            id="name"
            label="Name"
            hint=format!("Lower-case letters, digits, and . _ - between them; at most 253. People pull from {registry}/name.")
            error=error
        >
            <input
                type="text"
                class="input mono"
                id="name"
                name="name"
                required
                maxlength=ProjectName::MAX_TO_PUSH.to_string()
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                pattern="[a-z0-9]+([._\\-][a-z0-9]+)*"
                title="Lower-case letters and digits, with single . _ - between them"
                aria-describedby="name-hint name-err"
                aria-invalid=move || error.get().is_some().then_some("true")
                on:input=move |_| noticed.set(None)
                on:change=move |event| noticed.set(wrong_name(event_target_value(&event).trim()))
            />
        </Field>
    }
    .into_any()
}

fn limit_field(error: Signal<Option<String>>) -> AnyView {
    view! {
        <Field id="limit" label="Storage limit" optional=true hint=format!("Empty means no limit. {MOST}") error=error>
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

/// The highest limit in words; 1 TiB is two to the power of forty.
const MOST: &str = "At most 1024 TiB.";

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
        Ok(bytes @ ..=MAX_STORAGE_LIMIT) => Ok(bytes),
        _ => Err(MOST),
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
                NodeRef::new(),
            )
        });
        markup::check(&html);
        assert!(html.contains("action=\"/ui/fn/create-project\"") && html.contains("method=\"post\""), "{html}");
        assert!(html.contains("name=\"limit\"") && html.contains("registry.example/name"));
        let html =
            markup::render(|| new_project(Visitor::default(), NewProjectView { may_limit: false }, ServerAction::new(), NodeRef::new()));
        assert!(!html.contains("name=\"limit\""));
    }

    #[test]
    fn a_name_is_judged_in_words_before_it_is_sent() {
        let longest = "a".repeat(ProjectName::MAX_TO_PUSH);
        assert_eq!((wrong_name("web.app-1"), wrong_name(&longest)), (None, None));
        assert!(wrong_name(&format!("{longest}a")).is_some_and(|said| said.contains(&ProjectName::MAX_TO_PUSH.to_string())));
        assert!(wrong_name("Not A Name").is_some_and(|said| said.starts_with("Lower-case letters")));
        assert!(wrong_name("").is_some());
    }

    #[test]
    fn limits_are_read_as_people_write_them() {
        assert_eq!(limit_bytes("", "GiB"), Ok(-1));
        assert_eq!(limit_bytes(" 50 ", "GiB"), Ok(50 << 30));
        assert_eq!(limit_bytes("1.5", "MiB"), Ok(1_572_864));
        assert_eq!(limit_bytes("1,5", "TiB"), Ok(3 << 39));
        assert_eq!(limit_bytes("1024", "TiB"), Ok(MAX_STORAGE_LIMIT));
        assert_eq!(limit_bytes("1024.001", "TiB"), Err("At most 1024 TiB."));
        assert_eq!(MAX_STORAGE_LIMIT >> 40, 1024, "as it is said");
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
