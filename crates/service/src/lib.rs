//! The rules: every use case of Berth once, behind one gate. The doors of `server` and the portal's server functions call it, each with one call.

pub mod actor;
pub mod answers;
pub mod artifact;
pub mod audit;
pub mod authn;
pub mod authz;
pub mod browse;
pub mod cache;
pub mod clock;
mod collision;
pub mod error;
pub mod group;
pub mod immutable;
pub mod label;
pub mod member;
mod picture;
pub mod project;
pub mod quota;
pub mod record;
pub mod registry;
pub mod replicas;
pub mod repository;
pub mod robot;
pub mod seal;
pub mod search;
pub mod session;
pub mod setting;
pub mod settings;
pub mod statistics;
pub mod system;
pub mod tag;
pub mod token;
pub mod token_service;
pub mod user;

use std::sync::Arc;

pub use actor::Actor;
pub use authz::NameOrId;
pub use clock::{Clock, Ids, SystemClock, SystemIds};
pub use error::{Error, Result};
pub use settings::Settings;
pub use user::{FirstStart, bootstrap};

use authz::Authz;
use cache::Caches;
use record::Recorder;
use seal::Seal;
use token::Tokens;

/// What every use case stands on.
#[derive(Debug)]
pub struct Core {
    /// The database.
    pub db: store::Db,
    /// The bytes.
    pub blobs: blob::BlobStore,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub ids: Arc<dyn Ids>,
    /// How this instance is set up; read it with [`Core::settings`].
    pub current_settings: Arc<settings::Current>,
    /// Seals secrets.
    pub seal: Seal,
    /// The other processes on the database.
    pub replicas: Arc<replicas::Replicas>,
    /// What is remembered.
    pub caches: Arc<Caches>,
    /// The gate.
    pub authz: Authz,
    /// Registry tokens.
    pub tokens: Tokens,
    /// Pulls.
    pub recorder: Recorder,
    /// One writer for each upload.
    pub turns: registry::Turns,
}

impl Core {
    /// The settings in force now.
    pub fn settings(&self) -> Arc<Settings> {
        self.current_settings.get()
    }
}

/// What [`Services::open`] is given.
#[derive(Debug)]
pub struct Parts {
    /// The database, migrated.
    pub db: store::Db,
    /// The bytes.
    pub blobs: blob::BlobStore,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub ids: Arc<dyn Ids>,
    /// Settings until administrators change them.
    pub settings: Settings,
    /// The instance's key.
    pub seal: Seal,
}

/// All use cases.
#[derive(Clone, Debug)]
pub struct Services {
    /// What they stand on.
    pub core: Arc<Core>,
    /// The distribution protocol.
    pub registry: registry::Registry,
    /// Tokens for it.
    pub token_service: token_service::TokenService,
    /// Who is calling.
    pub authn: authn::Authn,
    /// People in browsers.
    pub sessions: session::Sessions,
    /// People's accounts.
    pub users: user::Users,
    /// The system about itself.
    pub system: system::System,
    /// Repositories.
    pub repositories: repository::Repositories,
    /// Artifacts.
    pub artifacts: artifact::Artifacts,
    /// Tags.
    pub tags: tag::Tags,
    /// Labels.
    pub labels: label::Labels,
    /// The search.
    pub search: search::Search,
    /// Figures.
    pub statistics: statistics::Statistics,
    /// Projects.
    pub projects: project::Projects,
    /// Pages of the portal.
    pub browse: browse::Browse,
    /// Who belongs to them.
    pub members: member::Members,
    /// Rules that make tags immutable.
    pub immutable_rules: immutable::ImmutableRules,
    /// Groups of people.
    pub groups: group::Groups,
    /// Robot accounts.
    pub robots: robot::Robots,
    /// What projects may hold.
    pub quotas: quota::Quotas,
    /// What was done.
    pub audit: audit::Audit,
    /// Settings, and read-only mode.
    pub configuration: setting::Configuration,
}

impl Services {
    /// Builds the one instance of a process.
    pub async fn open(parts: Parts) -> Result<Self> {
        let Parts { db, blobs, clock, ids, settings, seal } = parts;
        let current_settings = Arc::new(settings::Current::new(settings));
        setting::load(&db, &current_settings).await?;
        let tokens = Tokens::open(&db, &seal, clock.clone(), ids.clone(), current_settings.clone()).await?;
        let replicas = Arc::new(replicas::Replicas::new(&db));
        let told = replicas.clone();
        let db = db.watched(move || told.announce(replicas::Change::Rows));
        let caches = Arc::new(Caches::new(replicas.clone()));
        let authz = Authz::new(db.clone(), caches.clone());
        let recorder = Recorder::new(db.clone());
        let core = Arc::new(Core {
            db,
            blobs,
            clock,
            ids,
            current_settings,
            seal,
            replicas,
            caches,
            authz,
            tokens,
            recorder,
            turns: registry::Turns::default(),
        });
        let authn = authn::Authn::new(core.clone());
        let sessions = session::Sessions::new(core.clone(), authn.clone());
        Ok(Self {
            registry: registry::Registry::new(core.clone()),
            token_service: token_service::TokenService::new(core.clone()),
            users: user::Users::new(core.clone(), authn.clone(), sessions.clone()),
            projects: project::Projects::new(core.clone(), authn.clone()),
            browse: browse::Browse::new(core.clone(), project::Projects::new(core.clone(), authn.clone())),
            members: member::Members::new(core.clone()),
            immutable_rules: immutable::ImmutableRules::new(core.clone()),
            groups: group::Groups::new(core.clone()),
            robots: robot::Robots::new(core.clone(), authn.clone()),
            quotas: quota::Quotas::new(core.clone()),
            configuration: setting::Configuration::new(core.clone()),
            audit: audit::Audit::new(core.clone()),
            authn,
            sessions,
            system: system::System::new(core.clone()),
            repositories: repository::Repositories::new(core.clone()),
            artifacts: artifact::Artifacts::new(core.clone()),
            tags: tag::Tags::new(core.clone()),
            labels: label::Labels::new(core.clone()),
            search: search::Search::new(core.clone()),
            statistics: statistics::Statistics::new(core.clone()),
            core,
        })
    }

    /// Writes what is still in memory. Call when nothing serves any more.
    pub async fn stop(&self) {
        if let Err(error) = self.core.recorder.flush().await {
            tracing::error!(%error, "the last pulls could not be recorded");
        }
        self.leave_replicas().await;
        self.core.db.close().await;
    }
}
