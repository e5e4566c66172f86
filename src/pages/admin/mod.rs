//! Pages for those who look after people, organisations and libraries; what they share.

mod audit;
mod grants;
mod home;
mod invitations;
mod jobs;
mod libraries;
mod library;
mod listed;
mod organisation;
mod organisations;
mod people;
mod person;
mod teams;
mod tokens;
mod words;

use maud::{Markup, html};

pub use audit::{AuditView, EntryRow, audit};
pub use grants::{GrantedRow, GrantsView, granted};
pub use home::{AdminView, admin};
pub use invitations::{InvitationRow, InvitationsView, invitations};
pub use jobs::{JobRow, JobsView, jobs};
pub use libraries::{LibrariesAdminView, LibraryRow, admin_libraries};
pub use library::{LibraryAdminView, LibrarySettings, admin_library};
pub use listed::Listed;
pub use organisation::{OrganisationForm, admin_organisation};
pub use organisations::{OrganisationRow, OrganisationsView, admin_organisations};
pub use people::{ImportReport, PeopleView, PersonRow, people};
pub use person::{GrantRow, PersonPage, person};
pub use teams::{TeamRow, TeamView, TeamsView, team, teams};
pub use tokens::{HeldTokenRow, TokensView, tokens};
pub use words::role_word;

pub(super) use listed::{Words, listed};
use words::{action_word, actions, level_word};

use super::{
    Shell,
    layout::{Page, document},
};
use crate::catalogue::Role;

/// What came of a form.
#[derive(Clone, Debug, Default)]
pub struct Notice {
    /// It was done.
    pub good: Option<String>,
    /// Why it was not.
    pub bad: Option<String>,
}

/// Something to choose: value and label.
pub type Option2 = (String, String);

/// Where a role may be given, and which.
#[derive(Clone, Debug, Default)]
pub struct Givable {
    /// Organisations of the caller's branch: `o:` and the id, and the name, indented by level.
    pub organisations: Vec<Option2>,
    /// Libraries of the branch: `l:` and the slug, and the name.
    pub libraries: Vec<Option2>,
    /// Roles that the caller may give at least somewhere.
    pub roles: Vec<Role>,
}

/// A page of administration: title, the way up, what came of a form, and the rest.
pub(super) fn frame(
    shell: &Shell,
    title: &str,
    up: &[(&str, &str)],
    notice: &Notice,
    body: &Markup,
) -> Markup {
    let body = html! {
        div.wrap.admin {
            header.page-head {
                @if !up.is_empty() {
                    nav.crumbs aria-label=(shell.pick("位置", "Where")) {
                        @for (href, label) in up { a href=(href) { (label) } span aria-hidden="true" { " › " } }
                    }
                }
                h1 { (title) }
            }
            (said(notice))
            (body)
        }
    };
    document(shell, &Page::plain(title, "admin-page", body))
}

fn said(notice: &Notice) -> Markup {
    html! {
        @if let Some(good) = &notice.good { p.notice.good role="status" { (good) } }
        @if let Some(bad) = &notice.bad { p.notice.bad role="alert" { (bad) } }
    }
}

/// The way up to the start page of administration.
pub(super) fn top(shell: &Shell) -> (&'static str, &str) {
    ("/admin", shell.pick("管理", "Administration"))
}

/// A field of text.
fn field(id: &str, name: &str, label: &str, value: &str, help: &str) -> Markup {
    html! {
        div.field {
            label for=(id) { (label) }
            input id=(id) name=(name) value=(value) aria-describedby=[(!help.is_empty()).then(|| format!("{id}-help"))];
            @if !help.is_empty() { p.hint id=(format!("{id}-help")) { (help) } }
        }
    }
}

/// A field to choose from; `none` is the label of an empty choice.
fn select(
    id: &str,
    name: &str,
    label: &str,
    options: &[Option2],
    chosen: &str,
    none: Option<&str>,
) -> Markup {
    html! {
        div.field {
            label for=(id) { (label) }
            select id=(id) name=(name) {
                @if let Some(none) = none { option value="" { (none) } }
                @for (value, text) in options { option value=(value) selected[value == chosen] { (text) } }
            }
        }
    }
}

/// Of more than so many one types a part, and takes one of those that match.
const MOST_TO_SELECT: usize = 60;

/// A field for an organisation: to choose from, or to type in when there are many; then
/// [`organisation_list`] stands once on the page.
fn choose(
    shell: &Shell,
    id: &str,
    name: &str,
    label: &str,
    options: &[Option2],
    chosen: &str,
    none: Option<&str>,
) -> Markup {
    if options.len() <= MOST_TO_SELECT {
        return select(id, name, label, options, chosen, none);
    }
    typed(shell, id, name, label, options, chosen, ORGANISATIONS)
}

