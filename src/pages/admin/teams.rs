//! Teams.

use maud::{Markup, html};

use super::super::Shell;
use super::person::{grant_form, grants};
use super::{
    Givable, GrantRow, Listed, Notice, Option2, Words, button, choose, confirm, field, frame,
    listed, organisation_list, top,
};

/// Teams.
#[derive(Clone, Debug, Default)]
pub struct TeamsView {
    /// The list, but for its rows.
    pub list: Listed,
    /// Each.
    pub rows: Vec<TeamRow>,
    /// Organisations to choose from: id and name.
    pub organisations: Vec<Option2>,
    /// One may be made of the whole net.
    pub whole: bool,
    /// What came of a form.
    pub notice: Notice,
}

/// A team.
#[derive(Clone, Debug)]
pub struct TeamRow {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Name of who looks after it.
    pub organisation: String,
    /// People in it.
    pub members: i64,
}

/// One team.
#[derive(Clone, Debug)]
pub struct TeamView {
    /// The team.
    pub team: TeamRow,
    /// The caller may change it.
    pub may_change: bool,
    /// Members: id, name.
    pub members: Vec<Option2>,
    /// What is granted to it.
    pub grants: Vec<GrantRow>,
    /// Roles that can be given.
    pub givable: Givable,
    /// People found to be taken in: id, name.
    pub found: Vec<Option2>,
    /// What was searched for.
    pub q: String,
    /// What came of a form.
    pub notice: Notice,
}

/// The list of teams.
#[must_use]
pub fn teams(shell: &Shell, view: &TeamsView) -> Markup {
    let none = view.whole.then(|| shell.pick("（全网）", "(the whole net)"));
    let words = Words {
        find: shell.pick("小组或机构的名称", "Name of the team or organisation"),
        unit: ("个小组", "team", "teams"),
        none: shell.pick("没有符合的小组", "No team matches"),
    };
    let rows = html! {
        table.admin-table {
            thead { tr { th { (shell.pick("小组", "Team")) } th { (shell.pick("归谁管理", "Looked after by")) } th { (shell.pick("人数", "People")) } } }
            tbody { @for row in &view.rows { tr {
                td.main-cell { a href=(format!("/admin/teams/{}", row.id)) { (row.name) } }
                td data-label=(shell.pick("归谁管理", "Looked after by")) { (row.organisation) }
                td data-label=(shell.pick("人数", "People")) { (row.members) }
            } } }
        }
    };
    let body = html! {
        p.lead { (shell.pick("把常一起工作的人编成小组，给小组一个角色，组里每个人就都有了。", "Give a team a role, and all its people have it.")) }
        (listed(shell, &view.list, &words, &html! {}, &rows))
        (organisation_list(&view.organisations))
        section.card.after {
            h2 { (shell.pick("新建小组", "Make a team")) }
            form.form action="/admin/teams" method="post" {
                (shell.csrf_field())
                div.field-pair {
                    (field("name", "name", shell.pick("名称", "Name"), "", ""))
                    (choose(shell, "organisation", "organisation", shell.pick("归哪个机构管理", "Looked after by"), &view.organisations, "", none))
                }
                div.form-end { button.button type="submit" { (shell.pick("新建", "Make")) } }
            }
        }
    };
    frame(shell, shell.pick("小组", "Teams"), &[top(shell)], &view.notice, &body)
}

/// A team.
#[must_use]
pub fn team(shell: &Shell, view: &TeamView) -> Markup {
    let here = format!("/admin/teams/{}", view.team.id);
    let up = [top(shell), ("/admin/teams", shell.pick("小组", "Teams"))];
    let nothing = html! {};
    let body = html! {
        div.admin-forms {
            section.card {
                h2 { (shell.pick("成员", "Members")) span.number { (view.team.members) } }
                ul.admin-list { @for (id, name) in &view.members { li {
                    a href=(format!("/admin/people/{id}")) { (name) }
                    @if view.may_change { (button(shell, &here, "leave", &[("account", id)], shell.pick("移出", "Take out"))) }
                } } }
                @if view.may_change {
                    form.filters action=(here) method="get" {
                        (field("q", "q", shell.pick("找人加入：姓名、登录名或电话", "Find somebody to take in"), &view.q, ""))
                        button.button.quiet type="submit" { (shell.pick("查找", "Find")) }
                    }
                    ul.admin-list { @for (id, name) in &view.found { li {
                        span { (name) } (button(shell, &here, "join", &[("account", id)], shell.pick("加入小组", "Take in")))
                    } } }
                }
            }
            section.card {
                h2 { (shell.pick("小组的角色", "Roles of the team")) }
                (grants(shell, &view.grants, &here))
                @if view.may_change { (grant_form(shell, &view.givable, &here)) }
            }
            @if view.may_change {
                section.card {
                    h2 { (shell.pick("名称", "Name")) }
                    form.form action=(here) method="post" {
                        (shell.csrf_field())
                        input type="hidden" name="act" value="rename";
                        (field("name", "name", shell.pick("小组名称", "Name of the team"), &view.team.name, ""))
                        div.form-end { button.button type="submit" { (shell.pick("保存", "Save")) } }
                    }
                    (confirm(shell, &here, &nothing, "end", shell.pick("解散小组", "End the team"),
                        shell.pick("组里的人失去由小组得来的角色，人员本身不受影响。", "Its people lose the roles they had by it; they themselves stay.")))
                }
            }
        }
    };
    frame(shell, &view.team.name, &up, &view.notice, &body)
}
