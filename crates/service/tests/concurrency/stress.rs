//! Everything at once, at random: pushes that share contents, mounts, copies, deletions. `BERTH_TEST_SEED` repeats what everybody tries to do.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use model::ProjectId;
use model::list::ListQuery;
use oci::route::{RawDigest, RawReference};
use oci::{Digest, Manifest};
use serde_json::{Value, json};
use service::artifact::Named;
use service::registry::{Chunk, ManifestPull, PulledManifest, Refused, Started, UploadRequest};
use service::{Actor, NameOrId, Services, Settings};
use testkit::database::each;
use testkit::instance::Instance;

use crate::books::{Books, rows};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const HEAD: ManifestPull<'static> = ManifestPull { head: true, user_agent: None, known: None };
const REPOSITORIES: [&str; 3] = ["app", "web", "deep/base"];
const IMAGES: u64 = 6;
const TASKS: u64 = 6;
const STEPS: usize = 30;
/// No task begins a step after this.
const LONGEST: Duration = Duration::from_secs(5);

/// Numbers that look random (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn repository(&mut self) -> &'static str {
        REPOSITORIES[self.roll(REPOSITORIES.len() as u64) as usize]
    }
}

/// A manifest that somebody may push, what it needs, and what goes and comes with it.
struct Candidate {
    manifest: Value,
    digest: String,
    blobs: Vec<Vec<u8>>,
    children: Vec<usize>,
    family: BTreeSet<String>,
}

impl Candidate {
    fn new(manifest: Value, blobs: Vec<Vec<u8>>, children: Vec<usize>) -> Self {
        let digest = Digest::sha256(manifest.to_string().as_bytes()).to_string();
        Self { manifest, family: BTreeSet::from([digest.clone()]), digest, blobs, children }
    }
}

fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": Digest::sha256(content).as_str(), "size": content.len()})
}

/// Images of shared layers, a signature of each, and indexes of neighbours.
fn candidates() -> Vec<Candidate> {
    let layer = |n: u64| format!("layer {}", n % 4).repeat(50).into_bytes();
    let mut all = Vec::new();
    for n in 0..IMAGES {
        let blobs = vec![format!(r#"{{"os":"linux","n":{}}}"#, n / 2).into_bytes(), layer(n), layer(n + 1)];
        let layers = [descriptor(LAYER, &blobs[1]), descriptor(LAYER, &blobs[2])];
        let image = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, &blobs[0]), "layers": layers});
        all.push(Candidate::new(image, blobs, Vec::new()));
    }
    for n in 0..IMAGES as usize {
        let blobs = vec![b"{}".to_vec()];
        let subject = descriptor(MANIFEST, all[n].manifest.to_string().as_bytes());
        let signature = json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.dev.cosign.artifact.sig.v1+json",
            "config": descriptor("application/vnd.oci.empty.v1+json", &blobs[0]), "layers": [], "subject": subject});
        let signature = Candidate::new(signature, blobs, Vec::new());
        let digest = signature.digest.clone();
        all[n].family.insert(digest);
        all.push(signature);
    }
    for n in 0..IMAGES as usize / 2 {
        let children = vec![n, n + 1];
        let entries: Vec<_> = children.iter().map(|&n| descriptor(MANIFEST, all[n].manifest.to_string().as_bytes())).collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
        let mut index = Candidate::new(index, Vec::new(), children);
        let family: Vec<String> = index.children.iter().flat_map(|&n| all[n].family.iter().cloned()).collect();
        index.family.extend(family);
        all.push(index);
    }
    all
}

/// Something that was acknowledged: from before it was asked for to after the answer.
struct Event {
    from: u64,
    to: u64,
    repository: &'static str,
    what: What,
}

enum What {
    /// This is there, and perhaps its family.
    Stored { digest: String, family: BTreeSet<String> },
    /// This is gone, and perhaps its family.
    Removed { digest: String, family: BTreeSet<String> },
    /// All is gone.
    Emptied,
}

struct World {
    instance: Instance,
    admin: Actor,
    project: ProjectId,
    north: NameOrId,
    candidates: Vec<Candidate>,
    moment: AtomicU64,
    events: Mutex<Vec<Event>>,
}

impl World {
    fn services(&self) -> &Services {
        &self.instance.services
    }

    fn now(&self) -> u64 {
        self.moment.fetch_add(1, Ordering::SeqCst)
    }

    /// Keeps what was acknowledged; a refusal may only be one of the caller's own.
    fn note<T>(&self, from: u64, repository: &'static str, answer: service::Result<T>, what: impl FnOnce() -> What) -> Option<T> {
        match answer {
            Ok(done) => {
                let event = Event { from, to: self.now(), repository, what: what() };
                self.events.lock().unwrap().push(event);
                Some(done)
            }
            Err(error) => {
                assert!(error.status < 500, "{error}");
                None
            }
        }
    }

