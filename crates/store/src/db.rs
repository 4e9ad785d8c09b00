//! The two pools behind one type, the transactions on them, and `on!`, which sends one typed expression to whichever is there.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction};

use crate::dialect::Engine;
use crate::error::Result;
use crate::log::Log;
use crate::watch::Watch;
use crate::writer::{Writer, WriterTx};

/// Runs one sqlx expression on the connection behind a [`Link`]: `on!(link, |c| sqlx::query(SQL).bind(x).execute(c).await)`.
macro_rules! on {
    ($link:expr, |$c:ident| $body:expr) => {
        match $link {
            $crate::Link::Sqlite(connection) => {
                $crate::count::note();
                let $c = &mut **connection;
                $body
            }
            $crate::Link::Postgres(connection) => {
                $crate::count::note();
                let $c = &mut **connection;
                $body
            }
        }
    };
}
pub(crate) use on;

/// How long a commit must last before it is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// On the disk when `commit` returns, whatever happens to the machine.
    Full,
    /// Survives the end of this process at once, and the end of the machine's power after the next full commit. For progress that a client
    /// can repeat: opened uploads, received chunks, counters, sessions.
    Relaxed,
}

/// The database: SQLite with one writer and many readers, or a pool of PostgreSQL connections. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Db {
    /// The embedded database.
    Sqlite {
        /// The only connection that writes.
        writer: Writer,
        /// Connections that only read.
        readers: SqlitePool,
        /// What the writer has written, to be brought to the disk.
        log: Log,
        /// Hears of commits.
        watch: Watch,
    },
    /// A PostgreSQL server.
    Postgres {
        /// Connections for everything.
        pool: PgPool,
        /// Hears of commits.
        watch: Watch,
    },
}

/// A connection for reading.
pub enum Conn {
    /// From the readers.
    Sqlite(PoolConnection<Sqlite>),
    /// From the pool.
    Postgres(PoolConnection<Postgres>),
}

/// A transaction for writing. Dropped without `commit`, it never happened.
pub struct Tx {
    open: Open,
    durability: Durability,
    watch: Watch,
}

/// The transaction of one engine.
enum Open {
    /// On the writer.
    Sqlite(WriterTx, Log),
    /// On a connection of the pool.
    Postgres(Transaction<'static, Postgres>),
}

/// What every statement runs on: a borrowed connection, inside a transaction or not.
pub enum Link<'a> {
    /// SQLite.
    Sqlite(&'a mut SqliteConnection),
    /// PostgreSQL.
    Postgres(&'a mut PgConnection),
}

impl Db {
    /// Opens (and for SQLite creates) the database at `url`: `sqlite:PATH` or `postgres://…`. Does not touch the schema.
    pub async fn open(url: &str) -> Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            Self::open_sqlite(Path::new(path.trim_start_matches("//"))).await
        } else {
            Self::open_postgres(url).await
        }
    }

    async fn open_sqlite(path: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What has to last is brought to the disk by `Log`.
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .statement_cache_capacity(256)
            .pragma("cache_size", "-16384")
            .pragma("temp_store", "memory")
            .pragma("mmap_size", "268435456")
            .pragma("journal_size_limit", "67108864")
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new().test_before_acquire(false).idle_timeout(None).max_lifetime(None);
        let writer = Writer::open(options.clone()).await?;
        let readers = pool.max_connections(8).connect_with(options.read_only(true).create_if_missing(false)).await?;
        Ok(Self::Sqlite { writer, readers, log: Log::of(path), watch: Watch::default() })
    }

    async fn open_postgres(url: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("berth")
            .statement_cache_capacity(256)
            // A peer that died silently must not hold a connection for ever.
            .options([
                ("statement_timeout", "60000"),
                ("idle_in_transaction_session_timeout", "60000"),
                ("tcp_keepalives_idle", "30"),
                ("tcp_keepalives_interval", "10"),
                ("tcp_keepalives_count", "3"),
                // A statement is planned once for each connection, not for each of its values anew: planning what reads an artifact takes ten times
                // as long as reading it. What depends on a value, such as the length of a page, stands in the text.
                ("plan_cache_mode", "force_generic_plan"),
            ])
            .disable_statement_logging();
        let connected = PgPoolOptions::new()
            .max_connections(32)
            .acquire_timeout(Duration::from_secs(30))
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await;
        let pool = match connected {
            // The pool tries until its time is up and forgets why; asked once more, the driver says it.
            Err(sqlx::Error::PoolTimedOut) => return Err(options.connect().await.err().unwrap_or(sqlx::Error::PoolTimedOut).into()),
            other => other?,
        };
        Ok(Self::Postgres { pool, watch: Watch::default() })
    }

    /// The same database, with this to be called after every commit made through it but those of [`Durability::Relaxed`], whose content no list
    /// shows. Called too when it cannot be known whether a commit happened.
    #[must_use]
    pub fn watched(self, told: impl Fn() + Send + Sync + 'static) -> Self {
        let watch = Watch::new(told);
        match self {
            Self::Sqlite { writer, readers, log, .. } => Self::Sqlite { writer, readers, log, watch },
            Self::Postgres { pool, .. } => Self::Postgres { pool, watch },
        }
    }

