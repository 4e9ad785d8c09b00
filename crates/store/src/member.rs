//! Members of projects: users and groups, each with one role.

use model::list::{ListQuery, Page};
use model::permission::{Allowed, Project, Role};
use model::{GroupId, MemberId, ProjectId, UserId};

use crate::db::on;
use crate::list::{Bind, List};
use crate::{Link, Result};

/// Who is a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    /// A person.
    User(UserId),
    /// A group of people.
    Group(GroupId),
}

impl Entity {
    /// As stored and sent: `u` or `g`.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "u",
            Self::Group(_) => "g",
        }
    }

    /// Its number.
    pub const fn id(self) -> i64 {
        match self {
            Self::User(id) => id.get(),
            Self::Group(id) => id.get(),
        }
    }
}

/// A membership whose user or group is there.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct MemberRow {
    /// Its id.
    #[sqlx(try_from = "i64")]
    pub id: MemberId,
    /// Of which project.
    #[sqlx(try_from = "i64")]
    pub project_id: ProjectId,
    /// `u` or `g`.
    pub entity_type: String,
    /// The user's or group's id.
    pub entity_id: i64,
    /// The user's or group's name.
    pub entity_name: String,
    /// 1 to 5.
    pub role: i64,
}

/// A group of people, as far as memberships need it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct GroupName {
    /// Its id.
    #[sqlx(try_from = "i64")]
    pub id: GroupId,
    /// Its name.
    pub name: String,
}

const SELECT: &str = "SELECT m.id, m.project_id, m.entity_type, m.entity_id, COALESCE(u.username, g.name) AS entity_name, m.role";
const FROM: &str = "FROM project_member m
    LEFT JOIN user_account u ON m.entity_type = 'u' AND u.id = m.entity_id AND u.deleted_at IS NULL
    LEFT JOIN user_group g ON m.entity_type = 'g' AND g.id = m.entity_id";

/// The members of a project.
fn members(project: &Allowed<Project>) -> List {
    List::new(SELECT, FROM, &[], "entity_name", "m.id")
        .condition("m.project_id = ?", [project.id().get().into()])
        .condition("u.id IS NOT NULL OR g.id IS NOT NULL", [])
}

/// A page of the members, by name; only those called exactly `name` when given.
pub async fn list(link: &mut Link<'_>, project: &Allowed<Project>, name: Option<&str>, query: &ListQuery) -> Result<Page<MemberRow>> {
    members(project).condition_if(name.is_some(), "COALESCE(u.username, g.name) = ?", name.map(Bind::from)).page(link, query).await
}

/// The member with this id, if it is one of this project.
pub async fn by_id(link: &mut Link<'_>, project: &Allowed<Project>, id: MemberId) -> Result<Option<MemberRow>> {
    let list = members(project).condition("m.id = ?", [id.get().into()]);
    Ok(list.fetch(link, &ListQuery::all()).await?.pop())
}

