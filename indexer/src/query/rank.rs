//! Walks the blocks that may match and scores them.
//!
//! A word may be found in the title, in what else is said of the resource, or in any of its
//! passages. The candidates come from the rarest words; the others are looked up in the same
//! block, so a common word costs little beside a rare one.

use std::collections::BTreeMap;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::query::EnableScoring;
use tantivy::schema::Field;
use tantivy::{DocId, SegmentReader, TERMINATED};

use super::asked::{Asked, InSegment};
use super::facets::SegmentFacets;
use super::plan::{Plan, Way};
use super::sheet::{Scored, Sheet, Title, Words};
use super::top::{Top, freshness, vouched};
use crate::view::Segment;
use crate::written::Place;
use crate::{Explanation, FoundAt, Stands, WordExplanation};

/// The most passages shown of the one resource that is searched.
const MAX_INSIDE: usize = 100;
/// The most places of a word that are explained.
const MAX_EXPLAINED: usize = 50;

/// A plan made ready for tantivy.
pub(crate) struct Ranking {
    words: Vec<Vec<Ready>>,
    texts: Vec<String>,
    weights: Vec<f32>,
    all: Words,
    /// Those without which nothing is found.
    musts: Vec<usize>,
    whole: f32,
    /// The sum of `weights`.
    sum: f32,
    /// With what they are worth.
    runs: Vec<(Vec<Ready>, f32)>,
    /// Pairs that only add to the score.
    extras: Vec<Ready>,
    excluded: Vec<Ready>,
    exact: Option<u64>,
    parts: Vec<u64>,
    /// The field with the lengths of titles, when one word is all that is asked.
    alone: Option<Field>,
    threshold: f32,
}

struct Ready {
    asked: Asked,
    factor: f32,
    title: bool,
    full: bool,
    size: Option<u8>,
}

impl Ranking {
    /// Ranks by `plan`; what matches must have words of `share` (0 to 1) of the weight of all.
    /// Of a question words that occur nowhere are left out, and pairs across words count.
    pub(crate) fn new(
        plan: &Plan,
        share: f32,
        question: bool,
        titles: Field,
        scoring: EnableScoring<'_>,
    ) -> tantivy::Result<Self> {
        let words = plan.words.iter().map(|word| (word, true));
        let pairs = plan.pairs.iter().map(|pair| (pair, false));
        let mut chosen: Vec<_> = if question {
            words.chain(pairs).filter(|(word, _)| word.known).collect()
        } else {
            words.collect()
        };
        chosen.sort_by(|(a, _), (b, _)| b.weight.total_cmp(&a.weight));
        chosen.truncate(Words::BITS as usize - 1);
        let weights: Vec<f32> = chosen.iter().map(|(word, _)| word.weight).collect();
        let mut extras = Vec::new();
        if !question {
            for pair in plan.pairs.iter().filter(|pair| pair.known) {
                extras.extend(ready(&pair.ways, scoring)?);
            }
        }
        let musts = (0..chosen.len()).filter(|at| chosen[*at].0.must).collect();
        let is_word = |at: &usize| chosen[*at].1;
        Ok(Self {
            words: chosen
                .iter()
                .map(|(word, _)| ready(&word.ways, scoring))
                .collect::<Result<_, _>>()?,
            musts,
            texts: chosen.iter().map(|(word, _)| word.text.clone()).collect(),
            all: (0..chosen.len()).filter(is_word).map(|at| 1 << at).sum(),
            whole: (0..chosen.len()).filter(is_word).map(|at| weights[at]).sum(),
            runs: plan
                .runs
                .iter()
                .map(|run| Ok((ready(&run.ways, scoring)?, run.worth)))
                .collect::<tantivy::Result<_>>()?,
            extras,
            excluded: ready(&plan.excluded, scoring)?,
            exact: plan.exact,
            parts: plan.parts.clone(),
            alone: (plan.words.len() == 1).then_some(titles),
            // Sums of floats differ by order.
            sum: weights.iter().sum(),
            threshold: weights.iter().sum::<f32>() * share * 0.999,
            weights,
        })
    }

