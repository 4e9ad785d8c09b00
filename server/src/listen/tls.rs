//! Certificates: read from files or made by ourselves, and read again when they change. `command` makes them, the listener uses them.

use std::{
    fmt, fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, bail};
use chrono::{Datelike as _, Days, NaiveDate, Utc};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// How often files are looked at for changes, besides SIGHUP.
const LOOK: Duration = Duration::from_secs(30);
/// Validity of a certificate of our own making: what browsers accept at most (398 days).
const VALID_DAYS: u64 = 397;
/// It is made anew at a start when it is older than this.
const RENEW_AFTER: Duration = Duration::from_secs(300 * 24 * 3600);

/// Where they are kept, in the data directory.
const DIRECTORY: &str = "tls";

/// The certificate of our own making, once there is one.
pub(crate) fn self_signed_certificate(data: &Path) -> PathBuf {
    data.join(DIRECTORY).join("certificate.pem")
}

/// The listener's certificate.
pub struct Certificates {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    certificate: PathBuf,
    key: PathBuf,
    changed: RwLock<Option<(SystemTime, SystemTime)>>,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("certificate", &self.certificate).field("key", &self.key).finish_non_exhaustive()
    }
}

/// Hands out what was loaded last.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Certificates {
    /// Reads a chain and its key in PEM.
    ///
    /// # Errors
    /// A file cannot be read, holds nothing of use, or the two do not belong together.
    pub fn from_files(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        let current = Arc::new(Current(RwLock::new(Arc::new(load(certificate, key)?))));
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            current,
            changed: RwLock::new(times(certificate, key)),
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        })
    }

    /// A certificate of our own making for `localhost`, the loopback addresses and `external_host`, kept in `<data>/tls`.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn self_signed(data: &Path, external_host: Option<&str>) -> anyhow::Result<Self> {
        let directory = data.join(DIRECTORY);
        let (certificate, key) = (self_signed_certificate(data), directory.join("key.pem"));
        let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        if let Some(host) = external_host.map(|host| host.trim_matches(['[', ']']).to_owned()).filter(|host| !names.contains(host)) {
            names.push(host);
        }
        // Text before the PEM block is allowed (RFC 7468 section 2), so the file itself says what it is for.
        let first_line = format!("Made by Berth for {}", names.join(", "));
        let fits = fs::read_to_string(&certificate).is_ok_and(|pem| pem.lines().next() == Some(first_line.as_str()));
        let young = fs::metadata(&certificate).and_then(|m| m.modified()).is_ok_and(|at| at.elapsed().is_ok_and(|age| age < RENEW_AFTER));
        if !(fits && young) || load(&certificate, &key).is_err() {
            let (chain, secret) = make(names)?;
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&directory)
                .with_context(|| format!("{} cannot be made", directory.display()))?;
            write_owner_only(&key, &secret)?;
            write_owner_only(&certificate, &format!("{first_line}\n{chain}"))?;
        }
        Self::from_files(&certificate, &key)
    }

    /// The certificate's file, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.certificate
    }

    /// Reads the files again. Connections that exist keep what they began with.
    ///
    /// # Errors
    /// As [`Certificates::from_files`]; the former certificate stays in use.
    pub fn reload(&self) -> anyhow::Result<()> {
        let seen = times(&self.certificate, &self.key);
        let loaded = load(&self.certificate, &self.key)?;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
        *self.changed.write().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(())
    }

    /// Reloads on SIGHUP and when a file changes, until `stop`.
    pub async fn keep_fresh(&self, stop: CancellationToken) {
        let Ok(mut hangup) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) else {
            return;
        };
        loop {
            let asked = tokio::select! {
                () = stop.cancelled() => return,
                _ = hangup.recv() => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            if !asked && *self.changed.read().unwrap_or_else(PoisonError::into_inner) == times(&self.certificate, &self.key) {
                continue;
            }
            match self.reload() {
                Ok(()) => {
                    tracing::info!(certificate = %self.certificate.display(), "the certificate was read again")
                }
                // Half-written pairs are normal while a tool replaces them; the next look comes soon.
                Err(error) => tracing::warn!("the certificate could not be read again, the former one stays in use: {error:#}"),
            }
        }
    }

    pub(super) fn accept<I>(&self, stream: I) -> tokio_rustls::Accept<I>
    where
        I: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor.accept(stream)
    }
}

fn provider() -> Arc<CryptoProvider> {
    CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}

fn times(certificate: &Path, key: &Path) -> Option<(SystemTime, SystemTime)> {
    let time = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
    Some((time(certificate)?, time(key)?))
}

fn load(certificate: &Path, key: &Path) -> anyhow::Result<CertifiedKey> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("{} cannot be read as a certificate in PEM", certificate.display()))?;
    if chain.is_empty() {
        bail!("{} holds no certificate", certificate.display());
    }
    let private = PrivateKeyDer::from_pem_file(key).with_context(|| format!("{} cannot be read as a private key in PEM", key.display()))?;
    CertifiedKey::from_der(chain, private, &provider())
        .with_context(|| format!("{} and {} do not belong together or are of no use", certificate.display(), key.display()))
}

/// A self-signed certificate and its key, in PEM.
fn make(names: Vec<String>) -> anyhow::Result<(String, String)> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, "Berth, self-signed");
    params.distinguished_name = subject;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let today = Utc::now().date_naive();
    // From yesterday on, for clocks that are behind.
    let day = |date: Option<NaiveDate>| {
        let date = date.unwrap_or(today);
        rcgen::date_time_ymd(date.year(), u8::try_from(date.month()).unwrap_or(1), u8::try_from(date.day()).unwrap_or(1))
    };
    params.not_before = day(today.checked_sub_days(Days::new(1)));
    params.not_after = day(today.checked_add_days(Days::new(VALID_DAYS)));
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

fn write_owner_only(path: &Path, text: &str) -> anyhow::Result<()> {
    let fresh = path.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}
