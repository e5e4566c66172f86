//! What a way asks, ready to be looked for in each segment.
//!
//! Nearly all that is asked are single terms: for these the lists are read here, without the boxes
//! and double look-ups that tantivy's queries need.

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{Postings as _, SegmentPostings};
use tantivy::query::{Bm25Weight, EnableScoring, Scorer, TermQuery, Weight};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet as _, SegmentReader, Term};

use super::plan::Way;

/// What a way asks.
pub(super) enum Asked {
    Term(Term, Bm25Weight),
    Other(Box<dyn Weight>),
}

/// Where a way finds something in one segment.
pub(super) enum InSegment {
    Term(Box<TermDocuments>),
    Other(Box<dyn Scorer>),
}

/// The documents of a term.
pub(super) struct TermDocuments {
    postings: SegmentPostings,
    lengths: FieldNormReader,
    weight: Bm25Weight,
}

impl Asked {
    /// What `way` asks.
    pub(super) fn of(way: &Way, scoring: EnableScoring<'_>) -> tantivy::Result<Self> {
        if let Some(query) = way.query.downcast_ref::<TermQuery>()
            && let EnableScoring::Enabled { statistics_provider, .. } = scoring
        {
            let term = query.term().clone();
            let weight = Bm25Weight::for_terms(statistics_provider, std::slice::from_ref(&term))?;
            return Ok(Self::Term(term, weight));
        }
        Ok(Self::Other(way.query.weight(scoring)?))
    }

    /// Where it is in `segment`, its scores multiplied by `factor`; `None` when it is not there.
    pub(super) fn in_segment(
        &self,
        segment: &SegmentReader,
        factor: f32,
    ) -> tantivy::Result<Option<InSegment>> {
        let (term, weight) = match self {
            Self::Term(term, weight) => (term, weight),
            Self::Other(weight) => {
                return Ok(Some(InSegment::Other(weight.scorer(segment, factor)?)));
            }
        };
        let inverted = segment.inverted_index(term.field())?;
        let postings = inverted.read_postings(term, IndexRecordOption::WithFreqs)?;
        let Some(postings) = postings else { return Ok(None) };
        let lengths = segment.fieldnorms_readers().get_field(term.field())?;
        let lengths = lengths.unwrap_or_else(|| FieldNormReader::constant(segment.max_doc(), 1));
        let weight = weight.boost_by(factor);
        Ok(Some(InSegment::Term(Box::new(TermDocuments { postings, lengths, weight }))))
    }
}

impl InSegment {
    pub(super) fn doc(&self) -> DocId {
        match self {
            Self::Term(term) => term.postings.doc(),
            Self::Other(scorer) => scorer.doc(),
        }
    }

    pub(super) fn advance(&mut self) -> DocId {
        match self {
            Self::Term(term) => term.postings.advance(),
            Self::Other(scorer) => scorer.advance(),
        }
    }

    pub(super) fn seek(&mut self, doc: DocId) -> DocId {
        match self {
            Self::Term(term) => term.postings.seek(doc),
            Self::Other(scorer) => scorer.seek(doc),
        }
    }

    /// The score of the document it is at.
    pub(super) fn score(&mut self) -> f32 {
        match self {
            Self::Term(term) => {
                let length = term.lengths.fieldnorm_id(term.postings.doc());
                term.weight.score(length, term.postings.term_freq())
            }
            Self::Other(scorer) => scorer.score(),
        }
    }
}
