//! The tree of organisations.

use maud::{Markup, html};

use super::super::Shell;
use super::{
    Listed, Notice, Option2, Words, choose, field, frame, level_word, listed, organisation_list,
    select, table_form, top,
};
use crate::catalogue::Level;

/// The tree.
#[derive(Clone, Debug, Default)]
pub struct OrganisationsView {
    /// The list, but for its rows.
    pub list: Listed,
    /// Each of the caller's branch, who is above first.
    pub rows: Vec<OrganisationRow>,
    /// Organisations under which one may be added: id and name.
    pub parents: Vec<Option2>,
    /// One may be added at the top, and tables imported.
    pub whole: bool,
    /// What a table would do, in words.
    pub report: Option<String>,
    /// What came of a form.
    pub notice: Notice,
}

/// An organisation in the tree.
#[derive(Clone, Debug)]
pub struct OrganisationRow {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// How far down in what is shown, from 0.
    pub depth: usize,
    /// How far up it is.
    pub level: Level,
    /// Division code.
    pub code: String,
    /// Whom to ask.
    pub contact: String,
    /// Libraries that it owns.
    pub libraries: usize,
    /// It is no more.
    pub closed: bool,
}

/// The tree, with forms to add.
#[must_use]
pub fn admin_organisations(shell: &Shell, view: &OrganisationsView) -> Markup {
    let words = Words {
        find: shell.pick("名称、代码、联系人或地址", "Name, code, contact or address"),
        unit: ("个机构", "organisation", "organisations"),
        none: shell.pick("没有符合的机构", "No organisation matches"),
    };
    let rows = html! {
        ul.tree { @for row in &view.rows {
            li style=(format!("--depth: {}", row.depth)) {
                a href=(format!("/admin/organisations/{}", row.id)) { (row.name) }
                span.tag { (level_word(shell.lang, row.level)) }
                @if row.closed { span.tag.bad { (shell.pick("已关闭", "Closed")) } }
                span.hint { (row.code) @if row.libraries > 0 { " · " (row.libraries) (shell.pick(" 个资源库", " libraries")) } }
            }
        } }
    };
    let body = html! {
        @if let Some(report) = &view.report { section.card.report { h2 { (shell.pick("表格检查结果", "What the table would do")) } p { (report) } } }
        (listed(shell, &view.list, &words, &html! {}, &rows))
        (organisation_list(&view.parents))
        @if view.whole || !view.parents.is_empty() {
            div.admin-forms {
                section.card { (add(shell, view)) }
                @if view.whole {
                    section.card {
                        h2 { (shell.pick("从表格导入", "Import a table")) }
                        (table_form(shell, "/admin/organisations/import", &import_help(shell), false))
                    }
                }
            }
        }
    };
    frame(shell, shell.pick("机构", "Organisations"), &[top(shell)], &view.notice, &body)
}

fn add(shell: &Shell, view: &OrganisationsView) -> Markup {
    let levels: Vec<Option2> = Level::ALL
        .into_iter()
        .map(|level| (level.as_str().to_owned(), level_word(shell.lang, level).to_owned()))
        .collect();
    let none = view.whole.then(|| shell.pick("（最上级）", "(none: at the top)"));
    html! {
        h2 { (shell.pick("新增机构", "Add an organisation")) }
        form.form action="/admin/organisations" method="post" {
            (shell.csrf_field())
            div.field-pair {
                (field("name", "name", shell.pick("名称", "Name"), "", ""))
                (choose(shell, "parent", "parent", shell.pick("上级机构", "Under"), &view.parents, "", none))
                (select("level", "level", shell.pick("级别", "Level"), &levels, "", Some(shell.pick("（按代码）", "(by the code)"))))
                (field("code", "code", shell.pick("行政区划代码", "Division code"), "", shell.pick("6、9 或 12 位数字；不是行政区划就不填", "6, 9 or 12 digits; empty when it is none")))
                (field("contact", "contact", shell.pick("联系人和电话", "Contact"), "", ""))
                (field("place", "place", shell.pick("地址", "Address"), "", ""))
            }
            div.form-end { button.button type="submit" { (shell.pick("新增", "Add")) } }
        }
    }
}

fn import_help(shell: &Shell) -> Markup {
    html! {
        p { code { "code,name,level,parent,contact,place,longitude,latitude" } }
        p { (shell.pick("代码已有的机构会按表格修改，没有的新增；上级按代码自动找到。", "Organisations of a known code are changed, others added; who is above follows from the code.")) }
    }
}
