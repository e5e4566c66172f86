//! Text as it is compared: full and half width, upper and lower case, accents, Traditional and
//! Simplified made one, each character still knowing where it came from.
//!
//! Traditional characters are folded one by one, not by phrases: a phrase table gives the
//! better Simplified text, but makes a character depend on its neighbours, and then half of a
//! phrase no longer finds the whole. What searches want is one spelling for everybody.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What a character is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Written without spaces between words: Han, kana, hangul, bopomofo.
    Han,
    /// A letter or digit of a word.
    Word,
    /// White space.
    Space,
    /// All else.
    Other,
}

/// One folded character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glyph {
    /// The folded character.
    pub(crate) ch: char,
    /// The same before Traditional became Simplified: pinyin is read from it.
    pub(crate) read: char,
    /// Where it begins in the original, in bytes.
    pub(crate) start: usize,
    /// Where it ends there.
    pub(crate) end: usize,
    /// What it is for.
    pub(crate) class: Class,
}

/// Folds `text`. Characters that show nothing (zero-width, variation selectors) are dropped.
pub(crate) fn fold(text: &str) -> Vec<Glyph> {
    let mut glyphs = Vec::with_capacity(text.len() / 2);
    let mut chars = text.char_indices().peekable();
    while let Some((start, ch)) = chars.next() {
        let mut end = start + ch.len_utf8();
        if is_invisible(ch) {
            continue;
        }
        while let Some((at, mark)) =
            chars.next_if(|&(_, c)| !c.is_ascii() && (is_combining_mark(c) || is_invisible(c)))
        {
            end = at + mark.len_utf8();
        }
        push_cluster(&text[start..end], ch, start..end, &mut glyphs);
    }
    glyphs
}

/// Folds `text` and gives the characters only.
#[must_use]
pub fn fold_text(text: &str) -> String {
    fold(text).iter().map(|glyph| glyph.ch).collect()
}

fn push_cluster(cluster: &str, first: char, at: std::ops::Range<usize>, glyphs: &mut Vec<Glyph>) {
    let mut push = |read: char| {
        let ch = simplified(read);
        glyphs.push(Glyph { ch, read, start: at.start, end: at.end, class: class(ch) });
    };
    if first.is_ascii() && cluster.len() == 1 {
        push(first.to_ascii_lowercase());
    } else if is_unified(first) && cluster.len() == first.len_utf8() {
        push(first);
    } else {
        cluster.nfkc().for_each(|composed| {
            if class(composed) == Class::Han {
                push(composed);
            } else {
                [composed]
                    .into_iter()
                    .nfd()
                    .filter(|c| !matches!(c, '\u{300}'..='\u{36f}') && !is_invisible(*c))
                    .flat_map(char::to_lowercase)
                    .filter(|c| !matches!(c, '\u{300}'..='\u{36f}'))
                    .for_each(&mut push);
            }
        });
    }
}

fn class(ch: char) -> Class {
    match ch {
        'a'..='z' | '0'..='9' => Class::Word,
        _ if is_han(ch) => Class::Han,
        _ if ch.is_whitespace() || ch.is_control() => Class::Space,
        _ if ch.is_alphanumeric() || is_combining_mark(ch) => Class::Word,
        _ => Class::Other,
    }
}

fn is_unified(ch: char) -> bool {
    matches!(ch, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{2ebef}')
}

fn is_han(ch: char) -> bool {
    is_unified(ch)
        || matches!(ch,
            '々' | '〇' | '〆'
            | '\u{1100}'..='\u{11ff}'   // hangul jamo
            | '\u{2e80}'..='\u{2fdf}'   // radicals
            | '\u{3041}'..='\u{3096}'   // hiragana
            | '\u{30a1}'..='\u{30fa}' | 'ー' // katakana
            | '\u{3105}'..='\u{312f}'   // bopomofo
            | '\u{ac00}'..='\u{d7a3}'   // hangul
            | '\u{f900}'..='\u{faff}'   // compatibility
            | '\u{2ebf0}'..='\u{3347f}')
}

fn is_invisible(ch: char) -> bool {
    matches!(ch,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// The Simplified character for `ch`, which is `ch` for most.
fn simplified(ch: char) -> char {
    static TABLE: LazyLock<Table> = LazyLock::new(Table::load);
    TABLE.get(ch)
}

/// A flat table for the plane where nearly all are, a sorted list for the others.
struct Table {
    near: Vec<char>,
    far: Vec<(char, char)>,
}

impl Table {
    const FIRST: usize = 0x3400;
    const LAST: usize = 0x9fff;

    fn load() -> Self {
        let mut near: Vec<char> = ('\u{3400}'..='\u{9fff}').collect();
        let mut far = Vec::new();
        let pairs = include_str!("../../data/simplified.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .flat_map(str::split_whitespace);
        for pair in pairs {
            let mut chars = pair.chars();
            let (Some(from), Some(to)) = (chars.next(), chars.next()) else { continue };
            match Self::slot(from) {
                Some(slot) => near[slot] = to,
                None => far.push((from, to)),
            }
        }
        far.sort_unstable();
        Self { near, far }
    }

    fn slot(ch: char) -> Option<usize> {
        let code = ch as usize;
        (Self::FIRST..=Self::LAST).contains(&code).then(|| code - Self::FIRST)
    }

    fn get(&self, ch: char) -> char {
        if let Some(slot) = Self::slot(ch) {
            return self.near[slot];
        }
        if (ch as usize) < Self::LAST {
            return ch;
        }
        self.far.binary_search_by_key(&ch, |pair| pair.0).map_or(ch, |at| self.far[at].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_for_everybody() {
        assert_eq!(fold_text("漁民編網"), "渔民编网");
        assert_eq!(fold_text("ＡＢＣ１２３，！"), "abc123,!");
        assert_eq!(fold_text("Rìzhào café ﬁn"), "rizhao cafe fin");
        assert_eq!(fold_text("什麼是著名的台灣"), "什么是著名的台湾");
        assert_eq!(fold_text("ガが한"), "ガが한");
        assert_eq!(fold_text("か\u{3099}"), "が");
        assert_eq!(fold_text("渔\u{200b}民\u{feff}"), "渔民");
    }

    #[test]
    fn folding_twice_is_folding_once() {
        let all: String = ('\u{20}'..'\u{33500}').filter(|c| !is_combining_mark(*c)).collect();
        let once = fold_text(&all);
        assert_eq!(fold_text(&once), once);
    }

    #[test]
    fn every_character_knows_where_it_came_from() {
        let text = "a漁ﬁe\u{301}\u{200b}。";
        let parts: Vec<(char, &str)> =
            fold(text).iter().map(|g| (g.ch, &text[g.start..g.end])).collect();
        assert_eq!(
            parts,
            [
                ('a', "a"),
                ('渔', "漁"),
                ('f', "ﬁ"),
                ('i', "ﬁ"),
                ('e', "e\u{301}\u{200b}"),
                ('。', "。")
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn ranges_are_in_order_and_on_characters(text in ".{0,60}") {
            let mut last = 0;
            for glyph in fold(&text) {
                proptest::prop_assert!(text.get(glyph.start..glyph.end).is_some());
                proptest::prop_assert!(glyph.start >= last);
                last = glyph.start;
            }
        }
    }
}
