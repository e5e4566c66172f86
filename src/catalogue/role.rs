//! What people may do somewhere: roles, granted on a library or on an organisation and all below.

use std::fmt;
use std::str::FromStr;

use super::RuleError;

/// A role in a library, or in all libraries of an organisation and of those below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Role {
    /// Sees what the library shows its people.
    Learner,
    /// Makes courses, and uploads what belongs in them.
    Teacher,
    /// Uploads, and edits their own resources.
    Author,
    /// Reads what was handed in, and accepts or returns it.
    Reviewer,
    /// Looks after the library: everything in it.
    Librarian,
    /// Looks after organisations, their libraries and their people.
    Administrator,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 6] = [
        Self::Learner,
        Self::Teacher,
        Self::Author,
        Self::Reviewer,
        Self::Librarian,
        Self::Administrator,
    ];

    /// As it is stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Learner => "learner",
            Self::Teacher => "teacher",
            Self::Author => "author",
            Self::Reviewer => "reviewer",
            Self::Librarian => "librarian",
            Self::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let bad = || RuleError::BadField { field: "role", value: text.chars().take(40).collect() };
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(bad)
    }
}

/// The roles that somebody has in one place.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Roles(u8);

impl Roles {
    /// No role.
    pub const NONE: Self = Self(0);

    /// These and `role`.
    #[must_use]
    pub fn with(self, role: Role) -> Self {
        Self(self.0 | 1 << role as u8)
    }

    /// Whether `role` is among them.
    #[must_use]
    pub fn has(self, role: Role) -> bool {
        self.0 & 1 << role as u8 != 0
    }

    /// Whether there is any.
    #[must_use]
    pub fn any(self) -> bool {
        self.0 != 0
    }

    /// Looks after what is there.
    #[must_use]
    pub fn manages(self) -> bool {
        self.has(Role::Librarian) || self.has(Role::Administrator)
    }

    /// Uploads.
    #[must_use]
    pub fn uploads(self) -> bool {
        self.manages() || self.has(Role::Author) || self.has(Role::Teacher)
    }

    /// Reads what was handed in.
    #[must_use]
    pub fn reviews(self) -> bool {
        self.manages() || self.has(Role::Reviewer)
    }

    /// Works there, more than learning.
    #[must_use]
    pub fn works(self) -> bool {
        self.uploads() || self.reviews()
    }

    /// Each of them, the least first.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<T: IntoIterator<Item = Role>>(roles: T) -> Self {
        roles.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reviewer_uploads_nothing_and_an_author_reviews_nothing() {
        let of = |role| Roles::from_iter([role]);
        let who = |may: fn(Roles) -> bool| {
            Role::ALL
                .into_iter()
                .filter(|role| may(of(*role)))
                .map(Role::as_str)
                .collect::<Vec<_>>()
        };
        assert_eq!(who(Roles::uploads), ["teacher", "author", "librarian", "administrator"]);
        assert_eq!(who(Roles::reviews), ["reviewer", "librarian", "administrator"]);
        assert_eq!(who(Roles::manages), ["librarian", "administrator"]);
        assert_eq!(who(Roles::works).len(), 5);
        assert!(Role::ALL.into_iter().all(|role| role.as_str().parse() == Ok(role)));
    }
}
