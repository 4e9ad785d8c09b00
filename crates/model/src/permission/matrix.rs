//! The role matrix: for every permission in a project, the roles that have it. Data only; [`super::decide`] reads it.

use super::{Action, Action as A, Resource, Resource as R, Role};

/// One permission and who has it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// About what.
    pub resource: Resource,
    /// To do what.
    pub action: Action,
    holders: u8,
}

impl Row {
    /// Does this role have it?
    pub const fn held_by(&self, role: Role) -> bool {
        self.holders & (1 << role as u8) != 0
    }

    /// Does anyone have it on a public project?
    pub const fn public(&self) -> bool {
        self.holders & PUBLIC != 0
    }
}

const PUBLIC: u8 = 1;

/// Columns: **P**roject admin, **M**aintainer, **D**eveloper, **G**uest, **L**imited guest, **A**nyone on a public project.
const fn row(resource: Resource, action: Action, columns: &[u8; 6]) -> Row {
    let mut holders = 0;
    let mut at = 0;
    while at < columns.len() {
        holders |= match columns[at] {
            b'P' => 1 << Role::ProjectAdmin as u8,
            b'M' => 1 << Role::Maintainer as u8,
            b'D' => 1 << Role::Developer as u8,
            b'G' => 1 << Role::Guest as u8,
            b'L' => 1 << Role::LimitedGuest as u8,
            b'A' => PUBLIC,
            b'-' => 0,
            _ => panic!("a column of the role matrix is one of PMDGLA-"),
        };
        at += 1;
    }
    Row { resource, action, holders }
}

/// Every permission of a project that a role can have.
#[rustfmt::skip]
pub const MATRIX: [Row; 75] = [
    row(R::Project, A::Read, b"PMDGLA"),
    row(R::Project, A::Update, b"P-----"),
    row(R::Project, A::Delete, b"P-----"),
    row(R::Accessory, A::List, b"PMDGLA"),
    row(R::Artifact, A::Create, b"PMD---"),
    row(R::Artifact, A::Read, b"PMDGLA"),
    row(R::Artifact, A::Delete, b"PM----"),
    row(R::Artifact, A::List, b"PMDGLA"),
    row(R::ArtifactAddition, A::Read, b"PMDGLA"),
    row(R::ArtifactLabel, A::Create, b"PMD---"),
    row(R::ArtifactLabel, A::Delete, b"PMD---"),
    row(R::Configuration, A::Read, b"PMDGL-"),
    row(R::Configuration, A::Update, b"P-----"),
    row(R::ExportCve, A::Create, b"PMD---"),
    row(R::ExportCve, A::Read, b"PMD---"),
    row(R::ExportCve, A::List, b"PMD---"),
    row(R::ImmutableTag, A::Create, b"PM----"),
    row(R::ImmutableTag, A::Update, b"PM----"),
    row(R::ImmutableTag, A::Delete, b"PM----"),
    row(R::ImmutableTag, A::List, b"PM----"),
    row(R::Label, A::Create, b"PM----"),
    row(R::Label, A::Read, b"PMDG-A"),
    row(R::Label, A::Update, b"PM----"),
    row(R::Label, A::Delete, b"PM----"),
    row(R::Label, A::List, b"PMDG-A"),
    row(R::Log, A::List, b"P-----"),
    row(R::Member, A::Create, b"P-----"),
    row(R::Member, A::Read, b"PMDG--"),
    row(R::Member, A::Update, b"P-----"),
    row(R::Member, A::Delete, b"P-----"),
    row(R::Member, A::List, b"PMDG--"),
    row(R::Metadata, A::Create, b"P-----"),
    row(R::Metadata, A::Read, b"PM----"),
    row(R::Metadata, A::Update, b"P-----"),
    row(R::Metadata, A::Delete, b"P-----"),
    row(R::NotificationPolicy, A::Create, b"P-----"),
    row(R::NotificationPolicy, A::Read, b"PM----"),
    row(R::NotificationPolicy, A::Update, b"P-----"),
    row(R::NotificationPolicy, A::Delete, b"P-----"),
    row(R::NotificationPolicy, A::List, b"PM----"),
    row(R::PreheatPolicy, A::Create, b"P-----"),
    row(R::PreheatPolicy, A::Read, b"P-----"),
    row(R::PreheatPolicy, A::Update, b"P-----"),
    row(R::PreheatPolicy, A::Delete, b"P-----"),
    row(R::PreheatPolicy, A::List, b"P-----"),
    row(R::Quota, A::Read, b"PMDGL-"),
    row(R::Repository, A::Create, b"PMD---"),
    row(R::Repository, A::Read, b"PMDGL-"),
    row(R::Repository, A::Update, b"PMD---"),
    row(R::Repository, A::Delete, b"PM----"),
    row(R::Repository, A::List, b"PMDGLA"),
    row(R::Repository, A::Push, b"PMD---"),
    row(R::Repository, A::Pull, b"PMDGLA"),
    row(R::Robot, A::Create, b"P-----"),
    row(R::Robot, A::Read, b"PMDG--"),
    row(R::Robot, A::Update, b"P-----"),
    row(R::Robot, A::Delete, b"P-----"),
    row(R::Robot, A::List, b"PMDG--"),
    row(R::Sbom, A::Create, b"PM----"),
    row(R::Sbom, A::Read, b"PMDGL-"),
    row(R::Sbom, A::Stop, b"PM----"),
    row(R::Scan, A::Create, b"PM----"),
    row(R::Scan, A::Read, b"PMDGLA"),
    row(R::Scan, A::Stop, b"PM----"),
    row(R::Scanner, A::Create, b"P-----"),
    row(R::Scanner, A::Read, b"PMDGLA"),
    row(R::Tag, A::Create, b"PMD---"),
    row(R::Tag, A::Delete, b"PM----"),
    row(R::Tag, A::List, b"PMDGLA"),
    row(R::TagRetention, A::Create, b"PMD---"),
    row(R::TagRetention, A::Read, b"PMD---"),
    row(R::TagRetention, A::Update, b"PMD---"),
    row(R::TagRetention, A::Delete, b"PMD---"),
    row(R::TagRetention, A::List, b"PMD---"),
    row(R::TagRetention, A::Operate, b"PMD---"),
];

/// The row of a permission; `None` for what no role has (only robots and administrators can).
pub fn find(resource: Resource, action: Action) -> Option<&'static Row> {
    MATRIX.iter().find(|row| row.resource == resource && row.action == action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_its_count() {
        let count = |role| MATRIX.iter().filter(|row| row.held_by(role)).count();
        assert_eq!(Role::ALL.map(count), [75, 53, 36, 20, 14]);
        assert_eq!(MATRIX.iter().filter(|row| row.public()).count(), 12);
    }

    #[test]
    fn no_permission_is_listed_twice_and_roles_only_grow() {
        for (at, row) in MATRIX.iter().enumerate() {
            assert!(!MATRIX[..at].iter().any(|other| (other.resource, other.action) == (row.resource, row.action)));
            for pair in Role::ALL.windows(2) {
                assert!(row.held_by(pair[0]) || !row.held_by(pair[1]), "{} {}", row.resource, row.action);
            }
        }
        assert!(find(R::Metadata, A::List).is_none());
        assert!(find(R::Repository, A::ScannerPull).is_none());
        assert!(find(R::Repository, A::Pull).is_some_and(Row::public));
        assert!(!find(R::Repository, A::Read).is_some_and(Row::public));
    }
}
