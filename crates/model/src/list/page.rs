//! Pages: what may be asked for, what comes back, and the `Link` header.

use std::borrow::Cow;
use std::fmt::Write;

use crate::percent;

/// Rows of one page and how many rows there are in all.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// All rows that match (`X-Total-Count`).
    pub total: u64,
}

impl<T> Page<T> {
    /// Changes the rows, keeps the total.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), total: self.total }
    }
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), total: 0 }
    }
}

/// `page` and `page_size` as sent: negative values and 0 are accepted and mean something ([`super::ListQuery::new`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// 1 unless sent.
    pub page: i64,
    /// 10 unless sent, at most 100.
    pub page_size: i64,
}

impl Default for Paging {
    fn default() -> Self {
        Self { page: 1, page_size: 10 }
    }
}

/// A page that cannot be asked for. All of them are answered with 422; the text is one line of the list of failures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Not a whole number of 64 bits.
    #[error("{field} in query must be of type int64: \"{value}\"")]
    NotANumber {
        /// `page` or `page_size`.
        field: &'static str,
        /// As sent, cut to a sensible length.
        value: String,
    },
    /// More than 100 rows at once.
    #[error("page_size in query should be less than or equal to 100")]
    TooLarge,
}

impl Paging {
    /// The most rows of a page.
    pub const MAX_PAGE_SIZE: i64 = 100;

    /// From the query parameters; an empty one counts as not sent.
    pub fn parse(page: Option<&str>, page_size: Option<&str>) -> Result<Self, PageError> {
        let number = |field, text: Option<&str>, default| match text {
            None | Some("") => Ok(default),
            Some(text) => text.parse::<i64>().map_err(|_| PageError::NotANumber { field, value: text.chars().take(64).collect() }),
        };
        let paging = Self { page: number("page", page, 1)?, page_size: number("page_size", page_size, 10)? };
        if paging.page_size > Self::MAX_PAGE_SIZE { Err(PageError::TooLarge) } else { Ok(paging) }
    }

    /// The `Link` header of an answer to this page, see [`link_header`].
    pub fn link(self, path_and_query: &str, total: u64) -> Option<String> {
        link_header(path_and_query, self.page, self.page_size, total)
    }
}

/// The `Link` header of a page: `<url>; rel="prev" , <url>; rel="next"`, only the directions that exist, `None` without any.
/// The URL is the request's path with its parameters sorted by name, page and page size set, and the query unescaped, except for what a
/// header value or a client's parser could not stand (controls, `<`, `>`, `"`, everything beyond ASCII), which is escaped again.
pub fn link_header(path_and_query: &str, page: i64, page_size: i64, total: u64) -> Option<String> {
    if page_size == 0 {
        return None;
    }
    let total = i128::from(total);
    let (page, size) = (i128::from(page), i128::from(page_size));
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let mut links = Vec::new();
    if page > 1 && (page - 1) * size < total {
        links.push(format!("<{path}?{}>; rel=\"prev\"", query_of(query, page - 1, size)));
    }
    if page * size < total {
        links.push(format!("<{path}?{}>; rel=\"next\"", query_of(query, page + 1, size)));
    }
    (!links.is_empty()).then(|| links.join(" , "))
}

fn query_of(query: &str, page: i128, page_size: i128) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (unescape(key), unescape(value)))
        .filter(|(key, _)| key != "page" && key != "page_size")
        .collect();
    pairs.push(("page".to_owned(), page.to_string()));
    pairs.push(("page_size".to_owned(), page_size.to_string()));
    // Stable: values of one parameter keep their order.
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    let mut out = String::new();
    for (key, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        for c in key.chars().chain(std::iter::once('=')).chain(value.chars()) {
            push_safe(&mut out, c);
        }
    }
    out
}

fn push_safe(out: &mut String, c: char) {
    if matches!(c, ' '..='~') && !matches!(c, '<' | '>' | '"') {
        out.push(c);
        return;
    }
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        // Writing to a String cannot fail.
        let _ = write!(out, "%{byte:02X}");
    }
}

