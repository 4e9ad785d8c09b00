//! Banners: what concerns the whole page.

use leptos::prelude::*;

use super::Icon;

/// How grave it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good to know.
    Info,
    /// Something failed.
    Bad,
}

/// A banner.
#[component]
pub fn Notice(
    /// How grave.
    tone: Tone,
    /// What happened, why, what still works.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    let (class, icon, role) = match tone {
        Tone::Info => ("banner", "info", "status"),
        Tone::Bad => ("banner bad", "error", "alert"),
    };
    view! {
        <div class=class role=role>
            <Icon name=icon />
            <p>{text}</p>
        </div>
    }
}
