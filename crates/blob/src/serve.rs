//! Reading blobs: an open blob and the stream of its bytes.
//! Whoever serves content takes a [`Blob`] from the store and hands its stream to the connection.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;
use rustix::fs::{Advice, fadvise};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::kernel;

/// Up to this many bytes are read into memory at once: setting up a map costs more than copying them.
const SMALL: u64 = 128 << 10;
/// How much is mapped at a time. Bounds the memory a stream shows to two slices; large enough that the cost of a slice
/// (a hop to the blocking pool, a map, its removal) disappears.
const SLICE: u64 = 2 << 20;
/// How far ahead of the slice being mapped the kernel is asked to read.
const AHEAD: u64 = 3 * SLICE;

/// A blob opened for reading. It stays readable while it is held, also when the blob is removed meanwhile.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Size in bytes.
    pub size: u64,
    file: Arc<File>,
}

impl Blob {
    pub(crate) fn new(file: File, size: u64) -> Self {
        Self { size, file: Arc::new(file) }
    }

    /// The bytes from `start` on, `length` of them or as many as there are.
    ///
    /// Items are between some KiB and 2 MiB large and come ready for use: what has to be read from the disk is read on
    /// the blocking pool, one item ahead of the reader. Must be polled on a Tokio runtime.
    #[must_use]
    pub fn stream(&self, start: u64, length: u64) -> BlobStream {
        let start = start.min(self.size);
        let end = start.saturating_add(length).min(self.size);
        BlobStream { file: self.file.clone(), next: start, end, loading: None }
    }

    /// The whole content, for small blobs.
    ///
    /// # Errors
    /// `FileTooLarge` when the blob is larger than `max`; otherwise what reading it gave.
    pub async fn bytes(&self, max: u64) -> io::Result<Bytes> {
        if self.size > max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let (file, size) = (self.file.clone(), self.size);
        flatten(spawn_blocking(move || read(&file, 0, size)).await)
    }
}

/// A range of a blob as a stream of its bytes; see [`Blob::stream`].
#[derive(Debug)]
pub struct BlobStream {
    file: Arc<File>,
    next: u64,
    end: u64,
    loading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl BlobStream {
    /// Starts loading the next item; nothing to do at the end.
    fn load(&mut self) {
        if self.next >= self.end {
            return;
        }
        let (start, end) = (self.next, self.end);
        let length = if end - start <= SMALL { end - start } else { SLICE.min(end - start) };
        self.next += length;
        let file = self.file.clone();
        self.loading = Some(spawn_blocking(move || load(&file, start, length, end)));
    }
}

impl Stream for BlobStream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.loading.is_none() {
            self.load();
        }
        let Some(job) = self.loading.as_mut() else {
            return Poll::Ready(None);
        };
        let item = flatten(ready!(Pin::new(job).poll(cx)));
        self.loading = None;
        match item {
            Ok(_) => self.load(),
            Err(_) => self.next = self.end,
        }
        Poll::Ready(Some(item))
    }
}

/// Loads `length` bytes from `start` of a stream that goes on until `end`. Blocking.
fn load(file: &File, start: u64, length: u64, end: u64) -> io::Result<Bytes> {
    if length <= SMALL {
        return read(file, start, length);
    }
    let ahead = NonZeroU64::new((end - start).min(length + AHEAD));
    // Advice only: a file system that does not take it serves all the same.
    let _ = fadvise(file, start, ahead, Advice::WillNeed);
    let size = usize::try_from(length).map_err(|_| io::ErrorKind::FileTooLarge)?;
    match kernel::map(file, start, size)? {
        Some(bytes) => Ok(bytes),
        None => read(file, start, length),
    }
}

fn read(file: &File, start: u64, length: u64) -> io::Result<Bytes> {
    let mut buffer = vec![0; usize::try_from(length).map_err(|_| io::ErrorKind::FileTooLarge)?];
    file.read_exact_at(&mut buffer, start)?;
    Ok(buffer.into())
}

/// The result of a job on the blocking pool; one that panicked or was cut off by the shutdown is an error.
pub(crate) fn flatten<T>(joined: Result<io::Result<T>, tokio::task::JoinError>) -> io::Result<T> {
    joined.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::atomic::Ordering;

    use futures::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn reads_where_the_kernel_cannot_map_and_populate() {
        let content: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        let blob = Blob::new(file, content.len() as u64);
        for without in [true, false] {
            kernel::NO_POPULATE.store(without, Ordering::Relaxed);
            let items: Vec<Bytes> = blob.stream(5, u64::MAX).try_collect().await.unwrap();
            assert!(items.concat() == content[5..]);
        }
    }

    #[tokio::test]
    async fn shorter_file_than_promised_is_an_error_and_the_end() {
        let blob = Blob::new(tempfile::tempfile().unwrap(), 100);
        let mut stream = blob.stream(0, 100);
        assert!(futures::StreamExt::next(&mut stream).await.unwrap().is_err());
        assert!(futures::StreamExt::next(&mut stream).await.is_none());
    }
}
