//! What pulls leave behind: counts, times and audit rows. Collected in memory and written in batches off the request path; a crash loses at most
//! the last [`INTERVAL`] (and what a busy database makes of it).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{ArtifactId, ProjectId, RepositoryId};
use store::audit::AuditEntry;
use store::{Db, Durability};

/// How often the batch is written.
pub const INTERVAL: Duration = Duration::from_millis(500);

/// Audit rows that one caller can cause for one reference within one interval. More pulls of the same thing in half a second are a load test or
/// a broken client: they count, but the log says it only so often.
const ROWS_PER_REFERENCE: usize = 20;

/// A manifest was served.
#[derive(Debug)]
pub struct Pull<'a> {
    /// Project.
    pub project_id: ProjectId,
    /// Repository.
    pub repository_id: RepositoryId,
    /// Artifact.
    pub artifact_id: ArtifactId,
    /// The tag, when it was asked for by tag.
    pub tag: Option<&'a str>,
    /// `project/path`.
    pub repository: &'a str,
    /// Its digest.
    pub digest: &'a str,
    /// By whom.
    pub username: &'a str,
    /// Whether the audit log is to have it.
    pub audited: bool,
    /// Microseconds.
    pub at: i64,
}

/// What was pulled, by which tag, by whom.
type Seen = (ArtifactId, Option<Box<str>>, Box<str>);

#[derive(Default, Debug)]
struct Batch {
    pulls: HashMap<RepositoryId, i64>,
    artifacts: HashMap<ArtifactId, i64>,
    tags: HashMap<(RepositoryId, Box<str>), i64>,
    seen: HashMap<Seen, usize>,
    audit: Vec<AuditEntry>,
}

/// Collects and writes.
#[derive(Clone, Debug)]
pub struct Recorder {
    db: Db,
    batch: Arc<Mutex<Batch>>,
}

impl Recorder {
    /// A recorder that writes to this database once [`Recorder::run`] runs.
    pub fn new(db: Db) -> Self {
        Self { db, batch: Arc::default() }
    }

    /// Notes a pull. Never waits for the database.
    pub fn pull(&self, pull: &Pull<'_>) {
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        *batch.pulls.entry(pull.repository_id).or_default() += 1;
        batch.artifacts.insert(pull.artifact_id, pull.at);
        if let Some(tag) = pull.tag {
            batch.tags.insert((pull.repository_id, tag.into()), pull.at);
        }
        if !pull.audited {
            return;
        }
        let seen = batch.seen.entry((pull.artifact_id, pull.tag.map(Into::into), pull.username.into())).or_default();
        *seen += 1;
        if *seen <= ROWS_PER_REFERENCE {
            let resource = match pull.tag {
                Some(tag) => format!("{}:{tag}", pull.repository),
                None => format!("{}@{}", pull.repository, pull.digest),
            };
            batch.audit.push(AuditEntry {
                project_id: pull.project_id,
                operation: "pull",
                resource_type: "artifact",
                resource,
                username: pull.username.to_owned(),
                op_time: pull.at,
            });
        }
    }

    /// Writes what was collected. What cannot be written goes back and is tried with the next batch.
    pub async fn flush(&self) -> store::Result<()> {
        let batch = std::mem::take(&mut *self.batch.lock().unwrap_or_else(PoisonError::into_inner));
        if batch.pulls.is_empty() {
            return Ok(());
        }
        let written = self.write(&batch).await;
        if written.is_err() {
            self.give_back(batch);
        }
        written
    }

    async fn write(&self, batch: &Batch) -> store::Result<()> {
        let mut tx = self.db.begin(Durability::Relaxed).await?;
        // In the order of their ids, so that two replicas never wait for each other in a circle; artifacts, tags, repositories, as a push locks them.
        // Should it be in the way of somebody nevertheless, this batch is tried again, and no push fails.
        tx.give_way().await?;
        let mut artifacts: Vec<_> = batch.artifacts.iter().collect();
        artifacts.sort_unstable();
        for (id, at) in artifacts {
            store::artifact::set_pulled(&mut tx.link(), *id, *at).await?;
        }
        let mut tags: Vec<_> = batch.tags.iter().collect();
        tags.sort_unstable();
        for ((repository, name), at) in tags {
            store::tag::set_pulled(&mut tx.link(), *repository, name, *at).await?;
        }
        let mut repositories: Vec<_> = batch.pulls.iter().collect();
        repositories.sort_unstable();
        for (id, count) in repositories {
            store::repository::add_pulls(&mut tx.link(), *id, *count).await?;
        }
        store::audit::append(&mut tx.link(), &batch.audit).await?;
        tx.commit().await
    }

    fn give_back(&self, old: Batch) {
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, count) in old.pulls {
            *batch.pulls.entry(id).or_default() += count;
        }
        for (id, at) in old.artifacts {
            batch.artifacts.entry(id).or_insert(at);
        }
        for (key, at) in old.tags {
            batch.tags.entry(key).or_insert(at);
        }
        // Bounded: a database that stays away must not eat the memory.
        let room = 100_000_usize.saturating_sub(batch.audit.len());
        batch.audit.extend(old.audit.into_iter().take(room));
    }

    /// Writes every [`INTERVAL`] until the task is dropped.
    pub async fn run(self) {
        let mut tick = tokio::time::interval(INTERVAL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = self.flush().await {
                tracing::warn!(%error, "pulls could not be recorded yet; they will be tried again");
            }
        }
    }
}
