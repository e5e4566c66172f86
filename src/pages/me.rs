//! One's own account: names, password, logins, tokens.

use maud::{Markup, html};

use super::{
    IdentityRow, ProviderLink, Shell,
    identity::identity_words,
    layout::{Page, document},
};

/// One's own account.
#[derive(Clone, Debug, Default)]
pub struct MeView {
    /// Login name.
    pub name: String,
    /// Name shown.
    pub display_name: String,
    /// Number.
    pub phone: String,
    /// Address.
    pub email: String,
    /// Name of where one belongs.
    pub home: String,
    /// Roles in words.
    pub roles: Vec<String>,
    /// Logins, the last used first.
    pub sessions: Vec<SessionRow>,
    /// API tokens.
    pub tokens: Vec<TokenRow>,
    /// Who one is elsewhere.
    pub identities: Vec<IdentityRow>,
    /// Where one can go to link another.
    pub providers: Vec<ProviderLink>,
    /// A password was chosen.
    pub has_password: bool,
    /// A token that was just made, shown only now.
    pub token: Option<String>,
    /// Fewest characters of a password.
    pub shortest: usize,
    /// It was done.
    pub good: Option<String>,
    /// Why it was not.
    pub bad: Option<String>,
}

/// A login of a browser.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// Id.
    pub id: String,
    /// From where.
    pub address: String,
    /// Which browser, in short.
    pub browser: String,
    /// Name of the provider that it was begun by.
    pub provider: Option<String>,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds.
    pub seen_ms: i64,
    /// The one that asks.
    pub current: bool,
}

/// An API token.
#[derive(Clone, Debug)]
pub struct TokenRow {
    /// Id.
    pub id: String,
    /// What for.
    pub label: String,
    /// read, upload, manage.
    pub scopes: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds.
    pub expires_ms: Option<i64>,
}

/// The page.
#[must_use]
pub fn me(shell: &Shell, view: &MeView) -> Markup {
    let title = shell.pick("我的账号", "My account");
    let body = html! {
        div.wrap.admin {
            header.page-head { h1 { (title) } }
            @if let Some(good) = &view.good { p.notice.good role="status" { (good) } }
            @if let Some(bad) = &view.bad { p.notice.bad role="alert" { (bad) } }
            @if let Some(token) = &view.token {
                section.card.secret role="status" {
                    h2 { (shell.pick("接口令牌，只显示这一次", "The token; it is shown only now")) }
                    p.break { code { (token) } }
                }
            }
            div.admin-forms {
                section.card { (names(shell, view)) }
                section.card { (password(shell, view)) }
                @if !view.identities.is_empty() || !view.providers.is_empty() {
                    section.card { (identities(shell, view)) }
                }
                section.card { (sessions(shell, view)) }
                section.card { (tokens(shell, view)) }
            }
        }
    };
    document(shell, &Page::plain(title, "admin-page", body))
}

fn input(id: &str, label: &str, value: &str, hint: &str) -> Markup {
    html! {
        div.field {
            label for=(id) { (label) }
            input id=(id) name=(id) value=(value) aria-describedby=[(!hint.is_empty()).then(|| format!("{id}-help"))];
            @if !hint.is_empty() { p.hint id=(format!("{id}-help")) { (hint) } }
        }
    }
}

fn names(shell: &Shell, view: &MeView) -> Markup {
    html! {
        h2 { (shell.pick("基本信息", "About")) }
        p.hint {
            (shell.pick("登录名 ", "Login name ")) strong { (view.name) }
            @if !view.home.is_empty() { " · " (view.home) }
        }
        @if !view.roles.is_empty() { p { @for role in &view.roles { span.tag { (role) } } } }
        form.form action="/me" method="post" {
            (shell.csrf_field())
            input type="hidden" name="act" value="save";
            (input("display_name", shell.pick("姓名", "Name"), &view.display_name, ""))
            (input("phone", shell.pick("手机或电话", "Telephone"), &view.phone, shell.pick("可以用来登录", "A name to log in with")))
            (input("email", shell.pick("电子邮箱", "E-mail"), &view.email, ""))
            div.form-end { button.button type="submit" { (shell.pick("保存", "Save")) } }
        }
    }
}

