//! Queries of tantivy's for phrases, words and sounds.

use std::collections::BTreeSet;

use tantivy::Term;
use tantivy::query::{BooleanQuery, PhraseQuery, Query, RegexQuery, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

use crate::schema::Fields;
use crate::words::{Glyph, Sound, fold, initial_pair, pair, units};

/// The longest phrase asked for, in terms; what is longer is found by its beginning.
const MAX_TERMS: usize = 64;

/// Terms at places: what stands together in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phrase {
    places: Vec<(usize, String)>,
    /// Characters that stand alone: they are looked for without regard to their places.
    alone: Vec<String>,
    text: String,
    han: bool,
    size: usize,
}

impl Phrase {
    /// The phrase that folded text is: pairs of Han characters, Latin words.
    pub(crate) fn of(glyphs: &[Glyph]) -> Self {
        let units = units(glyphs);
        let first = units.first().map_or(0, |unit| unit.position);
        let mut places: Vec<(usize, String)> = Vec::new();
        let mut alone = Vec::new();
        let mut covered = 0; // units before this one are in a pair already
        for (at, unit) in units.iter().enumerate() {
            let next = units.get(at + 1).filter(|next| unit.joins(next));
            let last_pair =
                units.get(at + 2).is_none_or(|after| next.is_none_or(|n| !n.joins(after)));
            if at < covered && !(next.is_some() && last_pair) {
                continue;
            }
            let mut text = unit.text(glyphs);
            if let Some(next) = next {
                text.push_str(&next.text(glyphs));
                covered = at + 2;
            } else if at < covered {
                continue;
            } else if unit.han {
                alone.push(text);
                continue;
            }
            places.push((unit.position - first, text));
        }
        places.truncate(MAX_TERMS);
        alone.truncate(MAX_TERMS);
        let text = glyphs.iter().map(|glyph| glyph.ch).collect();
        Self { places, alone, text, han: units.iter().all(|unit| unit.han), size: units.len() }
    }

    /// The phrase that `text` is.
    pub(crate) fn of_text(text: &str) -> Self {
        Self::of(&fold(text))
    }

    /// One Latin word or stem, as it is.
    pub(crate) fn of_word(word: &str) -> Self {
        let places = vec![(0, word.to_owned())];
        Self { places, alone: Vec::new(), text: word.to_owned(), han: false, size: 1 }
    }

    /// Its terms, but for characters that stand alone.
    pub(crate) fn terms(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|(_, term)| term.as_str())
    }

    /// What it says, folded.
    pub(crate) fn text(&self) -> String {
        self.text.clone()
    }

    /// Whether it is Han characters only.
    pub(crate) fn is_han(&self) -> bool {
        self.han
    }

    /// How many characters and words it has.
    pub(crate) fn len(&self) -> usize {
        self.size
    }
}

/// Asks for one term.
pub(crate) fn term(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::WithFreqs))
}

/// Asks for a phrase, in titles or in texts; `None` for an empty one.
pub(crate) fn phrase(fields: &Fields, title: bool, phrase: &Phrase) -> Option<Box<dyn Query>> {
    let field = if title { fields.title } else { fields.text };
    let alone = phrase.alone.iter().filter_map(|character| character_query(field, character));
    let mut asked: Vec<_> = at_places(field, &phrase.places).into_iter().chain(alone).collect();
    match asked.len() {
        0 | 1 => asked.pop(),
        _ => Some(all(asked.into_iter())),
    }
}

/// Asks for all terms of a phrase in a field that keeps no places; `None` for an empty one.
pub(crate) fn unplaced(field: Field, phrase: &Phrase) -> Option<Box<dyn Query>> {
    let alone = phrase.alone.iter().filter_map(|character| character_query(field, character));
    let asked: Vec<_> = phrase.terms().map(|text| term(field, text)).chain(alone).collect();
    (!asked.is_empty()).then(|| all(asked.into_iter()))
}

