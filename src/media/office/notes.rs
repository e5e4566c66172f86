//! What speakers noted to their slides (ISO/IEC 29500-1 section 19.3.1.26, ISO/IEC 26300-3
//! section 16.16).

use std::collections::BTreeMap;
use std::fs::File;

use quick_xml::events::Event;

use crate::media::archive::{Archive, Error, Limits};
use crate::media::captions::lines::tidy;
use crate::media::xml;

/// Bytes of the notes of a slide that are kept.
const MAX_BYTES: usize = 64 << 10;

/// Notes by slide, from 1, of presentations; nothing for other documents.
///
/// # Errors
///
/// Those of the archive.
pub(super) fn read(source: &File, limits: &Limits) -> Result<Vec<(u32, String)>, Error> {
    let mut archive = Archive::open(source, limits)?;
    let mut text =
        |name: &str| archive.read(name).map(|bytes| bytes.map(|bytes| xml::decode(&bytes)));
    if let Some(deck) = text("ppt/presentation.xml")? {
        let links = links(&text("ppt/_rels/presentation.xml.rels")?.unwrap_or_default());
        let mut notes = Vec::new();
        let mut number = 0;
        for slide in ids(&deck).iter().filter_map(|id| links.get(id)) {
            let name = slide.target.trim_start_matches('/').trim_start_matches("ppt/");
            let Some((folder, file)) = name.rsplit_once('/') else { continue };
            let Some(content) = text(&format!("ppt/{name}"))? else { continue };
            // Hidden slides have no page.
            if is_hidden(&content) {
                continue;
            }
            number += 1;
            let rels = text(&format!("ppt/{folder}/_rels/{file}.rels"))?.unwrap_or_default();
            let own =
                self::links(&rels).into_values().find(|link| link.kind.ends_with("/notesSlide"));
            let Some(own) = own else { continue };
            let name = own.target.trim_start_matches("../").trim_start_matches("/ppt/");
            let noted = text(&format!("ppt/{name}"))?.map(|xml| of_slide(&xml));
            notes.extend(noted.filter(|text| !text.is_empty()).map(|text| (number, text)));
        }
        return Ok(notes);
    }
    Ok(text("content.xml")?.map(|content| of_pages(&content)).unwrap_or_default())
}

struct Link {
    kind: String,
    target: String,
}

/// Relationships by their ids (ISO/IEC 29500-2 section 9.3).
fn links(rels: &str) -> BTreeMap<String, Link> {
    let mut found = BTreeMap::new();
    let _ = xml::walk(rels, usize::MAX, |event| {
        if let Event::Empty(tag) | Event::Start(tag) = event
            && tag.local_name().as_ref() == "Relationship"
            && let (Some(id), Some(kind), Some(target)) = (
                xml::attribute(tag, "Id"),
                xml::attribute(tag, "Type"),
                xml::attribute(tag, "Target"),
            )
        {
            found.insert(id, Link { kind, target });
        }
    });
    found
}

/// The relationships of slides, in their order.
fn ids(deck: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let _ = xml::walk(deck, usize::MAX, |event| {
        if let Event::Empty(tag) | Event::Start(tag) = event
            && tag.local_name().as_ref() == "sldId"
        {
            // `id` is there twice: the slide's own number, and `r:id`.
            let mut attributes = tag.attributes();
            let mut attributes = attributes.with_checks(false).flatten();
            let linked = attributes.find(|attribute| attribute.key.as_ref().ends_with(":id"));
            ids.extend(linked.map(|attribute| attribute.value.to_string()));
        }
    });
    ids
}

fn is_hidden(slide: &str) -> bool {
    let mut hidden = false;
    let _ = xml::walk(slide, usize::MAX, |event| {
        if let Event::Start(tag) = event
            && tag.local_name().as_ref() == "sld"
        {
            hidden = xml::attribute(tag, "show").is_some_and(|show| show == "0" || show == "false");
        }
    });
    hidden
}

/// The text of the body of a notes page, a paragraph a line; not the number of the slide.
fn of_slide(notes: &str) -> String {
    let (mut text, mut inside, mut body) = (String::new(), false, false);
    let _ = xml::walk(notes, usize::MAX, |event| match event {
        Event::Empty(tag) | Event::Start(tag) => match tag.local_name().as_ref() {
            "sp" => body = false,
            "ph" => body = xml::attribute(tag, "type").is_some_and(|kind| kind == "body"),
            "t" => inside = body,
            _ => {}
        },
        Event::End(tag) => match tag.local_name().as_ref() {
            "t" => inside = false,
            "p" if body => text.push('\n'),
            _ => {}
        },
        Event::Text(part) if inside => text.push_str(&part.xml10_content()),
        Event::GeneralRef(name) if inside => push_reference(&mut text, name),
        _ => {}
    });
    clean(&text)
}

/// The notes of an OpenDocument presentation, page by page.
fn of_pages(content: &str) -> Vec<(u32, String)> {
    let (mut notes, mut page, mut text, mut inside) = (Vec::new(), 0_u32, String::new(), false);
    let _ = xml::walk(content, usize::MAX, |event| match event {
        Event::Start(tag) if tag.name().as_ref() == "draw:page" => page += 1,
        Event::Start(tag) if tag.name().as_ref() == "presentation:notes" => inside = true,
        Event::End(tag) => match tag.name().as_ref() {
            "presentation:notes" => {
                inside = false;
                let said = clean(&std::mem::take(&mut text));
                notes.extend((!said.is_empty()).then_some((page, said)));
            }
            "text:p" if inside => text.push('\n'),
            _ => {}
        },
        Event::Text(part) if inside => text.push_str(&part.xml10_content()),
        Event::GeneralRef(name) if inside => push_reference(&mut text, name),
        _ => {}
    });
    notes
}

fn push_reference(text: &mut String, name: &quick_xml::events::BytesRef<'_>) {
    match name.resolve_char_ref() {
        Ok(Some(c)) => text.push(c),
        _ => text.push_str(quick_xml::escape::resolve_predefined_entity(name).unwrap_or_default()),
    }
}

fn clean(text: &str) -> String {
    let lines: Vec<String> = text.lines().filter_map(|line| tidy(line, MAX_BYTES / 4)).collect();
    let mut text = lines.join("\n");
    let end = text.floor_char_boundary(MAX_BYTES);
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_of_a_notes_page_is_read() {
        let notes = r#"<p:notes><p:sp><p:nvPr><p:ph type="sldNum"/></p:nvPr><a:p><a:t>7</a:t></a:p></p:sp>
            <p:sp><p:nvPr><p:ph type="body" idx="1"/></p:nvPr><a:p><a:r><a:t>讲 &amp; 练</a:t></a:r></a:p>
            <a:p><a:t>第二行</a:t></a:p></p:sp></p:notes>"#;
        assert_eq!(of_slide(notes), "讲 & 练\n第二行");
    }

    #[test]
    fn notes_of_open_documents_belong_to_their_pages() {
        let content = "<a><draw:page><text:p>x</text:p></draw:page><draw:page>\
            <presentation:notes><text:p>记住</text:p></presentation:notes></draw:page></a>";
        assert_eq!(of_pages(content), [(2, "记住".to_owned())]);
    }
}
