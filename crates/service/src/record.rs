//! What pulls leave behind: counts, times and audit rows. Collected in memory and written in batches off the request path; a crash loses at most
//! the last [`INTERVAL`] (and what a busy database makes of it).

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
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
/// Rows that are looked at for others of the same kind.
const LOOKED_BACK: usize = 500;
/// Audit rows that wait for the database. Bounded: one that stays away must not eat the memory.
const MOST_ROWS: usize = 100_000;
/// Places to note pulls. Each thread keeps to one, so that threads do not wait for each other.
const PLACES: usize = 16;

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

/// The pulls of one reference by one caller.
#[derive(Debug)]
struct Noted {
    project_id: ProjectId,
    repository_id: RepositoryId,
    artifact_id: ArtifactId,
    tag: Option<Box<str>>,
    repository: Box<str>,
    digest: Box<str>,
    username: Box<str>,
    count: i64,
    last: i64,
    /// When those happened that the audit log is to have.
    audited: Vec<i64>,
}

impl Noted {
    fn first(pull: &Pull<'_>) -> Self {
        Self {
            project_id: pull.project_id,
            repository_id: pull.repository_id,
            artifact_id: pull.artifact_id,
            tag: pull.tag.map(Into::into),
            repository: pull.repository.into(),
            digest: pull.digest.into(),
            username: pull.username.into(),
            count: 0,
            last: pull.at,
            audited: Vec::new(),
        }
    }

    fn is(&self, artifact: ArtifactId, tag: Option<&str>, username: &str) -> bool {
        self.artifact_id == artifact && self.tag.as_deref() == tag && *self.username == *username
    }

    fn again(&mut self, at: i64, audited: bool) {
        self.count += 1;
        self.last = self.last.max(at);
        if audited && self.audited.len() < ROWS_PER_REFERENCE {
            self.audited.push(at);
        }
    }

    fn absorb(&mut self, other: Self) {
        self.count += other.count;
        self.last = self.last.max(other.last);
        self.audited.extend(other.audited);
    }

    fn resource(&self) -> String {
        match &self.tag {
            Some(tag) => format!("{}:{tag}", self.repository),
            None => format!("{}@{}", self.repository, self.digest),
        }
    }
}

/// Pulls by the hash of what they have in common; those whose hashes are equal by chance lie side by side. So nothing is copied to look one up.
type Notes = HashMap<u64, Vec<Noted>>;

/// Where some threads note pulls. On lines of its own: a neighbour's lock must not slow this one down.
#[derive(Default, Debug)]
#[repr(align(128))]
struct Place(Mutex<Notes>);

/// What is to be written.
#[derive(Default, Debug)]
struct Batch {
    pulls: HashMap<RepositoryId, i64>,
    artifacts: HashMap<ArtifactId, i64>,
    tags: HashMap<(RepositoryId, Box<str>), i64>,
    audit: Vec<AuditEntry>,
}

impl Batch {
    /// Adds the pulls of one reference by one caller, noted by all threads.
    fn add(&mut self, mut noted: Noted) {
        *self.pulls.entry(noted.repository_id).or_default() += noted.count;
        let pulled = self.artifacts.entry(noted.artifact_id).or_insert(noted.last);
        *pulled = noted.last.max(*pulled);
        if let Some(tag) = &noted.tag {
            let pulled = self.tags.entry((noted.repository_id, tag.clone())).or_insert(noted.last);
            *pulled = noted.last.max(*pulled);
        }
        noted.audited.sort_unstable();
        noted.audited.truncate(ROWS_PER_REFERENCE);
        self.audit.extend(noted.audited.iter().map(|at| AuditEntry {
            project_id: noted.project_id,
            operation: "pull",
            resource_type: "artifact",
            resource: noted.resource(),
            description: format!("pull artifact: {}@{}", noted.repository, noted.digest),
            succeeded: true,
            username: noted.username.to_string(),
            op_time: *at,
        }));
    }
}

#[derive(Debug, Default)]
struct Collected {
    hasher: RandomState,
    places: [Place; PLACES],
    /// What could not be written the last time.
    unwritten: Mutex<Batch>,
}

impl Collected {
    fn note(&self, pull: &Pull<'_>) {
        let hash = self.hasher.hash_one((pull.artifact_id, pull.tag, pull.username));
        let mut notes = self.places[place()].0.lock().unwrap_or_else(PoisonError::into_inner);
        let alike = notes.entry(hash).or_default();
        let known = alike.iter().position(|noted| noted.is(pull.artifact_id, pull.tag, pull.username));
        let at = known.unwrap_or_else(|| {
            alike.push(Noted::first(pull));
            alike.len() - 1
        });
        alike[at].again(pull.at, pull.audited);
    }

