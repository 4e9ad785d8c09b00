//! The registry's use cases: what the distribution protocol may do with repositories, blobs, uploads, manifests and tags.
//! The /v2 door calls it with parsed operations; errors carry the protocol's codes, or Harbor's where Harbor uses its own.

mod blob;
mod config;
mod delete;
mod icon;
mod keep;
mod kind;
mod lists;
mod pull;
mod push;
mod sweep;
mod turn;
mod upload;

use std::sync::Arc;

use model::RepositoryId;
use model::permission::{Action, Allowed, Project, Resource};
use oci::RepositoryName;
use store::project::ProjectRow;

use crate::answers::Answers;
use crate::{Actor, Core, Error, NameOrId, Result};

pub use blob::BlobFound;
pub(crate) use delete::{Doomed, delete_artifact};
pub use lists::{ReferrersPage, TagPage};
pub use pull::{ManifestPull, PulledManifest};
pub use push::{ManifestPush, Pushed};
pub use sweep::Swept;
pub use turn::Turns;
pub use upload::{Chunk, Progress, Refused, Started, UploadRequest};

/// Bytes of pages of the catalog that are remembered.
const CATALOG_BYTES: u64 = 4 << 20;

/// The registry of one instance.
#[derive(Clone, Debug)]
pub struct Registry {
    core: Arc<Core>,
    catalogs: Arc<Answers<TagPage>>,
}

/// A repository that the caller may use in the way asked, whether it exists already or not.
#[derive(Debug)]
pub struct Target<'a> {
    /// Proof of the permission, and the project's id.
    pub allowed: Allowed<Project>,
    /// The project.
    pub project: Arc<ProjectRow>,
    /// `project/path`.
    pub full_name: &'a str,
    /// The path inside the project.
    pub path: &'a str,
}

/// Which way a repository is to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Read.
    Pull,
    /// Write.
    Push,
    /// Remove.
    Delete,
}

impl Use {
    /// The word in tokens and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
        }
    }

    fn action(self) -> Action {
        match self {
            Self::Pull => Action::Pull,
            Self::Push => Action::Push,
            Self::Delete => Action::Delete,
        }
    }
}

/// A refusal to a caller who should sign in, worded as Harbor words it: the sentence stands twice.
pub(crate) fn unauthorized(sentence: &str) -> Error {
    Error::unauthorized(format!("{sentence}: {sentence}"))
}

fn unknown_project(name: &str) -> Error {
    let mut error = unauthorized(&format!("project {name} not found"));
    error.challenge = crate::error::Challenge::Empty;
    error
}

fn refused(name: &RepositoryName, way: Use) -> Error {
    unauthorized(&format!("unauthorized to access repository: {name}, action: {}", way.as_str()))
}

impl Registry {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        let catalogs = Arc::new(Answers::new(core.replicas.clone(), CATALOG_BYTES));
        Self { core, catalogs }
    }

    /// Whether the caller is somebody: the answer to `GET /v2/`, where clients learn how to sign in.
    pub fn ping(&self, actor: &Actor) -> Result<()> {
        if actor.is_anonymous() { Err(unauthorized("unauthorized")) } else { Ok(()) }
    }

    /// The answer to a read without any credentials, even in a public project: it starts with a token, and clients learn from this answer where.
    pub fn sign_in_first(&self) -> Error {
        unauthorized("authorize header needed to send HEAD to repository")
    }

    /// Whether the caller may use the repository in this way; asked before a body is read.
    pub async fn may(&self, actor: &Actor, name: &RepositoryName, way: Use) -> Result<()> {
        self.target(actor, name, way).await.map(drop)
    }

    /// Proves that the caller may use this repository in this way. Unknown projects and refused ones are both 401, as Harbor's; whoever may not see
    /// all projects does not learn from the words which of the two it was.
    async fn target<'a>(&self, actor: &Actor, name: &'a RepositoryName, way: Use) -> Result<Target<'a>> {
        let (Some(project_name), Some(path)) = (name.project(), name.rest()) else {
            return Err(Error::bad_request(format!("bad request: invalid repository name: {name}")));
        };
        let Some(project) = self.core.authz.project_by_name(project_name).await? else {
            Box::pin(self.core.authz.look_as_if_there(actor, &NameOrId::Name(project_name.to_owned()))).await?;
            return Err(if actor.is_admin() { unknown_project(project_name) } else { refused(name, way) });
        };
        let asked = Resource::Repository;
        match self.core.authz.repository(actor, &project, name.as_str(), asked, way.action()).await? {
            Ok(allowed) => Ok(Target { allowed, project, full_name: name.as_str(), path }),
            Err(_) => Err(refused(name, way)),
        }
    }

    /// The id of the target's repository, if a manifest was ever stored in it.
    async fn published(&self, target: &Target<'_>) -> Result<Option<RepositoryId>> {
        let project = target.allowed.id();
        if let Some(id) = self.core.caches.repository(project, target.path) {
            return Ok(Some(id));
        }
        // Boxed: what is rare does not make every request's future larger.
        Box::pin(self.read_published(target)).await
    }

    async fn read_published(&self, target: &Target<'_>) -> Result<Option<RepositoryId>> {
        let project = target.allowed.id();
        let generation = self.core.caches.project_generation();
        let mut conn = self.core.db.read().await?;
        let row = store::repository::find(&mut conn.link(), project, target.path).await?.filter(|r| r.is_published);
        if let Some(row) = &row {
            self.core.caches.put_repository(generation, project, target.path, row.id);
        }
        Ok(row.map(|r| r.id))
    }

    /// The target's repository, made if it is not there; it stays until the transaction ends, and so does its project.
    async fn hold_repository(&self, link: &mut store::Link<'_>, target: &Target<'_>, now: i64) -> Result<RepositoryId> {
        let project = target.allowed.id();
        let there = store::repository::find_staying(link, project, target.path).await?;
        // A project with something published in it is not deleted, so what stays keeps its project.
        if let Some(row) = &there
            && row.is_published
        {
            return Ok(row.id);
        }
        self.hold_project(link, target).await?;
        match there {
            Some(row) => Ok(row.id),
            None => Ok(store::repository::create(link, project, target.path, now).await?.id),
        }
    }

    /// Holds the target's project until the transaction ends: it may have been deleted since the target was proved.
    async fn hold_project(&self, link: &mut store::Link<'_>, target: &Target<'_>) -> Result<()> {
        match store::project::hold(link, &target.allowed).await? {
            true => Ok(()),
            false => Err(unknown_project(&target.project.name)),
        }
    }

    fn now(&self) -> i64 {
        self.core.clock.micros()
    }
}

/// A size as it is stored.
fn bytes(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
