//! Metadata as people read it (a list) and as machines do (schema.org).

use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::{
    MediaView, ResourceView, Shell,
    icon::{Icon, icon},
    resource::TermLink,
    words::{iso_duration, kind_word, rfc3339, size},
};
use crate::catalogue::Kind;

/// Author, topics, audiences, licence, dates, files.
pub(super) fn facts(shell: &Shell, view: &ResourceView) -> Markup {
    html! {
        dl.facts {
            (fact(shell.pick("类型", "Kind"), &html! { (kind_word(shell.lang, view.kind)) }))
            @if !view.author.is_empty() { (fact(shell.pick("作者", "Author"), &html! { (view.author) })) }
            @if !view.topics.is_empty() { (fact(shell.pick("主题", "Topics"), &terms(&view.topics))) }
            @if !view.audiences.is_empty() { (fact(shell.pick("适合", "For"), &terms(&view.audiences))) }
            @if let Some(language) = &view.language_name { (fact(shell.pick("语言", "Language"), &html! { (language) })) }
            @if let Some(ms) = view.duration_ms { (fact(shell.pick("时长", "Length"), &html! { (shell.lang.spoken(ms)) })) }
            @if let Some(pages) = view.pages { (fact(shell.pick("页数", "Pages"), &html! { (pages) })) }
            @if let Some(ms) = view.published_ms {
                (fact(shell.pick("发布", "Published"), &html! { time datetime=(rfc3339(ms)) { (shell.lang.day(ms, &shell.zone)) } }))
            }
            @if !view.licence_name.is_empty() {
                (fact(shell.pick("许可", "Licence"), &html! {
                    @if let Some(href) = &view.licence_href { a rel="license" href=(href) { (view.licence_name) } }
                    @else { (view.licence_name) }
                }))
            }
        }
    }
}

fn fact(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

fn terms(terms: &[TermLink]) -> Markup {
    html! {
        ul.terms { @for term in terms { li { a href=(term.href) { (term.label) } } } }
    }
}

/// What can be downloaded.
pub(super) fn downloads(shell: &Shell, view: &ResourceView) -> Markup {
    html! {
        @if !view.downloads.is_empty() {
            section.downloads aria-labelledby="downloads" {
                h2 id="downloads" { (shell.pick("下载", "Download")) }
                ul {
                    @for file in &view.downloads {
                        li {
                            a href=(file.href) download {
                                (icon(Icon::Download))
                                span.file-name { (file.label) }
                                @if let Some(bytes) = file.size_bytes { span.number { (size(bytes)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// schema.org `LearningResource`, and `VideoObject` or the like beside it.
pub(super) fn json_ld(shell: &Shell, view: &ResourceView) -> String {
    let absolute = |path: &str| format!("{}{path}", shell.origin);
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    put("@context", json!("https://schema.org"));
    put("@type", json!(["LearningResource", schema_type(view.kind)]));
    put("@id", json!(absolute(&view.path)));
    put("url", json!(absolute(&view.path)));
    put("name", json!(view.title));
    put("isAccessibleForFree", json!(true));
    put("provider", json!({ "@type": "Organization", "name": view.library_name }));
    for (name, text) in [("description", &view.description), ("license", &view.licence)] {
        if !text.is_empty() {
            put(name, json!(text));
        }
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
    if let MediaView::Play(play) = &view.media {
        put("contentUrl", json!(absolute(&play.hls)));
    }
    Value::Object(object).to_string()
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
