//! Members of projects: who they are and which role they have. The doors call it.

use std::sync::Arc;

use model::api::{ProjectMember, ProjectMemberEntity, RoleRequest};
use model::list::{ListQuery, Page};
use model::permission::{Action, Resource, Role};
use model::{GroupId, MemberId};
use store::Link;
use store::member::{Entity, MemberRow};
use store::project::ProjectRow;

use crate::audit::{self, Event};
use crate::{Actor, Core, Error, NameOrId, Result};

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Members {
    core: Arc<Core>,
}

impl Members {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// A page of the members of a project, by name; only those called exactly `name` when given.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn list(
        &self,
        actor: &Actor,
        project: &NameOrId,
        name: Option<&str>,
        query: &ListQuery,
    ) -> Result<Page<ProjectMemberEntity>> {
        let (_, allowed) = self.core.authz.project(actor, project, Resource::Member, Action::List).await?;
        let mut conn = self.core.db.read().await?;
        Ok(store::member::list(&mut conn.link(), &allowed, name, query).await?.map(entity_of))
    }

    /// A member of a project.
    ///
    /// # Errors
    /// 400 for the id 0, 401, 403, 404 (also for a member of another project).
    pub async fn get(&self, actor: &Actor, project: &NameOrId, id: MemberId) -> Result<ProjectMemberEntity> {
        let (_, allowed) = self.core.authz.project(actor, project, Resource::Member, Action::Read).await?;
        if id.get() == 0 {
            return Err(Error::bad_request("the member id can not be empty!"));
        }
        let mut conn = self.core.db.read().await?;
        let row = store::member::by_id(&mut conn.link(), &allowed, id).await?;
        row.map(entity_of)
            .ok_or_else(|| Error::not_found(format!("the project member is not found, project id {}, member id {id}", allowed.id())))
    }

    /// Adds a user or a group to a project. `None`: nothing was sent.
    ///
    /// # Errors
    /// 400 for nobody, an unknown id or an unknown role; 401, 403; 404 for an unknown name or project; 409 for who is a member already.
    pub async fn create(&self, actor: &Actor, project: &NameOrId, input: Option<&ProjectMember>) -> Result<MemberId> {
        let (owner, allowed) = self.core.authz.project(actor, project, Resource::Member, Action::Create).await?;
        let input = input.ok_or_else(|| Error::bad_request("the project member should provide"))?;
        let taken = || Error::conflict("The project member specified already exist");
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        let (entity, name) = resolve(link, input).await?;
        if store::member::exists(link, &allowed, entity).await? {
            return Err(taken());
        }
        let role = role(input.role_id)?;
        let id = store::member::insert(link, &allowed, entity, role, now).await.map_err(|e| match e {
            store::Error::Duplicate => taken(),
            other => other.into(),
        })?;
        audit::record(&self.core, link, actor, now, [event(&owner, "create", entity.kind(), &name)]).await?;
        tx.commit().await?;
        self.core.authz.members_changed(allowed.id());
        Ok(id)
    }

    /// Changes the role of a member. An id that is none of this project's changes nothing. `None`: nothing was sent.
    ///
    /// # Errors
    /// 400 for an unknown role, 401, 403, 404 for the project.
    pub async fn update(&self, actor: &Actor, project: &NameOrId, id: MemberId, input: Option<&RoleRequest>) -> Result<()> {
        let (owner, allowed) = self.core.authz.project(actor, project, Resource::Member, Action::Update).await?;
        let role = role(input.ok_or_else(|| Error::bad_request("role can not be empty"))?.role_id)?;
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        let Some(row) = store::member::by_id(link, &allowed, id).await? else { return Ok(()) };
        if store::member::set_role(link, &allowed, id, role, now).await? {
            audit::record(&self.core, link, actor, now, [event(&owner, "update", &row.entity_type, &row.entity_name)]).await?;
        }
        tx.commit().await?;
        self.core.authz.members_changed(allowed.id());
        Ok(())
    }

    /// Removes a member. An id that is none of this project's changes nothing.
    ///
    /// # Errors
    /// 401, 403, 404 for the project.
    pub async fn delete(&self, actor: &Actor, project: &NameOrId, id: MemberId) -> Result<()> {
        let (owner, allowed) = self.core.authz.project(actor, project, Resource::Member, Action::Delete).await?;
        let now = self.core.clock.micros();
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        let Some(row) = store::member::by_id(link, &allowed, id).await? else { return Ok(()) };
        if store::member::delete(link, &allowed, id).await? {
            audit::record(&self.core, link, actor, now, [event(&owner, "delete", &row.entity_type, &row.entity_name)]).await?;
        }
        tx.commit().await?;
        self.core.authz.members_changed(allowed.id());
        Ok(())
    }
}

