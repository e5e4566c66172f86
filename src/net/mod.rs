//! The net of libraries: what administrators do to organisations, libraries and people, each in
//! one transaction that the caller begins and commits.

pub mod authority;
pub mod code;
pub mod front;
pub mod grants;
pub mod identities;
pub mod libraries;
pub mod organisations;
pub mod people;

use crate::catalogue::RuleError;
use crate::{db, table};

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule of the catalogue.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A name, slug or code that is in use.
    #[error("{0:?} is taken")]
    Taken(String),
    /// What is named is not there.
    #[error("there is no {what} {value:?}")]
    Missing {
        /// organisation, library, account, team, grant, invitation or identity
        what: &'static str,
        /// As it was named.
        value: String,
    },
    /// An organisation that still has something below it.
    #[error("{0:?} still has organisations or libraries")]
    NotEmpty(String),
    /// The table cannot be read.
    #[error("the table cannot be read: {0}")]
    Table(String),
    /// A line of a table cannot be taken; nothing was.
    #[error("line {line}: {source}")]
    Line {
        /// From 1, the heading.
        line: usize,
        /// Why.
        source: Box<Error>,
    },
    /// The kernel gives no random numbers.
    #[error("no random numbers")]
    Random,
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}

impl From<table::Error> for Error {
    fn from(error: table::Error) -> Self {
        Self::Table(error.to_string())
    }
}

impl Error {
    /// [`Error::Taken`] where the database says that `value` is.
    #[must_use]
    pub fn taken(error: db::Error, value: &str) -> Self {
        if error.is_taken() { Self::Taken(value.to_owned()) } else { error.into() }
    }

    /// The same, in line `line` of a table.
    #[must_use]
    pub fn in_line(self, line: usize) -> Self {
        Self::Line { line, source: Box::new(self) }
    }
}

/// Whether `text` may be the id of a row: anything else is no row's, and need not be looked up.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
