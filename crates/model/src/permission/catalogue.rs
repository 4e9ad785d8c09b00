//! What a robot may be given: the two lists of the API's permission catalogue, in its order.
//! The robot rules refuse everything else; the portal shows them as check boxes.

use super::{Action, Action as A, GrantKind, Resource, Resource as R};

type Rows = [(Resource, &'static [Action])];

const SYSTEM: &Rows = &[
    (R::AuditLog, &[A::List]),
    (R::PreheatInstance, &[A::Read, A::Create, A::Delete, A::List, A::Update]),
    (R::Project, &[A::List, A::Create]),
    (R::ReplicationPolicy, &[A::Read, A::Create, A::Delete, A::List, A::Update]),
    (R::Replication, &[A::Read, A::Create, A::List]),
    (R::ReplicationAdapter, &[A::List]),
    (R::Registry, &[A::Read, A::Create, A::Delete, A::List, A::Update]),
    (R::ScanAll, &[A::Read, A::Update, A::Stop, A::Create]),
    (R::SystemVolumes, &[A::Read]),
    (R::GarbageCollection, &[A::Read, A::Create, A::List, A::Update, A::Stop]),
    (R::PurgeAudit, &[A::Read, A::Create, A::List, A::Update, A::Stop]),
    (R::JobserviceMonitor, &[A::List, A::Stop]),
    (R::Scanner, &[A::Read, A::Create, A::Delete, A::List, A::Update]),
    (R::Label, &[A::Read, A::Create, A::Delete, A::Update]),
    (R::SecurityHub, &[A::Read, A::List]),
    (R::Catalog, &[A::Read]),
    (R::Quota, &[A::Read, A::List, A::Update]),
    (R::Robot, &[A::Create, A::Read, A::List, A::Delete]),
    (R::User, &[A::Create, A::Read, A::Update, A::List, A::Delete]),
    (R::LdapUser, &[A::Create, A::List]),
    (R::UserGroup, &[A::Create, A::Read, A::Update, A::List, A::Delete]),
];

const PROJECT: &Rows = &[
    (R::Log, &[A::List]),
    (R::Project, &[A::Read, A::Delete, A::Update]),
    (R::Metadata, &[A::Read, A::Create, A::Delete, A::List, A::Update]),
    (R::Repository, &[A::Read, A::Update, A::Delete, A::List, A::Pull, A::Push]),
    (R::Artifact, &[A::Read, A::Create, A::List, A::Delete]),
    (R::Scan, &[A::Create, A::Read, A::Stop]),
    (R::Sbom, &[A::Create, A::Stop, A::Read]),
    (R::Tag, &[A::Create, A::List, A::Delete]),
    (R::Accessory, &[A::List]),
    (R::ArtifactAddition, &[A::Read]),
    (R::ArtifactLabel, &[A::Create, A::Delete]),
    (R::Scanner, &[A::Create, A::Read]),
    (R::PreheatPolicy, &[A::Read, A::Create, A::Delete, A::List, A::Update]),
    (R::ImmutableTag, &[A::Create, A::Delete, A::List, A::Update]),
    (R::NotificationPolicy, &[A::Read, A::Create, A::Delete, A::List, A::Update]),
    (R::TagRetention, &[A::Read, A::Create, A::Delete, A::List, A::Update]),
    (R::Label, &[A::Read, A::Create, A::Delete, A::List, A::Update]),
    (R::Quota, &[A::Read]),
    (R::Robot, &[A::Create, A::Read, A::List, A::Delete]),
    (R::ExportCve, &[A::Create, A::Read]),
    (R::Member, &[A::Create, A::Read, A::Update, A::List, A::Delete]),
];

const fn rows(kind: GrantKind) -> &'static Rows {
    match kind {
        GrantKind::System => SYSTEM,
        GrantKind::Project => PROJECT,
    }
}

/// All pairs of a kind, in the order of the API.
pub fn pairs(kind: GrantKind) -> impl Iterator<Item = (Resource, Action)> {
    rows(kind).iter().flat_map(|(resource, actions)| actions.iter().map(move |action| (*resource, *action)))
}

/// May a robot be given this?
pub fn contains(kind: GrantKind, resource: Resource, action: Action) -> bool {
    rows(kind).iter().any(|(listed, actions)| *listed == resource && actions.contains(&action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lists_have_seventy_distinct_pairs() {
        for kind in [GrantKind::System, GrantKind::Project] {
            let mut all: Vec<_> = pairs(kind).collect();
            assert_eq!(all.len(), 70);
            assert!(all.iter().all(|(resource, action)| contains(kind, *resource, *action)));
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), 70);
        }
        assert_eq!(pairs(GrantKind::System).next(), Some((R::AuditLog, A::List)));
        assert_eq!(pairs(GrantKind::Project).next(), Some((R::Log, A::List)));
    }

    #[test]
    fn what_robots_cannot_be_given() {
        let refused = [
            (R::Robot, A::Update),
            (R::Repository, A::Create),
            (R::ExportCve, A::List),
            (R::Configuration, A::Read),
            (R::TagRetention, A::Operate),
            (R::Repository, A::ScannerPull),
            (R::Registry, A::Read),
        ];
        for (resource, action) in refused {
            assert!(!contains(GrantKind::Project, resource, action), "{resource}:{action}");
        }
        assert!(!contains(GrantKind::System, R::Repository, A::Pull));
    }
}
