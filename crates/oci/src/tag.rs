//! Tags, the movable names of manifests inside a repository.
//! Every door and use case that takes a tag from outside parses it here.

use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use crate::limits::MAX_TAG_LENGTH;
use crate::text::string_like;

/// Why a text is no tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TagError {
    /// Longer than 128 characters.
    #[error("tag is longer than {MAX_TAG_LENGTH} characters")]
    TooLong,
    /// Empty, or does not fit the grammar.
    #[error("tag must start with a letter, digit or '_' and go on with letters, digits, '.', '_' or '-'")]
    Malformed,
}

/// A tag that fits `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`. Case counts.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Arc<str>);

impl Tag {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        if text.len() > MAX_TAG_LENGTH {
            return Err(TagError::TooLong);
        }
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        match text.as_bytes() {
            [first, rest @ ..] if word(*first) && rest.iter().all(|b| word(*b) || matches!(b, b'.' | b'-')) => Ok(Self(text.into())),
            _ => Err(TagError::Malformed),
        }
    }
}

string_like!(Tag);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// R8.
    #[test]
    fn the_grammar_is_the_specifications() {
        for good in ["a", "1", "_", "_x", "Latest", "1.0-rc.1_b", "sha256-abc.sig", &"t".repeat(128)] {
            assert!(good.parse::<Tag>().is_ok(), "{good}");
        }
        for bad in ["", ".x", "-x", "a:b", "a/b", "a b", "a+b", "é", ".INVALID_MANIFEST_NAME", "a\n"] {
            assert_eq!(bad.parse::<Tag>(), Err(TagError::Malformed), "{bad}");
        }
        assert_eq!("t".repeat(129).parse::<Tag>(), Err(TagError::TooLong));
        assert_ne!("v1".parse::<Tag>().unwrap(), "V1".parse::<Tag>().unwrap());
    }

    proptest! {
        #[test]
        fn built_tags_round_trip(text in "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}") {
            let parsed = text.parse::<Tag>().unwrap();
            prop_assert_eq!(parsed.as_str(), text.as_str());
        }
    }
}
