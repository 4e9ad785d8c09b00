//! Two changes that meet at the worst moment: one of them is stopped just before its commit, the other begins, and must wait for it.

use std::sync::Arc;
use std::time::Duration;

use model::api::PasswordReq;
use model::{ArtifactId, ProjectId, RepositoryId, Secret};
use oci::Digest;
use oci::route::RawDigest;
use serde_json::{Value, json};
use service::artifact::Named;
use service::registry::{Started, UploadRequest};
use service::{Actor, NameOrId, Settings};
use store::quota::Gone;
use store::{Link, Tx};
use testkit::database::each;
use testkit::instance::{ADMIN_PASSWORD, Instance, PASSWORD};
use tokio::task::JoinHandle;

use crate::books::Books;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const LAYER: &[u8] = b"a layer that several images have";

struct World {
    instance: Instance,
    admin: Actor,
    north: ProjectId,
}

impl World {
    async fn open(db: store::Db) -> Arc<Self> {
        let instance = Instance::on(db, Settings::default()).await;
        let admin = instance.admin().await;
        let north = instance.project(&admin, "north").await;
        Arc::new(Self { instance, admin, north })
    }

    /// Pushes an image of [`LAYER`]; its digest.
    async fn image(&self, repository: &str, tag: &str) -> Digest {
        let manifest = self.parts(repository).await;
        self.instance.push(&self.admin, repository, Some(tag), &manifest).await.unwrap().digest
    }

    /// Uploads what an image needs; its manifest.
    async fn parts(&self, repository: &str) -> Value {
        let mut config = self.instance.upload(&self.admin, repository, b"{}").await.unwrap();
        config["mediaType"] = "application/vnd.oci.image.config.v1+json".into();
        let mut layer = self.instance.upload(&self.admin, repository, LAYER).await.unwrap();
        layer["mediaType"] = "application/vnd.oci.image.layer.v1.tar".into();
        json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]})
    }

    async fn begin(&self) -> Tx {
        self.instance.db.write().await.unwrap()
    }

    async fn repository(&self, link: &mut Link<'_>, path: &str) -> RepositoryId {
        store::repository::find(link, self.north, path).await.unwrap().unwrap().id
    }

    async fn artifact(&self, link: &mut Link<'_>, repository: RepositoryId, digest: &Digest) -> ArtifactId {
        store::artifact::find(link, repository, digest.as_str()).await.unwrap().unwrap().id
    }

    /// Deletes a repository as far as the commit.
    async fn delete_repository(&self, path: &str) -> Tx {
        let mut tx = self.begin().await;
        let link = &mut tx.link();
        let id = self.repository(link, path).await;
        assert!(store::repository::lock_alone(link, id).await.unwrap());
        store::repository::delete(link, self.north, id, 1).await.unwrap();
        tx
    }

    /// Deletes an artifact as far as the commit.
    async fn delete_artifact(&self, path: &str, digest: &Digest) -> Tx {
        let mut tx = self.begin().await;
        let link = &mut tx.link();
        let repository = self.repository(link, path).await;
        assert!(store::repository::lock(link, repository).await.unwrap());
        let artifact = self.artifact(link, repository, digest).await;
        store::artifact::delete(link, artifact, 1).await.unwrap();
        store::quota::release(link, self.north, Gone { artifacts: &[artifact], holds: &[] }).await.unwrap();
        tx
    }

    /// Whether a repository holds a blob, in the eyes of a process that remembers nothing.
    async fn holds(&self, repository: &str, content: &[u8]) -> bool {
        let services = self.instance.another(Settings::default()).await;
        let digest = RawDigest::new(Digest::sha256(content).as_str());
        match services.registry.blob(&self.admin, &repository.parse().unwrap(), &digest).await {
            Ok(found) => services.registry.open_blob(&found).await.unwrap().size == content.len() as u64,
            Err(error) => {
                assert_eq!(error.status, 404);
                false
            }
        }
    }

    async fn books(&self) -> Books {
        let books = Books::of(&self.instance.db, self.north).await;
        books.check();
        books
    }
}

