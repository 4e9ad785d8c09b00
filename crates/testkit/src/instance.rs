//! All use cases on a database and a storage of their own, with no server around them: what tests of the rules begin with.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use model::api::{ProjectReq, UserCreationReq};
use model::{ProjectId, Secret};
use oci::route::RawReference;
use oci::{Digest, RepositoryName};
use serde_json::{Value, json};
use service::authn::Credentials;
use service::registry::{Chunk, ManifestPush, Pushed, Refused, Started, UploadRequest};
use service::seal::Seal;
use service::{Actor, Clock, Parts, Services, Settings, SystemClock, SystemIds, bootstrap};
use store::Db;
use tempfile::TempDir;

use crate::database::{SqliteDatabase, sqlite};

/// The password of `admin`.
pub const ADMIN_PASSWORD: &str = "Harbor12345";
/// The password of everybody else.
pub const PASSWORD: &str = "Passw0rd1";

/// The machine's clock, put forward by [`Instance::pass`].
#[derive(Debug, Default)]
pub struct ForwardClock(AtomicI64);

impl Clock for ForwardClock {
    fn micros(&self) -> i64 {
        SystemClock.micros() + self.0.load(Ordering::SeqCst)
    }
}

/// All use cases, and what they stand on.
pub struct Instance {
    /// The use cases.
    pub services: Services,
    /// The time they see.
    pub clock: Arc<ForwardClock>,
    /// The database.
    pub db: Db,
    /// Where the bytes are.
    pub blobs: TempDir,
    _database: Option<SqliteDatabase>,
}

impl Instance {
    /// One on SQLite, as it is installed.
    pub async fn open() -> Self {
        Self::with(Settings::default()).await
    }

    /// One on SQLite.
    pub async fn with(settings: Settings) -> Self {
        let database = sqlite().await;
        let instance = Self::on(database.db.clone(), settings).await;
        Self { _database: Some(database), ..instance }
    }

    /// One on an empty database that is there: [`crate::database::each`] has one of each engine.
    pub async fn on(db: Db, settings: Settings) -> Self {
        let blobs = tempfile::tempdir().expect("a temporary directory");
        let clock = Arc::new(ForwardClock::default());
        let services = services(&db, &blobs, &clock, settings).await;
        let leave = |_: &Secret| unreachable!("no password is generated");
        let first = bootstrap(&services, Some(&Secret::new(ADMIN_PASSWORD)), leave).await.expect("the first start");
        assert!(first.is_first && !first.is_generated);
        Self { services, clock, db, blobs, _database: None }
    }

    /// The use cases of another process on the same database and storage.
    pub async fn another(&self, settings: Settings) -> Services {
        services(&self.db, &self.blobs, &self.clock, settings).await
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// Who signs in with a name and a password: nobody, if they are wrong.
    pub async fn sign_in(&self, name: &str, password: &str) -> Actor {
        let credentials = Credentials { basic: Some((name, password)), ..Credentials::default() };
        self.services.authenticate(credentials).await.expect("an answer")
    }

    /// `admin`, signed in.
    pub async fn admin(&self) -> Actor {
        let admin = self.sign_in("admin", ADMIN_PASSWORD).await;
        assert!(admin.is_admin());
        admin
    }

    /// A new person, signed in.
    pub async fn user(&self, name: &str) -> Actor {
        let account = UserCreationReq {
            username: name.into(),
            email: format!("{name}@example.com"),
            realname: name.into(),
            comment: String::new(),
            password: Secret::new(PASSWORD),
        };
        self.services.users.create(&self.admin().await, &account, false).await.expect("an account");
        self.sign_in(name, PASSWORD).await
    }

    /// A new project.
    pub async fn project(&self, owner: &Actor, name: &str) -> ProjectId {
        let project = ProjectReq { project_name: name.into(), ..ProjectReq::default() };
        self.services.projects.create(owner, project).await.expect("a project")
    }

    /// Uploads a blob; its descriptor, without a media type.
    ///
    /// # Errors
    /// The refusal.
    pub async fn upload(&self, actor: &Actor, repository: &str, content: &[u8]) -> service::Result<Value> {
        let (name, digest) = (name(repository), Digest::sha256(content));
        let started = self.services.registry.start_upload(actor, &name, &UploadRequest::default()).await?;
        let Started::Open(upload) = started else { unreachable!("nothing was to be mounted") };
        let body = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::copy_from_slice(content))]);
        let chunk = Chunk { range: None, length: Some(content.len() as u64) };
        match self.services.registry.finish_upload(actor, &name, &upload, Some(digest.as_str()), chunk, body).await {
            Ok(_) => Ok(json!({"digest": digest.as_str(), "size": content.len()})),
            Err(Refused::Error(error)) => Err(error),
            Err(Refused::OutOfOrder(progress)) => panic!("somebody else wrote to the upload: {progress:?}"),
        }
    }

    /// Pushes a manifest under a tag, or under its digest.
    ///
    /// # Errors
    /// The refusal.
    pub async fn push(&self, actor: &Actor, repository: &str, reference: Option<&str>, manifest: &Value) -> service::Result<Pushed> {
        let content = Bytes::from(manifest.to_string());
        let reference = RawReference::new(reference.unwrap_or(Digest::sha256(&content).as_str()));
        let push = ManifestPush { reference: &reference, tags: &[], content_type: manifest["mediaType"].as_str(), content };
        self.services.registry.push_manifest(actor, &name(repository), &push).await
    }
}

fn name(repository: &str) -> RepositoryName {
    repository.parse().expect("the name of a repository")
}

async fn services(db: &Db, blobs: &TempDir, clock: &Arc<ForwardClock>, settings: Settings) -> Services {
    let parts = Parts {
        db: db.clone(),
        blobs: blob::BlobStore::filesystem(blobs.path()).await.expect("a storage"),
        clock: clock.clone(),
        ids: Arc::new(SystemIds),
        settings,
        seal: Seal::new([7; 32]),
    };
    Services::open(parts).await.expect("the use cases")
}
