//! What may have been meant by words that are nowhere.

use std::sync::Arc;

use tantivy::Term;

use super::completions::Completions;
use crate::schema::Fields;
use crate::view::View;
use crate::words::{Unit, Words, fold, readings, units};

/// The shortest Latin word that may be mistyped, in letters.
const MIN_LETTERS: usize = 4;
/// The longest one.
const MAX_LETTERS: usize = 20;

/// `text` with the words that are nowhere replaced by words of titles; `None` when there is nothing
/// to replace them by.
pub(crate) fn did_you_mean(
    view: &Arc<View>,
    fields: &Fields,
    words: &Words,
    completions: &Completions,
    text: &str,
) -> tantivy::Result<Option<String>> {
    completions.refresh(view, fields)?;
    let glyphs = fold(text);
    let units = units(&glyphs);
    let mut meant = String::new();
    let (mut changed, mut end) = (false, 0);
    for (from, to) in joined(&words.spans(&glyphs, &units), &units) {
        let (first, last) = (units[from].from, units[to - 1].to);
        meant.extend(glyphs[end..first].iter().map(|glyph| glyph.ch));
        end = last;
        let word: String = glyphs[first..last].iter().map(|glyph| glyph.ch).collect();
        let spellings = if is_known(view, fields, &word)? { Vec::new() } else { alike(&word) };
        match completions.best_of(view, fields, &spellings)? {
            Some(better) if better != word => {
                meant.push_str(&better);
                changed = true;
            }
            _ => meant.push_str(&word),
        }
    }
    meant.extend(glyphs[end..].iter().map(|glyph| glyph.ch));
    Ok(changed.then_some(meant))
}

/// Words with single characters in a row made one: that is what a wrong character leaves.
fn joined(spans: &[(usize, usize)], units: &[Unit]) -> Vec<(usize, usize)> {
    let single = |(from, to): &(usize, usize)| to - from == 1 && units[*from].han;
    let runs = spans.chunk_by(|a, b| single(a) && single(b) && a.1 == b.0);
    runs.filter_map(|run| Some((run.first()?.0, run.last()?.1))).collect()
}

/// How a word that is nowhere may be spelled: as it is read, or with one letter changed.
fn alike(word: &str) -> Vec<String> {
    let letters = word.bytes().all(|byte| byte.is_ascii_lowercase());
    if letters {
        let fits = (MIN_LETTERS..=MAX_LETTERS).contains(&word.len());
        return if fits { one_letter_off(word) } else { Vec::new() };
    }
    let read: Option<String> =
        word.chars().map(|ch| readings(ch, 1).first().copied()).collect::<Option<String>>();
    read.filter(|_| word.chars().count() > 1).into_iter().collect()
}

/// `word` with one letter left out, put in, changed, or two that change places.
fn one_letter_off(word: &str) -> Vec<String> {
    let mut all = Vec::new();
    for at in 0..=word.len() {
        let (head, tail) = word.split_at(at);
        let rest = tail.get(1..).unwrap_or_default();
        for letter in 'a'..='z' {
            all.push(format!("{head}{letter}{tail}"));
            if !tail.is_empty() {
                all.push(format!("{head}{letter}{rest}"));
            }
        }
        if !tail.is_empty() {
            all.push(format!("{head}{rest}"));
        }
        if let (Some(first), Some(second)) = (tail.get(..1), tail.get(1..2)) {
            all.push(format!("{head}{second}{first}{}", &tail[2..]));
        }
    }
    all.retain(|other| other != word);
    all
}

/// Whether `word` is somewhere, as far as its first pair of characters tells.
fn is_known(view: &View, fields: &Fields, word: &str) -> tantivy::Result<bool> {
    let han = !word.is_ascii();
    let characters: Vec<char> = word.chars().collect();
    let terms: Vec<String> = match han {
        true if characters.len() > 1 => {
            characters.windows(2).map(|two| two.iter().collect()).collect()
        }
        true => return Ok(true),
        false => vec![word.to_owned()],
    };
    for term in terms {
        let mut found = 0;
        for field in [fields.title, fields.text] {
            found += view.searcher.doc_freq(&Term::from_field_text(field, &term))?;
        }
        if found == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}
