//! A lesson: its resource's player or reader, with the course's lessons beside or below.

use maud::{Markup, html};

use super::{
    MediaView, MomentView, PictureView, SectionView, Shell,
    course::{lesson_extent, thanks_word},
    icon::{Icon, icon},
    layout::{Page, document},
    media::{beside, media, slides},
    search::moment,
};
use crate::catalogue::Stage;

/// What a lesson's page shows.
#[derive(Clone, Debug)]
pub struct LessonView {
    /// Its course's id.
    pub course: String,
    /// Its course's title.
    pub course_title: String,
    /// Stage of the course; told unless it is published.
    pub stage: Stage,
    /// Its own id.
    pub id: String,
    /// `/courses/{id}/lessons/{n}`.
    pub path: String,
    /// The title.
    pub title: String,
    /// Among those shown, from 1, and how many these are.
    pub number: (u64, u64),
    /// Of the resource, plain text.
    pub description: String,
    /// Who made the resource; may be empty.
    pub author: String,
    /// The resource's library: name and address.
    pub library: (String, String),
    /// The library is another than the course's.
    pub thanks: bool,
    /// The resource's own page.
    pub resource_href: String,
    /// What it plays or shows.
    pub media: MediaView,
    /// The query that led here, from `?q=`; its words are marked.
    pub query: String,
    /// Where the query is met in it.
    pub moments: Vec<MomentView>,
    /// All lessons.
    pub sections: Vec<SectionView>,
    /// The lesson before: address and title.
    pub previous: Option<(String, String)>,
    /// The lesson that follows: address and title.
    pub next: Option<(String, String)>,
}

/// A lesson's page.
#[must_use]
pub fn lesson(shell: &Shell, view: &LessonView) -> Markup {
    let assets = &shell.assets;
    let (styles, mut scripts) = match view.media {
        MediaView::Play(_) => (vec![assets.player_css.as_str()], vec![assets.player.as_str()]),
        MediaView::Read(_)
        | MediaView::Book(_)
        | MediaView::Picture(PictureView { words: Some(_), .. }) => {
            (vec![], vec![assets.viewer.as_str()])
        }
        _ => (vec![], vec![]),
    };
    scripts.push(&assets.courses);
    let title = format!("{} · {}", view.title, view.course_title);
    let page = Page {
        // The resource has a page of its own, which search engines are to find.
        canonical: Some(&view.resource_href),
        styles,
        scripts,
        ..Page::plain(&title, "lesson-page", body(shell, view))
    };
    document(shell, &page)
}

fn body(shell: &Shell, view: &LessonView) -> Markup {
    let next = view.next.as_ref().map(|(href, _)| href.as_str());
    html! {
        div.wrap.resource-layout.with-panels.lesson-layout data-lesson=(view.id) data-of=(view.course) data-next=[next] {
            div.resource-media {
                (media(shell, &view.media, &view.title, &view.query))
                @if let Some((href, title)) = &view.next { (coming(shell, href, title)) }
                (slides(shell, &view.media, &view.path))
            }
            header.resource-head.lesson-head {
                div {
                    p.crumbs {
                        a href=(format!("/courses/{}", view.course)) { (icon(Icon::List)) " " (view.course_title) }
                        " " span.number { (view.number.0) " / " (view.number.1) }
                    }
                    h1 { (view.title) }
                }
                (steps(shell, view))
            }
            aside.resource-panels aria-label=(shell.pick("课程目录", "Lessons")) {
                @if !view.moments.is_empty() {
                    details.panel open {
                        summary { (icon(Icon::Search)) span { "“" (view.query) "”" (shell.pick("出现在", " is at")) } span.number { (view.moments.len()) } }
                        ul.moments data-moments { @for one in &view.moments { li { (moment(shell, one)) } } }
                    }
                }
                details.panel.lesson-panel open {
                    summary { (icon(Icon::List)) span { (shell.pick("课程目录", "Lessons")) } span.number { (view.number.1) } }
                    div.lesson-scroll data-lessons tabindex="0" role="region" aria-label=(shell.pick("课程目录", "Lessons")) {
                        h2.unseen { (shell.pick("课程目录", "Lessons")) }
                        (lesson_list(shell, &view.sections))
                    }
                }
                (beside(shell, &view.media, &view.path))
            }
            div.resource-about {
                div {
                    @if view.stage != Stage::Published {
                        p.notice { (shell.pick("课程还没有公开，这是预览。", "The course is not public; this is a preview.")) }
                    }
                    p.byline {
                        @if view.thanks { span.thanks { (thanks_word(shell, &view.library.0)) } }
                        @else { a href=(view.library.1) { (icon(Icon::Library)) (view.library.0) } }
                        @if !view.author.is_empty() { span { (view.author) } }
                        a href=(view.resource_href) { (shell.pick("资源详情与下载", "About this resource, downloads")) }
                    }
                    div.prose {
                        @for line in view.description.lines().filter(|line| !line.trim().is_empty()) { p { (line) } }
                    }
                }
            }
        }
    }
}

/// Says, once this lesson is over, that the next one comes; the script shows it.
fn coming(shell: &Shell, href: &str, title: &str) -> Markup {
    html! {
        div.coming data-coming role="status" hidden {
            p { (shell.pick("接下来：", "Next: ")) strong { (title) } span.number data-coming-left {} }
            p.actions {
                a.button href=(href) data-coming-go { (shell.pick("马上开始", "Go now")) }
                button.button.quiet type="button" data-coming-stop { (shell.pick("先不播", "Stay here")) }
            }
        }
    }
}

fn steps(shell: &Shell, view: &LessonView) -> Markup {
    html! {
        nav.lesson-steps aria-label=(shell.pick("上一课、下一课", "Previous and next")) {
            @if let Some((href, title)) = &view.previous {
                a.button.quiet rel="prev" href=(href) title=(title) { (icon(Icon::Left)) (shell.pick("上一课", "Previous")) }
            }
            @if let Some((href, title)) = &view.next {
                a.button rel="next" href=(href) title=(title) { (shell.pick("下一课", "Next")) (icon(Icon::Right)) }
            } @else {
                a.button.quiet href=(format!("/courses/{}", view.course)) { (icon(Icon::Check)) (shell.pick("学完了，回到课程", "Done: back to the course")) }
            }
        }
    }
}

/// The lessons of a course in their sections.
pub(super) fn lesson_list(shell: &Shell, sections: &[SectionView]) -> Markup {
    html! {
        @for section in sections {
            section.lesson-section {
                @if !section.title.is_empty() { h3 { (section.title) } }
                ol.lesson-list {
                    @for row in &section.lessons {
                        li {
                            a href=(row.href) data-lesson-row=(row.id) aria-current=[row.on.then_some("true")] {
                                span.lesson-number { (row.number) }
                                span.lesson-title {
                                    (row.title)
                                    @if let Some(library) = &row.thanks { span.thanks { (thanks_word(shell, library)) } }
                                    span.lesson-was hidden data-was { (shell.pick("上次学到这里", "You were here")) }
                                }
                                (lesson_extent(shell, row))
                            }
                        }
                    }
                }
            }
        }
    }
}
