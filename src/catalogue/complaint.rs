//! What the public complains about, what was withdrawn and why, and appeals against it.

use std::fmt;
use std::str::FromStr;

use super::vocabulary::Term;
use super::{AccountId, LibraryId, OrganisationId, ResourceId, ReviewId, RuleError};

/// What a complaint may be about.
pub const COMPLAINT_REASONS: &[Term] = &[
    Term { code: "wrong", zh: "内容有错误", en: "Something in it is wrong" },
    Term { code: "copyright", zh: "侵犯著作权", en: "It infringes a copyright" },
    Term {
        code: "privacy", zh: "泄露隐私或肖像", en: "It shows somebody against their will"
    },
    Term { code: "harmful", zh: "违法或有害", en: "It is illegal or harmful" },
    Term { code: "broken", zh: "看不了、听不清", en: "It cannot be played or understood" },
    Term { code: "other", zh: "其他", en: "Something else" },
];

/// A case number such as 2026-000123: the year, and the case's number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaseNumber {
    /// In the zone of the site.
    pub year: i64,
    /// From 1.
    pub number: i64,
}

impl fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:06}", self.year, self.number)
    }
}

impl FromStr for CaseNumber {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let bad =
            || RuleError::BadField { field: "number", value: text.chars().take(40).collect() };
        let digits = |text: &str, least, most| {
            let fits = (least..=most).contains(&text.len());
            (fits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
        };
        let (year, number) = text.trim().split_once('-').ok_or_else(bad)?;
        Ok(Self {
            year: digits(year, 4, 4).ok_or_else(bad)?,
            number: digits(number, 6, 12).ok_or_else(bad)?,
        })
    }
}

/// How far a complaint or an appeal has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseState {
    /// Nobody decided yet.
    Open,
    /// It was right.
    Upheld,
    /// It was not.
    Rejected,
}

impl CaseState {
    /// As it is stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Upheld => "upheld",
            Self::Rejected => "rejected",
        }
    }
}

impl FromStr for CaseState {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let bad = || RuleError::BadField { field: "state", value: text.chars().take(40).collect() };
        [Self::Open, Self::Upheld, Self::Rejected]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(bad)
    }
}

/// What somebody of the public says is wrong with a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Its case number.
    pub number: CaseNumber,
    /// What it is about.
    pub resource: ResourceId,
    /// The resource's library.
    pub library: LibraryId,
    /// Code of [`COMPLAINT_REASONS`].
    pub reason: String,
    /// In the person's own words.
    pub words: String,
    /// How to reach the person; may be empty.
    pub contact: String,
    /// Who, when they were logged in.
    pub account: Option<AccountId>,
    /// How far it has come.
    pub state: CaseState,
    /// What the public is told.
    pub answer: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds.
    pub answered_ms: Option<i64>,
    /// Who answered.
    pub answered_by: Option<AccountId>,
}

/// A resource was taken from the public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// Its id.
    pub id: String,
    /// What was withdrawn.
    pub resource: ResourceId,
    /// Who did.
    pub account: AccountId,
    /// Why; may be empty where the author did it.
    pub reason: String,
    /// Somebody else than the author did: the author alone cannot undo it.
    pub ordered: bool,
    /// The organisation for which it was done; `None`: the net.
    pub office: Option<OrganisationId>,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// Since when it does not count any more, Unix milliseconds.
    pub lifted_ms: Option<i64>,
}

impl Withdrawal {
    /// Whether its author may appeal from it: somebody else withdrew it, and it is not among
    /// `appeals` yet.
    #[must_use]
    pub fn may_be_appealed(&self, appeals: &[Appeal]) -> bool {
        let from = AppealedFrom::Withdrawal(self.id.clone());
        self.ordered && !appeals.iter().any(|appeal| appeal.from == from)
    }
}

/// What an author appeals from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppealedFrom {
    /// A withdrawal, by its id.
    Withdrawal(String),
    /// A version that was returned.
    Return(ReviewId),
}

/// An author holds that something was withdrawn or returned wrongly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appeal {
    /// Its id.
    pub id: String,
    /// Whose resource.
    pub resource: ResourceId,
    /// The resource's library.
    pub library: LibraryId,
    /// From what.
    pub from: AppealedFrom,
    /// Whose reviewers and administrators decide; `None`: administrators of the net.
    pub judge: Option<OrganisationId>,
    /// Who decided before, and so does not decide now.
    pub against: AccountId,
    /// Who appeals.
    pub account: AccountId,
    /// Why.
    pub words: String,
    /// How far it has come.
    pub state: CaseState,
    /// Why it was decided so.
    pub answer: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds.
    pub answered_ms: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_number_reads_back_as_it_is_written() {
        let number = CaseNumber { year: 2026, number: 123 };
        assert_eq!(number.to_string(), "2026-000123");
        assert_eq!(" 2026-000123 ".parse(), Ok(number));
        for wrong in
            ["", "2026", "2026-", "2026-123", "26-000123", "2026-00012x", "２０２６-000123"]
        {
            assert!(wrong.parse::<CaseNumber>().is_err(), "{wrong}");
        }
    }
}
