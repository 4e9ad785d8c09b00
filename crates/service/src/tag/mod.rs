//! Tags of artifacts through the API: listing, setting, deleting. The REST door and the portal call it.

use std::sync::Arc;

use model::list::{ListQuery, Page};
use model::permission::{Action, Resource};
use model::{Instant, api};
use store::audit::AuditEntry;
use store::tag::TagRow;

use crate::artifact::{self, Named};
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
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        let found = artifact::locate(link, &place, named).await?;
        if !store::artifact::hold(link, found.id).await? {
            return Err(artifact::missing(&place.project.name, named));
        }
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
        store::audit::append(link, &[entry(&place, actor, "create", named, name, now)]).await?;
        tx.commit().await?;
        self.core.caches.repository_changed(place.repository);
        Ok(())
    }

    /// Deletes a tag of an artifact; the artifact stays.
    ///
    /// # Errors
    /// 401, 403, 404 also when the tag names another artifact, 412 when it is immutable.
    pub async fn delete(&self, actor: &Actor, named: &Named<'_>, tag: &str) -> Result<()> {
        let place = artifact::place(&self.core, actor, named, Resource::Tag, Action::Delete).await?;
        let rules = immutable::rules(&self.core, place.allowed.id()).await?;
        let protected = rules.of(named.repository);
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        let found = artifact::locate(link, &place, named).await?;
        if !store::tag::delete_of(link, found.id, tag, now).await? {
            return Err(Error::not_found(format!("tag {tag} attached to artifact {} not found", found.id)));
        }
        // It was there; nothing of this stays.
        if protected.holds(tag) {
            return Err(protected.refusal(tag, Act::Delete));
        }
        store::repository::touch(link, place.repository, now).await?;
        store::audit::append(link, &[entry(&place, actor, "delete", named, tag, now)]).await?;
        tx.commit().await?;
        self.core.caches.repository_changed(place.repository);
        Ok(())
    }
}

fn entry(place: &artifact::Place, actor: &Actor, operation: &'static str, named: &Named<'_>, tag: &str, now: i64) -> AuditEntry {
    AuditEntry {
        project_id: place.allowed.id(),
        operation,
        resource_type: "tag",
        resource: format!("{}/{}:{tag}", place.project.name, named.repository),
        username: actor.name().to_owned(),
        op_time: now,
    }
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
