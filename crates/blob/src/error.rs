//! What can go wrong with bytes at rest, one enum per kind of call.
//! Callers map these to protocol errors; messages name operations, never file contents.

use std::io;

/// A store operation failed.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The store's directory cannot be created or written.
    #[error("the blob directory {path} is not usable: {source}")]
    Unusable {
        /// The directory or file that was refused.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// No space, or the quota of the file system is used up.
    #[error("blob storage is full")]
    StorageFull,
    /// The content does not have the digest it was said to have.
    #[error("content does not match its digest: expected {expected}, computed {computed}")]
    Mismatch {
        /// The digest that was asked for.
        expected: String,
        /// The digest of the bytes.
        computed: String,
    },
    /// Another request is writing to the same upload.
    #[error("another request is writing to this upload")]
    Busy,
    /// The upload's file is missing or shorter than its recorded state.
    #[error("the upload's bytes are gone")]
    Lost,
    /// Any other failure of the storage.
    #[error("blob storage failed: {0}")]
    Io(#[source] io::Error),
}

/// Why receiving a body stopped early.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The body ended with an error: the client went away or broke the transfer coding.
    #[error("the client aborted the upload: {0}")]
    Aborted(String),
    /// The body is longer or shorter than announced ([`crate::AppendOptions::length`]).
    #[error("the body has another length than announced: {announced} bytes announced, {received} received")]
    Length {
        /// Announced length in bytes.
        announced: u64,
        /// Bytes received; for a longer body what was received until that became clear.
        received: u64,
    },
    /// The upload would become larger than [`crate::AppendOptions::limit`].
    #[error("the upload is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The upload's file is missing or shorter than its recorded state: the upload must start again.
    #[error("the upload's bytes are gone")]
    Lost,
    /// Another request is writing to the same upload.
    #[error("another request is writing to this upload")]
    Busy,
    /// No space, or the quota of the file system is used up.
    #[error("blob storage is full")]
    StorageFull,
    /// Any other failure of the storage.
    #[error("blob storage failed: {0}")]
    Io(#[source] io::Error),
}

/// Why an upload did not become a blob.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The bytes received have another digest. The upload is still there: cancel it.
    #[error("content does not match its digest: expected {expected}, computed {computed}")]
    Mismatch {
        /// The digest that was asked for.
        expected: String,
        /// The digest of the bytes.
        computed: String,
    },
    /// The upload's file is missing or shorter than its recorded state: the upload must start again.
    #[error("the upload's bytes are gone")]
    Lost,
    /// Another request is writing to the same upload.
    #[error("another request is writing to this upload")]
    Busy,
    /// No space, or the quota of the file system is used up.
    #[error("blob storage is full")]
    StorageFull,
    /// Any other failure of the storage. When syncing failed the upload's file has been removed, because its bytes
    /// can no longer be trusted to reach the disk: a retry answers [`CommitError::Lost`].
    #[error("blob storage failed: {0}")]
    Io(#[source] io::Error),
}

/// A stored upload state cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Written by a version this one does not know.
    #[error("upload state has an unknown version")]
    Version,
    /// Wrong length, unknown algorithm or contradicting fields.
    #[error("upload state is damaged")]
    Damaged,
}

/// Failures of the storage itself, before they become part of one of the public enums.
#[derive(Debug)]
pub(crate) enum Fault {
    Busy,
    Lost,
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Fault::Io(error)
    }
}

/// No space, quota used up, or larger than the file system can hold in one file.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

macro_rules! from_fault {
    ($($target:ident),*) => {$(
        impl From<Fault> for $target {
            fn from(fault: Fault) -> Self {
                match fault {
                    Fault::Busy => $target::Busy,
                    Fault::Lost => $target::Lost,
                    Fault::Io(error) => error.into(),
                }
            }
        }
        impl From<io::Error> for $target {
            fn from(error: io::Error) -> Self {
                if is_full(&error) { $target::StorageFull } else { $target::Io(error) }
            }
        }
    )*};
}
from_fault!(BlobError, AppendError, CommitError);
