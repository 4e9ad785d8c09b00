//! Fresh, migrated databases for contract suites: always SQLite, and PostgreSQL when [`POSTGRES_URL`] names a server to make databases on.

use sqlx::{Connection, Executor, PgConnection};
use std::sync::atomic::{AtomicU32, Ordering};
use store::Db;
use tempfile::TempDir;

/// Names the PostgreSQL server (with a user who may create databases) that suites run on beside SQLite.
pub const POSTGRES_URL: &str = "BERTH_TEST_POSTGRES_URL";

/// A fresh SQLite database in a directory that goes with it.
pub struct SqliteDatabase {
    /// The database, migrated.
    pub db: Db,
    /// Where it lies.
    pub directory: TempDir,
}

/// Makes one.
pub async fn sqlite() -> SqliteDatabase {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let db = Db::open(&format!("sqlite:{}", directory.path().join("test.db").display())).await.expect("SQLite opens");
    db.migrate().await.expect("SQLite migrates");
    SqliteDatabase { db, directory }
}

/// A fresh PostgreSQL database; [`PostgresDatabase::drop_now`] removes it.
pub struct PostgresDatabase {
    /// The database, migrated.
    pub db: Db,
    /// Its address.
    pub url: String,
    server: String,
    name: String,
}

/// Makes one, if there is a server for it; says so when there is none.
pub async fn postgres() -> Option<PostgresDatabase> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Ok(server) = std::env::var(POSTGRES_URL) else {
        eprintln!("skipped on PostgreSQL: {POSTGRES_URL} is not set");
        return None;
    };
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    let name = format!("berth_test_{}_{}_{}", std::process::id(), nanos % 1_000_000_000, COUNT.fetch_add(1, Ordering::Relaxed));
    let mut admin = PgConnection::connect(&server).await.expect("the test server answers");
    admin.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a database can be made");
    admin.close().await.expect("the connection closes");
    let mut url: url::Url = server.parse().expect("the server's URL");
    url.set_path(&name);
    let db = Db::open(url.as_str()).await.expect("PostgreSQL opens");
    db.migrate().await.expect("PostgreSQL migrates");
    Some(PostgresDatabase { db, url: url.into(), server, name })
}

impl PostgresDatabase {
    /// Closes and removes it. Without this it stays on the server until the server's own end.
    pub async fn drop_now(self) {
        self.db.close().await;
        let mut admin = PgConnection::connect(&self.server).await.expect("the test server answers");
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        admin.execute(sqlx::AssertSqlSafe(sql)).await.expect("the database can be dropped");
    }
}

/// Runs a contract suite on every engine: `each(async |db| { … }).await`.
pub async fn each(suite: impl AsyncFn(Db)) {
    let sqlite = sqlite().await;
    suite(sqlite.db.clone()).await;
    sqlite.db.close().await;
    if let Some(postgres) = postgres().await {
        suite(postgres.db.clone()).await;
        postgres.drop_now().await;
    }
}

/// Everything that a PostgreSQL database holds, column by column: `table.column` and the values in it, one to a line, bytes as the text that they
/// spell. What was deleted and what indexes hold is not in it.
pub async fn contents(url: &str) -> Vec<(String, String)> {
    const COLUMNS: &str = "SELECT c.table_name::text, c.column_name::text, c.data_type::text FROM information_schema.columns c
        JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
        WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' ORDER BY 1, c.ordinal_position";
    let mut connection = PgConnection::connect(url).await.expect("the database answers");
    let columns: Vec<(String, String, String)> = sqlx::query_as(COLUMNS).fetch_all(&mut connection).await.expect("the columns");
    let mut found = Vec::with_capacity(columns.len());
    for (table, column, kind) in columns {
        let value = match kind.as_str() {
            "bytea" => format!(r#""{column}""#),
            _ => format!(r#"convert_to("{column}"::text, 'UTF8')"#),
        };
        let sql = format!(r#"SELECT {value} FROM "{table}" WHERE "{column}" IS NOT NULL"#);
        let values: Vec<(Vec<u8>,)> =
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await.expect("the values of a column");
        let text: String = values.iter().map(|(bytes,)| format!("{}\n", String::from_utf8_lossy(bytes))).collect();
        found.push((format!("{table}.{column}"), text));
    }
    connection.close().await.expect("the connection closes");
    found
}
