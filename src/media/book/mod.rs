//! What is read in chapters: EPUB, Markdown, HTML, plain text.
//!
//! All of it becomes the same: chapters of HTML without scripts, styles and addresses elsewhere,
//! their text in passages, pictures made anew, and a table of contents. What is made here is shown
//! in a frame that can do nothing: nobody trusts it to be clean.

mod clean;
mod epub;
mod opf;
mod scan;
mod split;
mod text;
mod xhtml;

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};

use serde::{Deserialize, Serialize};

use super::archive::{self, Limits};
use super::xml;

/// The most chapters of a book, and pictures in it.
pub const MAX_CHAPTERS: usize = 10_000;

/// Bytes of a text that is read as one: a book of three thousand pages.
pub const MAX_TEXT_BYTES: u64 = 32 << 20;

/// Bytes of the HTML of a chapter.
pub const MAX_CHAPTER_BYTES: usize = 32 << 20;

/// The most items of a table of contents.
pub const MAX_CONTENTS: usize = 10_000;
/// How deep they go at most; 0 is the top.
pub const MAX_DEPTH: u32 = 16;

/// Longest title, characters.
const MAX_TITLE: usize = 256;

/// What a book says of itself; told after its chapters and pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// None when it does not say.
    pub title: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
    /// It is written from right to left.
    pub right_to_left: bool,
    /// How many chapters were told of.
    pub chapters: u32,
    /// Table of contents.
    pub contents: Vec<ContentsItem>,
}

/// An item of a table of contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentsItem {
    /// One line.
    pub title: String,
    /// From 1.
    pub chapter: u32,
    /// The place in it, the id of an element; empty: its beginning.
    pub anchor: String,
    /// 0 at the top.
    pub depth: u32,
}

/// A chapter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chapter {
    /// From 1.
    pub number: u32,
    /// One line; may be empty.
    pub title: String,
    /// In the scratch folder: what stands in the body.
    pub file: String,
    /// What it says, in order, in pieces of some paragraphs.
    pub passages: Vec<String>,
}

/// A picture in a book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// From 1; the chapters name it as `../figures/{number}.webp`.
    pub number: u32,
    /// In the scratch folder: WebP.
    pub file: String,
    /// For the whole book, when it is the cover.
    pub poster: Option<super::protocol::PagePoster>,
}

/// What is told while a book is read.
pub enum Told {
    /// A chapter.
    Chapter(Chapter),
    /// The bytes of a picture that the chapters name by this number; 0: the cover.
    Figure(u32, Vec<u8>),
}

/// Reads `source`, which is of `media_type`, and tells `each` chapter and picture.
///
/// # Errors
///
/// [`Error`], and what `each` gives.
pub fn read<E: From<Error>>(
    source: &File,
    media_type: &str,
    limits: &Limits,
    each: &mut dyn FnMut(Told) -> Result<(), E>,
) -> Result<Book, E> {
    match media_type {
        "application/epub+zip" => epub::read(source, limits, each),
        _ => {
            let text = text_of(source)?;
            let page = match media_type {
                "text/markdown" => text::markdown(&text),
                "text/plain" => text::plain(&text),
                _ => text::html(&text, limits)?,
            };
            split::tell(page, limits, each)
        }
    }
}

fn text_of(mut source: &File) -> Result<String, Error> {
    source.rewind()?;
    let mut bytes = Vec::new();
    source.take(MAX_TEXT_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_TEXT_BYTES {
        return Err(Error::TooLarge);
    }
    super::captions::decode(&bytes).ok_or(Error::NotText)
}

/// Writes the HTML of a chapter into the scratch folder and says what is in it.
fn chapter(number: u32, title: String, html: &str, limits: &Limits) -> Result<Chapter, Error> {
    if html.len() > MAX_CHAPTER_BYTES {
        return Err(Error::TooLarge);
    }
    let passages = scan::passages(html, limits.max_depth)?;
    let file = format!("c{number:05}.html");
    fs::write(&file, html)?;
    Ok(Chapter { number, title, file, passages })
}

/// Why a book is not read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What it is packed in.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// Only programs that its seller knows can read it.
    #[error("the book is locked to its seller's programs")]
    Locked,
    /// It does not say what its chapters are.
    #[error("the book names no chapters: {0}")]
    Damaged(&'static str),
    /// There is nothing to read in it.
    #[error("there is nothing to read in it")]
    Empty,
    /// It is no text.
    #[error("it is no text")]
    NotText,
    /// More than is allowed.
    #[error("a text in it is too large")]
    TooLarge,
    /// More chapters than are allowed.
    #[error("it has more than {MAX_CHAPTERS} chapters")]
    TooMany,
    /// Reading or writing failed.
    #[error("cannot read or write")]
    Io(#[from] io::Error),
}

impl From<xml::Error> for Error {
    fn from(error: xml::Error) -> Self {
        Self::Archive(error.into())
    }
}

impl Error {
    /// A code for the sentence that people read.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Archive(archive::Error::Encrypted) => "book_locked",
            Self::Archive(error) => error.code(),
            Self::Locked => "book_locked",
            Self::Damaged(_) => "book_damaged",
            Self::Empty => "book_empty",
            Self::NotText => "book_not_text",
            Self::TooLarge => "book_too_large",
            Self::TooMany => "book_too_many",
            Self::Io(_) => "internal",
        }
    }

    /// True when a later try may succeed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Archive(error) => error.is_transient(),
            Self::Io(_) => true,
            _ => false,
        }
    }
}