/// Who is meant: a user's id counts first, then a group's, then a user's name, then a group's.
async fn resolve(link: &mut Link<'_>, input: &ProjectMember) -> Result<(Entity, String)> {
    let user = input.member_user.as_ref();
    let group = input.member_group.as_ref();
    if let Some(id) = user.map(|u| u.user_id).filter(|id| id.get() > 0) {
        let found = store::user::by_id(link, id).await?;
        return found
            .map(|row| (Entity::User(row.id), row.username))
            .ok_or_else(|| Error::bad_request(format!("Failed to get user {id}: user {id} not found")));
    }
    if let Some(id) = group.map(|g| g.id).filter(|id: &GroupId| id.get() > 0) {
        let found = store::member::group_by_id(link, id).await?;
        return found.map(|row| (Entity::Group(row.id), row.name)).ok_or_else(|| Error::bad_request(format!("Group {id} not found")));
    }
    if let Some(name) = user.map(|u| u.username.as_str()).filter(|name| !name.is_empty()) {
        let found = store::user::by_name(link, name).await?;
        return found.map(|row| (Entity::User(row.id), row.username)).ok_or_else(|| {
            let name: String = name.chars().take(255).collect();
            Error::not_found(format!("user {name} is not found"))
        });
    }
    let Some(group) = group.filter(|g| !g.ldap_group_dn.is_empty() || !g.group_name.is_empty()) else {
        return Err(Error::bad_request("at least one of member_user or member_group must be provided"));
    };
    // Directories are not asked for groups that nobody has brought in.
    let found =
        if group.ldap_group_dn.is_empty() { store::member::group_by_name(link, &group.group_name, group.group_type).await? } else { None };
    found.map(|row| (Entity::Group(row.id), row.name)).ok_or_else(|| {
        let name = if group.ldap_group_dn.is_empty() { &group.group_name } else { &group.ldap_group_dn };
        let name: String = name.chars().take(255).collect();
        Error::not_found(format!("{name} not found: not supported"))
    })
}

fn role(id: i64) -> Result<Role> {
    Role::from_id(id).ok_or_else(|| Error::bad_request("Failed to update project member, role is not in 1,2,3"))
}

fn entity_of(row: MemberRow) -> ProjectMemberEntity {
    ProjectMemberEntity {
        id: row.id,
        project_id: row.project_id,
        entity_name: row.entity_name,
        role_name: Role::from_id(row.role).map_or("", Role::as_str).to_owned(),
        role_id: row.role,
        entity_id: row.entity_id,
        entity_type: row.entity_type,
    }
}

/// `kind` as it is stored: `u` or `g`.
fn event(project: &ProjectRow, operation: &'static str, kind: &str, name: &str) -> Event {
    let kind = if kind == "g" { "group" } else { "user" };
    let preposition = if operation == "delete" { "from" } else { "in" };
    let description = format!("{operation} {kind} member {name} {preposition} project {}", project.name);
    Event::new(project.id, operation, "member", name).described(description)
}
