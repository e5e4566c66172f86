//! What the parent asks the media child, and what it answers: one JSON
//! argument, then JSON lines.

use serde::{Deserialize, Serialize};
use transcode::{EmbeddedSubtitles, Event, Plan, Policy, Probe, Slide, Stills};

use super::archive;
use super::book::{self, Book};
use super::captions::Captions;
use super::document::{Document, PageText};
use super::ocr;
use super::prints::Prints;
use super::records::Harvested;
use super::sandbox::Limits;
use super::sheet::SheetRow;
use super::speech::{Heard, Listen};

/// One step and its limits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// What to do.
    pub step: Step,
    /// What it may use.
    pub limits: Limits,
    /// Go on where the kernel cannot confine the child.
    pub insecure: bool,
    /// Id of the process that asks.
    pub parent: u32,
}

/// What to do with the file on standard input. Files are written into the current folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Say what is in it, [`Answer::Probe`], and make at once what one begins to play with, by the
    /// plan that follows from this policy: [`Answer::Media`].
    Probe(Box<Policy>),
    /// Copy the picture into parts: [`Answer::Media`].
    Copy(Box<Plan>),
    /// Encode one part at the rungs of these names, or at all: [`Answer::Media`].
    EncodePart(Box<Plan>, usize, Vec<String>),
    /// Encode the sound: [`Answer::Media`].
    EncodeAudio(Box<Plan>),
    /// Posters, storyboard and embedded captions: [`Answer::Stills`], [`Answer::Subtitles`], and
    /// progress as [`Answer::Media`].
    Derive(Box<Plan>),
    /// An office document as PDF: [`Answer::Converted`].
    Convert {
        /// Ending of its name, by its type.
        ending: String,
        /// What it may be packed in.
        limits: archive::Limits,
        /// How long LibreOffice may take, milliseconds.
        time_ms: u64,
    },
    /// A book in chapters: [`Answer::Chapter`] and [`Answer::Figure`] for each, then
    /// [`Answer::Book`].
    Book {
        /// Its type.
        media_type: String,
        /// What it may be packed in.
        limits: archive::Limits,
    },
    /// The slides in a video: [`Answer::Slides`], and progress as [`Answer::Media`].
    Slides(Box<Plan>),
    /// What a video shows and how it sounds, up to this many milliseconds: [`Answer::Prints`], and
    /// progress as [`Answer::Media`].
    Prints(Box<Plan>, i64),
    /// What an image looks like: [`Answer::Prints`].
    PicturePrints {
        /// The most pixels that are taken.
        max_pixels: u64,
    },
    /// What is in a document: [`Answer::Document`], then [`Answer::PageText`] for each page.
    Inspect {
        /// The most pages that are taken.
        max_pages: u32,
    },
    /// Pictures of some pages: [`Answer::Page`] for each.
    Pages {
        /// From 1.
        first: u32,
        /// The last one.
        last: u32,
    },
    /// Read these pages of a document, from 1, which have no text of their own:
    /// [`Answer::PageText`] for each that can be read.
    RecognisePages(Vec<u32>, ocr::Options),
    /// Read a picture: [`Answer::PageText`] of page 1, if it can be read.
    RecognisePicture {
        /// The most pixels that are taken.
        max_pixels: u64,
        /// How it is read.
        options: ocr::Options,
    },
    /// A picture, re-encoded: [`Answer::Picture`].
    Picture {
        /// The most pixels that are taken.
        max_pixels: u64,
    },
    /// Recognise what is said in a piece of the sound: [`Answer::Heard`].
    Listen(Box<Listen>),
    /// An answer of another repository to OAI-PMH: [`Answer::Harvested`].
    Records {
        /// Elements within each other.
        max_depth: usize,
    },
    /// A spreadsheet's first table (XLSX): [`Answer::Sheet`] for some rows at a time.
    Sheet {
        /// What it may be packed in.
        limits: archive::Limits,
        /// Rows that are not empty, the heading among them.
        max_rows: usize,
        /// Cells that are not empty.
        max_cells: usize,
    },
    /// Captions: [`Answer::Captions`].
    Captions {
        /// Name of the file, for its ending.
        name: String,
    },
}

impl Step {
    /// Whether helpers are needed: poppler's programs, the recogniser, LibreOffice.
    #[must_use]
    pub fn needs_helpers(&self) -> bool {
        let helped = matches!(
            self,
            Self::Inspect { .. }
                | Self::Pages { .. }
                | Self::RecognisePages(..)
                | Self::RecognisePicture { .. }
        );
        helped || self.needs_office()
    }

    /// Whether LibreOffice is needed.
    #[must_use]
    pub fn needs_office(&self) -> bool {
        matches!(self, Self::Convert { .. })
    }
}

/// A line of the child's answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// What is in a source, and whether its picture can be copied if the plan wants it.
    Probe(Box<Probe>, bool),
    /// A step forward with media.
    Media(Event),
    /// Pictures of a video or audio.
    Stills(Stills),
    /// Slides in a video, in order; none, when it has none.
    Slides(Vec<Slide>),
    /// What is kept of media to find the same elsewhere.
    Prints(Prints),
    /// Captions found in a source.
    Subtitles(Vec<EmbeddedSubtitles>),
    /// [`office::MADE`](super::office::MADE) is there; the notes of speakers: slide, from 1, and
    /// text.
    Converted(Vec<(u32, String)>),
    /// A chapter of a book.
    Chapter(book::Chapter),
    /// A picture in a book.
    Figure(book::Figure),
    /// What a book says of itself.
    Book(Box<Book>),
    /// What is in a document.
    Document(Box<Document>),
    /// Text of a page.
    PageText(PageText),
    /// Pictures of a page.
    Page(PageAnswer),
    /// A picture that was re-encoded.
    Picture {
        /// As shown, pixels.
        width: u32,
        /// As shown, pixels.
        height: u32,
        /// `large.webp` and `poster.jpg` with the poster's size.
        poster_width: u32,
        /// Pixels.
        poster_height: u32,
    },
    /// What is said in a piece of the sound.
    Heard(Heard),
    /// What another repository answered.
    Harvested(Box<Harvested>),
    /// Rows of a spreadsheet, in order.
    Sheet(Vec<SheetRow>),
    /// Captions that were uploaded.
    Captions(Captions),
    /// Nothing new, but the step goes on.
    Working,
    /// All is said and written.
    Done,
    /// The step cannot be done.
    Failed(Failure),
}

/// Pictures of a page, as files in the scratch folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageAnswer {
    /// From 1.
    pub page: u32,
    /// There is nothing on it.
    pub blank: bool,
    /// Of the large picture, pixels.
    pub width: u32,
    /// Of the large picture, pixels.
    pub height: u32,
    /// WebP.
    pub large: String,
    /// WebP.
    pub small: String,
    /// Of the first page, for the whole document.
    pub poster: Option<PagePoster>,
}

/// A picture that stands for a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PagePoster {
    /// JPEG.
    pub file: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// Why a step cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Code, for the sentence that people read.
    pub code: String,
    /// The value in question, or what the library said.
    pub info: String,
    /// Whether it may work another time.
    pub transient: bool,
}
