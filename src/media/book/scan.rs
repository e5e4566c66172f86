//! Reads HTML that was cleaned: every `<` in it begins a tag, and only five entities are left.

use super::Error;
use crate::media::xml;

/// A piece of HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A tag without its `<`, `/` and `>`, and whether it closes.
    Tag(&'a str, bool),
    /// What stands between tags, as it is written.
    Text(&'a str),
}

impl<'a> Piece<'a> {
    /// Of a tag.
    pub(super) fn name(self) -> &'a str {
        match self {
            Self::Tag(tag, _) => {
                tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("")
            }
            Self::Text(_) => "",
        }
    }
}

/// Characters of a passage, about: a page of a book, so that a moment points to it.
const PASSAGE_CHARS: usize = 1_500;

/// Bytes of all passages of a chapter.
const MAX_BYTES: usize = 8 << 20;

/// Elements that end the line before them.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "br",
    "caption",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "td",
    "th",
    "tr",
    "ul",
];

/// Elements that have no end.
const VOID: &[&str] = &["br", "hr", "img", "wbr", "col"];

/// The pieces of `html`, with the place of each.
pub(super) fn pieces(html: &str) -> impl Iterator<Item = (usize, Piece<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = html.get(at..).filter(|rest| !rest.is_empty())?;
        let begun = at;
        if let Some(tag) = rest.strip_prefix('<') {
            let end = end_of(tag);
            at += (end + 2).min(rest.len());
            let tag = &tag[..end];
            return Some((
                begun,
                match tag.strip_prefix('/') {
                    Some(name) => Piece::Tag(name, true),
                    None => Piece::Tag(tag, false),
                },
            ));
        }
        let end = rest.find('<').unwrap_or(rest.len());
        at += end;
        Some((begun, Piece::Text(&rest[..end])))
    })
}

/// Where the `>` of a tag is; those in quotes do not count.
fn end_of(tag: &str) -> usize {
    let mut quoted = false;
    let end = tag.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b'>' && !quoted
    });
    end.unwrap_or(tag.len())
}

/// The text of `html`, a paragraph a line; readings beside characters (ruby) are left out.
pub(super) fn text(html: &str, max_depth: usize) -> Result<String, Error> {
    let (mut lines, mut depth, mut reading, mut kept) = (String::new(), 0_usize, 0_usize, 0_usize);
    for (_, piece) in pieces(html) {
        let name = piece.name();
        match piece {
            Piece::Text(text) if reading == 0 => push(&mut lines, text, kept > 0),
            Piece::Text(_) => {}
            Piece::Tag(_, closes) => {
                if BLOCKS.contains(&name) && !lines.ends_with('\n') {
                    lines.push('\n');
                }
                if VOID.contains(&name) {
                    continue;
                }
                let count = |n: &mut usize| *n = if closes { n.saturating_sub(1) } else { *n + 1 };
                count(&mut depth);
                match name {
                    "rt" | "rp" => count(&mut reading),
                    "pre" => count(&mut kept),
                    _ => {}
                }
                if depth > max_depth {
                    return Err(xml::Error::Deep.into());
                }
            }
        }
    }
    let lines: Vec<&str> = lines.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Ok(lines.join("\n"))
}

/// Adds text with its entities resolved; white space counts as one blank unless it is `kept`.
fn push(lines: &mut String, text: &str, kept: bool) {
    let text = text
        .replace("&nbsp;", " ")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&");
    for c in text.chars() {
        match c {
            '\n' if kept => lines.push('\n'),
            c if c.is_whitespace() || c.is_control() => {
                if !lines.ends_with([' ', '\n']) {
                    lines.push(' ');
                }
            }
            c => lines.push(c),
        }
    }
}

/// The text of `html` in pieces of some paragraphs.
pub(super) fn passages(html: &str, max_depth: usize) -> Result<Vec<String>, Error> {
    let mut text = text(html, max_depth)?;
    text.truncate(text.floor_char_boundary(MAX_BYTES));
    let mut passages: Vec<String> = Vec::new();
    let (mut open, mut chars) = (String::new(), 0);
    for line in text.lines() {
        let long = line.chars().count();
        if chars > 0 && chars + long > PASSAGE_CHARS {
            passages.push(std::mem::take(&mut open));
            chars = 0;
        }
        if !open.is_empty() {
            open.push('\n');
        }
        open.push_str(line);
        chars += long;
    }
    passages.extend((!open.is_empty()).then_some(open));
    Ok(passages)
}
