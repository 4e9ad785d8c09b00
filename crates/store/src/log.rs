//! SQLite's write-ahead log brought to the disk, once for all who wait for it. `Db` makes one per database; `Tx::commit` waits here.
//!
//! The writer commits without a sync (`synchronous=NORMAL`: SQLite itself syncs the log only before it copies it into the database), and is free for the
//! next transaction at once. Whoever promised its client that the commit lasts then waits for a sync of the log's file that began after the commit.
//! One sync is enough for all commits before it, so many writers at once share one.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Mutex;

use crate::error::{Error, Result};

/// The log of one database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Log(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// Commits that asked to last, so far.
    committed: AtomicU64,
    /// How many of them a finished sync covers. Held while one runs.
    synced: Mutex<u64>,
    /// A sync failed: the kernel may have dropped what it could not write and say nothing the next time, so nothing is promised any more.
    is_broken: AtomicBool,
}

impl Log {
    /// The log beside the database at `path`.
    pub(crate) fn of(path: &Path) -> Self {
        let mut name = path.as_os_str().to_owned();
        name.push("-wal");
        Self(Arc::new(Inner { path: name.into(), committed: AtomicU64::new(0), synced: Mutex::new(0), is_broken: AtomicBool::new(false) }))
    }

    /// Returns when everything that was committed before the call is on the disk.
    pub(crate) async fn settle(&self) -> Result<()> {
        let path = self.0.path.clone();
        self.settle_by(move || sync(&path)).await
    }

    /// How many commits that asked to last are on the disk by now: the figure grows by every commit of `Durability::Full`, before that commit
    /// returns, and by no other.
    pub async fn covered(&self) -> u64 {
        *self.0.synced.lock().await
    }

    async fn settle_by(&self, sync: impl FnOnce() -> io::Result<()> + Send + 'static) -> Result<()> {
        let mine = self.0.committed.fetch_add(1, Ordering::AcqRel) + 1;
        let mut synced = self.0.synced.lock().await;
        if self.0.is_broken.load(Ordering::Acquire) {
            return Err(lost("an earlier sync of the database's log failed; Berth has to be started again"));
        }
        if *synced >= mine {
            return Ok(());
        }
        let covered = self.0.committed.load(Ordering::Acquire);
        let inner = self.0.clone();
        // On a task of its own, as far as the verdict: a caller who goes away must not hide a failure from the others.
        let outcome = tokio::task::spawn_blocking(move || {
            let outcome = sync();
            inner.is_broken.fetch_or(outcome.is_err(), Ordering::AcqRel);
            outcome
        });
        match outcome.await {
            Ok(Ok(())) => {
                *synced = covered;
                Ok(())
            }
            Ok(Err(error)) => Err(Error::Sql(sqlx::Error::Io(error))),
            Err(stopped) => Err(lost(&stopped.to_string())),
        }
    }
}

fn lost(why: &str) -> Error {
    Error::Sql(sqlx::Error::Io(io::Error::other(why.to_owned())))
}

/// SQLite keeps no lock on this file (only on the database and its index of the log), so that closing it again ends none.
fn sync(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).open(path) {
        Ok(file) => file.sync_data(),
        // Nothing is in it that is not in the database: it goes only when it was copied there, with a sync.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn many_share_a_sync_and_nobody_returns_before_one_that_began_after_them() {
        let log = Log::of(Path::new("unused"));
        let (syncs, begun) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
        let waiting = (0..64).map(|_| {
            let (log, syncs, begun) = (log.clone(), syncs.clone(), begun.clone());
            tokio::spawn(async move {
                // What stands when this commit asks: only a sync that begins later may serve it.
                let before = begun.load(Ordering::SeqCst);
                let begins = begun.clone();
                log.settle_by(move || {
                    begins.fetch_add(1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(5));
                    syncs.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                })
                .await
                .unwrap();
                assert!(begun.load(Ordering::SeqCst) > before);
            })
        });
        for task in waiting.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert!((1..32).contains(&syncs.load(Ordering::SeqCst)), "{syncs:?}");
    }

    #[tokio::test]
    async fn after_a_failed_sync_nothing_is_promised() {
        let log = Log::of(Path::new("unused"));
        log.settle_by(|| Ok(())).await.unwrap();
        log.settle_by(|| Err(io::Error::other("no space"))).await.unwrap_err();
        log.settle_by(|| Ok(())).await.unwrap_err();
    }

    #[tokio::test]
    async fn a_sync_whose_caller_went_away_still_counts_as_failed() {
        let log = Log::of(Path::new("unused"));
        let slow = log.settle_by(|| {
            std::thread::sleep(Duration::from_millis(50));
            Err(io::Error::other("broken disk"))
        });
        tokio::time::timeout(Duration::from_millis(5), slow).await.unwrap_err();
        tokio::time::sleep(Duration::from_millis(200)).await;
        log.settle_by(|| Ok(())).await.unwrap_err();
    }
}
