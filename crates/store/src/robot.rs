//! Robot accounts. `name` is the stored name: `ci` for a robot of the system (project 0), `north+ci` for one of the project `north`.

use model::list::{ListQuery, Page};
use model::permission::{Allowed, Effect, GrantKind, GrantScope, Project, RobotGrant, System};
use model::{ProjectId, RobotId};
use serde::{Deserialize, Serialize};

use crate::db::on;
use crate::list::{Column, List};
use crate::{Engine, Error, Link, Result};

/// A robot. Instants in microseconds.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct RobotRow {
    /// Id.
    #[sqlx(try_from = "i64")]
    pub id: RobotId,
    /// Where it lives; 0 is the system.
    #[sqlx(try_from = "i64")]
    pub project_id: ProjectId,
    /// Stored name: no prefix, the project and `+` in front for a robot of a project.
    pub name: String,
    /// For people.
    pub description: String,
    /// What its secret is checked against.
    pub secret_hash: String,
    /// Days, -1 for ever.
    pub duration: i64,
    /// Unix seconds, -1 never.
    pub expires_at: i64,
    /// Switched off.
    pub is_disabled: bool,
    /// Shown in lists.
    pub is_visible: bool,
    /// `local` or `robot`.
    pub creator_kind: String,
    /// Who made it.
    pub creator_id: i64,
    /// JSON; read it with [`RobotRow::permissions`].
    pub permissions: String,
    /// When it was made.
    pub created_at: i64,
    /// When it changed last.
    pub updated_at: i64,
}

/// Permissions of a robot in one place, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPermission {
    /// `project` or `system`.
    pub kind: String,
    /// The project; none means all projects (of kind `project`).
    #[serde(default)]
    pub project_id: Option<i64>,
    /// What is permitted there.
    pub access: Vec<StoredAccess>,
}

/// One permission, as stored. Words are kept as they were sent; unknown ones grant nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAccess {
    /// About what.
    pub resource: String,
    /// To do what.
    pub action: String,
    /// `deny`, or anything else to allow.
    #[serde(default)]
    pub effect: String,
}

impl StoredPermission {
    /// As the decision reads it.
    pub fn grants(&self) -> impl Iterator<Item = RobotGrant> {
        let place = GrantKind::from_name(&self.kind).map(|kind| {
            let scope = match (kind, self.project_id) {
                (GrantKind::System, _) => GrantScope::System,
                (GrantKind::Project, None) => GrantScope::AllProjects,
                (GrantKind::Project, Some(id)) => GrantScope::Project(ProjectId(id)),
            };
            (kind, scope)
        });
        self.access.iter().filter_map(move |access| {
            let (kind, scope) = place?;
            let effect = if access.effect == "deny" { Effect::Deny } else { Effect::Allow };
            Some(RobotGrant { kind, scope, resource: access.resource.parse().ok()?, action: access.action.parse().ok()?, effect })
        })
    }
}

impl RobotRow {
    /// The permissions as stored.
    pub fn permissions(&self) -> Result<Vec<StoredPermission>> {
        serde_json::from_str(&self.permissions).map_err(|e| Error::damaged("robot.permissions", e))
    }

    /// The permissions as the decision reads them.
    pub fn grants(&self) -> Result<Vec<RobotGrant>> {
        Ok(self.permissions()?.iter().flat_map(StoredPermission::grants).collect())
    }
}

/// The text of the permissions column.
pub fn encode_permissions(permissions: &[StoredPermission]) -> Result<String> {
    serde_json::to_string(permissions).map_err(|e| Error::damaged("robot.permissions", e))
}

