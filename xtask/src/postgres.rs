//! A private PostgreSQL in a temporary folder on a free loopback port, quick and not durable, for one run.
//! The test suite and the kill journey use it; nothing of the machine's own PostgreSQL is touched.

use crate::process::{self, Service, free_port};
use anyhow::{Context as _, Result};
use rustix::process::Signal;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const USER: &str = "postgres";

/// A running PostgreSQL; dropping it stops it and removes its data.
pub struct Postgres {
    // Stopped when dropped, which must come before the folder goes.
    _service: Service,
    programs: PathBuf,
    port: u16,
    _folder: TempDir,
}

impl Postgres {
    /// Makes a cluster and starts it.
    pub fn start() -> Result<Self> {
        let programs = programs().context("PostgreSQL's server programs are not installed")?;
        let folder = tempfile::Builder::new().prefix("berth-pg-").tempdir()?;
        if process::is_root() {
            process::check(Command::new("chown").arg(USER).arg(folder.path()))?;
        }
        let data = folder.path().join("data");
        let mut initdb = as_owner(&programs.join("initdb"));
        initdb.args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"]);
        process::check(initdb.arg(&data))?;

        let port = free_port()?;
        let mut server = as_owner(&programs.join("postgres"));
        server.arg("-D").arg(&data).args(["-p", &port.to_string()]).args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        // SIGINT is PostgreSQL's quick orderly stop; SIGTERM would wait for every client to leave.
        let mut service = Service::start(server.current_dir(folder.path()), &folder.path().join("log"), Signal::INT)?;
        let ready = programs.join("pg_isready");
        service.wait_ready(Duration::from_secs(60), || {
            let mut question = Command::new(&ready);
            question.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
            question.status().is_ok_and(|status| status.success())
        })?;
        Ok(Self { _service: service, programs, port, _folder: folder })
    }

    /// The connection URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database and gives its URL. The name is one of our own and needs no quoting.
    pub fn create_database(&self, name: &str) -> Result<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-d", &self.url("postgres"), "-c", &format!("CREATE DATABASE {name}")]);
        process::check(&mut psql)?;
        Ok(self.url(name))
    }
}

/// Speed before durability, and connections for many test processes at once.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=400",
    "shared_buffers=128MB",
    "dynamic_shared_memory_type=mmap",
];

/// The folder of the newest installed server programs.
pub fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").is_file())
        .collect();
    folders.sort();
    let packaged = folders.pop().map(|(_, folder)| folder);
    packaged.or_else(|| process::find("initdb").and_then(|path| path.parent().map(Path::to_owned)))
}

/// PostgreSQL refuses to run as root, so root runs it as its own user.
fn as_owner(program: &Path) -> Command {
    if !process::is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]).arg(program);
    command
}