/// Lets a change run into the one that `first` has open, and then the first one be over; the second's outcome.
async fn meet<T>(first: Tx, second: JoinHandle<T>) -> T {
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!second.is_finished(), "the second did not wait");
    first.commit().await.unwrap();
    second.await.unwrap()
}

#[tokio::test]
async fn an_upload_that_ends_while_its_repository_is_deleted_is_in_the_next_one() {
    each(async |db| {
        let world = World::open(db).await;
        world.image("north/app", "v1").await;
        let deletion = world.delete_repository("app").await;
        let of = world.clone();
        let upload = tokio::spawn(async move { of.instance.upload(&of.admin, "north/app", b"late").await });
        meet(deletion, upload).await.unwrap();
        assert!(world.holds("north/app", b"late").await);
        assert!(!world.holds("north/app", LAYER).await);
        assert_eq!(world.books().await.used, 4);
    })
    .await;
}

#[tokio::test]
async fn a_mount_that_ends_while_its_repository_is_deleted_is_in_the_next_one() {
    each(async |db| {
        let world = World::open(db).await;
        world.image("north/app", "v1").await;
        world.image("north/base", "v1").await;
        let deletion = world.delete_repository("app").await;
        let of = world.clone();
        let mount = tokio::spawn(async move {
            let digest = Digest::sha256(LAYER);
            let request = UploadRequest { mount: Some(digest.as_str()), from: Some("north/base"), ..UploadRequest::default() };
            of.instance.services.registry.start_upload(&of.admin, &"north/app".parse().unwrap(), &request).await
        });
        assert!(matches!(meet(deletion, mount).await.unwrap(), Started::Mounted(_)));
        assert!(world.holds("north/app", LAYER).await);
        world.books().await;
    })
    .await;
}

#[tokio::test]
async fn a_mount_from_what_is_deleted_meanwhile_is_an_upload() {
    each(async |db| {
        let world = World::open(db).await;
        world.instance.upload(&world.admin, "north/base", LAYER).await.unwrap();
        let mut deletion = world.begin().await;
        let link = &mut deletion.link();
        let base = world.repository(link, "base").await;
        let blob = store::blob::detach(link, base, Digest::sha256(LAYER).as_str()).await.unwrap().unwrap();
        store::quota::release(link, world.north, Gone { artifacts: &[], holds: &[blob] }).await.unwrap();
        let of = world.clone();
        let mount = tokio::spawn(async move {
            let digest = Digest::sha256(LAYER);
            let request = UploadRequest { mount: Some(digest.as_str()), from: Some("north/base"), ..UploadRequest::default() };
            of.instance.services.registry.start_upload(&of.admin, &"north/app".parse().unwrap(), &request).await
        });
        assert!(matches!(meet(deletion, mount).await.unwrap(), Started::Open(_)));
        assert_eq!(world.books().await.used, 0);
    })
    .await;
}

#[tokio::test]
async fn a_push_counts_what_a_deletion_gives_back_meanwhile() {
    each(async |db| {
        let world = World::open(db).await;
        let digest = world.image("north/app", "v1").await;
        let manifest = world.parts("north/web").await;
        let full = world.books().await.used;
        let deletion = world.delete_artifact("app", &digest).await;
        let of = world.clone();
        let push = tokio::spawn(async move { of.instance.push(&of.admin, "north/web", Some("v1"), &manifest).await });
        meet(deletion, push).await.unwrap();
        assert_eq!(world.books().await.used, full);
    })
    .await;
}

#[tokio::test]
async fn an_upload_counts_what_a_deletion_gives_back_meanwhile() {
    each(async |db| {
        let world = World::open(db).await;
        let digest = world.image("north/app", "v1").await;
        let deletion = world.delete_artifact("app", &digest).await;
        let of = world.clone();
        let upload = tokio::spawn(async move { of.instance.upload(&of.admin, "north/web", LAYER).await });
        meet(deletion, upload).await.unwrap();
        assert_eq!(world.books().await.used, LAYER.len() as i64);
    })
    .await;
}

