//! From the rules to the project pages: the calls, and the mapping of what they return. The server functions beside it use it.

use model::{
    Instant,
    api::{Project, ProjectMetadata, ProjectReq, Repository, is_true},
    list::{Op, Term, Value},
    permission::Role,
};
use service::NameOrId;

use super::{NewProjectView, ProjectHead, ProjectRow, ProjectsView, RepositoriesView, RepositoryRow, StorageView, create::wrong_name};
use crate::{
    listing::Listing,
    ui::{Caller, UiError},
};

pub(super) async fn projects(caller: &Caller, listing: Listing) -> Result<ProjectsView, UiError> {
    let mut conditions: Vec<_> = listing.containing("name").into_iter().collect();
    let public = match listing.show.as_str() {
        "public" => Some("true"),
        "private" => Some("false"),
        _ => None,
    };
    conditions.extend(public.map(|value| Term { key: "public".to_owned(), op: Op::Exact(Value::new(value)) }));
    let query = listing.ordered("name").query(conditions, &["name", "creation_time"]);
    let services = &caller.services;
    let page = services.projects.list(&caller.actor, &query).await.map_err(|error| caller.refusal(&error))?;
    let may_create = services.projects.may_create(&caller.actor);
    let admin = caller.actor.is_admin();
    let rows = page.items.into_iter().map(|project| row(project, admin)).collect();
    Ok(ProjectsView { rows, total: page.total, listing, may_create })
}

pub(super) async fn new_project(caller: &Caller) -> Result<NewProjectView, UiError> {
    if caller.actor.is_anonymous() {
        return Err(UiError::new(401, ""));
    }
    if !caller.services.projects.may_create(&caller.actor) {
        return Err(UiError::new(403, "Only administrators make projects here."));
    }
    Ok(NewProjectView { may_limit: caller.actor.is_admin() })
}

/// Makes the project; returns its id as text. `limit` is bytes, -1 for none.
pub(super) async fn create(caller: &Caller, name: String, public: bool, limit: i64) -> Result<String, UiError> {
    let request = ProjectReq {
        project_name: name.clone(),
        metadata: Some(ProjectMetadata { public: Some(public.to_string()), ..ProjectMetadata::default() }),
        storage_limit: caller.actor.is_admin().then_some(limit),
        ..ProjectReq::default()
    };
    caller.services.configuration.writable().map_err(|error| caller.refusal(&error))?;
    match caller.services.projects.create(&caller.actor, request).await {
        Ok(id) => Ok(id.to_string()),
        Err(error) => Err(refused_creation(caller.refusal(&error), &name, caller.actor.is_admin())),
    }
}

/// Puts what is about the name beside the name. Administrators see every project.
fn refused_creation(error: UiError, name: &str, admin: bool) -> UiError {
    match (error.status, wrong_name(name)) {
        (409, _) if admin => UiError::about("name", format!("There is a project called {name} already.")),
        (409, _) => UiError::about("name", format!("There is a project called {name} already, though you may not see it.")),
        (400 | 422, Some(wrong)) => UiError { status: error.status, ..UiError::about("name", wrong) },
        _ => error,
    }
}

pub(super) async fn repositories(caller: &Caller, project: &str, listing: Listing) -> Result<RepositoriesView, UiError> {
    let project = NameOrId::parse(project, false);
    let conditions = listing.containing("name").into_iter().collect();
    let query = listing.ordered("-update_time").query(conditions, &["name", "pull_count", "update_time"]);
    let page = caller.services.browse.project(&caller.actor, &project, &query).await.map_err(|error| caller.absence(&error))?;
    let rows = page.repositories.items.into_iter().map(|repository| repository_row(&page.project.name, repository)).collect();
    let (total, may_push) = (page.repositories.total, page.rights.push);
    let storage = page.storage.map(|storage| StorageView { used: storage.used, limit: storage.limit });
    Ok(RepositoriesView { project: ProjectHead { storage, ..project_head(page.project) }, rows, total, listing, may_push })
}

