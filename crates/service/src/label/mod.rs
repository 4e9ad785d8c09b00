//! Labels: everybody's and those of projects, and putting them on artifacts (projects reference 7.5). The REST door and the portal call it.

use std::sync::Arc;

use model::list::{ListQuery, Op, Page, Term};
use model::permission::{Action, Resource};
use model::{Instant, ProjectId, api};
use store::label::{LabelRow, NewLabel};

use crate::artifact::{self, Named};
use crate::{Actor, Core, Error, NameOrId, Result};

/// Characters that a label's name may have.
const LONGEST_NAME: usize = 128;
/// Bytes that a description or a colour may have.
const LONGEST_TEXT: usize = 4096;

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Labels {
    core: Arc<Core>,
}

impl Labels {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Everybody's labels (`scope` `g`) for everybody, or those of one project (`p`) for who may list them. `name` is what their names contain.
    ///
    /// # Errors
    /// 400 for another scope or a missing project, 401, 403.
    pub async fn list(
        &self,
        actor: &Actor,
        scope: &str,
        project: Option<ProjectId>,
        name: Option<&str>,
        query: &ListQuery,
    ) -> Result<Page<api::Label>> {
        let project = match scope {
            "g" => None,
            "p" => {
                let id = project.filter(|id| id.get() > 0);
                let id = id.ok_or_else(|| Error::bad_request("must with project ID when to query project labels"))?;
                match self.core.authz.project(actor, &NameOrId::Id(id), Resource::Label, Action::List).await {
                    Ok((_, allowed)) => Some(allowed.id()),
                    // Who may know that it is not there gets an empty list.
                    Err(e) if e.status == 404 => return Ok(Page::default()),
                    Err(e) => return Err(e),
                }
            }
            other => return Err(Error::bad_request(format!("invalid scope: {}", other.chars().take(64).collect::<String>()))),
        };
        let mut query = query.clone();
        if let Some(name) = name.filter(|n| !n.is_empty()) {
            query.q.push(Term { key: "name".to_owned(), op: Op::Fuzzy(name.to_owned()) });
        }
        let mut conn = self.core.db.read().await?;
        Ok(store::label::list(&mut conn.link(), project, &query).await?.map(shown))
    }

    /// Makes a label; its id.
    ///
    /// # Errors
    /// 400 for a name or a scope that is none, 401, 403, 404, 409 when the name is taken there.
    pub async fn create(&self, actor: &Actor, input: &api::LabelReq) -> Result<i64> {
        let project = match input.scope.as_str() {
            "g" => {
                self.core.authz.system(actor, Resource::Label, Action::Create)?;
                ProjectId(0)
            }
            "p" if input.project_id.get() > 0 => {
                self.core.authz.project(actor, &NameOrId::Id(input.project_id), Resource::Label, Action::Create).await?.1.id()
            }
            "p" => return Err(Error::bad_request(format!("invalid project ID: {}", input.project_id))),
            _ => return Err(Error::bad_request("unsupported label scope")),
        };
        check(input)?;
        let new =
            NewLabel { name: &input.name, description: &input.description, color: &input.color, scope: &input.scope, project_id: project };
        let mut tx = self.core.db.write().await?;
        let id = store::label::insert(&mut tx.link(), &new, self.core.clock.micros()).await.map_err(|e| taken(e, &input.name))?;
        tx.commit().await?;
        Ok(id)
    }

    /// One label.
    ///
    /// # Errors
    /// 404 for everybody when it is not there, 401, 403.
    pub async fn get(&self, actor: &Actor, id: i64) -> Result<api::Label> {
        Ok(shown(self.permit(actor, id, Action::Read).await?))
    }

    /// Changes name, description and colour; where it lives stays.
    ///
    /// # Errors
    /// 404 for everybody when it is not there, 400, 401, 403, 409 when the name is taken there.
    pub async fn update(&self, actor: &Actor, id: i64, input: &api::LabelReq) -> Result<()> {
        self.permit(actor, id, Action::Update).await?;
        check(input)?;
        let mut tx = self.core.db.write().await?;
        let now = self.core.clock.micros();
        let changed = store::label::update(&mut tx.link(), id, &input.name, &input.description, &input.color, now).await;
        if !changed.map_err(|e| taken(e, &input.name))? {
            return Err(missing(id));
        }
        Ok(tx.commit().await?)
    }

