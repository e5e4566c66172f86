//! Values that restrict a search and values that are counted.

use std::collections::BTreeMap;

use tantivy::DocId;

use crate::Query;
use crate::schema::FACETS;
use crate::view::{Segment, View};

/// The most values of a facet that are given.
const MAX_VALUES: usize = 200;

/// The counts of values, over all segments.
pub(crate) struct Counts<'a> {
    view: &'a View,
    by_value: Vec<u64>,
}

/// The values of one segment's resources: which are wanted and how often each was found.
pub(crate) struct SegmentFacets<'a> {
    segment: &'a Segment,
    /// For each signature a bit for each facet whose value is not wanted; `None` when any will do.
    unwanted: Option<Vec<u8>>,
    /// The signatures found, wanted or not, as long as there are few.
    few: Vec<u32>,
    /// How often each was found before that.
    many: Vec<u32>,
}

impl<'a> SegmentFacets<'a> {
    /// The facets of `segment`, restricted as `query` says.
    pub(crate) fn open(segment: &'a Segment, query: &Query) -> Self {
        let lists = [
            &query.libraries,
            &query.kinds,
            &query.topics,
            &query.audiences,
            &query.languages,
            &query.local,
        ];
        let signatures = &segment.signatures;
        let unwanted = lists.iter().any(|list| !list.is_empty()).then(|| {
            let fits = |(facet, value): &(usize, String)| lists[*facet].contains(value);
            let fits: Vec<bool> = signatures.values.iter().map(fits).collect();
            let lacks = |signature, facet: usize| {
                let mut values = signatures.values_of(signature).iter().map(|at| *at as usize);
                !lists[facet].is_empty()
                    && !values.any(|at| fits[at] && signatures.values[at].0 == facet)
            };
            let bits = |signature| {
                (0..FACETS.len()).map(|facet| u8::from(lacks(signature, facet)) << facet).sum()
            };
            (0..).take(signatures.len()).map(bits).collect()
        });
        Self { segment, unwanted, few: Vec::new(), many: Vec::new() }
    }

    /// Counts the resource at `head`; false when it is not among those wanted.
    pub(crate) fn count(&mut self, head: DocId) -> bool {
        let signature = self.segment.signature(head);
        self.few.push(signature);
        if self.few.len() > self.segment.signatures.len() {
            self.add_up();
        }
        self.unwanted.as_ref().is_none_or(|unwanted| unwanted[signature as usize] == 0)
    }

    fn add_up(&mut self) {
        self.many.resize(self.segment.signatures.len(), 0);
        for signature in self.few.drain(..) {
            self.many[signature as usize] += 1;
        }
    }

    /// Adds what was counted in the segment of this number to `counts`. A value counts what would
    /// be found if it were chosen too: the values chosen of its own facet do not matter.
    pub(crate) fn finish(self, number: u32, counts: &mut Counts<'_>) {
        let signatures = &self.segment.signatures;
        let numbers = &counts.view.numbers[number as usize];
        let mut add = |signature: u32, count: u32| {
            let unwanted = self.unwanted.as_ref().map_or(0, |all| all[signature as usize]);
            for value in signatures.values_of(signature).iter().map(|value| *value as usize) {
                if unwanted & !(1 << signatures.values[value].0) == 0 {
                    counts.by_value[numbers[value] as usize] += u64::from(count);
                }
            }
        };
        for (signature, count) in (0..).zip(&self.many).filter(|(_, count)| **count > 0) {
            add(signature, *count);
        }
        self.few.iter().for_each(|signature| add(*signature, 1));
    }
}

impl<'a> Counts<'a> {
    /// Nothing counted in `view`.
    pub(crate) fn new(view: &'a View) -> Self {
        Self { view, by_value: vec![0; view.values.len()] }
    }

    /// The counts by facet, the most frequent value first.
    pub(crate) fn finish(self) -> BTreeMap<String, Vec<(String, u64)>> {
        let mut lists: [Vec<(&String, u64)>; FACETS.len()] = Default::default();
        for ((facet, value), count) in self.view.values.iter().zip(self.by_value) {
            if count > 0 {
                lists[*facet].push((value, count));
            }
        }
        FACETS
            .iter()
            .zip(lists)
            .map(|(name, mut values)| {
                values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
                values.truncate(MAX_VALUES);
                let owned = values.into_iter().map(|(value, count)| (value.clone(), count));
                ((*name).to_owned(), owned.collect())
            })
            .collect()
    }
}
