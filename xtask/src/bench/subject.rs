//! A server that is measured: how it is started, how one signs in to it, what it costs.
//! Berth runs with authentication on; the peer runs without, which is its best case.

use crate::http::{Client, basic};
use crate::instance::{ADMIN, PASSWORD};
use crate::process::{Service, free_port};
use crate::token;
use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The project and repository that is measured.
pub const REPOSITORY: &str = "bench/r";

/// A server and how to run it.
pub struct Subject {
    /// Its name in the table.
    pub name: String,
    /// `127.0.0.1:<port>`.
    pub address: String,
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    signs_in: bool,
    service: Option<Service>,
}

impl Subject {
    /// Berth on SQLite or on a given PostgreSQL database.
    pub fn berth(program: PathBuf, database: Option<String>, folder: &Path) -> Result<Self> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let data = folder.join("berth").to_string_lossy().into_owned();
        let mut arguments: Vec<String> = ["serve", "--listen", &address, "--data", &data].map(str::to_owned).into();
        if let Some(url) = database {
            arguments.extend(["--database-url".to_owned(), url]);
        }
        Ok(Self { name: "berth".to_owned(), address, program, arguments, log: folder.join("berth.log"), signs_in: true, service: None })
    }

    /// Debian's docker-registry with files, deletes on and its in-memory cache.
    pub fn peer(program: PathBuf, folder: &Path) -> Result<Self> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let (config, data) = (folder.join("peer.yml"), folder.join("peer"));
        fs::write(
            &config,
            format!(
                "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage:\n  filesystem: {{rootdirectory: {}, maxthreads: 100}}\n  \
                 delete: {{enabled: true}}\n  cache: {{blobdescriptor: inmemory}}\nhttp: {{addr: \"{address}\", secret: bench}}\n",
                data.display()
            ),
        )?;
        let arguments = vec!["serve".to_owned(), config.to_string_lossy().into_owned()];
        Ok(Self {
            name: "docker-registry".to_owned(),
            address,
            program,
            arguments,
            log: folder.join("peer.log"),
            signs_in: false,
            service: None,
        })
    }

    /// Starts it and gives the milliseconds to its first answer.
    pub fn start(&mut self) -> Result<f64> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env("BERTH_ADMIN_PASSWORD", PASSWORD).env("OTEL_TRACES_EXPORTER", "none");
        let begun = Instant::now();
        let mut service = Service::start(&mut command, &self.log, Signal::TERM)?;
        loop {
            if Client::new(&self.address, None).send("GET", "/v2/", &[], b"").is_ok() {
                break;
            }
            ensure!(service.alive() && begun.elapsed() < Duration::from_secs(60), "it does not start:\n{}", service.log_end());
            std::thread::sleep(Duration::from_millis(1));
        }
        let took = begun.elapsed().as_secs_f64() * 1000.0;
        self.service = Some(service);
        Ok(took)
    }

    /// Stops it.
    pub fn stop(&mut self) {
        if let Some(mut service) = self.service.take() {
            service.stop();
        }
    }

    /// Makes the project, where there are projects.
    pub fn prepare(&self) -> Result<()> {
        if !self.signs_in {
            return Ok(());
        }
        let body = br#"{"project_name":"bench","metadata":{"public":"false"}}"#;
        let mut client = Client::new(&self.address, self.basic());
        let reply = client.send("POST", "/api/v2.0/projects", &[("Content-Type", "application/json")], body)?;
        ensure!(matches!(reply.status, 201 | 409), "creating the project answered {}", reply.status);
        Ok(())
    }

    /// The administrator's credentials as an `Authorization` header value, where they are asked for.
    pub fn basic(&self) -> Option<String> {
        self.signs_in.then(|| basic(ADMIN, PASSWORD))
    }

    /// `user:password` for skopeo, where it is asked for.
    pub fn credentials(&self) -> Option<String> {
        self.signs_in.then(|| format!("{ADMIN}:{PASSWORD}"))
    }

    /// A fresh `Authorization` value for the measured repository.
    pub fn authorization(&self, actions: &str) -> Result<Option<String>> {
        token::authorization(&self.address, self.basic(), REPOSITORY, actions)
    }

    /// Resident memory in MiB: now, or at its highest.
    pub fn memory(&self, peak: bool) -> Result<f64> {
        let id = self.service.as_ref().context("it does not run")?.id();
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        let name = if peak { "VmHWM:" } else { "VmRSS:" };
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no memory figure")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024.0)
    }
}
