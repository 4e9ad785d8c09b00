//! Percent-encoding of paths and queries, decoded exactly once.
//! The routes use it.

use std::borrow::Cow;

/// Decodes a path; `None` for a broken escape or when the result is no UTF-8.
pub(crate) fn decode_strict(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'%' {
            out.push(escape(bytes, at)?);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

/// Decodes a query component; broken escapes stay as they are, bytes that are no UTF-8 become replacement characters.
/// A plus sign stays a plus sign: no value of the protocol holds a space, but media types hold pluses that some clients
/// do not escape.
pub(crate) fn decode_lenient(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match escape(bytes, at).filter(|_| byte == b'%') {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Encodes a query value: everything but unreserved characters is escaped.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    out
}

/// The byte of an escape whose percent sign stands at `at`.
fn escape(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |offset: usize| char::from(*bytes.get(at + offset)?).to_digit(16);
    u8::try_from(digit(1)? * 16 + digit(2)?).ok()
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
