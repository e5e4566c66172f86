//! One library: all that its people and those above set, and what cannot be undone.

use maud::{Markup, html};

use super::super::{Shell, words::term_word};
use super::libraries::{GIB, LibraryRow, room, visibilities};
use super::{Notice, Option2, choose, confirm, field, frame, organisation_list, select, top};
use crate::catalogue::{LICENCES, TOPICS};

/// One library.
#[derive(Clone, Debug)]
pub struct LibraryAdminView {
    /// Itself.
    pub row: LibraryRow,
    /// What can be set.
    pub settings: LibrarySettings,
    /// The caller may set the quota and the host, and give it away.
    pub may_decide: bool,
    /// Id of its owner.
    pub owner: String,
    /// Organisations that may get it: id and name.
    pub owners: Vec<Option2>,
    /// Steps of its review.
    pub steps: usize,
    /// What came of a form.
    pub notice: Notice,
}

/// What can be set of a library.
#[derive(Clone, Debug)]
pub struct LibrarySettings {
    /// What it is about.
    pub description: String,
    /// What is ready is published at once.
    pub automatic: bool,
    /// Where its front page is the front page; empty: nowhere.
    pub host: String,
    /// Of what is uploaded without one.
    pub licence: String,
    /// Of what is uploaded without any.
    pub topics: Vec<String>,
    /// What was withdrawn or failed is removed after so many.
    pub retention_days: Option<i64>,
    /// Codecs beside H.264: hevc, av1.
    pub codecs: Vec<String>,
    /// Sound is made as Opus too.
    pub opus: bool,
    /// LUFS; `None`: as loud as it is.
    pub loudness_lufs: Option<i32>,
}

/// The page.
#[must_use]
pub fn admin_library(shell: &Shell, view: &LibraryAdminView) -> Markup {
    let here = format!("/admin/libraries/{}", view.row.slug);
    let up = [top(shell), ("/admin/libraries", shell.pick("资源库", "Libraries"))];
    let body = html! {
        (organisation_list(&view.owners))
        div.admin-forms {
            section.card { (settings(shell, view, &here)) }
            section.card { (around(shell, view)) }
            section.card { (media(shell, view, &here)) }
            @if view.may_decide && !view.owners.is_empty() { section.card { (dangers(shell, view, &here)) } }
        }
    };
    frame(shell, &view.row.name, &up, &view.notice, &body)
}

fn settings(shell: &Shell, view: &LibraryAdminView, here: &str) -> Markup {
    let (row, set) = (&view.row, &view.settings);
    let ways = [
        ("manual".to_owned(), shell.pick("处理好后由人发布", "Somebody publishes").to_owned()),
        (
            "automatic".to_owned(),
            shell.pick("处理好后自动发布", "As soon as it is ready").to_owned(),
        ),
    ];
    let quota = row.quota_bytes.map(|quota| (quota / GIB).to_string()).unwrap_or_default();
    let days = set.retention_days.map(|days| days.to_string()).unwrap_or_default();
    let keeps = shell.pick(
        "下架或处理失败后满这么多天就清除，不能恢复；不填就一直保留。正在申诉、投诉、审核的不会清除。",
        "After so many days what was withdrawn or failed is removed for good; empty: never. What has an open appeal, complaint or review stays.",
    );
    let own_host = shell.pick(
        "用这个域名打开时，首页就是本库；先请网管把域名指到这里。不填就是没有",
        "Opened by this name, its front page is the front page; the name must lead here. Empty: none",
    );
    html! {
        h2 { (shell.pick("设置", "Settings")) }
        form.form action=(here) method="post" {
            (shell.csrf_field())
            input type="hidden" name="act" value="save";
            (field("name", "name", shell.pick("名称", "Name"), &row.name, ""))
            div.field {
                label for="description" { (shell.pick("简介", "Description")) }
                textarea id="description" name="description" rows="4" { (set.description) }
            }
            div.field-pair {
                (select("visibility", "visibility", shell.pick("谁能看", "Who sees it"), &visibilities(shell),
                    if row.internal { "internal" } else { "public" }, None))
                (select("publishing", "publishing", shell.pick("发布方式", "Publishing"), &ways,
                    if set.automatic { "automatic" } else { "manual" }, None))
                (select("licence", "licence", shell.pick("没有写许可的，用", "Licence of what has none"), &licences(shell, &set.licence),
                    &set.licence, Some(shell.pick("未说明", "Not stated"))))
                (field("retention_days", "retention_days", shell.pick("保留天数", "Days kept"), &days, keeps))
                @if view.may_decide {
                    (field("quota_gb", "quota_gb", shell.pick("空间上限（GB）", "Quota (GiB)"), &quota, shell.pick("0 或不填就是不限", "0 or empty: no limit")))
                    (field("host", "host", shell.pick("自己的域名", "Host name of its own"), &set.host, own_host))
                }
            }
            fieldset.choices {
                legend { (shell.pick("没有选主题的，用", "Topics of what has none")) }
                @for term in TOPICS {
                    label.choice {
                        input type="checkbox" name="topics" value=(term.code) checked[set.topics.iter().any(|code| code == term.code)];
                        span { (term_word(TOPICS, term.code, shell.lang)) }
                    }
                }
            }
            div.form-end { button.button type="submit" { (shell.pick("保存", "Save")) } }
        }
    }
}

