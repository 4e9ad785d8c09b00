//! Running hashes that can be stored between requests, and hashing of whole files.
//! Used by the upload state and by the drivers only.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use oci::digest::{Algorithm, Digest};
use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest as _, Sha256, Sha512};

/// How much of a file is read at a time when it is hashed.
const READ: usize = 1 << 20;

/// A hash over what was received so far.
#[derive(Clone)]
pub(crate) enum Running {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Running {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Running::Sha256(Sha256::new()),
            Algorithm::Sha512 => Running::Sha512(Sha512::new()),
        }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Running::Sha256(_) => Algorithm::Sha256,
            Running::Sha512(_) => Algorithm::Sha512,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Running::Sha256(hash) => hash.update(bytes),
            Running::Sha512(hash) => hash.update(bytes),
        }
    }

    /// The digest of everything so far; the running hash goes on unchanged.
    pub(crate) fn digest(&self) -> Digest {
        match self {
            Running::Sha256(hash) => Digest::from_hash(Algorithm::Sha256, &hash.clone().finalize()),
            Running::Sha512(hash) => Digest::from_hash(Algorithm::Sha512, &hash.clone().finalize()),
        }
        .expect("a hash has the length of its algorithm")
    }

    pub(crate) fn serialize(&self) -> Vec<u8> {
        match self {
            Running::Sha256(hash) => hash.serialize().to_vec(),
            Running::Sha512(hash) => hash.serialize().to_vec(),
        }
    }

    pub(crate) fn deserialize(algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        Some(match algorithm {
            Algorithm::Sha256 => Running::Sha256(Sha256::deserialize(bytes.try_into().ok()?).ok()?),
            Algorithm::Sha512 => Running::Sha512(Sha512::deserialize(bytes.try_into().ok()?).ok()?),
        })
    }
}

/// Reads the first `length` bytes of `file` and hashes them. Blocking.
///
/// A file that ends earlier is an `UnexpectedEof`.
pub(crate) fn hash_file(file: &File, length: u64, algorithm: Algorithm) -> io::Result<Running> {
    let mut hash = Running::new(algorithm);
    let mut buffer = vec![0; READ];
    let mut offset = 0;
    while offset < length {
        let want = usize::try_from(length - offset).unwrap_or(READ).min(READ);
        let got = file.read_at(&mut buffer[..want], offset)?;
        if got == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        hash.update(&buffer[..got]);
        offset += got as u64;
    }
    Ok(hash)
}
