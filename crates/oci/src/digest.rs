//! Content digests: `algorithm:hex`, strict, cheap to clone.
//! Used wherever content is named; nothing else in Berth checks a digest's grammar.

use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::Arc;

use sha2::{Digest as _, Sha256, Sha512};
use thiserror::Error;

use crate::text::string_like;

/// Longest digest text that is looked at. The longest supported one has 135 characters.
const MAX_LENGTH: usize = 512;

/// A supported digest algorithm (image-spec, "Registered algorithms").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-256, what every client uses.
    Sha256,
    /// SHA-512, optional in the specification and supported here.
    Sha512,
}

impl Algorithm {
    /// The name as it stands before the colon.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Number of hexadecimal digits of a digest.
    pub fn hex_len(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

impl std::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = DigestError;

    /// Reads an algorithm name; lower case only.
    fn from_str(text: &str) -> Result<Self, DigestError> {
        match text {
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ if text.len() <= MAX_LENGTH && is_algorithm_name(text) => Err(DigestError::UnsupportedAlgorithm(text.to_owned())),
            _ => Err(DigestError::Malformed),
        }
    }
}

/// Why a text is no digest that can be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DigestError {
    /// Not a digest by any grammar, or wrong digits for the algorithm it names.
    #[error("invalid digest")]
    Malformed,
    /// Fits the general grammar, but the algorithm is not supported.
    #[error("unsupported digest algorithm {0}")]
    UnsupportedAlgorithm(String),
}

/// A well-formed digest of a supported algorithm, for example `sha256:` and 64 lower-case hexadecimal digits.
///
/// Ordered and hashed by its text. Two digests of the same content by different algorithms are different.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    text: Arc<str>,
    algorithm: Algorithm,
}

impl Digest {
    /// Builds a digest from its algorithm and its hexadecimal digits.
    ///
    /// # Errors
    /// `Malformed` unless `hex` is lower case and of exactly the algorithm's length.
    pub fn from_parts(algorithm: Algorithm, hex: &str) -> Result<Self, DigestError> {
        if hex.len() != algorithm.hex_len() || !hex.bytes().all(is_lower_hex) {
            return Err(DigestError::Malformed);
        }
        Ok(Self { text: format!("{algorithm}:{hex}").into(), algorithm })
    }

    /// Builds a digest from the raw output of the hash function.
    ///
    /// # Errors
    /// `Malformed` when the number of bytes is not the algorithm's.
    pub fn from_hash(algorithm: Algorithm, hash: &[u8]) -> Result<Self, DigestError> {
        if hash.len() * 2 != algorithm.hex_len() {
            return Err(DigestError::Malformed);
        }
        let mut text = String::with_capacity(algorithm.as_str().len() + 1 + algorithm.hex_len());
        text.push_str(algorithm.as_str());
        text.push(':');
        for byte in hash {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(Self { text: text.into(), algorithm })
    }

    /// Hashes bytes. Meant for manifests and other small documents; blobs are hashed while they stream.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let hash = match algorithm {
            Algorithm::Sha256 => Sha256::digest(bytes).to_vec(),
            Algorithm::Sha512 => Sha512::digest(bytes).to_vec(),
        };
        let mut text = format!("{algorithm}:");
        for byte in hash {
            let _ = write!(text, "{byte:02x}");
        }
        Self { text: text.into(), algorithm }
    }

    /// The SHA-256 digest of bytes.
    pub fn sha256(bytes: &[u8]) -> Self {
        Self::of(Algorithm::Sha256, bytes)
    }

    /// Whether these bytes have this digest.
    pub fn verifies(&self, bytes: &[u8]) -> bool {
        Self::of(self.algorithm, bytes) == *self
    }

    /// The whole text, `algorithm:hex`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digits after the colon.
    pub fn hex(&self) -> &str {
        self.text.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// The tag under which clients without the referrers API keep the referrers of this content
    /// (distribution-spec, "Referrers Tag Schema"): the encoded part is cut to 64 characters.
    pub fn fallback_tag(&self) -> String {
        let hex = self.hex();
        format!("{}-{}", self.algorithm, hex.get(..64).unwrap_or(hex))
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, encoded) = split(text).ok_or(DigestError::Malformed)?;
        let algorithm: Algorithm = algorithm.parse()?;
        if encoded.len() != algorithm.hex_len() || !encoded.bytes().all(is_lower_hex) {
            return Err(DigestError::Malformed);
        }
        // The text is what its parts would be put together to again.
        Ok(Self { text: text.into(), algorithm })
    }
}

string_like!(Digest);

/// Why a text was refused as digest, in the words clients know from other registries, or `None` for a good one.
pub fn complaint(text: &str) -> Option<&'static str> {
    let Some((algorithm, encoded)) = split(text) else {
        return Some("invalid checksum digest format");
    };
    match algorithm.parse::<Algorithm>() {
        Err(_) => Some("unsupported digest algorithm"),
        Ok(known) if encoded.len() != known.hex_len() => Some("invalid checksum digest length"),
        Ok(_) if !encoded.bytes().all(is_lower_hex) => Some("invalid checksum digest format"),
        Ok(_) => None,
    }
}

