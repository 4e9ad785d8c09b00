//! Blobs and uploads that no manifest came for: what they count, and what becomes of them.

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use model::{ProjectId, api};
use oci::Digest;
use oci::route::RawDigest;
use serde_json::json;
use service::registry::{Chunk, Started, Swept, UploadRequest};
use service::{Actor, NameOrId, Settings};
use testkit::database::each;
use testkit::instance::Instance;

const DAY: i64 = 24 * 3600;
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

struct World {
    instance: Instance,
    admin: Actor,
    north: ProjectId,
}

impl World {
    async fn open(db: store::Db, settings: Settings) -> Self {
        let instance = Instance::on(db, settings).await;
        let admin = instance.admin().await;
        let north = instance.project(&admin, "north").await;
        Self { instance, admin, north }
    }

    async fn upload(&self, repository: &str, content: &[u8]) -> serde_json::Value {
        self.instance.upload(&self.admin, repository, content).await.unwrap()
    }

    async fn delete_blob(&self, repository: &str, content: &[u8]) -> u16 {
        let digest = RawDigest::new(Digest::sha256(content).as_str());
        let deleted = self.instance.services.registry.delete_blob(&self.admin, &repository.parse().unwrap(), &digest).await;
        deleted.map_or_else(|error| error.status, |()| 202)
    }

    async fn delete_repository(&self, path: &str) {
        let project = NameOrId::Name("north".into());
        self.instance.services.repositories.delete(&self.admin, &project, path).await.unwrap();
    }

    async fn used(&self) -> i64 {
        let mut conn = self.instance.db.read().await.unwrap();
        store::quota::find(&mut conn.link(), self.north).await.unwrap().unwrap().used
    }

    /// Begins an upload and sends some of it.
    async fn begin(&self) -> String {
        let (registry, name) = (&self.instance.services.registry, "north/app".parse().unwrap());
        let started = registry.start_upload(&self.admin, &name, &UploadRequest::default()).await.unwrap();
        let Started::Open(upload) = started else { unreachable!("nothing was to be mounted") };
        let body = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"half of it"))]);
        registry.append(&self.admin, &name, &upload, Chunk::default(), body).await.unwrap();
        upload
    }

    async fn is_open(&self, upload: &str) -> bool {
        let status = self.instance.services.registry.upload_status(&self.admin, &"north/app".parse().unwrap(), upload).await;
        status.is_ok()
    }

    fn file(&self, upload: &str) -> PathBuf {
        self.instance.blobs.path().join("uploads").join(upload)
    }

    /// Makes the file look as if nobody had written to it since the clock's time but `seconds`.
    fn age(&self, upload: &str, seconds: i64) {
        let now = service::Clock::micros(&*self.instance.clock) / 1_000_000;
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(now - seconds).unwrap());
        File::options().write(true).create(true).truncate(false).open(self.file(upload)).unwrap().set_modified(time).unwrap();
    }

    async fn sweep(&self) -> (usize, usize) {
        let Swept { abandoned, orphans } = self.instance.services.registry.sweep_uploads().await.unwrap();
        (abandoned, orphans)
    }
}

