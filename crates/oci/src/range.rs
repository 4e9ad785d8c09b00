//! Byte ranges: the `Range` of downloads, the `Content-Range` of upload chunks, and the frame of a multi-range answer.
//! The registry door uses it for blobs; manifests ignore ranges.

use thiserror::Error;

use crate::limits::MAX_RANGES;

/// What a `Range` header asks of content of a given size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeOutcome {
    /// Answer 200 with everything: no byte range, or one that may be ignored.
    Whole,
    /// Answer 206 with these ranges, each (first, last) byte inclusive, inside the content, in the order of the request.
    /// Never empty; more than one means `multipart/byteranges`, never merged (R89).
    Ranges(Vec<(u64, u64)>),
    /// Answer 416 with `Content-Range: bytes */size`.
    Unsatisfiable,
    /// Answer 400: more ranges than the server takes (R90); clients come back with fewer.
    TooMany,
}

/// Reads a `Range` header for content of `size` bytes (RFC 9110 section 14; R86 to R91).
///
/// A range is cut at the end of the content, a suffix longer than the content is the whole content. Reversed ranges and
/// garbage after `bytes=` are unsatisfiable. Of several ranges those beyond the end are left out. Several ranges that
/// together ask for more than the content has overlap so much that the whole content is cheaper: they are ignored, so
/// that a short header cannot claim a thousand times the content.
pub fn parse_range(header: &str, size: u64) -> RangeOutcome {
    let Some((unit, set)) = header.split_once('=') else {
        return RangeOutcome::Whole;
    };
    if size == 0 || !unit.trim().eq_ignore_ascii_case("bytes") {
        return RangeOutcome::Whole;
    }
    let mut ranges = Vec::new();
    let mut count = 0;
    for spec in set.split(',').map(str::trim).filter(|spec| !spec.is_empty()) {
        count += 1;
        if count > MAX_RANGES {
            return RangeOutcome::TooMany;
        }
        match resolve(spec, size) {
            Spec::Malformed => return RangeOutcome::Unsatisfiable,
            Spec::Outside => {}
            Spec::Inside(start, end) => ranges.push((start, end)),
        }
    }
    let total: u128 = ranges.iter().map(|(start, end)| u128::from(end - start) + 1).sum();
    match ranges.len() {
        0 => RangeOutcome::Unsatisfiable,
        1 => RangeOutcome::Ranges(ranges),
        _ if total > u128::from(size) => RangeOutcome::Whole,
        _ => RangeOutcome::Ranges(ranges),
    }
}

enum Spec {
    Malformed,
    Outside,
    Inside(u64, u64),
}

/// One range against content of `size` bytes; `size` is not 0.
fn resolve(spec: &str, size: u64) -> Spec {
    let Some((first, last)) = spec.split_once('-') else {
        return Spec::Malformed;
    };
    match (first.trim(), last.trim()) {
        ("", suffix) => match number(suffix) {
            None => Spec::Malformed,
            Some(0) => Spec::Outside,
            Some(length) => Spec::Inside(size.saturating_sub(length), size - 1),
        },
        (first, "") => match number(first) {
            None => Spec::Malformed,
            Some(start) if start >= size => Spec::Outside,
            Some(start) => Spec::Inside(start, size - 1),
        },
        (first, last) => match (number(first), number(last)) {
            (Some(start), Some(end)) if end < start => Spec::Malformed,
            (Some(start), Some(_)) if start >= size => Spec::Outside,
            (Some(start), Some(end)) => Spec::Inside(start, end.min(size - 1)),
            _ => Spec::Malformed,
        },
    }
}

/// A decimal number; one too large for 64 bits counts as the largest, as it lies beyond any content.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The `Content-Range` of an upload chunk: `first-last`, inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset of the last byte; not below `start`.
    pub end_inclusive: u64,
}

/// Why a `Content-Range` cannot be used; both are answered with 416 (R107).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ContentRangeError {
    /// Not `first-last`.
    #[error("Content-Range must be <first>-<last>")]
    Malformed,
    /// The last byte lies before the first.
    #[error("Content-Range ends before it starts")]
    Reversed,
}

impl ContentRange {
    /// Number of bytes of the chunk.
    pub fn length(self) -> u64 {
        (self.end_inclusive - self.start).saturating_add(1)
    }
}

impl std::str::FromStr for ContentRange {
    type Err = ContentRangeError;

