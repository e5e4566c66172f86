//! Changes of many resources at once: what is to be done to each, and what came of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::resource::words;
use super::{AccountId, RuleError};

words!(
    /// What is done to the resources of a batch.
    Act {
        /// Other things are said about them.
        Edit = "edit",
        /// They are published, or handed in.
        Publish = "publish",
        /// They are taken back.
        Withdraw = "withdraw",
    }
);

words!(
    /// How far a batch has come.
    BatchState {
        /// Its author sees what it would do.
        Seen = "seen",
        /// It is being made.
        Applying = "applying",
        /// All of it was tried.
        Done = "done",
    }
);

words!(
    /// What became of a row.
    Outcome {
        /// Nothing yet: it would be made.
        Planned = "planned",
        /// It cannot be made.
        Refused = "refused",
        /// It is so now.
        Done = "done",
        /// The review of its library has it.
        HandedIn = "handed_in",
        /// It could not be made when its turn came.
        Failed = "failed",
    }
);

/// Changes that were seen together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: String,
    /// With whose rights it is made.
    pub account: AccountId,
    /// What is done.
    pub act: Act,
    /// Name of the table that it comes from; empty: chosen in a list.
    pub name: String,
    /// Why something is withdrawn.
    pub reason: String,
    /// How far it has come.
    pub state: BatchState,
    /// Rows read.
    pub total: i64,
    /// Rows that say what is so already.
    pub unchanged: i64,
    /// Codes of sentences about all of it.
    pub notes: Vec<String>,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds.
    pub ended_ms: Option<i64>,
}

/// A row that changes something, or cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRow {
    /// Row of the table, 1 being its heading; or the place in the list, from 1.
    pub number: i64,
    /// Id of the resource, as it was named.
    pub resource: String,
    /// Its title.
    pub title: String,
    /// Number of the resource's last change when the batch was made.
    pub since: i64,
    /// What is said anew.
    pub changes: Vec<NewValue>,
    /// It goes to the review of its library.
    pub hands_in: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it is refused, or failed.
    pub problems: Vec<Problem>,
}

/// What a field says, in codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// One text, which may be empty.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl FieldValue {
    /// Whether both say the same: several have no order.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(one), Self::One(other)) => one == other,
            (Self::Many(these), Self::Many(others)) => {
                let (mut these, mut others) = (these.clone(), others.clone());
                these.sort_unstable();
                others.sort_unstable();
                these == others
            }
            _ => false,
        }
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::One(text) => text.is_empty(),
            Self::Many(texts) => texts.is_empty(),
        }
    }
}

/// A field that is to say something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewValue {
    /// Code of the column.
    pub column: String,
    /// What it says.
    pub before: FieldValue,
    /// What it is to say.
    pub after: FieldValue,
}

/// Why a row is not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Code of the column; empty: it is about all of the row.
    pub column: String,
    /// The value in question, cut short.
    pub value: String,
    /// Code of the sentence.
    pub code: String,
}

/// Longest part of a value that is shown, characters.
const SHOWN: usize = 60;

impl Problem {
    /// One about `value` in the column of this code.
    #[must_use]
    pub fn new(column: &str, value: &str, code: &str) -> Self {
        let mut short: String = value.chars().take(SHOWN).collect();
        if short.len() < value.len() {
            short.push('…');
        }
        Self { column: column.to_owned(), value: short, code: code.to_owned() }
    }

    /// The rule that a change would break, which is about the column `column`.
    #[must_use]
    pub fn of_rule(column: &str, rule: &RuleError) -> Self {
        match rule {
            RuleError::Anonymous | RuleError::Forbidden => Self::new(column, "", "row_missing"),
            RuleError::WrongStage(stage) => Self::new("stage", stage.as_str(), "row_stage"),
            RuleError::Conflict(code) => Self::new(column, "", code),
            RuleError::BadField { field, value } => Self::new(field, value, "bad_value"),
        }
    }
}
