//! Values that restrict a search and values that are counted.

use std::collections::{BTreeMap, HashMap};

use tantivy::columnar::StrColumn;
use tantivy::{DocId, SegmentReader};

use crate::Query;
use crate::schema::FACETS;

/// The most values of a facet that are given.
const MAX_VALUES: usize = 200;

/// The counts of values, over all segments.
#[derive(Default)]
pub(crate) struct Counts {
    by_value: [HashMap<String, u64>; 5],
}

/// The values of one segment's resources: which are wanted and how often each was found.
pub(crate) struct SegmentFacets {
    columns: [Option<StrColumn>; 5],
    wanted: [Option<Vec<u64>>; 5],
    found: [Vec<u64>; 5],
    /// The one resource wanted, if it is only one; no number when it is not in the segment.
    only: Option<Option<u64>>,
    ids: Option<StrColumn>,
}

impl SegmentFacets {
    /// The facets of `segment`, restricted as `query` says.
    pub(crate) fn open(segment: &SegmentReader, query: &Query) -> tantivy::Result<Self> {
        let lists =
            [&query.libraries, &query.kinds, &query.topics, &query.audiences, &query.languages];
        let mut facets = Self {
            columns: Default::default(),
            wanted: Default::default(),
            found: Default::default(),
            only: None,
            ids: None,
        };
        if let Some(id) = &query.resource {
            facets.ids = segment.fast_fields().str("id")?;
            let ids = facets.ids.as_ref().map(StrColumn::dictionary);
            let ord = ids.map(|ids| ids.term_ord(id.as_bytes())).transpose()?;
            facets.only = Some(ord.flatten());
        }
        for (at, list) in lists.into_iter().enumerate() {
            let column = segment.fast_fields().str(FACETS[at])?;
            facets.wanted[at] = wanted(column.as_ref(), list)?;
            facets.found[at] = vec![0; column.as_ref().map_or(0, |column| column.num_terms())];
            facets.columns[at] = column;
        }
        Ok(facets)
    }

    /// Whether the resource at `head` is among those wanted.
    pub(crate) fn admits(&self, head: DocId) -> bool {
        if let Some(only) = self.only
            && only != self.ids.as_ref().and_then(|ids| ids.term_ords(head).next())
        {
            return false;
        }
        self.wanted.iter().zip(&self.columns).all(|(wanted, column)| {
            let Some(wanted) = wanted else { return true };
            let Some(column) = column else { return false };
            column.term_ords(head).any(|ord| wanted.contains(&ord))
        })
    }

    /// Counts the resource at `head`.
    pub(crate) fn count(&mut self, head: DocId) {
        for (column, found) in self.columns.iter().zip(&mut self.found) {
            for ord in column.iter().flat_map(|column| column.term_ords(head)) {
                if let Some(count) = usize::try_from(ord).ok().and_then(|ord| found.get_mut(ord)) {
                    *count += 1;
                }
            }
        }
    }

    /// Adds what was counted to `counts`.
    pub(crate) fn finish(self, counts: &mut Counts) -> tantivy::Result<()> {
        for (at, (column, found)) in self.columns.iter().zip(self.found).enumerate() {
            let Some(column) = column else { continue };
            for (ord, count) in (0..).zip(found).filter(|(_, count)| *count > 0) {
                let mut value = String::new();
                column.ord_to_str(ord, &mut value)?;
                *counts.by_value[at].entry(value).or_default() += count;
            }
        }
        Ok(())
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

/// The numbers in `column` of the values in `list`; `None` when any value will do.
fn wanted(column: Option<&StrColumn>, list: &[String]) -> tantivy::Result<Option<Vec<u64>>> {
    if list.is_empty() {
        return Ok(None);
    }
    let mut ords = Vec::new();
    for value in list {
        if let Some(column) = column {
            ords.extend(column.dictionary().term_ord(value.as_bytes())?);
        }
    }
    Ok(Some(ords))
}
