//! Values that restrict a search and values that are counted.

use std::collections::{BTreeMap, HashMap};

use tantivy::DocId;

use crate::Query;
use crate::schema::FACETS;
use crate::view::Segment;

/// The most values of a facet that are given.
const MAX_VALUES: usize = 200;

/// The counts of values, over all segments.
#[derive(Default)]
pub(crate) struct Counts {
    by_value: [HashMap<String, u64>; FACETS.len()],
}

/// The values of one segment's resources: which are wanted and how often each was found.
pub(crate) struct SegmentFacets<'a> {
    segment: &'a Segment,
    /// For each signature a bit for each facet whose value is not wanted; `None` when any will do.
    unwanted: Option<Vec<u8>>,
    /// How often each signature was found, wanted or not.
    found: Vec<u32>,
}

impl<'a> SegmentFacets<'a> {
    /// The facets of `segment`, restricted as `query` says.
    pub(crate) fn open(segment: &'a Segment, query: &Query) -> Self {
        let lists =
            [&query.libraries, &query.kinds, &query.topics, &query.audiences, &query.languages];
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
            (0..signatures.len()).map(bits).collect()
        });
        Self { segment, unwanted, found: vec![0; signatures.len()] }
    }

    /// Counts the resource at `head`; false when it is not among those wanted.
    pub(crate) fn count(&mut self, head: DocId) -> bool {
        let Some(signature) = self.segment.signature(head) else { return self.unwanted.is_none() };
        self.found[signature] += 1;
        self.unwanted.as_ref().is_none_or(|unwanted| unwanted[signature] == 0)
    }

    /// Adds what was counted to `counts`. A value counts what would be found if it were chosen
    /// too: the values chosen of its own facet do not matter.
    pub(crate) fn finish(self, counts: &mut Counts) {
        let signatures = &self.segment.signatures;
        let mut by_value = vec![0_u64; signatures.values.len()];
        for (signature, count) in self.found.iter().enumerate().filter(|(_, count)| **count > 0) {
            let unwanted = self.unwanted.as_ref().map_or(0, |unwanted| unwanted[signature]);
            for value in signatures.values_of(signature).iter().map(|value| *value as usize) {
                if unwanted & !(1 << signatures.values[value].0) == 0 {
                    by_value[value] += u64::from(*count);
                }
            }
        }
        for ((facet, value), count) in signatures.values.iter().zip(by_value) {
            let counts = &mut counts.by_value[*facet];
            match counts.get_mut(value) {
                _ if count == 0 => {}
                Some(sum) => *sum += count,
                None => drop(counts.insert(value.clone(), count)),
            }
        }
    }
}

impl Counts {
    /// The counts by facet, the most frequent value first.
    pub(crate) fn finish(self) -> BTreeMap<String, Vec<(String, u64)>> {
        FACETS
            .iter()
            .zip(self.by_value)
            .map(|(name, by_value)| {
                let mut values: Vec<(String, u64)> = by_value.into_iter().collect();
                values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
                values.truncate(MAX_VALUES);
                ((*name).to_owned(), values)
            })
            .collect()
    }
}
