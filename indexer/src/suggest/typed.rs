//! What is being typed: characters, pinyin, initials, Latin words, or all of them mixed.

use crate::words::{
    Class, Sound, Unit, begins_sound, fold, initials, mixed, sounds_like, spelled_so_far, units,
};

/// The most ways in which what is typed is read, and a word of several.
const MAX_WAYS: usize = 9;
const MAX_WAYS_OF_WORD: usize = 3;

/// What was typed so far.
pub(super) struct Typed {
    /// Folded, without spaces and signs.
    pub(super) key: String,
    /// The ways to read it.
    pub(super) ways: Vec<Vec<Element>>,
}

/// One character of a title, or a Latin word, as it was typed. The last one may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Element {
    Char(char),
    Sound(Sound),
    Latin(String),
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
        let units = units(&glyphs);
        for (at, unit) in units.iter().enumerate() {
            let text = unit.text(&glyphs);
            let next: Vec<Vec<Element>> = if unit.han {
                vec![text.chars().map(Element::Char).collect()]
            } else {
                let mut ways = readings_of(&text, at + 1 == units.len());
                ways.truncate(if units.len() > 1 { MAX_WAYS_OF_WORD } else { MAX_WAYS });
                ways
            };
            ways = ways
                .iter()
                .flat_map(|way| next.iter().map(move |more| [way.as_slice(), more].concat()))
                .take(MAX_WAYS)
                .collect();
        }
        ways.retain(|way| !way.is_empty());
        Self { key, ways }
    }

    /// Where `title` has what was typed, in characters; `None` when it has not.
    pub(super) fn found_in(&self, title: &str) -> Option<usize> {
        let glyphs = fold(title);
        let units = units(&glyphs);
        let meets = |way: &Vec<Element>| {
            let last = way.len() - 1;
            units.windows(way.len()).position(|window| {
                way.iter().zip(window).enumerate().all(|(at, (element, unit))| {
                    element.meets(&unit.text(&glyphs), glyphs[unit.from].read, unit, at == last)
                })
            })
        };
        self.ways.iter().filter_map(meets).min()
    }
}

impl Element {
    fn meets(&self, text: &str, read: char, unit: &Unit, last: bool) -> bool {
        match self {
            Self::Char(ch) => text.starts_with(*ch),
            Self::Latin(word) => !unit.han && (text == word || last && text.starts_with(word)),
            Self::Sound(Sound::Full(full)) if last => unit.han && begins_sound(read, full),
            Self::Sound(sound) => unit.han && sounds_like(read, sound),
        }
    }
}

/// What letters may stand for: a word, syllables, the last of which may go on when `last`, initials,
/// or a mixture.
fn readings_of(letters: &str, last: bool) -> Vec<Vec<Element>> {
    let sounds = spelled_so_far(letters, last)
        .into_iter()
        .take(2)
        .chain(mixed(letters))
        .chain(initials(letters))
        .map(|way| way.into_iter().map(Element::Sound).collect());
    let mut ways = vec![vec![Element::Latin(letters.to_owned())]];
    for way in sounds {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixtures_complete() {
        for typed in ["jianzhi教程", "jz教程", "剪zhi", "jianz", "剪纸j", "jianzh", "剪zh", "jia"]
        {
            let typed = Typed::new(typed, 40);
            assert_eq!(typed.found_in("日照剪纸教程"), Some(2), "{}", typed.key);
        }
        for typed in ["jianzhi教程", "剪zhi", "剪纸j", "jianzhik"] {
            assert_eq!(Typed::new(typed, 40).found_in("日照剪刀课程"), None, "{typed}");
        }
        assert_eq!(Typed::new("pyth", 40).found_in("学 Python 编程"), Some(1));
        assert_eq!(Typed::new("python bianc", 40).found_in("学 Python 编程"), Some(1));
        assert_eq!(Typed::new("yth", 40).found_in("学 Python 编程"), None);
    }
}
