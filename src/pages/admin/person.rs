//! One person: names, roles, password, whether they log in.

use maud::{Markup, html};

use super::super::identity::identity_words;
use super::super::{IdentityRow, Shell};
use super::{
    Givable, Notice, Option2, button, choose, confirm, field, frame, organisation_list, role_word,
    select, select_place, select_role, top,
};
use crate::catalogue::Role;

/// A person, as the caller may see them.
#[derive(Clone, Debug)]
pub struct PersonPage {
    /// Id.
    pub id: String,
    /// Login name.
    pub name: String,
    /// Name shown.
    pub display_name: String,
    /// Number.
    pub phone: String,
    /// Address.
    pub email: String,
    /// Id of where they belong.
    pub home: String,
    /// Name of where they belong.
    pub home_name: String,
    /// When they were added, Unix milliseconds.
    pub created_ms: i64,
    /// They administer the whole net.
    pub net: bool,
    /// They may not log in.
    pub disabled: bool,
    /// A password was chosen.
    pub has_password: bool,
    /// The caller may change them.
    pub may_change: bool,
    /// Organisations to choose from: id and name.
    pub organisations: Vec<Option2>,
    /// Who they are elsewhere.
    pub identities: Vec<IdentityRow>,
    /// Providers that they can be linked with: key and name.
    pub providers: Vec<Option2>,
    /// Roles in the caller's branch.
    pub grants: Vec<GrantRow>,
    /// Roles that can be given.
    pub givable: Givable,
    /// A code to be read out, shown only now, and its link.
    pub code: Option<(String, String)>,
    /// How long the code lasts, hours.
    pub code_hours: i64,
    /// What came of a form.
    pub notice: Notice,
}

/// A role that somebody has.
#[derive(Clone, Debug)]
pub struct GrantRow {
    /// Id.
    pub id: String,
    /// Which.
    pub role: Role,
    /// Name of the organisation or library.
    pub place: String,
    /// When it ends, Unix milliseconds.
    pub ends_ms: Option<i64>,
    /// The caller may take it away.
    pub may_revoke: bool,
}

/// The page.
#[must_use]
pub fn person(shell: &Shell, view: &PersonPage) -> Markup {
    let here = format!("/admin/people/{}", view.id);
    let people = ("/admin/people", shell.pick("人员", "People"));
    let body = html! {
        (organisation_list(&view.organisations))
        @if let Some((code, link)) = &view.code { (told(shell, view, code, link)) }
        div.admin-forms {
            section.card { (facts(shell, view, &here)) }
            section.card {
                h2 { (shell.pick("角色", "Roles")) }
                (grants(shell, &view.grants, &here))
                (grant_form(shell, &view.givable, &here))
            }
            @if !view.identities.is_empty() || view.may_change && !view.providers.is_empty() {
                section.card { (identities(shell, view, &here)) }
            }
            @if view.may_change { section.card { (dangers(shell, view, &here)) } }
        }
    };
    frame(shell, &view.display_name, &[top(shell), people], &view.notice, &body)
}

fn facts(shell: &Shell, view: &PersonPage, here: &str) -> Markup {
    html! {
        h2 { (shell.pick("基本信息", "About")) }
        p.hint {
            (shell.pick("登录名 ", "Login name ")) strong { (view.name) } " · "
            (shell.pick("加入于 ", "Added ")) (shell.lang.day(view.created_ms, &shell.zone))
            @if view.net { " · " span.tag { (shell.pick("全网管理员", "Administrator of the net")) } }
            @if view.disabled { " · " span.tag.bad { (shell.pick("已停用", "Disabled")) } }
            @if !view.has_password { " · " span.tag { (shell.pick("还没设密码", "No password yet")) } }
        }
        @if view.may_change {
            form.form action=(here) method="post" {
                (shell.csrf_field())
                input type="hidden" name="act" value="save";
                div.field-pair {
                    (field("display_name", "display_name", shell.pick("姓名", "Name"), &view.display_name, ""))
                    (field("phone", "phone", shell.pick("手机或电话", "Telephone"), &view.phone, shell.pick("可以用来登录", "A name to log in with")))
                    (field("email", "email", shell.pick("电子邮箱", "E-mail"), &view.email, ""))
                    (choose(shell, "home", "organisation", shell.pick("所属机构", "Organisation"), &view.organisations, &view.home,
                        view.home.is_empty().then(|| shell.pick("（不属于任何机构）", "(none)"))))
                }
                div.form-end { button.button type="submit" { (shell.pick("保存", "Save")) } }
            }
        } @else {
            dl.facts {
                dt { (shell.pick("电话", "Telephone")) } dd { (view.phone) }
                dt { (shell.pick("电子邮箱", "E-mail")) } dd { (view.email) }
                dt { (shell.pick("所属机构", "Organisation")) } dd { (view.home_name) }
            }
            p.hint { (shell.pick(
                "此人属于别的机构，或在别处还有您给不了的角色，所以信息和密码只能由上级管理员修改。您可以给或收回本机构的角色。",
                "This person belongs elsewhere or holds roles that you could not give, so only administrators above change names and password. You may give and take roles here.",
            )) }
        }
    }
}

