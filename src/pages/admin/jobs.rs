//! Work that waits, runs or failed.

use maud::{Markup, html};

use super::super::Shell;
use super::{Listed, Notice, Words, button, frame, listed, top};

/// A page of jobs.
#[derive(Clone, Debug, Default)]
pub struct JobsView {
    /// State asked for; empty: all but done.
    pub state: String,
    /// The list, but for its rows.
    pub list: Listed,
    /// The oldest first.
    pub rows: Vec<JobRow>,
    /// What came of a form.
    pub notice: Notice,
}

/// A job.
#[derive(Clone, Debug)]
pub struct JobRow {
    /// Id of its resource.
    pub resource: String,
    /// Title of the resource.
    pub title: String,
    /// Slug of its library.
    pub library: String,
    /// What is done, in words.
    pub step: String,
    /// queued, running, done or failed.
    pub state: String,
    /// Percent.
    pub percent: u32,
    /// Why it waits, or what went wrong.
    pub why: String,
    /// How often it was begun.
    pub attempts: i64,
    /// When it was pushed, Unix milliseconds.
    pub created_ms: i64,
}

/// The list.
#[must_use]
pub fn jobs(shell: &Shell, view: &JobsView) -> Markup {
    let tabs = [
        ("", shell.pick("未完成", "Not done")),
        ("running", shell.pick("正在处理", "Running")),
        ("queued", shell.pick("等待", "Waiting")),
        ("failed", shell.pick("失败", "Failed")),
        ("done", shell.pick("已完成", "Done")),
    ];
    let words = Words {
        find: shell.pick("标题、资源库、步骤或错误", "Title, library, step or error"),
        unit: ("个任务", "job", "jobs"),
        none: shell.pick("这里没有任务", "Nothing here"),
    };
    let state = html! { input type="hidden" name="state" value=(view.state); };
    let rows = html! {
        table.admin-table {
            thead { tr {
                th { (shell.pick("资源", "Resource")) } th { (shell.pick("做什么", "Step")) } th { (shell.pick("状态", "State")) }
                th { (shell.pick("说明", "Why")) } th { (shell.pick("提交时间", "Since")) } th {}
            } }
            tbody { @for row in &view.rows { tr {
                td.main-cell { a href=(format!("/studio/resources/{}", row.resource)) { (row.title) } span.hint { " " (row.library) } }
                td data-label=(shell.pick("做什么", "Step")) { (row.step) }
                td data-label=(shell.pick("状态", "State")) { (state_of(shell, row)) }
                td.break data-label=(shell.pick("说明", "Why")) { (row.why) @if row.attempts > 1 { span.hint { (shell.pick(" 已试 ", " tried ")) (row.attempts) (shell.pick(" 次", " times")) } } }
                td data-label=(shell.pick("提交时间", "Since")) { (shell.lang.minute(row.created_ms, &shell.zone)) }
                td { @if row.state == "failed" { (button(shell, "/admin/jobs", "retry", &[("resource", &row.resource)], shell.pick("重新处理", "Process again"))) } }
            } } }
        }
    };
    let body = html! {
        nav.tabs aria-label=(shell.pick("按状态", "By state")) {
            @for (state, label) in tabs {
                a href=(format!("/admin/jobs?state={state}")) aria-current=[(state == view.state).then_some("page")] { (label) }
            }
        }
        (listed(shell, &view.list, &words, &state, &rows))
    };
    frame(shell, shell.pick("后台任务", "Jobs"), &[top(shell)], &view.notice, &body)
}

fn state_of(shell: &Shell, row: &JobRow) -> Markup {
    html! {
        @match row.state.as_str() {
            "running" => { span.tag { (shell.pick("正在处理", "Running")) } span.number { " " (row.percent) "%" } }
            "failed" => { span.tag.bad { (shell.pick("失败", "Failed")) } }
            "done" => { (shell.pick("已完成", "Done")) }
            _ => { span.tag { (shell.pick("等待", "Waiting")) } }
        }
    }
}
