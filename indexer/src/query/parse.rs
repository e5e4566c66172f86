//! What was typed, as clauses: words, `"phrases"`, `-these` not, `author:these`.

use crate::words::{Class, Glyph, fold};

/// One piece of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clause {
    /// What it says, folded.
    pub(crate) glyphs: Vec<Glyph>,
    /// Whether it stood in quotes.
    pub(crate) quoted: bool,
    /// Whether it had a minus sign before it.
    pub(crate) negative: bool,
    /// Where alone it is looked for.
    pub(crate) within: Option<Within>,
}

/// A part of a resource that is named in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    /// `标题:`, `title:`
    Title,
    /// `作者:`, `author:`
    Author,
}

/// The names of parts, folded.
const NAMES: [(&str, Within); 6] = [
    ("标题", Within::Title),
    ("题名", Within::Title),
    ("title", Within::Title),
    ("作者", Within::Author),
    ("主讲", Within::Author),
    ("author", Within::Author),
];

/// Parses anything. A quote that is never closed reaches to the end.
pub(crate) fn parse(text: &str) -> Vec<Clause> {
    let glyphs = fold(text);
    let mut clauses = Vec::new();
    let mut at = 0;
    while at < glyphs.len() {
        if glyphs[at].class == Class::Space {
            at += 1;
            continue;
        }
        let negative = is_minus(&glyphs, at);
        let from = at + usize::from(negative);
        let (within, from) = named(&glyphs, from);
        let quoted = is_quote(glyphs[from]);
        let (from, to) = if quoted {
            (from + 1, end(&glyphs, from + 1, is_quote))
        } else {
            (from, end(&glyphs, from, |g| g.class == Class::Space || is_quote(g)))
        };
        let said = glyphs[from..to].to_vec();
        if said.iter().any(|glyph| matches!(glyph.class, Class::Han | Class::Word)) {
            clauses.push(Clause { glyphs: said, quoted, negative, within });
        }
        at = if quoted { to + 1 } else { to };
    }
    clauses
}

/// The part that is named at `at`, and where what is looked for in it begins.
fn named(glyphs: &[Glyph], at: usize) -> (Option<Within>, usize) {
    for (name, within) in NAMES {
        let colon = at + name.chars().count();
        let says = colon < glyphs.len()
            && glyphs[at..colon].iter().map(|glyph| glyph.ch).eq(name.chars())
            && glyphs[colon].ch == ':';
        if says && glyphs.get(colon + 1).is_some_and(|next| next.class != Class::Space) {
            return (Some(within), colon + 1);
        }
    }
    (None, at)
}

fn end(glyphs: &[Glyph], from: usize, stop: impl Fn(Glyph) -> bool) -> usize {
    glyphs[from..].iter().position(|glyph| stop(*glyph)).map_or(glyphs.len(), |at| from + at)
}

/// Whether the glyph at `at`, which begins a clause, excludes what follows.
fn is_minus(glyphs: &[Glyph], at: usize) -> bool {
    let begins = at == 0 || glyphs[at - 1].class == Class::Space;
    let followed = glyphs
        .get(at + 1)
        .is_some_and(|next| matches!(next.class, Class::Han | Class::Word) || is_quote(*next));
    matches!(glyphs[at].ch, '-' | '−' | '–') && begins && followed
}

fn is_quote(glyph: Glyph) -> bool {
    matches!(glyph.ch, '"' | '“' | '”' | '„' | '〝' | '〞')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        parse(text)
            .iter()
            .map(|clause| {
                let said: String = clause.glyphs.iter().map(|glyph| glyph.ch).collect();
                let mut minus = if clause.negative { "-" } else { "" }.to_owned();
                minus.extend(clause.within.map(|within| format!("{within:?}:")));
                if clause.quoted { format!("{minus}<{said}>") } else { format!("{minus}{said}") }
            })
            .collect()
    }

    #[test]
    fn words_phrases_and_exclusions() {
        assert_eq!(shown("太极拳 教学"), ["太极拳", "教学"]);
        assert_eq!(shown("“渔民 编网”技艺 －视频"), ["<渔民 编网>", "技艺", "-视频"]);
        assert_eq!(shown("well-known -\"not this\" -"), ["well-known", "-<not this>"]);
        assert_eq!(shown("\"never closed"), ["<never closed>"]);
        assert_eq!(shown("\"\" ？！ -- \""), Vec::<String>::new());
    }

    #[test]
    fn parts_are_named() {
        assert_eq!(shown("作者：李白 月"), ["Author:李白", "月"]);
        assert_eq!(shown("-標題:剪紙 author:\"Li Bai\""), ["-Title:剪纸", "Author:<li bai>"]);
        assert_eq!(shown("作者: 李白 作者"), ["作者:", "李白", "作者"]);
        assert_eq!(shown("比例:一"), ["比例:一"]);
    }

    proptest::proptest! {
        #[test]
        fn anything_parses(text in "[-\"“” a作者:：剪１\u{300}]{0,40}") {
            for clause in parse(&text) {
                proptest::prop_assert!(!clause.glyphs.is_empty());
            }
        }
    }
}
