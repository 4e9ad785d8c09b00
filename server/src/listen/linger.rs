//! A socket that, closed with a request body still on its way, says its last word and then takes the rest off the wire, so that the client
//! can read the answer (RFC 9112 section 9.6). Used by `connection` alone; TLS is above it, so nothing is decrypted in vain.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

use super::connection::State;

/// Longest time, longest silence and largest amount that a closing connection is given.
const WHOLE_TIME: Duration = Duration::from_secs(30);
const SILENCE: Duration = Duration::from_secs(5);
const AMOUNT: u64 = 8 << 30;
const STEP: usize = 256 << 10;

/// The socket of one connection.
pub(super) struct Linger {
    stream: TcpStream,
    state: Arc<State>,
    closing: Closing,
}

enum Closing {
    No,
    Reading { buffer: Box<[u8]>, read: u64, end: Instant, silence: Pin<Box<Sleep>> },
    Done,
}

impl Linger {
    pub(super) fn new(stream: TcpStream, state: Arc<State>) -> Self {
        Self { stream, state, closing: Closing::No }
    }
}

impl AsyncRead for Linger {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Linger {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match &mut this.closing {
                Closing::No => {
                    ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
                    this.closing = if this.state.unread.load(Ordering::Relaxed) {
                        let now = Instant::now();
                        let silence = Box::pin(sleep_until(now + SILENCE));
                        Closing::Reading { buffer: vec![0; STEP].into_boxed_slice(), read: 0, end: now + WHOLE_TIME, silence }
                    } else {
                        Closing::Done
                    };
                }
                Closing::Reading { buffer, read, end, silence } => {
                    let mut target = ReadBuf::new(buffer);
                    let done = match Pin::new(&mut this.stream).poll_read(cx, &mut target) {
                        Poll::Ready(Ok(())) => {
                            let now = Instant::now();
                            let length = target.filled().len();
                            *read += u64::try_from(length).unwrap_or(u64::MAX);
                            silence.as_mut().reset((now + SILENCE).min(*end));
                            length == 0 || *read > AMOUNT || now >= *end
                        }
                        // The client has closed: nobody is left to read the answer.
                        Poll::Ready(Err(_)) => true,
                        Poll::Pending => {
                            ready!(silence.as_mut().poll(cx));
                            true
                        }
                    };
                    if done {
                        this.closing = Closing::Done;
                    }
                }
                Closing::Done => return Poll::Ready(Ok(())),
            }
        }
    }
}
