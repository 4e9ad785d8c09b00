//! The search over projects and repositories, as far as the caller sees them. The REST door and the portal call it.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Instant, api};
use store::statistics::FoundProject;

use crate::repository::searcher;
use crate::{Actor, Core, Error, Result};

/// Projects, and repositories, that one search finds at most.
pub const MOST: usize = 500;
/// Characters that are searched for.
const LONGEST: usize = 512;

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Search {
    core: Arc<Core>,
}

impl Search {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Projects whose name contains the text letter by letter, and repositories whose full name contains it in any case.
    ///
    /// # Errors
    /// 400 for a text of more than 512 characters.
    pub async fn find(&self, actor: &Actor, text: &str) -> Result<api::Search> {
        if text.chars().count() > LONGEST {
            return Err(Error::bad_request(format!("the search text is longer than {LONGEST} characters")));
        }
        // No name has one, and not every database takes one.
        if text.contains('\0') {
            return Ok(api::Search::default());
        }
        let viewer = searcher(&self.core, actor);
        let mut conn = self.core.db.read().await?;
        let link = &mut conn.link();
        let projects = store::statistics::search_projects(link, &viewer, actor.user_id(), text, MOST as u64).await?;
        let repositories = store::repository::search(link, &viewer, text, MOST as u64).await?;
        Ok(api::Search {
            project: projects.into_iter().map(project).collect::<Result<_>>()?,
            repository: repositories
                .into_iter()
                .map(|found| api::SearchRepository {
                    project_id: found.repository.project_id,
                    repository_name: format!("{}/{}", found.project_name, found.repository.name),
                    project_name: found.project_name,
                    project_public: found.project_public,
                    pull_count: found.repository.pull_count,
                    artifact_count: found.artifact_count,
                })
                .collect(),
        })
    }
}

fn project(found: FoundProject) -> Result<api::Project> {
    let metadata: BTreeMap<String, String> = serde_json::from_str(&found.metadata).map_err(Error::internal)?;
    Ok(api::Project {
        project_id: found.id,
        owner_id: found.owner_id,
        name: found.name,
        registry_id: found.registry_id.unwrap_or_default(),
        creation_time: Instant::from_micros(found.created_at),
        update_time: Instant::from_micros(found.updated_at),
        current_user_role_id: found.role.unwrap_or_default(),
        current_user_role_ids: found.role.map(|role| vec![role]),
        repo_count: found.repo_count,
        metadata: Some(api::ProjectMetadata::from_pairs(metadata)),
        // Search tells nothing of allowlists, and sends them empty.
        cve_allowlist: Some(api::CVEAllowlist {
            creation_time: Instant::ZERO_TIME,
            update_time: Instant::ZERO_TIME,
            ..api::CVEAllowlist::default()
        }),
        ..api::Project::default()
    })
}
