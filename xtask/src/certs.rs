//! An own certificate authority and a server certificate for loopback, made anew for each run with openssl.
//! The journeys over TLS use them; clients that verify get the authority's certificate.

use crate::process;
use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const NAMES: &str =
    "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost,DNS:berth.test\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n";

/// Where the files are.
pub struct Certs {
    /// A folder with nothing but `ca.crt`, as the container tools' `--cert-dir` wants it.
    pub folder: PathBuf,
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The server's certificate.
    pub certificate: PathBuf,
    /// The server's key.
    pub key: PathBuf,
}

impl Certs {
    /// Makes all of them below `root`.
    pub fn make(root: &Path) -> Result<Self> {
        let folder = root.join("trusted");
        fs::create_dir_all(&folder)?;
        let certs = Self { ca: folder.join("ca.crt"), folder, certificate: root.join("server.crt"), key: root.join("server.key") };
        let path = |name: &str| root.join(name).to_string_lossy().into_owned();
        fs::write(path("names"), NAMES)?;
        openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=berth-test-authority \
             -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign -keyout {} -out {}",
            path("ca.key"),
            certs.ca.display()
        ))?;
        openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout {} -out {}",
            certs.key.display(),
            path("server.csr")
        ))?;
        openssl(&format!(
            "x509 -req -in {} -CA {} -CAkey {} -CAcreateserial -CAserial {} -days 30 -extfile {} -out {}",
            path("server.csr"),
            certs.ca.display(),
            path("ca.key"),
            path("serial"),
            path("names"),
            certs.certificate.display()
        ))?;
        Ok(certs)
    }
}

/// The words are split at blanks: paths are those of temporary folders, which have none.
fn openssl(words: &str) -> Result<()> {
    process::check(Command::new("openssl").args(words.split_whitespace())).map(drop)
}
