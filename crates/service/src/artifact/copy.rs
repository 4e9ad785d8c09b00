//! Copying an artifact with all that goes with it into another repository: rows in one transaction, the bytes are shared.

use model::permission::{Action, Allowed, Project, Resource};
use model::{ArtifactId, RepositoryId};
use oci::{Digest, Reference, RepositoryName, Tag};
use store::Link;

use super::{Artifacts, Named, Place, locate, refuse_cache};
use crate::audit::{self, Event};
use crate::authz::denial;
use crate::collision::retried;
use crate::immutable::{self, Act, Protected};
use crate::{Actor, Core, Error, NameOrId, Result, repository};

/// Artifacts that one copy takes along.
const MAX_TREE: usize = 5_000;

/// Where a copy comes from, as `project/path:tag` or `project/path@digest` says it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Source {
    name: RepositoryName,
    reference: Option<Reference>,
}

impl Source {
    /// `None` for a text that is no such thing.
    fn parse(text: &str) -> Option<Self> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse::<Digest>().ok()?)),
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag.parse::<Tag>().ok()?)),
            _ => (rest, None),
        };
        let reference = digest.map(Reference::Digest).or(tag.map(Reference::Tag));
        Some(Self { name: name.parse().ok()?, reference })
    }
}

impl Artifacts {
    /// Copies an artifact with its tags, children and accessories into a repository; the reference under which it is found there. Labels stay behind.
    ///
    /// # Errors
    /// 400 for a source that is none or not there, 401, 403 (also for an accessory, and when the quota does not allow it), 404, 405 in a project that
    /// caches another registry, 412 when an immutable tag would move.
    pub async fn copy(&self, actor: &Actor, project: &NameOrId, path: &str, from: &str) -> Result<String> {
        let (owner, allowed) = self.core.authz.project(actor, project, Resource::Artifact, Action::Create).await?;
        let shown: String = from.chars().take(512).collect();
        let source = Source::parse(from).ok_or_else(|| Error::bad_request(format!("invalid input: {shown}")))?;
        let gone = || Error::bad_request(format!("artifact {shown} not found"));
        let (place, reference) = self.source(actor, &source).await?.ok_or_else(gone)?;
        refuse_cache(&owner)?;
        let full_name = format!("{}/{path}", owner.name);
        if full_name.parse::<RepositoryName>().is_err() {
            return Err(Error::bad_request(format!("bad request: invalid repository name: {full_name}")));
        }
        let reference_text = reference.to_string();
        let copying = Copying { allowed: &allowed, path, full_name: &full_name, place: &place, source: &source, reference: &reference };
        let target = retried(|| self.copy_once(actor, &copying, &gone)).await?;
        self.core.caches.repository_changed(target);
        Ok(reference_text)
    }

    async fn copy_once(&self, actor: &Actor, copying: &Copying<'_>, gone: &impl Fn() -> Error) -> Result<RepositoryId> {
        let Copying { allowed, path, full_name, place, source, reference } = *copying;
        let (id, reference_text) = (NameOrId::Id(place.project.id), reference.to_string());
        let named = Named { project: &id, repository: source.name.rest().unwrap_or_default(), reference: &reference_text };
        let rules = immutable::rules(&self.core, allowed.id()).await?;
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        if !store::project::hold(link, allowed).await? {
            return Err(Error::not_found("the project is gone"));
        }
        let target = store::repository::find_or_create(link, allowed.id(), path, now).await?.id;
        // Held from here on: nobody else changes its artifacts and tags until this is over.
        store::repository::touch(link, target, now).await?;
        let found = locate(link, place, &named).await.map_err(|e| if e.status == 404 { gone() } else { e })?;
        if store::accessory::is_accessory(link, found.id).await? {
            return Err(Error::denied("the operation isn't supported for an artifact accessory"));
        }
        copy_tree(&self.core, link, (allowed, &rules.of(path)), target, found.id, now).await?;
        let resource = match reference {
            Reference::Tag(tag) => format!("{full_name}:{tag}"),
            Reference::Digest(digest) => format!("{full_name}@{digest}"),
        };
        let event = Event::pushed(allowed.id(), resource, full_name, &found.digest);
        audit::record(&self.core, link, actor, now, [event]).await?;
        tx.commit().await?;
        Ok(target)
    }

