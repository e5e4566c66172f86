//! People: found, added, imported.

use maud::{Markup, html};

use super::super::Shell;
use super::{
    Givable, Listed, Notice, Option2, Words, choose, field, frame, listed, organisation_list,
    select, select_place, select_role, table_form, top,
};

/// A page of people.
#[derive(Clone, Debug, Default)]
pub struct PeopleView {
    /// The list, but for its rows.
    pub list: Listed,
    /// Id of the organisation chosen.
    pub organisation: String,
    /// Slug of the library chosen.
    pub library: String,
    /// `true`, `false` or empty.
    pub disabled: String,
    /// Organisations to choose from: id and name.
    pub organisations: Vec<Option2>,
    /// Libraries to choose from: slug and name.
    pub libraries: Vec<Option2>,
    /// Of this page.
    pub rows: Vec<PersonRow>,
    /// Roles that can be given.
    pub givable: Givable,
    /// Somebody may be added without a home.
    pub whole: bool,
    /// What a table did or would do.
    pub report: Option<ImportReport>,
    /// What came of a form.
    pub notice: Notice,
}

/// A person in the list.
#[derive(Clone, Debug)]
pub struct PersonRow {
    /// Id.
    pub id: String,
    /// Login name.
    pub name: String,
    /// Name shown.
    pub display_name: String,
    /// Number.
    pub phone: String,
    /// Name of where they belong.
    pub home: String,
    /// Roles in words.
    pub roles: Vec<String>,
    /// May not log in.
    pub disabled: bool,
    /// A password was chosen.
    pub has_password: bool,
}

/// What a table of people did or would do.
#[derive(Clone, Debug)]
pub struct ImportReport {
    /// New people.
    pub added: usize,
    /// People who are there already.
    pub same: usize,
    /// Roles given.
    pub granted: usize,
    /// Lines that cannot be taken.
    pub problems: Vec<(usize, String)>,
}

/// The list, with forms to add people.
#[must_use]
pub fn people(shell: &Shell, view: &PeopleView) -> Markup {
    let title = shell.pick("人员", "People");
    let words = Words {
        find: shell.pick("姓名、登录名、电话或邮箱", "Name, number or address"),
        unit: ("人", "person", "people"),
        none: shell.pick("没有符合的人员", "Nobody matches"),
    };
    let body = html! {
        @if let Some(report) = &view.report { (told(shell, report)) }
        (listed(shell, &view.list, &words, &filters(shell, view), &rows(shell, view)))
        (organisation_list(&view.organisations))
        div.admin-forms {
            section.card { (add(shell, view)) }
            section.card {
                h2 { (shell.pick("从表格导入", "Import a table")) }
                (table_form(shell, "/admin/people/import", &import_help(shell), true))
            }
        }
    };
    frame(shell, title, &[top(shell)], &view.notice, &body)
}

fn filters(shell: &Shell, view: &PeopleView) -> Markup {
    let states = [
        ("false".to_owned(), shell.pick("可以登录的", "May log in").to_owned()),
        ("true".to_owned(), shell.pick("已停用的", "Disabled").to_owned()),
    ];
    let all = Some(shell.pick("全部", "All"));
    html! {
        (choose(shell, "organisation", "organisation", shell.pick("机构（含下级）", "Organisation, with all below"),
            &view.organisations, &view.organisation, all))
        (select("library", "library", shell.pick("资源库", "Library"), &view.libraries, &view.library, all))
        (select("disabled", "disabled", shell.pick("状态", "State"), &states, &view.disabled, all))
    }
}

