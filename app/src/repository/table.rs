//! The table of a repository: a row for each artifact, with its tags. The page of the repository shows it.

use leptos::prelude::*;

use super::ArtifactRow;
use crate::{
    address,
    kit::{Badge, Bytes, Column, Digest, Moment, Pager, Table, grouped},
    listing::Listing,
};

/// The rows of one page of the list, with the ways to the others.
pub(super) fn table(id: &str, name: &str, path: &str, listing: &Listing, rows: Vec<ArtifactRow>, total: u64) -> AnyView {
    let ordered = &listing.ordered("-push_time");
    let columns = vec![
        Column::new("Tag and digest", ""),
        Column::new("Kind", "p3"),
        Column::new("Platforms", "p3"),
        Column::sorted("Size", "r", "size", ordered, path),
        Column::sorted("Last pull", "p3", "pull_time", ordered, path),
        Column::sorted("Pushed", "", "push_time", ordered, path),
    ];
    let rows = rows.into_iter().map(|artifact| row(id, name, artifact)).collect_view();
    view! {
        <Table caption=format!("Tags and artifacts of {name}") label="Tags and artifacts table" columns=columns>
            {rows}
        </Table>
        <Pager listing=listing.clone() path=path.to_owned() total=total />
    }
    .into_any()
}

fn row(project: &str, repository: &str, artifact: ArtifactRow) -> AnyView {
    let ArtifactRow { digest, kind, tags, platforms, size, accessories, pushed, pulled } = artifact;
    let href = address::artifact(project, repository, &digest);
    let platforms =
        if platforms.is_empty() { view! { <span class="muted">"—"</span> }.into_any() } else { platforms.join(", ").into_any() };
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="w">
                <span class="cell">{names(&href, |tag| address::artifact(project, repository, tag), tags)}</span>
                <Digest digest=digest href=Some(href) />
            </th>
            <td role="cell" class="p3" data-label="Kind">
                {kind.word().to_owned()}
                {(accessories > 0).then(|| view! { <span class="sub">{attached(accessories)}</span> })}
            </td>
            <td role="cell" class="p3" data-label="Platforms">
                {platforms}
            </td>
            <td role="cell" class="r num" data-label="Size">
                <Bytes size=size />
            </td>
            <td role="cell" class="num p3" data-label="Last pull">
                <Moment at=pulled />
            </td>
            <td role="cell" class="num" data-label="Pushed">
                <Moment at=pushed />
            </td>
        </tr>
    }
    .into_any()
}

/// Tags that a row has room for beside its first.
const MOST_TAGS: usize = 6;

/// The tags: the first is the row's name and leads to the artifact under this tag, the others stand beside it; those without room are on the
/// artifact's page.
fn names(href: &str, of_tag: impl Fn(&str) -> String, tags: Vec<String>) -> AnyView {
    let mut tags = tags.into_iter();
    let Some(first) = tags.next() else {
        return view! {
            <a class="name" href=href.to_owned()>
                "Untagged"
            </a>
        }
        .into_any();
    };
    let others = tags.by_ref().take(MOST_TAGS).map(|tag| view! { <Badge text=tag icon=Some("tag") /> }).collect_view();
    let more = tags.len();
    // The browser's own jump is wanted: the part is there when the page is.
    let all = format!("{href}#tags");
    let more = (more > 0).then(|| {
        view! {
            <a class="xs" href=all rel="external">
                {format!("and {} more", grouped(more as u64))}
            </a>
        }
    });
    let here = of_tag(&first);
    view! {
        <a class="name mono" href=here>
            {first}
        </a>
        {others}
        {more}
    }
    .into_any()
}

fn attached(count: u64) -> String {
    if count == 1 { "1 attached".to_owned() } else { format!("{} attached", grouped(count)) }
}
