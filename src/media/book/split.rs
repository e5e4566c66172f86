//! One page in chapters, by its headings.

use super::clean::balance;
use super::scan::{Piece, pieces, text};
use super::text::Page;
use super::{Book, Chapter, ContentsItem, Error, MAX_CONTENTS, MAX_TITLE, Told, chapter};
use crate::media::archive::Limits;
use crate::media::captions::lines::tidy;

/// More parts than this are no chapters.
const MOST: usize = 1_000;

/// A heading.
struct Heading {
    level: u8,
    /// Where its tag begins.
    at: usize,
    title: String,
}

/// Tells `each` of the chapters of `page`.
pub(super) fn tell<E: From<Error>>(
    page: Page,
    limits: &Limits,
    each: &mut dyn FnMut(Told) -> Result<(), E>,
) -> Result<Book, E> {
    let headings = headings(&page.html);
    let cuts = cuts(&headings);
    let mut book = Book {
        title: page.title.or_else(|| headings.first().map(|heading| heading.title.clone())),
        language: page.language.as_deref().and_then(crate::media::captions::language::of_tag),
        right_to_left: page.right_to_left,
        ..Book::default()
    };
    let ends = cuts.iter().skip(1).map(|cut| cut.0).chain([page.html.len()]);
    for ((from, title, level), to) in cuts.iter().zip(ends) {
        let whole = cuts.len() == 1;
        let html = if whole { page.html.clone() } else { balance(&page.html[*from..to]) };
        let made = chapter(book.chapters + 1, title.clone(), &html, limits)?;
        // What stands before the first heading may be nothing.
        if made.passages.is_empty() && !html.contains("<img") && !whole {
            continue;
        }
        book.chapters += 1;
        if !whole && !title.is_empty() {
            let (title, chapter, depth) = (title.clone(), made.number, u32::from(*level));
            book.contents.push(ContentsItem { title, chapter, depth, anchor: String::new() });
        }
        told(made, each)?;
    }
    book.contents.truncate(MAX_CONTENTS);
    Ok(book)
}

fn told<E: From<Error>>(
    made: Chapter,
    each: &mut dyn FnMut(Told) -> Result<(), E>,
) -> Result<(), E> {
    if made.number == 1 && made.passages.is_empty() {
        return Err(Error::Empty.into());
    }
    each(Told::Chapter(made))
}

/// Where chapters begin, with their titles and depths.
fn cuts(headings: &[Heading]) -> Vec<(usize, String, u8)> {
    let many = |level: u8| headings.iter().filter(|heading| heading.level <= level).count();
    let level = (1..=3).find(|level| (2..=MOST).contains(&many(*level)));
    let Some(level) = level else { return vec![(0, String::new(), 0)] };
    let mut cuts: Vec<(usize, String, u8)> = headings
        .iter()
        .filter(|heading| heading.level <= level)
        .map(|heading| (heading.at, heading.title.clone(), 0))
        .collect();
    let top = headings.iter().map(|heading| heading.level).min().unwrap_or(level);
    for (cut, heading) in cuts.iter_mut().zip(headings.iter().filter(|h| h.level <= level)) {
        cut.2 = heading.level - top;
    }
    if cuts[0].0 > 0 {
        cuts.insert(0, (0, String::new(), 0));
    }
    cuts
}

fn headings(html: &str) -> Vec<Heading> {
    let mut found: Vec<Heading> = Vec::new();
    let mut open: Option<(u8, usize, usize)> = None;
    for (at, piece) in pieces(html) {
        let Piece::Tag(tag, closes) = piece else { continue };
        let level = match piece.name().as_bytes() {
            [b'h', digit @ b'1'..=b'6'] => digit - b'0',
            _ => continue,
        };
        match (closes, open.take()) {
            (false, _) => open = Some((level, at, at + tag.len() + 2)),
            (true, Some((level, begun, inside))) => {
                let title = text(&html[inside..at], usize::MAX).unwrap_or_default();
                let title = tidy(&title, MAX_TITLE);
                found.extend(title.map(|title| Heading { level, at: begun, title }));
            }
            (true, None) => {}
        }
    }
    found
}
