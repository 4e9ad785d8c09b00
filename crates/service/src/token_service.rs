//! The token service: turns credentials and the scopes a client asks for into a registry token. The door `/service/token` calls it.

use std::sync::Arc;

use model::ProjectId;
use model::permission::{Action, Resource};
use oci::Scope;

use crate::token::{AccessEntry, Issued};
use crate::{Actor, Core, Error, NameOrId, Result};

/// What a repository scope may grant, by its words in a scope.
const REPOSITORY_ACTIONS: [Action; 4] = [Action::Pull, Action::Push, Action::Delete, Action::ScannerPull];

/// Issues tokens.
#[derive(Clone, Debug)]
pub struct TokenService {
    core: Arc<Core>,
}

impl TokenService {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// A token that grants of each scope what is asked for and allowed; scopes that are refused stay in it without actions. `None`: no scope
    /// parameter at all, which is how clients try credentials; then nobody gets none.
    pub async fn grant(&self, actor: &Actor, scopes: Option<&[Scope]>) -> Result<Issued> {
        let Some(scopes) = scopes else {
            if actor.is_anonymous() {
                return Err(Error::unauthorized("unauthorized"));
            }
            return self.core.tokens.issue(subject(actor), None, Vec::new());
        };
        let mut access = Vec::with_capacity(scopes.len());
        let mut projects = Vec::new();
        for scope in scopes {
            let actions = self.allowed(actor, scope, &mut projects).await?;
            access.push(AccessEntry { kind: scope.kind.clone(), name: scope.name.clone(), actions });
        }
        let access = (!access.is_empty()).then_some(access);
        self.core.tokens.issue(subject(actor), access, projects)
    }

    /// The actions that are granted; the project that they are granted in joins `projects`.
    async fn allowed(&self, actor: &Actor, scope: &Scope, projects: &mut Vec<ProjectId>) -> Result<Vec<String>> {
        match scope.kind.as_str() {
            "repository" => self.allowed_in_repository(actor, scope, projects).await,
            // Robots read the catalog with their secret; a token for it is for administrators, as Harbor's.
            "registry" if scope.name == "catalog" && actor.is_admin() => Ok(scope.actions.clone()),
            _ => Ok(Vec::new()),
        }
    }

    async fn allowed_in_repository(&self, actor: &Actor, scope: &Scope, projects: &mut Vec<ProjectId>) -> Result<Vec<String>> {
        let Some((name, _)) = scope.name.split_once('/') else {
            return Ok(Vec::new());
        };
        let Some(project) = self.core.authz.project_by_name(name).await? else {
            self.core.authz.look_as_if_there(actor, &NameOrId::Name(name.to_owned())).await?;
            return Ok(Vec::new());
        };
        let all = scope.actions.iter().any(|a| a == "*");
        let mut actions = Vec::new();
        for action in REPOSITORY_ACTIONS {
            let asked = scope.actions.iter().any(|a| a == action.as_str()) || (all && action != Action::ScannerPull);
            if asked && self.core.authz.decide(actor, &project, Resource::Repository, action).await?.is_ok() {
                actions.push(action.as_str().to_owned());
            }
        }
        if !actions.is_empty() {
            projects.push(project.id);
        }
        Ok(actions)
    }
}

fn subject(actor: &Actor) -> &str {
    if actor.is_anonymous() { "" } else { actor.name() }
}
