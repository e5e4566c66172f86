//! From clauses to words, and from each word to the ways in which it may be found.

mod run;

use std::collections::{BTreeSet, HashSet};

use tantivy::query::Query;

use super::items::{Item, items_of, spelled, spellings_of};
use super::parse::{Clause, Within};
use super::stats::Stats;
use super::terms::{self, Phrase};
use crate::highlight::Needles;
use crate::schema::Fields;
use crate::words::{Sound, Words, asks, elsewhere, is_stop, pair, readings, stem};
use crate::written::exact;

/// The most words that are looked for; a query may be 1,000 characters.
const MAX_WORDS: usize = 40;

/// How a word's pieces apart, its other names, and its pinyin count beside the word itself.
const PARTS: f32 = 0.6;
const ELSEWHERE: f32 = 0.6;
const SOUND: f32 = 0.8;
/// Pinyin when the letters are also a word that occurs: the word itself comes first.
const SOUND_OF_WORD: f32 = 0.05;

/// What is to be found.
#[derive(Default)]
pub(crate) struct Plan {
    /// The words that a resource should have, in the order typed.
    pub(crate) words: Vec<Word>,
    /// Pairs of characters across words: they only add to the score, but of a question they may
    /// be what is found.
    pub(crate) pairs: Vec<Word>,
    /// What only adds to the score: runs as they stand.
    pub(crate) runs: Vec<Run>,
    /// Whether it asks something, in so many words.
    pub(crate) asks: bool,
    /// What a resource must not have.
    pub(crate) excluded: Vec<Way>,
    /// The number of the query as a whole title.
    pub(crate) exact: Option<u64>,
    /// The numbers of its parts as whole titles: `author title`.
    pub(crate) parts: Vec<u64>,
    /// What to mark.
    pub(crate) needles: Needles,
}

/// One word and the ways to find it.
pub(crate) struct Word {
    /// What it says, folded.
    pub(crate) text: String,
    /// Any of these.
    pub(crate) ways: Vec<Way>,
    /// How much it tells: the rarer the more.
    pub(crate) weight: f32,
    /// Whether it occurs at all.
    pub(crate) known: bool,
    /// Whether nothing is found without it.
    pub(crate) must: bool,
}

/// A run of several words as it was typed.
pub(crate) struct Run {
    /// Any of these.
    pub(crate) ways: Vec<Way>,
    /// What is added where it stands.
    pub(crate) worth: f32,
}

/// One way to find a word.
pub(crate) struct Way {
    /// What tantivy is asked.
    pub(crate) query: Box<dyn Query>,
    /// How much it counts.
    pub(crate) factor: f32,
    /// Whether it looks at titles.
    pub(crate) title: bool,
    /// Whether finding it in a title counts as the title having the word.
    pub(crate) full: bool,
    /// With so many characters, a title that it finds is nothing else.
    pub(crate) size: Option<u8>,
}

/// Plans for `clauses`; `text` is what was typed. What is `heard` is looked for by its sound
/// instead of its characters.
pub(crate) fn plan(
    clauses: &[Clause],
    text: &str,
    heard: bool,
    words: &Words,
    stats: &Stats<'_>,
    fields: &Fields,
) -> tantivy::Result<Plan> {
    let asks = text.trim_end().ends_with(['?', '？']);
    let parts = parts(clauses);
    let exact = Some(exact(text).into());
    let plan = Plan { exact, parts, asks, ..Plan::default() };
    let mut planner =
        Planner { words, stats, fields, plan, heard, seen: HashSet::new(), stops: Vec::new() };
    planner.clauses(clauses)?;
    Ok(planner.plan)
}

/// The numbers of what is between spaces, when that is little, as whole titles.
fn parts(clauses: &[Clause]) -> Vec<u64> {
    let said = |clauses: &[Clause]| {
        let glyphs = clauses.iter().flat_map(|clause| &clause.glyphs);
        u64::from(exact(&glyphs.map(|glyph| glyph.ch).collect::<String>()))
    };
    match clauses.len() {
        2 => clauses.chunks(1).map(said).collect(),
        3 => clauses.chunks(1).chain(clauses.windows(2)).map(said).collect(),
        _ => Vec::new(),
    }
}

struct Planner<'a> {
    words: &'a Words,
    stats: &'a Stats<'a>,
    fields: &'a Fields,
    plan: Plan,
    heard: bool,
    seen: HashSet<String>,
    stops: Vec<String>,
}