/// The robot with this stored name.
pub async fn find_by_name(link: &mut Link<'_>, name: &str) -> Result<Option<RobotRow>> {
    const OF_SYSTEM: &str =
        "SELECT id, project_id, name, description, secret_hash, duration, expires_at, is_disabled, is_visible, creator_kind,
        creator_id, permissions, created_at, updated_at FROM robot WHERE project_id = 0 AND name = $1";
    const OF_PROJECT: &str =
        "SELECT r.id, r.project_id, r.name, r.description, r.secret_hash, r.duration, r.expires_at, r.is_disabled, r.is_visible,
        r.creator_kind, r.creator_id, r.permissions, r.created_at, r.updated_at
        FROM robot r JOIN project p ON p.id = r.project_id AND p.deleted_at IS NULL WHERE p.name = $2 AND r.name = $1";
    Ok(match name.split_once('+') {
        None => on!(link, |c| sqlx::query_as(OF_SYSTEM).bind(name).fetch_optional(c).await)?,
        Some((project, _)) => on!(link, |c| sqlx::query_as(OF_PROJECT).bind(name).bind(project).fetch_optional(c).await)?,
    })
}

/// The robot with this id.
pub async fn by_id(link: &mut Link<'_>, id: RobotId) -> Result<Option<RobotRow>> {
    const SQL: &str = "SELECT id, project_id, name, description, secret_hash, duration, expires_at, is_disabled, is_visible, creator_kind,
        creator_id, permissions, created_at, updated_at FROM robot WHERE id = $1";
    Ok(on!(link, |c| sqlx::query_as(SQL).bind(id.get()).fetch_optional(c).await)?)
}

/// Where a caller may work with robots, proven.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// Among those of the system.
    System(Allowed<System>),
    /// Among those of one project.
    Project(Allowed<Project>),
}

impl Place {
    /// As stored: 0 is the system.
    pub const fn project_id(&self) -> ProjectId {
        match self {
            Self::System(_) => ProjectId(0),
            Self::Project(allowed) => allowed.id(),
        }
    }
}

/// A new robot. It is enabled and visible.
#[derive(Clone, Debug)]
pub struct NewRobot<'a> {
    /// Stored name.
    pub name: &'a str,
    /// For people.
    pub description: &'a str,
    /// What its secret is checked against.
    pub secret_hash: &'a str,
    /// Days, -1 for ever.
    pub duration: i64,
    /// Unix seconds, -1 never.
    pub expires_at: i64,
    /// `local` or `robot`.
    pub creator_kind: &'a str,
    /// The user or robot that makes it.
    pub creator_id: i64,
    /// What it may do.
    pub permissions: &'a [StoredPermission],
}

/// What can be changed of a robot.
#[derive(Clone, Debug)]
pub struct RobotChange<'a> {
    /// For people.
    pub description: &'a str,
    /// Days, -1 for ever.
    pub duration: i64,
    /// Unix seconds, -1 never.
    pub expires_at: i64,
    /// Switched off.
    pub is_disabled: bool,
    /// What it may do.
    pub permissions: &'a [StoredPermission],
}

const COLUMNS: &[Column] = &[
    Column::int(&["id", "ID"], "id"),
    Column::text(&["name", "Name"], "name"),
    Column::text(&["description", "Description"], "description"),
    Column::int(&["duration", "Duration"], "duration"),
    Column::int(&["expiresat", "expires_at", "ExpiresAt"], "expires_at"),
    Column::boolean(&["disabled", "Disabled", "disable"], "is_disabled"),
    Column::time(&["creation_time", "CreationTime"], "created_at"),
    Column::time(&["update_time", "UpdateTime"], "updated_at"),
];

const SELECT: &str =
    "SELECT id, project_id, name, description, secret_hash, duration, expires_at, is_disabled, is_visible, creator_kind, creator_id,
    permissions, created_at, updated_at";

/// A page of the visible robots of a place, by name unless the query says otherwise.
pub async fn list(link: &mut Link<'_>, place: &Place, query: &ListQuery) -> Result<Page<RobotRow>> {
    List::new(SELECT, "FROM robot", COLUMNS, "name", "id")
        .condition("project_id = ? AND is_visible", [place.project_id().get().into()])
        .page(link, query)
        .await
}

