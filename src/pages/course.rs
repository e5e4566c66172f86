//! A course: what it is, its lessons in their sections, and a search inside it.

use maud::{Markup, html};

use super::{
    HitView, ResourceTile, Shell, TermLink,
    icon::{Icon, icon, kind_icon},
    layout::{Page, document},
    lesson::lesson_list,
    search::hit,
    tile::{TileKind, cover},
    words::{iso_duration, rfc3339, stage_word},
};
use crate::catalogue::{Kind, Stage};

/// What a card shows of a course.
#[derive(Clone, Debug)]
pub struct CourseTile {
    /// `/courses/{id}`.
    pub href: String,
    /// The title.
    pub title: String,
    /// The cover's URL; `None` shows a drawn one.
    pub poster: Option<String>,
    /// Lessons that the visitor may see.
    pub lessons: u64,
    /// Who teaches; may be empty.
    pub teachers: String,
    /// Of learning.
    pub hours: Option<f64>,
    /// The name of its library; left out on that library's own page.
    pub library: Option<String>,
    /// The library is thanked for it.
    pub thanks: bool,
}

/// A part of a course.
#[derive(Clone, Debug)]
pub struct SectionView {
    /// Of the first it may be empty.
    pub title: String,
    /// In their order.
    pub lessons: Vec<LessonRow>,
}

/// A lesson in a list.
#[derive(Clone, Debug)]
pub struct LessonRow {
    /// Under this name the browser keeps where it was.
    pub id: String,
    /// Among those shown, from 1.
    pub number: u64,
    /// `/courses/{id}/lessons/{n}`.
    pub href: String,
    /// The title.
    pub title: String,
    /// What it is.
    pub kind: Kind,
    /// Length of video and audio, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Pages of a document.
    pub pages: Option<u32>,
    /// Name of another library that gave it.
    pub thanks: Option<String>,
    /// It is the one shown.
    pub on: bool,
}

/// A library that the visitor looks after, and whether it shows the course beside its own.
#[derive(Clone, Debug)]
pub struct ListingChoice {
    /// In URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// It shows the course.
    pub on: bool,
}

/// What a course's page shows.
#[derive(Clone, Debug)]
pub struct CourseView {
    /// Its id.
    pub id: String,
    /// The title.
    pub title: String,
    /// Told unless it is published.
    pub stage: Stage,
    /// Plain text; paragraphs are parted by line breaks.
    pub description: String,
    /// Who teaches; may be empty.
    pub teachers: String,
    /// Of learning.
    pub hours: Option<f64>,
    /// How long all that plays takes, in milliseconds.
    pub duration_ms: u64,
    /// The name of its library.
    pub library_name: String,
    /// `/libraries/{slug}`.
    pub library_href: String,
    /// The cover's URL.
    pub poster: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
    /// The language as a word.
    pub language_name: Option<String>,
    /// As a word; may be empty.
    pub licence_name: String,
    /// Topics, each leading to a search.
    pub topics: Vec<TermLink>,
    /// Audiences, each leading to a search.
    pub audiences: Vec<TermLink>,
    /// Since when it is public, Unix time in milliseconds.
    pub published_ms: Option<i64>,
    /// Its sections; those without lessons are left out.
    pub sections: Vec<SectionView>,
    /// Other libraries that gave lessons: name and address.
    pub thanks: Vec<(String, String)>,
    /// What was searched for in it, from `?q=`.
    pub query: String,
    /// What was found in it.
    pub hits: Vec<HitView>,
    /// How many lessons were found.
    pub found: u64,
    /// `/studio/courses/{id}`, when the visitor may change it.
    pub edit_href: Option<String>,
    /// Where it can be taken away as a cartridge, for people of a library.
    pub cartridge_href: Option<String>,
    /// Libraries of the visitor that can show it.
    pub listings: Vec<ListingChoice>,
}

/// A course's page.
#[must_use]
pub fn course(shell: &Shell, view: &CourseView) -> Markup {
    let path = format!("/courses/{}", view.id);
    let summary: String = view.description.split_whitespace().collect::<Vec<_>>().join(" ");
    let summary: String = summary.chars().take(160).collect();
    let public = view.stage == Stage::Published;
    let page = Page {
        description: Some(summary.as_str()).filter(|text| !text.is_empty()),
        canonical: Some(&path),
        picture: view.poster.as_deref().filter(|_| public),
        json_ld: public.then(|| json_ld(shell, view, &path)),
        scripts: vec![&shell.assets.courses],
        ..Page::plain(&view.title, "course-page", body(shell, view, &path))
    };
    document(shell, &page)
}

