//! The program in a box: a `berth` process on a free loopback port with data of its own, stopped, killed and started again on the same
//! data as a test likes. Tests of the doors start it; [`crate::client`] talks to it.

use std::collections::VecDeque;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use regex::Regex;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use crate::client::Client;

/// The password that `admin` has on a fresh server.
pub const ADMIN_PASSWORD: &str = "Harbor12345";

/// How long a server may take to answer its first ping, and to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(60);
/// Lines of output that are kept for the report of a failure.
const KEPT_LINES: usize = 400;

/// The database that a fresh server is to use.
#[derive(Clone, Debug)]
pub enum Engine {
    /// The embedded default.
    Sqlite,
    /// A new database on the PostgreSQL that this URL leads to; the URL's role must be allowed to create one.
    Postgres(String),
}

/// Why a server did not start or end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartError(String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// How a server is made to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// SIGTERM: it finishes what it does.
    Terminate,
    /// SIGKILL: as in a power failure, but for what the kernel still holds.
    Kill,
}

/// A running server. It ends with this value; [`Server::stop`] also removes a PostgreSQL database.
pub struct Server {
    program: PathBuf,
    settings: Vec<(String, String)>,
    listen: String,
    child: Child,
    output: Output,
    database: Option<Database>,
    data: Arc<TempDir>,
}

impl Server {
    /// Starts `program serve` with an empty database and waits until it answers `GET /api/v2.0/ping`. `settings` are further
    /// environment variables.
    ///
    /// # Errors
    /// The database cannot be made, or the process does not start, ends, or does not answer in time; the message holds what it printed.
    pub async fn start(program: &Path, engine: &Engine, settings: &[(&str, &str)]) -> Result<Self, StartError> {
        Self::start_with(program, engine, settings, Output::default()).await
    }

    /// The same, and [`Self::output`] has every line that it prints, not only the last.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_heard(program: &Path, engine: &Engine, settings: &[(&str, &str)]) -> Result<Self, StartError> {
        let output = Output::default();
        output.keep_all();
        Self::start_with(program, engine, settings, output).await
    }

    async fn start_with(program: &Path, engine: &Engine, settings: &[(&str, &str)], output: Output) -> Result<Self, StartError> {
        let data = TempDir::with_prefix("berth-test-").map_err(told)?;
        let mut settings: Vec<_> = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        settings.push(("BERTH_ADMIN_PASSWORD".into(), ADMIN_PASSWORD.into()));
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres(url) => Some(Database::create(url).await.map_err(told)?),
        };
        if let Some(database) = &database {
            settings.push(("BERTH_DATABASE_URL".into(), database.url().map_err(told)?));
        }
        let (child, listen) = launch(program, &settings, "127.0.0.1:0", data.path(), &output).await?;
        Ok(Self { program: program.to_owned(), settings, listen, child, output, database, data: Arc::new(data) })
    }

    /// Another process on the same database and data directory, at an address of its own. It must end before this one.
    ///
    /// # Errors
    /// The process does not start, ends, or does not answer in time.
    pub async fn beside(&self) -> Result<Self, StartError> {
        let output = Output::default();
        let (child, listen) = launch(&self.program, &self.settings, "127.0.0.1:0", self.data.path(), &output).await?;
        let (program, settings, data) = (self.program.clone(), self.settings.clone(), self.data.clone());
        Ok(Self { program, settings, listen, child, output, database: None, data })
    }

    /// The address of its PostgreSQL database.
    pub fn database_url(&self) -> Option<String> {
        self.settings.iter().find(|(name, _)| name == "BERTH_DATABASE_URL").map(|(_, url)| url.clone())
    }

    /// Lets PostgreSQL end all connections to the database that call themselves `application`.
    ///
    /// # Errors
    /// There is no PostgreSQL database, or it does not answer.
    pub async fn end_connections(&self, application: &str) -> Result<(), StartError> {
        const END: &str =
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1";
        let url = self.database_url().ok_or_else(|| told("the database is no PostgreSQL"))?;
        let mut connection = PgConnection::connect(&url).await.map_err(told)?;
        sqlx::query(END).bind(application).execute(&mut connection).await.map_err(told)?;
        connection.close().await.map_err(told)
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `http://127.0.0.1:port`; the same after a restart.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// A client that signs in as `admin`.
    pub fn admin(&self) -> Client {
        Client::new(&self.base_url(), Some(("admin", ADMIN_PASSWORD)))
    }

    /// The last lines that it printed, standard output and standard error.
    pub fn output(&self) -> String {
        self.output.text()
    }

    /// Lines of its log that tell of a panic or an error.
    pub fn complaints(&self) -> Vec<String> {
        self.output.complaints()
    }

    /// Ends the process in this way and starts it again on the same data and address.
    ///
    /// # Errors
    /// It does not end or does not start.
    pub async fn restart(&mut self, end: End) -> Result<ExitStatus, StartError> {
        let status = finish(&mut self.child, end).await?;
        let (child, _) = launch(&self.program, &self.settings, &self.listen, self.data.path(), &self.output).await?;
        self.child = child;
        Ok(status)
    }

    /// Ends the process by SIGTERM and removes its database; how it ended.
    ///
    /// # Errors
    /// It does not end, or the database cannot be removed.
    pub async fn stop(mut self) -> Result<ExitStatus, StartError> {
        let status = finish(&mut self.child, End::Terminate).await?;
        if let Some(database) = self.database.take() {
            database.remove().await.map_err(told)?;
        }
        Ok(status)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            signal(&self.child, End::Terminate);
            for _ in 0..100 {
                if !matches!(self.child.try_wait(), Ok(None)) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            signal(&self.child, End::Kill);
            // An error means that it is gone already.
            let _ = self.child.wait();
        }
    }
}

