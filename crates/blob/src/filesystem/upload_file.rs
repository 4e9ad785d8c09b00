//! The file of an upload: opened for one request at a time, committed, dropped.
//! Called by `store` and `receive`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::sync::Arc;
use std::time::Duration;

use oci::digest::Digest;
use rustix::fs::{FallocateFlags, fallocate};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use super::{Filesystem, absent_is_fine};
use crate::digesting::hash_file;
use crate::error::{BlobError, CommitError, Fault};
use crate::upload::{UploadId, UploadState};

/// How long a request waits for another one that holds the upload: long enough for the last write of a request that
/// was cut off, short enough for a client that sends twice at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Space that a file may take beyond its length before that counts as set aside and not needed.
const SLACK: u64 = 1 << 20;
/// Bodies from this length on get their space set aside.
const RESERVE_FROM: u64 = 8 << 20;
/// At most this much is set aside, whatever a client announces.
const RESERVE_MOST: u64 = 1 << 30;

/// Opens the file of an upload for this request alone; `create` makes it when there is none. The lock ends with the file.
///
/// Waits as long as `patience`, without holding a thread, while another request holds it.
pub(crate) async fn locked(fs: &Arc<Filesystem>, upload: &UploadId, create: bool, patience: Duration) -> Result<File, Fault> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        let (fs, upload) = (fs.clone(), upload.clone());
        let attempt = spawn_blocking(move || fs.locked(&upload, create)).await;
        match attempt.unwrap_or_else(|error| Err(std::io::Error::other(error).into())) {
            Err(Fault::Busy) if start.elapsed() < patience => sleep(pause).await,
            other => return other,
        }
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

/// Cuts a locked file to `offset` bytes and sets space aside for a body of `length` bytes. Blocking.
pub(crate) fn fit(file: &File, offset: u64, length: Option<u64>) -> Result<(), Fault> {
    let held = file.metadata()?;
    if held.len() < offset {
        return Err(Fault::Lost);
    }
    if held.len() > offset || held.blocks() * 512 > offset + SLACK {
        file.set_len(offset)?;
    }
    reserve(file, offset, length)
}

impl Filesystem {
    /// Makes the empty file of a new upload.
    pub(crate) fn begin(&self, upload: &UploadId) -> Result<(), BlobError> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.upload_path(upload))?;
        Ok(())
    }

    fn locked(&self, upload: &UploadId, create: bool) -> Result<File, Fault> {
        let path = self.upload_path(upload);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(create).mode(0o600).custom_flags(libc::O_NOFOLLOW);
        let file = match options.open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(Fault::Lost),
            opened => opened?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Fault::Busy),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // Between opening and locking, the file may have become a blob or been cancelled. A blob must never be written
        // to, so only the file that is still at the upload's path is taken.
        let held = file.metadata()?;
        match fs::symlink_metadata(&path) {
            Ok(there) if (there.dev(), there.ino()) == (held.dev(), held.ino()) => {}
            Ok(_) => return Err(Fault::Busy),
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(Fault::Lost),
            Err(error) => return Err(error.into()),
        }
        Ok(file)
    }

    /// Verifies, syncs and publishes the upload in `file`, which is locked and as long as `state` says.
    pub(crate) fn commit(&self, file: &File, upload: &UploadId, state: &UploadState, expected: &Digest) -> Result<u64, CommitError> {
        let computed = if state.is_trusted() && state.algorithm() == expected.algorithm() {
            state.hash().digest()
        } else {
            hash_file(file, state.offset(), expected.algorithm())?.digest()
        };
        if computed != *expected {
            return Err(CommitError::Mismatch { expected: expected.to_string(), computed: computed.to_string() });
        }
        let path = self.upload_path(upload);
        if self.has_durably(expected, state.offset())? {
            fs::remove_file(&path).or_else(absent_is_fine)?;
            return Ok(state.offset());
        }
        if let Err(error) = file.sync_data() {
            // After a failed sync the kernel may call the pages clean although they never reached the disk, so that a
            // second sync would succeed: these bytes are not to be used again.
            let _ = fs::remove_file(&path);
            return Err(CommitError::Io(error));
        }
        match self.publish(&path, expected) {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(CommitError::Lost),
            published => Ok(published.map(|()| state.offset())?),
        }
    }

    /// The outcome of a commit whose upload file is not there: fine when an earlier attempt has come through and only
    /// its answer was lost.
    pub(crate) fn committed_before(&self, state: &UploadState, expected: &Digest) -> Result<u64, CommitError> {
        if state.hash().digest() == *expected && self.has_durably(expected, state.offset())? {
            return Ok(state.offset());
        }
        Err(CommitError::Lost)
    }

    pub(crate) fn cancel(&self, upload: &UploadId) -> Result<(), BlobError> {
        Ok(fs::remove_file(self.upload_path(upload)).or_else(absent_is_fine)?)
    }
}

/// Sets space aside for `length` bytes from `offset`, so that a full disk shows at the start and the file is in one
/// piece. A file system that cannot do it goes without.
fn reserve(file: &File, offset: u64, length: Option<u64>) -> Result<(), Fault> {
    let Some(length) = length.filter(|length| *length >= RESERVE_FROM) else {
        return Ok(());
    };
    match fallocate(file, FallocateFlags::KEEP_SIZE, offset, length.min(RESERVE_MOST)).map_err(std::io::Error::from) {
        Err(error) if crate::error::is_full(&error) => Err(error.into()),
        _ => Ok(()),
    }
}
