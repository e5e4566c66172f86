//! A collection: resources that a library shows together.

use std::fmt;
use std::str::FromStr;

use super::course::can_edit;
use super::resource::{tidy, words};
use super::{AccountId, Caller, CollectionId, LibraryId, RuleError};

/// Resources that a library shows together under a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// Its id.
    pub id: CollectionId,
    /// The library it belongs to.
    pub library: LibraryId,
    /// Title, 1 to 200 characters.
    pub title: String,
    /// What it is about, at most 20,000 characters.
    pub description: String,
    /// How its resources stand.
    pub ordering: Ordering,
    /// Who made it.
    pub made_by: AccountId,
    /// Raised by every change.
    pub version: i64,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds.
    pub updated_ms: i64,
}

words!(
    /// How the resources of a collection stand.
    Ordering {
        /// As its editor put them.
        Hand = "hand",
        /// The newest first.
        Newest = "newest",
    }
);

impl Collection {
    /// Itself with its texts checked and trimmed.
    ///
    /// # Errors
    ///
    /// [`RuleError::BadField`] for the first field that cannot be kept.
    pub fn checked(mut self) -> Result<Self, RuleError> {
        self.title = tidy("title", &self.title, 200)?;
        if self.title.is_empty() {
            return Err(RuleError::BadField { field: "title", value: String::new() });
        }
        self.description = tidy("description", &self.description, 20_000)?;
        Ok(self)
    }

    /// Whether `caller` may edit it: who made it, or a librarian of its library. Whoever sees the
    /// library sees it.
    #[must_use]
    pub fn can_be_edited_by(&self, caller: &Caller) -> bool {
        can_edit(caller, self.library, self.made_by)
    }
}
