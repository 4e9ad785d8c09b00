//! A field of a form: label above, hint below, the error joins the hint.

use leptos::prelude::*;

use super::Icon;

/// Label, control, hint and error of one field. The control is the child; give it the same `id`, and `aria-describedby` with `<id>-hint <id>-err`.
#[component]
pub fn Field(
    /// The control's id.
    id: &'static str,
    /// What it is called.
    label: &'static str,
    /// Whether it may stay empty.
    #[prop(optional)]
    optional: bool,
    /// One sentence of help.
    #[prop(optional, into)]
    hint: String,
    /// What is wrong with it now.
    #[prop(into)]
    error: Signal<Option<String>>,
    /// The control.
    children: Children,
) -> impl IntoView {
    let hint = (!hint.is_empty()).then(|| view! { <p class="hint" id=format!("{id}-hint")>{hint}</p> });
    view! {
        <div class="field">
            <label for=id>{label} {optional.then(|| view! { <span class="opt">" (optional)"</span> })}</label>
            {children()}
            {hint}
            <div id=format!("{id}-err") role="alert">
                {move || {
                    error
                        .get()
                        .map(|message| {
                            view! {
                                <p class="err">
                                    <Icon name="error" />
                                    <span>{message}</span>
                                </p>
                            }
                        })
                }}
            </div>
        </div>
    }
    .into_any()
}