    /// Everything that was noted, and what could not be written before. The audit rows are in the order in which they happened.
    fn take(&self) -> Batch {
        let mut all = Notes::default();
        for place in &self.places {
            let notes = std::mem::take(&mut *place.0.lock().unwrap_or_else(PoisonError::into_inner));
            for (hash, alike) in notes {
                let merged = all.entry(hash).or_default();
                for noted in alike {
                    match merged.iter_mut().find(|m| m.is(noted.artifact_id, noted.tag.as_deref(), &noted.username)) {
                        Some(known) => known.absorb(noted),
                        None => merged.push(noted),
                    }
                }
            }
        }
        let mut batch = std::mem::take(&mut *self.unwritten.lock().unwrap_or_else(PoisonError::into_inner));
        all.into_values().flatten().for_each(|noted| batch.add(noted));
        batch.audit.sort_by_key(|row| row.op_time);
        batch
    }
}

/// This thread's place.
fn place() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % PLACES;
    }
    MINE.with(|mine| *mine)
}

/// Collects and writes.
#[derive(Clone, Debug)]
pub struct Recorder {
    db: Db,
    collected: Arc<Collected>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Recorder {
    /// A recorder that writes to this database once [`Recorder::run`] runs.
    pub fn new(db: Db) -> Self {
        Self { db, collected: Arc::default(), turn: Arc::default() }
    }

    /// Notes a pull. Never waits for the database.
    pub fn pull(&self, pull: &Pull<'_>) {
        self.collected.note(pull);
    }

    /// Notes something for the audit log that changed nothing in the database. Never waits for it.
    pub fn note(&self, entry: AuditEntry) {
        let mut batch = self.collected.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody fills the log, or pushes others out of it, by doing the same again and again.
        let is_alike =
            |row: &&AuditEntry| (&row.username, &row.resource, row.operation) == (&entry.username, &entry.resource, entry.operation);
        let alike = batch.audit.iter().rev().take(LOOKED_BACK).filter(is_alike).count();
        if batch.audit.len() < MOST_ROWS && alike < ROWS_PER_REFERENCE {
            batch.audit.push(entry);
        }
    }

    /// Writes what was collected. What cannot be written goes back and is tried with the next batch.
    pub async fn flush(&self) -> store::Result<()> {
        // One after the other: a stop waits for the batch that is being written.
        let turn = self.turn.clone().lock_owned().await;
        let batch = self.collected.take();
        if batch.pulls.is_empty() && batch.audit.is_empty() {
            return Ok(());
        }
        // On a task of its own: whoever goes away meanwhile takes nothing with him.
        let recorder = self.clone();
        let writing = tokio::spawn(async move {
            let _turn = turn;
            let written = recorder.write(&batch).await;
            if written.is_err() {
                recorder.give_back(batch);
            }
            written
        });
        match writing.await.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(written) => written,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime is ending.
            Err(Err(_)) => Ok(()),
        }
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
        tx.commit().await?;
        // Lists show counts, times and the log.
        self.db.changed();
        Ok(())
    }

    fn give_back(&self, old: Batch) {
        let mut batch = self.collected.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, count) in old.pulls {
            *batch.pulls.entry(id).or_default() += count;
        }
        for (id, at) in old.artifacts {
            batch.artifacts.entry(id).or_insert(at);
        }
        for (key, at) in old.tags {
            batch.tags.entry(key).or_insert(at);
        }
        let room = MOST_ROWS.saturating_sub(batch.audit.len());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pull(artifact: i64, tag: Option<&'static str>, username: &'static str, at: i64) -> Pull<'static> {
        Pull {
            project_id: ProjectId(1),
            repository_id: RepositoryId(2),
            artifact_id: ArtifactId(artifact),
            tag,
            repository: "library/a",
            digest: "sha256:x",
            username,
            audited: true,
            at,
        }
    }

    #[test]
    fn all_threads_pulls_are_counted_and_few_rows_tell_of_them() {
        let collected = Collected::default();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let collected = &collected;
                scope.spawn(move || (0..1000).for_each(|n| collected.note(&pull(3, Some("v1"), "dana", n * 8 + thread))));
            }
        });
        collected.note(&pull(3, None, "dana", 4));
        collected.note(&pull(3, Some("v1"), "evan", 1));
        collected.note(&Pull { audited: false, ..pull(4, Some("v2"), "evan", 9) });
        let batch = collected.take();
        assert_eq!(batch.pulls, HashMap::from([(RepositoryId(2), 8003)]));
        assert_eq!(batch.artifacts, HashMap::from([(ArtifactId(3), 7999), (ArtifactId(4), 9)]));
        assert_eq!(batch.tags, HashMap::from([((RepositoryId(2), "v1".into()), 7999), ((RepositoryId(2), "v2".into()), 9)]));
        assert!(batch.audit.is_sorted_by_key(|row| row.op_time));
        let rows = |resource: &str, name: &str| batch.audit.iter().filter(|r| r.resource == resource && r.username == name).count();
        let told = [rows("library/a:v1", "dana"), rows("library/a:v1", "evan"), rows("library/a@sha256:x", "dana"), batch.audit.len()];
        assert_eq!(told, [ROWS_PER_REFERENCE, 1, 1, ROWS_PER_REFERENCE + 2]);
        assert!(collected.take().pulls.is_empty());
    }
}
