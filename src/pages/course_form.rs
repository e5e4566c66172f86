//! One course in the studio: what is said about it, its lessons, and the picker of resources.
//!
//! Everything is done by forms: each button names what it does and to what (`up:ID`). The script
//! sends the same forms without loading the page anew, and adds dragging.

use maud::{Markup, html};

use super::{
    Shell,
    course::thanks_word,
    icon::{Icon, icon},
    layout::{Page, document},
    tile::{TileKind, cover, extent},
    words::{kind_word, stage_word, term_word},
};
use crate::catalogue::{AUDIENCES, Kind, LANGUAGES, LICENCES, Stage, TOPICS, Term};

/// What the page of one course in the studio shows.
#[derive(Clone, Debug)]
pub struct CourseEditView {
    /// Its id.
    pub id: String,
    /// Number of its last change, which forms carry.
    pub version: i64,
    /// Whether others see it.
    pub stage: Stage,
    /// The name of its library.
    pub library_name: String,
    /// Its slug.
    pub library: String,
    /// A sentence after a form was sent.
    pub saved: Option<String>,
    /// Why a form was refused: name of the field (empty: none in particular), sentence.
    pub refusals: Vec<(String, String)>,
    /// As in the form.
    pub title: String,
    /// As in the form.
    pub description: String,
    /// As in the form.
    pub teachers: String,
    /// As in the form; empty: not said.
    pub hours: String,
    /// As in the form: BCP 47, or empty.
    pub language: String,
    /// As in the form: SPDX id or words, or empty.
    pub licence: String,
    /// As in the form: codes.
    pub topics: Vec<String>,
    /// As in the form: codes.
    pub audiences: Vec<String>,
    /// URL of the cover.
    pub poster: Option<String>,
    /// The cover was chosen; else it is the first lesson's.
    pub cover_chosen: bool,
    /// Its sections, one at least.
    pub sections: Vec<EditSection>,
    /// Resources to take in.
    pub picker: PickerView,
}

/// A section in the editor.
#[derive(Clone, Debug)]
pub struct EditSection {
    /// Of the first it may be empty.
    pub title: String,
    /// In their order.
    pub lessons: Vec<EditLesson>,
}

/// A lesson in the editor.
#[derive(Clone, Debug)]
pub struct EditLesson {
    /// Its id.
    pub id: String,
    /// Through the whole course, from 1.
    pub number: i64,
    /// As learners read it.
    pub title: String,
    /// Its own title; empty: that of its resource.
    pub own_title: String,
    /// What it is; nothing when it is gone.
    pub kind: Option<Kind>,
    /// Length of video and audio, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Pages of a document.
    pub pages: Option<u32>,
    /// Name of another library that gave it.
    pub thanks: Option<String>,
    /// Whether learners have it.
    pub state: LessonState,
}

/// Whether learners have a lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LessonState {
    /// They do.
    Open,
    /// Its resource is in this stage.
    Not(Stage),
    /// Its resource cannot be seen any more.
    Gone,
}

/// Resources to take in.
#[derive(Clone, Debug)]
pub struct PickerView {
    /// What was searched for.
    pub query: String,
    /// What can be taken in.
    pub rows: Vec<PickedRow>,
}

/// A resource that can be taken in.
#[derive(Clone, Debug)]
pub struct PickedRow {
    /// Its id.
    pub id: String,
    /// The title.
    pub title: String,
    /// What it is.
    pub kind: Kind,
    /// Told unless it is published.
    pub stage: Stage,
    /// Length of video and audio, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Pages of a document.
    pub pages: Option<u32>,
    /// URL of its poster.
    pub poster: Option<String>,
    /// The name of its library, when that is another.
    pub library: Option<String>,
    /// It is in already.
    pub inside: bool,
}

