//! The best so far.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use tantivy::DocId;

use super::sheet::Scored;
use crate::{MAX_DEPTH, MAX_PER_PAGE, Query, Sort};

/// How much what is published this moment gains, and after how long that is halved.
const NEW: f32 = 0.05;
const HALVED_MS: f32 = 180.0 * 86_400_000.0;

/// How much is gained by what somebody vouches for: as much as by being new.
const VOUCHED: f32 = 0.05;

/// A resource that matches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    /// What it scored.
    pub(crate) scored: Scored,
    /// When it was published, Unix time in milliseconds.
    pub(crate) published: i64,
    /// The number of its segment.
    pub(crate) segment: u32,
    /// Its own document there.
    pub(crate) head: DocId,
}

/// What a score is multiplied by for being published at `published`, both in milliseconds of Unix
/// time: twice as new is never worth a better match. 1 when it is not known what time it is.
pub(crate) fn freshness(now_ms: i64, published: i64) -> f32 {
    if now_ms == 0 {
        return 1.0;
    }
    let age_ms = now_ms.saturating_sub(published).max(0);
    1.0 + NEW * (-(age_ms as f32) / HALVED_MS).exp2()
}

/// What a score is multiplied by when somebody vouches for the resource, or not.
pub(crate) fn vouched(is: bool) -> f32 {
    if is { 1.0 + VOUCHED } else { 1.0 }
}

/// The best candidates, as many as the page needs, and the number of all.
pub(crate) struct Top {
    sort: Sort,
    now_ms: i64,
    skip: usize,
    keep: usize,
    heap: BinaryHeap<Reverse<Ranked>>,
    /// Of the one resource that is searched, the passages found, the best first.
    pub(crate) inside: Vec<DocId>,
    /// How many were pushed.
    pub(crate) total: usize,
    /// How many match the words, those among them that are not wanted.
    pub(crate) matched: usize,
}

impl Top {
    /// For the page that `query` wants.
    pub(crate) fn new(query: &Query) -> Self {
        let per_page = query.per_page.min(MAX_PER_PAGE);
        let skip = query.page.saturating_sub(1).saturating_mul(per_page).min(MAX_DEPTH);
        let keep = (skip + per_page).min(MAX_DEPTH);
        let (sort, now_ms) = (query.sort, query.now_ms);
        Self {
            sort,
            now_ms,
            skip,
            keep,
            heap: BinaryHeap::new(),
            inside: Vec::new(),
            total: 0,
            matched: 0,
        }
    }

    /// Counts a candidate and keeps it if it is good; `published` is asked only when that matters.
    pub(crate) fn push(
        &mut self,
        mut scored: Scored,
        segment: u32,
        head: DocId,
        published: impl Fn() -> i64,
    ) {
        self.total += 1;
        let worst = self.heap.peek().filter(|_| self.heap.len() >= self.keep);
        let most = scored.score * (1.0 + NEW);
        let hopeless = |worst: &Reverse<Ranked>| most < worst.0.candidate.scored.score;
        if self.sort == Sort::Relevance && worst.is_some_and(hopeless) {
            return;
        }
        let published = published();
        scored.score *= freshness(self.now_ms, published);
        let candidate = Candidate { scored, published, segment, head };
        let ranked = Ranked { sort: self.sort, candidate };
        if self.heap.len() < self.keep {
            self.heap.push(Reverse(ranked));
        } else if self.heap.peek().is_some_and(|worst| ranked > worst.0) {
            self.heap.pop();
            self.heap.push(Reverse(ranked));
        }
    }

    /// The candidates of the page, the best first.
    pub(crate) fn finish(self) -> Vec<Candidate> {
        let sorted = self.heap.into_sorted_vec();
        sorted.into_iter().skip(self.skip).map(|ranked| ranked.0.candidate).collect()
    }
}

struct Ranked {
    sort: Sort,
    candidate: Candidate,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (&self.candidate, &other.candidate);
        let newest = a.published.cmp(&b.published);
        let best = a.scored.score.total_cmp(&b.scored.score);
        let order = match self.sort {
            Sort::Relevance => best.then(newest),
            Sort::Newest => newest.then(best),
        };
        // Of equals the one first in the index, so that pages fit together.
        order.then((b.segment, b.head).cmp(&(a.segment, a.head)))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}
