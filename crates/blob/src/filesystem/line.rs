//! The two jobs that write and hash a body while more of it comes in.
//! Used by `receive` only.

use std::fmt::Display;
use std::fs::File;
use std::future::pending;
use std::io::{self, IoSlice};
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use rustix::io::pwritev;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::receive::Intake;
use crate::digesting::Running;
use crate::kernel;
use crate::serve::flatten;
use crate::upload::UploadState;

/// A write starts when this many bytes wait for it.
const WRITE_FROM: usize = 512 << 10;
/// No more is read from the network while this many bytes are on their way.
const IN_FLIGHT: usize = 4 << 20;
/// A write starts when this many pieces wait for it, and no more is read at four times that many: a client that sends
/// single bytes must not make us hold a million of them. The number is also what one system call takes.
pub(super) const PIECES: usize = 1024;
/// The kernel is asked to start writing to the disk each time this many bytes are complete.
const WRITE_BACK: u64 = 8 << 20;

/// Pieces on their way, in order.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) pieces: Vec<Bytes>,
    pub(super) bytes: usize,
}

impl Batch {
    pub(super) fn extend(&mut self, pieces: impl IntoIterator<Item = Bytes>) {
        for piece in pieces {
            self.bytes += piece.len();
            self.pieces.push(piece);
        }
    }
}

/// The two jobs and what waits for them.
pub(super) struct Line {
    pub(super) file: Arc<File>,
    /// Where the next write goes in the file.
    position: u64,
    to_write: Batch,
    writing: Option<JoinHandle<io::Result<Batch>>>,
    to_hash: Batch,
    hashing: Option<JoinHandle<(Running, u64)>>,
    /// Bytes that a job has at the moment.
    at_work: usize,
    pub(super) hash: Running,
    /// Bytes of this body that are written and hashed.
    pub(super) hashed: u64,
    /// Hashing failed: nothing after `hashed` can be hashed any more.
    unhashable: bool,
    pub(super) failure: Option<io::Error>,
}

impl Line {
    pub(super) fn new(file: Arc<File>, state: &UploadState) -> Self {
        Self {
            file,
            position: state.offset(),
            to_write: Batch::default(),
            writing: None,
            to_hash: Batch::default(),
            hashing: None,
            at_work: 0,
            hash: state.hash().clone(),
            hashed: 0,
            unhashable: false,
            failure: None,
        }
    }

    /// Writes and hashes a whole small body in one job.
    pub(super) async fn at_once(&mut self, batch: Batch) {
        if batch.bytes == 0 {
            return;
        }
        let (file, position, mut hash) = (self.file.clone(), self.position, self.hash.clone());
        let job = spawn_blocking(move || {
            write_all(&file, &batch.pieces, position)?;
            batch.pieces.iter().for_each(|piece| hash.update(piece));
            Ok((hash, batch.bytes as u64))
        });
        match flatten(job.await) {
            Ok((hash, bytes)) => (self.hash, self.hashed) = (hash, bytes),
            Err(error) => self.failure = Some(error),
        }
    }

    /// Runs until the body has ended and everything is hashed, or a job failed and the other one is done.
    pub(super) async fn run<S, E>(&mut self, body: &mut S, intake: &mut Intake, first: Batch)
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: Display,
    {
        self.to_write = first;
        loop {
            self.start(intake.end.is_some());
            let ended = intake.end.is_some() || self.failure.is_some();
            if ended && self.writing.is_none() && self.hashing.is_none() {
                return;
            }
            let room = self.to_write.bytes + self.to_hash.bytes + self.at_work < IN_FLIGHT && self.to_write.pieces.len() < 4 * PIECES;
            tokio::select! {
                biased;
                done = finished(&mut self.writing) => self.written(done),
                done = finished(&mut self.hashing) => self.counted(done),
                item = body.next(), if room && !ended => self.to_write.extend(intake.take(item)),
            }
        }
    }