/// Whether somebody is a member already.
pub async fn exists(link: &mut Link<'_>, project: &Allowed<Project>, entity: Entity) -> Result<bool> {
    const SQL: &str = "SELECT id FROM project_member WHERE project_id = $1 AND entity_type = $2 AND entity_id = $3";
    let row: Option<(i64,)> =
        on!(link, |c| sqlx::query_as(SQL).bind(project.id().get()).bind(entity.kind()).bind(entity.id()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Adds a member; [`crate::Error::Duplicate`] when it is one already.
pub async fn insert(link: &mut Link<'_>, project: &Allowed<Project>, entity: Entity, role: Role, now: i64) -> Result<MemberId> {
    add(link, project.id(), entity, role, now).await
}

/// Makes the owner of a project that was made in this transaction its administrator.
pub async fn insert_owner(link: &mut Link<'_>, project: ProjectId, owner: UserId, now: i64) -> Result<MemberId> {
    add(link, project, Entity::User(owner), Role::ProjectAdmin, now).await
}

async fn add(link: &mut Link<'_>, project: ProjectId, entity: Entity, role: Role, now: i64) -> Result<MemberId> {
    const SQL: &str = "INSERT INTO project_member (project_id, entity_type, entity_id, role, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $5) RETURNING id";
    let (id,): (i64,) = on!(link, |c| sqlx::query_as(SQL)
        .bind(project.get())
        .bind(entity.kind())
        .bind(entity.id())
        .bind(role.id())
        .bind(now)
        .fetch_one(c)
        .await)?;
    Ok(MemberId(id))
}

/// Changes the role of a member of this project; whether there is one with this id.
pub async fn set_role(link: &mut Link<'_>, project: &Allowed<Project>, id: MemberId, role: Role, now: i64) -> Result<bool> {
    const SQL: &str = "UPDATE project_member SET role = $3, updated_at = $4 WHERE id = $1 AND project_id = $2 RETURNING id";
    let row: Option<(i64,)> =
        on!(link, |c| sqlx::query_as(SQL).bind(id.get()).bind(project.id().get()).bind(role.id()).bind(now).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// Removes a member of this project; whether there was one with this id.
pub async fn delete(link: &mut Link<'_>, project: &Allowed<Project>, id: MemberId) -> Result<bool> {
    const SQL: &str = "DELETE FROM project_member WHERE id = $1 AND project_id = $2 RETURNING id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(id.get()).bind(project.id().get()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// How many members have each role, by role id.
pub async fn count_by_role(link: &mut Link<'_>, project: &Allowed<Project>) -> Result<Vec<(i64, i64)>> {
    const SQL: &str = "SELECT m.role, COUNT(*) FROM project_member m
        LEFT JOIN user_account u ON m.entity_type = 'u' AND u.id = m.entity_id AND u.deleted_at IS NULL
        LEFT JOIN user_group g ON m.entity_type = 'g' AND g.id = m.entity_id
        WHERE m.project_id = $1 AND (u.id IS NOT NULL OR g.id IS NOT NULL) GROUP BY m.role";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(project.id().get()).fetch_all(c).await)?)
}

/// Role ids of a user in many projects at once: `(project, role)`.
pub async fn roles_in(link: &mut Link<'_>, user: UserId, projects: &[ProjectId]) -> Result<Vec<(ProjectId, i64)>> {
    #[derive(sqlx::FromRow)]
    struct Held {
        #[sqlx(try_from = "i64")]
        project_id: ProjectId,
        role: i64,
    }
    if projects.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = projects.iter().map(|id| id.get()).collect();
    let list = List::new("SELECT project_id, role", "FROM project_member", &[], "project_id", "id")
        .condition("entity_type = 'u' AND entity_id = ?", [user.get().into()])
        .condition(format!("project_id IN {}", link.engine().json_integers("?")), [serde_json::Value::from(ids).to_string().into()]);
    let rows: Vec<Held> = list.fetch(link, &ListQuery::all()).await?;
    Ok(rows.into_iter().map(|held| (held.project_id, held.role)).collect())
}

/// The group with this id.
pub async fn group_by_id(link: &mut Link<'_>, id: GroupId) -> Result<Option<GroupName>> {
    const SQL: &str = "SELECT id, name FROM user_group WHERE id = $1";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(id.get()).fetch_optional(c).await)?)
}

/// The group of this name and kind (1 LDAP, 2 HTTP, 3 OIDC).
pub async fn group_by_name(link: &mut Link<'_>, name: &str, kind: i64) -> Result<Option<GroupName>> {
    const SQL: &str = "SELECT id, name FROM user_group WHERE name = $1 AND kind = $2";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(name).bind(kind).fetch_optional(c).await)?)
}

/// Role ids of a user in a project: the user's own. Groups that are members give nothing yet: nobody is known to be in one.
pub async fn roles_of(link: &mut Link<'_>, project: ProjectId, user: UserId) -> Result<Vec<i64>> {
    const SQL: &str = "SELECT role FROM project_member WHERE project_id = $1 AND entity_type = 'u' AND entity_id = $2";
    let rows: Vec<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(project.get()).bind(user.get()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(role,)| role).collect())
}
