//! Titles and pieces of text as HTML, with `<mark>`.

use super::needles::{Mark, Needles};
use crate::words::{Class, Glyph, fold};

/// About how long a piece is, and how long it may be, in characters.
const USUAL: usize = 90;
const LONGEST: usize = 120;
/// How much is shown before the first match, in characters.
const BEFORE: usize = 24;
/// The longest text that is searched for matches, in bytes; a page of a document has some 5,000.
const MAX_TEXT: usize = 400_000;

/// A piece of text as HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snippet {
    /// Escaped, with `<mark>`.
    pub(crate) html: String,
    /// Whether anything is marked.
    pub(crate) marked: bool,
}

/// `text` in full.
pub(crate) fn title(text: &str, needles: &Needles) -> String {
    let glyphs = fold(text);
    let marks = merged(&needles.find(&glyphs));
    render(text, &glyphs, 0, glyphs.len(), &marks)
}

/// The best piece of `text`, or its beginning when nothing is found in it.
pub(crate) fn snippet(text: &str, needles: &Needles) -> Snippet {
    let text = &text[..text.floor_char_boundary(MAX_TEXT)];
    let glyphs = fold(text);
    let marks = needles.find(&glyphs);
    let (from, to) = window(&glyphs, &marks);
    let marks: Vec<Mark> = merged(&marks);
    let html = render(text, &glyphs, from, to, &marks);
    let marked = marks.iter().any(|mark| mark.from < to && mark.to > from);
    Snippet { html, marked }
}

/// The range of glyphs to show.
fn window(glyphs: &[Glyph], marks: &[Mark]) -> (usize, usize) {
    if glyphs.len() <= LONGEST {
        return (0, glyphs.len());
    }
    let first = best_start(marks);
    let earliest = first.saturating_sub(BEFORE);
    // Begin with a sentence if one begins near.
    let from =
        (earliest..first).rev().find(|&at| ends_sentence(glyphs, at)).map_or(earliest, |at| at + 1);
    let from = from.min(glyphs.len().saturating_sub(USUAL));
    let usual = (from + USUAL).min(glyphs.len());
    let most = (from + LONGEST).min(glyphs.len());
    let cut = marks.iter().find(|mark| mark.from < usual && mark.to > usual);
    let least = cut.map_or(usual, |mark| mark.to).min(most);
    let to = (least..most).find(|&at| ends_sentence(glyphs, at)).map_or(least, |at| at + 1);
    (from, if glyphs.len() <= most { glyphs.len() } else { to })
}

/// Where the mark is from which on most is seen.
fn best_start(marks: &[Mark]) -> usize {
    let mut best = (0, 0);
    for (at, mark) in marks.iter().enumerate() {
        let mut seen = Vec::new();
        let mut worth = 0;
        for other in marks[at..].iter().take_while(|other| other.from < mark.from + USUAL - BEFORE)
        {
            worth += if seen.contains(&other.needle) { 1 } else { other.worth * 10 };
            seen.push(other.needle);
        }
        if worth > best.0 {
            best = (worth, mark.from);
        }
    }
    best.1
}

fn ends_sentence(glyphs: &[Glyph], at: usize) -> bool {
    let last = glyphs[at].ch;
    matches!(last, '。' | '!' | '?' | ';' | '\n' | '；' | '！' | '？')
        || (last == '.' && glyphs.get(at + 1).is_some_and(|next| next.class == Class::Space))
}

/// Marks in order, those that overlap joined.
fn merged(marks: &[Mark]) -> Vec<Mark> {
    let mut sorted = marks.to_vec();
    sorted.sort_by_key(|mark| (mark.from, mark.to));
    let mut merged: Vec<Mark> = Vec::with_capacity(sorted.len());
    for mark in sorted {
        match merged.last_mut() {
            Some(last) if mark.from < last.to => last.to = last.to.max(mark.to),
            _ => merged.push(mark),
        }
    }
    merged
}