/// One course in the studio.
#[must_use]
pub fn edit_course(shell: &Shell, view: &CourseEditView) -> Markup {
    let action = format!("/studio/courses/{}", view.id);
    let body = html! {
        div.wrap.edit data-course-editor {
            header.page-head {
                p.crumbs { a href="/studio/courses" { (shell.pick("课程与专题", "Courses and collections")) } }
                h1 { (view.title) }
                p.tile-facts { span { (view.library_name) } }
            }
            div data-swap="notices" {
                @if let Some(saved) = &view.saved { p.notice.good role="status" { (icon(Icon::Check)) (saved) } }
                @for (_, says) in view.refusals.iter().filter(|(field, _)| !is_detail(field)) {
                    p.notice.bad role="alert" { (says) }
                }
            }
            div.edit-layout {
                aside.edit-side { (state(shell, view, &action)) }
                div.edit-main {
                    (contents(shell, view, &action))
                    (picker(shell, view, &action))
                    (details(shell, view, &action))
                }
            }
        }
    };
    document(
        shell,
        &Page { scripts: vec![&shell.assets.courses], ..Page::plain(&view.title, "studio", body) },
    )
}

fn is_detail(field: &str) -> bool {
    ["title", "description", "teachers", "hours", "language", "licence", "topics", "audiences"]
        .contains(&field)
}

/// What every form carries.
fn hidden(shell: &Shell, view: &CourseEditView) -> Markup {
    html! { (shell.csrf_field()) input type="hidden" name="version" value=(view.version); }
}

fn button(value: &str, class: &str, label: &str) -> Markup {
    html! { button class=(class) type="submit" name="action" value=(value) { (label) } }
}

fn state(shell: &Shell, view: &CourseEditView, action: &str) -> Markup {
    let lessons: usize = view.sections.iter().map(|section| section.lessons.len()).sum();
    html! {
        section.card data-swap="state" aria-label=(shell.pick("状态", "State")) {
            (cover(shell.lang, TileKind::Course(lessons as u64), &view.title, view.poster.as_deref(), None, true))
            form.cover-form method="post" action=(action) data-course-form {
                (hidden(shell, view))
                @if view.cover_chosen {
                    (button("cover:", "text-button", shell.pick("不用这个封面", "Use no chosen cover")))
                } @else { p.hint { (shell.pick("封面取自第一个有封面的课；也可以在下面挑一个资源，点“作封面”。", "The cover is the first lesson's; “Cover” below chooses another.")) } }
            }
            strong.stage data-stage=(view.stage.as_str()) { (stage_word(shell.lang, view.stage)) }
            form.actions method="post" action=(action) {
                (hidden(shell, view))
                @if view.stage == Stage::Published {
                    (button("withdraw", "button quiet", shell.pick("下架", "Withdraw")))
                } @else {
                    (button("publish", "button", shell.pick("发布课程", "Publish")))
                }
                a.button.quiet href=(format!("/courses/{}", view.id)) { (shell.pick("看看效果", "View")) }
            }
            details.danger {
                summary { (shell.pick("删除这门课", "Delete this course")) }
                p { (shell.pick("课程删除后不能恢复；其中的资源都还在。", "This cannot be undone. The resources in it stay.")) }
                form method="post" action=(action) {
                    (hidden(shell, view))
                    (button("delete", "button bad", shell.pick("确定删除", "Delete for good")))
                }
            }
        }
    }
}

fn contents(shell: &Shell, view: &CourseEditView, action: &str) -> Markup {
    let empty = view.sections.iter().all(|section| section.lessons.is_empty());
    html! {
        form.form.card.contents method="post" action=(action) data-course-form data-contents data-swap="contents" id="contents" {
            h2 { (shell.pick("课程内容", "Lessons")) }
            (hidden(shell, view))
            // What Enter in a field does.
            button.unseen type="submit" name="action" value="titles" tabindex="-1" aria-hidden="true" {}
            p.unseen role="status" data-contents-says {}
            @if empty { p.hint { (shell.pick("在下面找资源，点“加入”，就成了课程里的一课。", "Find resources below and add them as lessons.")) } }
            @for (number, section) in view.sections.iter().enumerate() { (edit_section(shell, view, number, section)) }
            div.add-section {
                input name="new-section" maxlength="200" aria-label=(shell.pick("新单元的名称", "Title of the new section")) placeholder=(shell.pick("新单元的名称", "Title of the new section"));
                (button("add-section", "button quiet", shell.pick("加一个单元", "Add a section")))
            }
            p.form-end { (button("titles", "button quiet", shell.pick("保存名称", "Save the titles"))) }
        }
    }
}

