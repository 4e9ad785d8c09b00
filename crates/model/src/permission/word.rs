//! The words of permissions as enums, so that a misspelt one does not compile.

use crate::id::ProjectId;
use std::{fmt, str::FromStr};

/// The text is no resource or action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown word of a permission: {0}")]
pub struct UnknownWord(pub String);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every word.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As sent and stored.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(UnknownWord(text.chars().take(64).collect())),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What a permission is about. In a project `Project` is the project itself; at system level, the list of projects.
    Resource {
        /// A project, or projects.
        Project = "project",
        /// What belongs to an artifact: signatures, SBOMs.
        Accessory = "accessory",
        /// Artifacts.
        Artifact = "artifact",
        /// Additions of an artifact: build history, chart values.
        ArtifactAddition = "artifact-addition",
        /// Labels put on artifacts.
        ArtifactLabel = "artifact-label",
        /// Settings, of a project or of the system.
        Configuration = "configuration",
        /// Exports of vulnerabilities.
        ExportCve = "export-cve",
        /// Rules that make tags immutable.
        ImmutableTag = "immutable-tag",
        /// Labels.
        Label = "label",
        /// The log of a project.
        Log = "log",
        /// Members of a project.
        Member = "member",
        /// Metadata of a project.
        Metadata = "metadata",
        /// Webhooks.
        NotificationPolicy = "notification-policy",
        /// Preheat policies of a project.
        PreheatPolicy = "preheat-policy",
        /// Quotas.
        Quota = "quota",
        /// Repositories; `push` and `pull` are asked of them.
        Repository = "repository",
        /// Robot accounts.
        Robot = "robot",
        /// Bills of materials.
        Sbom = "sbom",
        /// Scans for vulnerabilities.
        Scan = "scan",
        /// Scanners.
        Scanner = "scanner",
        /// Tags.
        Tag = "tag",
        /// Retention of tags.
        TagRetention = "tag-retention",
        /// The log of the system.
        AuditLog = "audit-log",
        /// Preheat instances.
        PreheatInstance = "preheat-instance",
        /// Replication rules.
        ReplicationPolicy = "replication-policy",
        /// Runs of replication.
        Replication = "replication",
        /// Kinds of registries that replication can speak to.
        ReplicationAdapter = "replication-adapter",
        /// Other registries.
        Registry = "registry",
        /// Scanning everything.
        ScanAll = "scan-all",
        /// Storage of the system.
        SystemVolumes = "system-volumes",
        /// Garbage collection.
        GarbageCollection = "garbage-collection",
        /// Purging the log.
        PurgeAudit = "purge-audit",
        /// The job service.
        JobserviceMonitor = "jobservice-monitor",
        /// The security overview.
        SecurityHub = "security-hub",
        /// The catalogue of all repositories.
        Catalog = "catalog",
        /// Users.
        User = "user",
        /// Users of the directory.
        LdapUser = "ldap-user",
        /// Groups of users.
        UserGroup = "user-group",
        /// Preheat distribution (listed among the system permissions only).
        Distribution = "distribution",
    }
}

words! {
    /// What is done to a resource.
    Action {
        /// Make one.
        Create = "create",
        /// See one.
        Read = "read",
        /// Change one.
        Update = "update",
        /// Remove one.
        Delete = "delete",
        /// See all.
        List = "list",
        /// Download content.
        Pull = "pull",
        /// Upload content.
        Push = "push",
        /// Download content as a scanner: past the policies, and never granted to a person.
        ScannerPull = "scanner-pull",
        /// Stop a run.
        Stop = "stop",
        /// Run it.
        Operate = "operate",
    }
}

impl Resource {
    /// How the list of one's own permissions names a resource of a project: `/project/1/member`, relative `member`;
    /// the project itself `/project/1`, relative `.`.
    pub fn in_project(self, id: ProjectId, relative: bool) -> String {
        match (self, relative) {
            (Self::Project, true) => ".".to_owned(),
            (Self::Project, false) => format!("/project/{id}"),
            (_, true) => self.as_str().to_owned(),
            (_, false) => format!("/project/{id}/{self}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_back_and_strangers_do_not() {
        for word in Resource::ALL {
            assert_eq!(word.as_str().parse(), Ok(*word));
        }
        for word in Action::ALL {
            assert_eq!(word.as_str().parse(), Ok(*word));
        }
        assert_eq!("Pull".parse::<Action>(), Err(UnknownWord("Pull".to_owned())));
        assert_eq!("x".repeat(200).parse::<Resource>().unwrap_err().0.len(), 64);
    }

    #[test]
    fn names_in_a_project() {
        assert_eq!(Resource::Project.in_project(ProjectId(3), true), ".");
        assert_eq!(Resource::Project.in_project(ProjectId(3), false), "/project/3");
        assert_eq!(Resource::Member.in_project(ProjectId(3), true), "member");
        assert_eq!(Resource::Member.in_project(ProjectId(3), false), "/project/3/member");
    }
}
