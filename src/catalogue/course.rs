//! A course: lessons in their order, and who may do what to it.

use super::resource::{known, language_of, tidy};
use super::{
    AccountId, Caller, CourseId, Library, LibraryId, ResourceId, RuleError, Stage, vocabulary,
};

/// The most hours of learning that a course can have.
const MAX_HOURS: f64 = 10_000.0;

/// A course. Its stage is draft, published, withdrawn or deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Its id.
    pub id: CourseId,
    /// The library it belongs to.
    pub library: LibraryId,
    /// Whether others see it.
    pub stage: Stage,
    /// What is said about it.
    pub details: CourseDetails,
    /// Whose poster is the cover.
    pub cover: Option<ResourceId>,
    /// Who made it.
    pub made_by: AccountId,
    /// Number of its last change.
    pub changed: i64,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds.
    pub updated_ms: i64,
    /// Since when it is published, Unix milliseconds.
    pub published_ms: Option<i64>,
}

/// What is said about a course.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CourseDetails {
    /// Title, 1 to 1,024 characters.
    pub title: String,
    /// Description, at most 20,000 characters.
    pub description: String,
    /// Who teaches, as shown, at most 1,024 characters.
    pub teachers: String,
    /// Codes of topics.
    pub topics: Vec<String>,
    /// Codes of audiences.
    pub audiences: Vec<String>,
    /// BCP 47.
    pub language: Option<String>,
    /// SPDX id or words.
    pub licence: String,
    /// Of learning, as its teachers count them.
    pub hours: Option<f64>,
}

impl CourseDetails {
    /// Checks every field and trims the texts.
    ///
    /// # Errors
    ///
    /// [`RuleError::BadField`] for the first field that cannot be kept.
    pub fn checked(mut self) -> Result<Self, RuleError> {
        self.title = tidy("title", &self.title, 1024)?;
        if self.title.is_empty() {
            return Err(RuleError::BadField { field: "title", value: String::new() });
        }
        self.description = tidy("description", &self.description, 20_000)?;
        self.teachers = tidy("teachers", &self.teachers, 1024)?;
        self.licence = tidy("licence", &self.licence, 200)?;
        self.language = language_of(self.language)?;
        known("topics", &self.topics, vocabulary::TOPICS)?;
        known("audiences", &self.audiences, vocabulary::AUDIENCES)?;
        match self.hours {
            Some(hours) if !(hours > 0.0 && hours <= MAX_HOURS) => {
                Err(RuleError::BadField { field: "hours", value: hours.to_string() })
            }
            _ => Ok(self),
        }
    }
}

impl Course {
    /// A draft in `library`, by `account`, as of `now_ms`, Unix milliseconds.
    #[must_use]
    pub fn draft(
        library: LibraryId,
        account: AccountId,
        details: CourseDetails,
        now_ms: i64,
    ) -> Self {
        Self {
            id: CourseId::fresh(),
            library,
            stage: Stage::Draft,
            details,
            cover: None,
            made_by: account,
            changed: 0,
            created_ms: now_ms,
            updated_ms: now_ms,
            published_ms: None,
        }
    }

    /// Publishes it as of `now_ms`, Unix milliseconds.
    ///
    /// # Errors
    ///
    /// [`RuleError::WrongStage`] unless it is a draft or withdrawn.
    pub fn publish(self, now_ms: i64) -> Result<Self, RuleError> {
        match self.stage {
            Stage::Draft | Stage::Withdrawn => {
                Ok(Self { stage: Stage::Published, published_ms: Some(now_ms), ..self })
            }
            stage => Err(RuleError::WrongStage(stage)),
        }
    }

    /// Takes it back.
    ///
    /// # Errors
    ///
    /// [`RuleError::WrongStage`] unless it is published.
    pub fn withdraw(self) -> Result<Self, RuleError> {
        match self.stage {
            Stage::Published => Ok(Self { stage: Stage::Withdrawn, published_ms: None, ..self }),
            stage => Err(RuleError::WrongStage(stage)),
        }
    }

    /// Deletes it; its lessons' resources stay.
    #[must_use]
    pub fn delete(self) -> Self {
        Self { stage: Stage::Deleted, published_ms: None, cover: None, ..self }
    }

    /// Whether `caller` may edit it: who made it, or a librarian of its library.
    #[must_use]
    pub fn can_be_edited_by(&self, caller: &Caller) -> bool {
        can_edit(caller, self.library, self.made_by)
    }

    /// Whether `caller` may know that it exists; `library` is its own.
    #[must_use]
    pub fn can_be_seen_by(&self, caller: &Caller, library: &Library) -> bool {
        match self.stage {
            Stage::Deleted => false,
            Stage::Published => caller.can_see_library(library),
            _ => self.can_be_edited_by(caller),
        }
    }
}

/// Whether `caller` may edit what `made_by` made in `library`.
pub(super) fn can_edit(caller: &Caller, library: LibraryId, made_by: AccountId) -> bool {
    let own = || caller.account().is_ok_and(|account| account.id == made_by);
    caller.is_librarian_of(library) || (caller.is_author_of(library) && own())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(hours: Option<f64>) -> CourseDetails {
        CourseDetails { title: " 剪纸入门 ".into(), hours, ..CourseDetails::default() }
    }

    #[test]
    fn only_sensible_hours_are_kept() {
        assert_eq!(details(Some(1.5)).checked().expect("hours").title, "剪纸入门");
        for hours in [0.0, -1.0, f64::NAN, f64::INFINITY, 10_001.0] {
            assert!(details(Some(hours)).checked().is_err(), "{hours}");
        }
    }

    #[test]
    fn a_course_goes_to_and_fro() {
        let draft = Course::draft(LibraryId::fresh(), AccountId::fresh(), details(None), 1);
        assert!(draft.clone().withdraw().is_err());
        let published = draft.publish(7).expect("a draft");
        assert_eq!((published.stage, published.published_ms), (Stage::Published, Some(7)));
        let withdrawn = published.withdraw().expect("published");
        assert_eq!((withdrawn.stage, withdrawn.published_ms), (Stage::Withdrawn, None));
        assert!(withdrawn.publish(9).is_ok());
    }

    #[test]
    fn nobody_edits_and_only_published_ones_are_seen() {
        let course = Course::draft(LibraryId::fresh(), AccountId::fresh(), details(None), 1);
        assert!(!course.can_be_edited_by(&Caller(None)));
    }
}
