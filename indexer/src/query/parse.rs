//! What was typed, as clauses: words, `"phrases"`, and `-these` not.

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
}

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
        let quoted = is_quote(glyphs[from]);
        let (from, to) = if quoted {
            (from + 1, end(&glyphs, from + 1, is_quote))
        } else {
            (from, end(&glyphs, from, |g| g.class == Class::Space || is_quote(g)))
        };
        let said = glyphs[from..to].to_vec();
        if said.iter().any(|glyph| matches!(glyph.class, Class::Han | Class::Word)) {
            clauses.push(Clause { glyphs: said, quoted, negative });
        }
        at = if quoted { to + 1 } else { to };
    }
    clauses
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
                let minus = if clause.negative { "-" } else { "" };
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

    proptest::proptest! {
        #[test]
        fn anything_parses(text in "[-\"“” a剪１\u{300}]{0,40}") {
            for clause in parse(&text) {
                proptest::prop_assert!(!clause.glyphs.is_empty());
            }
        }
    }
}
