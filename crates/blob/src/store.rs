//! The blob store as its callers see it: the operations, and the choice of the driver behind them.
//! `service` calls it; the binary opens it.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::Stream;
use oci::digest::Digest;
use tokio::task::spawn_blocking;

use crate::error::{BlobError, CommitError, Fault};
use crate::filesystem::{Filesystem, PATIENCE, locked};
use crate::held::Held;
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

    /// Makes room for a new upload: from here on it can be held.
    ///
    /// # Errors
    /// Storage failures, also when there is an upload of this name.
    pub async fn begin(&self, upload: &UploadId) -> Result<(), BlobError> {
        let upload = upload.clone();
        self.blocking(move |fs| fs.begin(&upload)).await
    }

    /// Takes an upload into this request's hands; waits a few seconds for another request that holds it, of this or another process.
    ///
    /// # Errors
    /// [`BlobError::Busy`] when the other goes on holding it, [`BlobError::Lost`] when there is no such upload (any more); storage failures.
    pub async fn hold(&self, upload: &UploadId) -> Result<Held, BlobError> {
        let Driver::Filesystem(fs) = &self.0;
        Ok(Held::new(fs.clone(), upload.clone(), locked(fs, upload, false, PATIENCE).await?))
    }

    /// As [`BlobStore::hold`], without waiting.
    ///
    /// # Errors
    /// The same; [`BlobError::Busy`] at once.
    pub async fn hold_if_free(&self, upload: &UploadId) -> Result<Held, BlobError> {
        let Driver::Filesystem(fs) = &self.0;
        Ok(Held::new(fs.clone(), upload.clone(), locked(fs, upload, false, std::time::Duration::ZERO).await?))
    }

    /// The outcome of a commit of an upload that is lost: its size in bytes, when an earlier attempt has come through and only its answer was lost.
    ///
    /// # Errors
    /// [`CommitError::Lost`] when it has not; storage failures.
    pub async fn committed_before(&self, state: &UploadState, expected: &Digest) -> Result<u64, CommitError> {
        let Driver::Filesystem(fs) = &self.0;
        let (fs, state, expected) = (fs.clone(), state.clone(), expected.clone());
        let job = spawn_blocking(move || fs.committed_before(&state, &expected));
        job.await.unwrap_or_else(|error| Err(CommitError::Io(std::io::Error::other(error))))
    }

    /// Receives a body without bounds; see [`BlobStore::append_with`].
    pub async fn append<S, E>(&self, upload: &UploadId, state: UploadState, body: S) -> Appended
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: std::fmt::Display,
    {
        self.append_with(upload, state, body, AppendOptions::default()).await
    }

    /// Holds an upload for one body; begins it if it is new. See [`Held::append`].
    pub async fn append_with<S, E>(&self, upload: &UploadId, state: UploadState, body: S, options: AppendOptions) -> Appended
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: std::fmt::Display,
    {
        let Driver::Filesystem(fs) = &self.0;
        match locked(fs, upload, state.offset() == 0, PATIENCE).await {
            Ok(file) => Held::new(fs.clone(), upload.clone(), file).append(state, body, options).await,
            Err(fault) => Appended { state, received: 0, result: Err(fault.into()) },
        }
    }

    /// Holds an upload to commit it. Repeating it, or committing content that is there already, has the same outcome. See [`Held::commit`].
    ///
    /// # Errors
    /// As [`Held::commit`].
    pub async fn commit(&self, upload: &UploadId, state: &UploadState, expected: &Digest) -> Result<u64, CommitError> {
        let Driver::Filesystem(fs) = &self.0;
        match locked(fs, upload, state.offset() == 0, PATIENCE).await {
            Ok(file) => Held::new(fs.clone(), upload.clone(), file).commit(state, expected).await,
            Err(Fault::Lost) => self.committed_before(state, expected).await,
            Err(fault) => Err(fault.into()),
        }
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
