//! What the project pages show: plain values, filled by the server functions, rendered by the pages, made up by tests.

use model::Instant;
use serde::{Deserialize, Serialize};

use crate::listing::Listing;

/// The list of projects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectsView {
    /// The rows of the page.
    pub rows: Vec<ProjectRow>,
    /// Rows of the whole result.
    pub total: u64,
    /// The state of the list that was shown.
    pub listing: Listing,
    /// Whether the visitor may make a project.
    pub may_create: bool,
}

/// One project of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectRow {
    /// The id, for addresses.
    pub id: i64,
    /// The name.
    pub name: String,
    /// Whether everyone may pull.
    pub public: bool,
    /// Whether it mirrors another registry.
    pub proxy: bool,
    /// The visitor's role in words, if any.
    pub role: Option<String>,
    /// How many repositories it holds.
    pub repositories: u64,
    /// When it was made.
    pub created: Instant,
}

/// What the form for a new project needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewProjectView {
    /// Whether the visitor may set a storage limit.
    pub may_limit: bool,
}

/// A project as the pages inside it show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectHead {
    /// The id, for addresses.
    pub id: i64,
    /// The name.
    pub name: String,
    /// Whether everyone may pull.
    pub public: bool,
    /// Whether it mirrors another registry.
    pub proxy: bool,
    /// How many repositories it holds.
    pub repositories: u64,
    /// When it was made.
    pub created: Instant,
    /// What it holds and may hold; none for who may not see that, and where it is not counted.
    pub storage: Option<StorageView>,
}

/// What a project holds and may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageView {
    /// Bytes in use.
    pub used: u64,
    /// Bytes at most; none without a limit.
    pub limit: Option<u64>,
}

/// The repositories of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoriesView {
    /// The project.
    pub project: ProjectHead,
    /// The rows of the page.
    pub rows: Vec<RepositoryRow>,
    /// Rows of the whole result.
    pub total: u64,
    /// The state of the list that was shown.
    pub listing: Listing,
    /// Whether the visitor may push.
    pub may_push: bool,
}

/// One repository of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryRow {
    /// The name inside the project.
    pub name: String,
    /// The description, if any.
    pub description: String,
    /// How many artifacts it holds.
    pub artifacts: u64,
    /// How often something was pulled from it.
    pub pulls: u64,
    /// When something in it last changed.
    pub updated: Instant,
}