fn render(text: &str, glyphs: &[Glyph], from: usize, to: usize, marks: &[Mark]) -> String {
    let mut html = String::with_capacity((to - from) * 4);
    if from > 0 {
        html.push('…');
    }
    let mut at = from;
    for mark in marks.iter().filter(|mark| mark.from < to && mark.to > from) {
        let (start, end) = (mark.from.max(from), mark.to.min(to));
        push(text, glyphs, at, start, &mut html);
        html.push_str("<mark>");
        push(text, glyphs, start, end, &mut html);
        html.push_str("</mark>");
        at = end;
    }
    push(text, glyphs, at, to, &mut html);
    if to < glyphs.len() {
        html.push('…');
    }
    html
}

/// Writes what the glyphs were in the original, escaped, with white space made one blank.
fn push(text: &str, glyphs: &[Glyph], from: usize, to: usize, html: &mut String) {
    if from >= to {
        return;
    }
    // A character that folds to several is written with the first of them.
    let start = match from.checked_sub(1) {
        Some(before) if glyphs[before].start == glyphs[from].start => glyphs[from].end,
        _ => glyphs[from].start,
    };
    let end = glyphs[to - 1].end.max(start);
    for ch in text[start..end].chars() {
        match ch {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ if ch.is_whitespace() || ch.is_control() => {
                if !html.is_empty() && !html.ends_with(' ') {
                    html.push(' ');
                }
            }
            _ => html.push(ch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::syllables;

    fn needles(words: &[&str]) -> Needles {
        let mut needles = Needles::default();
        for word in words {
            if word.is_ascii() {
                needles.add_latin(word);
                for sounds in syllables(word) {
                    needles.add_sounds(&sounds);
                }
            } else {
                needles.add_han(word);
            }
        }
        needles
    }

    #[test]
    fn the_original_is_marked_and_escaped() {
        assert_eq!(
            title("<b>漁民</b> & 'co'", &needles(&["渔民"])),
            "&lt;b&gt;<mark>漁民</mark>&lt;/b&gt; &amp; &#39;co&#39;"
        );
        assert_eq!(title("日照文旅", &needles(&["rizhao"])), "<mark>日照</mark>文旅");
        assert_eq!(
            title("Social Networks", &needles(&["network"])),
            "Social <mark>Networks</mark>"
        );
        assert_eq!(title("太极拳", &needles(&["太极", "极拳"])), "<mark>太极拳</mark>");
        assert_eq!(
            title("社区教育", &needles(&["社区", "教育"])),
            "<mark>社区</mark><mark>教育</mark>"
        );
        assert_eq!(title("渔\n民", &needles(&["渔民"])), "<mark>渔 民</mark>");
        assert_eq!(title("ﬁne", &needles(&["f"])), "ﬁne");
        assert_eq!(title("纸剪", &needles(&["剪纸"])), "纸剪");
    }

    #[test]
    fn a_snippet_shows_the_best_place() {
        let text = format!(
            "{}今天我们学习编网技艺。{}",
            "前面的话很长。".repeat(60),
            "后面的话。".repeat(60)
        );
        let shown = snippet(&text, &needles(&["编网", "技艺"]));
        assert!(shown.marked);
        assert!(shown.html.contains("学习<mark>编网</mark><mark>技艺</mark>。"), "{}", shown.html);
        assert!(shown.html.starts_with('…') && shown.html.ends_with('…'));
        let plain = shown.html.replace("<mark>", "").replace("</mark>", "");
        assert!((60..=125).contains(&plain.chars().count()), "{}", plain.chars().count());

        let none = snippet(&text, &needles(&["没有"]));
        assert!(!none.marked && none.html.starts_with("前面的话"));
    }

    proptest::proptest! {
        #[test]
        fn marking_only_adds_marks(text in "[剪纸漁民a-cﬁ１<&\" \u{300}e。\n]{0,300}") {
            let needles = needles(&["剪纸", "渔民", "ab", "min", "f", "1"]);
            let shown = title(&text, &needles).replace("<mark>", "").replace("</mark>", "");
            proptest::prop_assert_eq!(shown, title(&text, &Needles::default()));
            let piece = snippet(&text, &needles).html;
            proptest::prop_assert_eq!(piece.matches("<mark>").count(), piece.matches("</mark>").count());
        }
    }
}
