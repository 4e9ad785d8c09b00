//! Request bodies: those that stall fail, those that a handler did not read to the end are dealt with. Used by `connection` alone.
//!
//! A handler may answer before it has read the body (401 on an upload). hyper would then close the connection, and bytes that arrive at a
//! closed socket make the kernel send a reset, which can destroy the answer before the client has read it. A small rest is therefore
//! read here, so that the connection is kept; a large one is announced by `Connection: close` and taken off the wire by `linger`.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

/// A rest of up to this size is read, to keep the connection.
const SMALL: u64 = 256 << 10;
/// The time in which it must arrive.
const SMALL_TIME: Duration = Duration::from_millis(500);

/// Why a body cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The client sent nothing for too long.
    #[error("the request body stalled")]
    Stalled,
    /// The connection broke, or the framing is wrong.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
}

/// Where a body returns to when its handler lets go of it.
#[derive(Default)]
struct Slot {
    returned: Mutex<Option<Incoming>>,
    polled: AtomicBool,
    ended: AtomicBool,
}

/// What is left of a body after the handler.
pub(super) struct Rest(Arc<Slot>);

/// A body on its way through a handler.
pub(super) struct Watched {
    inner: Option<Incoming>,
    slot: Arc<Slot>,
    stall: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl Watched {
    pub(super) fn new(inner: Incoming, stall: Duration) -> (Self, Rest) {
        let slot = Arc::new(Slot::default());
        (Self { inner: Some(inner), slot: Arc::clone(&slot), stall, timer: None, waiting: false }, Rest(slot))
    }

    /// Runs the timer from the moment in which there was nothing to read.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = Instant::now() + self.stall;
        let timer = match &mut self.timer {
            Some(timer) => {
                if !self.waiting {
                    timer.as_mut().reset(deadline);
                }
                timer
            }
            None => self.timer.insert(Box::pin(sleep_until(deadline))),
        };
        self.waiting = true;
        timer.as_mut().poll(cx)
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(None);
        };
        this.slot.polled.store(true, Ordering::Relaxed);
        match Pin::new(inner).poll_frame(cx) {
            Poll::Ready(frame) => {
                this.waiting = false;
                if frame.is_none() {
                    this.slot.ended.store(true, Ordering::Relaxed);
                }
                Poll::Ready(frame.map(|f| f.map_err(BodyError::Broken)))
            }
            Poll::Pending => {
                ready!(this.poll_stalled(cx));
                this.waiting = false;
                Poll::Ready(Some(Err(BodyError::Stalled)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        *self.slot.returned.lock().unwrap_or_else(PoisonError::into_inner) = self.inner.take();
    }
}

/// What became of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// It is off the wire.
    Read,
    /// More of it may arrive.
    Unread,
}

/// Reads a small rest. `expects`: the client waits for `100 Continue`, which reading would send; it was not invited, so it is not read.
pub(super) async fn settle(rest: Rest, expects: bool) -> Settled {
    let slot = &rest.0;
    if slot.ended.load(Ordering::Relaxed) {
        return Settled::Read;
    }
    // Nothing came back: a task of the handler's holds it still.
    let Some(mut body) = slot.returned.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return Settled::Unread;
    };
    if body.is_end_stream() {
        return Settled::Read;
    }
    if body.size_hint().lower() > SMALL || (expects && !slot.polled.load(Ordering::Relaxed)) {
        return Settled::Unread;
    }
    let mut left = SMALL;
    let reading = async {
        while let Some(frame) = body.frame().await {
            let length = frame.ok()?.data_ref().map_or(0, Bytes::len);
            left = left.checked_sub(u64::try_from(length).ok()?)?;
        }
        Some(())
    };
    match timeout(SMALL_TIME, reading).await {
        Ok(Some(())) => Settled::Read,
        _ => Settled::Unread,
    }
}
