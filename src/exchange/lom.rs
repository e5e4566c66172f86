//! Learning object metadata: IEEE 1484.12.1 in its XML binding (IEEE 1484.12.3), with what the
//! core of GB/T 21365-2008 asks for: identifier, title, language, description, keywords,
//! contributions, metadata scheme, format, location, type, user, rights, classification.

use super::item::second;
use super::{Item, Xml};
use crate::catalogue::{AUDIENCES, Kind, LICENCES, label_of, licence_href};

/// Namespace of the binding.
const LOM: &str = "http://ltsc.ieee.org/xsd/LOM";

/// The vocabularies of the standard itself.
const LOM_V1: &str = "LOMv1.0";

/// The record as LOM; `identifier` is its own in OAI-PMH. The prefix `xsi` is bound outside.
#[must_use]
pub fn lom(item: &Item<'_>, identifier: &str) -> String {
    let mut xml = Xml::piece();
    let location = format!("{LOM} http://ltsc.ieee.org/xsd/lomv1.0/lom.xsd");
    xml.open("lom", &[("xmlns", LOM), ("xsi:schemaLocation", &location)]);
    general(&mut xml, item);
    life_cycle(&mut xml, item);
    meta_metadata(&mut xml, identifier);
    technical(&mut xml, item);
    educational(&mut xml, item);
    rights(&mut xml, item);
    classification(&mut xml, item);
    xml.close("lom");
    xml.into_string()
}

fn general(xml: &mut Xml, item: &Item<'_>) {
    let details = &item.resource.details;
    let language = item.language();
    xml.open("general", &[]);
    named(xml, "URI", &item.page());
    strings(xml, "title", &[(language.as_deref(), &details.title)]);
    xml.leaf("language", language.as_deref().unwrap_or("none"));
    if !details.description.is_empty() {
        strings(xml, "description", &[(language.as_deref(), &details.description)]);
    }
    for topic in item.topics() {
        strings(xml, "keyword", &[(Some("zh"), topic.zh), (Some("en"), topic.en)]);
    }
    chosen(xml, "structure", "atomic");
    chosen(xml, "aggregationLevel", "1");
    xml.close("general");
}

fn life_cycle(xml: &mut Xml, item: &Item<'_>) {
    // The binding wants a fraction of the second before a zone.
    let published = item.resource.published_ms.map(|ms| second(ms).replace('Z', ".0Z"));
    xml.open("lifeCycle", &[]);
    chosen(xml, "status", "final");
    if !item.resource.details.author.is_empty() {
        contribution(xml, "author", &item.resource.details.author, None);
    }
    contribution(xml, "publisher", &item.library.name, published.as_deref());
    xml.close("lifeCycle");
}

fn meta_metadata(xml: &mut Xml, identifier: &str) {
    xml.open("metaMetadata", &[]);
    named(xml, "oai", identifier);
    xml.leaf("metadataSchema", LOM_V1);
    xml.leaf("metadataSchema", "GB/T 21365-2008");
    xml.leaf("language", "zh");
    xml.close("metaMetadata");
}

fn technical(xml: &mut Xml, item: &Item<'_>) {
    let resource = item.resource;
    xml.open("technical", &[]);
    if !resource.media_type.is_empty() {
        xml.leaf("format", &resource.media_type);
    }
    xml.leaf("size", &resource.size_bytes.to_string());
    xml.leaf("location", &item.page());
    if let Some(file) = item.file() {
        xml.leaf("location", &file);
    }
    if let Some(ms) = resource.duration_ms {
        xml.open("duration", &[]);
        xml.leaf("duration", &duration(ms));
        xml.close("duration");
    }
    xml.close("technical");
}