    /// Puts the resources of a segment that match into `top` and counts them; those of one block
    /// only when `only` has its head.
    pub(crate) fn collect(
        &self,
        (number, reader, segment): (u32, &SegmentReader, &Segment),
        only: Option<DocId>,
        facets: &mut SegmentFacets<'_>,
        top: &mut Top,
    ) -> tantivy::Result<()> {
        let mut walk = self.walk(reader)?;
        let mut next = only.or_else(|| walk.next_block(segment));
        while let Some(head) = next {
            let end = segment.end(head);
            if !reader.is_deleted(head) && walk.reaches(head, end) {
                top.matched += 1;
                if facets.count(head) {
                    let scored = walk.by_title(segment, head, end);
                    let mut scored = scored.unwrap_or_else(|| walk.score(segment, head, end));
                    scored.score *= vouched(segment.is_vouched(head));
                    if only.is_some() {
                        top.inside = walk.sheet.best(MAX_INSIDE);
                    }
                    top.push(scored, number, head, || segment.published(head));
                }
            }
            walk.leave(end);
            next = if only.is_some() { None } else { walk.next_block(segment) };
        }
        Ok(())
    }

    /// Why the resource at `head` has its score, the time being `now_ms`.
    pub(crate) fn explain(
        &self,
        reader: &SegmentReader,
        segment: &Segment,
        head: DocId,
        now_ms: i64,
        place: impl Fn(DocId) -> tantivy::Result<Place>,
    ) -> tantivy::Result<Explanation> {
        let end = segment.end(head);
        let mut walk = self.walk(reader)?;
        let matches = walk.reaches(head, end);
        let scored = walk.score(segment, head, end);
        // The lists only go forward: each word is looked at with lists of its own.
        let mut again = self.walk(reader)?;
        let runs = std::mem::take(&mut again.runs).into_iter().flat_map(|(lanes, _)| lanes);
        let extras = runs.chain(std::mem::take(&mut again.extras)).collect();
        let texts = self.texts.iter().cloned().zip(self.weights.iter().copied());
        let texts = texts.chain([(String::new(), 0.0)]);
        let mut words = Vec::new();
        for ((text, weight), lanes) in texts.zip(again.words.into_iter().chain([extras])) {
            let found = places(lanes, head, end, &place)?;
            if !text.is_empty() || !found.is_empty() {
                words.push(WordExplanation { text, weight, found });
            }
        }
        let freshness = freshness(now_ms, segment.published(head));
        let vouched = vouched(segment.is_vouched(head));
        let Scored { stands, place, run, .. } = scored;
        Ok(Explanation {
            matches,
            score: scored.score * vouched * freshness,
            stands,
            place,
            run,
            vouched,
            freshness,
            words,
        })
    }

    /// Tells whether the block from one document to before another has what is excluded; blocks
    /// must be asked for in order.
    pub(crate) fn excluder(
        &self,
        segment: &SegmentReader,
    ) -> tantivy::Result<impl FnMut(DocId, DocId) -> bool> {
        let mut lanes = lanes(&self.excluded, segment)?;
        Ok(move |head, end| lanes.iter_mut().any(|lane| lane.enters(head, end)))
    }

    /// What the title of the resource at `head` is beside the query.
    fn title(&self, segment: &Segment, head: DocId) -> Title {
        let number = segment.exact(head);
        if self.exact == Some(number) {
            Title::Whole
        } else if self.parts.contains(&number) {
            Title::Part
        } else {
            Title::Other
        }
    }