/// The robot as it is now, held against other changes until the transaction ends. `None` when it is gone or lives elsewhere.
pub async fn lock(link: &mut Link<'_>, place: &Place, id: RobotId) -> Result<Option<RobotRow>> {
    const SQL: &str = "SELECT id, project_id, name, description, secret_hash, duration, expires_at, is_disabled, is_visible, creator_kind,
        creator_id, permissions, created_at, updated_at FROM robot WHERE id = $1 FOR UPDATE";
    let row: Option<RobotRow> = match link.engine() {
        // One transaction writes at a time.
        Engine::Sqlite => by_id(link, id).await?,
        Engine::Postgres => on!(link, |c| sqlx::query_as(SQL).bind(id.get()).fetch_optional(c).await)?,
    };
    Ok(row.filter(|row| row.project_id == place.project_id()))
}

/// Ids of all robots of a project, hidden ones too.
pub async fn ids_in(link: &mut Link<'_>, project: &Allowed<Project>) -> Result<Vec<RobotId>> {
    const SQL: &str = "SELECT id FROM robot WHERE project_id = $1";
    let rows: Vec<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(project.id().get()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| RobotId(id)).collect())
}

/// Makes a robot; [`Error::Duplicate`] when its place has one of this name.
pub async fn insert(link: &mut Link<'_>, place: &Place, robot: &NewRobot<'_>, now: i64) -> Result<RobotId> {
    const SQL: &str =
        "INSERT INTO robot (project_id, name, description, secret_hash, duration, expires_at, creator_kind, creator_id, permissions,
        created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) RETURNING id";
    let permissions = encode_permissions(robot.permissions)?;
    let (id,): (i64,) = on!(link, |c| sqlx::query_as(SQL)
        .bind(place.project_id().get())
        .bind(robot.name)
        .bind(robot.description)
        .bind(robot.secret_hash)
        .bind(robot.duration)
        .bind(robot.expires_at)
        .bind(robot.creator_kind)
        .bind(robot.creator_id)
        .bind(permissions)
        .bind(now)
        .fetch_one(c)
        .await)?;
    Ok(RobotId(id))
}

/// Changes a robot of this place; whether there is one with this id.
pub async fn update(link: &mut Link<'_>, place: &Place, id: RobotId, change: &RobotChange<'_>, now: i64) -> Result<bool> {
    const SQL: &str =
        "UPDATE robot SET description = $3, duration = $4, expires_at = $5, is_disabled = $6, permissions = $7, updated_at = $8
        WHERE id = $1 AND project_id = $2 RETURNING id";
    let permissions = encode_permissions(change.permissions)?;
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL)
        .bind(id.get())
        .bind(place.project_id().get())
        .bind(change.description)
        .bind(change.duration)
        .bind(change.expires_at)
        .bind(change.is_disabled)
        .bind(permissions)
        .bind(now)
        .fetch_optional(c)
        .await)?;
    Ok(row.is_some())
}

/// Replaces what the secret of a robot of this place is checked against; whether there is one with this id.
pub async fn set_secret_hash(link: &mut Link<'_>, place: &Place, id: RobotId, secret_hash: &str, now: i64) -> Result<bool> {
    const SQL: &str = "UPDATE robot SET secret_hash = $3, updated_at = $4 WHERE id = $1 AND project_id = $2 RETURNING id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL)
        .bind(id.get())
        .bind(place.project_id().get())
        .bind(secret_hash)
        .bind(now)
        .fetch_optional(c)
        .await)?;
    Ok(row.is_some())
}

/// Removes a robot of this place; whether there was one with this id.
pub async fn delete(link: &mut Link<'_>, place: &Place, id: RobotId) -> Result<bool> {
    const SQL: &str = "DELETE FROM robot WHERE id = $1 AND project_id = $2 RETURNING id";
    let row: Option<(i64,)> = on!(link, |c| sqlx::query_as(SQL).bind(id.get()).bind(place.project_id().get()).fetch_optional(c).await)?;
    Ok(row.is_some())
}
