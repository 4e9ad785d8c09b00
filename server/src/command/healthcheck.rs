//! `berth healthcheck`: asks the server of this configuration for `/api/v2.0/ping`. For container health checks, which have no other client at hand.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::config::{Config, Tls};

const TIME: Duration = Duration::from_secs(5);
/// The answer is a dozen headers and `Pong`.
const ANSWER_LIMIT: u64 = 16 << 10;

pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    ping(&config).await?;
    println!("healthy");
    Ok(ExitCode::SUCCESS)
}

/// Succeeds when the configured address answers as Berth does.
pub(super) async fn ping(config: &Config) -> anyhow::Result<()> {
    let addr = reachable(config.listen);
    let asking = async {
        let stream = TcpStream::connect(addr).await.with_context(|| format!("nothing answers at {addr}"))?;
        if config.tls == Tls::Off {
            ask(stream, addr).await
        } else {
            let connector = TlsConnector::from(Arc::new(client()?));
            ask(connector.connect(ServerName::from(addr.ip()), stream).await.context("no TLS connection came about")?, addr).await
        }
    };
    tokio::time::timeout(TIME, asking).await.with_context(|| format!("{addr} did not answer in time"))?
}

/// A server that listens everywhere is asked on the loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, addr: SocketAddr) -> anyhow::Result<()> {
    let request = format!("GET /api/v2.0/ping HTTP/1.1\r\nHost: {addr}\r\nUser-Agent: berth-healthcheck\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_LIMIT).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    match answer.lines().next() {
        Some(line) if line.starts_with("HTTP/1.1 200") => Ok(()),
        Some(line) => bail!("{addr} answers `{}`", line.escape_debug()),
        None => bail!("{addr} answers nothing"),
    }
}

/// A client that takes any certificate: it speaks to this machine's own server, whose name a certificate for the outside does not have.
fn client() -> anyhow::Result<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(AnyCertificate(Arc::clone(&provider)));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
