//! What may be remembered between requests: who owns it, how much, how long, and how it learns that something changed.
//!
//! Every entry carries the generation of its repository (or of all projects) from *before* it was read; a change that was committed raises the generation.
//! So an entry that was read while somebody wrote is never believed, whatever the order in which it was put here. Changes that other processes make
//! raise it too ([`crate::replicas`]), and nothing is believed by a process that does not hear them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use model::{ArtifactId, ProjectId, RepositoryId};
use moka::sync::Cache;
use store::project::ProjectRow;

use crate::immutable::Rules;
use crate::replicas::{Change, Replicas};

/// Counters, shared by all repositories whose id falls on the same one: a collision costs a read, never a wrong answer.
const SHARDS: usize = 4096;
/// Bytes of manifests.
const MANIFEST_BYTES: u64 = 24 << 20;
/// No entry is believed longer: a bound for what nobody announces, such as a change by hand in the database.
const LIFETIME: Duration = Duration::from_secs(30);

/// A manifest as it is served.
#[derive(Debug)]
pub struct CachedManifest {
    /// The artifact.
    pub artifact_id: ArtifactId,
    /// Its digest, as text.
    pub digest: String,
    /// Media type.
    pub media_type: String,
    /// The exact bytes.
    pub content: Bytes,
}

#[derive(Clone, Debug)]
struct Dated<T> {
    generation: u64,
    value: T,
}

type ManifestKey = (RepositoryId, Box<str>);

/// The caches of one process.
#[derive(Debug)]
pub struct Caches {
    replicas: Arc<Replicas>,
    generations: Box<[AtomicU64]>,
    project_generation: AtomicU64,
    projects: Cache<Box<str>, Dated<Arc<ProjectRow>>>,
    immutable_rules: Cache<ProjectId, Dated<Arc<Rules>>>,
    repositories: Cache<(ProjectId, Box<str>), Dated<RepositoryId>>,
    manifests: Cache<ManifestKey, Dated<Arc<CachedManifest>>>,
    blobs: Cache<ManifestKey, Dated<u64>>,
    tag_lists: Cache<ManifestKey, Dated<Bytes>>,
}

impl Default for Caches {
    /// Of a process that is alone.
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

impl Caches {
    /// Empty ones.
    pub fn new(replicas: Arc<Replicas>) -> Self {
        let small = |n: u64| Cache::builder().max_capacity(n).time_to_live(LIFETIME);
        Self {
            replicas,
            generations: (0..SHARDS).map(|_| AtomicU64::new(0)).collect(),
            project_generation: AtomicU64::new(0),
            projects: small(10_000).build(),
            immutable_rules: Cache::builder().max_capacity(10_000).time_to_live(LIFETIME).build(),
            repositories: Cache::builder().max_capacity(50_000).time_to_live(LIFETIME).build(),
            manifests: Cache::builder()
                .max_capacity(MANIFEST_BYTES)
                .weigher(|k: &ManifestKey, v: &Dated<Arc<CachedManifest>>| {
                    (v.value.content.len() + k.1.len() + 256).try_into().unwrap_or(u32::MAX)
                })
                .time_to_live(LIFETIME)
                .build(),
            blobs: Cache::builder().max_capacity(50_000).time_to_live(LIFETIME).build(),
            tag_lists: Cache::builder()
                .max_capacity(4 << 20)
                .weigher(|k: &ManifestKey, v: &Dated<Bytes>| (v.value.len() + k.1.len() + 128).try_into().unwrap_or(u32::MAX))
                .time_to_live(LIFETIME)
                .build(),
        }
    }

    pub(crate) fn replicas(&self) -> &Replicas {
        &self.replicas
    }

    fn shard(&self, repository: RepositoryId) -> &AtomicU64 {
        &self.generations[repository.get() as usize % SHARDS]
    }

    /// The generation to read under: ask before the database is read.
    pub fn generation(&self, repository: RepositoryId) -> u64 {
        self.shard(repository).load(Ordering::Acquire)
    }

    /// Content of a repository changed (call after the commit).
    pub fn repository_changed(&self, repository: RepositoryId) {
        self.forget_repository(repository);
        self.replicas.announce(Change::Repository(repository));
    }

