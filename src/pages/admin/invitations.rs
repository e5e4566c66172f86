//! Invitations.

use maud::{Markup, html};

use super::super::Shell;
use super::{
    Givable, Listed, Notice, Words, button, field, frame, listed, role_word, select_place,
    select_role, top,
};
use crate::catalogue::Role;

/// Invitations.
#[derive(Clone, Debug, Default)]
pub struct InvitationsView {
    /// The list, but for its rows.
    pub list: Listed,
    /// Each, the last first.
    pub rows: Vec<InvitationRow>,
    /// Roles that can be given.
    pub givable: Givable,
    /// The link that was just made, shown only now.
    pub link: Option<String>,
    /// What came of a form.
    pub notice: Notice,
}

/// An invitation.
#[derive(Clone, Debug)]
pub struct InvitationRow {
    /// Id.
    pub id: String,
    /// What it brings.
    pub role: Role,
    /// Name of the organisation or library.
    pub place: String,
    /// For whom.
    pub note: String,
    /// For how many, and how many came.
    pub uses: i64,
    /// How many came.
    pub came: i64,
    /// Unix milliseconds.
    pub expires_ms: i64,
    /// Somebody may come.
    pub open: bool,
}

/// The list of invitations, with the form to make one.
#[must_use]
pub fn invitations(shell: &Shell, view: &InvitationsView) -> Markup {
    let words = Words {
        find: shell.pick("备注、机构或资源库", "For whom, or where"),
        unit: ("个邀请", "invitation", "invitations"),
        none: shell.pick("没有符合的邀请", "No invitation matches"),
    };
    let rows = html! {
        table.admin-table {
            thead { tr {
                th { (shell.pick("角色", "Role")) } th { (shell.pick("在哪里", "Where")) } th { (shell.pick("备注", "For whom")) }
                th { (shell.pick("已用", "Came")) } th { (shell.pick("有效到", "Until")) } th {}
            } }
            tbody { @for row in &view.rows { tr {
                td.main-cell { (role_word(shell.lang, row.role)) }
                td data-label=(shell.pick("在哪里", "Where")) { (row.place) }
                td data-label=(shell.pick("备注", "For whom")) { (row.note) }
                td data-label=(shell.pick("已用", "Came")) { (row.came) " / " (row.uses) }
                td data-label=(shell.pick("有效到", "Until")) { (shell.lang.day(row.expires_ms, &shell.zone)) }
                td {
                    @if row.open { (button(shell, "/admin/invitations", "uninvite", &[("id", &row.id)], shell.pick("撤回", "Take back"))) }
                    @else { span.tag { (shell.pick("已结束", "Ended")) } }
                }
            } } }
        }
    };
    let body = html! {
        @if let Some(link) = &view.link {
            section.card.secret role="status" {
                h2 { (shell.pick("邀请链接，只显示这一次", "The link; it is shown only now")) }
                p.break { (link) }
                p.hint { (shell.pick("用微信、短信或纸条发给对方。", "Send it, or write it down.")) }
            }
        }
        (listed(shell, &view.list, &words, &html! {}, &rows))
        section.card.after {
            h2 { (shell.pick("发出邀请", "Invite")) }
            form.form action="/admin/invitations" method="post" {
                (shell.csrf_field())
                input type="hidden" name="act" value="invite";
                div.field-pair {
                    (select_role(shell, "role", &view.givable, None))
                    (select_place(shell, "place", &view.givable))
                    (field("uses", "uses", shell.pick("可用人数", "For how many people"), "1", ""))
                    (field("days", "days", shell.pick("有效天数", "Days it lasts"), "14", ""))
                    (field("note", "note", shell.pick("备注：给谁的", "For whom, in words"), "", ""))
                }
                div.form-end { button.button type="submit" { (shell.pick("生成链接", "Make the link")) } }
            }
        }
    };
    frame(shell, shell.pick("邀请", "Invitations"), &[top(shell)], &view.notice, &body)
}