fn typed(
    shell: &Shell,
    id: &str,
    name: &str,
    label: &str,
    options: &[Option2],
    chosen: &str,
    list: &str,
) -> Markup {
    let found = options.iter().find(|(value, _)| value == chosen);
    let value = found.map_or("", |(_, text)| text.trim());
    html! {
        div.field {
            label for=(id) { (label) }
            input id=(id) name=(name) value=(value) list=(list) autocomplete="off"
                placeholder=(shell.pick("输入名称或代码的一部分，再选", "Type a part of the name or code"));
        }
    }
}

/// Id of the list of [`organisation_list`].
const ORGANISATIONS: &str = "organisations";

/// What fields of [`choose`] offer.
fn organisation_list(options: &[Option2]) -> Markup {
    datalist(ORGANISATIONS, options.iter())
}

fn datalist<'a>(id: &str, options: impl ExactSizeIterator<Item = &'a Option2>) -> Markup {
    html! {
        @if options.len() > MOST_TO_SELECT {
            datalist id=(id) { @for (_, text) in options { option value=(text.trim()) {} } }
        }
    }
}

/// Where a role is, organisation or library.
fn select_place(shell: &Shell, id: &str, givable: &Givable) -> Markup {
    let group = |label: &str, options: &[Option2]| {
        html! {
            @if !options.is_empty() {
                optgroup label=(label) {
                    @for (value, text) in options { option value=(value) { (text) } }
                }
            }
        }
    };
    let label = shell.pick("在哪里", "Where");
    let all: Vec<Option2> =
        givable.organisations.iter().chain(&givable.libraries).cloned().collect();
    if all.len() > MOST_TO_SELECT {
        return html! {
            (typed(shell, id, "place", label, &[], "", "places"))
            (datalist("places", all.iter()))
        };
    }
    html! {
        div.field {
            label for=(id) { (label) }
            select id=(id) name="place" {
                (group(shell.pick("机构（包括下级机构的资源库）", "Organisations, with all below"), &givable.organisations))
                (group(shell.pick("单个资源库", "One library"), &givable.libraries))
            }
        }
    }
}

/// Which role.
fn select_role(shell: &Shell, id: &str, givable: &Givable, none: Option<&str>) -> Markup {
    let options: Vec<Option2> = givable
        .roles
        .iter()
        .map(|role| (role.as_str().to_owned(), role_word(shell.lang, *role).to_owned()))
        .collect();
    select(id, "role", shell.pick("角色", "Role"), &options, "", none)
}

/// Something dangerous: opened first, explained, then confirmed; the form's `act` says what.
fn confirm(
    shell: &Shell,
    action: &str,
    fields: &Markup,
    act: &str,
    label: &str,
    why: &str,
) -> Markup {
    danger(shell, action, fields, ("act", act), label, why)
}

/// The same where the field that says what is called otherwise.
pub(super) fn danger(
    shell: &Shell,
    action: &str,
    fields: &Markup,
    (name, value): (&str, &str),
    label: &str,
    why: &str,
) -> Markup {
    html! {
        details.danger {
            summary { (label) }
            p { (why) }
            form.form action=(action) method="post" {
                (shell.csrf_field())
                input type="hidden" name=(name) value=(value);
                (fields)
                div.form-end { button.button.bad type="submit" { (shell.pick("确定", "Yes, ")) (label) } }
            }
        }
    }
}

/// A button that does one thing.
fn button(shell: &Shell, action: &str, act: &str, fields: &[(&str, &str)], label: &str) -> Markup {
    html! {
        form.inline action=(action) method="post" {
            (shell.csrf_field())
            input type="hidden" name="act" value=(act);
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button.text-button type="submit" { (label) }
        }
    }
}

/// A form that sends a table: tried first, then taken.
fn table_form(shell: &Shell, action: &str, help: &Markup, links: bool) -> Markup {
    html! {
        form.form action=(action) method="post" enctype="multipart/form-data" {
            (shell.csrf_field())
            div.hint { (help) }
            div.field {
                label for="table" { (shell.pick("表格文件（CSV）", "Table (CSV)")) }
                input id="table" name="file" type="file" accept=".csv,text/csv" required;
            }
            div.form-end {
                button.button.quiet type="submit" name="act" value="try" { (shell.pick("先检查，不导入", "Check only")) }
                button.button type="submit" name="act" value="take" {
                    @if links { (shell.pick("导入，并下载登录链接", "Import, and download the links")) }
                    @else { (shell.pick("导入", "Import")) }
                }
            }
        }
    }
}
