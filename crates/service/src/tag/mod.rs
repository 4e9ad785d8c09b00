//! Tags of artifacts through the API: listing, setting, deleting. The REST door and the portal call it.

use std::sync::Arc;

use model::list::{ListQuery, Page};
use model::permission::{Action, Resource};
use model::{Instant, api};
use store::tag::TagRow;

use crate::artifact::{self, Named};
use crate::audit::{self, Event};
use crate::collision::retried;
use crate::immutable::{self, Act};
use crate::{Actor, Core, Error, Result};

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tags {
    core: Arc<Core>,
}

impl Tags {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// The tags of an artifact; `immutable_status` says whether rules protect them, too.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn list(&self, actor: &Actor, named: &Named<'_>, query: &ListQuery, immutable_status: bool) -> Result<Page<api::Tag>> {
        let place = artifact::place(&self.core, actor, named, Resource::Tag, Action::List).await?;
        let mut conn = self.core.db.read().await?;
        let link = &mut conn.link();
        let found = artifact::locate(link, &place, named).await?;
        let mut page = store::tag::list(link, found.id, query).await?.map(shown);
        drop(conn);
        if immutable_status {
            let rules = immutable::rules(&self.core, place.allowed.id()).await?;
            let protected = rules.of(named.repository);
            for tag in &mut page.items {
                tag.immutable = protected.holds(&tag.name);
            }
        }
        Ok(page)
    }

    /// Sets a tag that is not there yet.
    ///
    /// # Errors
    /// 400 for a name that is none, 401, 403, 404, 405 in a project that caches another registry, 409 when the repository has the tag.
    pub async fn create(&self, actor: &Actor, named: &Named<'_>, input: &api::NewTag) -> Result<()> {
        let place = artifact::place(&self.core, actor, named, Resource::Tag, Action::Create).await?;
        artifact::refuse_cache(&place.project)?;
        let name = &input.name;
        if name.parse::<oci::Tag>().is_err() {
            let shown: String = name.chars().take(256).collect();
            return Err(Error::bad_request(format!("bad request: invalid tag name: {shown}")));
        }
        retried(|| self.create_once(actor, &place, named, name)).await?;
        self.core.caches.repository_changed(place.repository);
        Ok(())
    }

    async fn create_once(&self, actor: &Actor, place: &artifact::Place, named: &Named<'_>, name: &str) -> Result<()> {
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        if !store::repository::lock(link, place.repository).await? {
            return Err(artifact::missing(&place.project.name, named));
        }
        let found = artifact::locate(link, place, named).await?;
        let taken = || Error::conflict(format!("tag {name} already exists under the repository {}", place.repository));
        // Asked first, so that the transaction goes on; the index has the last word.
        if store::tag::find(link, place.repository, name).await?.is_some() {
            return Err(taken());
        }
        store::tag::create(link, place.repository, found.id, name, now).await.map_err(|e| match e {
            store::Error::Duplicate => taken(),
            other => other.into(),
        })?;
        store::repository::touch(link, place.repository, now).await?;
        audit::record(&self.core, link, actor, now, [event(place, "create", named, name)]).await?;
        Ok(tx.commit().await?)
    }

    /// Deletes a tag of an artifact; the artifact stays.
    ///
    /// # Errors
    /// 401, 403, 404 also when the tag names another artifact, 412 when it is immutable.
    pub async fn delete(&self, actor: &Actor, named: &Named<'_>, tag: &str) -> Result<()> {
        let place = artifact::place(&self.core, actor, named, Resource::Tag, Action::Delete).await?;
        retried(|| self.delete_once(actor, &place, named, tag)).await?;
        self.core.caches.repository_changed(place.repository);
        Ok(())
    }

    async fn delete_once(&self, actor: &Actor, place: &artifact::Place, named: &Named<'_>, tag: &str) -> Result<()> {
        let rules = immutable::rules(&self.core, place.allowed.id()).await?;
        let protected = rules.of(named.repository);
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        if !store::repository::lock(link, place.repository).await? {
            return Err(artifact::missing(&place.project.name, named));
        }
        let found = artifact::locate(link, place, named).await?;
        if !store::tag::delete_of(link, found.id, tag, now).await? {
            return Err(Error::not_found(format!("tag {tag} attached to artifact {} not found", found.id)));
        }
        // It was there; nothing of this stays.
        if protected.holds(tag) {
            return Err(protected.refusal(tag, Act::Delete));
        }
        store::repository::touch(link, place.repository, now).await?;
        audit::record(&self.core, link, actor, now, [event(place, "delete", named, tag)]).await?;
        Ok(tx.commit().await?)
    }
}

fn event(place: &artifact::Place, operation: &'static str, named: &Named<'_>, tag: &str) -> Event {
    Event::new(place.allowed.id(), operation, "tag", format!("{}/{}:{tag}", place.project.name, named.repository))
}

fn shown(row: TagRow) -> api::Tag {
    api::Tag {
        id: row.id,
        repository_id: row.repository_id,
        artifact_id: row.artifact_id,
        name: row.name,
        push_time: Instant::from_micros(row.pushed_at),
        pull_time: row.pulled_at.map_or(Instant::ZERO_TIME, Instant::from_micros),
        immutable: false,
    }
}
