//! Accounts from elsewhere: buttons to log in by them, who somebody is there.

use maud::{Markup, html};

use super::{
    Shell,
    icon::{Icon, icon},
    layout::{Page, document},
};

/// A provider to go to.
#[derive(Clone, Debug)]
pub struct ProviderLink {
    /// Its name.
    pub name: String,
    /// Where.
    pub href: String,
}

/// Who somebody is elsewhere.
#[derive(Clone, Debug)]
pub struct IdentityRow {
    /// Id.
    pub id: String,
    /// Name of the provider.
    pub provider: String,
    /// One can log in by it now.
    pub works: bool,
    /// Name or address there.
    pub label: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// The last login, Unix milliseconds.
    pub used_ms: Option<i64>,
}

/// Logged out here, not yet elsewhere.
#[derive(Clone, Debug)]
pub struct LoggedOutView {
    /// The provider, and where one logs out there.
    pub link: ProviderLink,
}

/// Buttons below the form of the login.
pub(super) fn login_buttons(shell: &Shell, providers: &[ProviderLink]) -> Markup {
    html! {
        @if !providers.is_empty() {
            div.elsewhere {
                p.elsewhere-or { span { (shell.pick("或者", "or")) } }
                @for provider in providers {
                    a.button.quiet href=(provider.href) rel="nofollow" {
                        (icon(Icon::User))
                        span { (shell.pick("用“", "Sign in with “")) (provider.name) (shell.pick("”登录", "”")) }
                    }
                }
            }
        }
    }
}

/// What a row of a list says; the caller adds what can be done.
pub(super) fn identity_words(shell: &Shell, one: &IdentityRow) -> Markup {
    html! {
        span {
            strong { (one.provider) } " · " (one.label)
            @if !one.works { " " span.tag { (shell.pick("现在不能用它登录", "not in use now")) } }
            br;
            span.hint {
                (shell.pick("关联于 ", "linked ")) (shell.lang.day(one.created_ms, &shell.zone))
                @if let Some(used_ms) = one.used_ms {
                    (shell.pick("，最近登录 ", ", last login ")) (shell.lang.minute(used_ms, &shell.zone))
                } @else { (shell.pick("，还没有用它登录过", ", never used yet")) }
            }
        }
    }
}

/// The page after logging out of a session that a provider began.
#[must_use]
pub fn logged_out(shell: &Shell, view: &LoggedOutView) -> Markup {
    let title = shell.pick("已退出", "Signed out");
    let name = &view.link.name;
    let body = html! {
        div.narrow {
            div.card {
                h1 { (title) }
                p.lead {
                    (shell.pick("本站已经退出。在这台设备上，您可能还登录着“", "You are signed out here. On this device you may still be signed in at “"))
                    (name)
                    (shell.pick("”。如果是公用电脑，请把那里也退出。", "”. On a computer that others use, sign out there too."))
                }
                div.elsewhere {
                    a.button href=(view.link.href) rel="nofollow noreferrer" { (shell.pick("把“", "Sign out at “")) (name) (shell.pick("”也退出", "” too")) }
                    a.button.quiet href="/" { (shell.pick("回到首页", "Back to the front page")) }
                }
            }
        }
    };
    document(shell, &Page::plain(title, "login", body))
}
