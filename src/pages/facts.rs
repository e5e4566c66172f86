//! Metadata as people read it.

use maud::{Markup, html};

use super::{
    ResourceView, Shell,
    icon::{Icon, icon},
    resource::TermLink,
    words::{kind_word, rfc3339, size},
};

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
