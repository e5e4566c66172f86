//! Searching: parse, plan, rank, show.

mod asked;
mod facets;
mod items;
mod parse;
mod plan;
mod rank;
mod sheet;
mod show;
mod stats;
mod terms;
mod top;

use tantivy::query::EnableScoring;
use tantivy::{DocId, SegmentReader, Term};

use self::facets::{Counts, SegmentFacets};
use self::parse::Clause;
use self::plan::Plan;
use self::rank::Ranking;
use self::sheet::Scored;
use self::stats::Stats;
use self::top::Top;
use crate::schema::Fields;
use crate::view::{Segment, View};
use crate::words::Class;
use crate::{Explanation, Found, Query, Words};

/// From so many words on, a query is a question: no text need have all of them.
const QUESTION_WORDS: usize = 4;
/// So few texts with all words of a question are too few.
const ENOUGH: usize = 10;
/// The share of the words' weight that must be found when nothing has all words.
const SOME: f32 = 0.5;
/// The same for a question.
const SOME_OF_QUESTION: f32 = 0.2;

/// Answers `query`.
///
/// All words must be found. When nothing has them all, or too little has all words of a
/// question, what has the better part of them by weight is found too. When nothing is found, what
/// sounds the same is.
pub(crate) fn search(
    view: &View,
    fields: &Fields,
    words: &Words,
    query: &Query,
) -> tantivy::Result<Found> {
    let search = Search { view, fields, query };
    let clauses = parse::parse(&query.text);
    if clauses.is_empty() {
        // Nothing asked lists everything; only signs finds nothing.
        let blank = query.text.chars().all(char::is_whitespace);
        return if blank { search.list(&Plan::default()) } else { Ok(search.nothing()) };
    }
    let stats = Stats::new(view, fields);
    let plan = plan::plan(&clauses, &query.text, false, words, &stats, fields)?;
    if plan.words.is_empty() {
        return search.list(&plan);
    }
    let found = search.find(&plan, &stats)?;
    if found.0.matched > 0 || !can_be_heard(&clauses) {
        return search.show(&plan, found);
    }
    let plan = plan::plan(&clauses, &query.text, true, words, &stats, fields)?;
    let found = search.find(&plan, &stats)?;
    let heard = found.0.matched > 0;
    Ok(Found { heard, ..search.show(&plan, found)? })
}

/// Why `resource` has its score for `query`.
pub(crate) fn explain(
    view: &View,
    fields: &Fields,
    words: &Words,
    query: &Query,
    resource: &str,
) -> tantivy::Result<Explanation> {
    let clauses = parse::parse(&query.text);
    let stats = Stats::new(view, fields);
    let plan = plan::plan(&clauses, &query.text, false, words, &stats, fields)?;
    let scoring = EnableScoring::enabled_from_statistics_provider(&stats, &view.searcher);
    let ranking = Ranking::new(&plan, 1.0, false, fields.title, scoring)?;
    let id = fields.id_term(resource);
    for (number, reader, segment) in view.each() {
        if let Some(head) = segment.find(reader, &id)? {
            let place = |doc| show::place(view, fields, number, doc);
            return ranking.explain(reader, segment, head, query.now_ms, place);
        }
    }
    Ok(Explanation::default())
}

/// Whether there are Han characters that may have been mistaken for others.
fn can_be_heard(clauses: &[Clause]) -> bool {
    let may = |clause: &Clause| !clause.negative && !clause.quoted && clause.within.is_none();
    let han = |clause: &Clause| clause.glyphs.iter().any(|glyph| glyph.class == Class::Han);
    clauses.iter().any(|clause| may(clause) && han(clause))
}

struct Search<'a> {
    view: &'a View,
    fields: &'a Fields,
    query: &'a Query,
}

