//! The words of titles, by what is typed to have them completed: characters, pinyin, initials.
//!
//! A finite-state map in memory, built from the index's dictionary of title words: some 10 bytes a
//! spelling. It follows the index after a while, for it only orders what is proposed; what it
//! proposes is looked up.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tantivy::Term;
use tantivy::schema::IndexRecordOption;
use tantivy_fst::{IntoStreamer, Map, MapBuilder, Streamer};

use crate::schema::Fields;
use crate::view::{View, alive};
use crate::words::{fold, readings, units};

/// What is between a spelling and its word.
const END: char = '\u{1}';
/// The most pinyin spellings of a word: characters have several readings.
const MAX_SPELLINGS: usize = 4;
/// How many words are kept at hand for what has one or two letters.
const AT_HAND: usize = 24;
/// The most spellings looked through for what is longer.
const MAX_SCANNED: usize = 5_000;
/// An index of so many documents is read at once, a larger one in the background.
const SMALL: u64 = 2_000;
/// In an index of so many documents words of one title are known too, for what was meant.
const EVERY: u64 = 200_000;
/// How many times as long as it takes passes before it is done again.
const PAUSE: u32 = 20;

/// The words that typing may complete to.
#[derive(Default)]
pub(crate) struct Completions {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    words: Arc<Spellings>,
    /// The generation of the view that it was built from.
    built_from: Option<u64>,
    building: bool,
    /// When it was built and how long that took.
    last: Option<(Instant, Duration)>,
}

#[derive(Default)]
struct Spellings {
    all: Option<Map<Vec<u8>>>,
    at_hand: HashMap<String, Vec<(u64, String)>>,
}

impl Completions {
    /// Words of several titles that begin with `key`, however spelled, the most frequent first, at
    /// most `most`.
    pub(super) fn words(
        &self,
        view: &Arc<View>,
        fields: &Fields,
        key: &str,
        most: usize,
    ) -> tantivy::Result<Vec<String>> {
        self.refresh(view, fields)?;
        let words = Arc::clone(&self.lock().words);
        let mut found = Vec::new();
        for (_, word) in words.beginning_with(key) {
            if found.len() == most {
                break;
            }
            // What was withdrawn since must not be shown.
            if is_in(view, fields, &word, 2)? {
                found.push(word);
            }
        }
        Ok(found)
    }

    /// The most frequent word of titles that has one of `spellings`.
    pub(super) fn best_of(
        &self,
        view: &View,
        fields: &Fields,
        spellings: &[String],
    ) -> tantivy::Result<Option<String>> {
        let words = Arc::clone(&self.lock().words);
        let mut found = Vec::new();
        for spelling in spellings {
            words.scan(&format!("{spelling}{END}"), |word, count| {
                found.push((count, word.to_owned()));
                ControlFlow::Continue(())
            });
        }
        found.sort_unstable_by(by_worth);
        for (_, word) in found {
            if is_in(view, fields, &word, 1)? {
                return Ok(Some(word));
            }
        }
        Ok(None)
    }

    /// Whether what is typed completes to the words of `view`, not to those of an earlier one.
    pub(crate) fn follow(&self, view: &View) -> bool {
        self.lock().built_from == Some(view.searcher.generation().generation_id())
    }

