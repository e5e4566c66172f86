//! Courses and collections in the studio: the list of them, and one collection.

use maud::{Markup, html};

use super::{
    PickerView, Shell,
    course_form::picked,
    icon::{Icon, icon},
    layout::{Page, document},
    words::{rfc3339, stage_word},
};
use crate::catalogue::Stage;

/// The list of courses and collections that the visitor may change.
#[derive(Clone, Debug)]
pub struct CoursesView {
    /// Libraries in which the visitor may make them: slug and name.
    pub libraries: Vec<(String, String)>,
    /// Courses, newest first.
    pub courses: Vec<CourseStudioRow>,
    /// Collections, the last changed first; without a stage.
    pub collections: Vec<CourseStudioRow>,
}

/// A course or collection in the list.
#[derive(Clone, Debug)]
pub struct CourseStudioRow {
    /// Where it is edited.
    pub href: String,
    /// The title.
    pub title: String,
    /// The name of its library.
    pub library: String,
    /// Of a course.
    pub stage: Option<Stage>,
    /// Lessons or resources in it.
    pub count: u64,
    /// When it was last changed, Unix time in milliseconds.
    pub updated_ms: i64,
}

/// One collection in the studio.
#[derive(Clone, Debug)]
pub struct CollectionEditView {
    /// Its id.
    pub id: String,
    /// Raised by every change, carried by forms.
    pub version: i64,
    /// The name of its library.
    pub library_name: String,
    /// A sentence after a form was sent.
    pub saved: Option<String>,
    /// Why a form was refused.
    pub refusal: Option<String>,
    /// As in the form.
    pub title: String,
    /// As in the form.
    pub description: String,
    /// The newest first, instead of as put.
    pub newest: bool,
    /// Its resources: id, title, and why others do not see it.
    pub resources: Vec<(String, String, Option<Stage>)>,
    /// Resources to take in.
    pub picker: PickerView,
}

/// The list.
#[must_use]
pub fn courses(shell: &Shell, view: &CoursesView) -> Markup {
    let title = shell.pick("课程与专题", "Courses and collections");
    let body = html! {
        div.wrap {
            header.page-head {
                p.crumbs { a href="/studio" { (shell.pick("工作室", "Studio")) } }
                h1 { (title) }
                p.lead { (shell.pick("课程是一课接一课的学习；专题是放在一起展示的一组资源，都可以用别的馆公开的资源。", "A course is learned lesson by lesson; a collection shows resources together. Both can use public resources of other libraries.")) }
            }
            div.makers {
                (maker(shell, view, "courses", shell.pick("新课程", "New course"), shell.pick("建课程", "Make it")))
                (maker(shell, view, "collections", shell.pick("新专题", "New collection"), shell.pick("建专题", "Make it")))
            }
            (list(shell, shell.pick("课程", "Courses"), &view.courses, shell.pick("还没有课程", "No courses yet"), true))
            (list(shell, shell.pick("专题", "Collections"), &view.collections, shell.pick("还没有专题", "No collections yet"), false))
        }
    };
    document(shell, &Page::plain(title, "studio", body))
}

fn maker(shell: &Shell, view: &CoursesView, what: &str, label: &str, make: &str) -> Markup {
    html! {
        form.form.card method="post" action=(format!("/studio/{what}")) {
            h2 { (label) }
            (shell.csrf_field())
            div.field {
                label for=(format!("new-{what}")) { (shell.pick("名称", "Title")) }
                input id=(format!("new-{what}")) name="title" required maxlength="200";
            }
            @if view.libraries.len() > 1 {
                div.field {
                    label for=(format!("library-{what}")) { (shell.pick("资源库", "Library")) }
                    select id=(format!("library-{what}")) name="library" {
                        @for (slug, name) in &view.libraries { option value=(slug) { (name) } }
                    }
                }
            } @else if let Some((slug, _)) = view.libraries.first() { input type="hidden" name="library" value=(slug); }
            p.form-end { button.button type="submit" { (icon(Icon::Plus)) (make) } }
        }
    }
}

fn list(shell: &Shell, title: &str, rows: &[CourseStudioRow], none: &str, course: bool) -> Markup {
    let count = |row: &CourseStudioRow| match course {
        true => shell.lang.count(row.count, "课", "lesson", "lessons"),
        false => shell.lang.count(row.count, "项资源", "resource", "resources"),
    };
    html! {
        section.band aria-label=(title) {
            div.band-head { h2 { (title) } }
            @if rows.is_empty() { p.hint { (none) } } @else {
                ul.course-rows {
                    @for row in rows {
                        li {
                            h3 { a href=(row.href) { (row.title) } }
                            p.tile-facts {
                                span { (row.library) } span { (count(row)) }
                                time datetime=(rfc3339(row.updated_ms)) { (shell.lang.minute(row.updated_ms, &shell.zone)) }
                            }
                            @if let Some(stage) = row.stage { strong.stage data-stage=(stage.as_str()) { (stage_word(shell.lang, stage)) } }
                        }
                    }
                }
            }
        }
    }
}

