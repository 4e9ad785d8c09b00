//! What may be remembered between requests: who owns it, how much, how long, and how it learns that something changed.
//!
//! Every entry carries the generation of its repository (or of all projects) from *before* it was read; a change that was committed raises the generation.
//! So an entry that was read while somebody wrote is never believed, whatever the order in which it was put here. Changes that other processes make
//! raise it too ([`crate::replicas`]), and nothing is believed by a process that does not hear them.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use model::{ArtifactId, ProjectId, RepositoryId};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Equivalent, OptionsBuilder, UnitWeighter, Weighter};
use store::project::ProjectRow;

use crate::immutable::Rules;
use crate::replicas::{Change, Replicas};

/// Counters, shared by all repositories whose id falls on the same one: a collision costs a read, never a wrong answer.
const SHARDS: usize = 4096;
/// Bytes of manifests.
const MANIFEST_BYTES: u64 = 24 << 20;
/// Bytes of rendered tag lists.
const TAG_LIST_BYTES: u64 = 8 << 20;
/// The parts of a cache, each with its own lock and its share of the room: few enough that the largest entry there can be (a manifest of 4 MiB) fits
/// into one.
const PARTS: usize = 4;
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

/// A value, the generation from before it was read, and when it was put here.
#[derive(Clone, Debug)]
struct Dated<T> {
    generation: u64,
    since: Instant,
    value: T,
}

impl<T> Dated<T> {
    fn new(generation: u64, value: T) -> Self {
        Self { generation, since: Instant::now(), value }
    }

    /// The value, if it was read under `generation` and not too long ago.
    fn of(self, generation: u64) -> Option<T> {
        (self.generation == generation && self.since.elapsed() < LIFETIME).then_some(self.value)
    }
}

/// A name inside something that has an id.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key<I>(I, Box<str>);

impl<I> Key<I> {
    fn new(id: I, name: &str) -> Self {
        Self(id, name.into())
    }
}

/// A [`Key`] to look up: nothing is copied for a look. Hashes as the key does.
#[derive(Hash)]
struct Asked<'a, I>(I, &'a str);

impl<I: PartialEq> Equivalent<Key<I>> for Asked<'_, I> {
    fn equivalent(&self, key: &Key<I>) -> bool {
        self.0 == key.0 && *self.1 == *key.1
    }
}

/// Bytes that an entry holds on to.
#[derive(Clone, Debug)]
struct Weight;

impl<I> Weighter<Key<I>, Dated<Arc<CachedManifest>>> for Weight {
    fn weight(&self, key: &Key<I>, entry: &Dated<Arc<CachedManifest>>) -> u64 {
        (entry.value.content.len() + key.1.len() + 512) as u64
    }
}

impl<I> Weighter<Key<I>, Dated<Bytes>> for Weight {
    fn weight(&self, key: &Key<I>, entry: &Dated<Bytes>) -> u64 {
        (entry.value.len() + key.1.len() + 256) as u64
    }
}

type Entries<K, T, W = UnitWeighter> = Cache<K, Dated<T>, W>;

/// Room for entries of a total weight, of which about `items` are expected.
fn cache<K: Eq + Hash, T: Clone, W: Weighter<K, Dated<T>> + Clone>(items: usize, room: u64, weighter: W) -> Entries<K, T, W> {
    let options = OptionsBuilder::new().shards(PARTS).estimated_items_capacity(items).weight_capacity(room).build();
    // Both capacities are given, which is all that can be missing.
    let options = options.expect("the capacities of a cache");
    Cache::with_options(options, weighter, DefaultHashBuilder::default(), DefaultLifecycle::default())
}

/// The caches of one process.
#[derive(Debug)]
pub struct Caches {
    replicas: Arc<Replicas>,
    generations: Box<[AtomicU64]>,
    project_generation: AtomicU64,
    projects: Entries<Box<str>, Arc<ProjectRow>>,
    absent_projects: Entries<Box<str>, ()>,
    immutable_rules: Entries<ProjectId, Arc<Rules>>,
    repositories: Entries<Key<ProjectId>, RepositoryId>,
    manifests: Entries<Key<RepositoryId>, Arc<CachedManifest>, Weight>,
    blobs: Entries<Key<RepositoryId>, u64>,
    tag_lists: Entries<Key<RepositoryId>, Bytes, Weight>,
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
        Self {
            replicas,
            generations: (0..SHARDS).map(|_| AtomicU64::new(0)).collect(),
            project_generation: AtomicU64::new(0),
            projects: cache(10_000, 10_000, UnitWeighter),
            absent_projects: cache(10_000, 10_000, UnitWeighter),
            immutable_rules: cache(10_000, 10_000, UnitWeighter),
            repositories: cache(50_000, 50_000, UnitWeighter),
            manifests: cache(8_000, MANIFEST_BYTES, Weight),
            blobs: cache(50_000, 50_000, UnitWeighter),
            tag_lists: cache(1_000, TAG_LIST_BYTES, Weight),
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
        entry.and_then(|d| d.of(self.generation(repository))).filter(|_| self.replicas.hears())
    }

    fn of_projects<T>(&self, entry: Option<Dated<T>>) -> Option<T> {
        entry.and_then(|d| d.of(self.project_generation())).filter(|_| self.replicas.hears())
    }

