//! OAI-PMH 2.0 (2002-06-14, as amended 2015-01-08): what is asked, and the answer's text.

mod answer;
mod request;
mod token;

pub use answer::{Answer, Header, Identity, RecordSet};
pub use request::{Arguments, Asked, Selection, read};
pub use token::Token;

use std::fmt;

/// An error that the protocol knows (section 3.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OaiError {
    /// Its code.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

impl OaiError {
    /// The error `code` with an explanation.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Nothing fits what was asked.
    #[must_use]
    pub fn no_records() -> Self {
        Self::new("noRecordsMatch", "没有符合条件的记录。 No record matches.")
    }

    /// There is no such record.
    #[must_use]
    pub fn no_identifier(identifier: &str) -> Self {
        Self::new("idDoesNotExist", format!("没有这个标识符。 There is no {identifier}."))
    }

    /// An argument is wrong.
    pub fn argument(message: impl Into<String>) -> Self {
        Self::new("badArgument", message)
    }
}

/// A form in which records are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Dublin Core.
    DublinCore,
    /// IEEE LOM.
    Lom,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::DublinCore, Self::Lom];

    /// Its `metadataPrefix`.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::DublinCore => "oai_dc",
            Self::Lom => "lom",
        }
    }

    /// Its XML schema, and namespace.
    #[must_use]
    pub fn schema(self) -> (&'static str, &'static str) {
        match self {
            Self::DublinCore => (
                "http://www.openarchives.org/OAI/2.0/oai_dc.xsd",
                "http://www.openarchives.org/OAI/2.0/oai_dc/",
            ),
            Self::Lom => {
                ("http://ltsc.ieee.org/xsd/lomv1.0/lom.xsd", "http://ltsc.ieee.org/xsd/LOM")
            }
        }
    }

    /// The format of a `metadataPrefix`.
    ///
    /// # Errors
    ///
    /// `cannotDisseminateFormat`.
    pub fn of(prefix: &str) -> Result<Self, OaiError> {
        Self::ALL.into_iter().find(|format| format.prefix() == prefix).ok_or_else(|| {
            OaiError::new(
                "cannotDisseminateFormat",
                format!("没有格式 {prefix}。 The formats are oai_dc and lom."),
            )
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix())
    }
}
