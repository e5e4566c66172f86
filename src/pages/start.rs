//! Ways in: a code or link with which somebody chooses a password, and an invitation.

use maud::{Markup, html};

use super::{
    Shell,
    layout::{Page, document},
};

/// Where a code is typed in.
#[must_use]
pub fn start_code(shell: &Shell, refusal: Option<&str>) -> Markup {
    let title = shell.pick("用重置码设新密码", "Choose a password with a code");
    let body = html! {
        div.narrow { div.card {
            h1 { (title) }
            p.lead { (shell.pick("管理员读给您的码，共 12 位字母和数字，大小写都行。", "The code that was read out to you: 12 letters and digits, in either case.")) }
            @if let Some(refusal) = refusal { p.notice.bad role="alert" { (refusal) } }
            form.form action="/start" method="post" {
                div.field {
                    label for="code" { (shell.pick("重置码", "Code")) }
                    input id="code" name="code" required autofocus autocomplete="one-time-code" autocapitalize="characters" spellcheck="false";
                }
                button.button type="submit" { (shell.pick("下一步", "Next")) }
            }
        } }
    };
    document(shell, &Page::plain(title, "login", body))
}

/// Somebody chooses a password.
#[derive(Clone, Debug)]
pub struct StartView {
    /// Where the form is sent.
    pub action: String,
    /// Who it is.
    pub display_name: String,
    /// With what they log in.
    pub name: String,
    /// Fewest characters of a password.
    pub shortest: usize,
    /// Why the password was refused.
    pub refusal: Option<String>,
}

/// The form; posts `password` and `again`.
#[must_use]
pub fn start(shell: &Shell, view: &StartView) -> Markup {
    let title = shell.pick("设置密码", "Choose a password");
    let body = html! {
        div.narrow { div.card {
            h1 { (title) }
            p.lead {
                (view.display_name) (shell.pick("，您好。以后用登录名 ", ": from now on you sign in as ")) strong { (view.name) }
                (shell.pick(" 和新密码登录。", "."))
            }
            @if let Some(refusal) = &view.refusal { p.notice.bad role="alert" { (refusal) } }
            form.form action=(view.action) method="post" {
                (passwords(shell, view.shortest))
                button.button type="submit" { (shell.pick("保存并登录", "Save and sign in")) }
            }
        } }
    };
    document(shell, &Page::plain(title, "login", body))
}

fn passwords(shell: &Shell, shortest: usize) -> Markup {
    let secret = |name: &str, label: &str| {
        html! {
            div.field {
                label for=(name) { (label) }
                input id=(name) name=(name) type="password" autocomplete="new-password" required minlength=(shortest);
            }
        }
    };
    html! {
        (secret("password", shell.pick("新密码（8 个字符以上）", "Password (8 characters or more)")))
        (secret("again", shell.pick("再输一次", "Once more")))
    }
}

/// An invitation.
#[derive(Clone, Debug)]
pub struct JoinView {
    /// Where the forms are sent.
    pub action: String,
    /// What it brings, in words.
    pub role: String,
    /// Where.
    pub place: String,
    /// Name of who is logged in.
    pub who: Option<String>,
    /// Fewest characters of a password.
    pub shortest: usize,
    /// What was typed before it was refused: name shown, number, login name.
    pub typed: [String; 3],
    /// Why it was refused.
    pub refusal: Option<String>,
}

/// The invitation: accepted by who is logged in, or with a new account.
#[must_use]
pub fn join(shell: &Shell, view: &JoinView) -> Markup {
    let title = shell.pick("邀请", "Invitation");
    let text = |name: &str, label: &str, value: &str, needed: bool| {
        html! { div.field { label for=(name) { (label) } input id=(name) name=(name) value=(value) required[needed]; } }
    };
    let body = html! {
        div.narrow { div.card {
            h1 { (title) }
            p.lead { (shell.pick("邀请您加入 ", "You are invited to ")) strong { (view.place) } (shell.pick("，角色是 ", " as ")) strong { (view.role) } (shell.pick("。", ".")) }
            @if let Some(refusal) = &view.refusal { p.notice.bad role="alert" { (refusal) } }
            @if let Some(who) = &view.who {
                form.form action=(view.action) method="post" {
                    (shell.csrf_field())
                    button.button type="submit" { (shell.pick("以 ", "Accept as ")) (who) (shell.pick(" 的身份接受", "")) }
                }
            } @else {
                p { a href=(format!("/login?next={}", view.action)) { (shell.pick("已经有账号？先登录", "You have an account? Sign in first")) } }
                form.form action=(view.action) method="post" {
                    (text("display_name", shell.pick("姓名", "Name"), &view.typed[0], true))
                    (text("phone", shell.pick("手机号（用来登录）", "Telephone (to log in with)"), &view.typed[1], false))
                    (text("name", shell.pick("登录名（不填就用手机号）", "Login name (else the number)"), &view.typed[2], false))
                    (passwords(shell, view.shortest))
                    button.button type="submit" { (shell.pick("新建账号并加入", "Make an account and join")) }
                }
            }
        } }
    };
    document(shell, &Page::plain(title, "login", body))
}
