//! Review, withdrawals, complaints and appeals: what people do, each in one transaction with its
//! row of the audit log.
//!
//! The rules are in `catalogue::review`; here are the rows that they need, and who may.

pub mod cases;
pub mod talk;
pub mod vouch;
pub mod walk;
pub mod withdraw;

use std::collections::HashMap;

use sqlx::AnyConnection;

use crate::catalogue::{
    Caller, Chain, Library, LibraryId, Organisation, OrganisationId, Resource, RuleError, Step,
    TeamId, Withdrawal,
};
use crate::db;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule of the catalogue.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// What is named is not there, or not for the caller to see.
    #[error("it is not there")]
    Missing,
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// Where one sits who asks what may be done in a library's review: what decides it.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The library.
    pub library: Library,
    /// Its chain.
    pub chain: Chain,
    /// Its owner and those above, from the top down.
    pub path: Vec<Organisation>,
    /// Teams of the caller.
    teams: Vec<TeamId>,
    /// Names of the steps in which the caller decides for somebody else now.
    delegated: Vec<String>,
}

impl Desk {
    /// That of `caller` in `library` at `now_ms`, Unix milliseconds.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn of(
        db: &mut AnyConnection,
        caller: &Caller,
        library: LibraryId,
        now_ms: i64,
    ) -> Result<Self, db::Error> {
        let library = db::libraries::get(db, library).await?;
        let chain = db::reviews::chain(db, library.id).await?;
        let path = path_of(db, library.owner).await?;
        let (mut teams, mut delegated) = (Vec::new(), Vec::new());
        if let Some(account) = &caller.0 {
            teams = db::reviews::teams_of(db, account.id).await?;
            let held =
                db::reviews::delegations(db, Some(library.id), Some(account.id), now_ms).await?;
            delegated = held.into_iter().map(|one| one.step).collect();
        }
        Ok(Self { library, chain, path, teams, delegated })
    }

    /// Whether `caller` decides in `step`, by right or for somebody else.
    #[must_use]
    pub fn is_for(&self, caller: &Caller, step: &Step) -> bool {
        self.is_own(caller, step) || self.delegated.contains(&step.name)
    }

    /// Whether `step` waits for `caller` in particular, or for somebody for whom they decide.
    #[must_use]
    pub fn waits_for(&self, caller: &Caller, step: &Step) -> bool {
        step.waits_for(caller, self.library.id, &self.path, &self.teams)
            || self.delegated.contains(&step.name)
    }

    /// Whether `caller` decides in `step` by right.
    #[must_use]
    pub fn is_own(&self, caller: &Caller, step: &Step) -> bool {
        step.is_for(caller, self.library.id, &self.path, &self.teams)
    }

    /// Whether `caller` reads what is handed in here: in any step, or as a reviewer of the library.
    #[must_use]
    pub fn reads(&self, caller: &Caller) -> bool {
        caller.is_reviewer_of(self.library.id)
            || self.chain.0.iter().any(|step| self.is_for(caller, step))
    }

    /// Whether `caller` may publish `resource` past the chain: administrators of the net, and
    /// librarians who are its last step, but for their own work.
    #[must_use]
    pub fn may_skip(&self, caller: &Caller, resource: &Resource) -> bool {
        let is_own = caller.0.as_ref().is_some_and(|account| account.id == resource.uploaded_by);
        let is_last = || self.chain.0.last().is_some_and(|step| self.is_own(caller, step));
        caller.is_administrator() || !is_own && caller.is_librarian_of(self.library.id) && is_last()
    }

    /// Whether `caller` may set the chain: the administrators of the owner, and of every
    /// organisation that has a step in it now, so that nobody gets rid of those above.
    #[must_use]
    pub fn may_set_chain(&self, caller: &Caller) -> bool {
        if caller.is_administrator() {
            return true;
        }
        let level = |step: &Step| match step.who {
            crate::catalogue::Deciders::At { level, .. } => level,
            _ => None,
        };
        let highest = self.chain.0.iter().filter_map(level).min();
        let at = |organisation: &&Organisation| match highest {
            Some(level) => organisation.level == level,
            None => Some(organisation.id) == self.library.owner,
        };
        self.path.iter().find(at).is_some_and(|at| caller.is_administrator_of(at))
    }

    /// For which organisation `caller` acts here: the highest at which they read or manage; that of
    /// the library for those with a role in it alone; `None` for the net.
    #[must_use]
    pub fn office_of(&self, caller: &Caller) -> Option<OrganisationId> {
        if caller.is_administrator() {
            return None;
        }
        let reads = |at: &&Organisation| caller.roles_at(at).reviews();
        self.path.iter().find(reads).map(|at| at.id).or(self.library.owner)
    }

    /// Who is right above `office`; `None`: the administrators of the net.
    #[must_use]
    pub fn above(&self, office: Option<OrganisationId>) -> Option<OrganisationId> {
        let at = self.path.iter().position(|organisation| Some(organisation.id) == office)?;
        self.path.get(at.checked_sub(1)?).map(|organisation| organisation.id)
    }

    /// Whether `caller` reads or manages at `office` or above it.
    #[must_use]
    pub fn stands_over(&self, caller: &Caller, office: Option<OrganisationId>) -> bool {
        caller.is_administrator()
            || self
                .path
                .iter()
                .find(|organisation| Some(organisation.id) == office)
                .is_some_and(|at| caller.roles_at(at).reviews())
    }

    /// Whether `caller` may let what was `withdrawn` be seen again: its author what the author took
    /// back, else those who withdrew it and those above. What the library itself withdrew, its
    /// librarians and `its_last_step` may.
    #[must_use]
    pub fn may_undo(&self, caller: &Caller, withdrawn: &Withdrawal, its_last_step: bool) -> bool {
        let by_library = withdrawn.office == self.library.owner;
        !withdrawn.ordered
            || caller.0.as_ref().is_some_and(|account| account.id == withdrawn.account)
            || self.stands_over(caller, withdrawn.office)
            || by_library && (its_last_step || caller.is_librarian_of(self.library.id))
    }
}

