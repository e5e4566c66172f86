//! What a hit looks like.

use tantivy::schema::Value;
use tantivy::{DocAddress, Searcher, TantivyDocument};

use super::blocks::stored;
use super::top::Candidate;
use crate::highlight::{Needles, snippet, title};
use crate::schema::Fields;
use crate::{Hit, Moment, PassageKind};

/// Reads what is stored of `candidate` and marks what was found.
pub(crate) fn hit(
    searcher: &Searcher,
    fields: &Fields,
    needles: &Needles,
    candidate: &Candidate,
) -> tantivy::Result<Hit> {
    let read = |doc| searcher.doc::<TantivyDocument>(DocAddress::new(candidate.segment, doc));
    let own = read(candidate.head)?;
    let mut moments = Vec::new();
    for (doc, _) in candidate.scored.passages.iter().flatten() {
        moments.push(moment(&read(*doc)?, fields, needles));
    }
    let description = snippet(stored(&own, fields.description), needles);
    let snippet = match moments.first() {
        Some(best) if !description.marked => best.text.clone(),
        _ if description.html.is_empty() => first_passage(searcher, fields, needles, candidate)?,
        _ => description.html,
    };
    Ok(Hit {
        resource: resource_id(searcher, DocAddress::new(candidate.segment, candidate.head))?,
        score: candidate.scored.score,
        title: title(stored(&own, fields.shown), needles),
        snippet,
        moments,
    })
}

fn moment(doc: &TantivyDocument, fields: &Fields, needles: &Needles) -> Moment {
    let code = doc.get_first(fields.moment_kind).and_then(|value| value.as_u64());
    let page = doc.get_first(fields.page).and_then(|value| value.as_u64());
    Moment {
        kind: PassageKind::from_code(code.unwrap_or(1)),
        start_ms: doc.get_first(fields.start).and_then(|value| value.as_i64()),
        page: page.and_then(|page| u32::try_from(page).ok()),
        text: snippet(stored(doc, fields.shown), needles).html,
    }
}

/// How the resource's text begins; empty when it has none.
fn first_passage(
    searcher: &Searcher,
    fields: &Fields,
    needles: &Needles,
    candidate: &Candidate,
) -> tantivy::Result<String> {
    let segment = searcher.segment_reader(candidate.segment);
    let next = candidate.head + 1;
    if super::Blocks::open(segment)?.end(candidate.head) <= next {
        return Ok(String::new());
    }
    let doc: TantivyDocument = searcher.doc(DocAddress::new(candidate.segment, next))?;
    Ok(snippet(stored(&doc, fields.shown), needles).html)
}

/// The id of the resource whose own document is at `address`.
pub(crate) fn resource_id(searcher: &Searcher, address: DocAddress) -> tantivy::Result<String> {
    let mut id = String::new();
    let segment = searcher.segment_reader(address.segment_ord);
    if let Some(column) = segment.fast_fields().str("id")?
        && let Some(ord) = column.term_ords(address.doc_id).next()
    {
        column.ord_to_str(ord, &mut id)?;
    }
    Ok(id)
}
