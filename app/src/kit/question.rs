//! A question before something goes for good: a button, and the dialog that it opens. Both are the browser's own, so they work without scripts.

use leptos::prelude::*;

use super::{Icon, Refusal};
use crate::ui::UiError;

/// The outcome of a form that deletes: nothing when it worked, else why it did not.
pub type Outcome = Option<Result<Option<UiError>, UiError>>;

/// The button and its dialog.
#[component]
pub fn Question(
    /// Distinguishes the dialog from the others of the page.
    id: String,
    /// What the button says; `None` for a row, whose button is an icon.
    #[prop(optional_no_strip)]
    button: Option<&'static str>,
    /// What is asked: "Delete the repository app?" The name of a button without words.
    title: String,
    /// What will happen, and the form with its [`Answers`].
    children: Children,
) -> impl IntoView {
    let heading = format!("{id}-title");
    let opener = match button {
        Some(button) => view! {
            <button type="button" class="btn btn-danger" popovertarget=id.clone()>
                <Icon name="trash" />
                {button}
            </button>
        }
        .into_any(),
        None => view! {
            <button type="button" class="btn btn-icon btn-quiet btn-sm" popovertarget=id.clone() aria-label=title.clone()>
                <Icon name="trash" />
            </button>
        }
        .into_any(),
    };
    view! {
        {opener}
        <div class="dialog" id=id popover="" role="dialog" aria-labelledby=heading>
            <h2 id=heading.clone()>{title}</h2>
            {children()}
        </div>
    }
    .into_any()
}

/// The end of the form in a question: what went wrong the last time, the way back, and the deed.
#[component]
pub fn Answers(
    /// The question's id.
    id: String,
    /// The deed, with what it is done to: "Delete 2 tags".
    deed: String,
    /// Whether it is being done.
    #[prop(into)]
    pending: Signal<bool>,
    /// How it went the last time.
    #[prop(into)]
    outcome: Signal<Outcome>,
) -> impl IntoView {
    closing(id.clone(), outcome);
    view! {
        {move || refusal(outcome.get()).map(|error| view! { <Refusal error=error /> })}
        <div class="dfoot">
            <button type="button" class="btn" popovertarget=id popovertargetaction="hide" autofocus="">
                "Cancel"
            </button>
            <button type="submit" class="btn btn-destroy" aria-busy=move || pending.get().then_some("true")>
                {deed}
            </button>
        </div>
    }
    .into_any()
}

/// Closes the dialog once the deed is done. The page may stay and show what is left in the same place: an open dialog would ask for that.
fn closing(id: String, outcome: Signal<Outcome>) {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        use wasm_bindgen::JsCast;
        let dialog = || document().get_element_by_id(&id)?.dyn_into::<web_sys::HtmlElement>().ok();
        if let (Some(Ok(None)), Some(dialog)) = (outcome.get(), dialog()) {
            // It fails for what is no popover any more.
            let _ = dialog.hide_popover();
        }
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (id, outcome);
}

/// Says on the page why a form that was posted without scripts did nothing: its dialog is closed by then.
#[component]
pub fn Undone(
    /// How it went the last time.
    #[prop(into)]
    outcome: Signal<Outcome>,
) -> impl IntoView {
    view! {
        {move || match outcome.get() {
            Some(Err(error)) => Some(view! { <Refusal error=error /> }),
            _ => None,
        }}
    }
}

fn refusal(outcome: Outcome) -> Option<UiError> {
    match outcome? {
        Ok(refusal) => refusal,
        Err(error) => Some(error),
    }
}
