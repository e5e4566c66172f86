//! Folded text as a row of units with positions: what the index, queries and highlights share.

use super::fold::{Class, Glyph};

/// The longest Latin word kept whole, in characters; longer runs are cut.
const MAX_WORD_CHARS: usize = 40;

/// A Han character or a whole Latin word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Its first glyph.
    pub(crate) from: usize,
    /// The glyph after its last.
    pub(crate) to: usize,
    /// Its place in the row. Neighbours differ by one; punctuation beside Han leaves a gap, so
    /// that nothing is found across it.
    pub(crate) position: usize,
    /// Whether it is a Han character.
    pub(crate) han: bool,
}

impl Unit {
    /// What it says.
    pub(crate) fn text(&self, glyphs: &[Glyph]) -> String {
        glyphs[self.from..self.to].iter().map(|glyph| glyph.ch).collect()
    }

    /// Whether `next` is a Han character right behind this one.
    pub(crate) fn joins(&self, next: &Unit) -> bool {
        self.han && next.han && next.position == self.position + 1
    }
}

/// Cuts folded text into units. White space does not part Han characters, for lines of captions
/// and pages are broken within words.
pub(crate) fn units(glyphs: &[Glyph]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::with_capacity(glyphs.len());
    let (mut at, mut position, mut gap) = (0, 0, false);
    while at < glyphs.len() {
        let to = match glyphs[at].class {
            Class::Space => at,
            Class::Other => {
                gap = true;
                at
            }
            Class::Han => at + 1,
            Class::Word => word_end(glyphs, at),
        };
        if to == at {
            at += 1;
            continue;
        }
        let han = glyphs[at].class == Class::Han;
        if gap && units.last().is_some_and(|last| last.han || han) {
            position += 1;
        }
        units.push(Unit { from: at, to, position, han });
        (at, position, gap) = (to, position + 1, false);
    }
    units
}

/// The end of the word that begins at `from`; `c++` and `c#` are words.
fn word_end(glyphs: &[Glyph], from: usize) -> usize {
    let mut to = from;
    while to < glyphs.len() && glyphs[to].class == Class::Word && to - from < MAX_WORD_CHARS {
        to += 1;
    }
    let word = to;
    while to < glyphs.len() && matches!(glyphs[to].ch, '+' | '#') && to - word < 2 {
        to += 1;
    }
    let glued = glyphs.get(to).is_some_and(|next| next.class == Class::Word);
    if glued || to - from > 4 { word } else { to }
}

#[cfg(test)]
mod tests {
    use super::super::fold::fold;
    use super::*;

    fn row(text: &str) -> Vec<(String, usize)> {
        let glyphs = fold(text);
        units(&glyphs).iter().map(|unit| (unit.text(&glyphs), unit.position)).collect()
    }

    fn owned(row: &[(&str, usize)]) -> Vec<(String, usize)> {
        row.iter().map(|(text, at)| ((*text).to_owned(), *at)).collect()
    }

    #[test]
    fn punctuation_parts_and_line_breaks_do_not() {
        assert_eq!(row("渔\n民，网"), owned(&[("渔", 0), ("民", 1), ("网", 3)]));
        assert_eq!(
            row("well-known 3D打印"),
            owned(&[("well", 0), ("known", 1), ("3d", 2), ("打", 3), ("印", 4),])
        );
        assert_eq!(
            row("C++ 和 C#，a+b"),
            owned(&[("c++", 0), ("和", 1), ("c#", 2), ("a", 3), ("b", 4),])
        );
    }
}
