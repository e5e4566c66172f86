//! The studio: an author's uploads and resources, and what happens to them.

use maud::{Markup, html};

use super::{
    Paging, Shell,
    icon::{Icon, icon},
    layout::{Page, document},
    paging::paging,
    tile::{cover, extent, linked},
    words::{kind_word, rfc3339, size, stage_word},
};
use crate::catalogue::{Kind, Stage};

/// The list of the resources that the visitor may change.
#[derive(Clone, Debug)]
pub struct StudioView {
    /// Looks after a library, so what is alike is linked.
    pub compares: bool,
    /// Libraries the visitor may upload into: slug and name.
    pub libraries: Vec<(String, String)>,
    /// The slug chosen, from `?library=`; empty takes the first.
    pub library: String,
    /// The largest file taken, in bytes.
    pub largest_bytes: u64,
    /// File name endings that are taken, such as `.mp4`; a hint to the file dialogue.
    pub accept: Vec<String>,
    /// The stage chosen; empty: all.
    pub stage: String,
    /// Resources of the list, on all its pages.
    pub count: i64,
    /// Tabs by stage: label, count, address, chosen.
    pub tabs: Vec<StudioTab>,
    /// The resources of this page, newest first.
    pub rows: Vec<StudioRow>,
    /// Where in the list this page is.
    pub paging: Paging,
}

/// A tab of the studio's list.
#[derive(Clone, Debug)]
pub struct StudioTab {
    /// As shown.
    pub label: String,
    /// Resources in it.
    pub count: u64,
    /// Its address.
    pub href: String,
    /// Chosen.
    pub on: bool,
}

/// A resource in the studio's list.
#[derive(Clone, Debug)]
pub struct StudioRow {
    /// Its id.
    pub id: String,
    /// The title.
    pub title: String,
    /// What it is.
    pub kind: Kind,
    /// The name of its library.
    pub library: String,
    /// The poster's URL, ticket prefix included.
    pub poster: Option<String>,
    /// Length of video and audio, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Pages of a document.
    pub pages: Option<u32>,
    /// Size of the source, in bytes.
    pub size_bytes: u64,
    /// When it was last changed, Unix time in milliseconds.
    pub updated_ms: i64,
    /// How far it has come.
    pub state: ProcessingView,
}

/// How far a resource has come.
#[derive(Clone, Debug)]
pub struct ProcessingView {
    /// The stage.
    pub stage: Stage,
    /// 0 to 1.
    pub progress: f64,
    /// What is being done now and why it waits, or why it failed; a sentence, may be empty.
    pub says: String,
    /// It can be played or read already.
    pub playable: bool,
}

/// A step of the pipeline on the page of one resource.
#[derive(Clone, Debug)]
pub struct StepView {
    /// As shown, such as `转码 720p`.
    pub label: String,
    /// 0 to 1; 1 is done.
    pub progress: f64,
}

/// The studio's list, with the place to upload.
#[must_use]
pub fn studio(shell: &Shell, view: &StudioView) -> Markup {
    let title = shell.pick("工作室", "Studio");
    let body = html! {
        div.wrap {
            header.page-head {
                h1 { (title) }
                @if view.compares { p { a href="/admin/duplicates" { (shell.pick("查看重复资源", "See duplicates")) } } }
                p { a.button.quiet href="/studio/courses" { (icon(Icon::List)) (shell.pick("课程与专题", "Courses and collections")) } }
            }
            @if !view.libraries.is_empty() { (upload(shell, view)) }
            @if view.tabs.len() > 1 { (tabs(shell, view)) }
            @if !view.rows.is_empty() { (many(shell, view)) }
            h2.unseen { (shell.pick("我的资源", "My resources")) }
            @if view.rows.is_empty() {
                section.empty { h2 { (shell.pick("这里还没有资源", "Nothing here yet")) } }
            } @else {
                ul.rows data-rows { @for one in &view.rows { li { (row(shell, one)) } } }
            }
            (paging(shell, &view.paging))
        }
    };
    document(
        shell,
        &Page { scripts: vec![&shell.assets.studio], ..Page::plain(title, "studio", body) },
    )
}

