//! For whom something is done to people, teams and grants: a caller, or the command line.

use sqlx::AnyConnection;

use super::Error;
use super::organisations::Actor;
use crate::catalogue::{Caller, OrganisationId, Person, Role, Roles, RuleError, Standing};
use crate::db::grants::{Grant, Scope};
use crate::db::people::Viewer;

/// For whom it is done, and when.
#[derive(Debug, Clone, Copy)]
pub struct Authority<'a> {
    /// Who; `None`: the command line, which may do everything.
    caller: Option<&'a Caller>,
    now_ms: i64,
}

impl<'a> Authority<'a> {
    /// The command line, at `now_ms`, Unix milliseconds.
    #[must_use]
    pub fn of_commands(now_ms: i64) -> Self {
        Self { caller: None, now_ms }
    }

    /// A caller who looks after something, at `now_ms`, Unix milliseconds.
    ///
    /// # Errors
    ///
    /// [`RuleError::Anonymous`] and [`RuleError::Forbidden`] for those who look after nothing.
    pub fn of(caller: &'a Caller, now_ms: i64) -> Result<Self, RuleError> {
        caller.account()?;
        if !caller.administers() {
            return Err(RuleError::Forbidden);
        }
        Ok(Self { caller: Some(caller), now_ms })
    }

    /// Unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Who writes in the log.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let account = self.caller.and_then(|caller| caller.0.as_ref()).map(|account| account.id);
        Actor { account, now_ms: self.now_ms }
    }

    /// Who looks at lists.
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        Viewer {
            account: self.actor().account,
            whole: self.caller.is_none_or(Caller::is_administrator),
            now_ms: self.now_ms,
        }
    }

    /// Whether it is done for the whole net.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.viewer().whole
    }

    /// What the caller is at `on`.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when it is not there.
    pub async fn roles_on(&self, db: &mut AnyConnection, on: Scope) -> Result<Roles, Error> {
        let Some(caller) = self.caller else {
            return Ok(Roles::NONE.with(Role::Administrator));
        };
        match on {
            Scope::Library(id) => Ok(caller.roles_in(id)),
            Scope::Organisation(id) => {
                let found = crate::db::organisations::find(db, id).await?;
                let missing = || Error::Missing { what: "organisation", value: id.to_string() };
                Ok(caller.roles_at(&found.ok_or_else(missing)?))
            }
        }
    }

    /// Gives or takes `role` at `on`.
    ///
    /// # Errors
    ///
    /// [`RuleError::Forbidden`], as an [`Error`].
    pub async fn may_grant(
        &self,
        db: &mut AnyConnection,
        role: Role,
        on: Scope,
    ) -> Result<(), Error> {
        let here = self.roles_on(db, on).await?;
        if Caller::can_grant(role, here) { Ok(()) } else { Err(RuleError::Forbidden.into()) }
    }

    /// Gives all of `grants` to somebody, as a team does to its members.
    ///
    /// # Errors
    ///
    /// [`RuleError::Forbidden`], as an [`Error`].
    pub async fn may_grant_all(
        &self,
        db: &mut AnyConnection,
        grants: &[Grant],
    ) -> Result<(), Error> {
        for grant in grants {
            self.may_grant(db, grant.role, grant.on).await?;
        }
        Ok(())
    }

    /// Has people or teams at `home`; without one, only the whole net's.
    ///
    /// # Errors
    ///
    /// [`RuleError::Forbidden`], as an [`Error`].
    pub async fn may_house(
        &self,
        db: &mut AnyConnection,
        home: Option<OrganisationId>,
    ) -> Result<(), Error> {
        let may = match home {
            None => self.is_whole(),
            Some(id) => self.roles_on(db, Scope::Organisation(id)).await?.manages(),
        };
        if may { Ok(()) } else { Err(RuleError::Forbidden.into()) }
    }

    /// Whether `person` may be changed.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn can_change(&self, db: &mut AnyConnection, person: &Person) -> Result<bool, Error> {
        let Some(caller) = self.caller else { return Ok(true) };
        let home = match person.home {
            None => None,
            Some(id) => crate::db::organisations::find(db, id).await?,
        };
        let mut held = Vec::new();
        for grant in crate::db::people::held_by(db, person.id).await? {
            held.push((grant.role, self.roles_on(db, grant.on).await?));
        }
        Ok(caller.can_change(&Standing { person, home: home.as_ref(), held }))
    }

    /// Changes `person`.
    ///
    /// # Errors
    ///
    /// [`RuleError::Forbidden`], as an [`Error`].
    pub async fn may_change(&self, db: &mut AnyConnection, person: &Person) -> Result<(), Error> {
        if self.can_change(db, person).await? { Ok(()) } else { Err(RuleError::Forbidden.into()) }
    }
}
