//! The state of a list as its address carries it: filter, sort and page. Every list page reads and writes it, nothing else holds it.

use leptos_router::params::ParamsMap;
use model::percent::component;
use serde::{Deserialize, Serialize};

/// Rows per page that a reader may choose.
pub const SIZES: [u32; 4] = [15, 25, 50, 100];
const DEFAULT_SIZE: u32 = 25;
const LONGEST_FILTER: usize = 256;
const LAST_PAGE: u32 = 1_000_000;

/// Which way a column is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Smallest, oldest or first letter on top.
    Ascending,
    /// Largest, newest or last letter on top.
    Descending,
}

/// Filter, sort and page of one list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Free text; at most 256 characters.
    pub q: String,
    /// A named part of the list, such as `public`; empty for everything.
    pub show: String,
    /// A field, with `-` in front for descending; empty for the list's own order.
    pub sort: String,
    /// From 1.
    pub page: u32,
    /// Rows per page, one of [`SIZES`].
    pub size: u32,
}

impl Default for Listing {
    fn default() -> Self {
        Self { q: String::new(), show: String::new(), sort: String::new(), page: 1, size: DEFAULT_SIZE }
    }
}

impl Listing {
    /// Reads the query of an address. What does not belong there is ignored, never an error: people edit addresses.
    pub fn from_query(query: &ParamsMap) -> Self {
        let text = |key| query.get_str(key).unwrap_or_default();
        Self::checked(
            text("q"),
            text("show"),
            text("sort"),
            text("page").parse().unwrap_or(1),
            text("size").parse().unwrap_or(DEFAULT_SIZE),
        )
    }