fn is_public(project: &Project) -> bool {
    project.metadata.as_ref().and_then(|metadata| metadata.public.as_deref()).is_some_and(is_true)
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// A row of a list of projects. An administrator of the system may do in each what its own may, member or not.
pub(crate) fn row(project: Project, admin: bool) -> ProjectRow {
    let role = if admin { Some("Administrator") } else { role_word(project.current_user_role_id) };
    ProjectRow {
        id: project.project_id.get(),
        public: is_public(&project),
        proxy: project.registry_id != 0,
        role: role.map(str::to_owned),
        repositories: count(project.repo_count),
        created: project.creation_time,
        name: project.name,
    }
}

fn project_head(project: Project) -> ProjectHead {
    ProjectHead {
        id: project.project_id.get(),
        public: is_public(&project),
        proxy: project.registry_id != 0,
        repositories: count(project.repo_count),
        created: project.creation_time,
        name: project.name,
        storage: None,
    }
}

fn repository_row(project: &str, repository: Repository) -> RepositoryRow {
    RepositoryRow {
        name: inner_name(project, &repository.name).to_owned(),
        description: repository.description,
        artifacts: count(repository.artifact_count),
        pulls: count(repository.pull_count),
        updated: latest(repository.update_time, repository.creation_time),
    }
}

/// The name of a repository inside its project.
fn inner_name<'a>(project: &str, full: &'a str) -> &'a str {
    full.strip_prefix(project).and_then(|rest| rest.strip_prefix('/')).unwrap_or(full)
}

fn latest(updated: Instant, created: Option<Instant>) -> Instant {
    if updated.is_zero_time() { created.unwrap_or(updated) } else { updated }
}

/// The word for a role that the API knows by number.
fn role_word(id: i64) -> Option<&'static str> {
    Role::from_id(id).map(|role| match role {
        Role::ProjectAdmin => "Administrator",
        Role::Maintainer => "Maintainer",
        Role::Developer => "Developer",
        Role::Guest => "Guest",
        Role::LimitedGuest => "Limited guest",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_say_what_the_api_says() {
        let project = Project {
            project_id: 5.into(),
            name: "library".into(),
            repo_count: 3,
            current_user_role_id: 4,
            metadata: Some(ProjectMetadata { public: Some("true".into()), ..ProjectMetadata::default() }),
            ..Project::default()
        };
        let own = row(project.clone(), true);
        assert_eq!(own.role.as_deref(), Some("Administrator"));
        let row = row(project.clone(), false);
        assert_eq!((row.id, row.public, row.proxy, row.role.as_deref(), row.repositories), (5, true, false, Some("Maintainer"), 3));
        assert!(!project_head(Project { metadata: None, ..project }).public);
        assert_eq!(role_word(0), None);
    }

    #[test]
    fn repositories_lose_the_project_in_front() {
        let repository = Repository { name: "library/a/b".into(), pull_count: 9, ..Repository::default() };
        let row = repository_row("library", repository);
        assert_eq!((row.name.as_str(), row.pulls), ("a/b", 9));
        assert_eq!(inner_name("lib", "library/x"), "library/x");
    }

    #[test]
    fn what_is_wrong_with_a_name_is_said_beside_it() {
        let refused = |status, name| refused_creation(UiError::new(status, "in raw words"), name, false);
        assert_eq!(refused(409, "web").field.as_deref(), Some("name"));
        let wrong = refused(400, "No Name");
        assert_eq!((wrong.status, wrong.field.as_deref()), (400, Some("name")));
        assert!(wrong.message.starts_with("Lower-case letters"), "{}", wrong.message);
        let other = refused(400, "web");
        assert_eq!((other.field, other.message.as_str()), (None, "in raw words"), "it is about something else");
        assert_eq!(refused(403, "No Name").field, None);
    }

    #[test]
    fn only_who_may_not_see_a_project_is_told_that_it_may_be_hidden() {
        let said = |admin| refused_creation(UiError::new(409, "x"), "web", admin).message;
        assert_eq!(said(true), "There is a project called web already.");
        assert!(said(false).ends_with("though you may not see it."));
    }
}
