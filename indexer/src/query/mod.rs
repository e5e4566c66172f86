//! Searching: parse, plan, rank, show.

pub(crate) mod blocks;
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

use tantivy::Searcher;
use tantivy::query::EnableScoring;

use self::blocks::Blocks;
use self::facets::{Counts, SegmentFacets};
use self::plan::Plan;
use self::rank::Ranking;
use self::sheet::Scored;
pub(crate) use self::show::resource_id;
use self::stats::Stats;
use self::top::{Candidate, Top};
use crate::schema::Fields;
use crate::{Found, MAX_PER_PAGE, Query, Words};

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
/// question, what has the better part of them by weight is found too.
pub(crate) fn search(
    searcher: &Searcher,
    fields: &Fields,
    words: &Words,
    query: &Query,
) -> tantivy::Result<Found> {
    let search = Search { searcher, fields, query };
    let clauses = parse::parse(&query.text);
    if clauses.is_empty() {
        // Nothing asked lists everything; only signs finds nothing.
        let blank = query.text.chars().all(char::is_whitespace);
        return if blank { search.list(&Plan::default()) } else { Ok(empty()) };
    }
    let stats = Stats::new(searcher, fields)?;
    let plan = plan::plan(&clauses, &query.text, words, &stats, fields)?;
    if plan.words.is_empty() {
        return search.list(&plan);
    }
    let question = plan.asks || plan.words.len() >= QUESTION_WORDS;
    let (top, counts) = search.rank(&plan, &stats, 1.0, false)?;
    // Whatever is wanted of them: what is counted must be found when it is chosen.
    if top.matched == 0 || (question && top.matched < ENOUGH) {
        let share = if question { SOME_OF_QUESTION } else { SOME };
        let (top, counts) = search.rank(&plan, &stats, share, question)?;
        return search.show(&plan, top, counts);
    }
    search.show(&plan, top, counts)
}

struct Search<'a> {
    searcher: &'a Searcher,
    fields: &'a Fields,
    query: &'a Query,
}

impl Search<'_> {
    fn rank(
        &self,
        plan: &Plan,
        stats: &Stats<'_>,
        share: f32,
        forgiving: bool,
    ) -> tantivy::Result<(Top, Counts)> {
        let scoring = EnableScoring::enabled_from_statistics_provider(stats, self.searcher);
        let exact = (!plan.exact.is_empty()).then(|| terms::term(self.fields.exact, &plan.exact));
        let ranking = Ranking::new(plan, share, forgiving, exact, scoring)?;
        self.each_segment(self.top(), |number, segment, facets, top| {
            ranking.collect(number, segment, facets, top)
        })
    }

    /// Everything, the newest first, but for what `plan` excludes.
    fn list(&self, plan: &Plan) -> tantivy::Result<Found> {
        let stats = Stats::new(self.searcher, self.fields)?;
        let scoring = EnableScoring::enabled_from_statistics_provider(&stats, self.searcher);
        let excluded = Ranking::new(plan, 0.0, true, None, scoring)?;
        let (top, counts) = self.each_segment(self.top(), |number, segment, facets, top| {
            let mut is_excluded = excluded.excluder(segment)?;
            let blocks = Blocks::open(segment)?;
            for head in blocks.heads() {
                if facets.admits(head) && !is_excluded(head, blocks.end(head)) {
                    facets.count(head);
                    let scored = Scored { score: 0.0, passages: [None; 3] };
                    let published = blocks.published(head);
                    top.push(Candidate { scored, published, segment: number, head });
                }
            }
            Ok(())
        })?;
        self.show(plan, top, counts)
    }

    fn top(&self) -> Top {
        Top::new(self.query.sort, self.query.page, self.query.per_page.min(MAX_PER_PAGE))
    }

    fn each_segment(
        &self,
        mut top: Top,
        mut collect: impl FnMut(
            u32,
            &tantivy::SegmentReader,
            &mut SegmentFacets,
            &mut Top,
        ) -> tantivy::Result<()>,
    ) -> tantivy::Result<(Top, Counts)> {
        let mut counts = Counts::default();
        for (number, segment) in (0..).zip(self.searcher.segment_readers()) {
            let mut facets = SegmentFacets::open(segment, self.query)?;
            collect(number, segment, &mut facets, &mut top)?;
            facets.finish(&mut counts)?;
        }
        Ok((top, counts))
    }

    fn show(&self, plan: &Plan, top: Top, counts: Counts) -> tantivy::Result<Found> {
        let total = top.total;
        let hits = top
            .finish()
            .iter()
            .map(|candidate| show::hit(self.searcher, self.fields, &plan.needles, candidate))
            .collect::<tantivy::Result<_>>()?;
        Ok(Found { total, hits, facets: counts.finish() })
    }
}

fn empty() -> Found {
    Found { facets: Counts::default().finish(), ..Found::default() }
}
