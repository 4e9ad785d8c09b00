//! References: what stands after `manifests/`, a tag or a digest.
//! The routes and the registry's use cases use it.

use std::str::FromStr;

use thiserror::Error;

use crate::digest::{Digest, DigestError};
use crate::tag::{Tag, TagError};

/// A tag or a digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reference {
    /// The content itself.
    Digest(Digest),
    /// A name that may move.
    Tag(Tag),
}

/// Why a text is neither tag nor digest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReferenceError {
    /// It contains a colon, so it was read as digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// It contains no colon, so it was read as tag.
    #[error(transparent)]
    Tag(#[from] TagError),
}

impl Reference {
    /// The text as it stands in a URL.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Digest(digest) => digest.as_str(),
            Self::Tag(tag) => tag.as_str(),
        }
    }

    /// The digest, if it is one.
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Digest(digest) => Some(digest),
            Self::Tag(_) => None,
        }
    }

    /// The tag, if it is one.
    pub fn tag(&self) -> Option<&Tag> {
        match self {
            Self::Tag(tag) => Some(tag),
            Self::Digest(_) => None,
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    /// A tag cannot contain a colon, so a text with one is read as digest and everything else as tag.
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.contains(':') { Ok(Self::Digest(text.parse()?)) } else { Ok(Self::Tag(text.parse()?)) }
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_makes_a_digest() {
        let digest = Digest::sha256(b"x");
        assert_eq!(digest.as_str().parse::<Reference>().unwrap().digest(), Some(&digest));
        assert_eq!("v1".parse::<Reference>().unwrap().tag().map(Tag::as_str), Some("v1"));
        assert_eq!("sha256:x".parse::<Reference>(), Err(ReferenceError::Digest(DigestError::Malformed)));
        assert_eq!("md5:aa".parse::<Reference>(), Err(ReferenceError::Digest(DigestError::UnsupportedAlgorithm("md5".into()))));
        assert_eq!(".x".parse::<Reference>(), Err(ReferenceError::Tag(TagError::Malformed)));
    }
}