/// Splits a text that fits the general grammar `[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+` at its colon.
fn split(text: &str) -> Option<(&str, &str)> {
    let (algorithm, encoded) = text.split_once(':')?;
    let fits = text.len() <= MAX_LENGTH
        && is_algorithm_name(algorithm)
        && !encoded.is_empty()
        && encoded.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'=' | b'_' | b'-'));
    fits.then_some((algorithm, encoded))
}

fn is_algorithm_name(text: &str) -> bool {
    text.split(['+', '.', '_', '-']).all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_digest_is_read_and_written_unchanged() {
        let digest: Digest = EMPTY.parse().unwrap();
        assert_eq!(digest.as_str(), EMPTY);
        assert_eq!(digest.to_string(), EMPTY);
        assert_eq!(digest.algorithm(), Algorithm::Sha256);
        assert_eq!(digest.hex(), &EMPTY[7..]);
        assert_eq!(serde_json::to_string(&digest).unwrap(), format!("\"{EMPTY}\""));
        assert_eq!(serde_json::from_str::<Digest>(&format!("\"{EMPTY}\"")).unwrap(), digest);
        assert_eq!(Digest::from_parts(Algorithm::Sha256, digest.hex()).unwrap(), digest);
    }

    #[test]
    fn hashing_gives_the_published_values() {
        assert_eq!(Digest::sha256(b"").as_str(), EMPTY);
        assert_eq!(Digest::sha256(b"{}").as_str(), "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
        let long = Digest::of(Algorithm::Sha512, b"");
        assert!(long.as_str().starts_with("sha512:cf83e1357eefb8bd"));
        assert!(long.verifies(b"") && !long.verifies(b" "));
        assert_eq!(Digest::from_hash(Algorithm::Sha256, &[0; 31]), Err(DigestError::Malformed));
        assert_eq!(Digest::from_hash(Algorithm::Sha256, &Sha256::digest(b"")).unwrap().as_str(), EMPTY);
    }

    /// R11, R64: upper case and wrong lengths are refused, never looked up.
    #[test]
    fn wrong_digits_are_malformed() {
        let hex = &EMPTY[7..];
        for text in [
            String::new(),
            ":".into(),
            "sha256".into(),
            "sha256:".into(),
            "sha256:baddigeststring".into(),
            "sha256:totallywrong".into(),
            format!("sha256:{}", hex.to_uppercase()),
            format!("sha256:{}", &hex[1..]),
            format!("sha256:{hex}0"),
            format!("sha512:{hex}"),
            format!("SHA256:{hex}"),
            format!("sha256:{hex}\n"),
            format!(" sha256:{hex}"),
            format!("sha256:{hex}:x"),
            format!("sha256+:{hex}"),
            format!("+sha256:{hex}"),
            "sha256:é".into(),
            format!("foo:{}", "a".repeat(2000)),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(DigestError::Malformed), "{text}");
        }
    }

    /// R66, R110, R113: an algorithm that merely is not supported is told apart from garbage.
    #[test]
    fn unknown_algorithms_are_named() {
        let hex = &EMPTY[7..];
        for (text, algorithm) in [
            (format!("blake3:{hex}"), "blake3"),
            ("md5:d41d8cd98f00b204e9800998ecf8427e".into(), "md5"),
            ("multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8".into(), "multihash+base58"),
            ("sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564".into(), "sha256+b64u"),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(DigestError::UnsupportedAlgorithm(algorithm.into())));
        }
        assert_eq!("foo".parse::<Algorithm>(), Err(DigestError::UnsupportedAlgorithm("foo".into())));
        assert_eq!("".parse::<Algorithm>(), Err(DigestError::Malformed));
    }

    #[test]
    fn complaints_use_the_known_words() {
        for (text, words) in [
            (EMPTY, None),
            ("sha256:abc", Some("invalid checksum digest length")),
            ("subj", Some("invalid checksum digest format")),
            ("md5:abc", Some("unsupported digest algorithm")),
        ] {
            assert_eq!(complaint(text), words, "{text}");
        }
    }

    #[test]
    fn the_fallback_tag_is_a_tag() {
        let digest = Digest::of(Algorithm::Sha512, b"");
        assert_eq!(digest.fallback_tag(), format!("sha512-{}", &digest.hex()[..64]));
        assert!(digest.fallback_tag().parse::<crate::Tag>().is_ok());
    }

    proptest! {
        #[test]
        fn any_content_round_trips(bytes in proptest::collection::vec(any::<u8>(), 0..200), long: bool) {
            let algorithm = if long { Algorithm::Sha512 } else { Algorithm::Sha256 };
            let digest = Digest::of(algorithm, &bytes);
            prop_assert_eq!(digest.as_str().parse::<Digest>().unwrap(), digest);
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,80}|[a-z0-9+._-]{0,9}:[a-zA-Z0-9=_-]{0,130}") {
            let parsed = text.parse::<Digest>();
            prop_assert_eq!(parsed.is_ok(), complaint(&text).is_none());
        }
    }
}
