//! A project's quota, computed anew from the tables.

use std::collections::BTreeMap;

use model::ProjectId;
use store::Db;

/// Contents by their digests, and their bytes.
type Contents = BTreeMap<String, i64>;

/// What a project's quota says, and what it should say.
#[derive(Debug)]
pub struct Books {
    /// Bytes in use.
    pub used: i64,
    /// What is counted.
    pub counted: Contents,
    /// What artifacts that are alive are and need.
    pub needed: Contents,
    /// What repositories that are alive hold.
    pub held: Contents,
}

const USED: &str = "SELECT 'used', used FROM quota WHERE project_id = $1";
const COUNTED: &str = "SELECT digest, size FROM project_content WHERE project_id = $1";
const NEEDED: &str = "SELECT digest, manifest_size FROM artifact WHERE project_id = $1 AND deleted_at IS NULL
    UNION SELECT b.digest, b.size FROM artifact a JOIN artifact_blob l ON l.artifact_id = a.id JOIN blob b ON b.id = l.blob_id
        WHERE a.project_id = $1 AND a.deleted_at IS NULL";
const HELD: &str =
    "SELECT DISTINCT b.digest, b.size FROM repository r JOIN repository_blob l ON l.repository_id = r.id JOIN blob b ON b.id = l.blob_id
    WHERE r.project_id = $1 AND r.deleted_at IS NULL";

/// The rows of a statement about a project.
pub async fn rows(db: &Db, sql: &'static str, project: ProjectId) -> Vec<(String, i64)> {
    match db {
        Db::Sqlite { readers, .. } => sqlx::query_as(sql).bind(project.get()).fetch_all(readers).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_as(sql).bind(project.get()).fetch_all(pool).await.unwrap(),
    }
}

impl Books {
    pub async fn of(db: &Db, project: ProjectId) -> Self {
        let contents = async |sql| rows(db, sql, project).await.into_iter().collect::<Contents>();
        Self {
            used: rows(db, USED, project).await[0].1,
            counted: contents(COUNTED).await,
            needed: contents(NEEDED).await,
            held: contents(HELD).await,
        }
    }

    /// Every content counts once; what is needed counts; what counts is needed, or waits in a repository for its manifest.
    pub fn check(&self) {
        assert_eq!(self.used, self.counted.values().sum::<i64>(), "the sum: {self:#?}");
        for (digest, size) in &self.needed {
            assert_eq!(self.counted.get(digest), Some(size), "{digest} is needed: {self:#?}");
        }
        for digest in self.counted.keys() {
            assert!(self.needed.contains_key(digest) || self.held.contains_key(digest), "{digest} is nowhere: {self:#?}");
        }
    }
}
