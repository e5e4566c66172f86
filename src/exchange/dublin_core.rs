//! Dublin Core: the fifteen elements (ISO 15836-1), as `oai_dc` and in the head of a page.

use super::{Item, Xml};

const OAI_DC: &str = "http://www.openarchives.org/OAI/2.0/oai_dc/";

/// An element: name, language of the text, text.
type Element = (&'static str, Option<String>, String);

fn elements(item: &Item<'_>) -> Vec<Element> {
    let details = &item.resource.details;
    let language = item.language();
    let mut all: Vec<Element> = vec![("title", language.clone(), details.title.clone())];
    let mut add = |name, text: &str| all.push((name, None, text.to_owned()));
    add("creator", &details.author);
    for topic in item.topics() {
        all.push(("subject", Some("zh".into()), topic.zh.to_owned()));
        all.push(("subject", Some("en".into()), topic.en.to_owned()));
    }
    all.push(("description", language.clone(), details.description.clone()));
    let mut add = |name, text: &str| all.push((name, None, text.to_owned()));
    add("publisher", &item.library.name);
    add("date", &item.day().unwrap_or_default());
    add("type", item.dcmi_type());
    add("format", &item.resource.media_type);
    add("identifier", &item.page());
    add("identifier", &item.file().unwrap_or_default());
    add("language", &language.unwrap_or_default());
    add("rights", &item.rights());
    all.retain(|(.., text)| !text.is_empty());
    all
}

/// The record as `oai_dc`. The prefix `xsi` is bound outside.
#[must_use]
pub fn dublin_core(item: &Item<'_>) -> String {
    let mut xml = Xml::piece();
    let location = format!("{OAI_DC} http://www.openarchives.org/OAI/2.0/oai_dc.xsd");
    xml.open(
        "oai_dc:dc",
        &[
            ("xmlns:oai_dc", OAI_DC),
            ("xmlns:dc", "http://purl.org/dc/elements/1.1/"),
            ("xsi:schemaLocation", &location),
        ],
    );
    for (name, language, text) in elements(item) {
        let tag = format!("dc:{name}");
        match language {
            Some(language) => xml.leaf_with(&tag, &[("xml:lang", &language)], &text),
            None => xml.leaf(&tag, &text),
        }
    }
    xml.close("oai_dc:dc");
    xml.into_string()
}

/// The elements for `<meta>`: `DC.title` and so on, language, text.
#[must_use]
pub fn meta(item: &Item<'_>) -> Vec<(String, Option<String>, String)> {
    let named = |(name, language, text)| (format!("DC.{name}"), language, text);
    elements(item).into_iter().map(named).collect()
}
