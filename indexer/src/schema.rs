//! The shape of the index.
//!
//! A resource is a block of neighbouring documents in one segment: first the document of the
//! resource itself, then one a passage. They are added in one group, which tantivy keeps whole,
//! and deleted together by id; merging keeps the order. So `doc - seq` is the resource of any
//! document, and `size` how many passages follow it: hits are grouped without a look-up.

use tantivy::schema::{
    FAST, Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{TantivyDocument, Term};

use crate::words::{Terms, fold_text};
use crate::{Entry, Passage, Words, suggest};

/// Counted up with every change to fields, terms or their meaning.
pub(crate) const VERSION: u32 = 2;

/// The fields that are counted, by the names they are found under in
/// [`Found::facets`](crate::Found::facets).
pub(crate) const FACETS: [&str; 5] = ["library", "kind", "topic", "audience", "language"];

/// The fields of a document.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    /// All documents: the resource's id.
    pub(crate) id: Field,
    /// All documents: 0 in the resource's own, counted up over its passages.
    pub(crate) seq: Field,
    /// Resource: how many passages follow; 0 in passages.
    pub(crate) size: Field,
    /// Resource: [`FACETS`], in their order.
    pub(crate) facets: [Field; 5],
    /// Resource: Unix time in milliseconds.
    pub(crate) published: Field,
    /// Resource: the title's terms.
    pub(crate) title: Field,
    /// Resource: the terms of all else about it. Passage: the terms of its text.
    pub(crate) text: Field,
    /// Resource: the title's pinyin.
    pub(crate) title_sounds: Field,
    /// As `text`: the pinyin of it.
    pub(crate) text_sounds: Field,
    /// Resource: the whole title, folded, without white space and punctuation.
    pub(crate) exact: Field,
    /// Resource: what is typed to have the title suggested.
    pub(crate) typed: Field,
    /// Stored. Resource: its title. Passage: its text.
    pub(crate) shown: Field,
    /// Stored. Resource: its description.
    pub(crate) description: Field,
    /// Stored. Passage: its kind's code.
    pub(crate) moment_kind: Field,
    /// Stored. Passage: where it begins, in milliseconds.
    pub(crate) start: Field,
    /// Stored. Passage: its page.
    pub(crate) page: Field,
}

/// The schema and its fields.
pub(crate) fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let mut terms = |name: &str, terms: Terms, option: IndexRecordOption, norms: bool| {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(terms.name())
            .set_index_option(option)
            .set_fieldnorms(norms);
        schema.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
    };
    let title = terms("title", Terms::Grams, IndexRecordOption::WithFreqsAndPositions, true);
    let text = terms("text", Terms::Grams, IndexRecordOption::WithFreqsAndPositions, true);
    let title_sounds =
        terms("title_sounds", Terms::Sounds, IndexRecordOption::WithFreqsAndPositions, true);
    let text_sounds = terms("text_sounds", Terms::Pairs, IndexRecordOption::Basic, false);
    let facets = FACETS.map(|name| schema.add_text_field(name, STRING | FAST));
    let fields = Fields {
        id: schema.add_text_field("id", STRING | FAST),
        seq: schema.add_u64_field("seq", FAST),
        size: schema.add_u64_field("size", FAST),
        facets,
        published: schema.add_i64_field("published", FAST),
        title,
        text,
        title_sounds,
        text_sounds,
        exact: schema.add_text_field("exact", STRING),
        typed: schema.add_text_field("typed", STRING),
        shown: schema.add_text_field("shown", STORED),
        description: schema.add_text_field("description", STORED),
        moment_kind: schema.add_u64_field("moment_kind", STORED),
        start: schema.add_i64_field("start", STORED),
        page: schema.add_u64_field("page", STORED),
    };
    (schema.build(), fields)
}

impl Fields {
    /// The term under which all documents of `resource` are found.
    pub(crate) fn id_term(&self, resource: &str) -> Term {
        Term::from_field_text(self.id, resource)
    }

    /// The block of `entry`, its own document first.
    pub(crate) fn documents(&self, entry: &Entry, words: &Words) -> Vec<TantivyDocument> {
        let mut block = Vec::with_capacity(entry.passages.len() + 1);
        block.push(self.resource(entry, words));
        for (seq, passage) in (1..).zip(&entry.passages) {
            block.push(self.passage(&entry.resource, seq, passage));
        }
        block
    }

    fn resource(&self, entry: &Entry, words: &Words) -> TantivyDocument {
        let mut doc = TantivyDocument::default();
        doc.add_text(self.id, &entry.resource);
        doc.add_u64(self.seq, 0);
        doc.add_u64(self.size, entry.passages.len() as u64);
        doc.add_i64(self.published, entry.published_ms);
        let [library, kind, topic, audience, language] = self.facets;
        let single = [(library, &entry.library), (kind, &entry.kind)];
        let topics = entry.topics.iter().map(|value| (topic, value));
        let audiences = entry.audiences.iter().map(|value| (audience, value));
        let languages = entry.language.iter().map(|value| (language, value));
        for (field, value) in single.into_iter().chain(topics).chain(audiences).chain(languages) {
            doc.add_text(field, value);
        }
        doc.add_text(self.title, &entry.title);
        doc.add_text(self.title_sounds, &entry.title);
        doc.add_text(self.exact, exact(&entry.title));
        for text in [&entry.description, &entry.author].into_iter().chain(&entry.words) {
            doc.add_text(self.text, text);
            doc.add_text(self.text_sounds, text);
        }
        for key in suggest::keys(&entry.title, words) {
            doc.add_text(self.typed, key);
        }
        doc.add_text(self.shown, &entry.title);
        doc.add_text(self.description, &entry.description);
        doc
    }

    fn passage(&self, resource: &str, seq: u64, passage: &Passage) -> TantivyDocument {
        let mut doc = TantivyDocument::default();
        doc.add_text(self.id, resource);
        doc.add_u64(self.seq, seq);
        doc.add_u64(self.size, 0);
        doc.add_text(self.text, &passage.text);
        doc.add_text(self.text_sounds, &passage.text);
        doc.add_text(self.shown, &passage.text);
        doc.add_u64(self.moment_kind, passage.kind.code());
        if let Some(start_ms) = passage.start_ms {
            doc.add_i64(self.start, start_ms);
        }
        if let Some(page) = passage.page {
            doc.add_u64(self.page, page.into());
        }
        doc
    }
}

/// A title as it is compared whole: folded, letters and characters only.
pub(crate) fn exact(title: &str) -> String {
    fold_text(title).chars().filter(|c| c.is_alphanumeric()).take(1_000).collect()
}