fn body(shell: &Shell, view: &CourseView, path: &str) -> Markup {
    html! {
        div.wrap data-course=(view.id) {
            @if view.stage != Stage::Published {
                p.notice {
                    strong.stage data-stage=(view.stage.as_str()) { (stage_word(shell.lang, view.stage)) }
                    (shell.pick("只有能编辑它的人看得到这一页。", "Only those who may edit it see this page."))
                }
            }
            (head(shell, view))
            div.course-layout {
                div.course-main {
                    (within(shell, view, path))
                    @if view.query.is_empty() { (lessons(shell, view)) } @else { (found(shell, view, path)) }
                }
                aside.course-side aria-label=(shell.pick("课程说明", "About the course")) { (about(shell, view)) (tools(shell, view)) }
            }
        }
    }
}

fn head(shell: &Shell, view: &CourseView) -> Markup {
    let count: u64 = view.sections.iter().map(|section| section.lessons.len() as u64).sum();
    let first = view.sections.iter().flat_map(|section| &section.lessons).next();
    html! {
        header.course-head {
            (cover(shell.lang, TileKind::Course(count), &view.title, view.poster.as_deref(), None, true))
            div.course-words {
                p.crumbs { a href=(view.library_href) { (icon(Icon::Library)) " " (view.library_name) } }
                h1 { (view.title) }
                @if !view.teachers.is_empty() { p.course-teachers { (icon(Icon::User)) (view.teachers) } }
                p.tile-facts {
                    span { (shell.lang.count(count, "课", "lesson", "lessons")) }
                    @if let Some(hours) = view.hours { span { (hours_word(shell, hours)) } }
                    @if view.duration_ms > 0 { span { (shell.pick("音视频共 ", "Plays for ")) (shell.lang.spoken(view.duration_ms)) } }
                    @if let Some(ms) = view.published_ms { time datetime=(rfc3339(ms)) { (shell.lang.day(ms, &shell.zone)) } }
                }
                p.actions {
                    @if let Some(first) = first {
                        a.button href=(first.href) data-start { (icon(Icon::Play)) span data-start-word { (shell.pick("开始学习", "Start")) } }
                    }
                    @if let Some(href) = &view.edit_href { a.button.quiet href=(href) { (shell.pick("编辑课程", "Edit course")) } }
                }
            }
        }
    }
}

/// `1.5 学时`.
pub(super) fn hours_word(shell: &Shell, hours: f64) -> String {
    match shell.lang {
        super::Lang::Zh => format!("{hours} 学时"),
        super::Lang::En if (hours - 1.0).abs() < f64::EPSILON => "1 hour".to_owned(),
        super::Lang::En => format!("{hours} hours"),
    }
}

/// A search within the course.
fn within(shell: &Shell, view: &CourseView, path: &str) -> Markup {
    let label = shell.pick("在本课程中查找", "Search in this course");
    html! {
        @if !view.sections.is_empty() {
            form.search.within action=(path) method="get" role="search" aria-label=(label) {
                input type="search" name="q" value=(view.query) maxlength="1000" autocomplete="off"
                    enterkeyhint="search" aria-label=(label) placeholder=(label);
                button type="submit" aria-label=(label) { (icon(Icon::Search)) }
            }
        }
    }
}

fn found(shell: &Shell, view: &CourseView, path: &str) -> Markup {
    html! {
        section aria-labelledby="found" {
            div.band-head {
                h2 id="found" { "“" (view.query) "”" }
                a.more href=(path) { (shell.pick("看课程目录", "All lessons")) (icon(Icon::Right)) }
            }
            @if view.hits.is_empty() {
                p.notice role="status" { (shell.pick("这门课里没有找到。", "Not found in this course.")) }
            } @else {
                p.hint role="status" { (shell.pick("在 ", "")) (shell.lang.count(view.found, "课里找到", "lesson has it", "lessons have it")) }
                ol.hits { @for (at, one) in view.hits.iter().enumerate() { li { (hit(shell, one, at < 4)) } } }
            }
        }
    }
}

fn lessons(shell: &Shell, view: &CourseView) -> Markup {
    html! {
        @if view.sections.is_empty() {
            section.empty { h2 { (shell.pick("课程里还没有内容", "There is nothing in the course yet")) } }
        } @else {
            h2.unseen { (shell.pick("课程目录", "Lessons")) }
            (lesson_list(shell, &view.sections))
        }
    }
}

fn about(shell: &Shell, view: &CourseView) -> Markup {
    let terms = |terms: &[TermLink]| {
        html! { ul.terms { @for term in terms { li { a href=(term.href) { (term.label) } } } } }
    };
    html! {
        @if !view.description.trim().is_empty() {
            div.prose {
                @for line in view.description.lines().filter(|line| !line.trim().is_empty()) { p { (line) } }
            }
        }
        dl.facts {
            @if !view.audiences.is_empty() { div { dt { (shell.pick("适合", "For")) } dd { (terms(&view.audiences)) } } }
            @if !view.topics.is_empty() { div { dt { (shell.pick("主题", "Topics")) } dd { (terms(&view.topics)) } } }
            @if let Some(language) = &view.language_name { div { dt { (shell.pick("语言", "Language")) } dd { (language) } } }
            @if !view.licence_name.is_empty() { div { dt { (shell.pick("许可", "Licence")) } dd { (view.licence_name) } } }
            @if !view.thanks.is_empty() {
                div {
                    dt { (shell.pick("感谢", "Thanks to")) }
                    dd { ul.terms { @for (name, href) in &view.thanks { li { a href=(href) { (name) } } } } }
                }
            }
        }
    }
}

