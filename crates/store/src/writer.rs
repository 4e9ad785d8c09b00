//! The one connection that writes to an SQLite database, and whose turn it is. A pool of one would do the same, but for asking the connection after every
//! transaction whether it is still there: that is a way to the connection's thread and back, for which all other writers wait.

use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqlStr, Sqlite, SqliteConnection};
use sqlx_core::transaction::TransactionManager;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::Result;

/// Nobody waits longer for a turn.
const PATIENCE: Duration = Duration::from_secs(60);

type Manager = <Sqlite as sqlx::Database>::TransactionManager;

/// The writer of one database. Cheap to clone; whoever asks first has the first turn.
#[derive(Clone, Debug)]
pub struct Writer(Arc<Mutex<Place>>);

/// Where the writer is.
#[derive(Debug)]
pub(crate) struct Place {
    options: SqliteConnectOptions,
    /// None after [`Writer::close`].
    connection: Option<SqliteConnection>,
}

/// A transaction on the writer. Dropped without [`Self::commit`], it never happened.
pub(crate) struct WriterTx {
    turn: OwnedMutexGuard<Place>,
    is_open: bool,
}

impl Place {
    /// The connection, as long as there is one.
    pub(crate) fn connection(&mut self) -> std::result::Result<&mut SqliteConnection, sqlx::Error> {
        self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)
    }

    async fn begin(&mut self) -> std::result::Result<(), sqlx::Error> {
        Manager::begin(self.connection()?, Some(SqlStr::from_static("BEGIN IMMEDIATE"))).await
    }
}

impl Writer {
    /// Connects.
    pub(crate) async fn open(options: SqliteConnectOptions) -> Result<Self> {
        let connection = Some(options.connect().await?);
        Ok(Self(Arc::new(Mutex::new(Place { options, connection }))))
    }

    /// The writer, for who needs it outside of a transaction.
    pub(crate) async fn turn(&self) -> Result<OwnedMutexGuard<Place>> {
        Ok(tokio::time::timeout(PATIENCE, self.0.clone().lock_owned()).await.map_err(|_| sqlx::Error::PoolTimedOut)?)
    }

    /// Begins a transaction that may write from the start: it waits for its turn here, not at its first change.
    pub(crate) async fn begin(&self) -> Result<WriterTx> {
        let mut turn = self.turn().await?;
        match turn.begin().await {
            Ok(()) => {}
            // Its thread has gone, with whatever that had in hand: what was not committed has not happened.
            Err(sqlx::Error::WorkerCrashed) => {
                turn.connection = Some(turn.options.connect().await?);
                turn.begin().await?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(WriterTx { turn, is_open: true })
    }

    /// Ends the connection when its turn is over. Nothing is written afterwards.
    pub(crate) async fn close(&self) {
        if let Some(connection) = self.0.lock().await.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the database could not be closed in order");
        }
    }
}

impl WriterTx {
    /// What statements run on.
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        // A transaction began on it, and its end is waited for before it is closed.
        self.turn.connection().expect("a transaction has its connection")
    }

    /// Makes it happen for everybody; on the disk it is when [`crate::log::Log::settle`] says so.
    pub(crate) async fn commit(mut self) -> Result<()> {
        Manager::commit(self.connection()).await?;
        self.is_open = false;
        Ok(())
    }
}

impl Drop for WriterTx {
    fn drop(&mut self) {
        if self.is_open {
            // Before anything that the next one sends: the connection does what it is told in order.
            Manager::start_rollback(self.connection());
        }
    }
}
