//! The table: it owns caption, head and body, so that no page can write one the browser would repair (which breaks hydration). Rows carry
//! the ARIA roles themselves, because narrow screens lay them out as cards.

use leptos::prelude::*;

use super::Icon;
use crate::listing::{Direction, Listing};

/// The head of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    label: &'static str,
    class: &'static str,
    sort: Option<(String, Option<Direction>)>,
}

impl Column {
    /// A column that cannot be sorted. `class` is `r` for numbers, `p3` for what steps back first.
    pub fn new(label: &'static str, class: &'static str) -> Self {
        Self { label, class, sort: None }
    }

    /// A column whose head sorts the whole result by a field.
    pub fn sorted(label: &'static str, class: &'static str, field: &str, listing: &Listing, path: &str) -> Self {
        Self { label, class, sort: Some((listing.sorted_by(field).href(path), listing.direction(field))) }
    }
}

/// A table in its own scrolling region.
#[component]
pub fn Table(
    /// What the table shows, in what order; read to those who cannot see it.
    caption: String,
    /// The name of the region.
    label: &'static str,
    /// The columns.
    columns: Vec<Column>,
    /// The rows: `<tr role="row">` with `role="cell"` and `data-label` on each cell.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label=label>
            <table role="table" class="table cards">
                <caption class="vh">{caption}</caption>
                <thead role="rowgroup">
                    <tr role="row">{columns.into_iter().map(head).collect_view()}</tr>
                </thead>
                <tbody role="rowgroup">{children()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn head(column: Column) -> AnyView {
    let Column { label, class, sort } = column;
    let Some((href, direction)) = sort else {
        return view! { <th role="columnheader" scope="col" class=class>{label}</th> }.into_any();
    };
    let (order, icon) = match direction {
        Some(Direction::Ascending) => (Some("ascending"), "sort-up"),
        Some(Direction::Descending) => (Some("descending"), "sort-down"),
        None => (None, "sort"),
    };
    view! {
        <th role="columnheader" scope="col" class=class aria-sort=order>
            <a href=href>
                {label}
                <Icon name=icon />
            </a>
        </th>
    }
    .into_any()
}
