//! From the rules to the search page: the call, and the mapping of what it returns. The server function beside it uses it.

use model::api::{Search, SearchRepository};

use super::{FoundRepository, SearchView};
use crate::{
    project::wiring::row,
    repository::wiring::count,
    ui::{Caller, UiError},
};

/// Rows of each kind that the page shows.
const SHOWN: usize = 100;

pub(super) async fn search(caller: &Caller, text: String) -> Result<SearchView, UiError> {
    if text.is_empty() {
        return Ok(SearchView::default());
    }
    let found = caller.services.search.find(&caller.actor, &text).await.map_err(|error| caller.refusal(&error))?;
    Ok(view(found, text, caller.actor.is_admin()))
}

fn view(found: Search, text: String, admin: bool) -> SearchView {
    let (all_projects, all_repositories) = (found.project.len(), found.repository.len());
    SearchView {
        text,
        projects: found.project.into_iter().take(SHOWN).map(|project| row(project, admin)).collect(),
        all_projects: all_projects as u64,
        repositories: found.repository.into_iter().take(SHOWN).map(repository).collect(),
        all_repositories: all_repositories as u64,
        cut: all_projects.max(all_repositories) >= service::search::MOST,
    }
}

fn repository(found: SearchRepository) -> FoundRepository {
    let inner = found.repository_name.strip_prefix(&found.project_name).and_then(|rest| rest.strip_prefix('/'));
    FoundRepository {
        project_id: found.project_id.get(),
        public: found.project_public,
        name: inner.unwrap_or(&found.repository_name).to_owned(),
        artifacts: count(found.artifact_count),
        pulls: count(found.pull_count),
        project: found.project_name,
    }
}

#[cfg(test)]
mod tests {
    use model::api::Project;

    use super::*;

    #[test]
    fn what_is_found_is_counted_whole_and_shown_in_part() {
        let repositories = (0..130).map(|at| SearchRepository {
            project_id: 3.into(),
            project_name: "web".into(),
            repository_name: format!("web/a/{at}"),
            ..SearchRepository::default()
        });
        let project = Project { project_id: 3.into(), name: "web".into(), ..Project::default() };
        let view = view(Search { project: vec![project], repository: repositories.collect() }, "w".into(), true);
        assert_eq!((view.repositories.len(), view.all_repositories, view.all_projects, view.cut), (100, 130, 1, false));
        assert_eq!((view.repositories[1].name.as_str(), view.projects[0].role.as_deref()), ("a/1", Some("Administrator")));
    }
}
