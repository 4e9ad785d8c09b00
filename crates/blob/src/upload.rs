//! The words of an upload in progress: its id, its state between requests, the outcome of one body.
//! Everybody who receives blobs uses them; the state is opaque bytes to the database that keeps it.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use oci::digest::Algorithm;

use crate::digesting::Running;
use crate::error::{AppendError, StateError};

/// The name of an upload: a UUID in its lower-case 8-4-4-4-12 form, so it can never leave the uploads directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UploadId(String);

/// Text that is not a lower-case UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an upload id")]
pub struct UploadIdError;

impl UploadId {
    /// A new random id (UUID version 4).
    #[must_use]
    pub fn random() -> Self {
        uuid::Uuid::new_v4().into()
    }

    /// The id as text, 36 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UploadId {
    type Err = UploadIdError;

    fn from_str(text: &str) -> Result<Self, UploadIdError> {
        let shaped = text.len() == 36
            && text.bytes().enumerate().all(|(i, b)| match i {
                8 | 13 | 18 | 23 => b == b'-',
                _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
            });
        if shaped { Ok(Self(text.to_owned())) } else { Err(UploadIdError) }
    }
}

impl From<uuid::Uuid> for UploadId {
    fn from(id: uuid::Uuid) -> Self {
        Self(id.hyphenated().to_string())
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What has been received for an upload: the number of bytes and the running hash over them.
///
/// Kept by the caller between requests ([`UploadState::to_bytes`]); every replica can go on from it. The default is an
/// empty upload that runs SHA-256.
#[derive(Clone)]
pub struct UploadState {
    offset: u64,
    hash: Running,
    /// Whether the file's bytes are those that were hashed. After a restart of the machine the page cache is gone and a
    /// file may have the right length with the wrong bytes, so the commit reads it again instead of trusting the hash.
    trusted: bool,
}

impl Default for UploadState {
    fn default() -> Self {
        Self::with_algorithm(Algorithm::Sha256)
    }
}

impl fmt::Debug for UploadState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadState").field("offset", &self.offset).field("algorithm", &self.hash.algorithm()).finish_non_exhaustive()
    }
}

/// Version of the serialised form. It also stands for the layout of sha2 0.11's hash states.
const VERSION: u8 = 1;
/// Version, algorithm, offset, boot.
const HEADER: usize = 1 + 1 + 8 + BOOT;
/// Length of the name of a boot of the machine.
const BOOT: usize = 36;

impl UploadState {
    /// The largest serialised state, in bytes.
    pub const MAX_BYTES: usize = HEADER + 208;

    /// An empty upload that runs the hash the client announced (`digest-algorithm=` of the distribution specification).
    ///
    /// A commit that asks for the other algorithm works as well, at the price of reading the file once more.
    #[must_use]
    pub fn with_algorithm(algorithm: Algorithm) -> Self {
        Self { offset: 0, hash: Running::new(algorithm), trusted: true }
    }

    pub(crate) fn advanced(self, hash: Running, by: u64) -> Self {
        Self { offset: self.offset + by, hash, trusted: self.trusted }
    }

    /// Bytes received so far.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The algorithm whose hash is running.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.hash.algorithm()
    }

    pub(crate) fn hash(&self) -> &Running {
        &self.hash
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// The state as bytes to store: version, algorithm, offset, boot, hash state. At most [`Self::MAX_BYTES`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::MAX_BYTES);
        bytes.push(VERSION);
        bytes.push(match self.hash.algorithm() {
            Algorithm::Sha256 => 1,
            Algorithm::Sha512 => 2,
        });
        bytes.extend_from_slice(&self.offset.to_le_bytes());
        bytes.extend_from_slice(&if self.trusted { boot() } else { [0; BOOT] });
        bytes.extend_from_slice(&self.hash.serialize());
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`StateError`] when the bytes are of another version or damaged; the upload must then start again.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        if bytes.first().ok_or(StateError::Damaged)? != &VERSION {
            return Err(StateError::Version);
        }
        let (header, hash) = bytes.split_at_checked(HEADER).ok_or(StateError::Damaged)?;
        let algorithm = match header[1] {
            1 => Algorithm::Sha256,
            2 => Algorithm::Sha512,
            _ => return Err(StateError::Damaged),
        };
        let offset = u64::from_le_bytes(header[2..10].try_into().map_err(|_| StateError::Damaged)?);
        let hash = Running::deserialize(algorithm, hash).ok_or(StateError::Damaged)?;
        let trusted = header[10..] == boot() && boot() != [0; BOOT];
        Ok(Self { offset, hash, trusted })
    }
}

