//! Dublin Core: the fifteen elements (ISO 15836-1), as `oai_dc` and in the head of a page.

use super::{Item, Xml};
use crate::catalogue::{DIALECTS, EVIDENCE, HERITAGE, ROLES, Term, label_of};

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
    let particulars = &details.particulars;
    for keyword in &particulars.keywords {
        all.push(("subject", language.clone(), keyword.clone()));
    }
    all.push(("description", language.clone(), details.description.clone()));
    let mut add = |name, text: &str| all.push((name, None, text.to_owned()));
    add("publisher", item.publisher());
    for one in &particulars.contributors {
        add("contributor", &with_role(&one.name, in_chinese(ROLES, &one.role)));
    }
    add("date", &particulars.made);
    add("date", &item.day().unwrap_or_default());
    add("type", item.dcmi_type());
    add("format", &item.resource.media_type);
    add("identifier", &item.page());
    add("identifier", &item.file().unwrap_or_default());
    add("language", &language.unwrap_or_default());
    add("rights", &item.rights());
    add("source", &particulars.source_url);
    add("coverage", &particulars.place);
    add("coverage", &particulars.place_code);
    if !particulars.rights_holder.is_empty() {
        add("rights", &format!("权利人：{}", particulars.rights_holder));
    }
    if !particulars.evidence.is_empty() {
        add("rights", &format!("权利依据：{}", in_chinese(EVIDENCE, &particulars.evidence)));
    }
    if let Some(mark) = &particulars.local {
        add("coverage", &mark.origin);
        add("subject", "地方特色");
        if !mark.bearer.is_empty() {
            add("contributor", &with_role(&mark.bearer, "传承人"));
        }
        add("subject", in_chinese(DIALECTS, &mark.dialect));
        add("subject", &mark.dialect_words);
        add("subject", in_chinese(HERITAGE, &mark.heritage));
    }
    all.retain(|(.., text)| !text.is_empty());
    all
}

/// `王丽（主讲）`: the elements have no place for a role.
fn with_role(name: &str, role: &str) -> String {
    format!("{name}（{role}）")
}

fn in_chinese<'a>(terms: &'a [Term], code: &'a str) -> &'a str {
    label_of(terms, code, true)
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
