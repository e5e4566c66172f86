//! How common terms are, for scores.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use tantivy::Term;
use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::Field;

use crate::schema::Fields;
use crate::view::View;

/// Statistics over the whole index. A title and a passage are documents of very different
/// length and number, so a term counts as common by both together (else a word of many titles
/// would weigh less there than in a passage), and the mean length of titles is taken over
/// resources only.
pub(crate) struct Stats<'a> {
    view: &'a View,
    fields: &'a Fields,
    known: Mutex<HashMap<Term, u64>>,
}

impl<'a> Stats<'a> {
    /// Statistics of what `view` sees.
    pub(crate) fn new(view: &'a View, fields: &'a Fields) -> Self {
        Self { view, fields, known: Mutex::default() }
    }

    /// How many documents have `text` in the field `first` or in `second`.
    pub(crate) fn frequency(
        &self,
        first: Field,
        second: Field,
        text: &str,
    ) -> tantivy::Result<u64> {
        Ok(self.count(&Term::from_field_text(first, text))?
            + self.count(&Term::from_field_text(second, text))?)
    }

    /// In how many documents a single character is taken to be, which nobody has counted.
    pub(crate) fn frequency_of_character(&self) -> u64 {
        self.view.documents / 64 + 1
    }

    /// The weight of a term that `frequency` documents have: BM25's inverse frequency.
    pub(crate) fn weight(&self, frequency: u64) -> f32 {
        let frequency = frequency.min(self.view.documents);
        let others = (self.view.documents - frequency) as f32;
        (1.0 + (others + 0.5) / (frequency as f32 + 0.5)).ln()
    }

    fn count(&self, term: &Term) -> tantivy::Result<u64> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = known.get(term) {
            return Ok(*count);
        }
        let count = self.view.searcher.doc_freq(term)?;
        known.insert(term.clone(), count);
        Ok(count)
    }

    /// The field in which the other kind of document has what this one has in `field`.
    fn twin(&self, field: Field) -> Option<Field> {
        let fields = self.fields;
        [(fields.title, fields.text), (fields.title_sounds, fields.text_sounds)]
            .into_iter()
            .find_map(|(a, b)| if field == a { Some(b) } else { (field == b).then_some(a) })
    }
}

impl Bm25StatisticsProvider for Stats<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        let tokens = self.view.searcher.total_num_tokens(field)?;
        if field == self.fields.title || field == self.fields.title_sounds {
            return Ok(tokens * self.view.documents / self.view.resources.max(1));
        }
        Ok(tokens)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.view.documents)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        let mut count = self.count(term)?;
        if let (Some(field), Some(text)) = (self.twin(term.field()), term.value().as_str()) {
            count += self.count(&Term::from_field_text(field, text))?;
        }
        Ok(count.min(self.view.documents))
    }
}