    /// The repository to copy from, if it is there and the caller may read it.
    async fn source(&self, actor: &Actor, source: &Source) -> Result<Option<(Place, Reference)>> {
        let (Some(project), Some(path), Some(reference)) = (source.name.project(), source.name.rest(), &source.reference) else {
            return Ok(None);
        };
        let Some(project) = self.core.authz.project_by_name(project).await? else {
            return Ok(None);
        };
        // A refusal comes before anything is said about what is in the project.
        let allowed = self.core.authz.decide(actor, &project, Resource::Artifact, Action::Read).await?.map_err(denial)?;
        match repository::find(&self.core, &allowed, &project, path).await {
            Ok(repository) => Ok(Some((Place { project, allowed, repository }, reference.clone()))),
            Err(e) if e.status == 404 => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// What is copied where.
#[derive(Clone, Copy)]
struct Copying<'a> {
    allowed: &'a Allowed<Project>,
    path: &'a str,
    full_name: &'a str,
    place: &'a Place,
    source: &'a Source,
    reference: &'a Reference,
}

/// Copies the artifact and what goes with it into a repository that the transaction holds.
async fn copy_tree(
    core: &Core,
    link: &mut Link<'_>,
    (allowed, protected): (&Allowed<Project>, &Protected<'_>),
    repository: RepositoryId,
    id: ArtifactId,
    now: i64,
) -> Result<()> {
    let tree = store::artifact::tree_of(link, id, MAX_TREE).await?;
    if tree.len() > MAX_TREE {
        return Err(Error::bad_request(format!("an artifact with more than {MAX_TREE} others cannot be copied")));
    }
    // What is copied stays until the end; if some of it went since it was looked for, it is looked for again.
    if !store::artifact::keep(link, &tree).await? {
        return Err(store::Error::Conflict.into());
    }
    let project = allowed.id();
    let contents = store::artifact::contents_of(link, &tree).await?;
    crate::quota::charge(core, link, project, &contents).await?;
    let tags = store::artifact::tags_of(link, &tree).await?;
    let mut copies = std::collections::HashMap::with_capacity(tree.len());
    let mut new = Vec::new();
    for source in tree {
        let accessory = store::accessory::of(link, source).await?;
        let (copy, is_new) = store::artifact::copy_row(link, source, project, repository, now).await?;
        copies.insert(source, copy);
        if let Some((kind, subject)) = accessory {
            store::accessory::create(link, repository, copy, &subject, &kind, now).await?;
        }
        if is_new {
            store::artifact::arrived(link, repository, copy).await?;
            new.push((source, copy));
        }
    }
    // An index may be older than a child that it waited for, so all artifacts are there before they are linked.
    for (source, copy) in &new {
        store::artifact::copy_children(link, *source, *copy, repository).await?;
    }
    let sources: Vec<_> = new.iter().map(|(source, _)| *source).collect();
    for source in store::artifact::awaiting(link, &sources).await? {
        store::artifact::copy_awaited(link, source, copies[&source], repository).await?;
    }
    for tag in tags {
        if let Some(copy) = copies.get(&tag.artifact_id) {
            protected.set(link, (repository, *copy), &tag.name, Act::Update, now).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources() {
        let digest = Digest::sha256(b"x");
        let parsed = Source::parse(&format!("a/b@{digest}")).unwrap();
        assert_eq!((parsed.name.as_str(), parsed.reference), ("a/b", Some(Reference::Digest(digest.clone()))));
        assert_eq!(Source::parse("a/b/c:v1").unwrap().reference.map(|r| r.to_string()).as_deref(), Some("v1"));
        assert_eq!(Source::parse(&format!("a/b:v1@{digest}")).unwrap().reference, Some(Reference::Digest(digest)));
        assert_eq!(Source::parse("a/b").unwrap().reference, None);
        for bad in ["", "a/b:v1:v2", "a/b@sha256:abc", "a/B:v1", "a/b:", "a/b@", "a/../b:v1", "a//b:v1", "http://a/b:v1"] {
            assert_eq!(Source::parse(bad), None, "{bad}");
        }
    }
}
