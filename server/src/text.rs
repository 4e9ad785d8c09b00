//! Text as browsers send and read it: forms and pages. The doors read and write it here.

use http::{HeaderMap, header};

/// Whether the body is a form's.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|value| oci::media_type::essence(value).eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// Text for the content of an element or for an attribute between quotation marks.
pub(crate) fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_say_that_they_are() {
        let of = |value| is_form(&HeaderMap::from_iter([(header::CONTENT_TYPE, http::HeaderValue::from_static(value))]));
        assert!(of("application/x-www-form-urlencoded") && of(" Application/X-WWW-Form-URLencoded ; charset=utf-8"));
        assert!(!of("application/json") && !of("application/x-www-form-urlencoded2") && !is_form(&HeaderMap::new()));
    }

    #[test]
    fn nothing_that_a_page_reads_as_its_own_is_left() {
        assert_eq!(escape_html("<a href=\"x\">'&amp;é"), "&lt;a href=&#34;x&#34;&gt;&#39;&amp;amp;é");
    }
}
