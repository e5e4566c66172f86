//! Tokens of the people of the caller's branch.

use maud::{Markup, html};

use super::super::Shell;
use super::{Listed, Notice, Words, confirm, frame, listed, top};

/// A page of tokens.
#[derive(Clone, Debug, Default)]
pub struct TokensView {
    /// The list, but for its rows.
    pub list: Listed,
    /// The last first.
    pub rows: Vec<HeldTokenRow>,
    /// What came of a form.
    pub notice: Notice,
}

/// A token of somebody.
#[derive(Clone, Debug)]
pub struct HeldTokenRow {
    /// Id.
    pub id: String,
    /// Id of whose it is.
    pub account: String,
    /// Their name.
    pub person: String,
    /// What it is for.
    pub label: String,
    /// What it may be used for, with spaces between.
    pub scopes: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds; `None`: until it is revoked.
    pub expires_ms: Option<i64>,
    /// That is over.
    pub ended: bool,
}

/// The list.
#[must_use]
pub fn tokens(shell: &Shell, view: &TokensView) -> Markup {
    let words = Words {
        find: shell.pick("姓名、登录名或用途", "Name, or what it is for"),
        unit: ("个令牌", "token", "tokens"),
        none: shell.pick("没有符合的令牌", "No token matches"),
    };
    let rows = html! {
        table.admin-table {
            thead { tr {
                th { (shell.pick("用途", "What for")) } th { (shell.pick("谁的", "Whose")) } th { (shell.pick("权限", "Scopes")) }
                th { (shell.pick("生成于", "Made")) } th { (shell.pick("有效到", "Until")) } th {}
            } }
            tbody { @for row in &view.rows { tr {
                td.main-cell { (if row.label.is_empty() { shell.pick("（没有写用途）", "(not said)") } else { &row.label }) }
                td data-label=(shell.pick("谁的", "Whose")) { a href=(format!("/admin/people/{}", row.account)) { (row.person) } }
                td data-label=(shell.pick("权限", "Scopes")) { @for scope in row.scopes.split(' ') { span.tag { (scope_word(shell, scope)) } } }
                td data-label=(shell.pick("生成于", "Made")) { (shell.lang.day(row.created_ms, &shell.zone)) }
                td data-label=(shell.pick("有效到", "Until")) {
                    @match row.expires_ms {
                        _ if row.ended => { span.tag { (shell.pick("已过期", "Ended")) } }
                        Some(expires_ms) => { (shell.lang.day(expires_ms, &shell.zone)) }
                        None => { (shell.pick("作废为止", "Until revoked")) }
                    }
                }
                td { (revoke(shell, row)) }
            } } }
        }
    };
    let body = html! {
        p.lead { (shell.pick("令牌让程序代人操作，不用密码。丢了、不用了、人走了，就作废。", "With a token a program acts for somebody without a password. Revoke what is lost or not needed.")) }
        (listed(shell, &view.list, &words, &html! {}, &rows))
    };
    frame(shell, shell.pick("令牌", "Tokens"), &[top(shell)], &view.notice, &body)
}

fn scope_word(shell: &Shell, scope: &str) -> String {
    match scope {
        "read" => shell.pick("读取", "read"),
        "upload" => shell.pick("上传", "upload"),
        "manage" => shell.pick("管理", "manage"),
        other => other,
    }
    .to_owned()
}

fn revoke(shell: &Shell, row: &HeldTokenRow) -> Markup {
    let id = html! { input type="hidden" name="id" value=(row.id); };
    confirm(
        shell,
        "/admin/tokens",
        &id,
        "revoke",
        shell.pick("作废", "Revoke"),
        shell.pick(
            "用它的程序立刻不能再登录，不能恢复；需要时由本人重新生成一个。",
            "Programs that use it are shut out at once. It cannot be undone; its owner can make another.",
        ),
    )
}
