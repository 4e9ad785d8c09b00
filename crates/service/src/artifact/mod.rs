//! Artifacts through the API: listing, reading, deleting, copying, their additions and icons (registry reference 6.4 and 6.5). The REST door and the
//! portal call it; tags and labels find artifacts with it.

mod addition;
mod chart;
mod contents;
mod copy;
mod icon;
mod model_package;
mod processor;
mod query;
mod shown;

use std::num::NonZero;
use std::sync::Arc;

use model::list::{ListQuery, Page};
use model::permission::{Action, Allowed, Project, Resource};
use model::{ArtifactId, Instant, RepositoryId, api};
use oci::Reference;
use store::Link;
use store::accessory::AccessoryRow;
use store::artifact::{ListedArtifact, Scope, With};
use store::project::ProjectRow;
use tokio::sync::Semaphore;

use crate::collision::retried;
use crate::{Actor, Core, Error, NameOrId, Result, immutable, registry, repository};

pub use addition::{Addition, AdditionBody};
pub use contents::{BuildStep, Contents, ContentsChild, Layer, Subject};

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Artifacts {
    core: Arc<Core>,
    /// Turns of those who read whole contents: as many as the machine has cores.
    unpacking: Arc<Semaphore>,
}

/// An artifact as a path names it.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The project. Paths of the API have a name here, never an id.
    pub project: &'a NameOrId,
    /// The path inside the project.
    pub repository: &'a str,
    /// A tag or a digest.
    pub reference: &'a str,
}

/// What is read with an artifact besides its own facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArtifactFlags {
    /// Its tags.
    pub tag: bool,
    /// Whether rules protect its tags.
    pub immutable_status: bool,
    /// Its labels.
    pub label: bool,
    /// Its accessories.
    pub accessory: bool,
    /// The signatures of the index that it belongs to, if it has none of its own.
    pub inherited_accessory: bool,
}

impl ArtifactFlags {
    fn with(self) -> With {
        With { tags: self.tag, labels: self.label, accessories: self.accessory }
    }
}

/// A repository that the caller may use in the way asked.
#[derive(Debug)]
pub(crate) struct Place {
    /// The project.
    pub(crate) project: Arc<ProjectRow>,
    /// Proof of the permission, and the project's id.
    pub(crate) allowed: Allowed<Project>,
    /// The repository.
    pub(crate) repository: RepositoryId,
}

/// The gate for what happens to one artifact.
///
/// # Errors
/// 401, 403, 404.
pub(crate) async fn place(core: &Core, actor: &Actor, named: &Named<'_>, resource: Resource, action: Action) -> Result<Place> {
    let (project, allowed) = core.authz.project(actor, named.project, resource, action).await?;
    let repository = repository::find(core, &allowed, &project, named.repository).await?;
    Ok(Place { project, allowed, repository })
}

/// The artifact in its repository: its id and digest.
///
/// # Errors
/// 404.
pub(crate) async fn locate(link: &mut Link<'_>, place: &Place, named: &Named<'_>) -> Result<Found> {
    let row = match named.reference.parse() {
        Ok(Reference::Digest(digest)) => store::artifact::find(link, place.repository, digest.as_str()).await?,
        Ok(Reference::Tag(tag)) => store::artifact::find_by_tag(link, place.repository, tag.as_str()).await?,
        // Nothing has such a name.
        Err(_) => None,
    };
    let row = row.ok_or_else(|| missing(&place.project.name, named))?;
    Ok(Found { id: row.id, digest: row.digest })
}

/// An artifact that is there.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its id.
    pub(crate) id: ArtifactId,
    /// Its digest.
    pub(crate) digest: String,
}

/// Whether the reference is read as a digest; everything else is read as a tag.
fn is_digest(named: &Named<'_>) -> bool {
    matches!(named.reference.parse(), Ok(Reference::Digest(_)))
}