fn told(error: impl fmt::Display) -> StartError {
    StartError(error.to_string())
}

fn signal(child: &Child, end: End) {
    let signal = match end {
        End::Terminate => Signal::TERM,
        End::Kill => Signal::KILL,
    };
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // An error means that it is gone already; the child is not waited for yet, so the number is still its own.
        let _ = kill_process(pid, signal);
    }
}

async fn finish(child: &mut Child, end: End) -> Result<ExitStatus, StartError> {
    signal(child, end);
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().map_err(told)? {
            return Ok(status);
        }
        if Instant::now() > deadline {
            return Err(told("the server does not end"));
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// Starts a process and waits for its ping; the process and its `host:port`.
async fn launch(
    program: &Path,
    settings: &[(String, String)],
    listen: &str,
    data: &Path,
    output: &Output,
) -> Result<(Child, String), StartError> {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BERTH_")) {
        command.env_remove(name);
    }
    command.args(["serve", "--listen", listen, "--data"]).arg(data);
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    command.current_dir(data).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| told(format!("{}: {e}", program.display())))?;
    let (announce, mut addresses) = mpsc::unbounded_channel();
    // Both are read to their ends: a full pipe would stop the server.
    let readers = [
        child.stdout.take().map(|stdout| output.follow(stdout, Some(announce))),
        child.stderr.take().map(|stderr| output.follow(stderr, None)),
    ];
    match answering(&mut child, &mut addresses).await {
        Ok(address) => Ok((child, address)),
        Err(reason) => {
            let _ = finish(&mut child, End::Kill).await;
            // Its last words are told in full.
            for reader in readers.into_iter().flatten() {
                let _ = reader.join();
            }
            Err(told(format!("the server did not start: {reason}\n{}", output.text())))
        }
    }
}

async fn answering(child: &mut Child, addresses: &mut mpsc::UnboundedReceiver<String>) -> Result<String, String> {
    let deadline = Instant::now() + PATIENCE;
    let address = timeout(PATIENCE, addresses.recv()).await.map_err(|_| "it printed no address".to_owned())?;
    let address = address.ok_or("it ended without printing an address")?;
    let client = Client::new(&format!("http://{address}"), None);
    loop {
        let state = match client.get("/api/v2.0/ping").try_send().await {
            Ok(reply) if reply.status == 200 => return Ok(address),
            Ok(reply) => format!("its ping is answered with {}", reply.status),
            Err(reason) => reason.to_string(),
        };
        if Instant::now() > deadline {
            return Err(state);
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("it ended with {status}"));
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// What a process printed: the last lines, and all complaints.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    last: VecDeque<String>,
    keeps_all: bool,
    complaints: Vec<String>,
}

impl Output {
    /// Reads `source` to its end on a thread of its own; the first address in it is announced.
    fn follow(&self, source: impl Read + Send + 'static, announce: Option<mpsc::UnboundedSender<String>>) -> JoinHandle<()> {
        let lines = self.clone();
        std::thread::spawn(move || {
            let address = Regex::new(r"http://(127\.0\.0\.1:\d+)").expect("pattern");
            let mut announce = announce;
            for line in BufReader::new(source).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                if let Some(found) = address.captures(&line)
                    && let Some(announce) = announce.take()
                {
                    // Nobody waits any more if the start was given up.
                    let _ = announce.send(found[1].to_owned());
                }
                lines.keep(line);
            }
        })
    }

    fn keep_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keeps_all = true;
    }

    fn keep(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_complaint(&line) {
            lines.complaints.push(line.clone());
        }
        if !lines.keeps_all && lines.last.len() >= KEPT_LINES {
            lines.last.pop_front();
        }
        lines.last.push_back(line);
    }

    fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.last.iter().map(|line| format!("{line}\n")).collect()
    }

    fn complaints(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).complaints.clone()
    }
}