    pub(crate) fn forget_repository(&self, repository: RepositoryId) {
        self.shard(repository).fetch_add(1, Ordering::AcqRel);
    }

    /// The generation to read projects and the names of repositories under.
    pub fn project_generation(&self) -> u64 {
        self.project_generation.load(Ordering::Acquire)
    }

    /// A project or its rules were made, changed or deleted, or a repository deleted (call after the commit).
    pub fn projects_changed(&self) {
        self.forget_projects();
        self.replicas.announce(Change::Projects);
    }

    pub(crate) fn forget_projects(&self) {
        self.project_generation.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn forget_everything(&self) {
        self.forget_projects();
        for generation in &self.generations {
            generation.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn of_repository<T>(&self, entry: Option<Dated<T>>, repository: RepositoryId) -> Option<T> {
        entry.filter(|d| d.generation == self.generation(repository) && self.replicas.hears()).map(|d| d.value)
    }

    fn of_projects<T>(&self, entry: Option<Dated<T>>) -> Option<T> {
        entry.filter(|d| d.generation == self.project_generation() && self.replicas.hears()).map(|d| d.value)
    }

    /// A project by name.
    pub fn project(&self, name: &str) -> Option<Arc<ProjectRow>> {
        self.of_projects(self.projects.get(name))
    }

    /// Remembers a project that was read under `generation`.
    pub fn put_project(&self, generation: u64, row: Arc<ProjectRow>) {
        self.projects.insert(row.name.as_str().into(), Dated { generation, value: row });
    }

    /// The rules that make tags of a project immutable.
    pub fn immutable_rules(&self, project: ProjectId) -> Option<Arc<Rules>> {
        self.of_projects(self.immutable_rules.get(&project))
    }

    /// Remembers rules that were read under `generation` (of projects).
    pub fn put_immutable_rules(&self, generation: u64, project: ProjectId, rules: Arc<Rules>) {
        self.immutable_rules.insert(project, Dated { generation, value: rules });
    }

    /// The id of a published repository.
    pub fn repository(&self, project: ProjectId, name: &str) -> Option<RepositoryId> {
        self.of_projects(self.repositories.get(&(project, name.into())))
    }

    /// Remembers a repository that was read under `generation` (of projects).
    pub fn put_repository(&self, generation: u64, project: ProjectId, name: &str, id: RepositoryId) {
        self.repositories.insert((project, name.into()), Dated { generation, value: id });
    }

    /// A manifest by tag or digest.
    pub fn manifest(&self, repository: RepositoryId, reference: &str) -> Option<Arc<CachedManifest>> {
        self.of_repository(self.manifests.get(&(repository, reference.into())), repository)
    }

    /// Remembers a manifest.
    pub fn put_manifest(&self, generation: u64, repository: RepositoryId, reference: &str, manifest: Arc<CachedManifest>) {
        self.manifests.insert((repository, reference.into()), Dated { generation, value: manifest });
    }

    /// The size of a blob that the repository holds.
    pub fn blob(&self, repository: RepositoryId, digest: &str) -> Option<u64> {
        self.of_repository(self.blobs.get(&(repository, digest.into())), repository)
    }

    /// Remembers a blob.
    pub fn put_blob(&self, generation: u64, repository: RepositoryId, digest: &str, size: u64) {
        self.blobs.insert((repository, digest.into()), Dated { generation, value: size });
    }

    /// A rendered page of the tag list; `page` names it.
    pub fn tag_list(&self, repository: RepositoryId, page: &str) -> Option<Bytes> {
        self.of_repository(self.tag_lists.get(&(repository, page.into())), repository)
    }

    /// Remembers a page of the tag list.
    pub fn put_tag_list(&self, generation: u64, repository: RepositoryId, page: &str, body: Bytes) {
        self.tag_lists.insert((repository, page.into()), Dated { generation, value: body });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_read_before_a_change_is_not_believed_after_it() {
        let caches = Caches::default();
        let repository = RepositoryId(5);
        let before = caches.generation(repository);
        caches.repository_changed(repository);
        caches.put_blob(before, repository, "sha256:a", 3);
        assert_eq!(caches.blob(repository, "sha256:a"), None);
        caches.put_blob(caches.generation(repository), repository, "sha256:a", 3);
        assert_eq!(caches.blob(repository, "sha256:a"), Some(3));
    }
}
