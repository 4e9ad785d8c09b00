//! What the pages of the portal show, each page in one call: a project with its repositories, a repository with its artifacts, an artifact with its
//! contents, and what the caller may do there. Only the portal calls it; the other doors ask for the parts.

use std::sync::Arc;

use model::list::{ListQuery, Page};
use model::permission::{Action, Resource};
use model::{ProjectId, api};
use store::project::ProjectRow;

use crate::artifact::{ArtifactFlags, Artifacts, Contents, Named, missing};
use crate::project::Projects;
use crate::repository::Repositories;
use crate::{Actor, Core, NameOrId, Result};

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Browse {
    core: Arc<Core>,
    projects: Projects,
    repositories: Repositories,
    artifacts: Artifacts,
}

/// What the caller may do in a project, for pages to offer; each use case asks again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Push to it.
    pub push: bool,
    /// Delete repositories of it.
    pub delete_repository: bool,
    /// Delete artifacts in it.
    pub delete_artifact: bool,
    /// Take tags from artifacts.
    pub delete_tag: bool,
}

/// The project that a page is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its id.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
    /// Whether everyone may pull.
    pub public: bool,
}

/// A project with its repositories.
#[derive(Clone, Debug)]
pub struct ProjectPage {
    /// The project.
    pub project: api::Project,
    /// What it holds and may hold, for who may see that.
    pub storage: Option<Storage>,
    /// A page of its repositories.
    pub repositories: Page<api::Repository>,
    /// What the caller may do in it.
    pub rights: Rights,
}

/// What a project holds and may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Bytes in use; every content counts once.
    pub used: u64,
    /// Bytes at most; none without a limit.
    pub limit: Option<u64>,
}

/// A repository with its artifacts.
#[derive(Clone, Debug)]
pub struct RepositoryPage {
    /// Where it is.
    pub owner: Owner,
    /// The repository.
    pub repository: api::Repository,
    /// A page of its artifacts.
    pub artifacts: Page<api::Artifact>,
    /// What the caller may do in its project.
    pub rights: Rights,
}

/// An artifact with its contents.
#[derive(Clone, Debug)]
pub struct ArtifactPage {
    /// Where it is.
    pub owner: Owner,
    /// The artifact with its tags and accessories.
    pub artifact: api::Artifact,
    /// What it is made of.
    pub contents: Contents,
    /// What the caller may do in its project.
    pub rights: Rights,
}

impl Browse {
    pub(crate) fn new(core: Arc<Core>, projects: Projects) -> Self {
        let (repositories, artifacts) = (Repositories::new(core.clone()), Artifacts::new(core.clone()));
        Self { core, projects, repositories, artifacts }
    }

    /// A project with a page of its repositories.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn project(&self, actor: &Actor, project: &NameOrId, query: &ListQuery) -> Result<ProjectPage> {
        let (row, _) = self.core.authz.project(actor, project, Resource::Repository, Action::List).await?;
        let named = NameOrId::Id(row.id);
        let shown = self.projects.get(actor, &named).await?;
        let repositories = self.repositories.list(actor, &named, query).await?;
        let storage = self.projects.quota(actor, &row).await?.map(|quota| Storage {
            used: u64::try_from(quota.used).unwrap_or_default(),
            // Below zero there is no limit.
            limit: u64::try_from(quota.hard).ok(),
        });
        Ok(ProjectPage { project: shown, storage, repositories, rights: self.rights(actor, &row).await? })
    }

    /// A repository with a page of its artifacts. Who may list both sees it; it tells nothing that the lists do not.
    ///
    /// # Errors
    /// 400 for a query that asks tags in a way they do not know, 401, 403, 404.
    pub async fn repository(&self, actor: &Actor, project: &NameOrId, repository: &str, query: &ListQuery) -> Result<RepositoryPage> {
        let (row, shown) = self.repositories.listed(actor, project, repository).await?;
        let flags = ArtifactFlags { tag: true, accessory: true, ..ArtifactFlags::default() };
        let named = NameOrId::Name(row.name.clone());
        let artifacts = self.artifacts.list(actor, &named, repository, query, flags).await?;
        Ok(RepositoryPage { repository: shown, artifacts, rights: self.rights(actor, &row).await?, owner: owner(&row) })
    }

    /// An artifact with what it is made of.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn artifact(&self, actor: &Actor, named: &Named<'_>) -> Result<ArtifactPage> {
        let flags = ArtifactFlags { tag: true, accessory: true, immutable_status: true, ..ArtifactFlags::default() };
        let artifact = self.artifacts.get(actor, named, flags).await?;
        // By digest from here on: the tag may move between the two.
        let exactly = Named { reference: &artifact.digest, ..*named };
        let contents = self.artifacts.contents(actor, &exactly).await?;
        let found = self.core.authz.find_project(named.project).await?;
        let row = found.ok_or_else(|| missing(&named.project.to_string(), named))?;
        Ok(ArtifactPage { artifact, contents, rights: self.rights(actor, &row).await?, owner: owner(&row) })
    }

    /// What the caller may do in a project: nothing is offered that would be refused for everybody, as pushes to a mirror are, and all changes
    /// while the system is read-only.
    async fn rights(&self, actor: &Actor, project: &ProjectRow) -> Result<Rights> {
        if self.core.settings().read_only {
            return Ok(Rights::default());
        }
        let may = async |resource, action| Ok::<_, crate::Error>(self.core.authz.decide(actor, project, resource, action).await?.is_ok());
        Ok(Rights {
            push: project.registry_id.is_none() && may(Resource::Repository, Action::Push).await?,
            delete_repository: may(Resource::Repository, Action::Delete).await?,
            delete_artifact: may(Resource::Artifact, Action::Delete).await?,
            delete_tag: may(Resource::Tag, Action::Delete).await?,
        })
    }
}

fn owner(project: &ProjectRow) -> Owner {
    Owner { id: project.id, name: project.name.clone(), public: project.is_public }
}