fn password(shell: &Shell, view: &MeView) -> Markup {
    let secret = |name: &str, label: &str, complete: &str| {
        html! {
            div.field {
                label for=(name) { (label) }
                input id=(name) name=(name) type="password" autocomplete=(complete) required
                    minlength=[(complete == "new-password").then_some(view.shortest)];
            }
        }
    };
    if !view.has_password {
        return html! {
            h2 { (shell.pick("密码", "Password")) }
            p.hint { (shell.pick(
                "您还没有本站的密码，现在用关联的账号登录。想设一个，请机构的管理员给您一个重置码。",
                "You have no password here and sign in with a linked account. To choose one, ask whoever looks after you for a code.",
            )) }
        };
    }
    html! {
        h2 { (shell.pick("修改密码", "Change the password")) }
        form.form action="/me" method="post" {
            (shell.csrf_field())
            input type="hidden" name="act" value="password";
            (secret("old", shell.pick("现在的密码", "Present password"), "current-password"))
            (secret("new", shell.pick("新密码（8 个字符以上）", "New password (8 characters or more)"), "new-password"))
            (secret("again", shell.pick("再输一次", "Once more"), "new-password"))
            @if !view.tokens.is_empty() {
                label.choice {
                    input type="checkbox" name="revoke_tokens" value="true";
                    (shell.pick("同时撤销全部接口令牌（密码可能被别人知道时）", "Revoke all API tokens too (when somebody may know the password)"))
                }
            }
            div.form-end { button.button type="submit" { (shell.pick("修改", "Change")) } }
            p.hint { (shell.pick("改好后，别处的登录会退出。", "Logins elsewhere end.")) }
        }
    }
}

fn act(shell: &Shell, act: &str, id: &str, label: &str) -> Markup {
    html! {
        form.inline action="/me" method="post" {
            (shell.csrf_field())
            input type="hidden" name="act" value=(act);
            input type="hidden" name="id" value=(id);
            button.text-button type="submit" { (label) }
        }
    }
}

fn identities(shell: &Shell, view: &MeView) -> Markup {
    html! {
        h2 { (shell.pick("关联的账号", "Linked accounts")) }
        p.hint { (shell.pick("可以用来登录本站的、别处的账号。", "Accounts elsewhere that sign you in here.")) }
        ul.admin-list { @for one in &view.identities { li {
            (identity_words(shell, one))
            (act(shell, "unlink", &one.id, shell.pick("取消关联", "Unlink")))
        } } }
        @if view.identities.is_empty() { p.hint { (shell.pick("还没有。", "None yet.")) } }
        @for provider in &view.providers {
            div.form-end {
                a.button.quiet href=(provider.href) rel="nofollow" {
                    (shell.pick("关联“", "Link “")) (provider.name) (shell.pick("”的账号", "”"))
                }
            }
        }
    }
}

fn sessions(shell: &Shell, view: &MeView) -> Markup {
    html! {
        h2 { (shell.pick("登录过的设备", "Where you are logged in")) }
        ul.admin-list { @for one in &view.sessions { li {
            span {
                strong { (one.browser) } " · " (one.address)
                @if let Some(provider) = &one.provider { " · " (provider) }
                @if one.current { " " span.tag { (shell.pick("就是这里", "here")) } }
                br;
                span.hint {
                    (shell.pick("登录于 ", "since ")) (shell.lang.minute(one.created_ms, &shell.zone))
                    (shell.pick("，最近使用 ", ", last used ")) (shell.lang.minute(one.seen_ms, &shell.zone))
                }
            }
            (act(shell, "end", &one.id, shell.pick("退出", "End")))
        } } }
        @if view.sessions.is_empty() { p.hint { (shell.pick("没有。", "None.")) } }
    }
}

fn tokens(shell: &Shell, view: &MeView) -> Markup {
    let scope = |name: &str, label: &str, on: bool| {
        html! { label.choice { input type="checkbox" name="scope" value=(name) checked[on]; (label) } }
    };
    html! {
        h2 { (shell.pick("接口令牌", "API tokens")) }
        p.hint { (shell.pick("给程序用的钥匙，如批量上传工具。不用就不必新建。", "Keys for programs, such as an uploader.")) }
        ul.admin-list { @for one in &view.tokens { li {
            span {
                strong { @if one.label.is_empty() { (shell.pick("（无名）", "(no name)")) } @else { (one.label) } } " · " (one.scopes)
                br;
                span.hint {
                    (shell.lang.day(one.created_ms, &shell.zone))
                    @if let Some(expires_ms) = one.expires_ms { (shell.pick(" 到 ", " until ")) (shell.lang.day(expires_ms, &shell.zone)) }
                }
            }
            (act(shell, "revoke", &one.id, shell.pick("撤销", "Revoke")))
        } } }
        form.form action="/me" method="post" {
            (shell.csrf_field())
            input type="hidden" name="act" value="token";
            (input("label", shell.pick("给什么用", "What for"), "", ""))
            (input("days", shell.pick("有效天数", "Days it lasts"), "90", shell.pick("不填就一直有效，直到撤销", "Empty: until it is revoked")))
            fieldset.choices {
                legend { (shell.pick("可以做什么", "What it may do")) }
                (scope("read", shell.pick("查看", "Read"), true))
                (scope("upload", shell.pick("上传", "Upload"), false))
                (scope("manage", shell.pick("修改和管理", "Change and manage"), false))
            }
            div.form-end { button.button.quiet type="submit" { (shell.pick("新建令牌", "Make a token")) } }
        }
    }
}
