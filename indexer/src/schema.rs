//! The shape of the index.
//!
//! A resource is a block of neighbouring documents in one segment: first the document of the
//! resource itself, then one a passage. They are added in one group, which tantivy keeps whole,
//! and deleted together by id; merging keeps the order. Only resources have a signature: a block
//! reaches from one document that has one to the next, so hits are grouped without a look-up.

use tantivy::schema::{
    Field, IndexRecordOption, NumericOptions, STORED, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{TantivyDocument, Term};

use crate::words::Terms;
use crate::written::{Place, exact, id_bytes, signature, text_bytes};
use crate::{Entry, Passage};

/// Counted up with every change to fields, terms or their meaning.
pub(crate) const VERSION: u32 = 4;

/// The fields that are counted, by the names they are found under in
/// [`Found::facets`](crate::Found::facets).
pub(crate) const FACETS: [&str; 6] = ["library", "kind", "topic", "audience", "language", "local"];

/// Where among them the kind is.
pub(crate) const KIND: usize = 1;

/// Where among them it is what is local.
pub(crate) const LOCAL: usize = 5;

/// The fields of a document. Those whose frequencies, positions or lengths are not asked for are
/// kept without.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    /// All documents: the resource's id, as [`id_bytes`].
    pub(crate) id: Field,
    /// Resource: the values of all [`FACETS`] in one. There are few of these beside resources, so
    /// one look-up tells which to count.
    pub(crate) signature: Field,
    /// Resource: Unix time in milliseconds.
    pub(crate) published: Field,
    /// Resource: [`exact`] of the title.
    pub(crate) exact: Field,
    /// Resource: the title's terms.
    pub(crate) title: Field,
    /// Resource: the terms of all else about it. Passage: the terms of its text.
    pub(crate) text: Field,
    /// Resource: the syllables of the title, pairs of them, and what it begins with.
    pub(crate) title_sounds: Field,
    /// Resource: pairs of initials of the title.
    pub(crate) title_initials: Field,
    /// As `text`: pairs of syllables.
    pub(crate) text_sounds: Field,
    /// Resource: the author's terms.
    pub(crate) author: Field,
    /// Resource: the words of the title as written.
    pub(crate) word: Field,
    /// Stored, as [`text_bytes`]. Resource: its title. Passage: its text.
    pub(crate) shown: Field,
    /// Stored, as [`text_bytes`]. Resource: its description.
    pub(crate) description: Field,
    /// Stored. Resource: its id. Passage: where it is, as [`Place`].
    pub(crate) place: Field,
}

/// The schema and its fields.
pub(crate) fn schema() -> (Schema, Fields) {
    use IndexRecordOption::{Basic, WithFreqsAndPositions};
    let mut schema = Schema::builder();
    let mut terms = |name: &str, terms: Terms, option: IndexRecordOption, norms: bool| {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(terms.name())
            .set_index_option(option)
            .set_fieldnorms(norms);
        schema.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
    };
    let title = terms("title", Terms::Grams, WithFreqsAndPositions, true);
    let text = terms("text", Terms::Grams, WithFreqsAndPositions, true);
    let title_sounds = terms("title_sounds", Terms::Sounds, Basic, true);
    let title_initials = terms("title_initials", Terms::Initials, WithFreqsAndPositions, false);
    let text_sounds = terms("text_sounds", Terms::Pairs, Basic, false);
    let author = terms("author", Terms::Grams, Basic, false);
    let word = terms("word", Terms::Words, Basic, false);
    let fast = || NumericOptions::default().set_fast();
    let fields = Fields {
        id: schema.add_bytes_field("id", tantivy::schema::BytesOptions::default().set_indexed()),
        signature: schema.add_text_field("signature", TextOptions::default().set_fast("raw")),
        published: schema.add_i64_field("published", fast()),
        exact: schema.add_u64_field("exact", fast()),
        title,
        text,
        title_sounds,
        title_initials,
        text_sounds,
        author,
        word,
        shown: schema.add_bytes_field("shown", STORED),
        description: schema.add_bytes_field("description", STORED),
        place: schema.add_bytes_field("place", STORED),
    };
    (schema.build(), fields)
}

impl Fields {
    /// The term under which all documents of `resource` are found.
    pub(crate) fn id_term(&self, resource: &str) -> Term {
        Term::from_field_bytes(self.id, &id_bytes(resource))
    }

    /// The block of `entry`, its own document first.
    pub(crate) fn documents(&self, entry: &Entry) -> Vec<TantivyDocument> {
        let id = id_bytes(&entry.resource);
        let mut block = Vec::with_capacity(entry.passages.len() + 1);
        block.push(self.resource(entry, &id));
        block.extend(entry.passages.iter().map(|passage| self.passage(&id, passage)));
        block
    }

    fn resource(&self, entry: &Entry, id: &[u8]) -> TantivyDocument {
        let mut doc = TantivyDocument::default();
        doc.add_bytes(self.id, id);
        doc.add_text(self.signature, signature(entry));
        doc.add_i64(self.published, entry.published_ms);
        doc.add_u64(self.exact, exact(&entry.title).into());
        for field in [self.title, self.title_sounds, self.title_initials, self.word] {
            doc.add_text(field, &entry.title);
        }
        doc.add_text(self.author, &entry.author);
        let rest = [&entry.description, &entry.author];
        for text in rest.into_iter().chain(&entry.words).filter(|text| !text.is_empty()) {
            doc.add_text(self.text, text);
            doc.add_text(self.text_sounds, text);
        }
        doc.add_bytes(self.shown, &text_bytes(&entry.title));
        if !entry.description.is_empty() {
            doc.add_bytes(self.description, &text_bytes(&entry.description));
        }
        doc.add_bytes(self.place, id);
        doc
    }

    fn passage(&self, id: &[u8], passage: &Passage) -> TantivyDocument {
        let mut doc = TantivyDocument::default();
        doc.add_bytes(self.id, id);
        doc.add_text(self.text, &passage.text);
        doc.add_text(self.text_sounds, &passage.text);
        doc.add_bytes(self.shown, &text_bytes(&passage.text));
        doc.add_bytes(self.place, &Place::of(passage).bytes());
        doc
    }
}
