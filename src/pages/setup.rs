//! The first administrator chooses a password.

use maud::{Markup, html};

use super::{
    Shell,
    layout::{Page, document},
};

/// The form that the set-up link opens.
#[derive(Clone, Debug)]
pub struct SetupView {
    /// `/setup/{token}`, where it is posted to.
    pub action: String,
    /// Fewest characters of a password.
    pub shortest: usize,
    /// Why the password was refused.
    pub refusal: Option<String>,
}

/// The form; posts `password` and `again`.
#[must_use]
pub fn setup(shell: &Shell, view: &SetupView) -> Markup {
    let title = shell.pick("设置管理员密码", "Choose the administrator's password");
    let lead = shell.pick(
        "这个链接只能用一次。以后请用账号 admin 登录。",
        "This link works once. Sign in as admin from then on.",
    );
    let refused = view.refusal.is_some();
    let field = |name: &str, label: &str, first: bool| {
        html! {
            div.field {
                label for=(name) { (label) }
                input id=(name) name=(name) type="password" autocomplete="new-password" required
                    minlength=(view.shortest) autofocus[first] aria-invalid=[refused.then_some("true")]
                    aria-describedby=[refused.then_some("refusal")];
            }
        }
    };
    let body = html! {
        div.narrow {
            div.card {
                h1 { (title) }
                p.lead { (lead) }
                @if let Some(refusal) = &view.refusal { p.notice.bad role="alert" id="refusal" { (refusal) } }
                form.form action=(view.action) method="post" {
                    (field("password", shell.pick("新密码", "New password"), true))
                    (field("again", shell.pick("再输一次", "Once more"), false))
                    button.button type="submit" { (shell.pick("保存并登录", "Save and sign in")) }
                }
            }
        }
    };
    document(shell, &Page::plain(title, "login", body))
}