/// `artifact p/r:tag not found`.
pub(crate) fn missing(project: &str, named: &Named<'_>) -> Error {
    let separator = if is_digest(named) { '@' } else { ':' };
    let shown: String = named.reference.chars().take(256).collect();
    Error::not_found(format!("artifact {project}/{}{separator}{shown} not found", named.repository))
}

/// A project that caches another registry takes nothing from the API.
pub(crate) fn refuse_cache(project: &ProjectRow) -> Result<()> {
    match project.registry_id {
        None => Ok(()),
        Some(_) => {
            let message = format!("the operation isn't supported for the proxy project {}", project.name);
            Err(Error::new(model::error::ErrorCode::MethodNotAllowed, message))
        }
    }
}

impl Artifacts {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { core, unpacking: Arc::new(Semaphore::new(cores)) }
    }

    /// The artifacts of a repository. To who may list them, an absent repository or project is empty.
    ///
    /// # Errors
    /// 400 for a query that asks tags or labels in a way they do not know, 401, 403.
    pub async fn list(
        &self,
        actor: &Actor,
        project: &NameOrId,
        repository: &str,
        query: &ListQuery,
        flags: ArtifactFlags,
    ) -> Result<Page<api::Artifact>> {
        let named = Named { project, repository, reference: "" };
        let place = match place(&self.core, actor, &named, Resource::Artifact, Action::List).await {
            Err(e) if e.status == 404 => return Ok(Page::default()),
            other => other?,
        };
        self.page(&place.allowed, Scope::Repository(place.repository), query, flags, false).await
    }

    /// The artifacts of all repositories of a project; `latest` of each repository only the one that was pushed last, of those that match.
    ///
    /// # Errors
    /// 400 like [`Self::list`], and for `latest` without one type that is asked for; 401, 403, 404.
    pub async fn list_of_project(
        &self,
        actor: &Actor,
        project: &NameOrId,
        query: &ListQuery,
        flags: ArtifactFlags,
        latest: bool,
    ) -> Result<Page<api::Artifact>> {
        let (_, allowed) = self.core.authz.project(actor, project, Resource::Artifact, Action::List).await?;
        if actor.is_anonymous() {
            return Err(Error::unauthorized("unauthorized"));
        }
        if latest {
            query::check_one_type(query)?;
        }
        self.page(&allowed, Scope::Project(allowed.id()), query, flags, latest).await
    }

    async fn page(
        &self,
        allowed: &Allowed<Project>,
        scope: Scope,
        query: &ListQuery,
        flags: ArtifactFlags,
        latest: bool,
    ) -> Result<Page<api::Artifact>> {
        let mut filter = query::filter(query)?;
        filter.latest_in_repository = latest;
        let mut conn = self.core.db.read().await?;
        let link = &mut conn.link();
        let page = store::artifact::list(link, scope, &filter, flags.with(), query).await?;
        let mut items = complete(link, page.items, flags).await?;
        drop(conn);
        self.mark_immutable(allowed, &mut items, flags).await?;
        Ok(Page { total: page.total, items })
    }

    /// Says of tags whether rules protect them, if that is asked for.
    async fn mark_immutable(&self, allowed: &Allowed<Project>, artifacts: &mut [api::Artifact], flags: ArtifactFlags) -> Result<()> {
        if !flags.immutable_status {
            return Ok(());
        }
        let rules = immutable::rules(&self.core, allowed.id()).await?;
        for artifact in artifacts {
            let Some((_, path)) = artifact.repository_name.split_once('/') else { continue };
            let protected = rules.of(path);
            for tag in artifact.tags.iter_mut().flatten() {
                tag.immutable = protected.holds(&tag.name);
            }
        }
        Ok(())
    }

    /// One artifact.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn get(&self, actor: &Actor, named: &Named<'_>, flags: ArtifactFlags) -> Result<api::Artifact> {
        let place = place(&self.core, actor, named, Resource::Artifact, Action::Read).await?;
        let mut conn = self.core.db.read().await?;
        let link = &mut conn.link();
        let row = read(link, &place, named, flags.with()).await?;
        let mut shown = complete(link, vec![row], flags).await?;
        drop(conn);
        self.mark_immutable(&place.allowed, &mut shown, flags).await?;
        shown.pop().ok_or_else(|| missing(&place.project.name, named))
    }

    /// Deletes an artifact with all its tags; a tag in the path names the artifact, not only itself.
    ///
    /// # Errors
    /// 401, 403, 404, 412 while an index needs it or a tag of it is immutable.
    pub async fn delete(&self, actor: &Actor, named: &Named<'_>) -> Result<()> {
        let place = place(&self.core, actor, named, Resource::Artifact, Action::Delete).await?;
        retried(|| self.delete_once(actor, &place, named)).await?;
        self.core.caches.repository_changed(place.repository);
        Ok(())
    }

    async fn delete_once(&self, actor: &Actor, place: &Place, named: &Named<'_>) -> Result<()> {
        let rules = immutable::rules(&self.core, place.allowed.id()).await?;
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        if !store::repository::lock(link, place.repository).await? {
            return Err(missing(&place.project.name, named));
        }
        let found = locate(link, place, named).await?;
        let resource = format!("{}/{}@{}", place.project.name, named.repository, found.digest);
        let doomed = registry::Doomed {
            project: place.allowed.id(),
            repository: place.repository,
            artifact: found.id,
            resource,
            protected: &rules.of(named.repository),
        };
        registry::delete_artifact(&self.core, link, actor, doomed).await?;
        Ok(tx.commit().await?)
    }

    /// The accessories of an artifact.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn accessories(&self, actor: &Actor, named: &Named<'_>, query: &ListQuery) -> Result<Page<api::Accessory>> {
        let place = place(&self.core, actor, named, Resource::Accessory, Action::List).await?;
        let mut conn = self.core.db.read().await?;
        let link = &mut conn.link();
        let found = locate(link, &place, named).await?;
        Ok(store::accessory::list(link, found.id, query).await?.map(accessory))
    }
}

