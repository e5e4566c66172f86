//! The keys under which a title is suggested.
//!
//! A title has keys from its beginning and from the beginning of each of its words, each in
//! characters, in pinyin and in initials. They are terms of the index: the term dictionary is a
//! finite-state map in a mapped file, so nothing is built or held in memory for them, and they
//! change with each commit as all else does.

use std::collections::BTreeSet;

use crate::words::{Unit, Words, fold, is_stop, readings, units};

/// What begins the key of a whole title, of a title from a word within, and of a word.
pub(super) const TITLE: char = '0';
pub(super) const WITHIN: char = '1';
pub(super) const WORD: char = 'w';
/// What is between the key of a word and the word.
pub(super) const WORD_END: char = '\u{1}';

/// The longest key, in characters or syllables.
const MAX_UNITS: usize = 24;
/// The most places of a title from which it is suggested.
const MAX_STARTS: usize = 12;
/// The most pinyin spellings of a key: characters have several readings.
const MAX_SPELLINGS: usize = 4;

/// The keys of `title`.
pub(crate) fn keys(title: &str, words: &Words) -> BTreeSet<String> {
    let glyphs = fold(title);
    let units = units(&glyphs);
    let row: Vec<Piece> = units
        .iter()
        .map(|unit| Piece {
            text: unit.text(&glyphs),
            read: unit.han.then(|| glyphs[unit.from].read),
        })
        .collect();
    let mut keys = BTreeSet::new();
    for (start, end) in spans(&units, &row, words).into_iter().take(MAX_STARTS) {
        let zone = if start == 0 { TITLE } else { WITHIN };
        for spelling in spellings(&row[start..row.len().min(start + MAX_UNITS)]) {
            keys.insert(format!("{zone}{spelling}"));
        }
        let word: String = row[start..end].iter().map(|piece| piece.text.as_str()).collect();
        if word.chars().count() > 1 && !is_stop(&word) {
            let shown = &title[glyphs[units[start].from].start..glyphs[units[end - 1].to - 1].end];
            for spelling in spellings(&row[start..end]) {
                keys.insert(format!("{WORD}{spelling}{WORD_END}{shown}"));
            }
        }
    }
    keys
}

/// A Han character or a Latin word of a title.
struct Piece {
    text: String,
    read: Option<char>,
}

/// The words of a title, as ranges of its units.
fn spans(units: &[Unit], row: &[Piece], words: &Words) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    let mut start = 0;
    for run in units.chunk_by(Unit::joins) {
        let text: String =
            row[start..start + run.len()].iter().map(|piece| piece.text.as_str()).collect();
        let end = start + run.len();
        if run[0].han {
            for word in words.cut(&text) {
                let size = word.chars().count().min(end - start);
                spans.push((start, start + size));
                start += size;
            }
        } else {
            spans.push((start, end));
        }
        start = end;
    }
    spans.retain(|(from, to)| from < to);
    spans
}

/// A row in characters, in pinyin and in initials.
fn spellings(row: &[Piece]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    all.insert(row.iter().map(|piece| piece.text.as_str()).collect());
    let mut spelled: Vec<(String, String)> = vec![(String::new(), String::new())];
    for piece in row {
        let sounds = piece.read.map(|read| readings(read, 2)).unwrap_or_default();
        let sounds = if sounds.is_empty() { vec![piece.text.as_str()] } else { sounds };
        let mut next = Vec::with_capacity(MAX_SPELLINGS);
        // The commonest reading of all goes on first, so that rare ones are what is dropped.
        for sound in sounds {
            for (full, first) in &spelled {
                if next.len() < MAX_SPELLINGS {
                    let initial: String = sound.chars().take(1).collect();
                    next.push((format!("{full}{sound}"), format!("{first}{initial}")));
                }
            }
        }
        spelled = next;
    }
    for (full, first) in spelled {
        all.insert(full);
        if row.len() > 1 {
            all.insert(first);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_has_keys_from_each_word() {
        let keys = keys("二十四式太极拳入门", &Words::new(""));
        for key in [
            "0二十四式太极拳入门",
            "0ershisishitaijiquanrumen",
            "0essstjqrm",
            "1太极拳入门",
            "1taijiquanrumen",
            "1tjqrm",
            "wtjq\u{1}太极拳",
            "w太极拳\u{1}太极拳",
        ] {
            assert!(keys.contains(key), "{key} in {keys:?}");
        }
    }

    #[test]
    fn words_are_shown_as_written() {
        let keys = keys("漁民 Python3 入門", &Words::new(""));
        assert!(keys.contains("wyumin\u{1}漁民"), "{keys:?}");
        assert!(keys.contains("wpython3\u{1}Python3"), "{keys:?}");
    }
}