fn upload(shell: &Shell, view: &StudioView) -> Markup {
    html! {
        section.upload data-upload="/api/uploads" data-largest=(view.largest_bytes) aria-labelledby="upload" {
            div.drop data-drop {
                (icon(Icon::Upload))
                h2 id="upload" { (shell.pick("上传资源", "Upload")) }
                p {
                    span.phrase { (shell.pick("把视频、音频、图片、文档拖到这里，可以一次很多个。", "Drop videos, audio, pictures and documents here, many at once. ")) }
                    span.phrase { (shell.pick("断线、关机都不要紧，回来接着传。", "A broken line does no harm: uploads go on where they stopped.")) }
                }
                div.upload-controls {
                    @if view.libraries.len() > 1 {
                        label for="upload-library" { (shell.pick("传到", "Into")) }
                        select id="upload-library" data-library {
                            @for (slug, name) in &view.libraries {
                                option value=(slug) selected[*slug == view.library] { (name) }
                            }
                        }
                    } @else {
                        input type="hidden" data-library value=(view.libraries[0].0);
                    }
                    label.button.file-button {
                        input.unseen type="file" multiple data-files accept=[accept(view)];
                        (shell.pick("选择文件", "Choose files"))
                    }
                }
                p.hint { (shell.pick("单个文件不超过 ", "Up to ")) (limit(view.largest_bytes)) (shell.pick("", " a file")) }
            }
            noscript { p.notice { (shell.pick("上传需要浏览器开启脚本。", "Uploading needs scripts in the browser.")) } }
            div.unseen role="log" data-upload-log aria-label=(shell.pick("上传消息", "Upload messages")) {}
            ol.uploads data-uploads aria-label=(shell.pick("上传队列", "Uploads")) {}
        }
    }
}

/// A limit as people set it: `64 GB` for 64 times 2^30 bytes, never more than is taken.
fn limit(bytes: u64) -> String {
    const GIB: u64 = 1 << 30;
    if bytes >= GIB && bytes.is_multiple_of(GIB) {
        format!("{} GB", bytes / GIB)
    } else {
        size(bytes)
    }
}

fn accept(view: &StudioView) -> Option<String> {
    (!view.accept.is_empty()).then(|| view.accept.join(","))
}

fn tabs(shell: &Shell, view: &StudioView) -> Markup {
    html! {
        nav.tabs aria-label=(shell.pick("按状态", "By stage")) {
            @for tab in &view.tabs {
                a href=(tab.href) aria-current=[tab.on.then_some("page")] { (tab.label) span.number { (tab.count) } }
            }
        }
    }
}

/// What is done to several rows at once, or to all of the list.
fn many(shell: &Shell, view: &StudioView) -> Markup {
    html! {
        form.many id="many" action="/studio/bulk" method="get" {
            input type="hidden" name="library" value=(view.library);
            input type="hidden" name="stage" value=(view.stage);
            button.button.quiet type="submit" { (shell.pick("修改勾选的", "Change those ticked")) }
            button.text-button type="submit" name="all" value="true" { (shell.pick("修改全部 ", "Change all ")) (view.count) (shell.pick(" 个", "")) }
            a.text-button href="/studio/tables" { (shell.pick("用表格修改", "Change by table")) }
        }
    }
}

fn row(shell: &Shell, row: &StudioRow) -> Markup {
    let href = format!("/studio/resources/{}", row.id);
    let long = extent(shell.lang, row.duration_ms, row.pages);
    html! {
        article.row data-resource=(row.id) data-stage=(row.state.stage.as_str()) {
            label.tick { input type="checkbox" name="id" value=(row.id) form="many"; span.unseen { (shell.pick("勾选：", "Tick: ")) (row.title) } }
            (linked(&href, &cover(shell.lang, row.kind, &row.title, row.poster.as_deref(), long.as_deref(), false)))
            div.row-words {
                h3 { a href=(href) { (row.title) } }
                p.tile-facts {
                    span { (row.library) } span { (kind_word(shell.lang, row.kind)) } span { (size(row.size_bytes)) }
                    time datetime=(rfc3339(row.updated_ms)) { (shell.lang.minute(row.updated_ms, &shell.zone)) }
                }
            }
            (processing(shell, &row.state))
        }
    }
}

/// The stage, a bar while it is processed, and a sentence; the studio's script keeps it up to date.
pub(super) fn processing(shell: &Shell, state: &ProcessingView) -> Markup {
    let percent = percent(state.progress);
    html! {
        div.state data-state {
            strong.stage data-stage=(state.stage.as_str()) data-stage-word { (stage_word(shell.lang, state.stage)) }
            div.bar hidden[state.stage != Stage::Processing] {
                progress max="100" value=(percent) aria-label=(shell.pick("处理进度", "Progress")) {}
                span.number { (percent) "%" }
            }
            p.says { (state.says) }
        }
    }
}

/// 0 to 100, whole, and 100 only when done.
pub(super) fn percent(progress: f64) -> u32 {
    let bounded = if progress.is_finite() { progress.clamp(0.0, 1.0) } else { 0.0 };
    (0..=100).rev().find(|n| bounded * 100.0 >= f64::from(*n)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{limit, percent};

    #[test]
    fn a_limit_is_told_in_round_numbers() {
        assert_eq!(limit(64 << 30), "64 GB");
        assert_eq!(limit(500_000_000), "500 MB");
    }

    #[test]
    fn a_hundred_percent_is_done() {
        assert_eq!(percent(0.999), 99);
        assert_eq!(percent(1.0), 100);
        assert_eq!(percent(-3.0), 0);
        assert_eq!(percent(f64::NAN), 0);
    }
}
