//! Titles that have what is being typed, by the lists of the index.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::postings::SegmentPostings;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocAddress, DocId, DocSet, InvertedIndexReader, SegmentReader, TERMINATED, Term};

use super::typed::{Element, Typed};
use crate::schema::Fields;
use crate::view::View;
use crate::words::{Sound, initial_pair, pair, start};

/// The most titles looked at for one way of reading what was typed.
const MAX_FOUND: usize = 200;
/// The most terms that one unfinished syllable or word may become.
const MAX_TERMS: usize = 64;
/// The most steps along lists for one text, a millisecond or two: what has several common terms
/// far apart in a large index is not looked for to its end.
const MAX_STEPS: usize = 40_000;

/// A term that a title has, or the beginning of one.
struct Wanted {
    field: Field,
    text: String,
    open: bool,
}

/// A title: whether it seems to begin so, its length, where it is.
pub(super) type Place = (bool, u8, DocAddress);

/// Titles that may have what was typed, the likeliest first: those that begin so, then the shorter.
pub(super) fn titles(view: &View, fields: &Fields, typed: &Typed) -> tantivy::Result<Vec<Place>> {
    let mut places: HashMap<DocAddress, (bool, u8)> = HashMap::new();
    let mut steps = MAX_STEPS;
    for way in &typed.ways {
        let within = wanted(way, fields);
        let Some(first) = beginning(way, fields) else { continue };
        for begins in [true, false] {
            // One letter is within nearly every title.
            if !begins && within.is_empty() {
                continue;
            }
            let wanted: Vec<&Wanted> = within.iter().chain(begins.then_some(&first)).collect();
            let mut left = MAX_FOUND;
            for (number, reader) in (0..).zip(view.searcher.segment_readers()) {
                let lengths = reader.get_fieldnorms_reader(fields.title)?;
                for doc in Meeting::of(reader, &wanted)?.alive(reader, &mut steps).take(left) {
                    let length = lengths.fieldnorm_id(doc);
                    let place = places.entry(DocAddress::new(number, doc)).or_default();
                    *place = (place.0 || begins, length);
                    left -= 1;
                }
            }
        }
    }
    let mut places: Vec<Place> =
        places.into_iter().map(|(address, (begins, length))| (begins, length, address)).collect();
    places.sort_unstable_by_key(|(begins, length, address)| (!begins, *length, *address));
    Ok(places)
}

/// The terms that a title with `way` has.
fn wanted(way: &[Element], fields: &Fields) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    let mut add = |field, text, open| wanted.push(Wanted { field, text, open });
    for (at, element) in way.iter().enumerate() {
        let (next, last) = (way.get(at + 1), at + 1 == way.len());
        let before = at.checked_sub(1).and_then(|before| way.get(before));
        match (element, next) {
            (Element::Char(ch), Some(Element::Char(next))) => {
                add(fields.title, [*ch, *next].iter().collect(), false);
            }
            (Element::Char(ch), _) if !matches!(before, Some(Element::Char(_))) => {
                add(fields.title, ch.to_string(), true);
            }
            (Element::Char(_), _) => {}
            (Element::Latin(word), _) => add(fields.title, word.clone(), last),
            (Element::Sound(sound), Some(Element::Sound(next))) => match (sound, next) {
                (Sound::Full(first), Sound::Full(second)) => {
                    add(fields.title_sounds, pair(first, second), at + 2 == way.len());
                }
                _ => {
                    if let (Some(first), Some(second)) = (sound.initial(), next.initial()) {
                        add(fields.title_initials, initial_pair(first, second), false);
                    }
                    if let Sound::Full(syllable) = sound {
                        add(fields.title_sounds, syllable.clone(), false);
                    }
                }
            },
            (Element::Sound(Sound::Full(syllable)), _) => {
                if !matches!(before, Some(Element::Sound(Sound::Full(_)))) && syllable.len() > 1 {
                    add(fields.title_sounds, syllable.clone(), last);
                }
            }
            (Element::Sound(Sound::Initial(_)), _) => {}
        }
    }
    wanted
}

/// The term of a title that begins with `way`.
fn beginning(way: &[Element], fields: &Fields) -> Option<Wanted> {
    let alone = way.len() == 1;
    let (field, text, open) = match way.first()? {
        Element::Char(ch) => (fields.title_sounds, start(&ch.to_string()), false),
        Element::Latin(word) => (fields.title_sounds, start(word), alone),
        Element::Sound(Sound::Full(syllable)) => (fields.title_sounds, start(syllable), alone),
        Element::Sound(Sound::Initial(letter)) => {
            (fields.title_initials, start(&letter.to_string()), false)
        }
    };
    Some(Wanted { field, text, open })
}

/// Documents that have all of some terms.
struct Meeting {
    /// For each what is wanted the lists of the terms that it may be.
    lists: Vec<Vec<SegmentPostings>>,
}

impl Meeting {
    fn of(reader: &SegmentReader, wanted: &[&Wanted]) -> tantivy::Result<Self> {
        let mut lists = Vec::with_capacity(wanted.len());
        for one in wanted {
            let inverted = reader.inverted_index(one.field)?;
            let found = if one.open {
                open_lists(&inverted, &one.text)?
            } else {
                let term = Term::from_field_text(one.field, &one.text);
                inverted.read_postings(&term, IndexRecordOption::Basic)?.into_iter().collect()
            };
            if found.is_empty() {
                return Ok(Self { lists: Vec::new() });
            }
            lists.push(found);
        }
        // The rarest leads.
        lists.sort_by_key(|lists| lists.iter().map(|list| u64::from(list.doc_freq())).sum::<u64>());
        Ok(Self { lists })
    }

    /// Those that are not deleted, until there are no `steps` left.
    fn alive(mut self, reader: &SegmentReader, steps: &mut usize) -> impl Iterator<Item = DocId> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let doc = self.next(from, steps)?;
            from = doc + 1;
            Some(doc)
        })
        .filter(|doc| !reader.is_deleted(*doc))
    }

    /// The first document from `from` on that is in all.
    fn next(&mut self, from: DocId, steps: &mut usize) -> Option<DocId> {
        let mut doc = from;
        if self.lists.is_empty() {
            return None;
        }
        loop {
            let begun = doc;
            for lists in &mut self.lists {
                *steps = steps.checked_sub(lists.len())?;
                doc = lists.iter_mut().map(|list| seek(list, doc)).min()?;
                if doc == TERMINATED {
                    return None;
                }
            }
            if doc == begun && self.lists.iter().all(|lists| lists.iter().any(|l| l.doc() == doc)) {
                return Some(doc);
            }
        }
    }
}

fn seek(list: &mut SegmentPostings, doc: DocId) -> DocId {
    if list.doc() < doc { list.seek(doc) } else { list.doc() }
}

/// The lists of the terms that begin with `text`.
fn open_lists(
    inverted: &Arc<InvertedIndexReader>,
    text: &str,
) -> tantivy::Result<Vec<SegmentPostings>> {
    let mut terms = inverted.terms().range().ge(text.as_bytes()).into_stream()?;
    let mut lists = Vec::new();
    while lists.len() < MAX_TERMS && terms.advance() && terms.key().starts_with(text.as_bytes()) {
        let basic = IndexRecordOption::Basic;
        lists.push(inverted.read_postings_from_terminfo(terms.value(), basic)?);
    }
    Ok(lists)
}