/// The name of this boot of the machine, or zeros where there is none: then no stored state is trusted.
fn boot() -> [u8; BOOT] {
    static ID: OnceLock<[u8; BOOT]> = OnceLock::new();
    *ID.get_or_init(|| {
        // A kernel variable, not a file on a disk: reading it once does not block.
        let text = std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        text.trim_ascii().try_into().unwrap_or([0; BOOT])
    })
}

/// Bounds on one body.
#[derive(Clone, Copy, Debug, Default)]
pub struct AppendOptions {
    /// Largest size of the whole upload in bytes, earlier requests included.
    pub limit: Option<u64>,
    /// The length of this body in bytes as announced (`Content-Length`, or the length of `Content-Range`). Space is set
    /// aside for it, and a body of another length is an [`AppendError::Length`].
    pub length: Option<u64>,
}

/// The outcome of receiving one body.
#[derive(Debug)]
#[must_use = "the state must be stored, also after an error"]
pub struct Appended {
    /// What the upload consists of now. It matches the file, whatever happened.
    pub state: UploadState,
    /// Bytes of this body that were kept.
    pub received: u64,
    /// Whether the body was received completely.
    pub result: Result<(), AppendError>,
}

/// An upload file found in the store.
#[derive(Clone, Debug)]
pub struct UploadFile {
    /// Its id.
    pub id: UploadId,
    /// Bytes in the file.
    pub size: u64,
    /// When it was last written.
    pub modified: SystemTime,
}

impl UploadFile {
    /// How long ago it was last written, seen at `now`; zero when that is in the future.
    #[must_use]
    pub fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.modified).unwrap_or_default()
    }
}

/// Space of the file system that holds the store, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Size of the file system.
    pub total: u64,
    /// What this process may still use.
    pub free: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_takes_only_lower_case_uuids() {
        let id = UploadId::random();
        assert_eq!(id.as_str().parse::<UploadId>().unwrap(), id);
        for bad in [
            "",
            "..",
            "../../../../../../../../etc/passwd00",
            "0000000-0000-0000-0000-0000000000000",
            "00000000-0000-0000-0000-00000000000",
            "00000000-0000-0000-0000-00000000000G",
            "00000000-0000-0000-0000-00000000000A",
            "00000000/0000/0000/0000/000000000000",
            "00000000-0000-0000-0000-0000000000\u{e9}",
            "00000000000000000000000000000000",
            "{0000000-0000-0000-0000-00000000000}",
        ] {
            assert_eq!(bad.parse::<UploadId>(), Err(UploadIdError), "{bad}");
        }
    }

    #[test]
    fn state_survives_its_bytes() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let mut hash = Running::new(algorithm);
            hash.update(&[7; 1000]);
            let state = UploadState::with_algorithm(algorithm).advanced(hash, 1000);
            let bytes = state.to_bytes();
            assert!(bytes.len() <= UploadState::MAX_BYTES);
            let back = UploadState::from_bytes(&bytes).unwrap();
            assert_eq!((back.offset(), back.algorithm()), (1000, algorithm));
            assert_eq!(back.hash.digest(), state.hash.digest());
            assert!(back.is_trusted());
        }
    }

    #[test]
    fn damaged_state_is_refused() {
        let bytes = UploadState::default().to_bytes();
        assert_eq!(UploadState::from_bytes(&[]).unwrap_err(), StateError::Damaged);
        for length in 1..bytes.len() {
            assert_eq!(UploadState::from_bytes(&bytes[..length]).unwrap_err(), StateError::Damaged, "{length}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(UploadState::from_bytes(&longer).unwrap_err(), StateError::Damaged);
        let mut other = bytes.clone();
        other[0] = 2;
        assert_eq!(UploadState::from_bytes(&other).unwrap_err(), StateError::Version);
        let mut unknown = bytes;
        unknown[1] = 9;
        assert_eq!(UploadState::from_bytes(&unknown).unwrap_err(), StateError::Damaged);
    }

    #[test]
    fn state_of_another_boot_is_not_trusted_ever_again() {
        let mut bytes = UploadState::default().to_bytes();
        bytes[10..HEADER].fill(b'x');
        let state = UploadState::from_bytes(&bytes).unwrap();
        assert!(!state.is_trusted());
        let hash = state.hash.clone();
        assert!(!UploadState::from_bytes(&state.advanced(hash, 0).to_bytes()).unwrap().is_trusted());
    }
}
