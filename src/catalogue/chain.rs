//! Chains of review: the steps of a library, and who decides in them.

use serde::{Deserialize, Serialize};

use super::{AccountId, Caller, Level, LibraryId, Organisation, Role, Roles, RuleError, TeamId};

/// The most steps of a chain.
pub const MAX_STEPS: usize = 5;

/// How long a step may have, days.
const DAYS: std::ops::RangeInclusive<i64> = 1..=365;

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 24 * 3600 * 1000;

/// The steps that everything handed in to a library goes through, in order; none: nothing is
/// reviewed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Chain(pub Vec<Step>);

/// One reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its name for people; no two of a chain have the same.
    pub name: String,
    /// Who accepts or returns.
    pub who: Deciders,
    /// How long they have, days.
    pub days: i64,
}

/// Who decides in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deciders {
    /// Those with a role at the organisation of a level, among the library's owner and those above.
    At {
        /// The level; `None`: the library itself.
        #[serde(with = "level_text")]
        level: Option<Level>,
        /// Reviewer, librarian or administrator: this or a higher one.
        #[serde(with = "as_text")]
        role: Role,
    },
    /// One person.
    Account(#[serde(with = "as_text")] AccountId),
    /// The members of a team.
    Team(#[serde(with = "as_text")] TeamId),
}

/// Values that are stored as their text.
mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(super) fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(
        from: D,
    ) -> Result<T, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|_| D::Error::custom(format!("{text:?} cannot be read")))
    }
}

/// A level, or `library`.
mod level_text {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::{Level, level_of, level_word};

    pub(super) fn serialize<S: Serializer>(
        level: &Option<Level>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(level_word(*level))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Level>, D::Error> {
        level_of(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// A step's level as it is stored and sent: `library` for the library itself.
#[must_use]
pub fn level_word(level: Option<Level>) -> &'static str {
    level.map_or("library", Level::as_str)
}

/// Reads a step's level.
///
/// # Errors
///
/// [`RuleError::BadField`] when it is none.
pub fn level_of(text: &str) -> Result<Option<Level>, RuleError> {
    if text == "library" { Ok(None) } else { text.parse().map(Some) }
}

impl Chain {
    /// Whether nothing is reviewed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks it, for a library whose owner and those above are `path`.
    ///
    /// # Errors
    ///
    /// [`RuleError::BadField`] for the first thing that cannot be kept: too many steps, a name
    /// that is missing, too long or used twice, a time that is none, a role that reviews nothing,
    /// or a level at which nobody is.
    pub fn checked(mut self, path: &[Organisation]) -> Result<Self, RuleError> {
        let bad = |field, value: String| Err(RuleError::BadField { field, value });
        if self.0.len() > MAX_STEPS {
            return bad("steps", self.0.len().to_string());
        }
        let mut names: Vec<String> = Vec::new();
        for step in &mut self.0 {
            step.name = step.name.trim().replace('\0', "");
            if !(1..=40).contains(&step.name.chars().count()) || names.contains(&step.name) {
                return bad("name", step.name.chars().take(40).collect());
            }
            names.push(step.name.clone());
            if !DAYS.contains(&step.days) {
                return bad("days", step.days.to_string());
            }
            if let Deciders::At { level, role } = step.who {
                if !Roles::from_iter([role]).reviews() {
                    return bad("role", role.to_string());
                }
                if level.is_some() && at_level(path, level).is_none() {
                    return bad("level", level_word(level).to_owned());
                }
            }
        }
        Ok(self)
    }
}

/// The organisation of `path` at `level`.
fn at_level(path: &[Organisation], level: Option<Level>) -> Option<&Organisation> {
    path.iter().find(|organisation| Some(organisation.level) == level)
}

impl Step {
    /// Whether `caller`, a member of `teams`, decides in it for `library`, whose owner and those
    /// above are `path`. Administrators of the net always do.
    #[must_use]
    pub fn is_for(
        &self,
        caller: &Caller,
        library: LibraryId,
        path: &[Organisation],
        teams: &[TeamId],
    ) -> bool {
        let Some(account) = &caller.0 else { return false };
        if caller.is_administrator() {
            return true;
        }
        match self.who {
            Deciders::Account(id) => id == account.id,
            Deciders::Team(id) => teams.contains(&id),
            Deciders::At { level: None, role } => is_enough(caller.roles_in(library), role),
            Deciders::At { level, role } => {
                at_level(path, level).is_some_and(|at| is_enough(caller.roles_at(at), role))
            }
        }
    }

    /// Whether it waits for `caller` in particular: named, or with a role right there. Those above
    /// may decide in it as well, but it is not theirs to do.
    #[must_use]
    pub fn waits_for(
        &self,
        caller: &Caller,
        library: LibraryId,
        path: &[Organisation],
        teams: &[TeamId],
    ) -> bool {
        let Some(account) = &caller.0 else { return false };
        match self.who {
            Deciders::Account(id) => id == account.id,
            Deciders::Team(id) => teams.contains(&id),
            Deciders::At { level: None, role } => {
                let above = path.iter().rev().nth(1);
                let from_above = above.is_some_and(|at| caller.roles_at(at).reviews());
                let roles = account.libraries.get(&library);
                !from_above && roles.is_some_and(|roles| is_enough(*roles, role))
            }
            Deciders::At { level, role } => at_level(path, level)
                .and_then(|at| account.organisations.get(&at.id))
                .is_some_and(|roles| is_enough(*roles, role)),
        }
    }
}

/// Whether `roles` hold `role` or a higher one.
fn is_enough(roles: Roles, role: Role) -> bool {
    match role {
        Role::Administrator => roles.has(Role::Administrator),
        Role::Librarian => roles.manages(),
        _ => roles.reviews(),
    }
}
