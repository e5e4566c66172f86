//! Metadata of a public resource as search engines read it (schema.org, JSON-LD).

use serde_json::{Map, Value, json};

use super::{
    MediaView, PlayView, ResourceView, Shell,
    words::{iso_duration, rfc3339},
};
use crate::catalogue::{DIALECTS, DIFFICULTIES, EVIDENCE, HERITAGE, Kind, ROLES, label_of};

/// Characters of a transcript that are told: it stands in the page a second time.
const MAX_TRANSCRIPT: usize = 20_000;

/// Clips that are told.
const MAX_CLIPS: usize = 100;

/// `LearningResource`, and `VideoObject` or the like beside it.
pub(super) fn json_ld(shell: &Shell, view: &ResourceView) -> String {
    let absolute = |path: &str| format!("{}{path}", shell.origin);
    let page = absolute(&view.path);
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    put("@context", json!("https://schema.org"));
    put("@type", json!(["LearningResource", schema_type(view.kind)]));
    put("@id", json!(page));
    put("url", json!(page));
    put("name", json!(view.title));
    put("isAccessibleForFree", json!(true));
    put("learningResourceType", json!(learning_type(view.kind)));
    let library = absolute(&view.library_href);
    let provider = json!({ "@type": "Organization", "name": view.library_name, "url": library });
    put("provider", provider);
    if !view.description.is_empty() {
        put("description", json!(view.description));
    } else if view.kind == Kind::Video {
        // Search engines want one of a video.
        put("description", json!(view.title));
    }
    if !view.licence.is_empty() {
        put("license", json!(view.licence_href.as_ref().unwrap_or(&view.licence)));
    }
    if !view.author.is_empty() {
        put("author", json!({ "@type": "Person", "name": view.author }));
    }
    if let Some(language) = &view.language {
        put("inLanguage", json!(language));
    }
    if let Some(ms) = view.duration_ms {
        put("duration", json!(iso_duration(ms)));
    }
    if let Some(pages) = view.pages {
        put("numberOfPages", json!(pages));
    }
    if let Some(ms) = view.published_ms {
        put("datePublished", json!(rfc3339(ms)));
        put("uploadDate", json!(rfc3339(ms)));
    }
    if let Some(poster) = &view.poster {
        put("thumbnailUrl", json!(absolute(poster)));
    }
    if !view.topics.is_empty() {
        put("about", json!(view.topics.iter().map(|term| &term.label).collect::<Vec<_>>()));
    }
    if !view.audiences.is_empty() {
        let audiences = view
            .audiences
            .iter()
            .map(|term| json!({ "@type": "EducationalAudience", "educationalRole": term.label }));
        put("audience", audiences.collect());
    }
    for (name, value) in particulars(view) {
        put(name, value);
    }
    if let MediaView::Play(play) = &view.media {
        put("contentUrl", json!(absolute(&play.hls)));
        put("embedUrl", json!(page.replacen("/resources/", "/embed/", 1)));
        let transcript = transcript(play);
        if !transcript.is_empty() {
            put("transcript", json!(transcript));
        }
        let clips = clips(play, &page);
        if !clips.is_empty() {
            put("hasPart", json!(clips));
        }
        let seek = json!({
            "@type": "SeekToAction",
            "target": format!("{page}?t={{seek_to_second_number}}"),
            "startOffset-input": "required name=seek_to_second_number",
        });
        put("potentialAction", seek);
    }
    if let MediaView::Picture(picture) = &view.media {
        put("contentUrl", json!(absolute(&picture.src)));
    }
    Value::Object(object).to_string()
}

