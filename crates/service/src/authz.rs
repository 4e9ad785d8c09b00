//! The gate: loads the facts about a caller and a project, and asks `model::permission` for the decision. Every use case passes here.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::name::ProjectName;
use model::permission::{
    Action, Allowed, Caller, Denied, Holder, Project, ProjectFacts, Resource, Role, System, TokenScope, decide_project, decide_repository,
    decide_system,
};
use model::{ProjectId, UserId};
use moka::sync::Cache;
use store::Db;
use store::project::ProjectRow;

use crate::cache::Caches;
use crate::replicas::Change;
use crate::{Actor, Error, Result};

/// The roles somebody has in a project, remembered this long at most.
const ROLES_LIFETIME: Duration = Duration::from_secs(10);

/// A project as a path names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameOrId {
    /// By name.
    Name(String),
    /// By id.
    Id(ProjectId),
}

impl NameOrId {
    /// Digits alone are an id, unless the caller says that it is a name (`X-Is-Resource-Name`).
    pub fn parse(text: &str, is_name: bool) -> Self {
        match text.parse() {
            Ok(id) if !is_name && text.bytes().all(|b| b.is_ascii_digit()) => Self::Id(ProjectId(id)),
            _ => Self::Name(text.to_owned()),
        }
    }
}

impl std::fmt::Display for NameOrId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// Counters, shared by all projects whose id falls on the same one: a collision costs a read, never a wrong answer.
const SHARDS: usize = 1024;

/// Roles, and the generation of the project's members from before they were read.
type DatedRoles = (u64, Arc<[Role]>);

/// Loads facts and asks.
#[derive(Debug)]
pub struct Authz {
    db: Db,
    caches: Arc<Caches>,
    roles: Cache<(UserId, ProjectId), DatedRoles>,
    generations: Box<[AtomicU64]>,
}

impl Authz {
    pub(crate) fn new(db: Db, caches: Arc<Caches>) -> Self {
        let roles = Cache::builder().max_capacity(50_000).time_to_live(ROLES_LIFETIME).build();
        Self { db, caches, roles, generations: (0..SHARDS).map(|_| AtomicU64::new(0)).collect() }
    }

    /// The project called `name`, if it is there. Says nothing about the caller's rights. What is not there is remembered like what is, so that the
    /// time which a refusal takes does not tell the two apart.
    pub async fn project_by_name(&self, name: &str) -> Result<Option<Arc<ProjectRow>>> {
        if let Some(row) = self.caches.project(name) {
            return Ok(Some(row));
        }
        // What can be nobody's name is nobody's: the database is not asked for it.
        if !ProjectName::is_one(name) || self.caches.is_absent_project(name) {
            return Ok(None);
        }
        // Boxed: what is rare does not make every request's future larger.
        Box::pin(self.read_project(name)).await
    }

    async fn read_project(&self, name: &str) -> Result<Option<Arc<ProjectRow>>> {
        let generation = self.caches.project_generation();
        let mut conn = self.db.read().await?;
        let row = store::project::by_name(&mut conn.link(), name).await?.map(Arc::new);
        match &row {
            Some(row) => self.caches.put_project(generation, row.clone()),
            None => self.caches.put_absent_project(generation, name),
        }
        Ok(row)
    }

    /// The project with this name or id, if it is there.
    pub async fn find_project(&self, project: &NameOrId) -> Result<Option<Arc<ProjectRow>>> {
        match project {
            NameOrId::Name(name) => self.project_by_name(name).await,
            NameOrId::Id(id) => {
                let mut conn = self.db.read().await?;
                Ok(store::project::by_id(&mut conn.link(), *id).await?.map(Arc::new))
            }
        }
    }

    /// The project, and proof that the caller may do this in it. A project that is absent reads like one that is forbidden to all but
    /// administrators, who get 404.
    pub async fn project(
        &self,
        actor: &Actor,
        project: &NameOrId,
        resource: Resource,
        action: Action,
    ) -> Result<(Arc<ProjectRow>, Allowed<Project>)> {
        let found = self.find_project(project).await?;
        let Some(row) = found else {
            self.look_as_if_there(actor, project).await?;
            return Err(match actor {
                Actor::Anonymous => denial(Denied::Unauthenticated),
                _ if actor.is_admin() => Error::not_found(format!("project {project} not found")),
                _ => denial(Denied::Forbidden),
            });
        };
        let allowed = self.decide(actor, &row, resource, action).await?.map_err(denial)?;
        Ok((row, allowed))
    }

