//! Pictures that an artifact brings for its icon: how large, and of which types. A push and the icons use it.

/// Bytes that an icon may have (registry-and-token reference, 6.4).
pub(crate) const MAX_ICON: u64 = 1 << 20;

/// What the content is, by the bytes that it begins with (the MIME sniffing standard, 6.1), if it is a picture that an icon may be.
pub(crate) fn media_type(content: &[u8]) -> Option<&'static str> {
    match content {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_how_they_begin() {
        for (content, expected) in [
            (&b"\x89PNG\r\n\x1a\n..."[..], Some("image/png")),
            (b"GIF87a", Some("image/gif")),
            (b"GIF89a...", Some("image/gif")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF88a", None),
            (b"\x89PNG", None),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", None),
            (b"<html>", None),
            (b"", None),
        ] {
            assert_eq!(media_type(content), expected, "{content:?}");
        }
    }
}
