//! Learning object metadata: IEEE 1484.12.1 in its XML binding (IEEE 1484.12.3), with what the
//! core of GB/T 21365-2008 asks for: identifier, title, language, description, keywords,
//! contributions, metadata scheme, format, location, type, user, rights, classification.

use super::item::second;
use super::{Item, Xml};
use crate::catalogue::{
    AUDIENCES, DIALECTS, EVIDENCE, HERITAGE, Kind, LICENCES, ROLES, Term, label_of, licence_href,
};

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
    relation(&mut xml, item);
    annotations(&mut xml, item);
    classification(&mut xml, item);
    local(&mut xml, item);
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
    let particulars = &details.particulars;
    for keyword in &particulars.keywords {
        strings(xml, "keyword", &[(language.as_deref(), keyword)]);
    }
    let origin = particulars.local.as_ref().map_or("", |mark| &mark.origin);
    for place in [&particulars.place, &particulars.place_code, origin] {
        if !place.is_empty() {
            strings(xml, "coverage", &[(None, place)]);
        }
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
    let details = &item.resource.details;
    let made = Some(details.particulars.made.as_str()).filter(|made| !made.is_empty());
    if made.is_some() || !details.author.is_empty() {
        contribution(xml, "author", (&details.author, ""), made);
    }
    contribution(xml, "publisher", (item.publisher(), ""), published.as_deref());
    for one in &details.particulars.contributors {
        let told = label_of(ROLES, &one.role, true);
        contribution(xml, lom_role(&one.role), (&one.name, told), None);
    }
    let bearer = details.particulars.local.as_ref().map_or("", |mark| &mark.bearer);
    if !bearer.is_empty() {
        contribution(xml, "content provider", (bearer, "传承人"), None);
    }
    xml.close("lifeCycle");
}

/// The role of the standard's vocabulary that is nearest; the vCard has ours in words.
fn lom_role(role: &str) -> &'static str {
    match role {
        "teacher" | "adviser" => "subject matter expert",
        "performer" | "translator" => "content provider",
        "script-writer" => "script writer",
        "editor" => "editor",
        "camera" => "technical implementer",
        "designer" => "instructional designer",
        _ => "unknown",
    }
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
    let particulars = &resource.details.particulars;
    if !particulars.difficulty.is_empty() {
        chosen(xml, "difficulty", &particulars.difficulty.replace('-', " "));
    }
    if let Some(minutes) = particulars.learning_minutes {
        xml.open("typicalLearningTime", &[]);
        xml.leaf("duration", &duration(minutes * 60_000));
        xml.close("typicalLearningTime");
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
    let particulars = &item.resource.details.particulars;
    let mut said: Vec<(String, String)> = Vec::new();
    if !licence.is_empty() {
        let with_href = |chinese| {
            let name = label_of(LICENCES, licence, chinese);
            licence_href(licence).map_or_else(|| name.to_owned(), |href| format!("{name} {href}"))
        };
        said.push((with_href(true), with_href(false)));
    }
    if !particulars.rights_holder.is_empty() {
        let holder = &particulars.rights_holder;
        said.push((format!("权利人：{holder}"), format!("Rights holder: {holder}")));
    }
    if !particulars.evidence.is_empty() {
        let word = |chinese| label_of(EVIDENCE, &particulars.evidence, chinese);
        said.push((format!("权利依据：{}", word(true)), format!("Evidence: {}", word(false))));
    }
    if !said.is_empty() {
        let (zh, en): (Vec<String>, Vec<String>) = said.into_iter().unzip();
        let (zh, en) = (zh.join("；"), en.join("; "));
        strings(xml, "description", &[(Some("zh"), &zh), (Some("en"), &en)]);
    }
    xml.close("rights");
}

/// What it was made from.
fn relation(xml: &mut Xml, item: &Item<'_>) {
    let from = &item.resource.details.particulars.source_url;
    if from.is_empty() {
        return;
    }
    xml.open("relation", &[]);
    chosen(xml, "kind", "isbasedon");
    xml.open("resource", &[]);
    named(xml, "URI", from);
    xml.close("resource");
    xml.close("relation");
}

/// Who vouches for what is local about it, and when.
fn annotations(xml: &mut Xml, item: &Item<'_>) {
    for one in item.vouched {
        xml.open("annotation", &[]);
        xml.leaf("entity", &vcard(&one.organisation, ""));
        dated(xml, &second(one.at_ms).replace('Z', ".0Z"));
        let note = format!("地方特色认证 {}", one.note);
        strings(xml, "description", &[(Some("zh"), note.trim())]);
        xml.close("annotation");
    }
}

/// The mark of local characteristic.
fn local(xml: &mut Xml, item: &Item<'_>) {
    let Some(mark) = &item.resource.details.particulars.local else { return };
    xml.open("classification", &[]);
    chosen(xml, "purpose", "idea");
    let lists: [(&str, &[Term], &str); 2] =
        [("方言", DIALECTS, &mark.dialect), ("非物质文化遗产", HERITAGE, &mark.heritage)];
    for (source, terms, code) in lists.into_iter().filter(|(.., code)| !code.is_empty()) {
        xml.open("taxonPath", &[]);
        strings(xml, "source", &[(Some("zh"), source)]);
        xml.open("taxon", &[]);
        xml.leaf("id", code);
        let (zh, en) = (label_of(terms, code, true), label_of(terms, code, false));
        strings(xml, "entry", &[(Some("zh"), zh), (Some("en"), en)]);
        xml.close("taxon");
        xml.close("taxonPath");
    }
    let parts = [("来自", &mark.origin), ("传承人", &mark.bearer), ("方言", &mark.dialect_words)];
    let parts = parts.iter().filter(|(_, text)| !text.is_empty());
    let said: Vec<String> = parts.map(|(what, text)| format!("{what}：{text}")).collect();
    strings(xml, "description", &[(Some("zh"), &said.join("；"))]);
    strings(xml, "keyword", &[(Some("zh"), "地方特色"), (Some("en"), "Local characteristic")]);
    xml.close("classification");
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

/// Somebody, with their role in words; who may not be known.
fn contribution(xml: &mut Xml, role: &str, (name, told): (&str, &str), date: Option<&str>) {
    xml.open("contribute", &[]);
    chosen(xml, "role", role);
    if !name.is_empty() {
        xml.leaf("entity", &vcard(name, told));
    }
    if let Some(date) = date {
        dated(xml, date);
    }
    xml.close("contribute");
}

fn dated(xml: &mut Xml, date: &str) {
    xml.open("date", &[]);
    xml.leaf("dateTime", date);
    xml.close("date");
}

/// A name as vCard 3.0 (RFC 2426), the form in which the standard wants people; with a role in
/// words, if there is one.
fn vcard(name: &str, role: &str) -> String {
    let (name, role) = (escaped(name), escaped(role));
    let role = if role.is_empty() { role } else { format!("\nROLE:{role}") };
    format!("BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nN:{name};;;;{role}\nEND:VCARD")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => escaped.push(' '),
            '\\' | ',' | ';' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

/// ISO 8601, `PT1H2M3S`.
fn duration(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    format!("PT{}H{}M{}S", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
