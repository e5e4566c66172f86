//! One organisation, and what may be done with it.

use maud::{Markup, html};

use super::super::Shell;
use super::{
    Notice, Option2, OrganisationRow, choose, confirm, field, frame, level_word, organisation_list,
    top,
};

/// One organisation, and what may be done with it.
#[derive(Clone, Debug)]
pub struct OrganisationForm {
    /// Itself.
    pub row: OrganisationRow,
    /// Address.
    pub place: String,
    /// Degrees; empty: not known.
    pub longitude: String,
    /// Degrees.
    pub latitude: String,
    /// Id and name of who is above.
    pub parent: Option<Option2>,
    /// Those right below: id and name.
    pub below: Vec<Option2>,
    /// Its libraries: slug and name.
    pub libraries: Vec<Option2>,
    /// How many people belong to it or below.
    pub people: i64,
    /// Organisations where it may go: id and name.
    pub targets: Vec<Option2>,
    /// The caller may change it.
    pub may_change: bool,
    /// What came of a form.
    pub notice: Notice,
}

/// One organisation.
#[must_use]
pub fn admin_organisation(shell: &Shell, view: &OrganisationForm) -> Markup {
    let here = format!("/admin/organisations/{}", view.row.id);
    let up = [top(shell), ("/admin/organisations", shell.pick("机构", "Organisations"))];
    let body = html! {
        (organisation_list(&view.targets))
        div.admin-forms {
            section.card { (facts(shell, view, &here)) }
            section.card { (around(shell, view)) }
            @if view.may_change && !view.row.closed { section.card { (dangers(shell, view, &here)) } }
        }
    };
    frame(shell, &view.row.name, &up, &view.notice, &body)
}

fn facts(shell: &Shell, view: &OrganisationForm, here: &str) -> Markup {
    let row = &view.row;
    html! {
        h2 { (shell.pick("基本信息", "About")) }
        p.hint { span.tag { (level_word(shell.lang, row.level)) } @if row.closed { span.tag.bad { (shell.pick("已关闭", "Closed")) } } }
        @if view.may_change && !row.closed {
            form.form action=(here) method="post" {
                (shell.csrf_field())
                input type="hidden" name="act" value="save";
                div.field-pair {
                    (field("name", "name", shell.pick("名称", "Name"), &row.name, ""))
                    (field("code", "code", shell.pick("行政区划代码", "Division code"), &row.code, ""))
                    (field("contact", "contact", shell.pick("联系人和电话", "Contact"), &row.contact, ""))
                    (field("place", "place", shell.pick("地址", "Address"), &view.place, ""))
                    (field("longitude", "longitude", shell.pick("经度", "Longitude"), &view.longitude, ""))
                    (field("latitude", "latitude", shell.pick("纬度", "Latitude"), &view.latitude, ""))
                }
                div.form-end { button.button type="submit" { (shell.pick("保存", "Save")) } }
            }
        } @else {
            dl.facts {
                dt { (shell.pick("行政区划代码", "Division code")) } dd { (row.code) }
                dt { (shell.pick("联系人和电话", "Contact")) } dd { (row.contact) }
                dt { (shell.pick("地址", "Address")) } dd { (view.place) }
            }
        }
    }
}

fn around(shell: &Shell, view: &OrganisationForm) -> Markup {
    let list = |label: &str, base: &str, items: &[Option2]| {
        html! {
            @if !items.is_empty() {
                h3 { (label) }
                ul.admin-list { @for (id, name) in items { li { a href=(format!("{base}/{id}")) { (name) } } } }
            }
        }
    };
    html! {
        h2 { (shell.pick("上下级、资源库和人员", "Around it")) }
        @if let Some((id, name)) = &view.parent {
            p { (shell.pick("上级：", "Under: ")) a href=(format!("/admin/organisations/{id}")) { (name) } }
        }
        p { a href=(format!("/admin/people?organisation={}", view.row.id)) {
            (shell.pick("人员（含下级）：", "People, with all below: ")) (view.people)
        } }
        (list(shell.pick("下级机构", "Right below"), "/admin/organisations", &view.below))
        (list(shell.pick("资源库", "Libraries"), "/admin/libraries", &view.libraries))
    }
}

fn dangers(shell: &Shell, view: &OrganisationForm, here: &str) -> Markup {
    let target =
        |id: &str, name: &str, label: &str| choose(shell, id, name, label, &view.targets, "", None);
    let nothing = html! {};
    html! {
        h2 { (shell.pick("调整", "Changes of the tree")) }
        @if !view.targets.is_empty() {
            (confirm(shell, here, &target("under", "parent", shell.pick("移到哪个机构下面", "Under whom")), "move",
                shell.pick("移动", "Move it"),
                shell.pick("它和它下面的机构、资源库、人员一起移动；新上级的管理员从现在起管理它们，原上级的不再管理。过去的统计数字仍算在原上级名下。",
                    "It goes with all below it. Administrators of the new place look after it from now on, those of the old one no longer. Numbers of the past stay with the old place.")))
            (confirm(shell, here, &target("into", "into", shell.pick("并入哪个机构", "Into whom")), "merge",
                shell.pick("合并", "Merge it"),
                shell.pick("它的下级机构、资源库、人员和在这里授予的角色都归并入的机构，它自己关闭，不能恢复。过去的统计数字不变。",
                    "What is below it, its libraries, people and the roles given here go to the other one; it is closed for good. Numbers of the past stay.")))
        }
        (confirm(shell, here, &nothing, "close", shell.pick("关闭", "Close it"),
            shell.pick("只有下面没有机构、没有资源库时才能关闭；它的人员归上级机构。关闭后不能恢复。",
                "Only when it has nothing below it and no libraries; its people belong to who is above. It cannot be undone.")))
    }
}