impl Planner<'_> {
    fn clauses(&mut self, clauses: &[Clause]) -> tantivy::Result<()> {
        let mut items = Vec::new();
        for clause in clauses {
            let phrase = || Phrase::of(&clause.glyphs);
            match (clause.negative, clause.within, clause.quoted) {
                (false, None, false) => items.extend(items_of(clause)),
                (negative, within, _) => self.phrase(&phrase(), within, negative)?,
            }
        }
        self.items(&items)?;
        if self.plan.words.is_empty() {
            for stop in std::mem::take(&mut self.stops) {
                self.han(&stop)?;
            }
        }
        Ok(())
    }

    fn items(&mut self, items: &[Item]) -> tantivy::Result<()> {
        let mut at = 0_usize;
        while at < items.len() {
            let spelled = spelled(&items[at..]);
            match &items[at] {
                _ if spelled.len() > 1 => self.spelled(&spelled)?,
                Item::Run(run) => self.run(run)?,
                Item::Latin(word) => self.latin(word)?,
            }
            at += spelled.len().max(1);
        }
        Ok(())
    }

    /// A word of Han characters, required.
    fn han(&mut self, word: &str) -> tantivy::Result<()> {
        if !self.admits(word) {
            return Ok(());
        }
        if self.heard
            && let Some(sounds) = sounds_of(word)
        {
            return self.heard(word, &sounds);
        }
        self.plan.needles.add_han(word);
        let phrase = Phrase::of_text(word);
        let mut ways = self.ways(&phrase, self.share(&phrase)?);
        let mut frequency = self.rarest(&phrase)?;
        let parts = if phrase.len() > 2 { self.words.parts(word) } else { Vec::new() };
        if parts.len() > 1 {
            let parts: Vec<Phrase> = parts.iter().map(|part| Phrase::of_text(part)).collect();
            let (mut rarest, mut sum) = (u64::MAX, 0.0);
            for part in &parts {
                self.plan.needles.add_han(&part.text());
                rarest = rarest.min(self.rarest(part)?);
                sum += self.weights(part)?.1;
            }
            frequency = frequency.max(rarest);
            let weight = self.stats.weight(rarest);
            let factor = PARTS * weight / sum.max(weight);
            for title in [true, false] {
                let parts = parts.iter().filter_map(|part| terms::phrase(self.fields, title, part));
                ways.push(Way { query: terms::all(parts), factor, title, full: true, size: None });
            }
        }
        frequency = frequency.max(self.other_names(word, &mut ways)?);
        self.push(word, ways, frequency);
        Ok(())
    }

    /// Adds the ways to find what `word` is also called, and gives how many documents may have them.
    fn other_names(&mut self, word: &str, ways: &mut Vec<Way>) -> tantivy::Result<u64> {
        let mut frequency = 0;
        let others = elsewhere(word).iter().copied();
        for other in others.chain(self.words.synonyms(word).iter().map(String::as_str)) {
            let phrase = Phrase::of_text(other);
            self.plan.needles.add_phrase(&phrase.text(), phrase.is_han());
            frequency = frequency.max(self.rarest(&phrase)?);
            ways.extend(self.ways(&phrase, ELSEWHERE * self.share(&phrase)?));
        }
        Ok(frequency)
    }

    /// A word that sounds like this one, required.
    fn heard(&mut self, word: &str, sounds: &[Sound]) -> tantivy::Result<()> {
        let mut ways = Vec::new();
        let frequency = self.sounds(sounds, false, &mut ways)?;
        self.push(word, ways, frequency);
        Ok(())
    }

    /// A Latin word, required: itself, or what it spells.
    fn latin(&mut self, word: &str) -> tantivy::Result<()> {
        self.plan.asks |= asks(word);
        if is_stop(word) {
            self.stops.push(word.to_owned());
            return Ok(());
        }
        if !self.admits(word) {
            return Ok(());
        }
        self.plan.needles.add_latin(word);
        let root = stem(word).unwrap_or_else(|| word.to_owned());
        let mut ways = self.ways(&Phrase::of_word(&root), 0.9);
        if root != word {
            ways.extend(self.ways(&Phrase::of_word(word), 1.0));
        }
        let mut frequency = self.stats.frequency(self.fields.title, self.fields.text, &root)?;
        let occurs = frequency > 0;
        for sounds in spellings_of(word) {
            // A lone syllable that is also a word that occurs is the word.
            if !(occurs && sounds.len() == 1) {
                frequency = frequency.max(self.sounds(&sounds, occurs, &mut ways)?);
            }
        }
        frequency = frequency.max(self.other_names(word, &mut ways)?);
        self.push(word, ways, frequency);
        Ok(())
    }

    /// Syllables typed apart (`tai ji quan`), or just short words (`he can`).
    fn spelled(&mut self, letters: &[&str]) -> tantivy::Result<()> {
        let text = letters.join(" ");
        if !self.admits(&text) {
            return Ok(());
        }
        let mut ways = Vec::new();
        let mut frequency = u64::MAX;
        for word in letters {
            self.plan.needles.add_latin(word);
            frequency =
                frequency.min(self.stats.frequency(self.fields.title, self.fields.text, word)?);
        }
        let occurs = frequency > 0;
        if occurs {
            for (field, title) in [(self.fields.title, true), (self.fields.text, false)] {
                let query = terms::all(letters.iter().map(|word| terms::term(field, word)));
                ways.push(Way { query, factor: 1.0, title, full: true, size: None });
            }
        }
        let sounds: Vec<Sound> =
            letters.iter().map(|word| Sound::Full((*word).to_owned())).collect();
        frequency = frequency.max(self.sounds(&sounds, occurs, &mut ways)?);
        self.push(&text, ways, frequency);
        Ok(())
    }

    /// Adds the ways to find `sounds` and gives how many documents may have them.
    fn sounds(
        &mut self,
        sounds: &[Sound],
        word_occurs: bool,
        ways: &mut Vec<Way>,
    ) -> tantivy::Result<u64> {
        self.plan.needles.add_sounds(sounds);
        let factor = if word_occurs { SOUND_OF_WORD } else { SOUND };
        let full = !word_occurs;
        if let Some(query) = terms::title_sounds(self.fields, sounds) {
            let size = u8::try_from(sounds.len()).ok();
            ways.push(Way { query, factor, title: true, full, size });
        }
        let Some(pairs) = terms::pairs(sounds) else { return Ok(1) };
        let mut frequency = u64::MAX;
        for (first, second) in &pairs {
            let (title, text) = (self.fields.title_sounds, self.fields.text_sounds);
            frequency = frequency.min(self.stats.frequency(title, text, &pair(first, second))?);
        }
        let field = self.fields.text_sounds;
        let once: BTreeSet<String> = pairs.iter().map(|(a, b)| pair(a, b)).collect();
        let query = terms::all(once.iter().map(|pair| terms::term(field, pair)));
        ways.push(Way { query, factor, title: false, full, size: None });
        Ok(frequency)
    }

    /// A phrase, required or excluded, of one part of a resource or of all.
    fn phrase(
        &mut self,
        phrase: &Phrase,
        within: Option<Within>,
        negative: bool,
    ) -> tantivy::Result<()> {
        let mut ways = match within {
            Some(Within::Author) => terms::unplaced(self.fields.author, phrase)
                .map(|query| Way { query, factor: 1.0, title: false, full: true, size: None })
                .into_iter()
                .collect(),
            _ => self.ways(phrase, 1.0),
        };
        ways.retain(|way| within != Some(Within::Title) || way.title);
        if negative {
            if self.plan.excluded.len() < MAX_WORDS {
                self.plan.excluded.extend(ways);
            }
        } else if self.admits(&format!("{within:?}{}", phrase.text())) {
            self.plan.needles.add_phrase(&phrase.text(), phrase.is_han());
            let frequency = self.rarest(phrase)?;
            self.push(&phrase.text(), ways, frequency);
            if let Some(word) = self.plan.words.last_mut() {
                word.must = true;
            }
        }
        Ok(())
    }

    fn ways(&self, phrase: &Phrase, factor: f32) -> Vec<Way> {
        [true, false]
            .into_iter()
            .filter_map(|title| {
                let query = terms::phrase(self.fields, title, phrase)?;
                Some(Way { query, factor, title, full: true, size: None })
            })
            .collect()
    }

    /// What a phrase counts, so that it counts as its rarest term: tantivy adds up all of them.
    fn share(&self, phrase: &Phrase) -> tantivy::Result<f32> {
        let (most, sum) = self.weights(phrase)?;
        Ok(if sum > 0.0 { most / sum } else { 1.0 })
    }

    /// The weight of the rarest term of `phrase`, and that of all together.
    fn weights(&self, phrase: &Phrase) -> tantivy::Result<(f32, f32)> {
        let (mut most, mut sum) = (0.0_f32, 0.0);
        for term in phrase.terms() {
            let (title, text) = (self.fields.title, self.fields.text);
            let weight = self.stats.weight(self.stats.frequency(title, text, term)?);
            most = most.max(weight);
            sum += weight;
        }
        Ok((most, sum))
    }

    /// In how many documents the rarest term of `phrase` is: it cannot be in more itself.
    fn rarest(&self, phrase: &Phrase) -> tantivy::Result<u64> {
        let mut rarest = u64::MAX;
        for term in phrase.terms() {
            rarest = rarest.min(self.stats.frequency(self.fields.title, self.fields.text, term)?);
        }
        Ok(if rarest == u64::MAX { self.stats.frequency_of_character() } else { rarest })
    }

    fn push(&mut self, text: &str, ways: Vec<Way>, frequency: u64) {
        let weight = self.stats.weight(frequency);
        self.plan.words.push(Word {
            text: text.to_owned(),
            ways,
            weight,
            known: frequency > 0,
            must: false,
        });
    }

    /// Whether `word` is new and there is room for it.
    fn admits(&mut self, word: &str) -> bool {
        self.plan.words.len() < MAX_WORDS && self.seen.insert(word.to_owned())
    }
}

/// How two characters or more are read aloud, each as it mostly is.
fn sounds_of(word: &str) -> Option<Vec<Sound>> {
    let full = |ch| readings(ch, 1).first().map(|reading| Sound::Full((*reading).to_owned()));
    (word.chars().count() > 1).then(|| word.chars().map(full).collect()).flatten()
}