    /// Mounts or uploads a blob.
    async fn put_blob(&self, repository: &str, from: Option<&str>, content: &[u8]) -> service::Result<()> {
        let (name, digest) = (format!("north/{repository}").parse().unwrap(), Digest::sha256(content));
        let from = from.map(|from| format!("north/{from}"));
        let request = UploadRequest { mount: from.as_ref().map(|_| digest.as_str()), from: from.as_deref(), ..UploadRequest::default() };
        let registry = &self.services().registry;
        let Started::Open(upload) = registry.start_upload(&self.admin, &name, &request).await? else { return Ok(()) };
        let body = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::copy_from_slice(content))]);
        match registry.finish_upload(&self.admin, &name, &upload, Some(digest.as_str()), Chunk::default(), body).await {
            Ok(_) => Ok(()),
            Err(Refused::Error(error)) => Err(error),
            Err(Refused::OutOfOrder(progress)) => panic!("nobody else writes to it: {progress:?}"),
        }
    }

    async fn push(&self, dice: &mut Dice, repository: &'static str, which: usize) {
        let candidate = &self.candidates[which];
        for child in &candidate.children {
            Box::pin(self.push(dice, repository, *child)).await;
        }
        for blob in &candidate.blobs {
            let from = (dice.roll(2) == 0).then(|| dice.repository());
            if let Err(error) = self.put_blob(repository, from, blob).await {
                assert!(error.status < 500, "{error}");
            }
        }
        let tag = format!("v{}", dice.roll(4));
        let tag = (dice.roll(3) == 0).then_some(tag.as_str());
        let from = self.now();
        let pushed = self.instance.push(&self.admin, &format!("north/{repository}"), tag, &candidate.manifest).await;
        let digest = candidate.digest.clone();
        self.note(from, repository, pushed, || What::Stored { family: BTreeSet::from([digest.clone()]), digest });
    }

    async fn step(&self, dice: &mut Dice) {
        let repository = dice.repository();
        let which = dice.roll(self.candidates.len() as u64) as usize;
        let candidate = &self.candidates[which];
        let (digest, family) = (candidate.digest.clone(), candidate.family.clone());
        let named = Named { project: &self.north, repository, reference: &digest };
        match dice.roll(12) {
            0..=5 => self.push(dice, repository, which).await,
            6 | 7 => {
                let source = format!("north/{}@{digest}", dice.repository());
                let from = self.now();
                let copied = self.services().artifacts.copy(&self.admin, &self.north, repository, &source).await;
                self.note(from, repository, copied, || What::Stored { digest: digest.clone(), family });
            }
            8 => {
                let from = self.now();
                let deleted = self.services().artifacts.delete(&self.admin, &named).await;
                self.note(from, repository, deleted, || What::Removed { digest: digest.clone(), family });
            }
            9 => {
                let (from, reference) = (self.now(), RawReference::new(&digest));
                let name = format!("north/{repository}").parse().unwrap();
                let deleted = self.services().registry.delete_manifest(&self.admin, &name, &reference).await;
                self.note(from, repository, deleted, || What::Removed { digest: digest.clone(), family });
            }
            10 => {
                let from = self.now();
                let deleted = self.services().repositories.delete(&self.admin, &self.north, repository).await;
                self.note(from, repository, deleted, || What::Emptied);
            }
            _ => {
                let Some(blob) = candidate.blobs.first() else { return };
                let (name, digest) = (format!("north/{repository}").parse().unwrap(), RawDigest::new(Digest::sha256(blob).as_str()));
                if let Err(error) = self.services().registry.delete_blob(&self.admin, &name, &digest).await {
                    assert!(error.status < 500, "{error}");
                }
            }
        }
    }

    /// The manifests that a process sees, by repository; each is whole.
    async fn seen(&self, services: &Services) -> BTreeSet<(&'static str, String)> {
        let mut seen = BTreeSet::new();
        for repository in REPOSITORIES {
            let name = format!("north/{repository}").parse().unwrap();
            for candidate in &self.candidates {
                let reference = RawReference::new(&candidate.digest);
                match services.registry.manifest(&self.admin, &name, &reference, HEAD).await {
                    Ok(PulledManifest { manifest, .. }) => {
                        let parsed = Manifest::parse(&manifest.content, Some(&manifest.media_type)).unwrap();
                        for blob in parsed.required_blobs() {
                            let digest = RawDigest::new(blob.digest.as_str());
                            let found = services.registry.blob(&self.admin, &name, &digest).await.expect("its blob");
                            assert_eq!(services.registry.open_blob(&found).await.expect("its bytes").size, blob.size);
                        }
                        for child in parsed.children() {
                            let reference = RawReference::new(child.digest.as_str());
                            services.registry.manifest(&self.admin, &name, &reference, HEAD).await.expect("its child");
                        }
                        seen.insert((repository, candidate.digest.clone()));
                    }
                    Err(error) => assert_eq!(error.status, 404, "{error}"),
                }
            }
        }
        seen
    }

    /// What must be there, and what must not, by what was acknowledged and when.
    fn compare(&self, seen: &BTreeSet<(&'static str, String)>) -> (usize, usize) {
        let events = self.events.lock().unwrap();
        let (mut there, mut gone) = (0, 0);
        for repository in REPOSITORIES {
            let here: Vec<_> = events.iter().filter(|e| e.repository == repository).collect();
            for candidate in &self.candidates {
                let digest = &candidate.digest;
                let stores = |e: &Event| matches!(&e.what, What::Stored { family, .. } if family.contains(digest));
                let stored = |e: &Event| matches!(&e.what, What::Stored { digest: d, .. } if d == digest);
                let removes = |e: &Event| match &e.what {
                    What::Removed { family, .. } => family.contains(digest),
                    What::Emptied => true,
                    What::Stored { .. } => false,
                };
                let removed = |e: &Event| match &e.what {
                    What::Removed { digest: d, .. } => d == digest,
                    What::Emptied => true,
                    What::Stored { .. } => false,
                };
                let last_removal = here.iter().filter(|e| removes(e)).map(|e| e.to).max();
                let last_storing = here.iter().filter(|e| stores(e)).map(|e| e.to).max();
                let is_seen = seen.contains(&(repository, digest.clone()));
                if here.iter().any(|e| stored(e) && last_removal.is_none_or(|end| end < e.from)) {
                    there += 1;
                    assert!(is_seen, "{repository}@{digest} was stored after everything that removes it");
                }
                if here.iter().any(|e| removed(e) && last_storing.is_none_or(|end| end < e.from)) {
                    gone += 1;
                    assert!(!is_seen, "{repository}@{digest} was removed after everything that stores it");
                }
            }
        }
        (there, gone)
    }

    /// Deletes the blobs that no manifest needs: then exactly what is needed counts.
    async fn sweep_blobs(&self) -> Books {
        let books = Books::of(&self.instance.db, self.project).await;
        books.check();
        for repository in REPOSITORIES {
            let name = format!("north/{repository}").parse().unwrap();
            for digest in books.held.keys() {
                let digest = RawDigest::new(digest);
                if let Err(error) = self.services().registry.delete_blob(&self.admin, &name, &digest).await {
                    assert!(matches!(error.status, 404 | 405), "{error}");
                }
            }
        }
        let books = Books::of(&self.instance.db, self.project).await;
        books.check();
        assert_eq!(books.counted, books.needed);
        books
    }
}

