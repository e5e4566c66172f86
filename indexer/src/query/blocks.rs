//! Resources as blocks of neighbouring documents (see [`crate::schema`]).

use std::sync::Arc;

use tantivy::columnar::ColumnValues;
use tantivy::schema::Value;
use tantivy::{DocId, Searcher, SegmentReader};

/// The blocks of one segment.
pub(crate) struct Blocks<'a> {
    segment: &'a SegmentReader,
    seq: Arc<dyn ColumnValues<u64>>,
    size: Arc<dyn ColumnValues<u64>>,
    published: Arc<dyn ColumnValues<i64>>,
}

impl<'a> Blocks<'a> {
    /// The blocks of `segment`.
    pub(crate) fn open(segment: &'a SegmentReader) -> tantivy::Result<Self> {
        let columns = segment.fast_fields();
        Ok(Self {
            segment,
            seq: columns.column_first_or_default("seq")?,
            size: columns.column_first_or_default("size")?,
            published: columns.column_first_or_default("published")?,
        })
    }

    /// The resource's own document of the block that `doc` is in.
    pub(crate) fn head(&self, doc: DocId) -> DocId {
        doc - narrow(self.seq.get_val(doc)).min(doc)
    }

    /// The document behind the last of the block that begins with `head`.
    pub(crate) fn end(&self, head: DocId) -> DocId {
        head.saturating_add(narrow(self.size.get_val(head)))
            .saturating_add(1)
            .min(self.segment.max_doc())
    }

    /// When the resource was published, Unix time in milliseconds.
    pub(crate) fn published(&self, head: DocId) -> i64 {
        self.published.get_val(head)
    }

    /// Whether the resource is still there.
    pub(crate) fn is_alive(&self, head: DocId) -> bool {
        !self.segment.is_deleted(head)
    }

    /// The heads of all blocks that are still there.
    pub(crate) fn heads(&self) -> impl Iterator<Item = DocId> {
        let first = (self.segment.max_doc() > 0).then_some(0);
        std::iter::successors(first, |&head| {
            Some(self.end(head)).filter(|&next| next < self.segment.max_doc())
        })
        .filter(|&head| self.is_alive(head))
    }
}

/// The ids of all resources, sorted.
pub(crate) fn resources(searcher: &Searcher) -> tantivy::Result<Vec<String>> {
    let mut ids = Vec::new();
    for segment in searcher.segment_readers() {
        let Some(column) = segment.fast_fields().str("id")? else { continue };
        for head in Blocks::open(segment)?.heads() {
            let mut id = String::new();
            if let Some(ord) = column.term_ords(head).next() {
                column.ord_to_str(ord, &mut id)?;
                ids.push(id);
            }
        }
    }
    ids.sort_unstable();
    Ok(ids)
}

/// How many resources there are.
pub(crate) fn count(searcher: &Searcher) -> tantivy::Result<usize> {
    let mut count = 0;
    for segment in searcher.segment_readers() {
        count += Blocks::open(segment)?.heads().count();
    }
    Ok(count)
}

/// The stored text of `field` in `doc`; empty when there is none.
pub(crate) fn stored(doc: &tantivy::TantivyDocument, field: tantivy::schema::Field) -> &str {
    doc.get_first(field).and_then(|value| value.as_str()).unwrap_or_default()
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