fn rows(shell: &Shell, view: &PeopleView) -> Markup {
    html! {
        table.admin-table {
            thead { tr {
                th { (shell.pick("姓名", "Name")) } th { (shell.pick("登录名", "Login name")) }
                th { (shell.pick("电话", "Telephone")) } th { (shell.pick("所属机构", "Organisation")) }
                th { (shell.pick("角色", "Roles")) } th { (shell.pick("状态", "State")) }
            } }
            tbody { @for row in &view.rows { tr {
                td.main-cell { a href=(format!("/admin/people/{}", row.id)) { (row.display_name) } }
                td data-label=(shell.pick("登录名", "Login name")) { (row.name) }
                td data-label=(shell.pick("电话", "Telephone")) { (row.phone) }
                td data-label=(shell.pick("机构", "Organisation")) { (row.home) }
                td data-label=(shell.pick("角色", "Roles")) { @for role in &row.roles { span.tag { (role) } } }
                td data-label=(shell.pick("状态", "State")) {
                    @if row.disabled { span.tag.bad { (shell.pick("已停用", "Disabled")) } }
                    @else if !row.has_password { span.tag { (shell.pick("还没设密码", "No password yet")) } }
                    @else { (shell.pick("正常", "Active")) }
                }
            } } }
        }
    }
}

fn add(shell: &Shell, view: &PeopleView) -> Markup {
    let none = view.whole.then(|| shell.pick("（不属于任何机构）", "(none)"));
    html! {
        h2 { (shell.pick("新增一个人", "Add a person")) }
        form.form action="/admin/people" method="post" {
            (shell.csrf_field())
            div.field-pair {
                (field("display_name", "display_name", shell.pick("姓名", "Name"), "", ""))
                (field("phone", "phone", shell.pick("手机或电话", "Telephone"), "", shell.pick("可以用来登录", "A name to log in with")))
                (field("name", "name", shell.pick("登录名", "Login name"), "", shell.pick("不填就用电话号码", "The number when left out")))
                (field("email", "email", shell.pick("电子邮箱（可不填）", "E-mail (may be empty)"), "", ""))
                (choose(shell, "home", "organisation", shell.pick("所属机构", "Organisation"), &view.organisations, "", none))
                (select_role(shell, "role", &view.givable, Some(shell.pick("（以后再给）", "(later)"))))
                (select_place(shell, "place", &view.givable))
            }
            div.form-end { button.button type="submit" { (shell.pick("新增", "Add")) } }
        }
    }
}

fn import_help(shell: &Shell) -> Markup {
    html! {
        p { (shell.pick("第一行写列名，WPS 或 Excel 另存为 CSV 即可：", "The first line names the columns:")) }
        p { code { "name,display_name,phone,email,organisation,role,library" } }
        p { (shell.pick(
            "organisation 填行政区划代码；role 填角色，如 作者 或 author；library 填资源库的网址名，不填就是整个机构。导入后下载的表里，每人一个登录链接，打开后自己设密码。",
            "organisation: the division code; role: learner, teacher, author, reviewer, librarian or administrator; library: its name in URLs, else the whole organisation. The table you get has a link for each person, with which they choose a password.",
        )) }
    }
}

fn told(shell: &Shell, report: &ImportReport) -> Markup {
    html! {
        section.card.report {
            h2 { (shell.pick("表格检查结果", "What the table would do")) }
            p {
                (shell.pick("新增 ", "New ")) (report.added) (shell.pick(" 人，已有 ", ", already there ")) (report.same)
                (shell.pick(" 人，授予角色 ", ", roles given ")) (report.granted) (shell.pick(" 个。", "."))
            }
            @if report.problems.is_empty() {
                p.good { (shell.pick("没有问题，可以导入。还没有改变任何东西。", "No problems: it can be imported. Nothing was changed yet.")) }
            } @else {
                p.refusal { (shell.pick("下面这些行有问题，改好后再试。什么都没有改变。", "These lines cannot be taken. Nothing was changed.")) }
                ol.problems { @for (line, words) in &report.problems {
                    li { strong { (shell.pick("第 ", "Line ")) (line) (shell.pick(" 行", "")) } " " (words) }
                } }
            }
        }
    }
}