    /// A project by name.
    pub fn project(&self, name: &str) -> Option<Arc<ProjectRow>> {
        self.of_projects(self.projects.get(name))
    }

    /// Remembers a project that was read under `generation`.
    pub fn put_project(&self, generation: u64, row: Arc<ProjectRow>) {
        self.projects.insert(row.name.as_str().into(), Dated::new(generation, row));
    }

    /// Whether it is known that no project has this name.
    pub fn is_absent_project(&self, name: &str) -> bool {
        self.of_projects(self.absent_projects.get(name)).is_some()
    }

    /// Remembers that no project had this name under `generation`. Absences have room of their own: asking for many of them drives out no project.
    pub fn put_absent_project(&self, generation: u64, name: &str) {
        self.absent_projects.insert(name.into(), Dated::new(generation, ()));
    }

    /// The rules that make tags of a project immutable.
    pub fn immutable_rules(&self, project: ProjectId) -> Option<Arc<Rules>> {
        self.of_projects(self.immutable_rules.get(&project))
    }

    /// Remembers rules that were read under `generation` (of projects).
    pub fn put_immutable_rules(&self, generation: u64, project: ProjectId, rules: Arc<Rules>) {
        self.immutable_rules.insert(project, Dated::new(generation, rules));
    }

    /// The id of a published repository.
    pub fn repository(&self, project: ProjectId, name: &str) -> Option<RepositoryId> {
        self.of_projects(self.repositories.get(&Asked(project, name)))
    }

    /// Remembers a repository that was read under `generation` (of projects).
    pub fn put_repository(&self, generation: u64, project: ProjectId, name: &str, id: RepositoryId) {
        self.repositories.insert(Key::new(project, name), Dated::new(generation, id));
    }

    /// A manifest by tag or digest.
    pub fn manifest(&self, repository: RepositoryId, reference: &str) -> Option<Arc<CachedManifest>> {
        self.of_repository(self.manifests.get(&Asked(repository, reference)), repository)
    }

    /// Remembers a manifest.
    pub fn put_manifest(&self, generation: u64, repository: RepositoryId, reference: &str, manifest: Arc<CachedManifest>) {
        self.manifests.insert(Key::new(repository, reference), Dated::new(generation, manifest));
    }

    /// The size of a blob that the repository holds.
    pub fn blob(&self, repository: RepositoryId, digest: &str) -> Option<u64> {
        self.of_repository(self.blobs.get(&Asked(repository, digest)), repository)
    }

    /// Remembers a blob.
    pub fn put_blob(&self, generation: u64, repository: RepositoryId, digest: &str, size: u64) {
        self.blobs.insert(Key::new(repository, digest), Dated::new(generation, size));
    }

    /// A rendered page of the tag list; `page` names it.
    pub fn tag_list(&self, repository: RepositoryId, page: &str) -> Option<Bytes> {
        self.of_repository(self.tag_lists.get(&Asked(repository, page)), repository)
    }

    /// Remembers a page of the tag list.
    pub fn put_tag_list(&self, generation: u64, repository: RepositoryId, page: &str, body: Bytes) {
        self.tag_lists.insert(Key::new(repository, page), Dated::new(generation, body));
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
        assert_eq!((caches.blob(repository, "sha256:b"), caches.blob(RepositoryId(6), "sha256:a")), (None, None));
    }

    #[test]
    fn an_absence_ends_with_any_change_of_projects_and_has_its_bound() {
        let caches = Caches::default();
        let before = caches.project_generation();
        caches.put_absent_project(before, "nobodys");
        assert!(caches.is_absent_project("nobodys") && !caches.is_absent_project("others"));
        caches.projects_changed();
        caches.put_absent_project(before, "others");
        assert!(!caches.is_absent_project("nobodys") && !caches.is_absent_project("others"));
        for n in 0..30_000 {
            caches.put_absent_project(before, &n.to_string());
        }
        assert!(caches.absent_projects.len() <= 10_000);
    }

    #[test]
    fn an_entry_is_not_believed_for_ever() {
        let entry = Dated::new(1, ());
        assert_eq!((entry.clone().of(1), entry.clone().of(2)), (Some(()), None));
        let old = Dated { since: entry.since.checked_sub(LIFETIME).expect("the machine runs for a minute"), ..entry };
        assert_eq!(old.of(1), None);
    }

    #[test]
    fn the_largest_manifest_is_kept_and_the_room_is_bounded() {
        let caches = Caches::default();
        let put = |n: i64, bytes: usize| {
            let content = Bytes::from(vec![0; bytes]);
            let manifest = CachedManifest { artifact_id: ArtifactId(n), digest: String::new(), media_type: String::new(), content };
            caches.put_manifest(0, RepositoryId(n), "latest", Arc::new(manifest));
        };
        put(1, oci::limits::MAX_MANIFEST_BYTES);
        assert!(caches.manifest(RepositoryId(1), "latest").is_some());
        for n in 2..20 {
            put(n, oci::limits::MAX_MANIFEST_BYTES);
        }
        assert!(caches.manifests.weight() <= MANIFEST_BYTES);
    }
}
