//! The page on which captions are edited beside what they belong to.

use maud::{Markup, html};

use super::{
    MediaView, Shell,
    layout::{Page, document},
    media::media,
};

/// What the caption editor shows before its script has read the captions.
#[derive(Clone, Debug)]
pub struct CaptionsEditView {
    /// The resource's id.
    pub id: String,
    /// The resource's title.
    pub title: String,
    /// Name of the captions in URLs.
    pub name: String,
    /// BCP 47.
    pub language: String,
    /// What they are called; of new ones, their language.
    pub label: String,
    /// A sentence about where they are from, which matters before they are saved.
    pub about: Option<String>,
    /// What is played.
    pub media: MediaView,
}

/// The caption editor.
#[must_use]
pub fn edit_captions(shell: &Shell, view: &CaptionsEditView) -> Markup {
    let back = format!("/studio/resources/{}", view.id);
    let source = format!("/api/resources/{}/captions/{}", view.id, view.name);
    let title = format!("{}{}", shell.pick("字幕：", "Captions: "), view.label);
    let body = html! {
        div.wrap data-captions-editor data-id=(view.id) data-name=(view.name) data-language=(view.language)
            data-title=(view.title) data-src=(source) data-back=(back) {
            header.page-head {
                p.crumbs {
                    a href="/studio" { (shell.pick("工作室", "Studio")) } " / " a href=(back) { (view.title) }
                }
                h1 { (title) }
                @if let Some(about) = &view.about { p.hint { (about) } }
            }
            (shell.csrf_field())
            div.captions-layout {
                div.captions-play {
                    (media(shell, &view.media, &view.title, ""))
                    p.captions-now data-captions-now aria-hidden="true" {}
                    div data-captions-tools {}
                }
                div.captions-work data-captions-work {
                    p.hint { (shell.pick("正在读取字幕……", "Reading the captions…")) }
                    noscript { p.notice { (shell.pick("编辑字幕需要浏览器开启脚本；也可以下载字幕，改好后在资源页上传。", "Editing needs scripts in the browser. Or download the captions, change them, and upload them on the resource's page.")) } }
                }
            }
        }
    };
    let assets = &shell.assets;
    let page = Page {
        styles: vec![assets.player_css.as_str(), assets.captions_css.as_str()],
        scripts: vec![assets.player.as_str(), assets.captions.as_str()],
        ..Page::plain(&title, "captions-page", body)
    };
    document(shell, &page)
}
