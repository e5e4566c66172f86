//! What searches see: the segments of one commit with their columns open, so that a search need
//! not open them.
//!
//! A resource is a block of neighbouring documents (see [`crate::schema`]).

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use tantivy::columnar::{Column, ColumnIndex, ColumnValues, StrColumn};
use tantivy::index::SegmentId;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, Searcher, SegmentReader, TERMINATED, Term};

use crate::VOUCHED;
use crate::schema::{FACETS, Fields, LOCAL};
use crate::written::{id_text, read_signature};

/// The segments of one commit.
pub(crate) struct View {
    /// What reads them.
    pub(crate) searcher: Searcher,
    /// As many as `searcher` has, in its order.
    pub(crate) segments: Vec<Arc<Segment>>,
    /// Each value of a facet, by its number: the facet's place in [`FACETS`] and what it says.
    pub(crate) values: Vec<(usize, String)>,
    /// For each segment the numbers of its values in `values`.
    pub(crate) numbers: Vec<Vec<u32>>,
    /// Documents, those deleted included, as they are in frequencies.
    pub(crate) documents: u64,
    /// Resources among them.
    pub(crate) resources: u64,
}

/// The columns of one segment. Only resources have values in them, in their order.
pub(crate) struct Segment {
    id: SegmentId,
    heads: Heads,
    published: Arc<dyn ColumnValues<i64>>,
    exact: Arc<dyn ColumnValues<u64>>,
    /// Held in memory, for every resource that is found is counted: 4 bytes each.
    signature: Vec<u32>,
    /// What its signatures mean.
    pub(crate) signatures: Signatures,
}

/// What the signatures of a segment mean, by their numbers.
#[derive(Default)]
pub(crate) struct Signatures {
    /// Each value of a facet, by its number.
    pub(crate) values: Vec<(usize, String)>,
    /// The values of all signatures, one after the other.
    all: Vec<u32>,
    /// Where those of each signature begin, and where the last ends.
    begins: Vec<u32>,
    /// Whether each is of what somebody vouches for.
    vouched: Vec<bool>,
}

impl View {
    /// What `searcher` sees. Segments that `before` has open are taken over.
    pub(crate) fn open(searcher: Searcher, before: Option<&Self>) -> tantivy::Result<Self> {
        let known = before.map(|view| view.segments.as_slice()).unwrap_or_default();
        let segments = searcher
            .segment_readers()
            .iter()
            .map(|reader| {
                let same = known.iter().find(|segment| segment.id == reader.segment_id());
                same.map_or_else(
                    || Segment::open(reader).map(Arc::new),
                    |same| Ok(Arc::clone(same)),
                )
            })
            .collect::<tantivy::Result<Vec<_>>>()?;
        let mut table = Table::default();
        let of_segment = |segment: &Arc<Segment>| {
            let values = segment.signatures.values.iter();
            values.map(|(facet, value)| table.number(*facet, value)).collect()
        };
        let numbers = segments.iter().map(of_segment).collect();
        let documents = segments.iter().map(|segment| u64::from(segment.heads.documents)).sum();
        let resources = segments.iter().map(|segment| u64::from(segment.heads.count())).sum();
        Ok(Self { searcher, segments, values: table.values, numbers, documents, resources })
    }

    /// The segments with their numbers and readers.
    pub(crate) fn each(&self) -> impl Iterator<Item = (u32, &SegmentReader, &Segment)> {
        let readers = (0..).zip(self.searcher.segment_readers());
        readers
            .zip(&self.segments)
            .map(|((number, reader), segment)| (number, reader, segment.as_ref()))
    }

    /// The segment of this number.
    pub(crate) fn segment(&self, number: u32) -> Option<&Segment> {
        self.segments.get(number as usize).map(Arc::as_ref)
    }

    /// How many resources there are.
    pub(crate) fn count(&self) -> usize {
        let count =
            |(_, reader, segment): (u32, &SegmentReader, &Segment)| match reader.has_deletes() {
                true => segment.heads(reader).count(),
                false => segment.heads.count() as usize,
            };
        self.each().map(count).sum()
    }