    /// Starts the jobs for which enough is waiting.
    fn start(&mut self, ended: bool) {
        let enough = self.to_write.bytes >= WRITE_FROM || self.to_write.pieces.len() >= PIECES || ended;
        if self.writing.is_none() && self.failure.is_none() && self.to_write.bytes > 0 && enough {
            let batch = std::mem::take(&mut self.to_write);
            let (file, position) = (self.file.clone(), self.position);
            self.position += batch.bytes as u64;
            self.at_work += batch.bytes;
            self.writing = Some(spawn_blocking(move || {
                write_all(&file, &batch.pieces, position)?;
                write_back(&file, position, position + batch.bytes as u64);
                Ok(batch)
            }));
        }
        if self.hashing.is_none() && !self.unhashable && self.to_hash.bytes > 0 {
            let batch = std::mem::take(&mut self.to_hash);
            let mut hash = self.hash.clone();
            self.at_work += batch.bytes;
            self.hashing = Some(spawn_blocking(move || {
                batch.pieces.iter().for_each(|piece| hash.update(piece));
                (hash, batch.bytes as u64)
            }));
        }
    }

    fn written(&mut self, done: Result<io::Result<Batch>, JoinError>) {
        self.writing = None;
        match flatten(done) {
            Ok(batch) => {
                self.at_work -= batch.bytes;
                self.to_hash.extend(batch.pieces);
            }
            Err(error) => self.failure = Some(error),
        }
    }

    fn counted(&mut self, done: Result<(Running, u64), JoinError>) {
        self.hashing = None;
        match done {
            Ok((hash, bytes)) => {
                self.at_work -= usize::try_from(bytes).unwrap_or(usize::MAX).min(self.at_work);
                self.hash = hash;
                self.hashed += bytes;
            }
            Err(error) => {
                self.unhashable = true;
                self.failure = Some(io::Error::other(error));
            }
        }
    }
}

/// The outcome of a job; never when there is none.
async fn finished<T>(job: &mut Option<JoinHandle<T>>) -> Result<T, JoinError> {
    match job {
        Some(job) => job.await,
        None => pending().await,
    }
}

/// Writes all pieces, in order, at `position` of the file. Blocking.
fn write_all(file: &File, pieces: &[Bytes], mut position: u64) -> io::Result<()> {
    for group in pieces.chunks(PIECES) {
        let mut slices: Vec<IoSlice<'_>> = group.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            match pwritev(file, rest, position) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    position += written as u64;
                    IoSlice::advance_slices(&mut rest, written);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// After a write from `from` to `to`: starts write-back for the windows that have become complete.
fn write_back(file: &File, from: u64, to: u64) {
    let (start, end) = (from - from % WRITE_BACK, to - to % WRITE_BACK);
    if end > start {
        kernel::start_write_back(file, start, end - start);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::stream;
    use oci::digest::Digest;

    use super::*;
    use crate::error::AppendError;
    use crate::upload::AppendOptions;

    fn intake() -> Intake {
        Intake { offset: 0, received: 0, options: AppendOptions::default(), end: None }
    }

    fn body(size: usize) -> impl Stream<Item = Result<Bytes, Infallible>> + Unpin {
        stream::iter((0..size / 65_536).map(|n| Ok(Bytes::from(vec![n as u8; 65_536]))))
    }

    /// A line that writes to a device that is always full.
    fn full() -> Line {
        let file = File::options().read(true).write(true).open("/dev/full").unwrap();
        Line::new(Arc::new(file), &UploadState::default())
    }

    #[tokio::test]
    async fn full_disk_stops_the_body_and_hashes_nothing() {
        let mut line = full();
        let endless = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[0; 65_536])));
        line.run(&mut Box::pin(endless), &mut intake(), Batch::default()).await;
        assert!(matches!(line.failure.map(AppendError::from), Some(AppendError::StorageFull)));
        assert_eq!((line.hashed, line.hash.digest()), (0, Digest::sha256(b"")));

        let mut line = full();
        line.at_once(Batch { pieces: vec![Bytes::from_static(b"x")], bytes: 1 }).await;
        assert!(matches!(line.failure.map(AppendError::from), Some(AppendError::StorageFull)));
        assert_eq!((line.hashed, line.hash.digest()), (0, Digest::sha256(b"")));
    }

    #[tokio::test]
    async fn hash_covers_what_was_written_before_a_failure() {
        // The first part goes to a file; then the file is exchanged for a full device.
        let mut line = full();
        line.file = Arc::new(tempfile::tempfile().unwrap());
        line.run(&mut body(3 << 20), &mut intake(), Batch::default()).await;
        assert!(line.failure.is_none());
        let (hashed, digest) = (line.hashed, line.hash.digest());
        assert_eq!(hashed, 3 << 20);
        line.file = full().file;
        line.run(&mut body(3 << 20), &mut intake(), Batch::default()).await;
        assert!(line.failure.is_some());
        assert_eq!((line.hashed, line.hash.digest()), (hashed, digest));
    }
}
