//! The log of changes.

use maud::{Markup, html};

use super::super::{Shell, words::rfc3339};
use super::{Listed, Notice, Words, action_word, actions, field, frame, listed, select, top};

/// A page of the log.
#[derive(Clone, Debug, Default)]
pub struct AuditView {
    /// Login name asked for.
    pub who: String,
    /// What was done.
    pub action: String,
    /// Id of what it was done to.
    pub subject: String,
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// The list, but for its rows.
    pub list: Listed,
    /// The last first.
    pub rows: Vec<EntryRow>,
    /// What was found when the chain was followed.
    pub verified: Option<Result<(i64, String), String>>,
    /// Why the form was refused.
    pub notice: Notice,
}

/// A row of the log.
#[derive(Clone, Debug)]
pub struct EntryRow {
    /// From 1.
    pub number: i64,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// Login name; `None`: the pipeline or the command line.
    pub who: Option<String>,
    /// What was done.
    pub action: String,
    /// Name of the person it was done to, else the id.
    pub subject: String,
    /// JSON.
    pub detail: String,
}

/// The log.
#[must_use]
pub fn audit(shell: &Shell, view: &AuditView) -> Markup {
    let words = Words {
        find: shell.pick("做了什么、对象或详情里的字", "In what was done, to what, or its detail"),
        unit: ("条记录", "row", "rows"),
        none: shell.pick("没有符合的记录", "No rows match"),
    };
    let rows = html! {
        table.admin-table {
            thead { tr {
                th { (shell.pick("时间", "When")) } th { (shell.pick("谁", "Who")) } th { (shell.pick("做了什么", "What")) }
                th { (shell.pick("对象", "To what")) } th { (shell.pick("详情", "Detail")) }
            } }
            tbody { @for row in &view.rows { tr {
                td.main-cell { time datetime=(rfc3339(row.at_ms)) { (shell.lang.minute(row.at_ms, &shell.zone)) } span.hint { " #" (row.number) } }
                td data-label=(shell.pick("谁", "Who")) { (row.who.as_deref().unwrap_or(shell.pick("系统", "The system"))) }
                td data-label=(shell.pick("做了什么", "What")) { (action_word(shell.lang, &row.action)) }
                td.break data-label=(shell.pick("对象", "To what")) { (row.subject) }
                td.break.detail data-label=(shell.pick("详情", "Detail")) { @if row.detail != "{}" { code { (row.detail) } } }
            } } }
        }
    };
    let body = html! {
        p.lead { (shell.pick("每个改动一行，前后相连：有人改了、删了、加了任何一行，核对时都会发现。", "A row for each change, chained: whatever row is changed, cut out or added, is found.")) }
        @match &view.verified {
            Some(Ok((rows, hash))) => { p.notice.good role="status" {
                (shell.pick("核对完毕，", "Verified: ")) (rows) (shell.pick(" 行完整无缺。最后一行的指纹：", " rows are whole. Hash of the last: ")) code.break { (hash) }
            } }
            Some(Err(fault)) => { p.notice.bad role="alert" { (shell.pick("记录被动过：", "The log was tampered with: ")) (fault) } }
            None => {}
        }
        div.list-head {
            a.text-button href="/admin/audit?verify=true" { (shell.pick("核对是否完整", "Verify")) }
            a.text-button href="/api/audit/export" { (shell.pick("导出全部（JSON 行，可以核对）", "Export all (JSON lines, to be verified)")) }
        }
        (listed(shell, &view.list, &words, &filters(shell, view), &rows))
    };
    frame(shell, shell.pick("操作记录", "Log of changes"), &[top(shell)], &view.notice, &body)
}

fn filters(shell: &Shell, view: &AuditView) -> Markup {
    html! {
        (field("who", "who", shell.pick("谁（登录名或电话）", "Who"), &view.who, ""))
        (select("action", "action", shell.pick("做了什么", "What"), &actions(shell.lang), &view.action, Some(shell.pick("全部", "All"))))
        (field("subject", "subject", shell.pick("对象编号", "Id of what"), &view.subject, ""))
        div.field { label for="from" { (shell.pick("从哪天", "From")) } input id="from" name="from" type="date" value=(view.from); }
        div.field { label for="to" { (shell.pick("到哪天", "To")) } input id="to" name="to" type="date" value=(view.to); }
    }
}
