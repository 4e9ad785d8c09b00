//! Escapes of addresses (`%hh`). Doors and the portal read and write addresses with it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stays as it is besides letters and digits.
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// In a segment of a path, RFC 3986 3.3; `:` and `@` stay, because digests read better.
const SEGMENT: &AsciiSet = &UNRESERVED.remove(b':').remove(b'@');
/// In the value of a query, RFC 3986 3.4.
const COMPONENT: &AsciiSet = &UNRESERVED.remove(b'/').remove(b':').remove(b',');

/// Undoes the escapes of a text, once; `None` when one is malformed or the result is no UTF-8.
#[must_use]
pub fn decode(text: &str) -> Option<Cow<'_, str>> {
    let is_escape = |rest: &str| rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    let whole = text.split('%').skip(1).all(is_escape);
    if whole { percent_decode_str(text).decode_utf8().ok() } else { None }
}

/// Escapes a value for one segment of a path.
#[must_use]
pub fn segment(value: &str) -> String {
    utf8_percent_encode(value, SEGMENT).to_string()
}

/// Escapes a value for a query.
#[must_use]
pub fn component(value: &str) -> String {
    utf8_percent_encode(value, COMPONENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_once_or_refused() {
        for (text, decoded) in [
            ("a%2Fb", Some("a/b")),
            ("a%252fb", Some("a%2fb")),
            ("a+b", Some("a+b")),
            ("%c3%A9", Some("é")),
            ("%", None),
            ("%4", None),
            ("%%41", None),
            ("%zz", None),
            ("%+1", None),
            ("%é1", None),
            ("%ff", None),
        ] {
            assert_eq!(decode(text).as_deref(), decoded, "{text}");
        }
    }

    #[test]
    fn values_keep_nothing_that_could_end_them() {
        assert_eq!(component("a b&c=d#e+ü/:,"), "a%20b%26c%3Dd%23e%2B%C3%BC/:,");
        assert_eq!(segment("a/b?c#sha256:ab@~-._"), "a%2Fb%3Fc%23sha256:ab@~-._");
    }
}