    /// Reads `0-9`; tolerates the HTTP form `bytes 0-9/10` and `bytes 0-9/*`.
    fn from_str(header: &str) -> Result<Self, ContentRangeError> {
        let text = header.trim();
        let text = match text.get(..5) {
            Some(unit) if unit.eq_ignore_ascii_case("bytes") => text[5..].trim_start_matches([' ', '=']),
            _ => text,
        };
        let (range, total) = match text.split_once('/') {
            None => (text, "*"),
            Some((range, total)) => (range, total.trim()),
        };
        if total != "*" && number(total).is_none() {
            return Err(ContentRangeError::Malformed);
        }
        let (first, last) = range.split_once('-').ok_or(ContentRangeError::Malformed)?;
        match (number(first.trim()), number(last.trim())) {
            (Some(start), Some(end)) if end < start => Err(ContentRangeError::Reversed),
            // Beyond what any store can hold; also keeps every sum of offset and length inside 64 bits.
            (Some(_), Some(end)) if end >= i64::MAX.unsigned_abs() => Err(ContentRangeError::Malformed),
            (Some(start), Some(end_inclusive)) => Ok(Self { start, end_inclusive }),
            _ => Err(ContentRangeError::Malformed),
        }
    }
}

impl std::fmt::Display for ContentRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.start, self.end_inclusive)
    }
}

/// The frame of a `multipart/byteranges` answer: what stands around the bytes of each range (R89).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Multipart {
    /// Value of the answer's Content-Type.
    pub content_type: String,
    /// Text before each range, and the range: (text, first, last). In request order.
    pub parts: Vec<(String, u64, u64)>,
    /// Text after the last range.
    pub tail: String,
    /// Length of the whole body, for Content-Length.
    pub length: u64,
}