    /// Tells who watches that something lists show was committed with [`Durability::Relaxed`].
    pub fn changed(&self) {
        self.watch().tell();
    }

    fn watch(&self) -> &Watch {
        match self {
            Self::Sqlite { watch, .. } | Self::Postgres { watch, .. } => watch,
        }
    }

    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite { .. } => Engine::Sqlite,
            Self::Postgres { .. } => Engine::Postgres,
        }
    }

    /// Brings the schema up to date. Several processes may call it at once.
    pub async fn migrate(&self) -> Result<()> {
        match self {
            Self::Sqlite { writer, .. } => {
                let mut turn = writer.turn().await?;
                sqlx::migrate!("../../migrations/sqlite").run(turn.connection()?).await?;
            }
            Self::Postgres { pool, .. } => sqlx::migrate!("../../migrations/postgres").run(pool).await?,
        }
        Ok(())
    }

    /// How many migrations of this version have not run yet. An error when the schema is a later version's.
    pub async fn pending_migrations(&self) -> Result<usize> {
        let migrator = match self {
            Self::Sqlite { .. } => sqlx::migrate!("../../migrations/sqlite"),
            Self::Postgres { .. } => sqlx::migrate!("../../migrations/postgres"),
        };
        const DONE: &str = "SELECT version FROM _sqlx_migrations WHERE success";
        let mut conn = self.read().await?;
        let done: std::result::Result<Vec<(i64,)>, _> = on!(&mut conn.link(), |c| sqlx::query_as(DONE).fetch_all(c).await);
        // Without the table nothing has run.
        let done: Vec<i64> = done.unwrap_or_default().into_iter().map(|(version,)| version).collect();
        let known: Vec<i64> = migrator.iter().map(|m| m.version).collect();
        match done.iter().find(|version| !known.contains(version)) {
            Some(version) => Err(sqlx::migrate::MigrateError::VersionMissing(*version).into()),
            None => Ok(known.len() - done.len()),
        }
    }

    /// A connection for reading, in no transaction.
    pub async fn read(&self) -> Result<Conn> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Conn::Sqlite(readers.acquire().await?),
            Self::Postgres { pool, .. } => Conn::Postgres(pool.acquire().await?),
        })
    }

    /// A transaction that is on the disk when it is committed.
    pub async fn write(&self) -> Result<Tx> {
        self.begin(Durability::Full).await
    }

    /// A transaction with the durability that its content needs.
    pub async fn begin(&self, durability: Durability) -> Result<Tx> {
        let open = match self {
            Self::Sqlite { writer, log, .. } => Open::Sqlite(writer.begin().await?, log.clone()),
            Self::Postgres { pool, .. } => {
                let begin = match durability {
                    Durability::Full => "BEGIN",
                    Durability::Relaxed => "BEGIN; SET LOCAL synchronous_commit = off",
                };
                Open::Postgres(pool.begin_with(begin).await?)
            }
        };
        let watch = match durability {
            Durability::Full => self.watch().clone(),
            Durability::Relaxed => Watch::default(),
        };
        Ok(Tx { open, durability, watch })
    }

    /// Ends the pools; for SQLite this also folds the write-ahead log into the database.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }

    /// Answers when the database does.
    pub async fn ping(&self) -> Result<()> {
        let mut conn = self.read().await?;
        on!(&mut conn.link(), |c| sqlx::query("SELECT 1").execute(c).await.map(drop))?;
        Ok(())
    }
}

impl Conn {
    /// What statements run on.
    pub fn link(&mut self) -> Link<'_> {
        match self {
            Self::Sqlite(c) => Link::Sqlite(c),
            Self::Postgres(c) => Link::Postgres(c),
        }
    }
}

impl Tx {
    /// What statements run on.
    pub fn link(&mut self) -> Link<'_> {
        match &mut self.open {
            Open::Sqlite(t, _) => Link::Sqlite(t.connection()),
            Open::Postgres(t) => Link::Postgres(t),
        }
    }

    /// Lets this transaction fail rather than wait long for a row, so that of two that wait for each other it is the one that ends. For work that
    /// is tried again anyway. SQLite has one writer, and nothing to wait for.
    pub async fn give_way(&mut self) -> Result<()> {
        if let Open::Postgres(t) = &mut self.open {
            // Well below `deadlock_timeout` (one second), after which the server would choose.
            sqlx::query("SET LOCAL lock_timeout = '250ms'").execute(&mut **t).await?;
        }
        Ok(())
    }

    /// Makes it happen, as durable as it was begun.
    pub async fn commit(self) -> Result<()> {
        // Also when nobody waits for the end any more, or its answer is lost: it may have happened.
        let told = self.watch.when_over();
        match self.open {
            Open::Sqlite(t, log) => {
                t.commit().await?;
                // Others see it from here on.
                drop(told);
                if self.durability == Durability::Full {
                    log.settle().await?;
                }
            }
            Open::Postgres(t) => t.commit().await?,
        }
        Ok(())
    }
}

impl Link<'_> {
    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }
}