/// The licences to choose from, and the one that is set, whatever it is.
fn licences(shell: &Shell, set: &str) -> Vec<Option2> {
    let known = LICENCES
        .iter()
        .map(|term| (term.code.to_owned(), term_word(LICENCES, term.code, shell.lang).to_owned()));
    let other = !set.is_empty() && LICENCES.iter().all(|term| term.code != set);
    known.chain(other.then(|| (set.to_owned(), set.to_owned()))).collect()
}

fn around(shell: &Shell, view: &LibraryAdminView) -> Markup {
    let row = &view.row;
    let link = |href: String, label: &str| html! { li { a href=(href) { (label) } } };
    html! {
        h2 { (shell.pick("空间、审核和人员", "Room, review and people")) }
        (room(shell, row))
        p { (shell.pick("所属机构：", "Owner: ")) (if row.owner.is_empty() { shell.pick("（全网）", "(the whole net)") } else { &row.owner }) }
        p {
            (shell.pick("审核：", "Review: "))
            @if view.steps == 0 { (shell.pick("不审，直接发布", "none; it is published directly")) }
            @else { (shell.lang.count(view.steps as u64, "步", "step", "steps")) }
        }
        ul.admin-list {
            (link(format!("/studio/libraries/{}", row.slug), shell.pick("布置首页：颜色、标志、公告、推荐", "Arrange the front page: colour, logo, notice, featured")))
            (link(format!("/review/libraries/{}", row.slug), shell.pick("设置审核步骤", "Set the steps of review")))
            (link(format!("/admin/people?library={}", row.slug), shell.pick("在本库有角色的人", "People with a role here")))
            (link(format!("/review/complaints?library={}", row.slug), shell.pick("关于本库的投诉", "Complaints about it")))
            (link(format!("/api/resources.xlsx?editable=true&library={}", row.slug), shell.pick("资源信息表格（XLSX）", "Its resources as a table (XLSX)")))
            (link(format!("/api/resources.csv?editable=true&library={}", row.slug), shell.pick("资源信息表格（CSV）", "Its resources as a table (CSV)")))
            (link("/studio/tables".to_owned(), shell.pick("导入改好的表格", "Import a table that was changed")))
            (link(format!("/libraries/{}", row.slug), shell.pick("打开资源库", "Open the library")))
        }
    }
}

fn media(shell: &Shell, view: &LibraryAdminView, here: &str) -> Markup {
    let set = &view.settings;
    let loudness = set.loudness_lufs.map(|lufs| lufs.to_string()).unwrap_or_default();
    let box_of = |name: &str, value: &str, on: bool, label: &str| {
        html! { label.choice { input type="checkbox" name=(name) value=(value) checked[on]; span { (label) } } }
    };
    let has = |codec: &str| set.codecs.iter().any(|one| one == codec);
    html! {
        h2 { (shell.pick("视频和声音怎样制作", "How video and sound are made")) }
        p.hint { (shell.pick("只对以后上传的有效。H.264 和 AAC 总会制作，所有设备都能放。", "Of what is uploaded from now on. H.264 and AAC are always made: everything plays them.")) }
        form.form action=(here) method="post" {
            (shell.csrf_field())
            input type="hidden" name="act" value="media";
            fieldset.choices {
                legend { (shell.pick("另外还制作（更省流量，更费时间和空间）", "Also made: less to send, more time and room")) }
                (box_of("codecs", "hevc", has("hevc"), "HEVC (H.265)"))
                (box_of("codecs", "av1", has("av1"), "AV1"))
                (box_of("opus", "1", set.opus, "Opus"))
            }
            (field("loudness_lufs", "loudness_lufs", shell.pick("统一响度（LUFS）", "Loudness (LUFS)"), &loudness,
                shell.pick("-36 到 -10，常用 -16；不填就是原来多响就多响", "-36 to -10, mostly -16; empty: as loud as it is")))
            div.form-end { button.button type="submit" { (shell.pick("保存", "Save")) } }
        }
    }
}

fn dangers(shell: &Shell, view: &LibraryAdminView, here: &str) -> Markup {
    let whom = choose(
        shell,
        "owner",
        "owner",
        shell.pick("移交给哪个机构", "To whom"),
        &view.owners,
        &view.owner,
        None,
    );
    html! {
        h2 { (shell.pick("移交", "Give it away")) }
        (confirm(shell, here, &whom, "give", shell.pick("移交给别的机构", "Give it to another organisation"),
            shell.pick("移交后由新机构的管理员管理，您可能不再能打开这一页；网址、资源和链接不变；过去的统计数字仍算在原机构名下。",
                "Administrators of the new owner look after it from then on, and you may no longer open this page. Addresses and resources stay; numbers of the past stay with the old one.")))
    }
}
