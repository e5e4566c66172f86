//! What searches see: the segments of one commit with their columns open, so that a search need
//! not open them.
//!
//! A resource is a block of neighbouring documents (see [`crate::schema`]).

use std::ops::Range;
use std::sync::Arc;

use tantivy::columnar::{ColumnValues, StrColumn};
use tantivy::index::SegmentId;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, Searcher, SegmentReader, TERMINATED, Term};

use crate::schema::{FACETS, Fields, id_text, read_signature};

/// The segments of one commit.
pub(crate) struct View {
    /// What reads them.
    pub(crate) searcher: Searcher,
    /// As many as `searcher` has, in its order.
    pub(crate) segments: Vec<Arc<Segment>>,
    /// Documents, those deleted included, as they are in frequencies.
    pub(crate) documents: u64,
    /// Resources among them.
    pub(crate) resources: u64,
}

/// The columns of one segment.
pub(crate) struct Segment {
    id: SegmentId,
    documents: DocId,
    resources: u64,
    seq: Arc<dyn ColumnValues<u64>>,
    size: Arc<dyn ColumnValues<u64>>,
    published: Arc<dyn ColumnValues<i64>>,
    exact: Arc<dyn ColumnValues<u64>>,
    signature: Option<StrColumn>,
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
                same.map_or_else(|| Segment::open(reader).map(Arc::new), |same| Ok(Arc::clone(same)))
            })
            .collect::<tantivy::Result<Vec<_>>>()?;
        let documents = segments.iter().map(|segment| u64::from(segment.documents)).sum();
        let resources = segments.iter().map(|segment| segment.resources).sum();
        Ok(Self { searcher, segments, documents, resources })
    }

    /// The segments with their readers.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&SegmentReader, &Segment)> {
        self.searcher.segment_readers().iter().zip(self.segments.iter().map(Arc::as_ref))
    }

    /// How many resources there are.
    pub(crate) fn count(&self) -> usize {
        let count = |(reader, segment): (&SegmentReader, &Segment)| match reader.has_deletes() {
            true => segment.heads(reader).count(),
            false => usize::try_from(segment.resources).unwrap_or(usize::MAX),
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
        let signature = columns.str("signature")?;
        let resources = signature.as_ref().map_or(0, |column| column.ords().values.num_vals());
        let signatures = signature.as_ref().map(Signatures::read).transpose()?;
        Ok(Self {
            id: reader.segment_id(),
            documents: reader.max_doc(),
            resources: resources.into(),
            seq: columns.column_first_or_default("seq")?,
            size: columns.column_first_or_default("size")?,
            published: columns.column_first_or_default("published")?,
            exact: columns.column_first_or_default("exact")?,
            signature,
            signatures: signatures.unwrap_or_default(),
        })
    }

    /// The resource's own document of the block that `doc` is in.
    pub(crate) fn head(&self, doc: DocId) -> DocId {
        doc - narrow(self.seq.get_val(doc)).min(doc)
    }

    /// The document behind the last of the block that begins with `head`.
    pub(crate) fn end(&self, head: DocId) -> DocId {
        head.saturating_add(narrow(self.size.get_val(head))).saturating_add(1).min(self.documents)
    }

    /// When the resource was published, Unix time in milliseconds.
    pub(crate) fn published(&self, head: DocId) -> i64 {
        self.published.get_val(head)
    }

    /// The number of the title, see [`crate::schema::exact`].
    pub(crate) fn exact(&self, head: DocId) -> u64 {
        self.exact.get_val(head)
    }

    /// The number of the resource's signature.
    pub(crate) fn signature(&self, head: DocId) -> Option<usize> {
        let ord = self.signature.as_ref()?.ords().first(head)?;
        usize::try_from(ord).ok()
    }

    /// The heads of all blocks that are still there.
    pub(crate) fn heads(&self, reader: &SegmentReader) -> impl Iterator<Item = DocId> {
        let first = (self.documents > 0).then_some(0);
        std::iter::successors(first, |&head| {
            Some(self.end(head)).filter(|&next| next < self.documents)
        })
        .filter(|&head| !reader.is_deleted(head))
    }

    /// The head of the resource with this id; `None` when it is not here.
    pub(crate) fn find(
        &self,
        reader: &SegmentReader,
        id: &Term,
    ) -> tantivy::Result<Option<DocId>> {
        let postings =
            reader.inverted_index(id.field())?.read_postings(id, IndexRecordOption::Basic)?;
        Ok(postings.and_then(|postings| alive(reader, postings).next()))
    }
}

impl Signatures {
    fn read(column: &StrColumn) -> tantivy::Result<Self> {
        let mut signatures = Self { begins: vec![0], ..Self::default() };
        let mut numbers = std::collections::HashMap::new();
        let mut terms = column.dictionary().stream()?;
        while terms.advance() {
            let text = String::from_utf8_lossy(terms.key());
            for (facet, values) in (0..FACETS.len()).zip(read_signature(&text)) {
                for value in values {
                    let next = numbers.len();
                    let number = *numbers.entry((facet, value.to_owned())).or_insert(next);
                    if number == next {
                        signatures.values.push((facet, value.to_owned()));
                    }
                    signatures.all.push(narrow(number as u64));
                }
            }
            signatures.begins.push(narrow(signatures.all.len() as u64));
        }
        Ok(signatures)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.begins.len().saturating_sub(1)
    }

    /// The numbers of a signature's values.
    pub(crate) fn values_of(&self, signature: usize) -> &[u32] {
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
