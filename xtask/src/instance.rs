//! A server under test: started on a free port with its own data, killed, restarted and stopped.
//! Journeys get one per engine and transport; the kill journey takes one down many times.

use crate::certs::Certs;
use crate::http::Client;
use crate::process::{self, Service, free_port};
use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The administrator's name.
pub const ADMIN: &str = "admin";
/// The administrator's password on every server under test.
pub const PASSWORD: &str = "Journey-Pass-1";

/// A running `berth serve`.
pub struct Instance {
    service: Service,
    binary: PathBuf,
    database: Option<String>,
    tls: Option<(PathBuf, PathBuf, PathBuf)>,
    port: u16,
    folder: TempDir,
}

impl Instance {
    /// Starts a server on SQLite, or on the PostgreSQL database of this URL, with or without TLS.
    pub fn start(binary: &Path, database: Option<String>, certs: Option<&Certs>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("berth-e2e-").tempdir()?;
        let port = free_port()?;
        let tls = certs.map(|certs| (certs.certificate.clone(), certs.key.clone(), certs.ca.clone()));
        let service = launch(binary, database.as_deref(), tls.as_ref(), port, folder.path())?;
        let mut instance = Self { service, binary: binary.to_owned(), database, tls, port, folder };
        instance.wait_ready()?;
        Ok(instance)
    }

    /// `127.0.0.1:<port>`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The server's base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.address())
    }

    /// Ends the server at once, as a power cut would, and starts it again on the same data and port.
    pub fn kill_and_restart(&mut self, pause: Duration) -> Result<()> {
        self.service.kill();
        std::thread::sleep(pause);
        self.service = launch(&self.binary, self.database.as_deref(), self.tls.as_ref(), self.port, self.folder.path())?;
        self.wait_ready()
    }

    /// Makes a private project.
    pub fn create_project(&self, name: &str) -> Result<()> {
        let body = format!(r#"{{"project_name":"{name}","metadata":{{"public":"false"}}}}"#);
        let mut curl = self.curl();
        curl.args(["-X", "POST", "-H", "Content-Type: application/json", "-d", &body, "-w", "%{http_code}"]);
        let answer = process::check(curl.arg(format!("{}/api/v2.0/projects", self.url())))?;
        if !answer.ends_with("201") {
            bail!("creating project {name} answered {answer}");
        }
        Ok(())
    }

    /// Stops the server in good order; an error when it did not end by itself with exit code 0.
    pub fn stop(mut self) -> Result<()> {
        if !self.service.alive() {
            bail!("the server ended before it was asked to:\n{}", self.service.log_end());
        }
        if !self.service.stop() {
            bail!("the server did not stop in good order:\n{}", self.service.log_end());
        }
        Ok(())
    }

    /// The end of the server's log.
    pub fn log_end(&self) -> String {
        self.service.log_end()
    }

    /// A curl that signs in as administrator and trusts the test authority.
    fn curl(&self) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--max-time", "20", "-u", &format!("{ADMIN}:{PASSWORD}")]);
        if let Some((_, _, ca)) = &self.tls {
            curl.arg("--cacert").arg(ca);
        }
        curl
    }

    fn wait_ready(&mut self) -> Result<()> {
        let address = self.address();
        let question = self.tls.as_ref().map(|(_, _, ca)| (ca.clone(), format!("{}/api/v2.0/ping", self.url())));
        let ready = || match &question {
            None => Client::new(&address, None).send("GET", "/api/v2.0/ping", &[], b"").is_ok_and(|reply| reply.status == 200),
            Some((ca, url)) => process::check(Command::new("curl").args(["-sf", "--max-time", "5", "--cacert"]).arg(ca).arg(url)).is_ok(),
        };
        self.service.wait_ready(Duration::from_secs(60), ready).context("berth serve")
    }
}

fn launch(binary: &Path, database: Option<&str>, tls: Option<&(PathBuf, PathBuf, PathBuf)>, port: u16, folder: &Path) -> Result<Service> {
    let mut command = Command::new(binary);
    command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data"]).arg(folder.join("data"));
    if let Some(url) = database {
        command.args(["--database-url", url]);
    }
    if let Some((certificate, key, _)) = tls {
        command.arg("--tls-certificate").arg(certificate).arg("--tls-key").arg(key);
    }
    // Settings of the person who runs the tests must not reach the server under test.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BERTH_")) {
        command.env_remove(name);
    }
    command.env("BERTH_ADMIN_PASSWORD", PASSWORD).current_dir(folder);
    Service::start(&mut command, &folder.join("log"), Signal::TERM)
}
