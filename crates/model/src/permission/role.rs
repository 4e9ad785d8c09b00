//! The five roles of a project.

use std::fmt;

/// What a member of a project is there. The numbers are those of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// Everything in the project.
    ProjectAdmin = 1,
    /// Pushes, pulls, labels and retention.
    Developer = 2,
    /// Reads and pulls.
    Guest = 3,
    /// Developer, and deletes, scans, immutable tags, labels.
    Maintainer = 4,
    /// Pulls, without seeing the members.
    LimitedGuest = 5,
}

impl Role {
    /// Every role, strongest first.
    pub const ALL: [Self; 5] = [Self::ProjectAdmin, Self::Maintainer, Self::Developer, Self::Guest, Self::LimitedGuest];

    /// The `role_id` of the API.
    pub const fn id(self) -> i64 {
        self as i64
    }

    /// The role of a `role_id`; `None` when it is not one of 1 to 5.
    pub const fn from_id(id: i64) -> Option<Self> {
        match id {
            1 => Some(Self::ProjectAdmin),
            2 => Some(Self::Developer),
            3 => Some(Self::Guest),
            4 => Some(Self::Maintainer),
            5 => Some(Self::LimitedGuest),
            _ => None,
        }
    }

    /// The `role_name` of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProjectAdmin => "projectAdmin",
            Self::Maintainer => "maintainer",
            Self::Developer => "developer",
            Self::Guest => "guest",
            Self::LimitedGuest => "limitedGuest",
        }
    }

    /// The role of a `role_name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// The name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::ProjectAdmin => "Project Admin",
            Self::Maintainer => "Maintainer",
            Self::Developer => "Developer",
            Self::Guest => "Guest",
            Self::LimitedGuest => "Limited Guest",
        }
    }

    /// Who has several roles has the strongest one as `current_user_role_id`: the one of the greatest power.
    pub const fn power(self) -> u8 {
        match self {
            Self::ProjectAdmin => 50,
            Self::Maintainer => 40,
            Self::Developer => 30,
            Self::Guest => 20,
            Self::LimitedGuest => 10,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The role of the greatest power.
pub fn strongest(roles: &[Role]) -> Option<Role> {
    roles.iter().copied().max_by_key(|role| role.power())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_names_lead_back() {
        for role in Role::ALL {
            assert_eq!(Role::from_id(role.id()), Some(role));
            assert_eq!(Role::from_name(role.as_str()), Some(role));
        }
        assert_eq!((Role::from_id(0), Role::from_id(6), Role::from_name("Guest")), (None, None, None));
        assert!(Role::ALL.windows(2).all(|pair| pair[0].power() > pair[1].power()));
    }

    #[test]
    fn the_strongest_is_by_power_not_by_number() {
        assert_eq!(strongest(&[Role::Guest, Role::Maintainer, Role::Developer]), Some(Role::Maintainer));
        assert_eq!(strongest(&[Role::LimitedGuest, Role::Guest]), Some(Role::Guest));
        assert_eq!(strongest(&[]), None);
    }
}
