//! The terms of a text in the index, as tantivy's tokenizers.
//!
//! - `grams`: every Han character, every pair of neighbours, every Latin word with its stem.
//!   Pairs are the net: whatever the dictionary makes of a text, a word that stands in it is
//!   found, by its pairs in order. Words are cut from the query, so adding to the dictionary
//!   needs no new index.
//! - `sounds`: the pinyin of a title: syllables, pairs of them, initials, pairs of them.
//! - `pairs`: the pinyin of a long text: pairs of syllables only.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use super::fold::{Glyph, fold};
use super::pinyin::readings;
use super::unit::{Unit, units};

/// The most readings of a character kept for a title.
const TITLE_READINGS: usize = 5;
/// The most readings of a character kept for a long text.
const TEXT_READINGS: usize = 2;

/// Which terms are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Terms {
    /// Characters, pairs, Latin words.
    Grams,
    /// The pinyin of a title.
    Sounds,
    /// The pinyin of a long text.
    Pairs,
}

impl Terms {
    /// Its name in the schema.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Grams => "grams",
            Self::Sounds => "sounds",
            Self::Pairs => "pairs",
        }
    }
}

/// The term of two syllables in a row.
pub(crate) fn pair(first: &str, second: &str) -> String {
    format!("{first}'{second}")
}

/// The term of an initial.
pub(crate) fn initial(letter: char) -> String {
    format!("={letter}")
}

/// The term of two initials in a row.
pub(crate) fn initial_pair(first: char, second: char) -> String {
    format!("={first}{second}")
}

/// The stem of an English word; `None` when it is the word itself or no such word.
pub(crate) fn stem(word: &str) -> Option<String> {
    if word.len() < 3 || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return None;
    }
    let stem = frostem::Stemmer::new(frostem::Algorithm::English).stem(word);
    (stem != word).then(|| stem.into_owned())
}

/// The letters before the digits of `python3`, when there are two at least.
pub(crate) fn name_part(word: &str) -> Option<&str> {
    let letters = word.trim_end_matches(|c: char| !c.is_alphabetic());
    let whole = letters.len() == word.len();
    (!whole && letters.chars().count() > 1 && letters.chars().all(char::is_alphabetic))
        .then_some(letters)
}

impl Tokenizer for Terms {
    type TokenStream<'a> = Row;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Row {
        let glyphs = fold(text);
        let units = units(&glyphs);
        let mut row = Row::default();
        for (at, unit) in units.iter().enumerate() {
            let next = units.get(at + 1).filter(|next| unit.joins(next));
            match self {
                Self::Grams => row.push_grams(&glyphs, unit, next),
                Self::Sounds => row.push_sounds(&glyphs, unit, next),
                Self::Pairs => row.push_pairs(&glyphs, unit, next, TEXT_READINGS),
            }
        }
        row
    }
}

/// The terms of one text: one long string and the places in it.
#[derive(Default)]
pub(crate) struct Row {
    text: String,
    places: Vec<(usize, usize)>, // end in `text`, position
    at: usize,
    token: Token,
}

impl Row {
    fn close(&mut self, unit: &Unit) {
        self.places.push((self.text.len(), unit.position));
    }

    fn push(&mut self, term: &str, unit: &Unit) {
        self.text.push_str(term);
        self.close(unit);
    }

    fn push_grams(&mut self, glyphs: &[Glyph], unit: &Unit, next: Option<&Unit>) {
        if !unit.han {
            return self.push_word(&unit.text(glyphs), unit);
        }
        self.text.push(glyphs[unit.from].ch);
        self.close(unit);
        if let Some(next) = next {
            self.text.push(glyphs[unit.from].ch);
            self.text.push(glyphs[next.from].ch);
            self.close(unit);
        }
    }

    fn push_word(&mut self, word: &str, unit: &Unit) {
        self.push(word, unit);
        if let Some(stem) = stem(word) {
            self.push(&stem, unit);
        }
        if let Some(name) = name_part(word) {
            self.push(name, unit);
        }
    }

    fn push_sounds(&mut self, glyphs: &[Glyph], unit: &Unit, next: Option<&Unit>) {
        let own = letters_of(glyphs, unit);
        for syllable in sounds_of(glyphs, unit, TITLE_READINGS) {
            self.push(syllable, unit);
        }
        for &letter in &own {
            self.push(&initial(letter), unit);
            for second in next.map(|next| letters_of(glyphs, next)).unwrap_or_default() {
                self.push(&initial_pair(letter, second), unit);
            }
        }
        self.push_pairs(glyphs, unit, next, TITLE_READINGS);
    }

    fn push_pairs(&mut self, glyphs: &[Glyph], unit: &Unit, next: Option<&Unit>, most: usize) {
        let Some(next) = next else { return };
        for first in sounds_of(glyphs, unit, most) {
            for second in sounds_of(glyphs, next, most) {
                self.text.push_str(first);
                self.text.push('\'');
                self.push(second, unit);
            }
        }
    }
}

fn sounds_of(glyphs: &[Glyph], unit: &Unit, most: usize) -> Vec<&'static str> {
    if unit.han { readings(glyphs[unit.from].read, most) } else { Vec::new() }
}

fn letters_of(glyphs: &[Glyph], unit: &Unit) -> Vec<char> {
    let mut letters: Vec<char> = sounds_of(glyphs, unit, TITLE_READINGS)
        .iter()
        .filter_map(|syllable| syllable.chars().next())
        .collect();
    letters.sort_unstable();
    letters.dedup();
    letters
}

impl TokenStream for Row {
    fn advance(&mut self) -> bool {
        let Some(&(to, position)) = self.places.get(self.at) else { return false };
        let from = self.at.checked_sub(1).map_or(0, |before| self.places[before].0);
        self.token.reset();
        self.token.text.push_str(&self.text[from..to]);
        self.token.position = position;
        self.token.offset_to = to - from;
        self.at += 1;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(mut kind: Terms, text: &str) -> Vec<(String, usize)> {
        let mut terms = Vec::new();
        kind.token_stream(text).process(&mut |token| {
            terms.push((token.text.clone(), token.position));
        });
        terms
    }

    #[test]
    fn grams_are_characters_pairs_and_words() {
        let shown: Vec<String> = terms(Terms::Grams, "漁民 Networks python3")
            .into_iter()
            .map(|(term, at)| format!("{term}@{at}"))
            .collect();
        assert_eq!(
            shown,
            ["渔@0", "渔民@0", "民@1", "networks@2", "network@2", "python3@3", "python@3"]
        );
    }

    #[test]
    fn sounds_have_syllables_and_initials() {
        let found = terms(Terms::Sounds, "日照");
        for term in ["ri", "=r", "=rz", "ri'zhao"] {
            assert!(found.contains(&(term.to_owned(), 0)), "{term} in {found:?}");
        }
        assert!(terms(Terms::Pairs, "日，照").is_empty());
    }
}
