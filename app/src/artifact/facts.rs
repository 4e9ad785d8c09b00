//! The card of facts under the pull commands: size, times, types, and what the artifact is attached to. The artifact page shows it.

use leptos::prelude::*;

use super::{ArtifactView, SubjectView};
use crate::{
    address,
    kit::{Bytes, Digest, Moment, media_type},
    repository::Kind,
};

/// The card.
pub(super) fn facts(view: &ArtifactView) -> AnyView {
    let fact = |term: &'static str, value: AnyView| {
        view! {
            <div>
                <dt>{term}</dt>
                <dd>{value}</dd>
            </div>
        }
        .into_any()
    };
    let text = |value: &str| value.to_owned().into_any();
    let media = |word: &str| view! { <span class="mono xs">{media_type(word)}</span> }.into_any();
    let mut facts = vec![fact("Size", view! { <Bytes size=view.size /> }.into_any())];
    facts.extend(
        view.platform.as_deref().map(|platform| fact("Platform", view! { <span class="mono">{platform.to_owned()}</span> }.into_any())),
    );
    facts.extend(view.created.map(|at| fact("Built", view! { <Moment at=at never="Not told" /> }.into_any())));
    facts.push(fact("Pushed", view! { <Moment at=view.pushed /> }.into_any()));
    facts.push(fact("Last pull", view! { <Moment at=view.pulled /> }.into_any()));
    facts.extend((!view.author.is_empty()).then(|| fact("Author", text(&view.author))));
    facts.extend(view.subject.as_ref().map(|subject| fact("Attached to", attached_to(view, subject))));
    facts.push(fact("Media type", media(&view.media_type)));
    // For an image the API repeats the media type of its configuration, which says nothing new.
    let image = matches!(view.kind, Kind::Image | Kind::Index | Kind::EmptyIndex);
    if !image && !view.artifact_type.is_empty() && view.artifact_type != view.media_type {
        facts.push(fact("Artifact type", media(&view.artifact_type)));
    }
    view! {
        <section class="card" aria-label="Facts">
            <div class="body">
                <dl class="facts">{facts}</dl>
            </div>
        </section>
    }
    .into_any()
}

/// The way to what this is attached to; it may not be here yet, or not any more.
fn attached_to(view: &ArtifactView, subject: &SubjectView) -> AnyView {
    let href = subject.is_here.then(|| address::artifact(&view.project_id.to_string(), &view.repository, &subject.digest));
    let missing = (!subject.is_here).then(|| view! { <span class="xs muted">" Not in this repository"</span> });
    view! {
        <Digest digest=subject.digest.clone() href=href />
        {missing}
    }
    .into_any()
}
