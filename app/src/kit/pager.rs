//! The foot of a list: which rows these are, and the ways to the others. Links only, so it works without scripts.

use leptos::prelude::*;

use super::{Art, Empty, LinkButton, grouped};
use crate::listing::{Listing, SIZES};

/// The pager of a list.
#[component]
pub fn Pager(
    /// The list's state.
    listing: Listing,
    /// The page's path.
    path: String,
    /// Rows of the whole result.
    total: u64,
) -> impl IntoView {
    let (first, last, pages) = listing.window(total);
    let said = if first > total {
        "No rows on this page".to_owned()
    } else {
        format!("{}–{} of {}", grouped(first), grouped(last), grouped(total))
    };
    let sizes = SIZES
        .into_iter()
        .map(|size| {
            let href = Listing { size, page: 1, ..listing.clone() }.href(&path);
            view! {
                <a href=href aria-current=(size == listing.size).then_some("true") aria-label=format!("{size} rows per page")>
                    {size}
                </a>
            }
        })
        .collect_view();
    let ways = (pages > 1 || first > total).then(|| ways(&listing, &path, pages));
    view! {
        <div class="pager">
            <span>{said}</span>
            {(total > u64::from(SIZES[0]))
                .then(|| view! { <span class="row-tight sizes"><span class="hide-narrow">"Rows"</span>{sizes}</span> })}
            {ways}
        </div>
    }
    .into_any()
}

/// What stands in place of the rows on a page past the last.
#[component]
pub fn PastTheEnd(
    /// The list's state.
    listing: Listing,
    /// The page's path.
    path: String,
    /// Rows of the whole result; not none.
    total: u64,
) -> impl IntoView {
    let (.., pages) = listing.window(total);
    let said = match pages {
        1 => "The list has one page.".to_owned(),
        many => format!("The list has {} pages.", grouped(many.into())),
    };
    let last = (pages > 1).then(|| view! { <LinkButton href=listing.at_page(pages).href(&path) text="Last page" /> });
    view! {
        <Empty art=Art::Beacon title=format!("There is no page {}", grouped(listing.page.into()))>
            <p>{said}</p>
            <div class="row">
                <LinkButton href=listing.at_page(1).href(&path) text="First page" />
                {last}
            </div>
        </Empty>
    }
    .into_any()
}

fn ways(listing: &Listing, path: &str, pages: u32) -> AnyView {
    let page = listing.page;
    let step = |label: &'static str, to: Option<u32>| match to {
        Some(to) => view! { <a class="btn btn-sm" href=listing.at_page(to).href(path)>{label}</a> }.into_any(),
        None => view! { <span class="btn btn-sm" aria-disabled="true">{label}</span> }.into_any(),
    };
    let previous = (page > 1).then(|| (page - 1).min(pages));
    let next = (page < pages).then_some(page + 1);
    let numbers = shown_pages(page, pages)
        .into_iter()
        .map(|number| match number {
            Some(number) => view! {
                <a
                    href=listing.at_page(number).href(path)
                    aria-current=(number == page).then_some("page")
                    aria-label=format!("Page {number}")
                >
                    {number}
                </a>
            }
            .into_any(),
            None => view! { <span aria-hidden="true">"…"</span> }.into_any(),
        })
        .collect_view();
    view! { <nav aria-label="Pages">{step("Previous", previous)} {numbers} {step("Next", next)}</nav> }.into_any()
}

/// The page numbers worth a link: the ends and the neighbours; `None` is a gap.
fn shown_pages(page: u32, pages: u32) -> Vec<Option<u32>> {
    let mut shown = Vec::new();
    let mut before = 0;
    for number in 1..=pages {
        if number != 1 && number != pages && number.abs_diff(page) > 1 {
            continue;
        }
        if number - before > 1 {
            shown.push(None);
        }
        shown.push(Some(number));
        before = number;
    }
    shown
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::markup;

    fn past(total: u64) -> String {
        let listing = Listing { page: 9, q: "a".into(), ..Listing::default() };
        let html = markup::render(move || view! { <PastTheEnd listing=listing path="/x".to_owned() total=total /> }.into_any());
        markup::check(&html);
        html
    }

    #[test]
    fn past_the_end_leads_back() {
        let html = past(60);
        for part in ["There is no page 9", "The list has 3 pages.", "href=\"/x?q=a\"", "href=\"/x?q=a&amp;page=3\""] {
            assert!(html.contains(part), "{part} in {html}");
        }
        let html = past(1);
        assert!(html.contains("The list has one page.") && !html.contains("Last page"), "{html}");
    }

    #[test]
    fn the_ends_and_the_neighbours_have_numbers() {
        assert_eq!(shown_pages(1, 1), [Some(1)]);
        assert_eq!(shown_pages(1, 5), [Some(1), Some(2), None, Some(5)]);
        assert_eq!(shown_pages(3, 5), [Some(1), Some(2), Some(3), Some(4), Some(5)]);
        assert_eq!(shown_pages(50, 100), [Some(1), None, Some(49), Some(50), Some(51), None, Some(100)]);
    }
}
