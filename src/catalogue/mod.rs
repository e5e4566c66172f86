//! The nouns and their rules. Nothing here reads a clock, a file or the network.

mod account;
mod batch;
mod chain;
mod collection;
mod complaint;
mod contents;
mod course;
mod ids;
mod library;
mod look;
mod media;
mod organisation;
mod particulars;
mod person;
mod resource;
mod review;
mod role;
mod source;
mod token_scope;
mod upload;
mod vocabulary;
mod voucher;

pub use account::{Account, Caller, NetRole};
pub use batch::{Act, Batch, BatchRow, BatchState, FieldValue, NewValue, Outcome, Problem};
pub use chain::{Chain, Deciders, MAX_STEPS, Step, level_of, level_word};
pub use collection::{Collection, Ordering};
pub use complaint::{
    Appeal, AppealedFrom, COMPLAINT_REASONS, CaseNumber, CaseState, Complaint, Withdrawal,
};
pub use contents::{Contents, Lesson, Section, Way};
pub use course::{Course, CourseDetails};
pub use ids::{
    AccountId, CollectionId, CourseId, LessonId, LibraryId, OrganisationId, RenditionId,
    ResourceId, ReviewId, Sha256, SourceId, TeamId, UploadId, VoucherId,
};
pub use library::{
    Host, Library, MediaPolicy, OtherCodec, Publishing, Slug, Visibility, retention,
};
pub use look::{Block, Colour, Look};
pub use media::{
    AudioRole, BookChapter, Caption, CaptionOrigin, Chapter, Figure, OutlineItem, Page,
    PagePictures, Part, Rendition, RenditionState, Segment, Slide, TrackKind,
};
pub use organisation::{DivisionCode, History, Level, Organisation, Stay};
pub use particulars::{Contributor, LocalMark, Particulars, ParticularsEdit};
pub use person::{Email, Person, Phone, Standing, login_name, shown_name};
#[cfg(test)]
pub(crate) use resource::tests::resource as test_resource;
pub use resource::{Derived, Details, Kind, PAGES_UNSHOWN, Poster, Resource, Sprite, Stage};
pub use review::{Change, Decision, Review, ReviewState, Snapshot, Verdict, words};
pub use role::{Role, Roles};
pub use source::{HarvestSource, Mapping, base_url};
pub use token_scope::{TokenScope, TokenScopes};
pub use upload::{DocumentForm, FileType, Refusal};
pub use vocabulary::{
    AUDIENCES, DIALECTS, DIFFICULTIES, EVIDENCE, HERITAGE, LANGUAGES, LICENCES, ROLES, TOPICS,
    Term, VOCABULARIES, Vocabulary, label_of, licence_href,
};
pub use voucher::{Vouched, Voucher, can_vouch};

/// A rule of the catalogue that a change would break.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The caller has to log in first.
    #[error("not logged in")]
    Anonymous,
    /// The caller may see the thing but not do this to it.
    #[error("not allowed")]
    Forbidden,
    /// The change does not go with the stage that the resource is in.
    #[error("a resource that is {0} cannot be changed so")]
    WrongStage(Stage),
    /// The change does not go with how things stand; a code of the sentences says why.
    #[error("not now: {0}")]
    Conflict(&'static str),
    /// A field has a value that cannot be kept.
    #[error("{field}: {value:?} cannot be used")]
    BadField {
        /// Name of the field.
        field: &'static str,
        /// The value in question.
        value: String,
    },
}