/// The owner of a library and those above, from the top down.
async fn path_of(
    db: &mut AnyConnection,
    owner: Option<OrganisationId>,
) -> Result<Vec<Organisation>, db::Error> {
    let Some(owner) = owner else { return Ok(Vec::new()) };
    let Some(owner) = db::organisations::find(db, owner).await? else { return Ok(Vec::new()) };
    let mut path = Vec::with_capacity(owner.path.len());
    for id in owner.path.iter().take(owner.path.len().saturating_sub(1)) {
        path.extend(db::organisations::find(db, *id).await?);
    }
    path.push(owner);
    Ok(path)
}

/// The caller's desks in all libraries.
#[derive(Debug)]
pub struct Desks(HashMap<LibraryId, Desk>);

impl Desks {
    /// Those of `caller` at `now_ms`, Unix milliseconds. Chains are left out: what is open has its
    /// own.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn of(
        db: &mut AnyConnection,
        caller: &Caller,
        now_ms: i64,
    ) -> Result<Self, db::Error> {
        let Some(account) = &caller.0 else { return Ok(Self(HashMap::new())) };
        let teams = db::reviews::teams_of(db, account.id).await?;
        let held = db::reviews::delegations(db, None, Some(account.id), now_ms).await?;
        let all = db::organisations::list(db).await?;
        let by_id: HashMap<_, _> = all.iter().map(|one| (one.id, one)).collect();
        let libraries = db::libraries::list(db).await?;
        let desks = libraries.into_iter().map(|library| {
            let owner = library.owner.and_then(|id| by_id.get(&id));
            let path = owner.map_or_else(Vec::new, |owner| {
                owner.path.iter().filter_map(|id| by_id.get(id)).map(|one| (*one).clone()).collect()
            });
            let id = library.id.to_string();
            let delegated = held.iter().filter(|one| one.library == id);
            let desk = Desk {
                chain: Chain::default(),
                path,
                teams: teams.clone(),
                delegated: delegated.map(|one| one.step.clone()).collect(),
                library,
            };
            (desk.library.id, desk)
        });
        Ok(Self(desks.collect()))
    }

    /// That in `library`.
    #[must_use]
    pub fn get(&self, library: LibraryId) -> Option<&Desk> {
        self.0.get(&library)
    }

    /// Libraries that `caller` looks after.
    #[must_use]
    pub fn managed_by(&self, caller: &Caller) -> Vec<LibraryId> {
        self.0.keys().copied().filter(|id| caller.is_librarian_of(*id)).collect()
    }
}