fn edit_section(
    shell: &Shell,
    view: &CourseEditView,
    number: usize,
    section: &EditSection,
) -> Markup {
    let last = view.sections.len() - 1;
    let named =
        if section.title.is_empty() { shell.pick("开头", "Beginning") } else { &section.title };
    let label = shell.pick("单元名称", "Title of the section");
    html! {
        section.edit-section aria-label=(named) {
            div.section-bar {
                input.section-title name=(format!("section-{number}")) value=(section.title) maxlength="200"
                    aria-label=(label) placeholder=(if number == 0 { shell.pick("单元名称（可不填）", "Title of the section (may be empty)") } else { label })
                    required[number > 0];
                @if last > 0 {
                    (arrow(shell, &format!("section-up:{number}"), named, true, number == 0))
                    (arrow(shell, &format!("section-down:{number}"), named, false, number == last))
                    button.icon-button type="submit" name="action" value=(format!("section-remove:{number}"))
                        id=(format!("section-remove-{number}")) title=(shell.pick("去掉单元，里面的课并入相邻单元", "Remove the section; its lessons stay"))
                        aria-label=(format!("{} {named}", shell.pick("去掉单元", "Remove the section"))) { (icon(Icon::Minus)) }
                }
            }
            ol.edit-lessons data-section=(number) {
                @for lesson in &section.lessons { (edit_lesson(shell, view, number, lesson)) }
            }
        }
    }
}

fn edit_lesson(
    shell: &Shell,
    view: &CourseEditView,
    section: usize,
    lesson: &EditLesson,
) -> Markup {
    let id = &lesson.id;
    html! {
        li.edit-lesson data-lesson=(id) data-title=(lesson.title) id=(format!("lesson-{id}")) {
            span.drag data-drag data-waits aria-hidden="true" title=(shell.pick("拖动排序", "Drag to order")) { (icon(Icon::List)) }
            span.lesson-number { (lesson.number) }
            div.edit-lesson-words {
                p.edit-lesson-title { (lesson.title) }
                p.tile-facts {
                    @if let Some(kind) = lesson.kind {
                        span { (kind_word(shell.lang, kind)) }
                        @if let Some(long) = extent(shell.lang, lesson.duration_ms, lesson.pages) { span { (long) } }
                    }
                    @if let Some(library) = &lesson.thanks { span { (thanks_word(shell, library)) } }
                }
                (mark(shell, lesson.state))
            }
            div.edit-lesson-tools {
                (arrow(shell, &format!("up:{id}"), &lesson.title, true, false))
                (arrow(shell, &format!("down:{id}"), &lesson.title, false, false))
                details.lesson-more {
                    summary.text-button aria-label=(format!("{} {}", shell.pick("更多", "More"), lesson.title)) { (shell.pick("更多", "More")) }
                    div.lesson-more-panel {
                        div.field {
                            label for=(format!("title-{id}")) { (shell.pick("在本课程里的名称（不填就用资源的标题）", "Title in this course (empty: the resource's)")) }
                            input id=(format!("title-{id}")) name=(format!("title-{id}")) value=(lesson.own_title) maxlength="200";
                        }
                        @if view.sections.len() > 1 {
                            div.field {
                                label for=(format!("to-{id}")) { (shell.pick("移到单元", "Move to section")) }
                                div.caption-controls {
                                    select id=(format!("to-{id}")) name=(format!("to-{id}")) {
                                        @for (number, other) in view.sections.iter().enumerate() {
                                            option value=(number) selected[number == section] {
                                                @if other.title.is_empty() { (shell.pick("开头", "Beginning")) } @else { (other.title) }
                                            }
                                        }
                                    }
                                    (button(&format!("to:{id}"), "button quiet", shell.pick("移动", "Move")))
                                }
                            }
                        }
                        p.form-end {
                            (button("titles", "button quiet", shell.pick("保存名称", "Save the title")))
                            button.button.quiet type="submit" name="action" value=(format!("remove:{id}"))
                                aria-label=(format!("{} {}", shell.pick("移出课程", "Take out"), lesson.title)) { (shell.pick("移出课程", "Take out")) }
                        }
                    }
                }
            }
        }
    }
}

