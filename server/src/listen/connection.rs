//! One connection from its acceptance to its end. Used by the listener alone.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, Version, header};
use hyper::{body::Incoming, service::Service};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

use super::{Certificates, Edge, Options, body, body::Watched, linger::Linger};
use crate::{doors::Doors, security::PeerInfo};

/// Largest read from a socket: an upload at full speed comes in steps of this size. hyper also bounds a request's head by it, which is why
/// `Edge` bounds heads again.
const READ_SIZE: usize = 512 << 10;
/// What a client may send on one HTTP/2 stream, and on all of a connection, before it must wait for us: at 50 ms to the client, 160 and 320 MB/s.
const STREAM_WINDOW: u32 = 8 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
const FRAME_SIZE: u32 = 1 << 20;
const STREAMS: u32 = 256;
const SEND_BUFFER: usize = 1 << 20;
/// HTTP/2 has no idle time of its own; a ping finds connections whose other end is gone.
const PING: Duration = Duration::from_secs(60);

/// What all connections share.
pub(super) struct Serving {
    edge: Edge,
    tls: Option<Arc<Certificates>>,
    options: Options,
    graceful: CancellationToken,
    cut: CancellationToken,
    builder: Builder<TokioExecutor>,
}

impl Serving {
    pub(super) fn new(
        doors: Doors,
        tls: Option<Arc<Certificates>>,
        options: Options,
        graceful: CancellationToken,
        cut: CancellationToken,
    ) -> Self {
        let builder = protocol(&options);
        Self { edge: Edge::new(doors, options.request_headers), tls, options, graceful, cut, builder }
    }

    pub(super) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Serves one connection to its end.
    pub(super) async fn connection(&self, stream: TcpStream, peer: PeerInfo) {
        let state = Arc::new(State::default());
        let stream = Linger::new(stream, Arc::clone(&state));
        let Some(tls) = &self.tls else {
            return self.serve(stream, peer, state).await;
        };
        let handshake = tokio::time::timeout(self.options.first_head, tls.accept(stream));
        tokio::select! {
            done = handshake => match done {
                Ok(Ok(stream)) => self.serve(stream, peer, state).await,
                Ok(Err(error)) => tracing::debug!(peer = %peer.addr, %error, "no TLS connection came about"),
                Err(_) => tracing::debug!(peer = %peer.addr, "no TLS connection came about in time"),
            },
            () = self.graceful.cancelled() => {}
        }
    }

    async fn serve<I>(&self, stream: I, peer: PeerInfo, state: Arc<State>)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = Requests { edge: self.edge.clone(), peer, state: Arc::clone(&state), body_stall: self.options.body_stall };
        let connection = self.builder.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let mut asked_to_end = false;
        let first_head = tokio::time::sleep(self.options.first_head);
        tokio::pin!(first_head);
        let mut waiting = true;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(peer = %peer.addr, %error, "a connection ended early");
                    }
                    return;
                }
                () = self.cut.cancelled() => return,
                () = self.graceful.cancelled(), if !asked_to_end => {
                    asked_to_end = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = first_head.as_mut(), if waiting => {
                    waiting = false;
                    if !state.spoke.load(Ordering::Relaxed) {
                        return;
                    }
                }
            }
        }
    }
}

/// Both protocols with our bounds. HTTP/1 heads may have a hundred headers, hyper's own bound, for which it needs no memory of the heap; clients send
/// about ten, browsers and proxies up to forty. The idle time is hyper's time for reading a head, which runs from the end of the request before.
fn protocol(options: &Options) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(options.idle).max_buf_size(READ_SIZE);
    builder
        .http2()
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME_SIZE)
        .max_concurrent_streams(STREAMS)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(u32::try_from(options.request_headers).unwrap_or(u32::MAX))
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING / 2);
    builder
}

/// What a connection's parts tell each other.
#[derive(Default)]
pub(super) struct State {
    /// A request was received.
    pub(super) spoke: AtomicBool,
    /// A body was not read to its end: what still arrives is to be taken off the wire before the connection closes.
    pub(super) unread: AtomicBool,
}

/// The requests of one connection.
struct Requests {
    edge: Edge,
    peer: PeerInfo,
    state: Arc<State>,
    body_stall: Duration,
}

impl Service<Request<Incoming>> for Requests {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.state.spoke.store(true, Ordering::Relaxed);
        let edge = self.edge.clone();
        let (mut parts, incoming) = request.into_parts();
        parts.extensions.insert(self.peer);
        if hyper::body::Body::is_end_stream(&incoming) {
            return Box::pin(async move { Ok(edge.answer(Request::from_parts(parts, Body::empty())).await) });
        }
        let expects = parts.headers.contains_key(header::EXPECT);
        let http1 = parts.version < Version::HTTP_2;
        let (watched, rest) = Watched::new(incoming, self.body_stall);
        let state = Arc::clone(&self.state);
        Box::pin(async move {
            let mut answer = edge.answer(Request::from_parts(parts, Body::new(watched))).await;
            // An HTTP/2 stream ends by itself; an HTTP/1 connection is only of use again once the body is off the wire.
            if http1 && body::settle(rest, expects).await == body::Settled::Unread {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                state.unread.store(true, Ordering::Relaxed);
            }
            Ok(answer)
        })
    }
}
