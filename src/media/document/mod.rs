//! PDF documents: what is in them, their text with its places, their pages as pictures.
//!
//! poppler's programs do the reading, one short run after the other, inside the sandbox of the
//! process that calls this (`sandbox` with `helpers`). They get the source as their standard
//! input and open it by `/proc/self/fd/0`, so nothing is copied. What they answer is untrusted:
//! bounded, parsed strictly, and lost pages are only lost pages.

pub(super) mod helper;
mod info;
mod render;
mod text;

use std::{fs::File, io, ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Serialize};

use self::helper::{Program, run};
pub(super) use self::text::{MAX_TEXT_BYTES, MAX_WORD_CHARS, MAX_WORDS, short};
pub use self::{
    helper::helper_works,
    render::{PageFile, RenderedPage, WIDTHS, draw_grey, picture_size, render},
    text::{PageText, WordBox, text},
};
use super::outline::{self, OutlineItem};

/// The most pages of a document.
pub const MAX_PAGES: u32 = 20_000;

const INFO_TIME: Duration = Duration::from_secs(60);
const INFO_BYTES: u64 = 8 << 20;
const OUTLINE_TIME: Duration = Duration::from_secs(30);
const OUTLINE_BYTES: u64 = 16 << 20;

/// What a document says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// How many pages it has.
    pub pages: u32,
    /// From the information dictionary; None when empty.
    pub title: Option<String>,
    /// From the information dictionary; None when empty.
    pub author: Option<String>,
    /// It is encrypted so that some uses are not wished, but opens without a password.
    pub restricted: bool,
    /// One a page, in order.
    pub page_sizes: Vec<PageSize>,
    /// The tree of contents, in order.
    pub outline: Vec<OutlineItem>,
}

/// How large a page is as it is shown, after its rotation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PageSize {
    /// In points (1/72 inch); 0 when the page cannot be read.
    pub width_pt: f32,
    /// In points; 0 when the page cannot be read.
    pub height_pt: f32,
}

impl PageSize {
    /// Whether there is something to show.
    pub fn is_readable(&self) -> bool {
        self.width_pt > 0.0 && self.height_pt > 0.0
    }
}

impl Document {
    /// The size of a page, from 1; None beyond the last and for a page that cannot be read.
    pub fn page_size(&self, page: u32) -> Option<PageSize> {
        let index = usize::try_from(page.checked_sub(1)?).ok()?;
        self.page_sizes.get(index).copied().filter(PageSize::is_readable)
    }

    /// How many pages are named but cannot be read, as in a file that was cut.
    pub fn unreadable_pages(&self) -> u32 {
        let unreadable = self.page_sizes.iter().filter(|size| !size.is_readable()).count();
        u32::try_from(unreadable).unwrap_or(u32::MAX)
    }
}

/// How large some pages of a document are; the others stay unread, and so does the outline.
///
/// # Errors
///
/// As [`inspect`].
pub fn sizes(source: &File, pages: RangeInclusive<u32>) -> Result<Document, Error> {
    read(source, pages, MAX_PAGES)
}

/// Reads what the document says of itself, and its outline. At most `max_pages`, and never more
/// than [`MAX_PAGES`], are allowed.
///
/// # Errors
///
/// [`Error::Encrypted`] when it needs a password, [`Error::Damaged`] when no page of it can be
/// shown, [`Error::Empty`], [`Error::TooManyPages`], [`Error::Timeout`].
pub fn inspect(source: &File, max_pages: u32) -> Result<Document, Error> {
    let mut document = read(source, 1..=MAX_PAGES + 1, max_pages)?;
    let readable = document.page_sizes.iter().position(PageSize::is_readable);
    let Some(first) = readable else {
        return Err(Error::Damaged(format!("none of its {} pages can be read", document.pages)));
    };
    document.outline = outline(source, first + 1, document.pages);
    Ok(document)
}

fn read(source: &File, pages: RangeInclusive<u32>, max_pages: u32) -> Result<Document, Error> {
    let (first, last) = (pages.start().to_string(), pages.end().to_string());
    let arguments = ["-enc", "UTF-8", "-f", &first, "-l", &last];
    let answer = run(Program::Info, &arguments, source, INFO_TIME, INFO_BYTES)?;
    if !answer.succeeded {
        return Err(Error::of_message(&answer.message));
    }
    info::parse(&answer.text(), max_pages)
}

/// The outline; empty when it cannot be read, which is no reason to refuse the document.
/// `page` is one that can be read: the program wants one.
fn outline(source: &File, page: usize, pages: u32) -> Vec<OutlineItem> {
    let page = page.to_string();
    let arguments = ["-xml", "-i", "-q", "-stdout", "-enc", "UTF-8", "-f", &page, "-l", &page];
    match run(Program::Html, &arguments, source, OUTLINE_TIME, OUTLINE_BYTES) {
        Ok(answer) => outline::parse(&answer.text(), pages),
        Err(_) => Vec::new(),
    }
}

/// Why a document cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It needs a password, which nobody here has.
    #[error("the document needs a password")]
    Encrypted,
    /// It is no PDF, or broken beyond what poppler mends.
    #[error("the document is damaged or no PDF: {0}")]
    Damaged(String),
    /// It has no page.
    #[error("the document has no pages")]
    Empty,
    /// It has more pages than allowed.
    #[error("the document has {0} pages, too many")]
    TooManyPages(u32),
    /// A step took too long.
    #[error("reading the document took more than {0:?}")]
    Timeout(Duration),
    /// A helper is not installed or may not run here.
    #[error("{program} cannot be started")]
    Helper {
        /// Its path.
        program: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A picture of a page could not be made.
    #[error(transparent)]
    Picture(#[from] transcode::picture::Error),
    /// Reading or writing failed.
    #[error("cannot {doing}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// A short name that the pages can translate.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted",
            Self::Damaged(_) => "damaged",
            Self::Empty => "empty",
            Self::TooManyPages(_) => "too_many_pages",
            Self::Timeout(_) => "timeout",
            Self::Helper { .. } => "helper",
            Self::Picture(_) => "picture",
            Self::Io { .. } => "io",
        }
    }

    /// True when a later try may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Helper { .. } | Self::Io { .. } => true,
            Self::Picture(error) => error.is_transient(),
            _ => false,
        }
    }

    /// What poppler complains about, in our terms.
    fn of_message(message: &str) -> Self {
        if message.contains("Incorrect password") {
            return Self::Encrypted;
        }
        let last = message.lines().rev().find(|line| !line.trim().is_empty());
        Self::Damaged(last.unwrap_or("no reason given").chars().take(200).collect())
    }
}

/// For `fuzz`.
#[cfg(fuzzing)]
pub(super) fn look(answer: &str) {
    use super::protocol::Answer;
    if let Ok(document) = info::parse(answer, MAX_PAGES) {
        Answer::Document(Box::new(document)).check().expect("what is read may be said");
    }
    for page in text::parse(answer, 1, |_| None) {
        Answer::PageText(page).check().expect("what is read may be said");
    }
}

pub(super) fn cannot(doing: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { doing, source }
}

#[cfg(test)]
mod tests;
