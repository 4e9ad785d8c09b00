//! Robot accounts of the system and of projects. The doors call it; what a robot may do is decided by `authz` like everybody's.

mod change;
mod create;
mod permission;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use model::api::Robot;
use model::list::{ListQuery, Op, Page};
use model::permission::{Action, Resource, RobotLevel};
use model::time::Instant;
use model::{ProjectId, RobotId};
use store::robot::{Place, RobotRow, StoredPermission};

use crate::audit::Event;
use crate::authn::Authn;
use crate::{Actor, Core, Error, NameOrId, Result};

/// Longest remark, in characters.
const MAX_DESCRIPTION: usize = 1024;
/// Longest life, in days.
const MAX_DURATION: i64 = i32::MAX as i64 - 1;
const DAY: i64 = 24 * 3600;

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Robots {
    core: Arc<Core>,
    authn: Authn,
}

impl Robots {
    pub(crate) fn new(core: Arc<Core>, authn: Authn) -> Self {
        Self { core, authn }
    }

    /// A page of the robots of the system, or of a project with `q=Level=project,ProjectID=…`.
    ///
    /// # Errors
    /// 400 for a level that is none or a project that is not named, 401, 403.
    pub async fn list(&self, actor: &Actor, query: &ListQuery) -> Result<Page<Robot>> {
        let place = match listed_project(query)? {
            None => Place::System(self.core.authz.system(actor, Resource::Robot, Action::List)?),
            Some(id) => match self.core.authz.project(actor, &NameOrId::Id(id), Resource::Robot, Action::List).await {
                Ok((_, allowed)) => Place::Project(allowed),
                // A project that is not there has no robots.
                Err(error) if error.status == 404 => return Ok(Page::default()),
                Err(error) => return Err(error),
            },
        };
        let mut conn = self.core.db.read().await?;
        let page = store::robot::list(&mut conn.link(), &place, query).await?;
        let items = self.shown(&mut conn, page.items).await?;
        Ok(Page { items, total: page.total })
    }

    /// A robot, never with its secret.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn get(&self, actor: &Actor, id: RobotId) -> Result<Robot> {
        let (row, _) = self.find(actor, id, Action::Read).await?;
        let mut conn = self.core.db.read().await?;
        self.shown(&mut conn, vec![row]).await?.pop().ok_or_else(|| not_found(id))
    }

    /// The robot, and proof that the caller may do this where it lives. Whoever is signed in learns whether there is one with this id.
    async fn find(&self, actor: &Actor, id: RobotId, action: Action) -> Result<(RobotRow, Place)> {
        if actor.is_anonymous() {
            return Err(Error::unauthorized("unauthorized"));
        }
        let mut conn = self.core.db.read().await?;
        let row = store::robot::by_id(&mut conn.link(), id).await?;
        drop(conn);
        let row = row.filter(|row| row.is_visible).ok_or_else(|| not_found(id))?;
        let place = match level_of(row.project_id) {
            RobotLevel::System => Place::System(self.core.authz.system(actor, Resource::Robot, action)?),
            RobotLevel::Project => {
                Place::Project(self.core.authz.project(actor, &NameOrId::Id(row.project_id), Resource::Robot, action).await?.1)
            }
        };
        Ok((row, place))
    }

    fn full_name(&self, stored: &str) -> String {
        format!("{}{stored}", self.core.settings().robot_prefix)
    }

    /// Robots as the API shows them; what they may do in projects that are gone is left out.
    async fn shown(&self, conn: &mut store::Conn, rows: Vec<RobotRow>) -> Result<Vec<Robot>> {
        let mut stored: Vec<Vec<StoredPermission>> = Vec::with_capacity(rows.len());
        for row in &rows {
            stored.push(row.permissions()?);
        }
        let mut ids: Vec<ProjectId> = stored.iter().flatten().filter_map(|p| p.project_id.map(ProjectId)).collect();
        ids.sort_unstable();
        ids.dedup();
        let names = store::project::names_of(&mut conn.link(), &ids).await?;
        let robots = rows.into_iter().zip(stored).map(|(row, stored)| Robot {
            id: row.id,
            name: self.full_name(&row.name),
            description: row.description,
            level: level_of(row.project_id).as_str().to_owned(),
            duration: row.duration,
            editable: true,
            disable: row.is_disabled,
            expires_at: row.expires_at,
            permissions: Some(stored.into_iter().filter_map(|p| permission::shown(p, &names)).collect()),
            creator_type: row.creator_kind,
            creator_ref: row.creator_id,
            creation_time: Instant::from_micros(row.created_at),
            update_time: Instant::from_micros(row.updated_at),
        });
        Ok(robots.collect())
    }
}

/// The project whose robots a query asks for; `None` for those of the system.
fn listed_project(query: &ListQuery) -> Result<Option<ProjectId>> {
    let exact = |key: &str| {
        query.term(key).map(|term| match &term.op {
            Op::Exact(value) => Some(value),
            _ => None,
        })
    };
    let level = match exact("Level") {
        None => RobotLevel::System,
        Some(value) => value
            .and_then(|value| RobotLevel::from_name(value.text()))
            .ok_or_else(|| Error::bad_request("bad request error level input"))?,
    };
    if level == RobotLevel::System {
        return Ok(None);
    }
    let id = exact("ProjectID").ok_or_else(|| Error::bad_request("must with project ID when to query project robots"))?;
    let id = id.and_then(model::list::Value::as_int).filter(|id| *id > 0);
    id.map(|id| Some(ProjectId(id))).ok_or_else(|| Error::bad_request("ProjectID must be a positive integer"))
}

fn level_of(project: ProjectId) -> RobotLevel {
    if project.get() == 0 { RobotLevel::System } else { RobotLevel::Project }
}

fn not_found(id: RobotId) -> Error {
    Error::not_found(format!("robot {id} not found"))
}

fn check_duration(days: i64) -> Result<()> {
    match days {
        -1 | 1..=MAX_DURATION => Ok(()),
        _ => Err(Error::bad_request(format!(
            "bad request error duration input: {days}, duration must be either -1(Never) or a positive integer"
        ))),
    }
}

fn check_description(text: &str) -> Result<()> {
    if text.chars().count() > MAX_DESCRIPTION {
        return Err(Error::bad_request(format!("the description must be at most {MAX_DESCRIPTION} characters long")));
    }
    if text.contains('\0') {
        return Err(Error::bad_request("the description cannot have a null character"));
    }
    Ok(())
}

/// Unix seconds at which a robot made at `created_at` (microseconds) that lives so many days is nobody; -1 never.
fn expiry(created_at: i64, days: i64) -> i64 {
    if days == -1 { -1 } else { created_at / 1_000_000 + days * DAY }
}

fn event(project: ProjectId, operation: &'static str, name: impl Into<String>) -> Event {
    Event::new(project, operation, "robot", name)
}
