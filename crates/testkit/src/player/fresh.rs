//! A server of its own for one test: a `berth` process on a free port, with an empty database and an empty data directory,
//! both gone afterwards.

use std::collections::VecDeque;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use regex::Regex;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::Target;
use super::exchange::{Client, Order};
use super::values::Values;

/// The password that `admin` has on a fresh server.
pub const ADMIN_PASSWORD: &str = "Harbor12345";

/// How long a server may take to answer its first ping.
const START: Duration = Duration::from_secs(60);
/// Lines of output that are kept for the report of a failure.
const KEPT_LINES: usize = 200;

/// The database that a fresh server is to use.
#[derive(Clone, Debug)]
pub enum Engine {
    /// The embedded default.
    Sqlite,
    /// A new database on the PostgreSQL that this URL leads to; the URL's role must be allowed to create one.
    Postgres(String),
}

/// Why a fresh server did not start.
#[derive(Debug)]
pub struct StartError(String);

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// A running server; it ends when this is dropped. Call [`FreshServer::stop`] to also remove a PostgreSQL database.
pub struct FreshServer {
    base_url: String,
    child: Child,
    output: Output,
    readers: Vec<JoinHandle<()>>,
    database: Option<Database>,
    _data: TempDir,
}

/// The last lines that a process printed.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<VecDeque<String>>>);

/// A PostgreSQL database made for one server.
struct Database {
    server_url: String,
    name: String,
}

impl FreshServer {
    /// Starts `binary serve` on a free loopback port and waits until it answers `GET /api/v2.0/ping`.
    ///
    /// # Errors
    /// The database cannot be made, the process does not start, prints no address, ends, or does not answer in time; the
    /// message holds what it printed.
    pub async fn start(binary: &Path, engine: &Engine) -> Result<Self, StartError> {
        let data = TempDir::with_prefix("berth-test-").map_err(|e| StartError(e.to_string()))?;
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data.path());
        // What configures the tests, or the tester's own server, must not configure this one.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BERTH_")) {
            command.env_remove(name);
        }
        command.env("BERTH_ADMIN_PASSWORD", ADMIN_PASSWORD);
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres(url) => {
                let database = Database::create(url).await.map_err(|e| StartError(format!("PostgreSQL: {e}")))?;
                command.arg("--database-url").arg(database.url()?);
                Some(database)
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| StartError(format!("{}: {e}", binary.display())))?;
        let output = Output::default();
        let (announce, mut addresses) = mpsc::unbounded_channel();
        // Both are read to their ends: a full pipe would stop the server.
        let stdout = child.stdout.take().map(|stdout| output.follow(stdout, Some(announce)));
        let stderr = child.stderr.take().map(|stderr| output.follow(stderr, None));
        let readers = stdout.into_iter().chain(stderr).collect();
        let mut server = Self { base_url: String::new(), child, output, readers, database, _data: data };
        match server.wait(&mut addresses).await {
            Ok(()) => Ok(server),
            Err(reason) => {
                server.end();
                server.read_out().await;
                let report = format!("the server did not start: {reason}\n{}", server.output());
                server.stop().await;
                Err(StartError(report))
            }
        }
    }

    async fn wait(&mut self, addresses: &mut mpsc::UnboundedReceiver<String>) -> Result<(), String> {
        let deadline = Instant::now() + START;
        self.base_url = timeout(START, addresses.recv())
            .await
            .map_err(|_| "it printed no address".to_owned())?
            .ok_or("it ended without printing an address")?;
        let host = self.base_url.trim_start_matches("http://");
        let values = Values::new("http", host, ADMIN_PASSWORD, &[]);
        let ping = Order { caller: "anonymous", method: "GET", path: "/api/v2.0/ping", ..Order::default() };
        loop {
            let state = match Client::new().send(&ping, &values).await {
                Ok(reply) if reply.status == 200 => return Ok(()),
                Ok(reply) => format!("its ping is answered with {}", reply.status),
                Err(reason) => reason,
            };
            if Instant::now() > deadline {
                return Err(state);
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("it ended with {status}"));
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// `http://127.0.0.1:port`
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The server as a target for [`super::play`], without further values.
    pub fn target(&self) -> Target {
        Target { base_url: self.base_url.clone(), admin_password: ADMIN_PASSWORD.to_owned(), vars: Vec::new() }
    }

    /// The last lines that it printed, standard output and standard error.
    pub fn output(&self) -> String {
        self.output.text()
    }

    /// Ends the process and removes its database.
    pub async fn stop(mut self) {
        self.end();
        if let Some(database) = self.database.take()
            && let Err(error) = database.remove().await
        {
            eprintln!("database {} stays behind: {error}", database.name);
        }
    }

    /// Waits, but not long, until everything that the ended process printed is read.
    async fn read_out(&self) {
        for _ in 0..100 {
            if self.readers.iter().all(JoinHandle::is_finished) {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn end(&mut self) {
        // An error means that it is already gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for FreshServer {
    fn drop(&mut self) {
        self.end();
    }
}

impl Output {
    /// Reads `source` to its end on a thread of its own; the first address in it is announced.
    fn follow(&self, source: impl Read + Send + 'static, announce: Option<mpsc::UnboundedSender<String>>) -> JoinHandle<()> {
        let lines = self.clone();
        std::thread::spawn(move || {
            let address = Regex::new(r"http://127\.0\.0\.1:\d+").expect("pattern");
            let mut announce = announce;
            for line in BufReader::new(source).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                if let Some(found) = address.find(&line)
                    && let Some(announce) = announce.take()
                {
                    // Nobody waits any more if the start was given up.
                    let _ = announce.send(found.as_str().to_owned());
                }
                lines.keep(line);
            }
        })
    }

    fn keep(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

impl Database {
    async fn create(server_url: &str) -> Result<Self, sqlx::Error> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        let name = format!("berth_test_{}_{now}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
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

    fn url(&self) -> Result<String, StartError> {
        let mut url = url::Url::parse(&self.server_url).map_err(|e| StartError(format!("the PostgreSQL URL: {e}")))?;
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
        let error = FreshServer::start(&path, &Engine::Sqlite).await.err().expect("an error").to_string();
        assert!(error.contains("it ended without printing an address"), "{error}");
        let (_dir, path) = stand_in("echo ready on http://127.0.0.1:1 with $BERTH_ADMIN_PASSWORD $1 $2 $3; exit 3");
        let error = FreshServer::start(&path, &Engine::Sqlite).await.err().expect("an error").to_string();
        assert!(error.contains("it ended with exit status: 3"), "{error}");
        assert!(error.contains("with Harbor12345 serve --listen 127.0.0.1:0"), "{error}");
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
