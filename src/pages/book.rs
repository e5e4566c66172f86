//! A book: one chapter in a frame of its own, and the way to the others.

use maud::{Markup, html};

use super::{
    Shell,
    home::encode,
    icon::{Icon, icon},
};
use crate::catalogue::OutlineItem;

/// A book, open at a chapter; every URL has its ticket prefix already.
#[derive(Clone, Debug)]
pub struct BookView {
    /// Under this name the position is kept in the browser: the resource's id.
    pub id: String,
    /// The chapter that is shown, from 1.
    pub chapter: u32,
    /// The address names it; else the browser may go on where the reader was.
    pub asked: bool,
    /// Of all chapters, in order; some may be empty.
    pub titles: Vec<String>,
    /// The chapter's own page.
    pub src: String,
    /// Table of contents.
    pub contents: Vec<OutlineItem>,
    /// It is turned from right to left.
    pub right_to_left: bool,
    /// URL of the whole text.
    pub text: Option<String>,
}

impl BookView {
    fn total(&self) -> u32 {
        u32::try_from(self.titles.len()).unwrap_or(u32::MAX)
    }

    /// What the chapter `number` is called; `第 3 章` where it has no title.
    fn title(&self, shell: &Shell, number: u32) -> String {
        let title = self.titles.get(number as usize - 1).filter(|title| !title.is_empty());
        let word = || shell.pick("第 N 章", "Chapter N").replace('N', &number.to_string());
        title.cloned().unwrap_or_else(word)
    }
}

/// The address of a chapter of this book; the query stays, so that its words stay marked.
fn at_chapter(chapter: u32, anchor: &str, query: &str) -> String {
    let mut address = format!("?chapter={chapter}");
    if !anchor.is_empty() {
        address.push_str(&format!("&at={}", encode(anchor)));
    }
    if !query.is_empty() {
        address.push_str(&format!("&q={}", encode(query)));
    }
    address
}

/// The book, open.
pub(super) fn book(shell: &Shell, view: &BookView, query: &str) -> Markup {
    let direction = view.right_to_left.then_some("rtl");
    let title = view.title(shell, view.chapter);
    html! {
        div.stage-frame.book data-book=(view.id) data-chapter=(view.chapter) data-total=(view.total())
            data-asked[view.asked] data-query=(query) dir=[direction] {
            (bar(shell, view, query))
            @if !view.contents.is_empty() || view.total() > 1 { (contents(shell, view, query)) }
            // Strangers' HTML: no script runs in it, here or alone; see `SHUT_IN` in deliver::reply.
            iframe.book-page src=(view.src) title=(title) data-book-page
                sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox" {}
            @if view.total() > 1 { (turn(shell, view, query)) }
        }
    }
}

fn bar(shell: &Shell, view: &BookView, query: &str) -> Markup {
    html! {
        div.viewer-bar role="toolbar" aria-label=(shell.pick("阅读工具", "Reading tools")) {
            @if view.total() > 1 {
                (step(shell, view, query, false))
                span.book-place { (view.chapter) " / " (view.total()) }
                (step(shell, view, query, true))
            }
            span.spacer {}
            div.zoom data-waits data-text-size {
                button.icon-button type="button" data-by="-1" aria-label=(shell.pick("缩小文字", "Smaller text")) { (icon(Icon::Minus)) }
                output { "100%" }
                button.icon-button type="button" data-by="1" aria-label=(shell.pick("放大文字", "Larger text")) { (icon(Icon::Plus)) }
            }
            @if let Some(text) = &view.text { a.text-button href=(text) { (shell.pick("纯文本", "Text")) } }
        }
    }
}

/// To the chapter before or behind.
fn step(shell: &Shell, view: &BookView, query: &str, forward: bool) -> Markup {
    let word = match forward {
        true => shell.pick("下一章", "Next chapter"),
        false => shell.pick("上一章", "Previous chapter"),
    };
    let drawn = if forward == view.right_to_left { Icon::Left } else { Icon::Right };
    let by = if forward { "1" } else { "-1" };
    let target = if forward { view.chapter + 1 } else { view.chapter - 1 };
    html! {
        @if (1..=view.total()).contains(&target) {
            a.icon-button data-turn=(by) href=(at_chapter(target, "", query)) aria-label=(word) { (icon(drawn)) }
        } @else {
            a.icon-button aria-disabled="true" role="link" aria-label=(word) { (icon(drawn)) }
        }
    }
}

fn contents(shell: &Shell, view: &BookView, query: &str) -> Markup {
    html! {
        details.book-contents {
            summary {
                (icon(Icon::List))
                span.book-now { (view.title(shell, view.chapter)) }
                span.number { (shell.pick("目录", "Contents")) }
            }
            nav.book-outline aria-label=(shell.pick("目录", "Contents")) {
                ol {
                    @if view.contents.is_empty() {
                        @for number in 1..=view.total() {
                            (item(&view.title(shell, number), number, 0, number == view.chapter, &at_chapter(number, "", query)))
                        }
                    }
                    @for one in &view.contents {
                        (item(&one.title, one.page, one.depth.min(4), one.page == view.chapter, &at_chapter(one.page, &one.anchor, query)))
                    }
                }
            }
        }
    }
}

fn item(title: &str, number: u32, depth: u32, now: bool, href: &str) -> Markup {
    html! {
        li data-depth=(depth) {
            a href=(href) aria-current=[now.then_some("true")] { span { (title) } span.number { (number) } }
        }
    }
}

/// What comes before and after, below the chapter.
fn turn(shell: &Shell, view: &BookView, query: &str) -> Markup {
    html! {
        nav.book-turn aria-label=(shell.pick("翻章", "Chapters")) {
            @if view.chapter > 1 {
                a.before href=(at_chapter(view.chapter - 1, "", query)) rel="prev" {
                    small { (shell.pick("上一章", "Previous")) } span { (view.title(shell, view.chapter - 1)) }
                }
            }
            @if view.chapter < view.total() {
                a.behind href=(at_chapter(view.chapter + 1, "", query)) rel="next" {
                    small { (shell.pick("下一章", "Next")) } span { (view.title(shell, view.chapter + 1)) }
                }
            }
        }
    }
}