    fn walk(&self, segment: &SegmentReader) -> tantivy::Result<Walk<'_>> {
        let mut leading = self.weights.len();
        let mut rest = 0.0;
        // The commonest words that together cannot reach the threshold need not be walked.
        while leading > 0 && rest + self.weights[leading - 1] < self.threshold {
            leading -= 1;
            rest += self.weights[leading];
        }
        Ok(Walk {
            words: self.words.iter().map(|ways| lanes(ways, segment)).collect::<Result<_, _>>()?,
            runs: self
                .runs
                .iter()
                .map(|(ways, worth)| Ok((lanes(ways, segment)?, *worth)))
                .collect::<tantivy::Result<_>>()?,
            extras: lanes(&self.extras, segment)?,
            excluded: lanes(&self.excluded, segment)?,
            lengths: match self.alone {
                Some(titles) => segment.fieldnorms_readers().get_field(titles)?,
                None => None,
            },
            ranking: self,
            leading,
            sheet: Sheet::default(),
        })
    }
}

/// Where `lanes` find anything in a block; of several ways in one place the best.
fn places(
    lanes: Vec<Lane>,
    head: DocId,
    end: DocId,
    place: impl Fn(DocId) -> tantivy::Result<Place>,
) -> tantivy::Result<Vec<FoundAt>> {
    let mut best: BTreeMap<(DocId, bool), f32> = BTreeMap::new();
    for lane in lanes {
        let about = !lane.title;
        for (doc, score) in lane.scores(head, end) {
            let had = best.entry((doc, about)).or_default();
            *had = had.max(score);
        }
    }
    let found = best.into_iter().take(MAX_EXPLAINED).map(|((doc, about), score)| {
        let at = if doc == head { None } else { Some(place(doc)?) };
        Ok(FoundAt {
            title: !about,
            passage: at.map(|at| at.kind),
            start_ms: at.and_then(|at| at.start_ms),
            page: at.and_then(|at| at.page),
            score,
        })
    });
    found.collect()
}

fn ready(ways: &[Way], scoring: EnableScoring<'_>) -> tantivy::Result<Vec<Ready>> {
    ways.iter()
        .map(|way| {
            let asked = Asked::of(way, scoring)?;
            let Way { factor, title, full, size, .. } = *way;
            Ok(Ready { asked, factor, title, full, size })
        })
        .collect()
}

/// The ways that find anything in `segment`.
fn lanes(ways: &[Ready], segment: &SegmentReader) -> tantivy::Result<Vec<Lane>> {
    let mut lanes = Vec::with_capacity(ways.len());
    for way in ways {
        let found = way.asked.in_segment(segment, way.factor)?;
        if let Some(found) = found.filter(|found| found.doc() != TERMINATED) {
            lanes.push(Lane { found, title: way.title, full: way.full, size: way.size });
        }
    }
    Ok(lanes)
}

/// One way to find a word, in one segment.
struct Lane {
    found: InSegment,
    title: bool,
    full: bool,
    size: Option<u8>,
}

impl Lane {
    /// Whether it has a document in the block; goes to it.
    fn enters(&mut self, head: DocId, end: DocId) -> bool {
        let doc = self.found.doc();
        (if doc < head { self.found.seek(head) } else { doc }) < end
    }

    /// Whether the title at `head`, in which it finds something, is nothing else.
    fn is_whole(&self, lengths: Option<&FieldNormReader>, head: DocId) -> bool {
        let (Some(size), Some(lengths)) = (self.size, lengths) else { return false };
        lengths.fieldnorm_id(head) == FieldNormReader::fieldnorm_to_id(size.into())
    }

    /// The scores of the documents of a block.
    fn scores(mut self, head: DocId, end: DocId) -> Vec<(DocId, f32)> {
        let mut scores = Vec::new();
        if self.enters(head, end) {
            while self.found.doc() < end {
                scores.push((self.found.doc(), self.found.score()));
                self.found.advance();
            }
        }
        scores
    }
}

/// One pass over a segment.
struct Walk<'a> {
    ranking: &'a Ranking,
    words: Vec<Vec<Lane>>, // the rarest first
    runs: Vec<(Vec<Lane>, f32)>,
    extras: Vec<Lane>,
    excluded: Vec<Lane>,
    /// Of titles, when one word is all that is asked.
    lengths: Option<FieldNormReader>,
    leading: usize,
    sheet: Sheet,
}

