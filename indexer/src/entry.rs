//! What goes in: a resource as a searcher sees it.

use serde::{Deserialize, Serialize};

/// The kind of a course, which is found like a resource.
pub const COURSE: &str = "course";

/// Of [`Entry::local`]: somebody vouches for it, and it comes a little higher.
pub const VOUCHED: &str = "vouched";

/// One resource, or course, with everything that can be found of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The resource's id; putting an entry replaces the one with the same id.
    pub resource: String,
    /// The slug of its library.
    pub library: String,
    /// video, audio, document, image, package or [`COURSE`].
    pub kind: String,
    /// The title as its author wrote it.
    pub title: String,
    /// The description, plain text.
    pub description: String,
    /// Who made it.
    pub author: String,
    /// Topics, as codes of the catalogue.
    pub topics: Vec<String>,
    /// More that it is found by, such as what its topics are called.
    pub words: Vec<String>,
    /// Audiences, as codes of the catalogue.
    pub audiences: Vec<String>,
    /// What is local about it: `true` where anything is, and [`VOUCHED`] where somebody vouches.
    pub local: Vec<String>,
    /// BCP 47 tag of its language.
    pub language: Option<String>,
    /// When it was published, Unix time in milliseconds.
    pub published_ms: i64,
    /// How long it plays, in milliseconds.
    pub duration_ms: Option<i64>,
    /// Its captions, pages and slides, in order.
    pub passages: Vec<Passage>,
}

/// A piece of a resource that can be found on its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// What it is a piece of.
    pub kind: PassageKind,
    /// Where it begins in media time, in milliseconds.
    pub start_ms: Option<i64>,
    /// Its page, slide or chapter, counted from 1.
    pub page: Option<u32>,
    /// What it says, plain text.
    pub text: String,
}

/// What a passage is a piece of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PassageKind {
    /// A cue of a caption track.
    Caption,
    /// A page of a document.
    Page,
    /// A slide of a talk.
    Slide,
    /// A piece of a chapter, whose number is in place of the page's.
    Chapter,
}

impl PassageKind {
    /// The number it is stored as.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Caption => 0,
            Self::Page => 1,
            Self::Slide => 2,
            Self::Chapter => 3,
        }
    }

    /// The kind stored as `code`; a page if there is no such code.
    pub(crate) fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Caption,
            2 => Self::Slide,
            3 => Self::Chapter,
            _ => Self::Page,
        }
    }
}
