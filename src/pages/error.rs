//! What went wrong, in words, and the ways on.

use maud::{Markup, html};

use super::{
    Shell,
    layout::{Page, document, search_form},
};

/// A page that could not be shown.
#[derive(Clone, Debug)]
pub struct ErrorView {
    /// The HTTP status.
    pub status: u16,
    /// One or two sentences; empty takes the status's own.
    pub detail: String,
    /// What the operator can find the case by, for 5xx.
    pub reference: Option<String>,
}

/// The page for a status of 4xx or 5xx.
#[must_use]
pub fn error(shell: &Shell, view: &ErrorView) -> Markup {
    let (title, detail) = words(shell, view.status);
    let detail = if view.detail.is_empty() { detail } else { &view.detail };
    let body = html! {
        div.narrow.error-page {
            p.status aria-hidden="true" { (view.status) }
            h1 { (title) }
            p.lead { (detail) }
            (search_form(shell, "", "error-search", &[]))
            p.ways {
                a.button.quiet href="/" { (shell.pick("回首页", "Home")) }
                a.button.quiet href="/libraries" { (shell.pick("看看资源库", "Libraries")) }
            }
            @if let Some(reference) = &view.reference {
                p.reference { (shell.pick("告诉管理员这个编号：", "Tell the operator this number: ")) code { (reference) } }
            }
        }
    };
    document(shell, &Page { search: None, ..Page::plain(title, "error", body) })
}

fn words<'a>(shell: &Shell, status: u16) -> (&'a str, &'a str) {
    let lang = shell.lang;
    match status {
        401 => (
            lang.pick("请先登录", "Please sign in"),
            lang.pick("登录以后再打开这一页。", "Sign in, then open this page again."),
        ),
        403 => (
            lang.pick("没有这个权限", "Not allowed"),
            lang.pick(
                "您可以看到它，但不能这样做。请找本库的管理员。",
                "You may see it but not do this. Ask the library's librarian.",
            ),
        ),
        404 | 410 => (
            lang.pick("没有这一页", "Not found"),
            lang.pick(
                "它也许已经下架或换了地址。可以搜一搜。",
                "It may have been withdrawn or moved. A search may find it.",
            ),
        ),
        413 => (
            lang.pick("文件太大", "Too large"),
            lang.pick("超出了本库的限额。", "It is over the library's limit."),
        ),
        429 => (
            lang.pick("请求太频繁", "Too many requests"),
            lang.pick("请过一会儿再试。", "Please wait a little and try again."),
        ),
        503 => (
            lang.pick("暂时不可用", "Not available now"),
            lang.pick(
                "系统正在维护或忙，请过一会儿再试。",
                "The system is busy or being looked after. Please try again soon.",
            ),
        ),
        400..=499 => (
            lang.pick("这个请求不能办理", "This cannot be done"),
            lang.pick("请检查填写的内容。", "Please check what was sent."),
        ),
        _ => (
            lang.pick("出错了", "Something went wrong"),
            lang.pick(
                "问题出在我们这边，已经记录下来。请过一会儿再试。",
                "The fault is ours and has been recorded. Please try again soon.",
            ),
        ),
    }
}