/// Why learners do not have a lesson.
fn mark(shell: &Shell, state: LessonState) -> Markup {
    let says = match state {
        LessonState::Open => return html! {},
        LessonState::Not(Stage::Withdrawn) => shell.pick(
            "资源已下架，学习者看不到这一课",
            "Its resource was withdrawn: learners do not see it",
        ),
        LessonState::Not(_) => shell.pick(
            "资源还没有发布，学习者看不到这一课",
            "Its resource is not published: learners do not see it",
        ),
        LessonState::Gone => shell.pick(
            "资源已不在或不再公开，学习者看不到这一课",
            "Its resource is gone or no longer public: learners do not see it",
        ),
    };
    html! { p.lesson-mark { (says) } }
}

fn arrow(shell: &Shell, value: &str, what: &str, up: bool, off: bool) -> Markup {
    let label =
        if up { shell.pick("上移", "Move up") } else { shell.pick("下移", "Move down") };
    html! {
        button.icon-button.arrow.up[up] type="submit" name="action" value=(value) id=(value.replace(':', "-"))
            disabled[off] title=(label) aria-label=(format!("{label} {what}")) { (icon(Icon::Right)) }
    }
}

fn picker(shell: &Shell, view: &CourseEditView, action: &str) -> Markup {
    let label = shell
        .pick("找资源：标题、字幕里的话、文档里的字", "Find resources by titles and words in them");
    html! {
        section.card.picker id="picker" aria-labelledby="picker-title" {
            h2 id="picker-title" { (shell.pick("加入资源", "Add resources")) }
            form.search action=(format!("{action}#picker")) method="get" role="search" aria-label=(shell.pick("找资源", "Find resources")) data-picker-search {
                input type="search" name="q" value=(view.picker.query) maxlength="1000" autocomplete="off" enterkeyhint="search" aria-label=(label) placeholder=(label);
                button type="submit" aria-label=(shell.pick("搜索", "Search")) { (icon(Icon::Search)) }
            }
            form method="post" action=(format!("{action}?q={}", super::home::encode(&view.picker.query))) data-course-form data-swap="picker" {
                (hidden(shell, view))
                @if view.sections.len() > 1 {
                    p.picker-into {
                        label for="picker-section" { (shell.pick("加到", "Into")) }
                        select id="picker-section" name="section" {
                            @for (number, section) in view.sections.iter().enumerate() {
                                option value=(number) selected[number + 1 == view.sections.len()] {
                                    @if section.title.is_empty() { (shell.pick("开头", "Beginning")) } @else { (section.title) }
                                }
                            }
                        }
                    }
                }
                @if view.picker.rows.is_empty() {
                    p.hint role="status" { (shell.pick("没有找到可以加入的资源。", "Nothing found that can be added.")) }
                } @else {
                    ul.picked { @for row in &view.picker.rows { li { (picked(shell, row, true)) } } }
                }
                p.hint {
                    (shell.pick("本馆的资源都能加入；别的馆公开的资源也能加入，课程里会写明感谢谁提供。要用自己的图片作封面，先", "All resources of this library can be added, and public ones of others, with thanks to them. To use your own picture as the cover, first "))
                    a href=(format!("/studio?library={}", view.library)) { (shell.pick("上传图片", "upload it")) }
                    (shell.pick("。", "."))
                }
            }
        }
    }
}

