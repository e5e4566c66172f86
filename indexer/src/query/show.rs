//! What a hit looks like.

use tantivy::schema::Value;
use tantivy::{DocAddress, DocId, TantivyDocument};

use super::top::Candidate;
use crate::highlight::{Needles, snippet, title};
use crate::schema::{Fields, KIND};
use crate::view::View;
use crate::written::{Place, id_text, stored};
use crate::{Hit, Moment};

/// Reads what is stored of `candidate` and of its `passages`, and marks what was found.
pub(crate) fn hit(
    view: &View,
    fields: &Fields,
    needles: &Needles,
    candidate: &Candidate,
    passages: &[DocId],
) -> tantivy::Result<Hit> {
    let read = |doc| read(view, candidate, doc);
    let own = read(candidate.head)?;
    let mut moments = Vec::new();
    for doc in passages {
        moments.push(moment(&read(*doc)?, fields, needles));
    }
    let description = snippet(&stored(&own, fields.description), needles);
    let snippet = match moments.first() {
        Some(best) if !description.marked => best.text.clone(),
        _ if description.html.is_empty() => first_passage(view, fields, needles, candidate)?,
        _ => description.html,
    };
    let kind =
        view.segment(candidate.segment).and_then(|segment| segment.value(candidate.head, KIND));
    Ok(Hit {
        kind: kind.unwrap_or_default().to_owned(),
        resource: own
            .get_first(fields.place)
            .and_then(|id| id.as_bytes())
            .map_or_else(String::new, id_text),
        score: candidate.scored.score,
        title: title(&stored(&own, fields.shown), needles),
        snippet,
        moments,
    })
}

fn moment(doc: &TantivyDocument, fields: &Fields, needles: &Needles) -> Moment {
    let place = doc.get_first(fields.place).and_then(|value| value.as_bytes()).unwrap_or_default();
    let Place { kind, start_ms, page } = Place::read(place);
    Moment { kind, start_ms, page, text: snippet(&stored(doc, fields.shown), needles).html }
}

/// Where the passage `doc` of a segment is.
pub(crate) fn place(
    view: &View,
    fields: &Fields,
    segment: u32,
    doc: DocId,
) -> tantivy::Result<Place> {
    let doc: TantivyDocument = view.searcher.doc(DocAddress::new(segment, doc))?;
    let bytes = doc.get_first(fields.place).and_then(|value| value.as_bytes());
    Ok(Place::read(bytes.unwrap_or_default()))
}

/// How the resource's text begins; empty when it has none.
fn first_passage(
    view: &View,
    fields: &Fields,
    needles: &Needles,
    candidate: &Candidate,
) -> tantivy::Result<String> {
    let next = candidate.head + 1;
    if view.segments[candidate.segment as usize].end(candidate.head) <= next {
        return Ok(String::new());
    }
    let doc = read(view, candidate, next)?;
    Ok(snippet(&stored(&doc, fields.shown), needles).html)
}

fn read(view: &View, candidate: &Candidate, doc: DocId) -> tantivy::Result<TantivyDocument> {
    view.searcher.doc(DocAddress::new(candidate.segment, doc))
}
