//! The blob store as its callers see it: the operations, and the choice of the driver behind them.
//! `service` calls it; the binary opens it.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::Stream;
use oci::digest::Digest;
use tokio::task::spawn_blocking;

use crate::error::{AppendError, BlobError, CommitError, Fault};
use crate::filesystem::{Filesystem, locked, receive};
use crate::serve::Blob;
use crate::upload::{AppendOptions, Appended, UploadFile, UploadId, UploadState, Usage};

/// Where blobs are. Cheap to clone; all clones are the same store.
#[derive(Clone, Debug)]
pub struct BlobStore(Driver);

#[derive(Clone, Debug)]
enum Driver {
    Filesystem(Arc<Filesystem>),
}

/// A blob set aside by [`BlobStore::quarantine`].
#[derive(Clone, Debug)]
pub struct Quarantined {
    /// Its digest.
    pub digest: Digest,
    /// Size in bytes.
    pub size: u64,
    /// When it was set aside.
    pub since: SystemTime,
}

impl BlobStore {
    /// Opens the store under `root` on a local (or locking network) file system, creating what is missing for this
    /// user alone, and tries that it can be written, locked and synced.
    ///
    /// # Errors
    /// [`BlobError::Unusable`] names the path that was refused.
    pub async fn filesystem(root: &Path) -> Result<Self, BlobError> {
        let root = root.to_owned();
        let opened = spawn_blocking(move || Filesystem::open(&root)).await;
        Ok(Self(Driver::Filesystem(Arc::new(opened.map_err(stopped)??))))
    }

    /// The size of a blob in bytes, `None` when there is no such blob.
    ///
    /// # Errors
    /// Storage failures.
    pub async fn stat(&self, digest: &Digest) -> Result<Option<u64>, BlobError> {
        let digest = digest.clone();
        self.blocking(move |fs| fs.stat(&digest)).await
    }

    /// Opens a blob for reading, `None` when there is no such blob.
    ///
    /// # Errors
    /// Storage failures.
    pub async fn open(&self, digest: &Digest) -> Result<Option<Blob>, BlobError> {
        let digest = digest.clone();
        self.blocking(move |fs| fs.open_blob(&digest)).await
    }

    /// Stores whole content that is in memory. When this returns, the blob is durable; repeating it changes nothing.
    ///
    /// # Errors
    /// [`BlobError::Mismatch`] when the content has another digest; storage failures.
    pub async fn put(&self, bytes: Bytes, digest: &Digest) -> Result<(), BlobError> {
        let digest = digest.clone();
        self.blocking(move |fs| fs.put(&bytes, &digest)).await
    }

    /// Receives a body without bounds; see [`BlobStore::append_with`].
    pub async fn append<S, E>(&self, upload: &UploadId, state: UploadState, body: S) -> Appended
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: std::fmt::Display,
    {
        self.append_with(upload, state, body, AppendOptions::default()).await
    }

    /// Appends a body to an upload at the offset its state records. What the file holds beyond that (the rest of a
    /// request that was cut off) is dropped first.
    ///
    /// The returned state matches the file whatever happened: an interrupted body leaves the prefix that came in, and
    /// the caller either stores the new state or goes back by [`BlobStore::rollback`]. Only one request at a time can
    /// append; another one gets [`AppendError::Busy`] after a few seconds. If the future is dropped, what came in
    /// since `state` is dropped too, so run it in a task of its own to keep the prefix of a broken connection.
    pub async fn append_with<S, E>(&self, upload: &UploadId, state: UploadState, body: S, options: AppendOptions) -> Appended
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: std::fmt::Display,
    {
        if let (Some(limit), Some(length)) = (options.limit, options.length)
            && state.offset().saturating_add(length) > limit
        {
            return Appended { state, received: 0, result: Err(AppendError::TooLarge { limit }) };
        }
        match &self.0 {
            Driver::Filesystem(fs) => receive::append(fs, upload, state, body, options).await,
        }
    }

    /// Goes back to an earlier state of an upload, for a body that must not count.
    ///
    /// # Errors
    /// [`BlobError::Lost`] when the file is shorter than that, [`BlobError::Busy`] while another request is writing.
    pub async fn rollback(&self, upload: &UploadId, to: &UploadState) -> Result<(), BlobError> {
        match &self.0 {
            Driver::Filesystem(fs) => Ok(locked(fs, upload, to.offset(), None).await.map(drop)?),
        }
    }