    /// Looks for the caller's roles in a project that is not there, so that its refusal costs what that of a hidden one costs.
    pub async fn look_as_if_there(&self, actor: &Actor, absent: &NameOrId) -> Result<()> {
        if actor.is_admin() {
            return Ok(());
        }
        let stand_in = match absent {
            NameOrId::Id(id) => *id,
            // No project has an id below 1; two names may share a stand-in, as nobody has a role there.
            NameOrId::Name(name) => {
                let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(name);
                ProjectId(-1 - i64::from(hash as u32))
            }
        };
        self.roles(actor, stand_in).await.map(drop)
    }

    /// Whether the caller may do this in a project that is there.
    pub async fn decide(
        &self,
        actor: &Actor,
        project: &ProjectRow,
        resource: Resource,
        action: Action,
    ) -> Result<std::result::Result<Allowed<Project>, Denied>> {
        let roles = self.roles(actor, project.id).await?;
        Ok(decide_project(&caller(actor, &roles), &facts(project), resource, action))
    }

    /// Whether the caller may use a repository this way; a token counts for the repositories it names in the projects that these names meant when
    /// it was issued, not in one that was given a deleted project's name since.
    pub async fn repository(
        &self,
        actor: &Actor,
        project: &ProjectRow,
        full_name: &str,
        resource: Resource,
        action: Action,
    ) -> Result<std::result::Result<Allowed<Project>, Denied>> {
        if let Actor::Token(token) = actor
            && !token.projects.contains(&project.id)
        {
            return Ok(Err(Denied::Unauthenticated));
        }
        // Only people have roles; tokens and robots bring what they may.
        let roles = match actor {
            // Boxed, so that the futures of all others have no room for it.
            Actor::User(_) => Some(Box::pin(self.roles(actor, project.id)).await?),
            _ => None,
        };
        let roles = roles.as_deref().unwrap_or_default();
        Ok(decide_repository(&caller(actor, roles), &facts(project), full_name, resource, action))
    }

    /// Proof that the caller may do this at system level.
    pub fn system(&self, actor: &Actor, resource: Resource, action: Action) -> Result<Allowed<System>> {
        decide_system(&caller(actor, &[]), resource, action).map_err(|denied| match denied {
            Denied::Unauthenticated => denial(denied),
            // Harbor names the caller in refusals at system level.
            Denied::Forbidden => Error::forbidden(actor.name().to_owned()),
        })
    }

    /// The caller's roles in a project: their own. Nothing says yet who is in a group, so groups give none.
    pub async fn roles(&self, actor: &Actor, project: ProjectId) -> Result<Arc<[Role]>> {
        let Actor::User(user) = actor else {
            return Ok(Arc::new([]));
        };
        let generation = self.members(project).load(Ordering::Acquire);
        if let Some((read_under, roles)) = self.roles.get(&(user.id, project))
            && read_under == generation
            && self.caches.replicas().hears()
        {
            return Ok(roles);
        }
        let mut conn = self.db.read().await?;
        let ids = store::member::roles_of(&mut conn.link(), project, user.id).await?;
        let roles: Arc<[Role]> = ids.into_iter().filter_map(Role::from_id).collect();
        self.roles.insert((user.id, project), (generation, roles.clone()));
        Ok(roles)
    }

    /// Memberships of a project changed (call after the commit).
    pub fn members_changed(&self, project: ProjectId) {
        self.forget_members(project);
        self.caches.replicas().announce(Change::Members(project));
    }

    fn members(&self, project: ProjectId) -> &AtomicU64 {
        &self.generations[project.get().rem_euclid(SHARDS as i64) as usize]
    }

    pub(crate) fn forget_members(&self, project: ProjectId) {
        self.members(project).fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn forget_everything(&self) {
        for generation in &self.generations {
            generation.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// A refusal as REST callers read it.
pub fn denial(denied: Denied) -> Error {
    match denied {
        Denied::Unauthenticated => Error::unauthorized("unauthorized"),
        Denied::Forbidden => Error::forbidden("forbidden"),
    }
}

fn facts(project: &ProjectRow) -> ProjectFacts {
    ProjectFacts { id: project.id, public: project.is_public }
}

/// The caller as the decision reads it.
pub fn caller<'a>(actor: &'a Actor, roles: &'a [Role]) -> Caller<'a> {
    match actor {
        Actor::Anonymous => Caller::Anonymous,
        Actor::User(user) => Caller::User { is_admin: user.is_admin, roles },
        Actor::Robot(robot) => Caller::Robot { grants: &robot.grants, level: robot.level },
        Actor::Token(token) => Caller::Token(TokenScope {
            access: &token.access,
            holder: if token.subject.is_empty() { Holder::Anonymous } else { Holder::Known },
        }),
    }
}
