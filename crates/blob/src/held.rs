//! An upload in one request's hands. What the caller keeps of an upload elsewhere (its state) is read, used and written back while it is held, so that no
//! two requests, of whatever process, go on from the same state.
//! `store` makes it; `service` receives and commits with it.

use std::fmt::Display;
use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use oci::digest::Digest;
use tokio::task::spawn_blocking;

use crate::error::{AppendError, BlobError, CommitError, Fault};
use crate::filesystem::{Filesystem, fit, receive};
use crate::upload::{AppendOptions, Appended, UploadId, UploadState};

/// An upload that nobody else appends to, cuts or commits until this is dropped. It can still be cancelled.
#[derive(Debug)]
pub struct Held {
    fs: Arc<Filesystem>,
    upload: UploadId,
    /// Locked as long as it is open, also by a job that outlives a request.
    file: Arc<File>,
}

impl Held {
    pub(crate) fn new(fs: Arc<Filesystem>, upload: UploadId, file: File) -> Self {
        Self { fs, upload, file: Arc::new(file) }
    }

    /// Appends a body at the offset that the state records. What the file holds beyond that (the rest of a request that was cut off) is dropped first.
    ///
    /// The returned state matches the file whatever happened: an interrupted body leaves the prefix that came in, and the caller either stores the new
    /// state or goes back by [`Held::rollback`]. If the future is dropped, what came in since `state` is dropped too, so run it in a task of its own to
    /// keep the prefix of a broken connection.
    pub async fn append<S, E>(&self, state: UploadState, body: S, options: AppendOptions) -> Appended
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Display,
    {
        if let (Some(limit), Some(length)) = (options.limit, options.length)
            && state.offset().saturating_add(length) > limit
        {
            return Appended { state, received: 0, result: Err(AppendError::TooLarge { limit }) };
        }
        receive::append(self.file.clone(), state, body, options).await
    }

    /// Goes back to an earlier state, for a body that must not count.
    ///
    /// # Errors
    /// [`BlobError::Lost`] when the file is shorter than that; storage failures.
    pub async fn rollback(&self, to: &UploadState) -> Result<(), BlobError> {
        let (file, offset) = (self.file.clone(), to.offset());
        let cut = spawn_blocking(move || fit(&file, offset, None)).await;
        Ok(cut.unwrap_or_else(|error| Err(io::Error::other(error).into()))?)
    }

    /// Makes the upload the blob `expected`; its size in bytes. When this returns, the blob is complete, verified and durable. What is lost may have been
    /// committed before, with an answer that was lost: then this has the same outcome.
    ///
    /// The running hash decides when it is of the algorithm asked for; otherwise the file is read once more.
    ///
    /// # Errors
    /// [`CommitError::Mismatch`] leaves the upload as it is; the others are described there.
    pub async fn commit(self, state: &UploadState, expected: &Digest) -> Result<u64, CommitError> {
        let (state, expected) = (state.clone(), expected.clone());
        let job = spawn_blocking(move || match fit(&self.file, state.offset(), None) {
            Ok(()) => self.fs.commit(&self.file, &self.upload, &state, &expected),
            Err(Fault::Lost) => self.fs.committed_before(&state, &expected),
            Err(fault) => Err(fault.into()),
        });
        job.await.unwrap_or_else(|error| Err(CommitError::Io(io::Error::other(error))))
    }
}