fn educational(xml: &mut Xml, item: &Item<'_>) {
    let resource = item.resource;
    xml.open("educational", &[]);
    let interactive = if resource.kind == Kind::Package { "active" } else { "expositive" };
    chosen(xml, "interactivityType", interactive);
    chosen(
        xml,
        "learningResourceType",
        match resource.kind {
            Kind::Video | Kind::Audio => "lecture",
            Kind::Document if resource.derived.deck => "slide",
            Kind::Document => "narrative text",
            Kind::Image => "figure",
            Kind::Package => "simulation",
        },
    );
    chosen(xml, "intendedEndUserRole", "learner");
    chosen(xml, "context", "other");
    let audiences = || {
        let known = AUDIENCES.iter();
        known.filter(|term| resource.details.audiences.iter().any(|code| code == term.code))
    };
    for ages in audiences().filter_map(|term| ages(term.code)) {
        strings(xml, "typicalAgeRange", &[(None, ages)]);
    }
    if audiences().count() > 0 {
        let zh: Vec<&str> = audiences().map(|term| term.zh).collect();
        let en: Vec<&str> = audiences().map(|term| term.en).collect();
        let zh = format!("适用人群：{}", zh.join("、"));
        let en = format!("For: {}", en.join(", "));
        strings(xml, "description", &[(Some("zh"), &zh), (Some("en"), &en)]);
    }
    if let Some(language) = item.language() {
        xml.leaf("language", &language);
    }
    xml.close("educational");
}

/// Years of age of those that an audience is named after.
fn ages(audience: &str) -> Option<&'static str> {
    match audience {
        "children" => Some("3-12"),
        "youth" => Some("12-18"),
        "elders" => Some("60-"),
        _ => None,
    }
}

fn rights(xml: &mut Xml, item: &Item<'_>) {
    let licence = &item.resource.details.licence;
    xml.open("rights", &[]);
    chosen(xml, "cost", "no");
    let restricted = if licence == "CC0-1.0" { "no" } else { "yes" };
    chosen(xml, "copyrightAndOtherRestrictions", restricted);
    if !licence.is_empty() {
        let with_href = |chinese| {
            let name = label_of(LICENCES, licence, chinese);
            licence_href(licence).map_or_else(|| name.to_owned(), |href| format!("{name} {href}"))
        };
        let (zh, en) = (with_href(true), with_href(false));
        strings(xml, "description", &[(Some("zh"), &zh), (Some("en"), &en)]);
    }
    xml.close("rights");
}

fn classification(xml: &mut Xml, item: &Item<'_>) {
    if item.topics().next().is_none() {
        return;
    }
    xml.open("classification", &[]);
    chosen(xml, "purpose", "discipline");
    for topic in item.topics() {
        xml.open("taxonPath", &[]);
        let source = [(Some("zh"), "社区教育主题"), (Some("en"), "Topics of community education")];
        strings(xml, "source", &source);
        xml.open("taxon", &[]);
        xml.leaf("id", topic.code);
        strings(xml, "entry", &[(Some("zh"), topic.zh), (Some("en"), topic.en)]);
        xml.close("taxon");
        xml.close("taxonPath");
    }
    xml.close("classification");
}

fn named(xml: &mut Xml, catalog: &str, entry: &str) {
    xml.open("identifier", &[]);
    xml.leaf("catalog", catalog);
    xml.leaf("entry", entry);
    xml.close("identifier");
}

fn strings(xml: &mut Xml, tag: &str, texts: &[(Option<&str>, &str)]) {
    xml.open(tag, &[]);
    for (language, text) in texts {
        match language {
            Some(language) => xml.leaf_with("string", &[("language", language)], text),
            None => xml.leaf("string", text),
        }
    }
    xml.close(tag);
}

/// A value of the standard's own vocabularies.
fn chosen(xml: &mut Xml, tag: &str, value: &str) {
    xml.open(tag, &[]);
    xml.leaf("source", LOM_V1);
    xml.leaf("value", value);
    xml.close(tag);
}

fn contribution(xml: &mut Xml, role: &str, name: &str, date: Option<&str>) {
    xml.open("contribute", &[]);
    chosen(xml, "role", role);
    xml.leaf("entity", &vcard(name));
    if let Some(date) = date {
        xml.open("date", &[]);
        xml.leaf("dateTime", date);
        xml.close("date");
    }
    xml.close("contribute");
}

/// A name as vCard 3.0 (RFC 2426), the form in which the standard wants people.
fn vcard(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '\n' | '\r' => escaped.push(' '),
            '\\' | ',' | ';' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    format!("BEGIN:VCARD\nVERSION:3.0\nFN:{escaped}\nN:{escaped};;;;\nEND:VCARD")
}

/// ISO 8601, `PT1H2M3S`.
fn duration(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    format!("PT{}H{}M{}S", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
