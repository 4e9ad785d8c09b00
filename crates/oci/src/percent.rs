//! Percent-encoding of paths and queries, decoded exactly once.
//! The routes use it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Decodes a path; `None` for a broken escape or when the result is no UTF-8.
pub(crate) fn decode_strict(text: &str) -> Option<Cow<'_, str>> {
    let is_escape = |rest: &str| rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    let whole = text.split('%').skip(1).all(is_escape);
    if whole { percent_decode_str(text).decode_utf8().ok() } else { None }
}

/// Decodes a query component; broken escapes stay as they are, bytes that are no UTF-8 become replacement characters.
/// A plus sign stays a plus sign: no value of the protocol holds a space, but media types hold pluses that some clients
/// do not escape.
pub(crate) fn decode_lenient(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Encodes a query value: everything but unreserved characters is escaped.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_decoded_once() {
        for (text, strict, lenient) in [
            ("sha256%3Aab", Some("sha256:ab"), "sha256:ab"),
            ("a%253A", Some("a%3A"), "a%3A"),
            ("a+b%2Bc", Some("a+b+c"), "a+b+c"),
            ("%c3%A9", Some("é"), "é"),
            ("%", None, "%"),
            ("%4", None, "%4"),
            ("%zz", None, "%zz"),
            ("%ff", None, "\u{fffd}"),
            ("%é1", None, "%é1"),
        ] {
            assert_eq!(decode_strict(text).as_deref(), strict, "{text}");
            assert_eq!(decode_lenient(text), lenient, "{text}");
        }
    }

    proptest! {
        #[test]
        fn encoding_round_trips(text in "\\PC{0,40}") {
            let encoded = encode(&text);
            prop_assert!(encoded.is_ascii());
            prop_assert_eq!(decode_strict(&encoded), Some(text.as_str().into()));
            prop_assert_eq!(decode_lenient(&encoded), text);
        }
    }
}