/// One collection in the studio.
#[must_use]
pub fn edit_collection(shell: &Shell, view: &CollectionEditView) -> Markup {
    let action = format!("/studio/collections/{}", view.id);
    let body = html! {
        div.wrap.edit data-course-editor {
            header.page-head {
                p.crumbs { a href="/studio/courses" { (shell.pick("课程与专题", "Courses and collections")) } }
                h1 { (view.title) }
                p.tile-facts { span { (view.library_name) } }
            }
            div data-swap="notices" {
                @if let Some(saved) = &view.saved { p.notice.good role="status" { (icon(Icon::Check)) (saved) } }
                @if let Some(refusal) = &view.refusal { p.notice.bad role="alert" { (refusal) } }
            }
            div.edit-layout {
                aside.edit-side { (collection_details(shell, view, &action)) }
                div.edit-main { (collected(shell, view, &action)) (picker(shell, view, &action)) }
            }
        }
    };
    document(
        shell,
        &Page { scripts: vec![&shell.assets.courses], ..Page::plain(&view.title, "studio", body) },
    )
}

fn hidden(shell: &Shell, view: &CollectionEditView) -> Markup {
    html! { (shell.csrf_field()) input type="hidden" name="version" value=(view.version); }
}

fn collection_details(shell: &Shell, view: &CollectionEditView, action: &str) -> Markup {
    html! {
        section.card {
            form.form method="post" action=(action) {
                (hidden(shell, view))
                div.field {
                    label for="edit-title" { (shell.pick("名称", "Title")) }
                    input id="edit-title" name="title" value=(view.title) required maxlength="200";
                }
                div.field {
                    label for="edit-description" { (shell.pick("介绍", "Words")) }
                    textarea id="edit-description" name="description" rows="4" maxlength="20000" { (view.description) }
                }
                div.field {
                    label for="edit-ordering" { (shell.pick("排序", "Order")) }
                    select id="edit-ordering" name="ordering" {
                        option value="hand" selected[!view.newest] { (shell.pick("按我排的顺序", "As I put them")) }
                        option value="newest" selected[view.newest] { (shell.pick("新的在前", "The newest first")) }
                    }
                }
                p.form-end {
                    button.button type="submit" name="action" value="save" { (shell.pick("保存", "Save")) }
                    a.button.quiet href=(format!("/collections/{}", view.id)) { (shell.pick("看看效果", "View")) }
                }
            }
            details.danger {
                summary { (shell.pick("删除这个专题", "Delete this collection")) }
                p { (shell.pick("专题删除后不能恢复；其中的资源都还在。", "This cannot be undone. The resources in it stay.")) }
                form method="post" action=(action) {
                    (hidden(shell, view))
                    button.button.bad type="submit" name="action" value="delete" { (shell.pick("确定删除", "Delete for good")) }
                }
            }
        }
    }
}

fn collected(shell: &Shell, view: &CollectionEditView, action: &str) -> Markup {
    html! {
        form.form.card.contents method="post" action=(action) data-course-form data-swap="contents" id="contents" {
            h2 { (shell.pick("资源", "Resources")) }
            (hidden(shell, view))
            @if view.resources.is_empty() { p.hint { (shell.pick("在下面找资源，点“加入”。", "Find resources below and add them.")) } }
            ol.edit-lessons {
                @for (at, (id, title, stage)) in view.resources.iter().enumerate() {
                    li.edit-lesson.plain {
                        span.lesson-number { (at + 1) }
                        div.edit-lesson-words {
                            p.edit-lesson-title { (title) }
                            @if let Some(stage) = stage {
                                p.lesson-mark { (stage_word(shell.lang, *stage)) (shell.pick("，别人看不到", ": others do not see it")) }
                            }
                        }
                        div.edit-lesson-tools {
                            (tool(&format!("up:{id}"), shell.pick("上移", "Move up"), title, "icon-button arrow up", Icon::Right))
                            (tool(&format!("down:{id}"), shell.pick("下移", "Move down"), title, "icon-button arrow", Icon::Right))
                            (tool(&format!("remove:{id}"), shell.pick("移出", "Take out"), title, "icon-button", Icon::Minus))
                        }
                    }
                }
            }
        }
    }
}

fn tool(value: &str, label: &str, what: &str, class: &str, sign: Icon) -> Markup {
    html! {
        button class=(class) type="submit" name="action" value=(value) id=(value.replace(':', "-"))
            title=(label) aria-label=(format!("{label} {what}")) { (icon(sign)) }
    }
}

fn picker(shell: &Shell, view: &CollectionEditView, action: &str) -> Markup {
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
                ul.picked { @for row in view.picker.rows.iter().filter(|row| !row.inside) { li { (picked(shell, row, false)) } } }
            }
        }
    }
}
