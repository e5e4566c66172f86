//! Completing what is being typed: words that several titles have, then titles.

mod completions;
mod meant;
mod titles;
mod typed;

use std::collections::HashSet;
use std::sync::Arc;

use tantivy::TantivyDocument;
use tantivy::schema::Value;

pub(crate) use self::completions::Completions;
pub(crate) use self::meant::did_you_mean;
use self::typed::Typed;
use crate::Suggestion;
use crate::schema::Fields;
use crate::view::View;
use crate::written::{id_text, stored};

/// The longest text that is completed, in characters.
const MAX_TYPED: usize = 40;
/// The most suggestions.
const MAX_LIMIT: usize = 50;
/// How many times as many titles are read as are wanted: some only seem to have what was typed.
const SPARE: usize = 3;

/// At most `limit` completions of `typed`, the likeliest first.
pub(crate) fn suggest(
    view: &Arc<View>,
    fields: &Fields,
    completions: &Completions,
    typed: &str,
    limit: usize,
) -> tantivy::Result<Vec<Suggestion>> {
    let limit = limit.min(MAX_LIMIT);
    let typed = Typed::new(typed, MAX_TYPED);
    if typed.key.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    let words = completions.words(view, fields, &typed.key, limit.div_ceil(3))?;
    let mut seen: HashSet<String> = words.iter().cloned().collect();
    let mut suggestions: Vec<Suggestion> =
        words.into_iter().map(|text| Suggestion { text, resource: None }).collect();
    let mut found = Vec::new();
    for (_, length, address) in
        titles::titles(view, fields, &typed)?.into_iter().take(limit * SPARE)
    {
        let doc: TantivyDocument = view.searcher.doc(address)?;
        let title = stored(&doc, fields.shown);
        if let Some(at) = typed.found_in(&title)
            && seen.insert(title.clone())
        {
            let id = doc.get_first(fields.place).and_then(|value| value.as_bytes());
            let title = Suggestion { text: title, resource: id.map(id_text) };
            found.push((at > 0, length, address, title));
        }
    }
    found.sort_by_key(|(within, length, address, _)| (*within, *length, *address));
    suggestions.extend(found.into_iter().map(|(.., title)| title));
    suggestions.truncate(limit);
    Ok(suggestions)
}
