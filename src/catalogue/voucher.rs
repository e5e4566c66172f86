//! Who vouches for what is local about a resource.

use super::resource::tidy;
use super::{
    AccountId, Caller, Level, LocalMark, Organisation, OrganisationId, Resource, ResourceId,
    RuleError, Stage, VoucherId,
};

/// The longest note, in characters.
const MAX_NOTE: usize = 500;

/// An organisation's word, given by one of its reviewers, that a local mark is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voucher {
    /// Its id.
    pub id: VoucherId,
    /// For what.
    pub resource: ResourceId,
    /// In whose name.
    pub organisation: OrganisationId,
    /// The level that the organisation had then.
    pub level: Level,
    /// Who gave it.
    pub account: AccountId,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// Why, for everybody; may be empty.
    pub note: String,
    /// The mark as it was then.
    pub mark: LocalMark,
    /// Unix milliseconds; nothing: it was not withdrawn.
    pub withdrawn_ms: Option<i64>,
    /// Who withdrew it.
    pub withdrawn_by: Option<AccountId>,
}

impl Voucher {
    /// One for `resource`, whose library belongs below `owner_path`, in the name of
    /// `organisation`, by `caller` at `now_ms`, Unix milliseconds.
    ///
    /// # Errors
    ///
    /// [`RuleError::Forbidden`] unless the caller reviews there; [`RuleError::Conflict`] for one's
    /// own work, for what has no local mark, and for organisations of another place or that are no
    /// more; [`RuleError::WrongStage`] unless it is published.
    pub fn new(
        resource: &Resource,
        owner_path: &[OrganisationId],
        organisation: &Organisation,
        caller: &Caller,
        note: &str,
        now_ms: i64,
    ) -> Result<Self, RuleError> {
        let account = caller.account()?.id;
        if !can_vouch(caller, owner_path, organisation) {
            return Err(RuleError::Forbidden);
        }
        if resource.stage != Stage::Published {
            return Err(RuleError::WrongStage(resource.stage));
        }
        if resource.uploaded_by == account {
            return Err(RuleError::Conflict("own_work"));
        }
        let mark = resource.details.particulars.local.clone();
        Ok(Self {
            id: VoucherId::fresh(),
            resource: resource.id,
            organisation: organisation.id,
            level: organisation.level,
            account,
            at_ms: now_ms,
            note: tidy("note", note, MAX_NOTE)?,
            mark: mark.ok_or(RuleError::Conflict("not_local"))?,
            withdrawn_ms: None,
            withdrawn_by: None,
        })
    }

    /// Whether it holds for `mark`: it was not withdrawn, and the mark is what was vouched for.
    #[must_use]
    pub fn stands_for(&self, mark: Option<&LocalMark>) -> bool {
        self.withdrawn_ms.is_none() && mark == Some(&self.mark)
    }
}

/// A voucher that stands, as everybody may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// Name of the organisation.
    pub organisation: String,
    /// Its level then.
    pub level: Level,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// May be empty.
    pub note: String,
}

/// Whether `caller` may vouch in the name of `organisation` for what belongs to a library whose
/// owner has this path: as a reviewer there or above, and not for another branch of the tree. What
/// belongs to no organisation is the whole net's, and any may vouch.
#[must_use]
pub fn can_vouch(
    caller: &Caller,
    owner_path: &[OrganisationId],
    organisation: &Organisation,
) -> bool {
    let above = owner_path.contains(&organisation.id);
    let below = owner_path.last().is_none_or(|owner| organisation.path.contains(owner));
    let is_open = organisation.closed_ms.is_none() && organisation.merged_into.is_none();
    is_open && (above || below) && caller.roles_at(organisation).reviews()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Account, NetRole, Role, Roles, test_resource};

    struct Town {
        city: Organisation,
        town: Organisation,
        village: Organisation,
        other: Organisation,
    }

    fn town() -> Town {
        let new = |above: Option<&Organisation>, level| {
            Organisation::new(above, level, "处", 0).expect("an organisation")
        };
        let city = new(None, Level::City);
        let town = new(Some(&city), Level::Township);
        let (village, other) =
            (new(Some(&town), Level::Community), new(Some(&city), Level::Township));
        Town { city, town, village, other }
    }

    fn with(role: Role, at: &Organisation) -> Caller {
        let mut account = Account::new("wei", "魏", NetRole::Learner);
        account.organisations.insert(at.id, Roles::NONE.with(role));
        Caller(Some(account))
    }

    fn local() -> Resource {
        let mut resource = test_resource(Stage::Published);
        let origin = "岚山区安东卫".to_owned();
        resource.details.particulars.local = Some(LocalMark { origin, ..LocalMark::default() });
        resource
    }

    #[test]
    fn only_reviewers_of_the_same_branch_vouch() {
        let all = town();
        let may = |caller: &Caller, at: &Organisation| can_vouch(caller, &all.town.path, at);
        let reviewer = with(Role::Reviewer, &all.town);
        assert!(may(&reviewer, &all.town) && may(&reviewer, &all.village));
        assert!(!may(&reviewer, &all.city) && !may(&reviewer, &all.other));
        let above = with(Role::Librarian, &all.city);
        assert!(may(&above, &all.city) && may(&above, &all.town) && !may(&above, &all.other));
        for role in [Role::Learner, Role::Teacher, Role::Author] {
            assert!(!may(&with(role, &all.town), &all.town), "{role}");
        }
        assert!(!may(&Caller(None), &all.town));
        let closed = Organisation { closed_ms: Some(1), ..all.town.clone() };
        assert!(!may(&reviewer, &closed));
    }

    #[test]
    fn one_vouches_for_marked_published_work_of_others() {
        let all = town();
        let caller = with(Role::Reviewer, &all.town);
        let vouch = |resource: &Resource| {
            Voucher::new(resource, &all.town.path, &all.town, &caller, " 见过 ", 5)
        };
        let voucher = vouch(&local()).expect("vouched");
        assert_eq!((voucher.level, voucher.note.as_str()), (Level::Township, "见过"));
        let plain = test_resource(Stage::Published);
        assert_eq!(vouch(&plain), Err(RuleError::Conflict("not_local")));
        let own = Resource { uploaded_by: caller.0.as_ref().expect("an account").id, ..local() };
        assert_eq!(vouch(&own), Err(RuleError::Conflict("own_work")));
        let ready = Resource { stage: Stage::Ready, ..local() };
        assert_eq!(vouch(&ready), Err(RuleError::WrongStage(Stage::Ready)));
    }

    #[test]
    fn it_stands_for_the_mark_that_was_vouched_for() {
        let all = town();
        let resource = local();
        let caller = with(Role::Reviewer, &all.town);
        let voucher = Voucher::new(&resource, &all.town.path, &all.town, &caller, "", 5);
        let mut voucher = voucher.expect("vouched");
        let mark = resource.details.particulars.local;
        assert!(voucher.stands_for(mark.as_ref()) && !voucher.stands_for(None));
        let other = mark.clone().map(|mark| LocalMark { bearer: "别人".into(), ..mark });
        assert!(!voucher.stands_for(other.as_ref()));
        voucher.withdrawn_ms = Some(9);
        assert!(!voucher.stands_for(mark.as_ref()));
    }
}
