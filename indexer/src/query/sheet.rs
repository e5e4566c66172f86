//! Adding up the scores of one block.

use tantivy::DocId;

use crate::Stands;

/// What the second and third best passage add to the best.
const NEXT_PASSAGES: [f32; 3] = [1.0, 0.1, 0.05];

impl Stands {
    /// What is added for it, in units of the query's whole weight, so that places rank in this
    /// order. Titles need no boost beside that: questions are answered worse with one.
    pub(super) fn worth(self) -> f32 {
        match self {
            Self::SameTitle => 8.0,
            Self::TitleAndRest => 6.0,
            Self::InTitle => 4.5,
            Self::About => 3.0,
            Self::InPassage => 0.5,
            Self::Apart => 0.0,
        }
    }
}

/// A bit for each word.
pub(super) type Words = u128;

/// What a resource scored.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Scored {
    /// Its score.
    pub(crate) score: f32,
    /// Where the words are, and what of the score is for that.
    pub(crate) stands: Stands,
    pub(crate) place: f32,
    /// What of it is for a run that stands somewhere as it was typed.
    pub(crate) run: f32,
    /// Its best passages with their scores, the best first.
    pub(crate) passages: [Option<(DocId, f32)>; 3],
}

/// The scores of the documents of one block.
#[derive(Default)]
pub(super) struct Sheet {
    head: DocId,
    rows: Vec<Line>,
    touched: Vec<usize>,
    in_title: Words,
    /// The title is what was asked, as it sounds.
    sounds_so: bool,
}

/// What a title is beside the query.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Title {
    /// The query.
    Whole,
    /// What is between two spaces of it.
    Part,
    Other,
}

#[derive(Clone, Copy, Default)]
struct Line {
    score: f32,
    words: Words,
    full: Words, // but not those that only sound like a word which itself occurs elsewhere
    last: f32,   // what the last word gave: the best of its ways counts
    runs: u32,   // a bit for each
    run: f32,    // what the runs that stand here are worth
}

impl Sheet {
    /// Makes it ready for the block from `head` to before `end`.
    pub(super) fn clear(&mut self, head: DocId, end: DocId) {
        for row in self.touched.drain(..) {
            self.rows[row] = Line::default();
        }
        let size = (end - head) as usize;
        if self.rows.len() < size {
            self.rows.resize(size, Line::default());
        }
        self.head = head;
        self.in_title = 0;
        self.sounds_so = false;
    }

    /// The title is nothing but a word that sounds like the query.
    pub(super) fn sounds_so(&mut self) {
        self.sounds_so = true;
    }

    fn line(&mut self, doc: DocId) -> &mut Line {
        let row = (doc - self.head) as usize;
        let line = &mut self.rows[row];
        if line.words == 0 && line.score == 0.0 {
            self.touched.push(row);
        }
        line
    }

    /// Adds what no word stands for.
    pub(super) fn add(&mut self, doc: DocId, score: f32) {
        self.line(doc).score += score;
    }

    /// Adds what a run that stands in `doc` gave, and once what it is worth.
    pub(super) fn add_run(&mut self, run: usize, doc: DocId, score: f32, worth: f32) {
        let line = self.line(doc);
        line.score += score;
        let bit = 1 << (run as u32 % u32::BITS);
        if line.runs & bit == 0 {
            line.runs |= bit;
            line.run += worth;
        }
    }

    /// Adds what a way to find `word` gave in `doc`; ways of one word come one after another.
    /// `full` unless the word may be another that only sounds so.
    pub(super) fn add_word(
        &mut self,
        word: usize,
        doc: DocId,
        score: f32,
        full: bool,
        title: bool,
    ) {
        let bit: Words = 1 << word;
        let line = self.line(doc);
        if line.words & bit == 0 {
            line.words |= bit;
            line.last = 0.0;
        }
        if score > line.last {
            line.score += score - line.last;
            line.last = score;
        }
        if full {
            line.full |= bit;
        }
        if full && title {
            self.in_title |= bit;
        }
    }

    /// The passages in which words are, the best first, at most `most`.
    pub(super) fn best(&self, most: usize) -> Vec<DocId> {
        let rows = self.touched.iter().filter(|row| **row > 0 && self.rows[**row].words != 0);
        let mut rows: Vec<usize> = rows.copied().collect();
        rows.sort_by(|a, b| self.rows[*b].score.total_cmp(&self.rows[*a].score).then(a.cmp(b)));
        rows.truncate(most);
        rows.into_iter().map(|row| self.head + u32::try_from(row).unwrap_or(u32::MAX)).collect()
    }

    /// The score of the block: `all` are the words that count for places, `whole` their weight,
    /// `title` what the title is beside what was asked.
    pub(super) fn total(&self, all: Words, whole: f32, title: impl Fn() -> Title) -> Scored {
        let mut passages: [Option<(DocId, f32)>; 3] = [None; 3];
        let mut best_words = 0;
        let mut run = self.rows[0].run;
        for &row in self.touched.iter().filter(|row| **row > 0) {
            let line = self.rows[row];
            let doc = self.head + u32::try_from(row).unwrap_or(u32::MAX);
            run = run.max(line.run);
            if line.words != 0 && insert(&mut passages, doc, line.score) {
                best_words = line.full;
            }
        }
        let own = self.rows[0];
        let stands = if self.in_title & all == all {
            let same = self.sounds_so || title() == Title::Whole;
            if same { Stands::SameTitle } else { Stands::InTitle }
        } else if own.full & all == all {
            if title() == Title::Part { Stands::TitleAndRest } else { Stands::About }
        } else if best_words & all == all {
            Stands::InPassage
        } else {
            Stands::Apart
        };
        let mut from_passages = 0.0;
        for ((_, score), share) in passages.iter().map_while(|best| *best).zip(NEXT_PASSAGES) {
            from_passages += score * share;
        }
        let place = stands.worth() * whole;
        Scored { score: own.score + from_passages + place + run, stands, place, run, passages }
    }
}

/// Puts a passage among the three best; true when it is the best so far.
fn insert(best: &mut [Option<(DocId, f32)>; 3], doc: DocId, score: f32) -> bool {
    // Of equals the earlier stays before the later.
    let beaten = |slot: &Option<(DocId, f32)>| {
        slot.is_none_or(|(other, had)| score > had || (score == had && doc < other))
    };
    let Some(at) = best.iter().position(beaten) else { return false };
    best[at..].rotate_right(1);
    best[at] = Some((doc, score));
    at == 0
}
