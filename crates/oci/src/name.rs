//! Repository names, `project/rest`, by the grammar of the distribution specification.
//! Every door and use case that takes a repository name from outside parses it here.

use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use crate::limits::MAX_NAME_LENGTH;
use crate::text::string_like;

/// Why a text is no repository name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameError {
    /// Longer than 255 characters.
    #[error("repository name is longer than {MAX_NAME_LENGTH} characters")]
    TooLong,
    /// Does not fit the grammar.
    #[error("repository name must be lower-case letters and digits, separated by '.', '_', '__' or dashes, in components separated by '/'")]
    Malformed,
}

/// A repository name that fits
/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*` and has at most 255 characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryName(Arc<str>);

impl RepositoryName {
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first component, when the name has more than one.
    pub fn project(&self) -> Option<&str> {
        self.0.split_once('/').map(|(project, _)| project)
    }

    /// What follows the project and its slash; may itself contain slashes.
    pub fn rest(&self) -> Option<&str> {
        self.0.split_once('/').map(|(_, rest)| rest)
    }
}

impl FromStr for RepositoryName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.len() > MAX_NAME_LENGTH {
            return Err(NameError::TooLong);
        }
        if text.split('/').all(is_component) { Ok(Self(text.into())) } else { Err(NameError::Malformed) }
    }
}

string_like!(RepositoryName);

/// Whether a text is one component: runs of letters and digits joined by single separators (dashes may repeat).
fn is_component(text: &str) -> bool {
    let mut rest = text.as_bytes();
    loop {
        let run = count(rest, |b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if run == 0 {
            return false;
        }
        rest = &rest[run..];
        if rest.is_empty() {
            return true;
        }
        let separator = count(rest, |b| !b.is_ascii_alphanumeric());
        let legal = match &rest[..separator] {
            b"." | b"_" | b"__" => true,
            dashes => !dashes.is_empty() && dashes.iter().all(|b| *b == b'-'),
        };
        if !legal {
            return false;
        }
        rest = &rest[separator..];
    }
}

fn count(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|b| belongs(**b)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// R5.
    #[test]
    fn the_grammar_is_the_specifications() {
        for good in ["a", "a/b", "a.b", "a_b", "a__b", "a--b", "a---b", "a/b/c/d", "0/1", "blobs/uploads", "a1.b2_c3/x"] {
            assert!(good.parse::<RepositoryName>().is_ok(), "{good}");
        }
        for bad in [
            "", "/", "A", "a/B", "a___b", "a..b", "a._b", "a-.b", "-a", "a-", "a//b", "a/", "/a", ".a", "a.", "_a/b", "a/_b", "a b", "a:b",
            "a@b", "é", "a\0b", "..", "a/../b", "a%2fb",
        ] {
            assert_eq!(bad.parse::<RepositoryName>(), Err(NameError::Malformed), "{bad}");
        }
    }

    /// R6.
    #[test]
    fn names_end_at_255_characters() {
        assert!(format!("p/{}", "a".repeat(253)).parse::<RepositoryName>().is_ok());
        assert_eq!(format!("p/{}", "a".repeat(254)).parse::<RepositoryName>(), Err(NameError::TooLong));
    }

    #[test]
    fn the_project_is_the_first_of_several_components() {
        let deep: RepositoryName = "north/deep/er".parse().unwrap();
        assert_eq!((deep.project(), deep.rest()), (Some("north"), Some("deep/er")));
        let single: RepositoryName = "north".parse().unwrap();
        assert_eq!((single.project(), single.rest()), (None, None));
    }

    proptest! {
        #[test]
        fn built_names_round_trip(name in "[a-z0-9]{1,8}((\\.|_|__|-{1,3})[a-z0-9]{1,5}){0,3}(/[a-z0-9]{1,8}((\\.|_|__|-{1,3})[a-z0-9]{1,5}){0,3}){0,3}") {
            let parsed = name.parse::<RepositoryName>().unwrap();
            prop_assert_eq!(parsed.as_str(), name.as_str());
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,300}|[a-zA0._/-]{0,12}") {
            if let Ok(name) = text.parse::<RepositoryName>() {
                prop_assert!(!text.contains("//") && !text.contains("..") && name.as_str() == text);
            }
        }
    }
}