/// A resource with its buttons: add, and use as cover with `covers`.
pub(super) fn picked(shell: &Shell, row: &PickedRow, covers: bool) -> Markup {
    let add = match row.inside {
        true => shell.pick("再加一次", "Add again"),
        false => shell.pick("加入", "Add"),
    };
    html! {
        article.picked-row {
            (cover(shell.lang, row.kind, &row.title, row.poster.as_deref(), extent(shell.lang, row.duration_ms, row.pages).as_deref(), false))
            div.picked-words {
                p.picked-title { a href=(format!("/resources/{}", row.id)) target="_blank" rel="noopener" { (row.title) } }
                p.tile-facts {
                    span { (kind_word(shell.lang, row.kind)) }
                    @if row.stage != Stage::Published { span { (stage_word(shell.lang, row.stage)) } }
                    @if let Some(library) = &row.library { span { (library) } }
                }
            }
            div.picked-tools {
                button.button.quiet type="submit" name="action" value=(format!("add:{}", row.id)) id=(format!("add-{}", row.id))
                    aria-label=(format!("{add} {}", row.title)) {
                    @if row.inside { (icon(Icon::Check)) } @else { (icon(Icon::Plus)) }
                    (add)
                }
                @if covers && row.poster.is_some() {
                    button.text-button type="submit" name="action" value=(format!("cover:{}", row.id)) id=(format!("cover-{}", row.id))
                        aria-label=(format!("{} {}", shell.pick("作封面", "Cover"), row.title)) { (shell.pick("作封面", "Cover")) }
                }
            }
        }
    }
}

fn details(shell: &Shell, view: &CourseEditView, action: &str) -> Markup {
    let lang = shell.lang;
    html! {
        form.form.card method="post" action=(action) id="details" {
            h2 { (lang.pick("说明", "About")) }
            (hidden(shell, view))
            (field(view, "title", lang.pick("标题", "Title"), &|id| html! {
                input id=(id) name="title" value=(view.title) required maxlength="1024";
            }))
            (field(view, "description", lang.pick("简介", "Description"), &|id| html! {
                textarea id=(id) name="description" rows="4" maxlength="20000" { (view.description) }
            }))
            div.field-pair {
                (field(view, "teachers", lang.pick("授课人", "Teachers"), &|id| html! {
                    input id=(id) name="teachers" value=(view.teachers) maxlength="1024" placeholder=(lang.pick("如：王守海、李红", "Such as Wang Shouhai, Li Hong"));
                }))
                (field(view, "hours", lang.pick("学时", "Hours"), &|id| html! {
                    input id=(id) name="hours" value=(view.hours) inputmode="decimal" maxlength="8";
                }))
            }
            div.field-pair {
                (field(view, "language", lang.pick("语言", "Language"), &|id| select(shell, id, "language", LANGUAGES, &view.language)))
                (field(view, "licence", lang.pick("许可", "Licence"), &|id| select(shell, id, "licence", LICENCES, &view.licence)))
            }
            (choices(shell, "topics", lang.pick("主题", "Topics"), TOPICS, &view.topics))
            (choices(shell, "audiences", lang.pick("适合谁学", "Audiences"), AUDIENCES, &view.audiences))
            p.form-end { (button("save", "button", lang.pick("保存说明", "Save"))) }
        }
    }
}

fn field(
    view: &CourseEditView,
    name: &str,
    label: &str,
    control: &dyn Fn(&str) -> Markup,
) -> Markup {
    let id = format!("edit-{name}");
    html! {
        div.field {
            label for=(id) { (label) }
            (control(&id))
            @for (_, says) in view.refusals.iter().filter(|(field, _)| field == name) { p.refusal role="alert" { (says) } }
        }
    }
}

fn select(shell: &Shell, id: &str, name: &str, terms: &'static [Term], chosen: &str) -> Markup {
    html! {
        select id=(id) name=(name) {
            option value="" selected[chosen.is_empty()] { (shell.pick("未说明", "Not stated")) }
            @for term in terms {
                option value=(term.code) selected[term.code == chosen] { (term_word(terms, term.code, shell.lang)) }
            }
            @if !chosen.is_empty() && !terms.iter().any(|term| term.code == chosen) { option value=(chosen) selected { (chosen) } }
        }
    }
}

fn choices(
    shell: &Shell,
    name: &str,
    label: &str,
    terms: &'static [Term],
    chosen: &[String],
) -> Markup {
    html! {
        fieldset.choices {
            legend { (label) }
            @for term in terms {
                label.choice {
                    input type="checkbox" name=(name) value=(term.code) checked[chosen.iter().any(|code| code == term.code)];
                    span { (term_word(terms, term.code, shell.lang)) }
                }
            }
        }
    }
}