/// Keywords, contributors, dates, places and rights.
fn particulars(view: &ResourceView) -> Vec<(&'static str, Value)> {
    let known = &view.particulars;
    let person = |name: &str, role: &str| {
        json!({
            "@type": "Role", "roleName": role,
            "contributor": { "@type": "Person", "name": name },
        })
    };
    let mut all = Vec::new();
    let mut keywords = known.keywords.clone();
    let people = known.contributors.iter();
    let mut people: Vec<Value> =
        people.map(|one| person(&one.name, label_of(ROLES, &one.role, true))).collect();
    if let Some(mark) = &known.local {
        keywords.push("地方特色".to_owned());
        keywords.push(label_of(DIALECTS, &mark.dialect, true).to_owned());
        keywords.push(mark.dialect_words.clone());
        keywords.push(label_of(HERITAGE, &mark.heritage, true).to_owned());
        keywords.retain(|word| !word.is_empty());
        if !mark.bearer.is_empty() {
            people.push(person(&mark.bearer, "传承人"));
        }
        all.push(("locationCreated", json!({ "@type": "Place", "name": mark.origin })));
    }
    if !keywords.is_empty() {
        all.push(("keywords", json!(keywords)));
    }
    if !people.is_empty() {
        all.push(("contributor", json!(people)));
    }
    if !known.publisher.is_empty() {
        let publisher = json!({ "@type": "Organization", "name": known.publisher });
        all.push(("publisher", publisher));
    }
    if !known.made.is_empty() {
        all.push(("dateCreated", json!(known.made)));
    }
    if !known.place.is_empty() || !known.place_code.is_empty() {
        let name = Some(&known.place).filter(|place| !place.is_empty());
        let name = name.or(view.place_name.as_ref()).unwrap_or(&known.place_code);
        let mut place = json!({ "@type": "Place", "name": name });
        if !known.place_code.is_empty() {
            place["identifier"] = json!(known.place_code);
        }
        all.push(("spatialCoverage", place));
    }
    if !known.difficulty.is_empty() {
        all.push(("educationalLevel", json!(label_of(DIFFICULTIES, &known.difficulty, true))));
    }
    if let Some(minutes) = known.learning_minutes {
        all.push(("timeRequired", json!(format!("PT{minutes}M"))));
    }
    if !known.rights_holder.is_empty() {
        // It is not said whether a person or an organisation.
        all.push((
            "copyrightHolder",
            json!({ "@type": "Organization", "name": known.rights_holder }),
        ));
    }
    if !known.evidence.is_empty() {
        all.push(("copyrightNotice", json!(label_of(EVIDENCE, &known.evidence, true))));
    }
    if !known.source_url.is_empty() {
        all.push(("isBasedOn", json!(known.source_url)));
    }
    all
}

fn schema_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Video => "VideoObject",
        Kind::Audio => "AudioObject",
        Kind::Image => "ImageObject",
        Kind::Document => "DigitalDocument",
        Kind::Package => "MediaObject",
    }
}

fn learning_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Video | Kind::Audio => "lecture",
        Kind::Image => "image",
        Kind::Document => "reading",
        Kind::Package => "interactive resource",
    }
}

fn transcript(play: &PlayView) -> String {
    let lines: Vec<&str> = play.transcript.iter().map(|cue| cue.text.as_str()).collect();
    lines.join("\n").chars().take(MAX_TRANSCRIPT).collect()
}

/// The chapters, or else the slides, as stretches that one can open.
fn clips(play: &PlayView, page: &str) -> Vec<Value> {
    let clip = |name: &str, start_ms: i64, end_ms: i64| {
        let (start, end) = (start_ms / 1000, end_ms / 1000);
        json!({
            "@type": "Clip", "name": name, "startOffset": start, "endOffset": end,
            "url": format!("{page}?t={start}"),
        })
    };
    let named = play.chapters.iter().filter(|chapter| !chapter.title.is_empty());
    let chapters: Vec<Value> = named
        .map(|chapter| clip(&chapter.title, chapter.start_ms, chapter.end_ms))
        .take(MAX_CLIPS)
        .collect();
    if !chapters.is_empty() {
        return chapters;
    }
    let slides = play.slides.iter().filter_map(|slide| {
        let name = slide.text.lines().map(str::trim).find(|line| !line.is_empty())?;
        let at = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        Some(clip(name, at(slide.start_ms), at(slide.end_ms)))
    });
    slides.take(MAX_CLIPS).collect()
}
