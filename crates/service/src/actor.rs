//! Who calls: what authentication found out, and nothing about what they may do.

use std::sync::Arc;

use model::permission::{RobotGrant, RobotLevel, TokenAccess};
use model::{ProjectId, RobotId, UserId};

/// The caller of a use case.
#[derive(Clone, Debug, Default)]
pub enum Actor {
    /// Nobody we know.
    #[default]
    Anonymous,
    /// A person.
    User(Arc<UserActor>),
    /// A robot account.
    Robot(Arc<RobotActor>),
    /// The bearer of a registry token: what it grants was decided when it was issued.
    Token(Arc<TokenActor>),
}

/// A person who signed in.
#[derive(Clone, Debug)]
pub struct UserActor {
    /// Account.
    pub id: UserId,
    /// User name.
    pub name: String,
    /// Their name for people; may be empty.
    pub full_name: String,
    /// Their address, if there is one.
    pub email: Option<String>,
    /// System administrator.
    pub is_admin: bool,
}

/// A robot that presented its secret.
#[derive(Clone, Debug)]
pub struct RobotActor {
    /// Robot.
    pub id: RobotId,
    /// The full name, prefix included.
    pub name: String,
    /// Of the system or of a project.
    pub level: RobotLevel,
    /// What it may do.
    pub grants: Vec<RobotGrant>,
}

/// The bearer of a verified registry token.
#[derive(Clone, Debug)]
pub struct TokenActor {
    /// Who asked for it; empty for anonymous.
    pub subject: String,
    /// Unix seconds.
    pub expires_at: i64,
    /// The projects that `access` is about.
    pub projects: Vec<ProjectId>,
    /// What it grants.
    pub access: Vec<TokenAccess>,
}

impl Actor {
    /// The name for logs and audit.
    pub fn name(&self) -> &str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User(user) => &user.name,
            Self::Robot(robot) => &robot.name,
            Self::Token(token) if token.subject.is_empty() => "anonymous",
            Self::Token(token) => &token.subject,
        }
    }

    /// Whether nobody we know calls.
    pub fn is_anonymous(&self) -> bool {
        match self {
            Self::Anonymous => true,
            Self::Token(token) => token.subject.is_empty(),
            Self::User(_) | Self::Robot(_) => false,
        }
    }

    /// Whether a system administrator calls.
    pub fn is_admin(&self) -> bool {
        matches!(self, Self::User(user) if user.is_admin)
    }

    /// The person's account, if a person calls.
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::User(user) => Some(user.id),
            _ => None,
        }
    }
}
