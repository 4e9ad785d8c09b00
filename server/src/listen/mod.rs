//! The listener: accepts connections, speaks HTTP/1.1 and HTTP/2 over plain TCP or TLS, and ends without losing what is in flight.
//! `command::serve` and tests call it; doors see only what it leaves in a request (`PeerInfo`, `RequestId`).

mod body;
mod connection;
mod edge;
mod linger;
pub mod tls;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use edge::Edge;
pub use tls::Certificates;

use crate::{config::Config, doors::Doors, security::PeerInfo};
use connection::Serving;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: u32 = 4096;
/// After a failed `accept` (out of descriptors, mostly) others get time to end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// After the end of the grace time, for connection tasks to notice.
const ABORT_TIME: Duration = Duration::from_secs(1);

/// What the listener allows.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections at the same time.
    pub connections: usize,
    /// Target and headers of a request together, in bytes.
    pub request_headers: usize,
    /// Time for TLS and the first request's head, after a connection was accepted.
    pub first_head: Duration,
    /// Time that a kept connection may be idle. Longer than what clients and load balancers keep theirs, so that they close first.
    pub idle: Duration,
    /// Time in which nothing of a body arrives, after which the request has failed.
    pub body_stall: Duration,
    /// Time for requests in flight when the server stops.
    pub grace: Duration,
}

impl Options {
    /// From the configuration.
    #[must_use]
    pub fn from_config(config: &Config) -> Self {
        Self {
            connections: config.limits.connections,
            request_headers: config.limits.request_headers,
            grace: config.shutdown_grace,
            ..Self::default()
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 8192,
            request_headers: 64 << 10,
            first_head: Duration::from_secs(30),
            idle: Duration::from_secs(150),
            body_stall: Duration::from_secs(60),
            grace: Duration::from_secs(30),
        }
    }
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every request in flight was answered.
    Completely,
    /// The grace time was over before; connections were cut.
    Cut,
}

/// When to stop.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Stop accepting, let requests in flight end.
    pub graceful: CancellationToken,
    /// End the grace time now.
    pub now: CancellationToken,
}

/// A bound socket, with TLS or without.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    tls: Option<Arc<Certificates>>,
    options: Options,
}

impl Listener {
    /// Binds the address.
    ///
    /// # Errors
    /// The address is taken, not this machine's, or not allowed.
    pub fn bind(addr: SocketAddr, tls: Option<Arc<Certificates>>, options: Options) -> io::Result<Self> {
        let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A restart must not wait for connections of the former process.
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        Ok(Self { socket: socket.listen(BACKLOG)?, tls, options })
    }

    /// The bound address; the port is the real one where 0 was asked for.
    ///
    /// # Errors
    /// The socket is broken.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `stop`, then gives requests in flight the grace time.
    pub async fn serve(self, doors: impl Into<Doors>, stop: Stop) -> Ended {
        let Self { socket, tls, options } = self;
        let grace = options.grace;
        let places = Arc::new(Semaphore::new(options.connections));
        let cut = CancellationToken::new();
        let tasks = TaskTracker::new();
        let serving = Arc::new(Serving::new(doors.into(), tls, options, stop.graceful.clone(), cut.clone()));
        loop {
            let (place, accepted) = tokio::select! {
                biased;
                () = stop.graceful.cancelled() => break,
                next = next_connection(&socket, &places) => next,
            };
            match accepted {
                Ok((stream, addr)) => {
                    prepare(&stream);
                    let serving = Arc::clone(&serving);
                    tasks.spawn(async move {
                        serving.connection(stream, PeerInfo { addr, tls: serving.is_tls() }).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(socket);
        tasks.close();
        let ended = tokio::select! {
            () = tasks.wait() => Ended::Completely,
            () = tokio::time::sleep(grace) => Ended::Cut,
            () = stop.now.cancelled() => Ended::Cut,
        };
        cut.cancel();
        // Cut connections end at their next step; nothing of theirs may run while databases close.
        let _ = tokio::time::timeout(ABORT_TIME, tasks.wait()).await;
        ended
    }
}

/// The next connection, once there is a place for it.
async fn next_connection(
    socket: &TcpListener,
    places: &Arc<Semaphore>,
) -> (Option<tokio::sync::OwnedSemaphorePermit>, io::Result<(TcpStream, SocketAddr)>) {
    let place = Arc::clone(places).acquire_owned().await.ok();
    (place, socket.accept().await)
}

/// Answers leave at once, and peers that vanished without a word are noticed.
fn prepare(stream: &TcpStream) {
    const PROBE: Duration = Duration::from_secs(60);
    const UNACKNOWLEDGED: Duration = Duration::from_secs(120);
    let _ = stream.set_nodelay(true);
    let socket = socket2::SockRef::from(stream);
    let _ = socket.set_tcp_keepalive(&socket2::TcpKeepalive::new().with_time(PROBE).with_interval(PROBE / 4));
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
}
