//! A library: a named set of resources that somebody looks after.

use std::fmt;
use std::str::FromStr;

use super::{LibraryId, RuleError};

/// A library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// Its id.
    pub id: LibraryId,
    /// Its name in URLs.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// What happens to a resource that is ready.
    pub publishing: Publishing,
    /// The most its sources may take together, bytes.
    pub quota_bytes: Option<i64>,
    /// When it was made, Unix milliseconds.
    pub created_ms: i64,
}

/// Who may see a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody.
    Public,
    /// The people with a role in it.
    Internal,
}

/// What happens to a resource that is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publishing {
    /// It is published.
    Automatic,
    /// It waits for somebody to publish it.
    Manual,
}

/// A library's name in URLs: 1 to 64 of `a-z`, `0-9` and `-`, not beginning or ending with `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slug(String);

impl Slug {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Slug {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(RuleError::BadField { field: "slug", value: text.to_owned() })
        }
    }
}
