//! How much there is: projects, repositories, bytes. The REST door and the portal call it.

use std::sync::Arc;

use model::api;

use crate::repository::searcher;
use crate::{Actor, Core, Error, Result};

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Statistics {
    core: Arc<Core>,
}

impl Statistics {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// What the caller sees; totals and bytes are for administrators, others get zeros.
    ///
    /// # Errors
    /// 401 for nobody.
    pub async fn get(&self, actor: &Actor) -> Result<api::Statistic> {
        if actor.is_anonymous() {
            return Err(Error::unauthorized("unauthorized"));
        }
        let mut conn = self.core.db.read().await?;
        let link = &mut conn.link();
        let mut figures = api::Statistic::default();
        for part in store::statistics::figures(link, &searcher(&self.core, actor)).await? {
            let (projects, repositories) = match part.is_public {
                true => (&mut figures.public_project_count, &mut figures.public_repo_count),
                false => (&mut figures.private_project_count, &mut figures.private_repo_count),
            };
            (*projects, *repositories) = (part.projects, part.repositories);
        }
        if actor.is_admin() {
            figures.total_project_count = figures.public_project_count + figures.private_project_count;
            figures.total_repo_count = figures.public_repo_count + figures.private_repo_count;
            figures.total_storage_consumption = store::statistics::storage(link).await?;
        }
        Ok(figures)
    }
}
