//! Lists of projects: what each caller may see, and how a project is shown. Three statements whatever the number of rows.

use std::collections::HashMap;

use model::ProjectId;
use model::api::{CVEAllowlist, CVEAllowlistItem, Project, ProjectMetadata};
use model::list::{ListQuery, Page};
use model::permission::{Role, strongest};
use model::time::Instant;
use store::project::ListedProject;

use super::Projects;
use crate::repository::viewer;
use crate::{Actor, Result};

impl Projects {
    /// A page of the projects that the caller may see, with metadata, allowlist and the owner's name: administrators see all, people theirs and
    /// public ones, robots those they were given and public ones, strangers public ones. `q` knows `name`, `public` and `owner` (a user name) too.
    ///
    /// # Errors
    /// The database.
    pub async fn list(&self, actor: &Actor, query: &ListQuery) -> Result<Page<Project>> {
        self.visible(actor, query, true).await
    }

    /// The same page without metadata, allowlist and the owner's name.
    ///
    /// # Errors
    /// The database.
    pub async fn list_brief(&self, actor: &Actor, query: &ListQuery) -> Result<Page<Project>> {
        self.visible(actor, query, false).await
    }

    async fn visible(&self, actor: &Actor, query: &ListQuery, with_detail: bool) -> Result<Page<Project>> {
        let mut conn = self.core.db.read().await?;
        let link = &mut conn.link();
        let page = store::project::list(link, &viewer(&self.core, actor), query).await?;
        let mut roles: HashMap<ProjectId, Vec<Role>> = HashMap::new();
        if let Some(user) = actor.user_id() {
            let ids: Vec<_> = page.items.iter().map(|listed| listed.project.id).collect();
            for (project, role) in store::member::roles_in(link, user, &ids).await? {
                roles.entry(project).or_default().extend(Role::from_id(role));
            }
        }
        let none = Vec::new();
        let mut items = Vec::with_capacity(page.items.len());
        for listed in page.items {
            let held = roles.get(&listed.project.id).unwrap_or(&none);
            items.push(project_of(listed, held, with_detail)?);
        }
        Ok(Page { items, total: page.total })
    }
}

/// A project as the API shows it to somebody with these roles in it.
pub(super) fn project_of(listed: ListedProject, roles: &[Role], with_detail: bool) -> Result<Project> {
    let items = listed.allowlist()?;
    let row = listed.project;
    let metadata = if with_detail { Some(ProjectMetadata::from_pairs(row.metadata()?)) } else { None };
    let role_ids: Vec<i64> = roles.iter().map(|role| role.id()).collect();
    // Without detail the list is an empty shell.
    let allowlist = CVEAllowlist {
        id: if with_detail { listed.allowlist_id.unwrap_or_default() } else { 0 },
        project_id: if with_detail { row.id } else { ProjectId(0) },
        expires_at: listed.allowlist_expires_at.filter(|_| with_detail),
        items: with_detail.then(|| items.into_iter().map(|cve_id| CVEAllowlistItem { cve_id }).collect()),
        creation_time: Instant::ZERO_TIME,
        update_time: Instant::ZERO_TIME,
    };
    Ok(Project {
        project_id: row.id,
        owner_id: row.owner_id,
        name: row.name,
        registry_id: row.registry_id.unwrap_or_default(),
        creation_time: Instant::from_micros(row.created_at),
        update_time: Instant::from_micros(row.updated_at),
        deleted: false,
        owner_name: if with_detail { listed.owner_name.unwrap_or_default() } else { String::new() },
        current_user_role_id: strongest(roles).map_or(0, Role::id),
        current_user_role_ids: (!role_ids.is_empty()).then_some(role_ids),
        repo_count: listed.repo_count,
        metadata,
        cve_allowlist: Some(allowlist),
    })
}
