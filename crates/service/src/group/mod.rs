//! Groups of people: making, naming, finding and deleting them (users reference 2.9). The REST door and the portal call it.

use std::sync::Arc;

use model::list::{ListQuery, Op, Page, Term, Value};
use model::permission::{Action, Resource};
use model::{GroupId, api};
use store::group::GroupRow;

use crate::{Actor, Core, Error, Result};

/// Characters that a group's name may have.
const LONGEST_NAME: usize = 255;
/// Bytes of a name in a directory that are repeated to the caller.
const LONGEST_ECHO: usize = 512;

const LDAP: i64 = 1;
const HTTP: i64 = 2;
const OIDC: i64 = 3;

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Groups {
    core: Arc<Core>,
}

impl Groups {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// All groups. `name` is what their names contain, `ldap_dn` where they are in the directory.
    ///
    /// # Errors
    /// 401, 403.
    pub async fn list(&self, actor: &Actor, name: Option<&str>, ldap_dn: Option<&str>, query: &ListQuery) -> Result<Page<api::UserGroup>> {
        self.core.authz.system(actor, Resource::UserGroup, Action::List)?;
        let mut query = query.clone();
        if let Some(name) = name.filter(|n| !n.is_empty()) {
            query.q.push(Term { key: "group_name".to_owned(), op: Op::Fuzzy(name.to_owned()) });
        }
        if let Some(dn) = ldap_dn.filter(|dn| !dn.is_empty()) {
            query.q.push(Term { key: "ldap_group_dn".to_owned(), op: Op::Exact(Value::new(dn)) });
        }
        let mut conn = self.core.db.read().await?;
        Ok(store::group::list(&mut conn.link(), &query).await?.map(shown))
    }

    /// Groups whose name contains the text, for everybody who is signed in.
    ///
    /// # Errors
    /// 401.
    pub async fn search(&self, actor: &Actor, text: &str, query: &ListQuery) -> Result<Page<api::UserGroupSearchItem>> {
        if actor.is_anonymous() {
            return Err(Error::unauthorized("unauthorized"));
        }
        let mut query = ListQuery { q: Vec::new(), ..query.clone() };
        query.q.push(Term { key: "group_name".to_owned(), op: Op::Fuzzy(text.to_owned()) });
        let mut conn = self.core.db.read().await?;
        let found = store::group::list(&mut conn.link(), &query).await?;
        Ok(found.map(|row| api::UserGroupSearchItem { id: row.id, group_name: row.name, group_type: row.kind }))
    }

    /// Makes a group of type 2 or 3; its id. `None`: nothing was sent.
    ///
    /// # Errors
    /// 400 without a name, for an unknown type and for a group that is not in the directory, 401, 403, 409 when the name is taken.
    pub async fn create(&self, actor: &Actor, input: Option<&api::UserGroup>) -> Result<GroupId> {
        self.core.authz.system(actor, Resource::UserGroup, Action::Create)?;
        let input = input.ok_or_else(nameless)?;
        check(&input.group_name)?;
        match input.group_type {
            HTTP | OIDC => {}
            // People do not sign in by a directory here, so no group is in one.
            LDAP => {
                let dn = &input.ldap_group_dn;
                let dn = &dn[..dn.floor_char_boundary(LONGEST_ECHO)];
                return Err(Error::bad_request(format!("LDAP Group DN is not found: DN:{dn}")));
            }
            other => return Err(Error::bad_request(format!("unknown group type: {other}"))),
        }
        let mut tx = self.core.db.write().await?;
        let made = store::group::insert(&mut tx.link(), &input.group_name, input.group_type, "", self.core.clock.micros()).await;
        let id = made.map_err(|e| taken(e, &input.group_name, input.group_type))?;
        tx.commit().await?;
        Ok(id)
    }

    /// One group, without its id.
    ///
    /// # Errors
    /// 400 for an id that can be none, 401, 403, 404.
    pub async fn get(&self, actor: &Actor, id: GroupId) -> Result<api::UserGroup> {
        self.permit(actor, id, Action::Read)?;
        let mut conn = self.core.db.read().await?;
        let row = store::group::get(&mut conn.link(), id).await?.ok_or_else(|| missing(id))?;
        Ok(api::UserGroup { id: GroupId::default(), ..shown(row) })
    }

    /// Gives a group another name; nothing else of it can change. `None`: nothing was sent.
    ///
    /// # Errors
    /// 400 without a name, 401, 403, 404, 409 when the name is taken.
    pub async fn rename(&self, actor: &Actor, id: GroupId, input: Option<&api::UserGroup>) -> Result<()> {
        self.permit(actor, id, Action::Update)?;
        let name = &input.ok_or_else(nameless)?.group_name;
        check(name)?;
        let mut tx = self.core.db.write().await?;
        let link = &mut tx.link();
        let row = store::group::get(link, id).await?.ok_or_else(|| missing(id))?;
        let changed = store::group::rename(link, id, name, self.core.clock.micros()).await;
        if !changed.map_err(|e| taken(e, name, row.kind))? {
            return Err(missing(id));
        }
        Ok(tx.commit().await?)
    }

    /// Deletes a group and its memberships of projects. A group that is not there is no error.
    ///
    /// # Errors
    /// 400 for an id that can be none, 401, 403.
    pub async fn delete(&self, actor: &Actor, id: GroupId) -> Result<()> {
        self.permit(actor, id, Action::Delete)?;
        let mut tx = self.core.db.write().await?;
        let left = store::group::delete(&mut tx.link(), id).await?;
        tx.commit().await?;
        for project in left {
            self.core.authz.members_changed(project);
        }
        Ok(())
    }

    fn permit(&self, actor: &Actor, id: GroupId, action: Action) -> Result<()> {
        self.core.authz.system(actor, Resource::UserGroup, action)?;
        if id.get() <= 0 {
            return Err(Error::bad_request("the group id should be provided"));
        }
        Ok(())
    }
}

fn nameless() -> Error {
    Error::bad_request("the group name should be provided")
}

fn check(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(nameless());
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(Error::bad_request(format!("the group name is longer than {LONGEST_NAME} characters")));
    }
    if name.contains('\0') {
        return Err(Error::bad_request("the group name cannot have a null character"));
    }
    Ok(())
}

fn missing(id: GroupId) -> Error {
    Error::not_found(format!("the user group with id {id} is not found"))
}

fn taken(error: store::Error, name: &str, kind: i64) -> Error {
    match error {
        store::Error::Duplicate => Error::conflict(format!("duplicate user group, group name:{name}, group type: {kind}, ldap group DN: ")),
        other => other.into(),
    }
}

fn shown(row: GroupRow) -> api::UserGroup {
    api::UserGroup { id: row.id, group_name: row.name, group_type: row.kind, ldap_group_dn: row.ldap_dn }
}
