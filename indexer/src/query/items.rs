//! The pieces of what was typed: runs of Han characters and Latin words.

use super::parse::Clause;
use crate::words::{Sound, Unit, elsewhere, initials, mixed, syllables, units};

/// The most syllables typed apart that are taken together.
const MAX_SPELLED: usize = 30;

/// One piece of the query in order: a run of Han characters or a Latin word.
pub(super) enum Item {
    /// Han characters.
    Run(String),
    /// Letters and digits.
    Latin(String),
}

/// The runs and Latin words of an unquoted clause; pinyin in one, however long.
pub(super) fn items_of(clause: &Clause) -> Vec<Item> {
    let units = units(&clause.glyphs);
    units
        .chunk_by(|a, b| a.joins(b) || is_cut(a, b))
        .flat_map(|run| {
            let texts = || run.iter().map(|unit| unit.text(&clause.glyphs));
            let whole: String = texts().collect();
            match run[0].han {
                true => vec![Item::Run(whole)],
                false if run.len() == 1 || !syllables(&whole).is_empty() => {
                    vec![Item::Latin(whole)]
                }
                false => texts().map(Item::Latin).collect(),
            }
        })
        .collect()
}

/// Whether two units are one long Latin word, as the pinyin of a title is.
fn is_cut(first: &Unit, second: &Unit) -> bool {
    !first.han && !second.han && first.to == second.from
}

/// The Latin words at the beginning of `items` that are a syllable each.
pub(super) fn spelled(items: &[Item]) -> Vec<&str> {
    items
        .iter()
        .map_while(|item| match item {
            Item::Latin(word) if syllables(word).first().is_some_and(|cut| cut.len() == 1) => {
                Some(word.as_str())
            }
            _ => None,
        })
        .take(MAX_SPELLED)
        .collect()
}

/// What a Latin word may spell.
pub(super) fn spellings_of(word: &str) -> Vec<Vec<Sound>> {
    let whole = syllables(word);
    if !whole.is_empty() {
        return whole;
    }
    initials(word).into_iter().chain(mixed(word)).collect()
}

/// Joins pieces that together are a name known elsewhere by another.
pub(super) fn name_spans(cut: &[String]) -> Vec<String> {
    let mut joined = Vec::with_capacity(cut.len());
    let mut at = 0;
    while at < cut.len() {
        let span = (2..=4.min(cut.len() - at))
            .rev()
            .find(|span| !elsewhere(&cut[at..at + span].concat()).is_empty())
            .unwrap_or(1);
        joined.push(cut[at..at + span].concat());
        at += span;
    }
    joined
}
