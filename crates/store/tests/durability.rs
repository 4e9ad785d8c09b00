//! What the two durabilities promise: a full commit returns when it is on the disk, a relaxed one waits for no disk.

use store::{Db, Durability, Link, setting};
use testkit::database::{each, sqlite};

/// Commits a change with this durability.
async fn commit(db: &Db, durability: Durability) {
    let mut tx = db.begin(durability).await.unwrap();
    setting::put(&mut tx.link(), "a", "1", 1).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_full_commit_returns_when_a_sync_of_the_log_covers_it() {
    let database = sqlite().await;
    let Db::Sqlite { log, .. } = &database.db else { panic!("SQLite") };
    let before = log.covered().await;
    for round in 1..=3 {
        commit(&database.db, Durability::Relaxed).await;
        commit(&database.db, Durability::Full).await;
        assert_eq!(log.covered().await, before + round);
    }
    // `write` is the full one.
    let mut tx = database.db.write().await.unwrap();
    setting::put(&mut tx.link(), "a", "2", 1).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(log.covered().await, before + 4);
    // What was given up promised nothing.
    let mut tx = database.db.write().await.unwrap();
    setting::put(&mut tx.link(), "a", "3", 1).await.unwrap();
    drop(tx);
    assert_eq!(log.covered().await, before + 4);
}

#[tokio::test]
async fn many_full_commits_at_once_are_all_covered() {
    let database = sqlite().await;
    let Db::Sqlite { log, .. } = &database.db else { panic!("SQLite") };
    let before = log.covered().await;
    futures::future::join_all((0..16).map(|_| commit(&database.db, Durability::Full))).await;
    assert_eq!(log.covered().await, before + 16);
}

/// PostgreSQL brings its log to the disk itself, in the commit, where it is not told to put that off; a full commit leaves that to whoever runs the
/// server.
#[tokio::test]
async fn postgres_puts_off_the_sync_of_relaxed_commits_alone() {
    const SET: &str = "SELECT setting, source FROM pg_settings WHERE name = 'synchronous_commit'";
    each(async |db| {
        for (durability, is_put_off) in [(Durability::Full, false), (Durability::Relaxed, true)] {
            let mut tx = db.begin(durability).await.unwrap();
            if let Link::Postgres(connection) = tx.link() {
                let (set, source): (String, String) = sqlx::query_as(SET).fetch_one(connection).await.unwrap();
                assert_eq!(set == "off" && source == "session", is_put_off, "{durability:?}: {set} by {source}");
            }
        }
    })
    .await;
}