impl Multipart {
    /// Frames ranges of content of `size` bytes. `boundary` must be letters and digits that do not occur in the content;
    /// a random text of 30 or more characters does.
    pub fn new(ranges: &[(u64, u64)], size: u64, content_type: &str, boundary: &str) -> Self {
        let mut length = 0u64;
        let mut parts = Vec::with_capacity(ranges.len());
        for (index, (start, end)) in ranges.iter().copied().enumerate() {
            let lead = if index == 0 { "" } else { "\r\n" };
            let text = format!("{lead}--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: bytes {start}-{end}/{size}\r\n\r\n");
            let bytes = end.saturating_sub(start).saturating_add(1);
            length = length.saturating_add(text.len() as u64).saturating_add(bytes);
            parts.push((text, start, end));
        }
        let tail = format!("\r\n--{boundary}--\r\n");
        length = length.saturating_add(tail.len() as u64);
        Self { content_type: format!("multipart/byteranges; boundary={boundary}"), parts, tail, length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ranges(list: &[(u64, u64)]) -> RangeOutcome {
        RangeOutcome::Ranges(list.to_vec())
    }

    /// R86, R87, R88, R89, R91.
    #[test]
    fn headers_are_resolved_as_the_table_says() {
        use RangeOutcome::{Unsatisfiable, Whole};
        for (header, size, expected) in [
            ("bytes=500-1499", 2048, ranges(&[(500, 1499)])),
            ("bytes=500-", 2048, ranges(&[(500, 2047)])),
            ("bytes=-500", 2048, ranges(&[(1548, 2047)])),
            ("bytes=-5000", 2048, ranges(&[(0, 2047)])),
            ("bytes=2000-5000", 2048, ranges(&[(2000, 2047)])),
            ("bytes=0-0", 2048, ranges(&[(0, 0)])),
            ("bytes=0-", 2048, ranges(&[(0, 2047)])),
            ("bytes=2047-2047", 2048, ranges(&[(2047, 2047)])),
            ("Bytes = 0-1", 2048, ranges(&[(0, 1)])),
            ("bytes=0-99999999999999999999999", 2048, ranges(&[(0, 2047)])),
            ("bytes=500-0", 2048, Unsatisfiable),
            ("bytes=5000-10000", 2048, Unsatisfiable),
            ("bytes=2048-", 2048, Unsatisfiable),
            ("bytes=99999999999999999999999-", 2048, Unsatisfiable),
            ("bytes=-0", 2048, Unsatisfiable),
            ("bytes=x", 2048, Unsatisfiable),
            ("bytes=", 2048, Unsatisfiable),
            ("bytes=-", 2048, Unsatisfiable),
            ("bytes=--1", 2048, Unsatisfiable),
            ("bytes=+1-2", 2048, Unsatisfiable),
            ("bytes=1-2-3", 2048, Unsatisfiable),
            ("bytes=0-1,x", 2048, Unsatisfiable),
            ("items=0-1", 2048, Whole),
            ("bytes", 2048, Whole),
            ("", 2048, Whole),
            ("bytes=0-0", 0, Whole),
            ("bytes=5-", 0, Whole),
            ("bytes=-5", 0, Whole),
            ("bytes=10-19,0-9", 2048, ranges(&[(10, 19), (0, 9)])),
            ("bytes=0-0, 10-19,", 2048, ranges(&[(0, 0), (10, 19)])),
            ("bytes=0-0,5000-", 2048, ranges(&[(0, 0)])),
            ("bytes=0-,0-", 2048, Whole),
        ] {
            assert_eq!(parse_range(header, size), expected, "{header} of {size}");
        }
    }

    /// R90.
    #[test]
    fn more_ranges_than_the_cap_are_too_many() {
        let many = |n: u64| {
            let list: Vec<String> = (0..n).map(|i| format!("{}-{}", i * 2, i * 2)).collect();
            parse_range(&format!("bytes={}", list.join(",")), 1 << 20)
        };
        assert!(matches!(many(100), RangeOutcome::Ranges(list) if list.len() == 100));
        assert!(matches!(many(1024), RangeOutcome::Ranges(list) if list.len() == 1024));
        assert_eq!(many(1025), RangeOutcome::TooMany);
    }

    /// R107.
    #[test]
    fn chunks_are_read_with_and_without_unit() {
        let range = |start, end_inclusive| Ok(ContentRange { start, end_inclusive });
        for (header, expected) in [
            ("0-9", range(0, 9)),
            ("10-10", range(10, 10)),
            ("bytes 0-9/10", range(0, 9)),
            ("bytes 0-9", range(0, 9)),
            ("bytes=0-9/*", range(0, 9)),
            (" 0-9/10 ", range(0, 9)),
            ("9-0", Err(ContentRangeError::Reversed)),
            ("", Err(ContentRangeError::Malformed)),
            ("-", Err(ContentRangeError::Malformed)),
            ("0-", Err(ContentRangeError::Malformed)),
            ("-9", Err(ContentRangeError::Malformed)),
            ("0-9/x", Err(ContentRangeError::Malformed)),
            ("a-b", Err(ContentRangeError::Malformed)),
            ("bytes */10", Err(ContentRangeError::Malformed)),
            ("0-99999999999999999999", Err(ContentRangeError::Malformed)),
            ("éééé0-9", Err(ContentRangeError::Malformed)),
        ] {
            assert_eq!(header.parse::<ContentRange>(), expected, "{header}");
        }
        assert_eq!(ContentRange { start: 5, end_inclusive: 9 }.length(), 5);
    }

    /// R89.
    #[test]
    fn a_multipart_frame_states_its_length() {
        let content = b"0123456789";
        let frame = Multipart::new(&[(2, 3), (0, 0)], 10, "application/octet-stream", "bound");
        let mut body = Vec::new();
        for (text, start, end) in &frame.parts {
            body.extend_from_slice(text.as_bytes());
            body.extend_from_slice(&content[*start as usize..=*end as usize]);
        }
        body.extend_from_slice(frame.tail.as_bytes());
        assert_eq!(body.len() as u64, frame.length);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            "--bound\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes 2-3/10\r\n\r\n23\
             \r\n--bound\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes 0-0/10\r\n\r\n0\
             \r\n--bound--\r\n"
        );
    }

    proptest! {
        #[test]
        fn any_header_gives_ranges_inside_the_content(header in "bytes=[0-9,-]{0,40}|\\PC{0,40}", size: u64) {
            if let RangeOutcome::Ranges(list) = parse_range(&header, size) {
                prop_assert!(!list.is_empty());
                prop_assert!(list.iter().all(|(start, end)| start <= end && *end < size));
            }
        }

        #[test]
        fn a_single_range_round_trips(size in 1u64..1 << 40, a: u64, b: u64) {
            let (start, end) = ((a % size).min(b % size), (a % size).max(b % size));
            prop_assert_eq!(parse_range(&format!("bytes={start}-{end}"), size), ranges(&[(start, end)]));
            let chunk = ContentRange { start, end_inclusive: end };
            prop_assert_eq!(chunk.to_string().parse::<ContentRange>(), Ok(chunk));
        }

        #[test]
        fn any_chunk_header_is_answered(header in "\\PC{0,40}|(bytes )?[0-9]{0,22}-[0-9]{0,22}(/[0-9*]{0,3})?") {
            if let Ok(range) = header.parse::<ContentRange>() {
                prop_assert!(range.start <= range.end_inclusive && range.length() > 0);
            }
        }
    }
}
