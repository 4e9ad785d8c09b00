//! One writer at a time for each upload of this process, in the order in which they came. `upload` takes turns; between processes the storage's own lock
//! decides.
//!
//! A client whose connection died without a word comes back and wants to go on, while its old request still waits for bytes. So a writer that has heard
//! nothing for a while gives way to one that waits: what it received stays.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt as _, Stream, StreamExt as _, stream};
use tokio::sync::{OwnedMutexGuard, oneshot};
use tokio::time::{Instant, timeout};

/// A writer that has heard nothing for this long gives way.
const SILENCE: Duration = Duration::from_secs(5);
/// How often somebody who waits looks whether the writer is still heard of.
const LOOK: Duration = Duration::from_millis(500);
/// Nobody waits longer: the writer is busy, and the client is to ask again.
const PATIENCE: Duration = Duration::from_secs(15);
/// Names that are kept before those that nobody uses are looked for.
const MANY: usize = 1024;

/// The uploads that somebody writes to.
#[derive(Debug, Default)]
pub struct Turns {
    all: Mutex<HashMap<String, Weak<Turn>>>,
}

#[derive(Debug)]
struct Turn {
    lock: Arc<tokio::sync::Mutex<()>>,
    writer: Mutex<Heard>,
}

/// When the writer was heard of last, and how it is told to give way.
#[derive(Debug)]
struct Heard {
    last: Instant,
    give_way: Option<oneshot::Sender<()>>,
}

/// The right to write to an upload.
#[derive(Debug)]
pub struct Writer {
    turn: Arc<Turn>,
    told: Option<oneshot::Receiver<()>>,
    _guard: OwnedMutexGuard<()>,
}

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub enum Interrupted<E: Display> {
    /// Something with the body itself.
    #[error("{0}")]
    Body(E),
    /// Another request goes on with the upload.
    #[error("another request goes on with this upload")]
    GaveWay,
}

impl Turns {
    fn of(&self, upload: &str) -> Arc<Turn> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > MANY {
            all.retain(|_, turn| turn.strong_count() > 0);
        }
        let known = all.get(upload).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let writer = Mutex::new(Heard { last: Instant::now(), give_way: None });
            let turn = Arc::new(Turn { lock: Arc::default(), writer });
            all.insert(upload.to_owned(), Arc::downgrade(&turn));
            turn
        })
    }

    /// The right to write to the upload; none while another request does, and is heard of.
    pub(super) async fn take(&self, upload: &str) -> Option<Writer> {
        let turn = self.of(upload);
        let waiting = turn.lock.clone().lock_owned();
        tokio::pin!(waiting);
        let begun = Instant::now();
        loop {
            if let Ok(guard) = timeout(LOOK, &mut waiting).await {
                let (give_way, told) = oneshot::channel();
                *turn.heard() = Heard { last: Instant::now(), give_way: Some(give_way) };
                return Some(Writer { turn, told: Some(told), _guard: guard });
            }
            let mut writer = turn.heard();
            if writer.last.elapsed() >= SILENCE
                && let Some(give_way) = writer.give_way.take()
            {
                // It may be about to end by itself.
                let _ = give_way.send(());
            } else if begun.elapsed() >= PATIENCE {
                return None;
            }
        }
    }
}

impl Turn {
    fn heard(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    /// The body, which ends with an error when the writer has to give way. To be called once.
    pub(super) fn hear<S, E>(&mut self, mut body: S) -> impl Stream<Item = Result<Bytes, Interrupted<E>>> + Send + Unpin + use<S, E>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Display,
    {
        let (turn, mut told) = (self.turn.clone(), self.told.take());
        stream::poll_fn(move |cx| {
            if let Poll::Ready(item) = body.poll_next_unpin(cx) {
                turn.heard().last = Instant::now();
                return Poll::Ready(item.map(|piece| piece.map_err(Interrupted::Body)));
            }
            match told.as_mut().map(|told| told.poll_unpin(cx)) {
                Some(Poll::Ready(outcome)) => {
                    told = None;
                    if outcome.is_ok() { Poll::Ready(Some(Err(Interrupted::GaveWay))) } else { Poll::Pending }
                }
                _ => Poll::Pending,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_writer_that_is_silent_gives_way_to_the_next() {
        let turns = Arc::new(Turns::default());
        let mut first = turns.take("u").await.unwrap();
        let mut body = first.hear(stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"a"))]).chain(stream::pending()));
        assert!(matches!(body.next().await, Some(Ok(_))));
        let waiting = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take("u").await.is_some() }
        });
        let begun = Instant::now();
        assert!(matches!(body.next().await, Some(Err(Interrupted::GaveWay))));
        assert!(begun.elapsed() >= SILENCE && begun.elapsed() < SILENCE + 2 * LOOK, "{:?}", begun.elapsed());
        assert!(!waiting.is_finished(), "it has not let go yet");
        drop((first, body));
        assert!(waiting.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_writer_that_is_heard_of_is_not_interrupted() {
        let turns = Arc::new(Turns::default());
        let mut first = turns.take("u").await.unwrap();
        let ticks = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b"a")), ()))
        });
        let mut body = first.hear(Box::pin(ticks));
        let writing = tokio::spawn(async move {
            for _ in 0..10 {
                assert!(body.next().await.unwrap().is_ok());
            }
        });
        assert!(turns.take("u").await.is_none());
        assert!(turns.take("v").await.is_some(), "another upload");
        writing.await.unwrap();
        drop(first);
        assert!(turns.take("u").await.is_some());
    }
}
