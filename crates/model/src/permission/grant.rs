//! What a robot account may hold: its permissions as facts for the decision.

use super::{Action, Resource};
use crate::id::ProjectId;

/// Where a robot account lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RobotLevel {
    /// Made by an administrator, with permissions in many projects and of the system.
    System,
    /// In one project.
    Project,
}

impl RobotLevel {
    /// As sent and stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Project => "project",
        }
    }

    /// From what was sent.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::System, Self::Project].into_iter().find(|level| level.as_str() == name)
    }
}

/// The kind of a robot's permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrantKind {
    /// Of the system, namespace `/`.
    System,
    /// In one project or in all (`*`).
    Project,
}

impl GrantKind {
    /// As sent and stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Project => "project",
        }
    }

    /// From what was sent.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::System, Self::Project].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Where a robot's permission holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrantScope {
    /// At system level.
    System,
    /// In all projects, those to come included.
    AllProjects,
    /// In one project.
    Project(ProjectId),
}

/// Does a robot's permission give or take?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It gives.
    #[default]
    Allow,
    /// It takes, whatever else gives.
    Deny,
}

/// One permission of a robot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RobotGrant {
    /// Its kind.
    pub kind: GrantKind,
    /// Where it holds.
    pub scope: GrantScope,
    /// About what.
    pub resource: Resource,
    /// To do what.
    pub action: Action,
    /// Gives or takes.
    pub effect: Effect,
}
