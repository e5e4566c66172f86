//! A run of Han characters: its words, and what counts beside them.

use super::super::items::name_spans;
use super::super::terms::Phrase;
use super::{Planner, Run, Word};
use crate::words::{asks, is_stop, may_name};

/// The longest run that is also looked for as it stands, in characters.
const MAX_RUN: usize = 30;
/// The most pairs across words that add to scores.
const MAX_PAIRS: usize = 80;
/// How much a run that stands somewhere as it was typed tells, in units of its words' weight: pieces
/// of a sentence are seldom twice, two words may meet anywhere.
const SENTENCE: f32 = 3.0;
const NEIGHBOURS: f32 = 1.0;
/// A pair of characters across words; within one, or with one that says nothing.
const PAIR: f32 = 0.5;
const WEAK_PAIR: f32 = 0.2;

impl Planner<'_> {
    /// A run of Han characters: its words are required, pairs across them only count.
    pub(super) fn run(&mut self, run: &str) -> tantivy::Result<()> {
        let cut = name_spans(&self.words.cut(run));
        let pieces: Vec<Piece<'_>> = cut.iter().map(|piece| Piece::of(piece)).collect();
        for piece in pieces.iter().filter(|piece| piece.kind.is_stop()) {
            self.plan.asks |= asks(piece.text);
            self.stops.push(piece.text.to_owned());
        }
        let mut required = self.required(&pieces)?;
        if required.is_empty() && !pieces.iter().all(|piece| piece.kind.is_stop()) {
            required.push(run.to_owned());
        }
        let before = self.plan.words.len();
        for word in &required {
            self.han(word)?;
        }
        if cut.len() > 1 {
            let weight = self.plan.words[before..].iter().map(|word| word.weight).sum();
            self.as_typed(run, &pieces, weight);
            self.pairs(&pieces, &required)?;
        }
        Ok(())
    }

    /// The words of a run that say something.
    fn required(&self, pieces: &[Piece<'_>]) -> tantivy::Result<Vec<String>> {
        let mut required: Vec<String> = Vec::new();
        let mut at = 0_usize;
        for group in pieces.chunk_by(|a, b| a.kind.is_single() && b.kind.is_single()) {
            let before = at.checked_sub(1).map(|before| &pieces[before]);
            at += group.len();
            let beside = before.into_iter().chain(pieces.get(at));
            match group {
                [Piece { text, kind: Kind::Word }] => required.push((*text).to_owned()),
                [Piece { text, kind: Kind::Single }] => {
                    // Beside a word it is mostly an ending; pairs count it.
                    if !beside.into_iter().any(|piece| piece.kind == Kind::Word) {
                        required.push((*text).to_owned());
                    }
                }
                _ => required.extend(self.name(group)?),
            }
        }
        Ok(required)
    }

    /// Single characters in a row are a word that the dictionary has not: with those that mostly say
    /// nothing, if that is found anywhere.
    fn name(&self, group: &[Piece<'_>]) -> tantivy::Result<Option<String>> {
        let joined = |row: &[Piece<'_>]| row.iter().map(|piece| piece.text).collect::<String>();
        let single = |piece: &Piece<'_>| piece.kind == Kind::Single;
        if !group.iter().any(single) {
            return Ok(None);
        }
        let whole = joined(group);
        if group.iter().all(single) || self.rarest(&Phrase::of_text(&whole))? > 0 {
            return Ok(Some(whole));
        }
        let rows = group.chunk_by(|a, b| single(a) == single(b)).filter(|row| single(&row[0]));
        Ok(rows.max_by_key(|row| row.len()).map(joined).filter(|row| row.chars().count() > 1))
    }

    /// `run` as it stands, whose words have this weight together.
    fn as_typed(&mut self, run: &str, pieces: &[Piece<'_>], weight: f32) {
        let size = run.chars().count();
        if size > 2 && size <= MAX_RUN {
            self.plan.needles.add_run(run);
            let ways = self.ways(&Phrase::of_text(run), 1.0);
            let sentence = size > 3 && pieces.iter().any(|piece| piece.kind != Kind::Word);
            let worth = if sentence { SENTENCE } else { NEIGHBOURS } * weight;
            self.plan.runs.push(Run { ways, worth });
        }
    }

    /// Pairs of neighbouring characters, but those that say nothing or are words themselves.
    fn pairs(&mut self, pieces: &[Piece<'_>], required: &[String]) -> tantivy::Result<()> {
        let of_piece = |(at, piece): (usize, &Piece<'_>)| {
            let says = !piece.kind.is_stop();
            piece.text.chars().map(move |ch| (ch, at, says)).collect::<Vec<_>>()
        };
        let chars: Vec<_> = pieces.iter().enumerate().flat_map(of_piece).collect();
        for two in chars.windows(2).filter(|two| two[0].2 || two[1].2) {
            let across = two[0].1 != two[1].1 && two[0].2 && two[1].2;
            let factor = if across { PAIR } else { WEAK_PAIR };
            let two: String = two.iter().map(|(ch, ..)| ch).collect();
            let fits = self.plan.pairs.len() < MAX_PAIRS && !required.contains(&two);
            if fits && self.seen.insert(format!("+{two}")) {
                let frequency = self.stats.frequency(self.fields.title, self.fields.text, &two)?;
                let ways = self.ways(&Phrase::of_text(&two), factor);
                let weight = self.stats.weight(frequency) * factor;
                self.plan.pairs.push(Word {
                    text: two,
                    ways,
                    weight,
                    known: frequency > 0,
                    must: false,
                });
            }
        }
        Ok(())
    }
}

/// A piece of a run.
struct Piece<'a> {
    text: &'a str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A word of two characters at least.
    Word,
    /// A character that may be a word.
    Single,
    /// A character that says nothing, but may be part of a name.
    Weak,
    /// What says nothing.
    Stop,
}

impl<'a> Piece<'a> {
    fn of(text: &'a str) -> Self {
        let kind = match (text.chars().count() == 1, is_stop(text)) {
            (true, false) => Kind::Single,
            (true, true) if may_name(text) => Kind::Weak,
            (_, true) => Kind::Stop,
            (false, false) => Kind::Word,
        };
        Self { text, kind }
    }
}

impl Kind {
    fn is_single(self) -> bool {
        matches!(self, Self::Single | Self::Weak)
    }

    fn is_stop(self) -> bool {
        matches!(self, Self::Weak | Self::Stop)
    }
}
