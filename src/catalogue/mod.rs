//! The nouns and their rules. Nothing here reads a clock, a file or the network.

mod account;
mod ids;
mod library;
mod media;
mod resource;
mod upload;
mod vocabulary;

pub use account::{Account, Caller, LibraryRole, NetRole};
pub use ids::{AccountId, LibraryId, RenditionId, ResourceId, Sha256, UploadId};
pub use library::{Library, MediaPolicy, OtherCodec, Publishing, Slug, Visibility};
pub use media::{
    AudioRole, BookChapter, Caption, CaptionOrigin, Chapter, Figure, OutlineItem, Page, Part,
    Rendition, RenditionState, Segment, Slide, TrackKind,
};
#[cfg(test)]
pub(crate) use resource::tests::resource as test_resource;
pub use resource::{Derived, Details, Kind, Poster, Resource, Sprite, Stage};
pub use upload::{DocumentForm, FileType, Refusal};
pub use vocabulary::{AUDIENCES, LANGUAGES, LICENCES, TOPICS, Term, label_of};

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
    /// A field has a value that cannot be kept.
    #[error("{field}: {value:?} cannot be used")]
    BadField {
        /// Name of the field.
        field: &'static str,
        /// The value in question.
        value: String,
    },
}
