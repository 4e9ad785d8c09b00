//! What every list of the API is asked with: page, page size, filter (`q`) and order (`sort`), parsed but not yet matched to columns.
//! Doors parse; `store::list` matches keys to a whitelist of columns; doors render the page with its `Link` header.

mod page;
mod query;

pub use page::{Page, PageError, Paging, link_header};
pub use query::{Op, QueryError, SortKey, Term, Typed, Value, parse_q, parse_sort};

/// A parsed list request.
#[derive(Clone, Debug, PartialEq)]
pub struct ListQuery {
    /// From 1.
    pub page: u64,
    /// Rows of a page; 0 means all rows.
    pub page_size: u64,
    /// All of them must hold.
    pub q: Vec<Term>,
    /// First key first. Empty or without a key that is known: the list's own order.
    pub sort: Vec<SortKey>,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self::new(Paging::default(), Vec::new(), Vec::new())
    }
}

impl ListQuery {
    /// The most rows of an answer that is not paged. One request must not take a whole instance into memory.
    pub const MAX_ROWS: u64 = 5_000;

    /// From parsed parts. A page below 1 is the first one; a page size below 1 means all rows, up to [`Self::MAX_ROWS`].
    pub fn new(paging: Paging, q: Vec<Term>, sort: Vec<SortKey>) -> Self {
        let page_size = u64::try_from(paging.page_size).unwrap_or(0);
        Self { page: u64::try_from(paging.page).unwrap_or(0).max(1), page_size, q, sort }
    }

    /// Everything, in the list's own order: for what a list is known to be small of, or is counted.
    pub fn all() -> Self {
        Self { page_size: u64::MAX, ..Self::default() }
    }

    /// How many rows to skip; saturates.
    pub fn offset(&self) -> u64 {
        (self.page.max(1) - 1).saturating_mul(self.page_size)
    }

    /// How many rows at most.
    pub fn limit(&self) -> u64 {
        if self.page_size > 0 { self.page_size } else { Self::MAX_ROWS }
    }

    /// The first term with this key (exact spelling).
    pub fn term(&self, key: &str) -> Option<&Term> {
        self.q.iter().find(|term| term.key == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_pages_are_read_as_the_api_reads_them() {
        let of = |page, page_size| ListQuery::new(Paging { page, page_size }, Vec::new(), Vec::new());
        assert_eq!((of(0, 10).page, of(-1, 10).page, of(3, 10).offset()), (1, 1, 20));
        assert_eq!((of(1, 0).limit(), of(1, -1).limit(), of(1, 7).limit()), (ListQuery::MAX_ROWS, ListQuery::MAX_ROWS, 7));
        assert_eq!((ListQuery::default().page, ListQuery::default().page_size), (1, 10));
        assert_eq!(of(i64::MAX, 100).offset(), u64::MAX);
    }
}