/// What people of a library can do with it.
fn tools(shell: &Shell, view: &CourseView) -> Markup {
    html! {
        @if let Some(href) = &view.cartridge_href {
            p.course-tool {
                a.button.quiet href=(href) download { (icon(Icon::Download)) (shell.pick("导出为 IMS 通用课件包", "Export (Common Cartridge)")) }
            }
            p.hint { (shell.pick("可导入 Moodle、Canvas 等学习平台（GB/T 36347）。", "For Moodle, Canvas and other learning systems.")) }
        }
        @if !view.listings.is_empty() {
            details.panel.course-listings {
                summary { (icon(Icon::Library)) span { (shell.pick("在本馆展示这门课", "Show it in your library")) } }
                @for choice in &view.listings {
                    form method="post" action=(format!("/courses/{}/listings", view.id)) {
                        (shell.csrf_field())
                        input type="hidden" name="library" value=(choice.slug);
                        span { (choice.name) }
                        button.text-button type="submit" name="action" value=(if choice.on { "unlist" } else { "list" }) {
                            @if choice.on { (shell.pick("不再展示", "Stop showing")) } @else { (shell.pick("展示", "Show")) }
                        }
                    }
                }
            }
        }
    }
}

/// Courses as cards.
pub(super) fn course_tiles(shell: &Shell, tiles: &[CourseTile]) -> Markup {
    html! {
        ul.tiles.course-tiles { @for (at, tile) in tiles.iter().enumerate() { li { (card(shell, tile, at < 4)) } } }
    }
}

fn card(shell: &Shell, tile: &CourseTile, soon: bool) -> Markup {
    let extent = shell.lang.count(tile.lessons, "课", "lesson", "lessons");
    html! {
        article.tile {
            (cover(shell.lang, TileKind::Course(tile.lessons), &tile.title, tile.poster.as_deref(), Some(&extent), soon))
            div.tile-words {
                h3 { a href=(tile.href) { (tile.title) } }
                p.tile-facts {
                    @if !tile.teachers.is_empty() { span { (tile.teachers) } }
                    @if let Some(hours) = tile.hours { span { (hours_word(shell, hours)) } }
                    @if let Some(library) = &tile.library {
                        span { @if tile.thanks { (thanks_word(shell, library)) } @else { (library) } }
                    }
                }
            }
        }
    }
}

/// `感谢 … 提供`.
pub(super) fn thanks_word(shell: &Shell, library: &str) -> String {
    match shell.lang {
        super::Lang::Zh => format!("感谢 {library} 提供"),
        super::Lang::En => format!("With thanks to {library}"),
    }
}

/// The icon and extent of a lesson.
pub(super) fn lesson_extent(shell: &Shell, row: &LessonRow) -> Markup {
    let tile = ResourceTile {
        home: None,
        href: String::new(),
        title: String::new(),
        kind: row.kind.into(),
        poster: None,
        duration_ms: row.duration_ms,
        pages: row.pages,
        library: None,
        when_ms: None,
    };
    html! {
        span.lesson-extent {
            (kind_icon(row.kind)) span.unseen { (super::kind_word(shell.lang, row.kind)) }
            @if let Some(extent) = super::tile::tile_extent(shell.lang, &tile) { span.number { (extent) } }
        }
    }
}

/// schema.org `Course` with what belongs to it.
fn json_ld(shell: &Shell, view: &CourseView, path: &str) -> String {
    let absolute = |path: &str| format!("{}{path}", shell.origin);
    let parts: Vec<serde_json::Value> = view
        .sections
        .iter()
        .flat_map(|section| &section.lessons)
        .map(|row| {
            serde_json::json!({
                "@type": "LearningResource",
                "position": row.number,
                "name": row.title,
                "url": absolute(&row.href),
            })
        })
        .collect();
    let mut json = serde_json::json!({
        "@context": "https://schema.org",
        "@type": "Course",
        "@id": absolute(path),
        "url": absolute(path),
        "name": view.title,
        "description": view.description,
        "isAccessibleForFree": true,
        "provider": { "@type": "Organization", "name": view.library_name },
        "hasPart": parts,
    });
    if !view.teachers.is_empty() {
        json["author"] = serde_json::json!({ "@type": "Person", "name": view.teachers });
    }
    if let Some(hours) = view.hours {
        json["timeRequired"] = iso_duration((hours * 3_600_000.0) as u64).into();
    }
    if let Some(language) = &view.language {
        json["inLanguage"] = language.as_str().into();
    }
    json.to_string()
}
