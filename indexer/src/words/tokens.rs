//! The terms of a text in the index, as tantivy's tokenizers.
//!
//! - `grams`: every pair of neighbouring Han characters, the last one of a run, every Latin word with
//!   its stem. Pairs are the net: whatever the dictionary makes of a text, a word that stands in it
//!   is found, by its pairs in order; a single character by all pairs that it begins. Words are cut
//!   from the query, so adding to the dictionary needs no new index.
//! - `sounds`: the pinyin of a title: syllables, pairs of them; what the title begins with.
//! - `pairs`: the pinyin of a long text: pairs of syllables.
//! - `initials`: pairs of initials of a title, what it begins with.
//! - `words`: the words of a title as written, for completions.

use std::collections::HashSet;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use super::cut::Words;
use super::fold::{Glyph, fold};
use super::pinyin::readings;
use super::stop::is_stop;
use super::unit::{Unit, units};

/// What is before the term that a title begins with; no sign of a word.
const START: char = '^';
/// The most readings of a character kept for a title.
const TITLE_READINGS: usize = 2;
/// The longest word that is a completion, in characters.
const MAX_WORD_CHARS: usize = 16;
/// The most readings of a character kept for a long text.
const TEXT_READINGS: usize = 2;

/// Which terms are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Terms {
    /// Pairs of characters, Latin words.
    Grams,
    /// The pinyin of a title.
    Sounds,
    /// The pinyin of a long text.
    Pairs,
    /// The initials of a title.
    Initials,
    /// The words of a title.
    Words,
}

impl Terms {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Grams, Self::Sounds, Self::Pairs, Self::Initials, Self::Words];

    /// Its name in the schema.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Grams => "grams",
            Self::Sounds => "title_sounds",
            Self::Pairs => "text_sounds",
            Self::Initials => "initials",
            Self::Words => "words",
        }
    }
}

/// The term of two syllables in a row.
pub(crate) fn pair(first: &str, second: &str) -> String {
    format!("{first}'{second}")
}

/// The term of two initials in a row.
pub(crate) fn initial_pair(first: char, second: char) -> String {
    [first, second].iter().collect()
}

/// The term of what a title begins with.
pub(crate) fn start(term: &str) -> String {
    format!("{START}{term}")
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

/// Makes terms of texts.
#[derive(Clone)]
pub(crate) struct Cutter {
    terms: Terms,
    words: Words,
}

impl Cutter {
    /// A cutter that knows `words`.
    pub(crate) fn new(terms: Terms, words: Words) -> Self {
        Self { terms, words }
    }
}

impl Tokenizer for Cutter {
    type TokenStream<'a> = Row;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Row {
        let glyphs = fold(text);
        let units = units(&glyphs);
        let mut row = Row::default();
        if self.terms == Terms::Words {
            row.push_words(text, &glyphs, &units, &self.words);
            return row;
        }
        for (at, unit) in units.iter().enumerate() {
            let next = units.get(at + 1).filter(|next| unit.joins(next));
            match self.terms {
                Terms::Sounds => row.push_sounds(&glyphs, unit, next, at == 0),
                Terms::Pairs => row.push_pairs(&glyphs, unit, next, TEXT_READINGS),
                Terms::Initials => row.push_initials(&glyphs, unit, next, at == 0),
                Terms::Grams | Terms::Words => row.push_grams(&glyphs, unit, next),
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
        self.text.extend(next.map(|next| glyphs[next.from].ch));
        self.close(unit);
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

    fn push_sounds(&mut self, glyphs: &[Glyph], unit: &Unit, next: Option<&Unit>, first: bool) {
        if first {
            self.push(&start(&unit.text(glyphs)), unit);
        }
        for syllable in sounds_of(glyphs, unit, TITLE_READINGS) {
            if first {
                self.push(&start(syllable), unit);
            }
            self.push(syllable, unit);
        }
        self.push_pairs(glyphs, unit, next, TITLE_READINGS);
    }

    fn push_initials(&mut self, glyphs: &[Glyph], unit: &Unit, next: Option<&Unit>, first: bool) {
        for letter in letters_of(glyphs, unit) {
            if first {
                self.push(&initial_pair(START, letter), unit);
            }
            for second in next.map(|next| letters_of(glyphs, next)).unwrap_or_default() {
                self.push(&initial_pair(letter, second), unit);
            }
        }
    }

    /// Of two rare readings nobody thinks at once.
    fn push_pairs(&mut self, glyphs: &[Glyph], unit: &Unit, next: Option<&Unit>, most: usize) {
        let Some(next) = next else { return };
        let seconds = sounds_of(glyphs, next, most);
        for (rank, first) in sounds_of(glyphs, unit, most).into_iter().enumerate() {
            let seconds = if rank == 0 { &seconds[..] } else { &seconds[..seconds.len().min(1)] };
            for second in seconds {
                self.text.push_str(first);
                self.text.push('\'');
                self.push(second, unit);
            }
        }
    }

    /// Words of two characters at least, each once.
    fn push_words(&mut self, text: &str, glyphs: &[Glyph], units: &[Unit], words: &Words) {
        let mut seen = HashSet::new();
        for (from, to) in words.spans(glyphs, units) {
            let (first, last) = (&units[from], &units[to - 1]);
            let folded = glyphs[first.from..last.to].iter().map(|glyph| glyph.ch);
            let folded: String = folded.filter(|ch| ch.is_alphanumeric()).collect();
            let shown = &text[glyphs[first.from].start..glyphs[last.to - 1].end];
            let fits = (2..=MAX_WORD_CHARS).contains(&folded.chars().count());
            if fits && !is_stop(&folded) && seen.insert(folded) {
                self.push(shown, first);
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

    fn terms(kind: Terms, text: &str) -> Vec<(String, usize)> {
        let mut terms = Vec::new();
        let mut cutter = Cutter::new(kind, Words::new(""));
        cutter.token_stream(text).process(&mut |token| {
            terms.push((token.text.clone(), token.position));
        });
        terms
    }

    fn shown(kind: Terms, text: &str) -> Vec<String> {
        terms(kind, text).into_iter().map(|(term, at)| format!("{term}@{at}")).collect()
    }

    #[test]
    fn grams_are_pairs_and_words() {
        assert_eq!(
            shown(Terms::Grams, "漁民 Networks python3"),
            ["渔民@0", "民@1", "networks@2", "network@2", "python3@3", "python@3"]
        );
    }

    #[test]
    fn sounds_have_syllables_and_initials() {
        assert_eq!(
            shown(Terms::Sounds, "日照x"),
            ["^日@0", "^ri@0", "ri@0", "ri'zhao@0", "zhao@1"]
        );
        assert_eq!(shown(Terms::Pairs, "日照x"), ["ri'zhao@0"]);
        assert_eq!(shown(Terms::Pairs, "日，照"), Vec::<String>::new());
        assert_eq!(shown(Terms::Initials, "日照"), ["^r@0", "rz@0"]);
    }

    #[test]
    fn words_are_as_written() {
        assert_eq!(shown(Terms::Words, "漁民的 Python3 入門"), ["漁民@0", "Python3@3", "入門@4"]);
    }
}
