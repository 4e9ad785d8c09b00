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
pub struct Writer {
    options: SqliteConnectOptions,
    /// None after [`Self::close`].
    connection: Arc<Mutex<Option<SqliteConnection>>>,
}

/// A transaction on the writer. Dropped without [`Self::commit`], it never happened.
pub(crate) struct WriterTx {
    turn: OwnedMutexGuard<Option<SqliteConnection>>,
    is_open: bool,
}

impl Writer {
    /// Connects.
    pub(crate) async fn open(options: SqliteConnectOptions) -> Result<Self> {
        let connection = options.connect().await?;
        Ok(Self { options, connection: Arc::new(Mutex::new(Some(connection))) })
    }

    /// The connection, for who needs it outside of a transaction.
    pub(crate) async fn turn(&self) -> Result<OwnedMutexGuard<Option<SqliteConnection>>> {
        let turn = tokio::time::timeout(PATIENCE, self.connection.clone().lock_owned()).await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        Ok(turn)
    }

    /// Begins a transaction that may write from the start: it waits for its turn here, not at its first change.
    pub(crate) async fn begin(&self) -> Result<WriterTx> {
        let mut turn = self.turn().await?;
        match immediately(&mut turn).await {
            Ok(()) => {}
            // Its thread has gone, with whatever that had in hand: what was not committed has not happened.
            Err(sqlx::Error::WorkerCrashed) => {
                *turn = Some(self.options.connect().await?);
                immediately(&mut turn).await?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(WriterTx { turn, is_open: true })
    }

    /// Ends the connection when its turn is over. Nothing is written afterwards.
    pub(crate) async fn close(&self) {
        if let Some(connection) = self.connection.lock().await.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the database could not be closed in order");
        }
    }
}

async fn immediately(turn: &mut Option<SqliteConnection>) -> std::result::Result<(), sqlx::Error> {
    let connection = turn.as_mut().ok_or(sqlx::Error::PoolClosed)?;
    Manager::begin(connection, Some(SqlStr::from_static("BEGIN IMMEDIATE"))).await
}

impl WriterTx {
    /// What statements run on; none only after [`Writer::close`], for which a transaction is waited for.
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        self.turn.as_mut().expect("the writer is open as long as somebody has his turn")
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