#[tokio::test]
async fn a_deleted_blob_that_no_manifest_needs_does_not_count() {
    each(async |db| {
        let world = World::open(db, Settings::default()).await;
        world.upload("north/app", b"four").await;
        world.upload("north/web", b"four").await;
        assert_eq!(world.used().await, 4);
        // Another repository holds it, and may hold it for a manifest to come.
        assert_eq!(world.delete_blob("north/app", b"four").await, 202);
        assert_eq!(world.used().await, 4);
        assert_eq!(world.delete_blob("north/app", b"four").await, 404);
        assert_eq!(world.delete_blob("north/web", b"four").await, 202);
        assert_eq!(world.used().await, 0);
        // It comes again, and counts again.
        let mut config = world.upload("north/app", b"four").await;
        config["mediaType"] = "application/vnd.oci.image.config.v1+json".into();
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []});
        world.instance.push(&world.admin, "north/app", Some("v1"), &manifest).await.unwrap();
        let full = 4 + manifest.to_string().len() as i64;
        assert_eq!(world.used().await, full);
        // Needed there: it stays. Held elsewhere, too: that may end, and it counts as long as it is needed.
        assert_eq!(world.delete_blob("north/app", b"four").await, 405);
        world.upload("north/web", b"four").await;
        assert_eq!(world.delete_blob("north/web", b"four").await, 202);
        assert_eq!(world.used().await, full);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_repository_takes_along_what_was_uploaded_for_nothing() {
    each(async |db| {
        let world = World::open(db, Settings::default()).await;
        let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []});
        world.instance.push(&world.admin, "north/app", Some("v1"), &index).await.unwrap();
        world.upload("north/app", b"only here").await;
        world.upload("north/app", b"shared").await;
        world.upload("north/web", b"shared").await;
        world.delete_repository("app").await;
        assert_eq!(world.used().await, 6);
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_for_want_of_room_says_so_in_the_same_words() {
    each(async |db| {
        let world = World::open(db, Settings { storage_per_project: 10, ..Settings::default() }).await;
        let refusal = async |content: &[u8]| {
            let error = world.instance.upload(&world.admin, "north/app", content).await.unwrap_err();
            (error.status, error.message().to_owned())
        };
        let words = "which when updated to current usage of";
        let (status, message) = refusal(b"eleven byte").await;
        let expected = format!("adding 11 B of storage resource, {words} 0 B will exceed the configured upper limit of 10 B.");
        assert_eq!((status, message), (403, expected));
        world.upload("north/app", b"ten bytes!").await;
        let (status, message) = refusal(b"x").await;
        let expected = format!("subtracting 0 B of storage resource, {words} 10 B will exceed the configured upper limit of 10 B.");
        assert_eq!((status, message), (403, expected));
        // What was refused left no upload behind.
        world.instance.pass(400 * DAY);
        assert_eq!(world.sweep().await, (0, 0));
        let quota = api::QuotaUpdateReq { hard: Some([("storage".to_owned(), -1)].into()) };
        world.instance.services.quotas.update(&world.admin, 2, &quota).await.unwrap();
        world.upload("north/app", b"x").await;
    })
    .await;
}

#[tokio::test]
async fn r124_uploads_that_nobody_finishes_go_and_others_stay() {
    each(async |db| {
        let world = World::open(db, Settings { upload_lifetime: 7 * DAY, ..Settings::default() }).await;
        let (idle, written) = (world.begin().await, world.begin().await);
        world.age(&idle, 0);
        world.instance.pass(8 * DAY);
        let fresh = world.begin().await;
        world.age(&fresh, 0);
        // A long body is on its way: only the file tells.
        world.age(&written, 60);
        assert_eq!(world.sweep().await, (1, 0));
        assert_eq!((world.is_open(&idle).await, world.file(&idle).exists()), (false, false));
        for upload in [&written, &fresh] {
            assert!(world.is_open(upload).await && world.file(upload).exists());
        }
        assert_eq!(world.sweep().await, (0, 0));
    })
    .await;
}

#[tokio::test]
async fn files_that_a_crash_left_go_when_they_are_old_and_blobs_never() {
    each(async |db| {
        let world = World::open(db, Settings::default()).await;
        let (old, new, open) = (blob::UploadId::random().to_string(), blob::UploadId::random().to_string(), world.begin().await);
        world.age(&old, 2 * DAY);
        world.age(&new, 3600);
        world.age(&open, 3 * DAY);
        // A blob that no row names, and one that a row names.
        let stray = Digest::sha256(b"stray");
        world.instance.services.core.blobs.put(Bytes::from_static(b"stray"), &stray).await.unwrap();
        world.upload("north/app", b"kept").await;
        assert_eq!(world.sweep().await, (0, 1));
        assert!(!world.file(&old).exists() && world.file(&new).exists() && world.file(&open).exists());
        assert!(world.is_open(&open).await);
        for digest in [stray, Digest::sha256(b"kept")] {
            assert!(world.instance.services.core.blobs.stat(&digest).await.unwrap().is_some());
        }
    })
    .await;
}

#[tokio::test]
async fn a_project_has_so_many_uploads_open_and_abandoned_ones_make_room() {
    each(async |db| {
        let world = World::open(db, Settings::default()).await;
        let name: oci::RepositoryName = "north/app".parse().unwrap();
        let registry = &world.instance.services.registry;
        let begin =
            async || registry.start_upload(&world.admin, &name, &service::registry::UploadRequest::default()).await.map_err(|e| e.status);
        for _ in 0..1000 {
            assert!(begin().await.is_ok());
        }
        assert_eq!(begin().await.map(drop), Err(429));
        world.instance.pass(2 * 3600);
        assert!(begin().await.is_ok(), "nobody touched the others for an hour");
    })
    .await;
}