    /// Makes an upload the blob `expected` and returns its size in bytes. When this returns, the blob is complete,
    /// verified and durable. Repeating it, or committing content that is there already, has the same outcome.
    ///
    /// The running hash decides when it is of the algorithm asked for; otherwise the file is read once more.
    ///
    /// # Errors
    /// [`CommitError::Mismatch`] leaves the upload as it is; the others are described there.
    pub async fn commit(&self, upload: &UploadId, state: &UploadState, expected: &Digest) -> Result<u64, CommitError> {
        let Driver::Filesystem(fs) = &self.0;
        let file = match locked(fs, upload, state.offset(), None).await {
            Ok(file) => Some(file),
            Err(Fault::Lost) => None,
            Err(fault) => return Err(fault.into()),
        };
        let (fs, upload, state, expected) = (fs.clone(), upload.clone(), state.clone(), expected.clone());
        let committed = spawn_blocking(move || match file {
            Some(file) => fs.commit(&file, &upload, &state, &expected),
            None => fs.committed_before(&state, &expected),
        });
        committed.await.unwrap_or_else(|error| Err(CommitError::Io(std::io::Error::other(error))))
    }

    /// Drops an upload and its bytes; nothing happens when there is none.
    ///
    /// # Errors
    /// Storage failures.
    pub async fn cancel(&self, upload: &UploadId) -> Result<(), BlobError> {
        let upload = upload.clone();
        self.blocking(move |fs| fs.cancel(&upload)).await
    }

    /// Removes a blob for good; whether there was one. Those who are reading it can finish.
    ///
    /// # Errors
    /// Storage failures.
    pub async fn remove(&self, digest: &Digest) -> Result<bool, BlobError> {
        let digest = digest.clone();
        self.blocking(move |fs| fs.remove(&digest)).await
    }

    /// Sets a blob aside: it is no longer visible but can be restored; whether there was one.
    ///
    /// # Errors
    /// Storage failures.
    pub async fn quarantine(&self, digest: &Digest) -> Result<bool, BlobError> {
        let digest = digest.clone();
        self.blocking(move |fs| fs.quarantine(&digest)).await
    }

    /// Makes a blob that was set aside visible again; whether there was one.
    ///
    /// # Errors
    /// Storage failures.
    pub async fn restore(&self, digest: &Digest) -> Result<bool, BlobError> {
        let digest = digest.clone();
        self.blocking(move |fs| fs.restore(&digest)).await
    }

    /// Removes a blob that was set aside for good; whether there was one.
    ///
    /// # Errors
    /// Storage failures.
    pub async fn purge(&self, digest: &Digest) -> Result<bool, BlobError> {
        let digest = digest.clone();
        self.blocking(move |fs| fs.purge(&digest)).await
    }

    /// The blobs that are set aside, in no order.
    ///
    /// # Errors
    /// Storage failures.
    pub async fn quarantined(&self) -> Result<Vec<Quarantined>, BlobError> {
        self.blocking(Filesystem::quarantined).await
    }

    /// The upload files there are, in no order: those in progress and what crashes left behind.
    ///
    /// # Errors
    /// Storage failures.
    pub async fn uploads(&self) -> Result<Vec<UploadFile>, BlobError> {
        self.blocking(Filesystem::uploads).await
    }

    /// The space of the file system that holds the store.
    ///
    /// # Errors
    /// Storage failures.
    pub async fn usage(&self) -> Result<Usage, BlobError> {
        self.blocking(Filesystem::usage).await
    }

    /// Runs an operation of the file system driver where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Filesystem) -> Result<T, BlobError> + Send + 'static,
    ) -> Result<T, BlobError> {
        let Driver::Filesystem(fs) = &self.0;
        let fs = fs.clone();
        spawn_blocking(move || operation(&fs)).await.map_err(stopped)?
    }
}

/// A job on the blocking pool panicked or was cut off by the shutdown.
fn stopped(error: tokio::task::JoinError) -> BlobError {
    BlobError::Io(std::io::Error::other(error))
}
