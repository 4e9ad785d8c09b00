//! Conditional requests: has the client this content already?
//! The registry door asks for manifests and blobs, whose entity tag is the quoted digest.

/// The entity tag of content: its digest (or any text of that charset) in double quotes.
pub fn etag(digest: &str) -> String {
    format!("\"{digest}\"")
}

/// Whether an `If-None-Match` value names this digest, so that the answer is 304 (R34): quoted, weak, bare, in a list, or `*`.
pub fn if_none_match(header: &str, digest: &str) -> bool {
    header.split(',').any(|item| {
        let item = item.trim();
        let item = item.strip_prefix("W/").unwrap_or(item);
        item == "*" || unquote(item) == digest
    })
}

/// Whether an `If-Range` value names this digest, so that the range is honoured (R92); by strong comparison, so a weak
/// tag or a date never does.
pub fn if_range(header: &str, digest: &str) -> bool {
    unquote(header.trim()) == digest
}

fn unquote(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:abc";

    /// R34.
    #[test]
    fn known_content_is_recognised_in_every_form() {
        for (header, expected) in [
            ("\"sha256:abc\"", true),
            ("sha256:abc", true),
            ("W/\"sha256:abc\"", true),
            ("\"x\", \"sha256:abc\"", true),
            (" * ", true),
            ("\"sha256:abd\"", false),
            ("", false),
            ("\"", false),
            ("\"sha256:abc", false),
        ] {
            assert_eq!(if_none_match(header, DIGEST), expected, "{header}");
        }
        assert!(if_none_match(&etag(DIGEST), DIGEST));
    }

    /// R92.
    #[test]
    fn ranges_need_the_strong_tag() {
        for (header, expected) in [
            ("\"sha256:abc\"", true),
            ("W/\"sha256:abc\"", false),
            ("\"other\"", false),
            ("Wed, 21 Oct 2015 07:28:00 GMT", false),
            ("", false),
        ] {
            assert_eq!(if_range(header, DIGEST), expected, "{header}");
        }
    }
}