/// The artifact that is named, with the parts asked for.
async fn read(link: &mut Link<'_>, place: &Place, named: &Named<'_>, with: With) -> Result<ListedArtifact> {
    let row = match named.reference.parse() {
        Ok(Reference::Digest(digest)) => store::artifact::get_by_digest(link, place.repository, digest.as_str(), with).await?,
        Ok(Reference::Tag(tag)) => store::artifact::get_by_tag(link, place.repository, tag.as_str(), with).await?,
        // Nothing has such a name.
        Err(_) => None,
    };
    row.ok_or_else(|| missing(&place.project.name, named))
}

/// Rows as the API shows them, with what their indexes lend them if that is asked for.
async fn complete(link: &mut Link<'_>, rows: Vec<ListedArtifact>, flags: ArtifactFlags) -> Result<Vec<api::Artifact>> {
    let mut artifacts = rows.into_iter().map(shown::artifact).collect::<Result<Vec<_>>>()?;
    if flags.inherited_accessory && !artifacts.is_empty() {
        let ids: Vec<_> = artifacts.iter().map(|a| a.id).collect();
        for row in store::accessory::inherited(link, &ids).await? {
            if let Some(child) = artifacts.iter_mut().find(|a| a.id == row.child_id) {
                child.inherited_accessories.get_or_insert_default().push(accessory(row.accessory));
            }
        }
    }
    Ok(artifacts)
}

fn accessory(row: AccessoryRow) -> api::Accessory {
    api::Accessory {
        id: row.id,
        artifact_id: row.artifact_id,
        subject_artifact_id: ArtifactId(row.subject_id.unwrap_or_default()),
        subject_artifact_digest: row.subject_digest,
        subject_artifact_repo: row.repository_name,
        size: row.size,
        digest: row.digest,
        icon: icon::of_accessory(&row.kind).to_owned(),
        kind: row.kind,
        creation_time: Instant::from_micros(row.created_at),
    }
}