impl Walk<'_> {
    fn next_block(&self, segment: &Segment) -> Option<DocId> {
        let lanes = self.words[..self.leading].iter().flatten();
        let doc = lanes.map(|lane| lane.found.doc()).min()?;
        (doc != TERMINATED).then(|| segment.head(doc))
    }

    /// Whether words of enough weight are in the block, and nothing that is excluded.
    fn reaches(&mut self, head: DocId, end: DocId) -> bool {
        let weights = &self.ranking.weights;
        for must in &self.ranking.musts {
            if !self.words[*must].iter_mut().any(|lane| lane.enters(head, end)) {
                return false;
            }
        }
        let mut open = self.ranking.sum;
        let mut has = 0.0;
        for (lanes, weight) in self.words.iter_mut().zip(weights) {
            if lanes.iter_mut().any(|lane| lane.enters(head, end)) {
                has += weight;
            }
            open -= weight;
            if has >= self.ranking.threshold {
                break;
            }
            if has + open < self.ranking.threshold * 0.999 {
                return false;
            }
        }
        has >= self.ranking.threshold
            && !self.excluded.iter_mut().any(|lane| lane.enters(head, end))
    }

    fn score(&mut self, segment: &Segment, head: DocId, end: DocId) -> Scored {
        self.sheet.clear(head, end);
        for (word, lanes) in self.words.iter_mut().enumerate() {
            for lane in lanes.iter_mut().filter_map(|lane| lane.enters(head, end).then_some(lane)) {
                if lane.is_whole(self.lengths.as_ref(), head) {
                    self.sheet.sounds_so();
                }
                while lane.found.doc() < end {
                    let (doc, score) = (lane.found.doc(), lane.found.score());
                    self.sheet.add_word(word, doc, score, lane.full, lane.title);
                    lane.found.advance();
                }
            }
        }
        for (run, (lanes, worth)) in self.runs.iter_mut().enumerate() {
            for lane in lanes.iter_mut().filter_map(|lane| lane.enters(head, end).then_some(lane)) {
                while lane.found.doc() < end {
                    self.sheet.add_run(run, lane.found.doc(), lane.found.score(), *worth);
                    lane.found.advance();
                }
            }
        }
        for lane in &mut self.extras {
            if lane.enters(head, end) {
                while lane.found.doc() < end {
                    self.sheet.add(lane.found.doc(), lane.found.score());
                    lane.found.advance();
                }
            }
        }
        let title = || self.ranking.title(segment, head);
        self.sheet.total(self.ranking.all, self.ranking.whole, title)
    }

    /// The score of a block that has the only word in its title and nowhere else, which needs no
    /// adding up: a syllable is in the titles of a hundred thousand.
    fn by_title(&mut self, segment: &Segment, head: DocId, end: DocId) -> Option<Scored> {
        let [lanes] = &mut self.words[..] else { return None };
        if !self.runs.is_empty() || !self.extras.is_empty() {
            return None;
        }
        let mut found = None;
        for lane in lanes {
            if lane.enters(head, end) && found.replace(lane).is_some() {
                return None;
            }
        }
        let lane = found.filter(|lane| lane.title && lane.full)?;
        let same = lane.is_whole(self.lengths.as_ref(), head)
            || self.ranking.title(segment, head) == Title::Whole;
        let stands = if same { Stands::SameTitle } else { Stands::InTitle };
        let place = stands.worth() * self.ranking.whole;
        let score = lane.found.score() + place;
        lane.found.advance();
        Some(Scored { score, stands, place, ..Scored::default() })
    }

    /// Moves what leads the walk behind the block.
    fn leave(&mut self, end: DocId) {
        for lane in self.words[..self.leading].iter_mut().flatten() {
            if lane.found.doc() < end {
                lane.found.seek(end);
            }
        }
    }
}
