//! Row ids as distinct types, so that a user's id cannot be passed for a project's. 64 bits everywhere.

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub struct $name(pub i64);

        impl $name {
            /// The number as stored and sent.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<i64> for $name {
            fn from(value: i64) -> Self {
                Self(value)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// A project.
    ProjectId,
    /// A repository of a project.
    RepositoryId,
    /// An artifact: one manifest in one repository.
    ArtifactId,
    /// A tag.
    TagId,
    /// A blob, shared by all repositories that link it.
    BlobId,
    /// A person's account. 1 is the built-in administrator.
    UserId,
    /// A group of people.
    GroupId,
    /// A membership of a user or group in a project.
    MemberId,
    /// A robot account.
    RobotId,
}
