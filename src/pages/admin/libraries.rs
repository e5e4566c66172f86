//! Libraries: their owners, settings, and the room they take.

use maud::{Markup, html};

use super::super::Shell;
use super::{
    Listed, Notice, Option2, Words, choose, field, frame, listed, organisation_list, select, top,
};

/// Libraries of the caller's branch.
#[derive(Clone, Debug, Default)]
pub struct LibrariesAdminView {
    /// The list, but for its rows.
    pub list: Listed,
    /// Each.
    pub rows: Vec<LibraryRow>,
    /// Organisations for which one may be made: id and name.
    pub owners: Vec<Option2>,
    /// One of the whole net may be made.
    pub whole: bool,
    /// What came of a form.
    pub notice: Notice,
}

/// A library.
#[derive(Clone, Debug)]
pub struct LibraryRow {
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Name of its owner.
    pub owner: String,
    /// Only its people see it.
    pub internal: bool,
    /// Published resources.
    pub resources: i64,
    /// Bytes of its sources.
    pub used_bytes: i64,
    /// The most they may take.
    pub quota_bytes: Option<i64>,
    /// Days until that is reached, as the last thirty went; `None`: it does not grow, or has no quota.
    pub full_in_days: Option<i64>,
}

/// 2^30 bytes.
pub(super) const GIB: i64 = 1 << 30;

/// The list, with a form to make one.
#[must_use]
pub fn admin_libraries(shell: &Shell, view: &LibrariesAdminView) -> Markup {
    let words = Words {
        find: shell.pick("名称、网址名或简介", "Name, slug or description"),
        unit: ("个资源库", "library", "libraries"),
        none: shell.pick("没有符合的资源库", "No library matches"),
    };
    let rows = html! {
        table.admin-table {
            thead { tr {
                th { (shell.pick("资源库", "Library")) } th { (shell.pick("所属机构", "Owner")) }
                th { (shell.pick("已发布", "Published")) } th { (shell.pick("空间", "Room")) }
            } }
            tbody { @for row in &view.rows { tr {
                td.main-cell {
                    a href=(format!("/admin/libraries/{}", row.slug)) { (row.name) }
                    @if row.internal { span.tag { (shell.pick("内部", "Internal")) } }
                }
                td data-label=(shell.pick("所属机构", "Owner")) { (row.owner) }
                td data-label=(shell.pick("已发布", "Published")) { (row.resources) }
                td data-label=(shell.pick("空间", "Room")) { (room(shell, row)) }
            } } }
        }
    };
    let body = html! {
        (listed(shell, &view.list, &words, &html! {}, &rows))
        (organisation_list(&view.owners))
        @if view.whole || !view.owners.is_empty() { section.card.after { (make(shell, view)) } }
    };
    frame(shell, shell.pick("资源库", "Libraries"), &[top(shell)], &view.notice, &body)
}

/// A size in the units in which a quota is set: 2^30 bytes are a GB.
fn bytes(n: i64) -> String {
    let tenths = |unit: i64| format!("{}.{}", n / unit, n % unit * 10 / unit);
    if n >= GIB {
        format!("{} GB", tenths(GIB).trim_end_matches(".0"))
    } else {
        format!("{} MB", tenths(1 << 20).trim_end_matches(".0"))
    }
}

/// How much is used, of how much, and for how long that lasts.
pub(super) fn room(shell: &Shell, row: &LibraryRow) -> Markup {
    html! {
        div.room {
            @match row.quota_bytes {
                None => { span { (bytes(row.used_bytes)) span.hint { (shell.pick(" · 不限", " · no limit")) } } }
                Some(quota) => {
                    progress max=(quota) value=(row.used_bytes.min(quota)) aria-label=(shell.pick("空间使用", "Room used")) {}
                    span { (bytes(row.used_bytes)) " / " (bytes(quota)) }
                }
            }
            @if let Some(days) = row.full_in_days {
                span class=(if days < 60 { "refusal" } else { "hint" }) {
                    @if days == 0 { (shell.pick("已经用满", "Full")) }
                    @else if days > 3650 { (shell.pick("照这样还够用十年以上", "Lasts ten years or more")) }
                    @else { (shell.pick("照最近一个月的速度，约 ", "At the pace of the last month full in about ")) (days) (shell.pick(" 天后用满", " days")) }
                }
            }
        }
    }
}

fn make(shell: &Shell, view: &LibrariesAdminView) -> Markup {
    let none = view.whole.then(|| shell.pick("（全网）", "(the whole net)"));
    html! {
        h2 { (shell.pick("新建资源库", "Make a library")) }
        form.form action="/admin/libraries" method="post" {
            (shell.csrf_field())
            div.field-pair {
                (field("name", "name", shell.pick("名称", "Name"), "", ""))
                (field("slug", "slug", shell.pick("网址名", "Name in URLs"), "", shell.pick("小写字母、数字、短横，以后不能改", "Lower case, digits, dashes; it stays")))
                (choose(shell, "owner", "owner", shell.pick("所属机构", "Owner"), &view.owners, "", none))
                (select("visibility", "visibility", shell.pick("谁能看", "Who sees it"), &visibilities(shell), "public", None))
                (field("quota_gb", "quota_gb", shell.pick("空间上限（GB）", "Quota (GiB)"), "", shell.pick("不填就是不限", "Empty: no limit")))
            }
            (field("description", "description", shell.pick("简介", "Description"), "", ""))
            div.form-end { button.button type="submit" { (shell.pick("新建", "Make")) } }
        }
    }
}

pub(super) fn visibilities(shell: &Shell) -> [Option2; 2] {
    [
        ("public".to_owned(), shell.pick("所有人", "Everybody").to_owned()),
        ("internal".to_owned(), shell.pick("只有本库的人", "Its people").to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::{GIB, bytes};

    #[test]
    fn room_is_told_as_a_quota_is_set() {
        assert_eq!(bytes(200 * GIB), "200 GB");
        assert_eq!(bytes(GIB + GIB / 2), "1.5 GB");
        assert_eq!(bytes(0), "0 MB");
        assert_eq!(bytes(i64::MAX), "8589934591.9 GB");
    }
}
