//! A listener with a few plain handlers, and a client that controls every byte. For tests of the listener and of certificates.

mod certificates;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{Request, StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use berth::{
    listen::{Certificates, Ended, Listener, Options, Stop},
    log::RequestId,
    security::{ClientFacts, Origins},
};
use http_body_util::BodyExt as _;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};

/// A running listener.
pub struct Server {
    pub addr: SocketAddr,
    pub stop: Stop,
    pub certificates: Option<Arc<Certificates>>,
    task: JoinHandle<Ended>,
    tls: bool,
    _data: tempfile::TempDir,
}

impl Server {
    pub fn plain(options: Options) -> Self {
        Self::start(options, &[], false)
    }

    pub fn tls(options: Options) -> Self {
        Self::start(options, &[], true)
    }

    pub fn trusting(networks: &[&str]) -> Self {
        Self::start(Options::default(), networks, false)
    }

    fn start(options: Options, trusted: &[&str], tls: bool) -> Self {
        let data = tempfile::tempdir().unwrap();
        let certificates = tls.then(|| Arc::new(Certificates::self_signed(data.path(), Some("registry.example.com")).unwrap()));
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), certificates.clone(), options).unwrap();
        let addr = listener.local_addr().unwrap();
        let stop = Stop::default();
        let origins = Origins::new(trusted.iter().map(|n| n.parse().unwrap()).collect(), None, addr);
        let task = tokio::spawn(listener.serve(doors(origins), stop.clone()));
        Self { addr, stop, certificates, task, tls, _data: data }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.tls { "https" } else { "http" }, self.addr)
    }

    pub async fn ended(self) -> Ended {
        tokio::time::timeout(Duration::from_secs(20), self.task).await.unwrap().unwrap()
    }
}

fn doors(origins: Origins) -> Router {
    Router::new()
        .route("/hello", get(|| async { format!("hello {}", RequestId::at_hand().unwrap()) }))
        .route("/count", post(count))
        .route("/refuse", any(|| async { (StatusCode::UNAUTHORIZED, "refused") }))
        .route("/zeros/{length}", get(|Path(length): Path<usize>| async move { Body::from(Bytes::from(vec![0; length])) }))
        .route("/peer", get(peer))
        .route("/panic", get(panics))
        .route("/v2/panic", get(panics))
        .route_service("/v2/early-panic", tower::service_fn(panics_early))
        .with_state(origins)
}

async fn count(body: Body) -> Response {
    let (mut body, mut length) = (body, 0);
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => length += frame.data_ref().map_or(0, Bytes::len),
            Err(error) => {
                let source = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                return (StatusCode::BAD_REQUEST, source).into_response();
            }
        }
    }
    length.to_string().into_response()
}

async fn peer(State(origins): State<Origins>, parts: Parts) -> String {
    let ClientFacts { ip, scheme, host } = origins.facts(&parts.extensions, &parts.uri, &parts.headers);
    format!("{ip} {scheme} {host}")
}

async fn panics() -> &'static str {
    panic!("on purpose")
}

/// Panics before there is a future.
fn panics_early(request: Request<Body>) -> std::future::Ready<Result<Response, std::convert::Infallible>> {
    assert!(request.uri().path().is_empty(), "on purpose");
    std::future::ready(Ok(().into_response()))
}

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A connection without a client library.
pub struct Raw {
    stream: Box<dyn Io>,
}

impl Raw {
    pub async fn connect(server: &Server) -> Self {
        Self { stream: Box::new(TcpStream::connect(server.addr).await.unwrap()) }
    }

    /// Trusts exactly the server's certificate, and speaks HTTP/1.1.
    pub async fn connect_tls(server: &Server) -> Self {
        let connector = tokio_rustls::TlsConnector::from(Arc::new(trusting(server.certificates.as_ref().unwrap().path())));
        let stream = TcpStream::connect(server.addr).await.unwrap();
        let name = rustls_pki_types::ServerName::try_from("localhost").unwrap();
        Self { stream: Box::new(connector.connect(name, stream).await.unwrap()) }
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Sends all of a body, reading nothing meanwhile.
    pub async fn upload(&mut self, path: &str, length: usize) {
        self.send(format!("PATCH {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n").as_bytes()).await;
        let block = vec![0; 1 << 20];
        for _ in 0..length / block.len() {
            self.stream.write_all(&block).await.expect("the server takes what it does not want");
        }
        self.stream.flush().await.unwrap();
    }

    /// Up to the empty line, in lower case but for the first line.
    pub async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = tokio::time::timeout(Duration::from_secs(30), self.stream.read_u8()).await.expect("an answer in time");
            head.push(byte.expect("an answer"));
        }
        String::from_utf8(head).unwrap()
    }

    pub async fn body(&mut self, head: &str) -> String {
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.unwrap();
        String::from_utf8(body).unwrap()
    }

    /// Whether the server closes, in good time.
    pub async fn ended(&mut self) -> bool {
        let mut rest = Vec::new();
        tokio::time::timeout(Duration::from_secs(5), self.stream.read_to_end(&mut rest)).await.is_ok() && rest.is_empty()
    }
}

/// A client configuration that trusts one file and nothing else.
pub fn trusting(certificate: &std::path::Path) -> rustls::ClientConfig {
    use rustls_pki_types::{CertificateDer, pem::PemObject as _};
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}
