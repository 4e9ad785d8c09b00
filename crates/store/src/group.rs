//! Groups of people: what they are called and where they come from.

use model::list::{ListQuery, Page};
use model::{GroupId, ProjectId};

use crate::db::on;
use crate::list::{Column, List};
use crate::{Link, Result};

/// A group. Instants in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct GroupRow {
    /// Id.
    #[sqlx(try_from = "i64")]
    pub id: GroupId,
    /// Name, unique.
    pub name: String,
    /// 1 LDAP, 2 HTTP, 3 OIDC.
    pub kind: i64,
    /// Where it is in the directory; empty elsewhere.
    pub ldap_dn: String,
    /// When it was made.
    pub created_at: i64,
    /// When it changed last.
    pub updated_at: i64,
}

const COLUMNS: &[Column] = &[
    Column::int(&["id", "ID"], "g.id"),
    Column::text(&["group_name", "GroupName"], "g.name"),
    Column::int(&["group_type", "GroupType"], "g.kind"),
    Column::text(&["ldap_group_dn", "LdapGroupDN"], "g.ldap_dn"),
    Column::time(&["creation_time", "CreationTime"], "g.created_at"),
    Column::time(&["update_time", "UpdateTime"], "g.updated_at"),
];

/// Groups, oldest first unless the query orders otherwise.
pub async fn list(link: &mut Link<'_>, query: &ListQuery) -> Result<Page<GroupRow>> {
    const SELECT: &str = "SELECT g.id, g.name, g.kind, g.ldap_dn, g.created_at, g.updated_at";
    List::new(SELECT, "FROM user_group g", COLUMNS, "g.id", "g.id").page(link, query).await
}

/// The group with this id.
pub async fn get(link: &mut Link<'_>, id: GroupId) -> Result<Option<GroupRow>> {
    const SQL: &str = "SELECT id, name, kind, ldap_dn, created_at, updated_at FROM user_group WHERE id = $1";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(id.get()).fetch_optional(c).await)?)
}

/// Makes a group; [`crate::Error::Duplicate`] when the name is taken, by a group of whatever kind.
pub async fn insert(link: &mut Link<'_>, name: &str, kind: i64, ldap_dn: &str, now: i64) -> Result<GroupId> {
    const SQL: &str = "INSERT INTO user_group (name, kind, ldap_dn, created_at, updated_at) VALUES ($1, $2, $3, $4, $4) RETURNING id";
    let (id,): (i64,) = on!(link, |c| sqlx::query_as(SQL).bind(name).bind(kind).bind(ldap_dn).bind(now).fetch_one(c).await)?;
    Ok(GroupId(id))
}

/// Changes the name; whether the group was there. [`crate::Error::Duplicate`] when the name is taken.
pub async fn rename(link: &mut Link<'_>, id: GroupId, name: &str, now: i64) -> Result<bool> {
    const SQL: &str = "UPDATE user_group SET name = $2, updated_at = $3 WHERE id = $1 RETURNING id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(id.get()).bind(name).bind(now).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Deletes a group, if it is there, and its memberships; the projects that it was a member of.
pub async fn delete(link: &mut Link<'_>, id: GroupId) -> Result<Vec<ProjectId>> {
    const MEMBERSHIPS: &str = "DELETE FROM project_member WHERE entity_type = 'g' AND entity_id = $1 RETURNING project_id";
    const SQL: &str = "DELETE FROM user_group WHERE id = $1";
    let left: Vec<(i64,)> = on!(link, |c| sqlx::query_as(MEMBERSHIPS).bind(id.get()).fetch_all(c).await)?;
    on!(link, |c| sqlx::query(SQL).bind(id.get()).execute(c).await.map(drop))?;
    Ok(left.into_iter().map(|(project,)| ProjectId(project)).collect())
}
