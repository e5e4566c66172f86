//! Changes of many resources at once, by a table or by a choice in a list: seen first, then made.
//!
//! What would be done is written down row by row ([`plan`], [`chosen`]); making it ([`apply`])
//! changes each resource in a transaction of its own and can be taken up by another process at any
//! row.

pub mod apply;
pub mod chosen;
pub mod columns;
pub mod export;
pub mod plan;
pub mod read;
pub mod which;

use crate::catalogue::RuleError;
use crate::{db, ingest, review, table};

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule of the catalogue.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// What is named is not there, or not for the caller to see.
    #[error("it is not there")]
    Missing,
    /// The table cannot be taken: a code for the sentence, and the value in question.
    #[error("{code}: {info}")]
    Table {
        /// Code.
        code: &'static str,
        /// The value in question.
        info: String,
    },
    /// The pipeline: the media child, and changes of resources.
    #[error(transparent)]
    Ingest(#[from] ingest::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
    /// Writing a table.
    #[error("cannot write the table: {0}")]
    Write(String),
}

impl Error {
    /// Whether another attempt may go better.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Ingest(error) => error.is_transient(),
            Self::Db(error) => error.is_transient(),
            _ => false,
        }
    }
}

/// That more rows are wanted than may be at once.
fn table_rows(most: usize) -> Error {
    table::Error::TooManyRows(most).into()
}

impl From<review::Error> for Error {
    fn from(error: review::Error) -> Self {
        match error {
            review::Error::Rule(rule) => Self::Rule(rule),
            review::Error::Missing => Self::Missing,
            review::Error::Db(error) => Self::Db(error),
        }
    }
}

impl From<table::Error> for Error {
    fn from(error: table::Error) -> Self {
        let (code, info) = match error {
            table::Error::TooLarge(most) => ("table_large", most.to_string()),
            table::Error::TooManyRows(most) => ("table_rows", most.to_string()),
            table::Error::TooManyCells(most) => ("table_cells", most.to_string()),
            table::Error::Malformed(why) => ("table_malformed", why),
            table::Error::Unknown { column, .. } => ("table_unknown", column),
            table::Error::Twice(column) => ("table_twice", column),
            table::Error::Empty(column) => ("table_missing", column),
        };
        Self::Table { code, info }
    }
}