pub(super) fn grants(shell: &Shell, grants: &[GrantRow], here: &str) -> Markup {
    html! {
        @if grants.is_empty() { p.hint { (shell.pick("在您管理的范围内还没有角色。", "No roles in what you look after.")) } }
        ul.admin-list { @for grant in grants { li {
            span { strong { (role_word(shell.lang, grant.role)) } " · " (grant.place)
                @if let Some(ends_ms) = grant.ends_ms {
                    span.hint { " " (shell.pick("到 ", "until ")) (shell.lang.day(ends_ms, &shell.zone)) }
                } }
            @if grant.may_revoke { (button(shell, here, "revoke", &[("grant", &grant.id)], shell.pick("收回", "Take away"))) }
        } } }
    }
}

pub(super) fn grant_form(shell: &Shell, givable: &Givable, here: &str) -> Markup {
    html! {
        form.form action=(here) method="post" {
            (shell.csrf_field())
            input type="hidden" name="act" value="grant";
            div.field-pair {
                (select_role(shell, "role", givable, None))
                (select_place(shell, "place", givable))
            }
            div.form-end { button.button.quiet type="submit" { (shell.pick("给这个角色", "Give this role")) } }
        }
    }
}

fn identities(shell: &Shell, view: &PersonPage, here: &str) -> Markup {
    html! {
        h2 { (shell.pick("关联的账号", "Linked accounts")) }
        @if view.identities.is_empty() { p.hint { (shell.pick("没有关联别处的账号。", "Linked with no account elsewhere.")) } }
        ul.admin-list { @for one in &view.identities { li {
            (identity_words(shell, one))
            @if view.may_change { (button(shell, here, "unlink", &[("identity", &one.id)], shell.pick("取消关联", "Unlink"))) }
        } } }
        @if view.may_change && !view.providers.is_empty() {
            form.form action=(here) method="post" {
                (shell.csrf_field())
                input type="hidden" name="act" value="link";
                div.field-pair {
                    (select("provider", "provider", shell.pick("哪里的账号", "Where"), &view.providers, "", None))
                    (field("subject", "subject", shell.pick("对方账号编号", "Subject there"), "",
                        shell.pick("对方系统里的用户编号（sub），不是用户名", "The user's id there (sub), not a name")))
                }
                div.form-end { button.button.quiet type="submit" { (shell.pick("关联", "Link")) } }
                p.hint { (shell.pick("一般请本人登录后在“我的账号”里关联；编号填错，别人就能用此人的账号。",
                    "Better let them link it under “My account”: with a wrong id, somebody else becomes this person.")) }
            }
        }
    }
}

fn dangers(shell: &Shell, view: &PersonPage, here: &str) -> Markup {
    let nothing = html! {};
    let keep = html! {
        label.choice {
            input type="checkbox" name="keep_tokens" value="true";
            (shell.pick("保留接口令牌（本人只是忘了密码，还有程序在用）", "Keep API tokens (only the password was forgotten, and programs use them)"))
        }
    };
    html! {
        h2 { (shell.pick("密码与登录", "Password and login")) }
        (confirm(shell, here, &keep, "reset", shell.pick("重置密码", "Reset the password"),
            shell.pick("会给出一个只显示一次的重置码，您读给本人听；本人在登录页点“在这里输入”，自己设新密码。现有的登录全部退出，接口令牌全部撤销。怀疑账号被别人用过的话，也看看上面关联的账号。",
                "You get a code, shown once, to read out; with it the person chooses a new password. All their sessions and API tokens end. If somebody else may have used the account, look at its linked accounts too.")))
        @if view.disabled {
            form.inline action=(here) method="post" {
                (shell.csrf_field())
                input type="hidden" name="act" value="enable";
                button.button.quiet type="submit" { (shell.pick("恢复登录", "Let them log in again")) }
            }
        } @else {
            (confirm(shell, here, &nothing, "disable", shell.pick("停用", "Disable"),
                shell.pick("停用后不能登录，接口令牌也不能用；上传过的资源都还在。以后可以恢复。",
                    "They can no longer log in, nor use API tokens. What they uploaded stays. It can be undone.")))
        }
    }
}

fn told(shell: &Shell, view: &PersonPage, code: &str, link: &str) -> Markup {
    html! {
        section.card.secret role="status" {
            h2 { (shell.pick("请读给本人听，只显示这一次", "Read it out; it is shown only now")) }
            p.code { (code) }
            p { (shell.pick("打开 ", "Open ")) strong { (shell.origin) "/start" } (shell.pick(" 输入，或者直接打开：", " and type it in, or open:")) }
            p.break { (link) }
            p.hint { (view.code_hours) (shell.pick(" 小时内有效，只能用一次。", " hours, once.")) }
        }
    }
}