#[tokio::test]
async fn a_deletion_leaves_counted_what_a_copy_needs_meanwhile() {
    each(async |db| {
        let world = World::open(db).await;
        let digest = world.image("north/app", "v1").await;
        let full = world.books().await.used;
        let mut copy = world.begin().await;
        let link = &mut copy.link();
        let app = world.repository(link, "app").await;
        let source = world.artifact(link, app, &digest).await;
        let web = store::repository::find_or_create(link, world.north, "web", 1).await.unwrap().id;
        store::repository::touch(link, web, 1).await.unwrap();
        let contents = store::artifact::contents_of(link, &[source]).await.unwrap();
        store::quota::count(link, world.north, &contents).await.unwrap();
        store::artifact::copy_row(link, source, world.north, web, 1).await.unwrap();
        let (of, doomed) = (world.clone(), digest.clone());
        let deletion = tokio::spawn(async move {
            let project = NameOrId::Name("north".into());
            let named = Named { project: &project, repository: "app", reference: doomed.as_str() };
            of.instance.services.artifacts.delete(&of.admin, &named).await
        });
        meet(copy, deletion).await.unwrap();
        assert_eq!(world.books().await.used, full);
        assert!(world.holds("north/web", LAYER).await);
    })
    .await;
}

#[tokio::test]
async fn a_subject_and_what_is_about_it_find_each_other_when_they_come_at_once() {
    each(async |db| {
        let world = World::open(db).await;
        let manifest = world.parts("north/app").await;
        let subject = Digest::sha256(manifest.to_string().as_bytes());
        let mut about = manifest.clone();
        about["subject"] = json!({"mediaType": MANIFEST, "digest": subject.as_str(), "size": manifest.to_string().len()});
        // A push of something else, so that both have to wait, and go on in whatever order.
        let mut other = world.begin().await;
        let link = &mut other.link();
        let app = world.repository(link, "app").await;
        store::repository::touch(link, app, 1).await.unwrap();
        let of = world.clone();
        let pushes = tokio::spawn(async move {
            let push = async |manifest: &Value| of.instance.push(&of.admin, "north/app", None, manifest).await.unwrap();
            tokio::join!(push(&manifest), push(&about))
        });
        meet(other, pushes).await;
        let project = NameOrId::Name("north".into());
        let named = Named { project: &project, repository: "app", reference: subject.as_str() };
        let about = world.instance.services.artifacts.accessories(&world.admin, &named, &model::list::ListQuery::all()).await.unwrap();
        assert_eq!(about.total, 1);
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_with_the_password_that_is_changed_meanwhile_begins_no_session() {
    each(async |db| {
        let world = World::open(db).await;
        let dana = world.instance.user("dana").await.user_id().expect("an account");
        let mut change = world.begin().await;
        let link = &mut change.link();
        assert!(store::user::set_secret_hash(link, dana, "of another password", 1).await.unwrap());
        store::session::delete_of(link, dana).await.unwrap();
        let of = world.clone();
        // The password was right a moment ago, and that is remembered.
        let sign_in = tokio::spawn(async move { of.instance.services.sessions.sign_in("dana", PASSWORD, None).await });
        assert_eq!(meet(change, sign_in).await.unwrap(), None);
        // One whose password is still what it was begins one.
        assert!(world.instance.services.sessions.sign_in("admin", ADMIN_PASSWORD, None).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn a_change_of_password_ends_the_session_that_begins_meanwhile() {
    each(async |db| {
        let world = World::open(db).await;
        let dana = world.instance.user("dana").await.user_id().expect("an account");
        let mut sign_in = world.begin().await;
        let link = &mut sign_in.link();
        assert!(store::user::hold_secret_hash(link, dana).await.unwrap().is_some());
        store::session::insert(link, b"token", dana, 1, i64::MAX).await.unwrap();
        let of = world.clone();
        let change = tokio::spawn(async move {
            let input = PasswordReq { old_password: Secret::new(""), new_password: Secret::new("NewPassw0rd") };
            of.instance.services.users.set_password(&of.admin, dana, &input).await
        });
        meet(sign_in, change).await.unwrap();
        let mut conn = world.instance.db.read().await.unwrap();
        assert!(store::session::find(&mut conn.link(), b"token", 2).await.unwrap().is_none());
    })
    .await;
}
