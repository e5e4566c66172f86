//! All roles that are given in the caller's branch.

use maud::{Markup, html};

use super::super::Shell;
use super::{GrantRow, Listed, Notice, Words, button, frame, listed, role_word, top};

/// A page of roles.
#[derive(Clone, Debug, Default)]
pub struct GrantsView {
    /// The list, but for its rows.
    pub list: Listed,
    /// The oldest first.
    pub rows: Vec<GrantedRow>,
    /// What came of a form.
    pub notice: Notice,
}

/// Who has a role.
#[derive(Clone, Debug)]
pub struct GrantedRow {
    /// Name of the person or the team.
    pub name: String,
    /// Where their page is.
    pub href: String,
    /// The role.
    pub grant: GrantRow,
}

/// The list.
#[must_use]
pub fn granted(shell: &Shell, view: &GrantsView) -> Markup {
    let words = Words {
        find: shell.pick("姓名、小组、机构或资源库", "Person, team or place"),
        unit: ("个角色", "role", "roles"),
        none: shell.pick("没有符合的角色", "No role matches"),
    };
    let rows = html! {
        table.admin-table {
            thead { tr {
                th { (shell.pick("谁", "Who")) } th { (shell.pick("角色", "Role")) } th { (shell.pick("在哪里", "Where")) }
                th { (shell.pick("有效到", "Until")) } th {}
            } }
            tbody { @for row in &view.rows { tr {
                td.main-cell { a href=(row.href) { (row.name) } }
                td data-label=(shell.pick("角色", "Role")) { span.tag { (role_word(shell.lang, row.grant.role)) } }
                td data-label=(shell.pick("在哪里", "Where")) { (row.grant.place) }
                td data-label=(shell.pick("有效到", "Until")) {
                    @match row.grant.ends_ms {
                        Some(ends_ms) => { (shell.lang.day(ends_ms, &shell.zone)) }
                        None => { (shell.pick("收回为止", "Until taken away")) }
                    }
                }
                td { @if row.grant.may_revoke { (button(shell, "/admin/grants", "revoke", &[("grant", &row.grant.id)], shell.pick("收回", "Take away"))) } }
            } } }
        }
    };
    let body = html! {
        p.lead { (shell.pick("机构上的角色，在下级机构和它们的资源库里也有效。要给角色，打开这个人或小组的页面。", "A role on an organisation holds in all below it. To give one, open the page of the person or team.")) }
        (listed(shell, &view.list, &words, &html! {}, &rows))
    };
    frame(shell, shell.pick("角色", "Roles"), &[top(shell)], &view.notice, &body)
}