    /// The same from separate values, as server functions receive them.
    pub fn checked(q: &str, show: &str, sort: &str, page: u32, size: u32) -> Self {
        let word = |value: &str| {
            let fits = value.len() <= 40 && value.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'-');
            if fits { value.to_owned() } else { String::new() }
        };
        Self {
            q: q.trim().chars().filter(|c| !c.is_control()).take(LONGEST_FILTER).collect(),
            show: word(show),
            sort: word(sort),
            page: page.clamp(1, LAST_PAGE),
            size: if SIZES.contains(&size) { size } else { DEFAULT_SIZE },
        }
    }

    /// The address of this state of the list at `path`; what is the default is left out.
    pub fn href(&self, path: &str) -> String {
        let mut pairs = Vec::new();
        for (key, value) in [("q", &self.q), ("show", &self.show), ("sort", &self.sort)] {
            if !value.is_empty() {
                pairs.push(format!("{key}={}", component(value)));
            }
        }
        if self.page > 1 {
            pairs.push(format!("page={}", self.page));
        }
        if self.size != DEFAULT_SIZE {
            pairs.push(format!("size={}", self.size));
        }
        if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
    }

    /// The same list on another page.
    pub fn at_page(&self, page: u32) -> Self {
        Self { page, ..self.clone() }
    }

    /// Another part of the list, from its first page.
    pub fn showing(&self, show: &str) -> Self {
        Self { show: show.to_owned(), page: 1, ..self.clone() }
    }

    /// The list without its text filter.
    pub fn unfiltered(&self) -> Self {
        Self { q: String::new(), page: 1, ..self.clone() }
    }

    /// The same list with its own order spelled out, for the heads of its columns.
    pub fn ordered(&self, own: &str) -> Self {
        Self { sort: if self.sort.is_empty() { own.to_owned() } else { self.sort.clone() }, ..self.clone() }
    }

    /// How the list is sorted by this field now.
    pub fn direction(&self, field: &str) -> Option<Direction> {
        match self.sort.strip_prefix('-') {
            Some(sorted) if sorted == field => Some(Direction::Descending),
            None if self.sort == field => Some(Direction::Ascending),
            _ => None,
        }
    }

    /// The list after the head of this column was pressed: the other direction if it is sorted by it, else ascending.
    pub fn sorted_by(&self, field: &str) -> Self {
        let sort = match self.direction(field) {
            Some(Direction::Ascending) => format!("-{field}"),
            _ => field.to_owned(),
        };
        Self { sort, page: 1, ..self.clone() }
    }

    /// The same for the rules: conditions as given, the order if it is by one of these fields.
    #[cfg(feature = "ssr")]
    pub fn query(&self, conditions: Vec<model::list::Term>, sortable: &[&str]) -> model::list::ListQuery {
        use model::list::{ListQuery, SortKey};
        let field = self.sort.strip_prefix('-').unwrap_or(&self.sort);
        let sort = sortable
            .contains(&field)
            .then(|| SortKey { key: field.to_owned(), descending: self.sort.starts_with('-') })
            .into_iter()
            .collect();
        ListQuery { page: self.page.into(), page_size: self.size.into(), q: conditions, sort }
    }

    /// The condition that a field contains the free text; none without text.
    #[cfg(feature = "ssr")]
    pub fn containing(&self, field: &str) -> Option<model::list::Term> {
        use model::list::{Op, Term};
        (!self.q.is_empty()).then(|| Term { key: field.to_owned(), op: Op::Fuzzy(self.q.clone()) })
    }

    /// The numbers of the first and last row that the page holds (from 1), and the number of the last page.
    pub fn window(&self, total: u64) -> (u64, u64, u32) {
        let size = u64::from(self.size);
        let first = u64::from(self.page - 1) * size + 1;
        let last = (first + size - 1).min(total);
        let pages = u32::try_from(total.div_ceil(size)).unwrap_or(LAST_PAGE).clamp(1, LAST_PAGE);
        (first, last, pages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_leave_no_trace_in_the_address() {
        assert_eq!(Listing::default().href("/x"), "/x");
        let list = Listing { q: "a&b c".into(), show: "public".into(), sort: "-name".into(), page: 3, size: 50 };
        assert_eq!(list.href("/x"), "/x?q=a%26b%20c&show=public&sort=-name&page=3&size=50");
    }

    #[test]
    fn what_people_type_into_addresses_is_bounded() {
        let list = Listing::checked(&"x".repeat(999), "PUBLIC", "name;drop", 0, 7);
        assert_eq!(list.q.len(), LONGEST_FILTER);
        assert_eq!((list.show.as_str(), list.sort.as_str(), list.page, list.size), ("", "", 1, DEFAULT_SIZE));
        assert_eq!(Listing::checked("", "", "", u32::MAX, 25).page, LAST_PAGE);
    }

    #[test]
    fn a_column_head_turns_the_order_round() {
        let list = Listing::default().sorted_by("name");
        assert_eq!(list.direction("name"), Some(Direction::Ascending));
        let list = list.sorted_by("name");
        assert_eq!((list.sort.as_str(), list.direction("name")), ("-name", Some(Direction::Descending)));
        assert_eq!(list.direction("size"), None);
        assert_eq!(list.at_page(4).sorted_by("size").page, 1);
        assert_eq!(list.ordered("size").sort, "-name");
        assert_eq!(Listing::default().ordered("size").sorted_by("size").sort, "-size");
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn only_known_fields_reach_the_rules() {
        let list = Listing::checked("web", "", "-name", 2, 50);
        let query = list.query(list.containing("name").into_iter().collect(), &["name"]);
        assert_eq!((query.page, query.page_size, query.q.len()), (2, 50, 1));
        assert!(query.sort.len() == 1 && query.sort[0].descending && query.sort[0].key == "name");
        assert!(list.query(Vec::new(), &["size"]).sort.is_empty());
        assert!(Listing::default().containing("name").is_none());
    }

    #[test]
    fn the_window_names_rows_and_pages() {
        assert_eq!(Listing::default().at_page(2).window(60), (26, 50, 3));
        assert_eq!(Listing::default().window(0), (1, 0, 1));
        assert_eq!(Listing::default().window(25), (1, 25, 1));
    }
}