/// Whether a line tells of an error or a panic: the log is JSON, as it is where nobody looks at a terminal, and says so by its level; a panic
/// before the log begins is told by the standard library.
fn is_complaint(line: &str) -> bool {
    line.contains("panicked at") || serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line["level"] == "error")
}

/// A PostgreSQL database made for one server.
struct Database {
    server_url: String,
    name: String,
}

impl Database {
    async fn create(server_url: &str) -> Result<Self, sqlx::Error> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_micros();
        let name = format!("berth_test_{}_{now}_box{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let database = Self { server_url: server_url.to_owned(), name };
        database.run(format!("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0", database.name)).await?;
        Ok(database)
    }

    async fn remove(&self) -> Result<(), sqlx::Error> {
        self.run(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)).await
    }

    /// `statement` holds nothing but fixed words and the name made above.
    async fn run(&self, statement: String) -> Result<(), sqlx::Error> {
        let mut connection = PgConnection::connect(&self.server_url).await?;
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await?;
        connection.close().await
    }

    fn url(&self) -> Result<String, url::ParseError> {
        let mut url = url::Url::parse(&self.server_url)?;
        url.set_path(&self.name);
        Ok(url.into())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// An executable that runs `script` in place of a server.
    fn stand_in(script: &str) -> (TempDir, std::path::PathBuf) {
        let dir = TempDir::new().expect("a directory");
        let path = dir.path().join("berth");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
        (dir, path)
    }

    #[tokio::test]
    async fn a_server_that_ends_says_what_it_printed() {
        let (_dir, path) = stand_in("echo \"no room in $4\" >&2; exit 3");
        let error = Server::start(&path, &Engine::Sqlite, &[]).await.err().expect("an error").to_string();
        assert!(error.contains("it ended without printing an address"), "{error}");
        let (_dir, path) = stand_in("echo ready on http://127.0.0.1:1 with $BERTH_ADMIN_PASSWORD $1 $2 $3; exit 3");
        let error = Server::start(&path, &Engine::Sqlite, &[]).await.err().expect("an error").to_string();
        assert!(error.contains("it ended with exit status: 3"), "{error}");
        assert!(error.contains("with Harbor12345 serve --listen 127.0.0.1:0"), "{error}");
    }

    #[test]
    fn errors_and_panics_are_complaints() {
        assert!(is_complaint(r#"{"level":"error","message":"a request failed","target":"berth","time":"2026-01-01T00:00:00Z"}"#));
        assert!(is_complaint(r#"{"level":"error","message":"boom","place":"src/x.rs:1:1","target":"panic"}"#));
        assert!(is_complaint("thread 'main' panicked at src/main.rs:1:1:"));
        assert!(!is_complaint(r#"{"level":"warn","message":"an \"error\""}"#));
        assert!(!is_complaint("Berth is ready at http://127.0.0.1:1"));
    }

    #[test]
    fn a_database_url_keeps_everything_but_the_name() {
        let database = Database { server_url: "postgres://u:p@127.0.0.1:5433/postgres?sslmode=disable".into(), name: "x".into() };
        assert_eq!(database.url().expect("a URL"), "postgres://u:p@127.0.0.1:5433/x?sslmode=disable");
    }

    #[tokio::test]
    async fn a_database_is_made_and_removed() {
        let Some(url) = std::env::var("BERTH_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty()) else {
            eprintln!("not tried: BERTH_TEST_POSTGRES_URL is not set");
            return;
        };
        let (one, two) = (Database::create(&url).await.expect("made"), Database::create(&url).await.expect("made"));
        assert_ne!(one.name, two.name);
        // A connection that is still open must not keep the database alive.
        let _open = PgConnection::connect(&one.url().expect("a URL")).await.expect("it is there");
        for database in [one, two] {
            database.remove().await.expect("removed");
            assert!(PgConnection::connect(&database.url().expect("a URL")).await.is_err());
        }
    }
}
