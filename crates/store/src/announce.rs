//! How processes on one PostgreSQL database talk to each other: `LISTEN` and `NOTIFY`, each on a connection of its own beside the pool. On SQLite
//! there is nobody to talk to.
//!
//! What the callers build on: the server keeps one queue for all notifications of a database. What was queued first is heard first by everybody, and
//! what one statement says is queued in the order of its list.

use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgConnection};

use crate::{Db, Result};

/// Key of the advisory lock that every ear shares: counting its holders counts the processes that listen.
const LOCK: (i32, i32) = (0x6265_7274, 1);

/// What is to be said: channel and payload. PostgreSQL's bound for a payload is 8000 bytes.
pub type Announcement = (String, String);

/// Hears what is said on some channels.
pub struct Ear(PgListener);

/// Says things.
pub struct Mouth(PgConnection);

impl std::fmt::Debug for Ear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ear")
    }
}

impl std::fmt::Debug for Mouth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mouth")
    }
}

/// Whether other processes can be on this database at all.
pub fn can_be_shared(db: &Db) -> bool {
    matches!(db, Db::Postgres { .. })
}

/// Opens both, and is counted as a listener from then on. `None` on SQLite.
///
/// # Errors
/// The server refuses two more connections.
pub async fn open(db: &Db, channels: &[&str]) -> Result<Option<(Ear, Mouth)>> {
    let Db::Postgres { pool, .. } = db else { return Ok(None) };
    let options: Arc<PgConnectOptions> = pool.connect_options();
    let options = PgConnectOptions::clone(&options).application_name("berth announcements");
    // Of its own: announcements must not wait until requests give a connection back.
    let single = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None).connect_with(options.clone()).await?;
    let mut ear = PgListener::connect_with(&single).await?;
    ear.eager_reconnect(false);
    sqlx::query("SELECT pg_advisory_lock_shared($1, $2)").bind(LOCK.0).bind(LOCK.1).execute(&mut ear).await?;
    ear.listen_all(channels.iter().copied()).await?;
    // Nothing that it says has to outlive the server: whoever listens ends with it.
    let mouth = options.options([("synchronous_commit", "off")]).connect().await?;
    Ok(Some((Ear(ear), Mouth(mouth))))
}

/// Says one thing through the pool, for a process that does not listen. Nothing on SQLite.
///
/// # Errors
/// The database.
pub async fn say_once(db: &Db, channel: &str, payload: &str) -> Result<()> {
    let Db::Postgres { pool, .. } = db else { return Ok(()) };
    sqlx::query("SELECT pg_notify($1, $2)").bind(channel).bind(payload).execute(pool).await?;
    Ok(())
}

impl Ear {
    /// The next payload; `None` when the connection was lost, and with it whatever was said meanwhile. Not to be asked again after that.
    ///
    /// # Errors
    /// The connection was lost in another way.
    pub async fn hear(&mut self) -> Result<Option<String>> {
        Ok(self.0.try_recv().await?.map(|heard| heard.payload().to_owned()))
    }
}

impl Mouth {
    /// Says all of it, in this order; heard by everybody who listens when this returns or soon after.
    ///
    /// # Errors
    /// The database.
    pub async fn say(&mut self, what: &[Announcement]) -> Result<()> {
        const SQL: &str = "SELECT pg_notify(channel, payload) FROM unnest($1::text[], $2::text[]) AS said (channel, payload)";
        let (channels, payloads): (Vec<&str>, Vec<&str>) =
            what.iter().map(|(channel, payload)| (channel.as_str(), payload.as_str())).unzip();
        sqlx::query(SQL).bind(channels).bind(payloads).execute(&mut self.0).await?;
        Ok(())
    }

    /// How many ears are open on this database, of all processes.
    ///
    /// # Errors
    /// The database.
    pub async fn listeners(&mut self) -> Result<usize> {
        const SQL: &str = "SELECT count(*) FROM pg_locks
            WHERE locktype = 'advisory' AND granted AND classid::bigint = $1 AND objid::bigint = $2 AND objsubid = 2
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let (count,): (i64,) = sqlx::query_as(SQL).bind(i64::from(LOCK.0)).bind(i64::from(LOCK.1)).fetch_one(&mut self.0).await?;
        Ok(usize::try_from(count).unwrap_or_default())
    }
}
