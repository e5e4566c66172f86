//! What is being typed: characters, pinyin, initials, or all of them mixed.

use crate::words::{Class, Sound, fold, initials, mixed, readings, sounds_like, syllables, units};

/// What was typed so far.
pub(super) struct Typed {
    /// Folded, without spaces and signs: the prefix of a key, if it is not mixed.
    pub(super) key: String,
    /// For what is mixed: initials that the title must have in a row.
    pub(super) initials: Vec<String>,
    ways: Vec<Vec<Element>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Element {
    Char(char),
    Sound(Sound),
}

impl Typed {
    /// Reads at most `most` characters of `text`.
    pub(super) fn new(text: &str, most: usize) -> Self {
        let mut glyphs = fold(text);
        glyphs.truncate(most);
        let key = glyphs
            .iter()
            .filter(|glyph| matches!(glyph.class, Class::Han | Class::Word))
            .map(|glyph| glyph.ch)
            .collect();
        let mut ways: Vec<Vec<Element>> = vec![Vec::new()];
        for unit in units(&glyphs) {
            let text = unit.text(&glyphs);
            let next: Vec<Vec<Element>> = if unit.han {
                vec![text.chars().map(Element::Char).collect()]
            } else {
                spellings(&text)
            };
            ways = ways
                .iter()
                .flat_map(|way| next.iter().map(move |more| [way.as_slice(), more].concat()))
                .take(4)
                .collect();
        }
        ways.retain(|way| way.len() > 1);
        let mut initials: Vec<String> = ways.iter().filter_map(|way| initials_of(way)).collect();
        initials.dedup();
        Self { key, initials, ways }
    }

    /// Whether `title` has what was typed, from one of its characters on.
    pub(super) fn completes_to(&self, title: &str) -> bool {
        let glyphs = fold(title);
        let units = units(&glyphs);
        let chars: Vec<_> = units.iter().map(|unit| (unit.han, glyphs[unit.from])).collect();
        self.ways.iter().any(|way| {
            chars.windows(way.len()).any(|window| {
                way.iter().zip(window).all(|(element, (han, glyph))| match element {
                    Element::Char(ch) => glyph.ch == *ch,
                    Element::Sound(sound) => *han && sounds_like(glyph.read, sound),
                })
            })
        })
    }
}

fn spellings(letters: &str) -> Vec<Vec<Element>> {
    let whole = syllables(letters).into_iter().take(2);
    let ways = whole.chain(mixed(letters)).chain(initials(letters));
    let mut ways: Vec<Vec<Element>> =
        ways.map(|way| way.into_iter().map(Element::Sound).collect()).collect();
    if let (true, Some(letter)) = (letters.len() == 1, letters.chars().next()) {
        ways.push(vec![Element::Sound(Sound::Initial(letter))]);
    }
    ways
}

/// The initials of `way`; `None` when a character has no reading.
fn initials_of(way: &[Element]) -> Option<String> {
    way.iter()
        .map(|element| match element {
            Element::Char(ch) => readings(*ch, 1).first()?.chars().next(),
            Element::Sound(Sound::Full(syllable)) => syllable.chars().next(),
            Element::Sound(Sound::Initial(letter)) => Some(*letter),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixtures_complete() {
        for typed in ["jianzhi教程", "jz教程", "剪zhi", "jianz", "剪纸j"] {
            let typed = Typed::new(typed, 40);
            assert!(typed.completes_to("日照剪纸教程"), "{}", typed.key);
            assert!(!typed.completes_to("日照剪刀课程"), "{}", typed.key);
        }
        assert_eq!(Typed::new("jianzhi教程", 40).initials[0], "jzjc");
    }
}
