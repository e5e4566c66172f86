//! Completing what is being typed.

mod keys;
mod typed;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;

use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;
use tantivy::{
    DocAddress, DocId, DocSet, InvertedIndexReader, Searcher, SegmentReader, TERMINATED,
};

pub(crate) use self::keys::keys;
use self::keys::{TITLE, WITHIN, WORD, WORD_END};
use self::typed::Typed;
use crate::Suggestion;
use crate::query::blocks::stored;
use crate::schema::Fields;

/// The longest text that is completed, in characters.
const MAX_TYPED: usize = 40;
/// The most suggestions.
const MAX_LIMIT: usize = 50;
/// The most terms read in one segment for one kind of key.
const MAX_TERMS: usize = 400;
/// The most titles looked at for what mixes characters and letters.
const MAX_CHECKED: usize = 200;

/// At most `limit` completions of `typed`, the likeliest first.
pub(crate) fn suggest(
    searcher: &Searcher,
    fields: &Fields,
    typed: &str,
    limit: usize,
) -> tantivy::Result<Vec<Suggestion>> {
    let limit = limit.min(MAX_LIMIT);
    let typed = Typed::new(typed, MAX_TYPED);
    if typed.key.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    let lookup = Lookup { searcher, fields };
    let mut list = List { limit, seen: HashSet::new(), suggestions: Vec::new() };
    for word in lookup.words(&typed.key)?.into_iter().take(limit.div_ceil(3)) {
        list.push(Suggestion { text: word, resource: None });
    }
    for place in lookup.titles(&typed.key, limit * 2)? {
        list.push(lookup.title(place)?);
    }
    for prefix in &typed.initials {
        if list.is_full() {
            break;
        }
        for place in lookup.titles(prefix, MAX_CHECKED)? {
            let title = lookup.title(place)?;
            if typed.completes_to(&title.text) {
                list.push(title);
            }
        }
    }
    Ok(list.suggestions)
}

/// Suggestions so far, each text once.
struct List {
    limit: usize,
    seen: HashSet<String>,
    suggestions: Vec<Suggestion>,
}

impl List {
    fn is_full(&self) -> bool {
        self.suggestions.len() >= self.limit
    }

    fn push(&mut self, suggestion: Suggestion) {
        if !self.is_full() && self.seen.insert(suggestion.text.clone()) {
            self.suggestions.push(suggestion);
        }
    }
}

struct Lookup<'a> {
    searcher: &'a Searcher,
    fields: &'a Fields,
}

/// Where a title is: at its beginning or within, how long its key is, the document.
type Place = (usize, usize, DocAddress);

impl Lookup<'_> {
    /// Words of several titles whose key begins with `key`, the most frequent first.
    fn words(&self, key: &str) -> tantivy::Result<Vec<String>> {
        let mut found: BTreeMap<String, usize> = BTreeMap::new();
        self.scan(&format!("{WORD}{key}"), MAX_TERMS, |_, segment, terms, term, info| {
            if let Some((_, word)) = term.split_once(WORD_END) {
                // Deleted titles are still counted in the term, so count those that are there.
                let alive = alive(segment, terms, info)?.len();
                *found.entry(word.to_owned()).or_default() += alive;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let mut words: Vec<(String, usize)> =
            found.into_iter().filter(|(_, titles)| *titles > 1).collect();
        words.sort_by_key(|(word, titles)| (Reverse(*titles), word.len()));
        Ok(words.into_iter().map(|(word, _)| word).collect())
    }

    /// Titles with a key that begins with `key`, those that begin so themselves first, then the
    /// shorter.
    fn titles(&self, key: &str, most: usize) -> tantivy::Result<Vec<Place>> {
        let mut places = Vec::new();
        for (rank, zone) in [TITLE, WITHIN].into_iter().enumerate() {
            if places.len() >= most {
                break;
            }
            self.scan(&format!("{zone}{key}"), MAX_TERMS, |number, segment, terms, term, info| {
                for doc in alive(segment, terms, info)? {
                    places.push((rank, term.len(), DocAddress::new(number, doc)));
                }
                Ok(if places.len() < MAX_TERMS {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                })
            })?;
        }
        places.sort_unstable();
        let mut seen = HashSet::new();
        places.retain(|(_, _, address)| seen.insert(*address));
        places.truncate(most);
        Ok(places)
    }

    fn title(&self, (_, _, address): Place) -> tantivy::Result<Suggestion> {
        let doc = self.searcher.doc(address)?;
        let resource = crate::query::resource_id(self.searcher, address)?;
        Ok(Suggestion {
            text: stored(&doc, self.fields.shown).to_owned(),
            resource: Some(resource),
        })
    }

    /// Calls `visit` with every term that begins with `prefix`, at most `most` a segment.
    fn scan(
        &self,
        prefix: &str,
        most: usize,
        mut visit: impl FnMut(
            u32,
            &SegmentReader,
            &InvertedIndexReader,
            &str,
            &TermInfo,
        ) -> tantivy::Result<ControlFlow<()>>,
    ) -> tantivy::Result<()> {
        for (number, segment) in (0..).zip(self.searcher.segment_readers()) {
            let terms = segment.inverted_index(self.fields.typed)?;
            let mut stream = terms.terms().range().ge(prefix.as_bytes()).into_stream()?;
            let mut seen = 0;
            while seen < most && stream.advance() {
                let Ok(term) = std::str::from_utf8(stream.key()) else { break };
                if !term.starts_with(prefix)
                    || visit(number, segment, &terms, term, stream.value())?.is_break()
                {
                    break;
                }
                seen += 1;
            }
        }
        Ok(())
    }
}

/// The documents with a term that are still there.
fn alive(
    segment: &SegmentReader,
    terms: &InvertedIndexReader,
    info: &TermInfo,
) -> tantivy::Result<Vec<DocId>> {
    let mut postings = terms.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
    let mut docs = Vec::new();
    while postings.doc() != TERMINATED && docs.len() < MAX_TERMS {
        if !segment.is_deleted(postings.doc()) {
            docs.push(postings.doc());
        }
        postings.advance();
    }
    Ok(docs)
}