/// Asks for a character: alone at the end of a run, or as the first of any pair.
fn character_query(field: Field, character: &str) -> Option<Box<dyn Query>> {
    // No sign of an expression, for it is a Han character.
    let query = RegexQuery::from_pattern(&format!("{character}.?"), field).ok()?;
    Some(Box::new(query))
}

/// Asks for all of `queries` in one document.
pub(crate) fn all(queries: impl Iterator<Item = Box<dyn Query>>) -> Box<dyn Query> {
    Box::new(BooleanQuery::intersection(queries.collect()))
}

/// Asks for `sounds` in a title: initials stand in a row; syllables are all there, as pairs where
/// two are together, which in a title is nearly always the same.
pub(crate) fn title_sounds(fields: &Fields, sounds: &[Sound]) -> Option<Box<dyn Query>> {
    let full = |sound: &Sound| matches!(sound, Sound::Full(_));
    // Each once: of a term that is asked for twice tantivy finds nothing.
    let mut texts = BTreeSet::new();
    for run in sounds.chunk_by(|a, b| full(a) && full(b)).take(MAX_TERMS) {
        match run {
            [Sound::Full(one)] => drop(texts.insert(one.clone())),
            _ => texts.extend(
                pairs(run).into_iter().flatten().map(|(first, second)| pair(first, second)),
            ),
        }
    }
    let mut asked: Vec<_> = texts.iter().map(|text| term(fields.title_sounds, text)).collect();
    if !sounds.iter().all(full) {
        let initials: Vec<char> = sounds.iter().filter_map(Sound::initial).collect();
        let places: Vec<(usize, String)> = initials
            .windows(2)
            .enumerate()
            .map(|(at, two)| (at, initial_pair(two[0], two[1])))
            .take(MAX_TERMS)
            .collect();
        asked.extend(at_places(fields.title_initials, &places));
    }
    match asked.len() {
        0 | 1 => asked.pop(),
        _ => Some(all(asked.into_iter())),
    }
}

/// `sounds` as pairs of whole syllables; `None` when there is none or an initial among them.
pub(crate) fn pairs(sounds: &[Sound]) -> Option<Vec<(&str, &str)>> {
    let pairs: Option<Vec<_>> = sounds
        .windows(2)
        .map(|two| match two {
            [Sound::Full(first), Sound::Full(second)] => Some((first.as_str(), second.as_str())),
            _ => None,
        })
        .collect();
    pairs.filter(|pairs| !pairs.is_empty())
}

fn at_places(field: Field, places: &[(usize, String)]) -> Option<Box<dyn Query>> {
    match places {
        [] => None,
        [(_, text)] => Some(term(field, text)),
        _ => {
            let terms =
                places.iter().map(|(at, text)| (*at, Term::from_field_text(field, text))).collect();
            Some(Box::new(PhraseQuery::new_with_offset(terms)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<(usize, String)> {
        Phrase::of_text(text).places
    }

    fn owned(places: &[(usize, &str)]) -> Vec<(usize, String)> {
        places.iter().map(|(at, text)| (*at, (*text).to_owned())).collect()
    }

    #[test]
    fn phrases_cover_every_character_with_few_pairs() {
        assert_eq!(places("剪"), []);
        assert_eq!(Phrase::of_text("剪").alone, ["剪"]);
        assert_eq!(places("剪纸"), owned(&[(0, "剪纸")]));
        assert_eq!(places("太极拳"), owned(&[(0, "太极"), (1, "极拳")]));
        assert_eq!(places("社区教育"), owned(&[(0, "社区"), (2, "教育")]));
        assert_eq!(places("课程资源库"), owned(&[(0, "课程"), (2, "资源"), (3, "源库")]));
        assert_eq!(places("3d打印"), owned(&[(0, "3d"), (1, "打印")]));
        assert_eq!(places("学，剪纸"), owned(&[(2, "剪纸")]));
        assert_eq!(Phrase::of_text("学，剪纸").alone, ["学"]);
    }
}