    /// Deletes a label and takes it off all artifacts.
    ///
    /// # Errors
    /// 404 for everybody when it is not there, 401, 403.
    pub async fn delete(&self, actor: &Actor, id: i64) -> Result<()> {
        self.permit(actor, id, Action::Delete).await?;
        let mut tx = self.core.db.write().await?;
        if !store::label::delete(&mut tx.link(), id).await? {
            return Err(missing(id));
        }
        Ok(tx.commit().await?)
    }

    /// Puts a label on an artifact: everybody's, or one of the artifact's project.
    ///
    /// # Errors
    /// 401, 403, 404 also for a label of another project, 409 when it is there already.
    pub async fn attach(&self, actor: &Actor, named: &Named<'_>, label: i64) -> Result<()> {
        let place = artifact::place(&self.core, actor, named, Resource::ArtifactLabel, Action::Create).await?;
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        let found = artifact::locate(link, &place, named).await?;
        if !store::artifact::hold(link, found.id).await? {
            return Err(artifact::missing(&place.project.name, named));
        }
        let row = store::label::get(link, label).await?.ok_or_else(|| missing(label))?;
        if row.scope == "p" && row.project_id != place.allowed.id() {
            return Err(Error::not_found(format!("project id {}, label {label} not found", place.allowed.id())));
        }
        let again = || Error::conflict(format!("label {label} is already added to the artifact {}", found.id));
        store::label::attach(link, found.id, label, self.core.clock.micros()).await.map_err(|e| match e {
            store::Error::Duplicate => again(),
            store::Error::Reference => missing(label),
            other => other.into(),
        })?;
        Ok(tx.commit().await?)
    }

    /// Takes a label off an artifact.
    ///
    /// # Errors
    /// 401, 403, 404 also when the artifact does not carry it.
    pub async fn detach(&self, actor: &Actor, named: &Named<'_>, label: i64) -> Result<()> {
        let place = artifact::place(&self.core, actor, named, Resource::ArtifactLabel, Action::Delete).await?;
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        let found = artifact::locate(link, &place, named).await?;
        if !store::label::detach(link, found.id, label).await? {
            return Err(Error::not_found(format!("reference with label {label} and artifact {} not found", found.id)));
        }
        Ok(tx.commit().await?)
    }

    /// The label, for who may do this with it where it lives.
    async fn permit(&self, actor: &Actor, id: i64, action: Action) -> Result<LabelRow> {
        let mut conn = self.core.db.read().await?;
        let row = store::label::get(&mut conn.link(), id).await?.ok_or_else(|| missing(id))?;
        drop(conn);
        if row.scope == "g" {
            self.core.authz.system(actor, Resource::Label, action)?;
        } else {
            self.core.authz.project(actor, &NameOrId::Id(row.project_id), Resource::Label, action).await?;
        }
        Ok(row)
    }
}

fn missing(id: i64) -> Error {
    Error::not_found(format!("label {id} not found"))
}

fn taken(error: store::Error, name: &str) -> Error {
    match error {
        store::Error::Duplicate => Error::conflict(format!("label {name} already exists")),
        other => other.into(),
    }
}

fn check(input: &api::LabelReq) -> Result<()> {
    if input.name.is_empty() {
        return Err(Error::bad_request("cannot be empty"));
    }
    if input.name.chars().count() > LONGEST_NAME {
        return Err(Error::bad_request(format!("max length is {LONGEST_NAME}")));
    }
    if input.description.len() > LONGEST_TEXT || input.color.len() > LONGEST_TEXT {
        return Err(Error::bad_request(format!("description and color have at most {LONGEST_TEXT} bytes")));
    }
    if [&input.name, &input.description, &input.color].iter().any(|text| text.contains('\0')) {
        return Err(Error::bad_request("texts cannot have a null character"));
    }
    Ok(())
}

fn shown(row: LabelRow) -> api::Label {
    api::Label {
        id: row.id,
        name: row.name,
        description: row.description,
        color: row.color,
        scope: row.scope,
        project_id: row.project_id,
        creation_time: Instant::from_micros(row.created_at),
        update_time: Instant::from_micros(row.updated_at),
    }
}
