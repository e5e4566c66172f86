//! Metadata as people read it.

use maud::{Markup, html};

use super::{
    ResourceView, Shell,
    icon::{Icon, icon},
    resource::TermLink,
    words::{kind_word, rfc3339, size, term_word},
};
use crate::catalogue::{DIFFICULTIES, EVIDENCE, ROLES, Term};

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
            (particulars(shell, view))
        }
    }
}

/// What else is known, in the order of a library's card.
fn particulars(shell: &Shell, view: &ResourceView) -> Markup {
    let known = &view.particulars;
    let word = |terms: &'static [Term], code: &str| term_word(terms, code, shell.lang).to_owned();
    let place = [known.place.as_str(), view.place_name.as_deref().unwrap_or(&known.place_code)];
    let mut place: Vec<&str> = place.into_iter().filter(|text| !text.is_empty()).collect();
    place.dedup();
    html! {
        @if !known.keywords.is_empty() {
            (fact(shell.pick("关键词", "Keywords"), &html! {
                ul.terms { @for word in &known.keywords { li { a href=(search_of(word)) { (word) } } } }
            }))
        }
        @for one in &known.contributors {
            (fact(&word(ROLES, &one.role), &html! { (one.name) }))
        }
        @if !known.publisher.is_empty() { (fact(shell.pick("出版者", "Publisher"), &html! { (known.publisher) })) }
        @if !known.made.is_empty() { (fact(shell.pick("制作时间", "Made"), &html! { time datetime=(known.made) { (known.made) } })) }
        @if !place.is_empty() { (fact(shell.pick("地点", "Place"), &html! { (place.join(" · ")) })) }
        @if !known.difficulty.is_empty() { (fact(shell.pick("难度", "Difficulty"), &html! { (word(DIFFICULTIES, &known.difficulty)) })) }
        @if let Some(minutes) = known.learning_minutes {
            (fact(shell.pick("学习时长", "Learning time"), &html! { (minutes) (shell.pick(" 分钟", " min")) }))
        }
        @if !known.rights_holder.is_empty() { (fact(shell.pick("权利人", "Rights holder"), &html! { (known.rights_holder) })) }
        @if !known.evidence.is_empty() {
            (fact(shell.pick("权利依据", "Shown by right of"), &html! {
                (word(EVIDENCE, &known.evidence))
                @if !known.evidence_words.is_empty() { p.hint { (known.evidence_words) } }
            }))
        }
        @if !known.source_url.is_empty() {
            (fact(shell.pick("来源", "Based on"), &html! { a href=(known.source_url) rel="noopener nofollow" { (host_of(&known.source_url)) } }))
        }
    }
}

/// The host of an address, which is what people know of it.
fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

fn search_of(word: &str) -> String {
    let pairs =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("q", word).finish();
    format!("/search?{pairs}")
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
