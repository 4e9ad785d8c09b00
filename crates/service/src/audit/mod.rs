//! The audit log: who did what, for those who may read it. The REST door and the portal list it; other use cases write it with [`record`] and
//! [`note`].

mod event;
mod totals;

use std::collections::BTreeSet;
use std::sync::Arc;

use model::api::{AuditLog, AuditLogEventType, AuditLogExt};
use model::list::{ListQuery, Page};
use model::permission::{Action, GrantScope, ProjectFacts, Resource, Role, decide_project, matrix};
use model::{Instant, ProjectId};
use store::audit::{AuditRow, Reader};

pub(crate) use event::{Event, note, record, shortened};
use totals::Totals;

use crate::authz::caller;
use crate::{Actor, Core, Error, NameOrId, Result};

/// The kinds of events that settings can switch off: operation and resource type.
const EVENT_TYPES: [&str; 18] = [
    "create_artifact",
    "delete_artifact",
    "pull_artifact",
    "create_project",
    "delete_project",
    "delete_repository",
    "login_user",
    "logout_user",
    "create_user",
    "delete_user",
    "update_user",
    "create_robot",
    "delete_robot",
    "update_configuration",
    "create_member",
    "delete_member",
    "update_member",
    "update_project",
];

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Audit {
    core: Arc<Core>,
    totals: Totals,
}

impl Audit {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core, totals: Totals::default() }
    }

    /// What was done, newest first: all of it for who may read the log of the system, for others what was done in the projects whose log they may
    /// read.
    ///
    /// # Errors
    /// 401.
    pub async fn list(&self, actor: &Actor, query: &ListQuery) -> Result<Page<AuditLogExt>> {
        self.page(self.reader(actor)?, query).await
    }

    /// What was done in a project, newest first.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn list_of_project(&self, actor: &Actor, project: &str, query: &ListQuery) -> Result<Page<AuditLogExt>> {
        self.page(Reader::Of(self.permit(actor, project).await?), query).await
    }

    /// The log in the form before this one. Nothing was ever recorded in it here, but clients of that time still ask.
    ///
    /// # Errors
    /// 401.
    pub fn list_former(&self, actor: &Actor) -> Result<Page<AuditLog>> {
        self.reader(actor).map(|_| Page::default())
    }

    /// As [`Self::list_former`], of a project.
    ///
    /// # Errors
    /// 401, 403, 404.
    pub async fn list_former_of_project(&self, actor: &Actor, project: &str) -> Result<Page<AuditLog>> {
        self.permit(actor, project).await.map(|_| Page::default())
    }

    /// The kinds of events that are recorded unless settings say otherwise.
    ///
    /// # Errors
    /// 401, 403.
    pub fn event_types(&self, actor: &Actor) -> Result<Vec<AuditLogEventType>> {
        self.core.authz.system(actor, Resource::AuditLog, Action::List)?;
        Ok(EVENT_TYPES.map(|event_type| AuditLogEventType { event_type: event_type.to_owned() }).to_vec())
    }

    async fn permit(&self, actor: &Actor, project: &str) -> Result<ProjectId> {
        let project = NameOrId::Name(project.to_owned());
        Ok(self.core.authz.project(actor, &project, Resource::Log, Action::List).await?.1.id())
    }

    fn reader(&self, actor: &Actor) -> Result<Reader> {
        if actor.is_anonymous() {
            return Err(Error::unauthorized(""));
        }
        if self.core.authz.system(actor, Resource::AuditLog, Action::List).is_ok() {
            return Ok(Reader::All);
        }
        Ok(match actor {
            Actor::User(user) => Reader::Member(user.id, roles_that_read_logs()),
            Actor::Robot(robot) => {
                let named = robot.grants.iter().filter_map(|grant| match grant.scope {
                    GrantScope::Project(id) => Some(id),
                    GrantScope::System | GrantScope::AllProjects => None,
                });
                let reads = |id: &ProjectId| {
                    let facts = ProjectFacts { id: *id, public: false };
                    decide_project(&caller(actor, &[]), &facts, Resource::Log, Action::List).is_ok()
                };
                Reader::In(named.collect::<BTreeSet<_>>().into_iter().filter(reads).map(ProjectId::get).collect())
            }
            Actor::Anonymous | Actor::Token(_) => Reader::In(Vec::new()),
        })
    }

    async fn page(&self, reader: Reader, query: &ListQuery) -> Result<Page<AuditLogExt>> {
        let mut conn = self.core.db.read().await?;
        let link = &mut conn.link();
        let page = match self.totals.of(link, &reader, query, self.core.clock.micros()).await? {
            Some(total) => store::audit::list_of_known(link, &reader, query, total).await?,
            None => store::audit::list(link, &reader, query).await?,
        };
        Ok(page.map(shown))
    }
}

fn roles_that_read_logs() -> Vec<i64> {
    let row = matrix::find(Resource::Log, Action::List);
    Role::ALL.into_iter().filter(|role| row.is_some_and(|row| row.held_by(*role))).map(Role::id).collect()
}

fn shown(row: AuditRow) -> AuditLogExt {
    AuditLogExt {
        id: row.id,
        username: row.username,
        resource: row.resource,
        resource_type: row.resource_type,
        operation: row.operation,
        operation_description: row.description,
        operation_result: row.succeeded,
        op_time: Instant::from_micros(row.op_time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn administrators_of_projects_read_their_logs() {
        assert_eq!(roles_that_read_logs(), [Role::ProjectAdmin.id()]);
    }
}