/// Undoes the escapes of a query; malformed ones stay as they are.
pub(super) fn unescape(text: &str) -> String {
    unescape_strict(text).unwrap_or_else(|| text.to_owned())
}

/// Undoes the escapes of a query (`%hh` and `+`); `None` when one is malformed or the result is no UTF-8.
pub(super) fn unescape_strict(text: &str) -> Option<String> {
    percent::decode(&text.replace('+', " ")).map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_parameters() {
        let parse = |page, size| Paging::parse(page, size).map(|p| (p.page, p.page_size));
        assert_eq!(parse(None, None), Ok((1, 10)));
        assert_eq!(parse(Some("3"), Some("100")), Ok((3, 100)));
        assert_eq!(parse(Some("-1"), Some("0")), Ok((-1, 0)));
        assert_eq!(parse(None, Some("-1")), Ok((1, -1)));
        let errors = [
            (None, Some("101"), "page_size in query should be less than or equal to 100"),
            (Some("x"), None, "page in query must be of type int64: \"x\""),
            (None, Some("1.5"), "page_size in query must be of type int64: \"1.5\""),
            (Some("99999999999999999999"), None, "page in query must be of type int64: \"99999999999999999999\""),
        ];
        for (page, size, text) in errors {
            assert_eq!(parse(page, size).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn links_as_recorded() {
        let table: [(&str, i64, i64, u64, Option<&str>); 11] = [
            ("/a?page=1&page_size=2&sort=name", 1, 2, 6, Some("</a?page=2&page_size=2&sort=name>; rel=\"next\"")),
            ("/a?page=2&page_size=2", 2, 2, 5, Some("</a?page=1&page_size=2>; rel=\"prev\" , </a?page=3&page_size=2>; rel=\"next\"")),
            ("/a?page=3&page_size=2&sort=name", 3, 2, 6, Some("</a?page=2&page_size=2&sort=name>; rel=\"prev\"")),
            ("/a?page=9&page_size=2", 9, 2, 5, None),
            ("/a", 1, 10, 10, None),
            ("/a?page_size=0", 1, 0, 99, None),
            ("/a?page_size=-1", 1, -1, 2, Some("</a?page=2&page_size=-1>; rel=\"next\"")),
            ("/a?page=0", 0, 10, 2, Some("</a?page=1&page_size=10>; rel=\"next\"")),
            ("/a?page=-1", -1, 10, 3, Some("</a?page=0&page_size=10>; rel=\"next\"")),
            ("/a?q=name%3D~nor&page_size=1&sort=name", 1, 1, 5, Some("</a?page=2&page_size=1&q=name=~nor&sort=name>; rel=\"next\"")),
            (
                "/r?q=Level%3Dproject,ProjectID%3D2&page_size=1",
                1,
                1,
                2,
                Some("</r?page=2&page_size=1&q=Level=project,ProjectID=2>; rel=\"next\""),
            ),
        ];
        for (uri, page, size, total, link) in table {
            assert_eq!(link_header(uri, page, size, total).as_deref(), link, "{uri}");
        }
    }

    #[test]
    fn nothing_can_be_smuggled_into_the_header() {
        let link = link_header("/a?q=x%3D%0D%0ASet-Cookie:%20a%3E%3B%C3%BC", 1, 1, 2).unwrap();
        assert_eq!(link, "</a?page=2&page_size=1&q=x=%0D%0ASet-Cookie: a%3E;%C3%BC>; rel=\"next\"");
        assert_eq!(link_header("/a?q=%zz", 1, 1, 2).unwrap(), "</a?page=2&page_size=1&q=%zz>; rel=\"next\"");
    }

    #[test]
    fn huge_pages_do_not_overflow() {
        assert_eq!(link_header("/a", i64::MAX, 100, u64::MAX).map(|link| link.contains("prev")), None);
        assert_eq!(unescape_strict("%C3"), None);
    }
}
