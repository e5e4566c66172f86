//! The text of a cue: which tags stay, and what a reader or the index sees.

use super::{Cue, lines::join};

/// The tags that stay; everything else that looks like a tag goes, its content stays.
const KEPT: [&str; 5] = ["i", "b", "u", "ruby", "rt"];

/// Clean `WebVTT` cue text of `WebVTT` or `SubRip` text, which has HTML-like tags and entities.
pub(super) fn clean(text: &str) -> String {
    let mut cleaned = Cleaned::default();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = if c == '<' { tag(rest) } else { None };
        if let Some((name, closing, after)) = after {
            cleaned.tag(name, closing);
            rest = after;
            continue;
        }
        if c == '&'
            && let Some((character, after)) = entity(rest)
        {
            cleaned.push(character);
            rest = after;
            continue;
        }
        cleaned.push(c);
        rest = &rest[c.len_utf8()..];
    }
    cleaned.finish()
}

/// What is read aloud or searched: one line, no tags, no ruby annotations.
pub fn plain(cue: &Cue) -> String {
    let mut line = String::new();
    let mut text = String::new();
    let mut annotation = false;
    let mut rest = cue.text.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some((name, closing, after)) = tag(rest) {
            match name {
                "rt" => annotation = !closing,
                "ruby" => annotation = false,
                _ => {}
            }
            rest = after;
            continue;
        }
        let (c, after) = entity(rest).unwrap_or((c, &rest[c.len_utf8()..]));
        rest = after;
        match c {
            '\n' => join(&mut text, &std::mem::take(&mut line)),
            _ if annotation => {}
            c => line.push(c),
        }
    }
    join(&mut text, &line);
    text
}

/// Text with well nested tags, being made.
#[derive(Default)]
pub(super) struct Cleaned {
    text: String,
    open: Vec<&'static str>,
}

impl Cleaned {
    pub(super) fn push(&mut self, c: char) {
        match c {
            '&' => self.text.push_str("&amp;"),
            '<' => self.text.push_str("&lt;"),
            '>' => self.text.push_str("&gt;"),
            '\n' | '\u{2028}' | '\u{2029}' => self.text.push('\n'),
            '\t' => self.text.push(' '),
            '\u{FEFF}' | '\u{FFFD}' => {}
            c if c.is_control() => {}
            c => self.text.push(c),
        }
    }

    /// Opens or closes a tag, if it is one that stays and may stand here.
    pub(super) fn tag(&mut self, name: &str, closing: bool) {
        let Some(name) = KEPT.into_iter().find(|kept| *kept == name) else { return };
        let opened = self.open.iter().rposition(|open| *open == name);
        match (closing, opened) {
            (true, Some(at)) => {
                while self.open.len() > at {
                    self.close_last();
                }
            }
            // Annotations stand directly in ruby.
            (false, None) if name == "rt" && self.open.last() != Some(&"ruby") => {}
            (false, None) => {
                self.text.extend(["<", name, ">"]);
                self.open.push(name);
            }
            _ => {}
        }
    }

    pub(super) fn close_all(&mut self) {
        while !self.open.is_empty() {
            self.close_last();
        }
    }

    fn close_last(&mut self) {
        if let Some(name) = self.open.pop() {
            self.text.extend(["</", name, ">"]);
        }
    }

    /// The text, without empty lines: they would end the cue.
    pub(super) fn finish(mut self) -> String {
        self.close_all();
        let lines = self.text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Name of the tag at the start of `text`, whether it closes, and what comes after it.
///
/// A `<` that begins no tag is a character. The name may be of any tag, also a time stamp.
fn tag(text: &str) -> Option<(&str, bool, &str)> {
    let inner = text.strip_prefix('<')?;
    let end = inner.find(['>', '<'])?;
    let after = inner[end..].strip_prefix('>')?;
    let body = &inner[..end];
    let (name, closing) = body.strip_prefix('/').map_or((body, false), |name| (name, true));
    let first = name.chars().next();
    if !(first.is_some_and(|c| c.is_ascii_alphanumeric()) || closing && name.is_empty()) {
        return None;
    }
    let name = name.split(['.', ' ', '\t', '\n', '/']).next().unwrap_or_default();
    Some((canonical(name), closing, after))
}

/// The tag in small letters, if it is one that stays.
fn canonical(name: &str) -> &'static str {
    KEPT.into_iter().find(|kept| name.eq_ignore_ascii_case(kept)).unwrap_or("")
}

/// The character of the entity at the start of `text`, and what comes after it.
fn entity(text: &str) -> Option<(char, &str)> {
    let inner = text.strip_prefix('&')?;
    let end = inner.bytes().take(12).position(|byte| byte == b';')?;
    let (name, after) = (&inner[..end], &inner[end + 1..]);
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{A0}',
        "lrm" => '\u{200E}',
        "rlm" => '\u{200F}',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((c, after))
}