/// Accessories whose subject is there and who do not know it.
const STRANGERS: &str = "SELECT y.subject_digest, y.id FROM accessory y JOIN artifact a ON a.id = y.artifact_id AND a.deleted_at IS NULL
    JOIN artifact s ON s.repository_id = y.repository_id AND s.digest = y.subject_digest AND s.deleted_at IS NULL
    WHERE a.project_id = $1 AND (y.subject_id IS NULL OR y.subject_id <> s.id)";

fn seed() -> u64 {
    let given = std::env::var("BERTH_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| RandomState::new().build_hasher().finish() >> 32)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_happens_at_once_the_books_are_right_and_what_was_acknowledged_is_there() {
    let seed = seed();
    each(async |db| {
        eprintln!("BERTH_TEST_SEED={seed} on {:?}", db.engine());
        let instance = Instance::on(db, Settings::default()).await;
        let admin = instance.admin().await;
        let project = instance.project(&admin, "north").await;
        let world = Arc::new(World {
            instance,
            admin,
            project,
            north: NameOrId::Name("north".into()),
            candidates: candidates(),
            moment: AtomicU64::new(0),
            events: Mutex::default(),
        });
        let begun = Instant::now();
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let world = world.clone();
                let mut dice = Dice((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(task) | 1);
                tokio::spawn(async move {
                    for _ in 0..STEPS {
                        if begun.elapsed() < LONGEST {
                            world.step(&mut dice).await;
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let acknowledged = world.events.lock().unwrap().len();
        let seen = world.seen(world.services()).await;
        let (there, gone) = world.compare(&seen);
        eprintln!(
            "{acknowledged} acknowledged in {:?}; {} there, {there} of them for sure; {gone} gone for sure",
            begun.elapsed(),
            seen.len()
        );
        assert!(acknowledged > 20 && there > 0);
        assert_eq!(seen, world.seen(&world.instance.another(Settings::default()).await).await, "what is remembered is not what is");
        assert_eq!(rows(&world.instance.db, STRANGERS, project).await, []);
        let books = world.sweep_blobs().await;
        assert_eq!(books.used, books.needed.values().sum::<i64>());
        // Nothing is left when everything is deleted.
        let repositories = world.services().repositories.list(&world.admin, &world.north, &ListQuery::all()).await.unwrap();
        for repository in repositories.items {
            let path = repository.name.strip_prefix("north/").unwrap();
            world.services().repositories.delete(&world.admin, &world.north, path).await.unwrap();
        }
        let books = Books::of(&world.instance.db, project).await;
        assert_eq!((books.used, books.counted), (0, BTreeMap::new()));
    })
    .await;
}
