//! The questions before an artifact or one of its tags goes. The page and its table of tags ask them.

use leptos::{form::ActionForm, prelude::*};

use super::{
    AccessoryRow, ArtifactView,
    parts::{ATTACHED, accessory_name},
    server::{DeleteArtifact, DeleteTag},
};
use crate::{
    kit::{Answers, Outcome, Question},
    repository::Kind,
};

/// The two things that can be undone to an artifact, with how they went the last time.
#[derive(Clone, Copy)]
pub(super) struct Removal {
    artifact: ServerAction<DeleteArtifact>,
    tag: ServerAction<DeleteTag>,
}

impl Removal {
    /// To be made in the page's own body.
    pub(super) fn new() -> Self {
        Self { artifact: ServerAction::new(), tag: ServerAction::new() }
    }

    /// How often a tag was taken: the page that stays must be asked for again.
    pub(super) fn untagged(self) -> usize {
        self.tag.version().get()
    }

    /// How the artifact's form went.
    pub(super) fn of_artifact(self) -> Signal<Outcome> {
        Signal::derive(move || self.artifact.value().get())
    }

    /// How the form of a tag went.
    pub(super) fn of_tag(self) -> Signal<Outcome> {
        Signal::derive(move || self.tag.value().get())
    }

    /// The button that deletes the artifact.
    pub(super) fn artifact(self, view: &ArtifactView, name: &str) -> Option<AnyView> {
        if !view.may_delete {
            return None;
        }
        let what = view.kind.word().to_lowercase();
        let tags = match view.tags.len() {
            0 => "It has no tag; pulling it by digest fails from then on.".to_owned(),
            1 => "Its tag goes with it; pulling it fails from then on, by tag and by digest.".to_owned(),
            many => format!("Its {many} tags go with it; pulling it fails from then on, by tag and by digest."),
        };
        let id = "delete-artifact".to_owned();
        let (company, fields) = (company(view), fields(view));
        let question = view! {
            <Question id=id.clone() button=Some("Delete…") title=format!("Delete {name}?")>
                <p>{tags} {company} " There is no way back. Layers that others use stay."</p>
                <ActionForm action=self.artifact>
                    {fields}
                    <Answers id=id deed=format!("Delete this {what}") pending=self.artifact.pending() outcome=self.of_artifact() />
                </ActionForm>
            </Question>
        };
        Some(question.into_any())
    }

    /// The button that takes the tag at this place of the list.
    pub(super) fn tag(self, view: &ArtifactView, at: usize, tag: &str) -> AnyView {
        let id = format!("delete-tag-{at}");
        let fields = fields(view);
        let name = tag.to_owned();
        view! {
            <Question id=id.clone() button=None title=format!("Delete the tag {tag}?")>
                <p>"Pulling by this tag fails from then on. What it names stays, with its other tags and its digest."</p>
                <ActionForm action=self.tag>
                    {fields}
                    <input type="hidden" name="tag" value=name />
                    <Answers id=id deed="Delete the tag".to_owned() pending=self.tag.pending() outcome=self.of_tag() />
                </ActionForm>
            </Question>
        }
        .into_any()
    }
}

/// What goes with the artifact beside its tags.
fn company(view: &ArtifactView) -> String {
    let mut said = String::new();
    if view.kind == Kind::Index {
        said.push_str(" Images of its platforms go too, unless a tag or another index keeps them.");
    }
    let attached = attached(&view.accessories);
    if !attached.is_empty() {
        said.push_str(&format!(" What is attached to it goes too: {attached}."));
    }
    said
}

/// Kinds of attached artifacts that a question names.
const NAMED: usize = 6;

/// The kinds of what is attached, with how many there are of each.
fn attached(accessories: &[AccessoryRow]) -> String {
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for accessory in accessories {
        let name = match accessory_name(&accessory.kind) {
            ATTACHED if !accessory.artifact_type.is_empty() => &accessory.artifact_type,
            name => name,
        };
        match kinds.iter_mut().find(|(kind, _)| *kind == name) {
            Some((_, count)) => *count += 1,
            None => kinds.push((name, 1)),
        }
    }
    let others: usize = kinds.iter().skip(NAMED).map(|(_, count)| count).sum();
    let named = kinds.iter().take(NAMED).map(|(kind, count)| if *count == 1 { (*kind).to_owned() } else { format!("{count} × {kind}") });
    named.chain((others > 0).then(|| format!("{others} more"))).collect::<Vec<_>>().join(", ")
}

fn fields(view: &ArtifactView) -> AnyView {
    view! {
        <input type="hidden" name="project" value=view.project_id.to_string() />
        <input type="hidden" name="repository" value=view.repository.clone() />
        <input type="hidden" name="digest" value=view.digest.clone() />
    }
    .into_any()
}