    /// The ids of all resources, sorted.
    pub(crate) fn ids(&self, fields: &Fields) -> tantivy::Result<Vec<String>> {
        let mut ids = Vec::new();
        for reader in self.searcher.segment_readers() {
            let inverted = reader.inverted_index(fields.id)?;
            let mut terms = inverted.terms().stream()?;
            while terms.advance() {
                let postings = inverted
                    .read_postings_from_terminfo(terms.value(), IndexRecordOption::Basic)?;
                if alive(reader, postings).next().is_some() {
                    ids.push(id_text(terms.key()));
                }
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }
}

impl Segment {
    fn open(reader: &SegmentReader) -> tantivy::Result<Self> {
        let columns = reader.fast_fields();
        let signatures = columns.str("signature")?;
        let heads = Heads::new(reader.max_doc(), signatures.as_ref());
        let (signatures, signature) = match signatures {
            Some(column) => (Signatures::read(&column)?, numbers(&column)),
            None => Default::default(),
        };
        Ok(Self {
            id: reader.segment_id(),
            heads,
            published: columns
                .column_opt::<i64>("published")?
                .map_or_else(empty, |column| column.values),
            exact: columns.column_opt::<u64>("exact")?.map_or_else(empty, |column| column.values),
            signature,
            signatures,
        })
    }

    /// The resource's own document of the block that `doc` is in.
    pub(crate) fn head(&self, doc: DocId) -> DocId {
        self.heads.at_or_before(doc)
    }

    /// The document behind the last of the block that begins with `head`.
    pub(crate) fn end(&self, head: DocId) -> DocId {
        self.heads.after(head)
    }

    /// When the resource was published, Unix time in milliseconds.
    pub(crate) fn published(&self, head: DocId) -> i64 {
        self.published.get_val(self.heads.rank(head))
    }

    /// The number of the title, see [`crate::written::exact`].
    pub(crate) fn exact(&self, head: DocId) -> u64 {
        self.exact.get_val(self.heads.rank(head))
    }

    /// The number of the resource's signature.
    pub(crate) fn signature(&self, head: DocId) -> u32 {
        self.signature.get(self.heads.rank(head) as usize).copied().unwrap_or(0)
    }

    /// Whether somebody vouches for the resource.
    pub(crate) fn is_vouched(&self, head: DocId) -> bool {
        let signature = self.signature(head) as usize;
        self.signatures.vouched.get(signature).copied().unwrap_or(false)
    }

    /// The first value of a facet, by its place in [`crate::schema::FACETS`].
    pub(crate) fn value(&self, head: DocId, facet: usize) -> Option<&str> {
        let values = self.signatures.values_of(self.signature(head)).iter();
        let mut values = values.filter_map(|at| self.signatures.values.get(*at as usize));
        values.find(|(of, _)| *of == facet).map(|(_, value)| value.as_str())
    }

    /// The heads of all blocks that are still there.
    pub(crate) fn heads(&self, reader: &SegmentReader) -> impl Iterator<Item = DocId> {
        let first = (self.heads.documents > 0).then_some(0);
        std::iter::successors(first, |&head| {
            Some(self.end(head)).filter(|&next| next < self.heads.documents)
        })
        .filter(|&head| !reader.is_deleted(head))
    }

    /// The head of the resource with this id; `None` when it is not here.
    pub(crate) fn find(&self, reader: &SegmentReader, id: &Term) -> tantivy::Result<Option<DocId>> {
        let postings =
            reader.inverted_index(id.field())?.read_postings(id, IndexRecordOption::Basic)?;
        Ok(postings.and_then(|postings| alive(reader, postings).next()))
    }
}

/// Numbers values of facets as they come.
#[derive(Default)]
struct Table {
    values: Vec<(usize, String)>,
    numbers: HashMap<(usize, String), u32>,
}

impl Table {
    fn number(&mut self, facet: usize, value: &str) -> u32 {
        let next = narrow(self.values.len() as u64);
        *self.numbers.entry((facet, value.to_owned())).or_insert_with(|| {
            self.values.push((facet, value.to_owned()));
            next
        })
    }
}

/// Which documents are heads: a bit each, and how many come before each 64 of them.
struct Heads {
    documents: DocId,
    bits: Vec<u64>,
    before: Vec<u32>,
}

impl Heads {
    /// Those that have a signature.
    fn new(documents: DocId, signatures: Option<&StrColumn>) -> Self {
        let mut bits = vec![0_u64; documents.div_ceil(64) as usize];
        let mut mark = |head: DocId| {
            if let Some(word) = bits.get_mut((head / 64) as usize) {
                *word |= 1 << (head % 64);
            }
        };
        match signatures.map(|column| &column.ords().index) {
            Some(ColumnIndex::Optional(index)) => index.iter_non_null_docs().for_each(mark),
            Some(ColumnIndex::Full) => (0..documents).for_each(&mut mark),
            _ => {}
        }
        // Whatever a file says, the first block begins with the first document.
        if let Some(first) = bits.first_mut() {
            *first |= 1;
        }
        let mut sum = 0;
        let before = bits.iter().map(|word| {
            let before = sum;
            sum += word.count_ones();
            before
        });
        Self { documents, before: before.collect(), bits }
    }

    fn count(&self) -> u32 {
        let last = |(before, bits): (&u32, &u64)| before + bits.count_ones();
        self.before.last().zip(self.bits.last()).map_or(0, last)
    }

    /// The last head up to `doc`.
    fn at_or_before(&self, doc: DocId) -> DocId {
        let mut word = (doc / 64) as usize;
        let mut bits = self.bits[word] & (u64::MAX >> (63 - doc % 64));
        while bits == 0 {
            let Some(before) = word.checked_sub(1) else { return 0 };
            word = before;
            bits = self.bits[word];
        }
        narrow(word as u64) * 64 + 63 - bits.leading_zeros()
    }

    /// The first head behind `doc`; all documents when there is none.
    fn after(&self, doc: DocId) -> DocId {
        let next = doc + 1;
        let mut word = (next / 64) as usize;
        let mut bits = self.bits.get(word).map_or(0, |bits| bits & (u64::MAX << (next % 64)));
        while bits == 0 {
            word += 1;
            let Some(more) = self.bits.get(word) else { return self.documents };
            bits = *more;
        }
        narrow(word as u64) * 64 + bits.trailing_zeros()
    }

    /// How many heads come before the one at `head`.
    fn rank(&self, head: DocId) -> u32 {
        let word = (head / 64) as usize;
        let below = self.bits[word] & !(u64::MAX << (head % 64));
        self.before[word] + below.count_ones()
    }
}

/// The numbers of the signatures of all resources.
fn numbers(column: &StrColumn) -> Vec<u32> {
    let values = &column.ords().values;
    (0..values.num_vals()).map(|row| narrow(values.get_val(row))).collect()
}

fn empty<T: PartialOrd + Default>() -> Arc<dyn ColumnValues<T>> {
    Column::build_empty_column(0).values
}

impl Signatures {
    fn read(column: &StrColumn) -> tantivy::Result<Self> {
        let mut signatures = Self { begins: vec![0], ..Self::default() };
        let mut table = Table::default();
        let mut terms = column.dictionary().stream()?;
        while terms.advance() {
            let text = String::from_utf8_lossy(terms.key());
            let mut vouched = false;
            for (facet, values) in (0..FACETS.len()).zip(read_signature(&text)) {
                for value in values {
                    vouched |= facet == LOCAL && value == VOUCHED;
                    signatures.all.push(table.number(facet, value));
                }
            }
            signatures.begins.push(narrow(signatures.all.len() as u64));
            signatures.vouched.push(vouched);
        }
        signatures.values = table.values;
        Ok(signatures)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.begins.len().saturating_sub(1)
    }

    /// The numbers of a signature's values.
    pub(crate) fn values_of(&self, signature: u32) -> &[u32] {
        let signature = signature as usize;
        let at = |at: usize| self.begins.get(at).map_or(0, |begin| *begin as usize);
        let range: Range<usize> = at(signature)..at(signature + 1);
        self.all.get(range).unwrap_or_default()
    }
}

/// Those of `postings` that are not deleted.
pub(crate) fn alive<P: DocSet>(
    reader: &SegmentReader,
    mut postings: P,
) -> impl Iterator<Item = DocId> {
    let mut next = postings.doc();
    std::iter::from_fn(move || {
        let doc = next;
        (doc != TERMINATED).then(|| {
            next = postings.advance();
            doc
        })
    })
    .filter(|doc| !reader.is_deleted(*doc))
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(documents: u32, at: &[u32]) -> Heads {
        let mut heads = Heads::new(documents, None);
        for head in at {
            heads.bits[(head / 64) as usize] |= 1 << (head % 64);
        }
        let mut sum = 0;
        for (before, bits) in heads.before.iter_mut().zip(&heads.bits) {
            *before = sum;
            sum += bits.count_ones();
        }
        heads
    }

    proptest::proptest! {
        #[test]
        fn blocks_follow_each_other(documents in 1_u32..400, at in proptest::collection::vec(0_u32..400, 0..60)) {
            let mut at: Vec<u32> = at.into_iter().filter(|head| *head < documents).collect();
            at.push(0);
            at.sort_unstable();
            at.dedup();
            let heads = heads(documents, &at);
            proptest::prop_assert_eq!(heads.count() as usize, at.len());
            for (rank, head) in at.iter().enumerate() {
                let end = at.get(rank + 1).copied().unwrap_or(documents);
                proptest::prop_assert_eq!(heads.rank(*head) as usize, rank);
                for doc in *head..end {
                    proptest::prop_assert_eq!((heads.at_or_before(doc), heads.after(doc)), (*head, end));
                }
            }
        }
    }
}