    /// Has what is typed complete to the words of `view`, at once when there are few.
    pub(crate) fn refresh(&self, view: &Arc<View>, fields: &Fields) -> tantivy::Result<()> {
        let generation = view.searcher.generation().generation_id();
        let mut state = self.lock();
        let early = state.last.is_some_and(|(when, took)| when.elapsed() < took * PAUSE);
        if state.built_from == Some(generation) {
            return Ok(());
        }
        if view.documents <= SMALL {
            state.words = Arc::new(Spellings::read(view, fields)?);
            state.built_from = Some(generation);
            return Ok(());
        }
        if state.building || early {
            return Ok(());
        }
        state.building = true;
        drop(state);
        let (state, view, fields) = (Arc::clone(&self.state), Arc::clone(view), fields.clone());
        let build = move || {
            let begun = Instant::now();
            let words = Spellings::read(&view, &fields);
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            if let Ok(words) = words {
                state.words = Arc::new(words);
                state.built_from = Some(generation);
            }
            state.building = false;
            state.last = Some((Instant::now(), begun.elapsed()));
        };
        if thread::Builder::new().name("completions".into()).spawn(build).is_err() {
            self.lock().building = false;
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spellings {
    fn read(view: &View, fields: &Fields) -> tantivy::Result<Self> {
        let mut titles: HashMap<String, u64> = HashMap::new();
        for reader in view.searcher.segment_readers() {
            let inverted = reader.inverted_index(fields.word)?;
            let mut terms = inverted.terms().stream()?;
            while terms.advance() {
                if let Ok(word) = std::str::from_utf8(terms.key()) {
                    let count = u64::from(terms.value().doc_freq);
                    match titles.get_mut(word) {
                        Some(sum) => *sum += count,
                        None => drop(titles.insert(word.to_owned(), count)),
                    }
                }
            }
        }
        let mut keys: Vec<(String, u64)> = titles
            .into_iter()
            .filter(|(_, count)| *count > 1 || view.documents <= EVERY)
            .flat_map(|(word, count)| {
                let spelled = spellings(&word).into_iter();
                spelled.map(move |spelling| (format!("{spelling}{END}{word}"), count))
            })
            .collect();
        keys.sort_unstable();
        let mut spellings = Self { all: None, at_hand: HashMap::new() };
        let mut builder = MapBuilder::memory();
        for (key, count) in &keys {
            // Sorted and each once, so it cannot fail.
            if builder.insert(key, *count).is_err() {
                return Ok(spellings);
            }
            spellings.keep_at_hand(key, *count);
        }
        let bytes = builder.into_inner().unwrap_or_default();
        spellings.all = Map::from_bytes(bytes).ok();
        spellings.at_hand.values_mut().for_each(|words| words.sort_unstable_by(by_worth));
        Ok(spellings)
    }

    fn keep_at_hand(&mut self, key: &str, count: u64) {
        let Some((spelling, word)) = key.split_once(END) else { return };
        for size in 1..=2 {
            let Some((end, last)) = spelling.char_indices().nth(size - 1) else { return };
            let kept =
                self.at_hand.entry(spelling[..end + last.len_utf8()].to_owned()).or_default();
            if kept.iter().any(|(_, other)| other == word) {
                continue;
            }
            kept.push((count, word.to_owned()));
            if kept.len() >= 2 * AT_HAND {
                kept.sort_unstable_by(by_worth);
                kept.truncate(AT_HAND);
            }
        }
    }

    fn beginning_with(&self, key: &str) -> Vec<(u64, String)> {
        if key.chars().count() <= 2 {
            return self.at_hand.get(key).cloned().unwrap_or_default();
        }
        let mut found = Vec::new();
        self.scan(key, |word, count| {
            found.push((count, word.to_owned()));
            if found.len() < MAX_SCANNED {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        found.sort_unstable_by(by_worth);
        found.truncate(AT_HAND);
        let mut seen = HashSet::new();
        found.retain(|(_, word)| seen.insert(word.clone()));
        found
    }

    fn scan(&self, key: &str, mut visit: impl FnMut(&str, u64) -> ControlFlow<()>) {
        let Some(all) = &self.all else { return };
        let mut stream = all.range().ge(key).into_stream();
        while let Some((bytes, count)) = stream.next() {
            let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.starts_with(key))
            else {
                return;
            };
            let word = text.split_once(END).map_or("", |(_, word)| word);
            if visit(word, count).is_break() {
                return;
            }
        }
    }
}

/// The most frequent first, then the shorter.
fn by_worth(a: &(u64, String), b: &(u64, String)) -> std::cmp::Ordering {
    b.0.cmp(&a.0).then_with(|| (a.1.len(), &a.1).cmp(&(b.1.len(), &b.1)))
}

/// Whether `word` is in so many titles that are still there.
fn is_in(view: &View, fields: &Fields, word: &str, least: usize) -> tantivy::Result<bool> {
    let term = Term::from_field_text(fields.word, word);
    let mut titles = 0;
    for reader in view.searcher.segment_readers() {
        let inverted = reader.inverted_index(fields.word)?;
        if let Some(postings) = inverted.read_postings(&term, IndexRecordOption::Basic)? {
            titles += alive(reader, postings).take(least).count();
        }
        if titles >= least {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A word in characters, in pinyin and in initials.
fn spellings(word: &str) -> BTreeSet<String> {
    let glyphs = fold(word);
    let units = units(&glyphs);
    let mut all = BTreeSet::new();
    all.insert(units.iter().map(|unit| unit.text(&glyphs)).collect());
    let mut spelled: Vec<(String, String)> = vec![(String::new(), String::new())];
    for unit in &units {
        let sounds = if unit.han { readings(glyphs[unit.from].read, 2) } else { Vec::new() };
        let text = unit.text(&glyphs);
        let sounds = if sounds.is_empty() { vec![text.as_str()] } else { sounds };
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
        if units.len() > 1 {
            all.insert(first);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_spelled_in_every_way() {
        let all = spellings("太极拳");
        for spelling in ["taijiquan", "tjq", "太极拳"] {
            assert!(all.contains(spelling), "{spelling} in {all:?}");
        }
        assert!(spellings("漁民").contains("渔民"));
        assert_eq!(spellings("Python3").into_iter().collect::<Vec<_>>(), ["python3"]);
    }
}
