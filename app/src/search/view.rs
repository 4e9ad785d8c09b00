//! What the page of the search shows: plain values, filled by the server function, rendered by the page, made up by tests.

use serde::{Deserialize, Serialize};

use crate::project::ProjectRow;

/// What one search found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchView {
    /// The text; empty before anything was asked.
    pub text: String,
    /// The first of the projects.
    pub projects: Vec<ProjectRow>,
    /// How many projects were found.
    pub all_projects: u64,
    /// The first of the repositories.
    pub repositories: Vec<FoundRepository>,
    /// How many repositories were found.
    pub all_repositories: u64,
    /// Whether the search itself stopped counting.
    pub cut: bool,
}

/// A repository that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundRepository {
    /// The project's id, for addresses.
    pub project_id: i64,
    /// The project's name.
    pub project: String,
    /// Whether everyone may pull.
    pub public: bool,
    /// The name inside the project.
    pub name: String,
    /// How many artifacts it holds.
    pub artifacts: u64,
    /// How often something was pulled from it.
    pub pulls: u64,
}
