//! The words of pages and where they stand, by `pdftotext -bbox-layout`.

use std::{fs::File, ops::RangeInclusive, time::Duration};

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};
use serde::{Deserialize, Serialize};

use super::{
    Document, Error, PageSize,
    helper::{Program, run},
};
use crate::media::captions::lines::{join, tidy};

const TIME: Duration = Duration::from_secs(60);
const BYTES: u64 = 128 << 20;
pub(in crate::media) const MAX_WORDS: usize = 20_000;
pub(in crate::media) const MAX_WORD_CHARS: usize = 256;
pub(in crate::media) const MAX_TEXT_BYTES: usize = 512 << 10;

/// The text of one page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PageText {
    /// From 1.
    pub page: u32,
    /// In reading order, a paragraph a line; what was broken into lines is put together.
    pub text: String,
    /// In the same order.
    pub words: Vec<WordBox>,
}

/// A word and its place, from the upper left corner, as parts of the page's width and height
/// (0 to 1): a layer of text over the picture of the page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WordBox {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
    /// One word as poppler sees it; a run of characters in Chinese.
    pub text: String,
}

/// The text of some pages of the document, all of them in order; a page that cannot be read,
/// or has no text, comes empty.
///
/// # Errors
///
/// [`Error::Timeout`] and [`Error::Helper`].
pub fn text(
    source: &File,
    document: &Document,
    pages: RangeInclusive<u32>,
) -> Result<Vec<PageText>, Error> {
    let (first, last) = (*pages.start(), (*pages.end()).min(document.pages));
    if first == 0 || first > last {
        return Ok(Vec::new());
    }
    let (from, to) = (first.to_string(), last.to_string());
    let arguments = ["-bbox-layout", "-cropbox", "-q", "-enc", "UTF-8", "-f", &from, "-l", &to];
    let answer = run(Program::Text, &arguments, source, TIME, BYTES)?;
    let mut read = parse(&answer.text(), first, |page| document.page_size(page));
    read.truncate((last - first + 1) as usize);
    let missing = first + u32::try_from(read.len()).unwrap_or(u32::MAX)..=last;
    read.extend(missing.map(|page| PageText { page, ..PageText::default() }));
    Ok(read)
}

/// The pages as far as the answer is well formed; `size` tells how large each is shown, since
/// the answer's own sizes leave the rotation out.
pub(super) fn parse(
    answer: &str,
    first: u32,
    size: impl Fn(u32) -> Option<PageSize>,
) -> Vec<PageText> {
    let mut reader = Reader::from_str(answer);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut pages: Vec<Page> = Vec::new();
    let mut next = first;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => match tag.name().as_ref() {
                "page" => {
                    pages.push(Page::new(next, size(next).or_else(|| own_size(&tag))));
                    next += 1;
                }
                "word" => {
                    if let Some(page) = pages.last_mut() {
                        page.open = page.place(&tag);
                    }
                }
                _ => {}
            },
            Ok(Event::End(tag)) => {
                if let Some(page) = pages.last_mut() {
                    page.close(tag.name().as_ref());
                }
            }
            Ok(Event::Text(text)) => push(&mut pages, &text.xml10_content()),
            Ok(Event::GeneralRef(name)) => match name.resolve_char_ref() {
                Ok(Some(c)) => push(&mut pages, c.encode_utf8(&mut [0; 4])),
                _ => push(&mut pages, resolve_predefined_entity(&name).unwrap_or_default()),
            },
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    pages.into_iter().map(|page| page.done).collect()
}

fn push(pages: &mut [Page], text: &str) {
    if let Some(Page { open: Some(word), .. }) = pages.last_mut()
        && word.text.len() < 4 * MAX_WORD_CHARS
    {
        word.text.push_str(text);
    }
}

/// A page being read.
struct Page {
    done: PageText,
    size: PageSize,
    /// The paragraph so far.
    block: String,
    open: Option<WordBox>,
}

impl Page {
    fn new(page: u32, size: Option<PageSize>) -> Self {
        Self {
            done: PageText { page, ..PageText::default() },
            size: size.unwrap_or_default(),
            block: String::new(),
            open: None,
        }
    }

    /// An empty word at the place that the tag names; None when it is nowhere on the page.
    fn place(&self, tag: &BytesStart<'_>) -> Option<WordBox> {
        if !self.size.is_readable() || self.done.words.len() >= MAX_WORDS {
            return None;
        }
        let part =
            |name: &str, whole: f32| number(tag, name).map(|at| (at / whole).clamp(0.0, 1.0));
        let (x, y) = (part("xMin", self.size.width_pt)?, part("yMin", self.size.height_pt)?);
        let (right, bottom) =
            (part("xMax", self.size.width_pt)?, part("yMax", self.size.height_pt)?);
        let (w, h) = (right - x, bottom - y);
        let text = String::new();
        (w > 0.0 && h > 0.0).then(|| WordBox {
            x: short(x),
            y: short(y),
            w: short(w),
            h: short(h),
            text,
        })
    }

    fn close(&mut self, tag: &str) {
        match tag {
            "word" => {
                let Some(word) = self.open.take() else { return };
                let Some(text) = tidy(&word.text, MAX_WORD_CHARS) else { return };
                if self.done.text.len() + self.block.len() < MAX_TEXT_BYTES {
                    join(&mut self.block, &text);
                }
                self.done.words.push(WordBox { text, ..word });
            }
            "block" | "page" if !self.block.is_empty() => {
                if !self.done.text.is_empty() {
                    self.done.text.push('\n');
                }
                self.done.text.push_str(&self.block);
                self.block.clear();
            }
            _ => {}
        }
    }
}

fn own_size(tag: &BytesStart<'_>) -> Option<PageSize> {
    let size = PageSize { width_pt: number(tag, "width")?, height_pt: number(tag, "height")? };
    size.is_readable().then_some(size)
}

fn number(tag: &BytesStart<'_>, name: &str) -> Option<f32> {
    let number: f32 = tag.try_get_attribute(name).ok()??.value.parse().ok()?;
    number.is_finite().then_some(number)
}

/// Four digits: a hundredth of a pixel matters to nobody.
pub(in crate::media) fn short(part: f32) -> f32 {
    (part * 10_000.0).round() / 10_000.0
}
