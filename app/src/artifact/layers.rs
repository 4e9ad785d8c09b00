//! Layers: the stowage bar, blocks in order and by size, and the table: of build steps with what each made for an image, of files or layers for
//! everything else.

use leptos::prelude::*;

use super::{ArtifactView, Step, steps};
use crate::{
    kit::{Bytes, Column, Digest, Table, percent},
    repository::Kind,
};

/// What the layers of an artifact are to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// Steps of a build, some of which made a layer.
    Steps,
    /// Layers of which nothing more is known.
    Layers,
    /// Files with names.
    Files,
}

impl Sort {
    fn of(view: &ArtifactView) -> Self {
        match view.kind {
            Kind::Image if !view.history.is_empty() => Self::Steps,
            Kind::Other(_) if view.layers.iter().any(|layer| !layer.title.is_empty()) => Self::Files,
            _ => Self::Layers,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Steps | Self::Layers => "Layers",
            Self::Files => "Files",
        }
    }

    const fn caption(self) -> &'static str {
        match self {
            Self::Steps => "Build steps and the layers they made, first to last",
            Self::Layers => "Layers, first to last",
            Self::Files => "Files, first to last",
        }
    }

    /// What a row is, what stands in it, and what its digest is of.
    const fn columns(self) -> [&'static str; 3] {
        match self {
            Self::Steps => ["Step", "Command", "Layer digest"],
            Self::Layers => ["Layer", "Content", "Layer digest"],
            Self::Files => ["File", "Name", "Digest"],
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Steps | Self::Layers => "layer",
            Self::Files => "file",
        }
    }
}

/// The heading of the section.
pub(super) fn title(view: &ArtifactView) -> &'static str {
    Sort::of(view).title()
}

/// The section with bar and table; nothing for an artifact without layers or history.
pub(super) fn section(view: &ArtifactView) -> Option<AnyView> {
    let sort = Sort::of(view);
    // What is no image has no build to tell of.
    let steps = steps(if sort == Sort::Steps { &view.history } else { &[] }, &view.layers);
    if steps.is_empty() {
        return None;
    }
    let total = view.layers.iter().map(|layer| layer.size).fold(0u64, u64::saturating_add);
    let largest = view.layers.iter().map(|layer| layer.size).max().unwrap_or_default();
    let [number, content, digest] = sort.columns();
    let columns = vec![Column::new(number, "r hide-narrow"), Column::new(content, ""), Column::new("Size", "r"), Column::new(digest, "")];
    let rows = (1..).zip(steps).map(|(number, step)| row(sort, number, step, largest)).collect_view();
    let label = if sort == Sort::Files { "Files table" } else { "Layers table" };
    Some(
        view! {
            <section class="list" id="layers" aria-labelledby="layers-title">
                <div class="toolbar">
                    <h2 id="layers-title">{sort.title()}</h2>
                    <span class="sm muted push num">
                        <Bytes size=total />
                    </span>
                    {stowage(view, sort.noun(), total)}
                </div>
                <Table caption=sort.caption().to_owned() label=label columns=columns>
                    {rows}
                </Table>
            </section>
        }
        .into_any(),
    )
}

/// One block for each layer, as wide as its share.
fn stowage(view: &ArtifactView, noun: &str, total: u64) -> Option<AnyView> {
    if total == 0 {
        return None;
    }
    let mut before = 0u64;
    let blocks = view
        .layers
        .iter()
        .map(|layer| {
            let (x, width) = (percent(before, total), percent(layer.size, total));
            before = before.saturating_add(layer.size);
            view! { <rect x=format!("{x:.2}") width=format!("{width:.2}") height="28"></rect> }
        })
        .collect_view();
    let label = match view.layers.len() {
        1 => format!("Stowage: one {noun} of {}", model::size::human(total)),
        count => format!("Stowage of {count} {noun}s by size, {} in all", model::size::human(total)),
    };
    Some(
        view! {
            <svg class="stow" viewBox="0 0 100 28" preserveAspectRatio="none" role="img" aria-label=label>
                {blocks}
            </svg>
        }
        .into_any(),
    )
}

fn row(sort: Sort, number: usize, step: Step, largest: u64) -> AnyView {
    let Step { command, layer } = step;
    let [row, _, of_digest] = sort.columns();
    let told = match (&layer, command.is_empty()) {
        (_, false) => view! { <code>{command}</code> }.into_any(),
        (Some(layer), true) if layer.title.is_empty() => view! { <span class="mono xs">{layer.media_type.clone()}</span> }.into_any(),
        (Some(layer), true) => view! {
            {layer.title.clone()}
            <span class="sub mono">{layer.media_type.clone()}</span>
        }
        .into_any(),
        (None, true) => view! { <span class="muted">"Not told"</span> }.into_any(),
    };
    let (size, digest) = match layer {
        Some(layer) => (
            view! { <Bytes size=layer.size /> {bar(layer.size, largest)} }.into_any(),
            view! { <Digest digest=layer.digest href=None /> }.into_any(),
        ),
        None => (view! { <span class="muted">"No layer"</span> }.into_any(), ().into_any()),
    };
    view! {
        <tr role="row">
            <td role="cell" class="r faint num hide-narrow" data-label=row>
                {number}
            </td>
            <th role="rowheader" scope="row" class="w">
                {told}
            </th>
            <td role="cell" class="r num" data-label="Size">
                {size}
            </td>
            <td role="cell" data-label=of_digest>
                {digest}
            </td>
        </tr>
    }
    .into_any()
}

fn bar(size: u64, largest: u64) -> AnyView {
    view! {
        <svg class="bar-inline" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
            <rect class="track" width="100" height="6"></rect>
            <rect class="used" width=format!("{:.2}", percent(size, largest)) height="6"></rect>
        </svg>
    }
    .into_any()
}