impl<'a> Search<'a> {
    /// What has all words, or the better part of them when too little has.
    fn find(&self, plan: &Plan, stats: &Stats<'_>) -> tantivy::Result<(Top, Counts<'a>)> {
        let question = plan.asks || plan.words.len() >= QUESTION_WORDS;
        let (top, counts) = self.rank(plan, stats, 1.0, false)?;
        // Whatever is wanted of them: what is counted must be found when it is chosen.
        if top.matched == 0 || (question && top.matched < ENOUGH) {
            let share = if question { SOME_OF_QUESTION } else { SOME };
            return self.rank(plan, stats, share, question);
        }
        Ok((top, counts))
    }

    fn rank(
        &self,
        plan: &Plan,
        stats: &Stats<'_>,
        share: f32,
        forgiving: bool,
    ) -> tantivy::Result<(Top, Counts<'a>)> {
        let scoring = EnableScoring::enabled_from_statistics_provider(stats, &self.view.searcher);
        let ranking = Ranking::new(plan, share, forgiving, self.fields.title, scoring)?;
        self.each_segment(|segment, only, facets, top| ranking.collect(segment, only, facets, top))
    }

    /// Everything, the newest first, but for what `plan` excludes.
    fn list(&self, plan: &Plan) -> tantivy::Result<Found> {
        let stats = Stats::new(self.view, self.fields);
        let scoring = EnableScoring::enabled_from_statistics_provider(&stats, &self.view.searcher);
        let excluded = Ranking::new(plan, 0.0, true, self.fields.title, scoring)?;
        let (top, counts) = self.each_segment(|(number, reader, segment), only, facets, top| {
            let mut is_excluded = excluded.excluder(reader)?;
            let mut list = |head| {
                if !is_excluded(head, segment.end(head)) && facets.count(head) {
                    let scored = Scored::default();
                    top.push(scored, number, head, || segment.published(head));
                }
            };
            match only {
                Some(head) => list(head),
                None => segment.heads(reader).for_each(list),
            }
            Ok(())
        })?;
        self.show(plan, (top, counts))
    }

    fn top(&self) -> Top {
        Top::new(self.query)
    }

    /// Has `collect` look at each segment, and in it at single resources if only these are wanted.
    fn each_segment(
        &self,
        mut collect: impl FnMut(
            (u32, &SegmentReader, &Segment),
            Option<DocId>,
            &mut SegmentFacets<'_>,
            &mut Top,
        ) -> tantivy::Result<()>,
    ) -> tantivy::Result<(Top, Counts<'a>)> {
        let (mut top, mut counts) = (self.top(), Counts::new(self.view));
        let one = self.query.resource.as_ref().map(std::slice::from_ref);
        let wanted = one.or(self.query.among.as_deref());
        let wanted = wanted.map(|ids| ids.iter().map(|id| self.fields.id_term(id)));
        let wanted: Option<Vec<Term>> = wanted.map(Iterator::collect);
        for (number, reader, segment) in self.view.each() {
            let mut facets = SegmentFacets::open(segment, self.query);
            let here = (number, reader, segment);
            match &wanted {
                None => collect(here, None, &mut facets, &mut top)?,
                Some(ids) => {
                    for id in ids {
                        if let Some(head) = segment.find(reader, id)? {
                            collect(here, Some(head), &mut facets, &mut top)?;
                        }
                    }
                }
            }
            facets.finish(number, &mut counts);
        }
        if self.query.resource.is_none() {
            // The passages of the last one looked at say nothing about the others.
            top.inside.clear();
        }
        Ok((top, counts))
    }

    fn show(&self, plan: &Plan, (top, counts): (Top, Counts<'_>)) -> tantivy::Result<Found> {
        let total = top.total;
        let inside = top.inside.clone();
        let hits = top
            .finish()
            .iter()
            .map(|candidate| {
                let best = candidate.scored.passages.iter().flatten().map(|(doc, _)| *doc);
                let passages = if inside.is_empty() { best.collect() } else { inside.clone() };
                show::hit(self.view, self.fields, &plan.needles, candidate, &passages)
            })
            .collect::<tantivy::Result<_>>()?;
        Ok(Found { total, hits, facets: counts.finish(), heard: false })
    }

    fn nothing(&self) -> Found {
        Found { facets: Counts::new(self.view).finish(), ..Found::default() }
    }
}
