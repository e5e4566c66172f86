//! Signing in.

use maud::{Markup, html};

use super::{
    ProviderLink, Shell,
    identity::login_buttons,
    layout::{Page, document},
};

/// The form.
#[derive(Clone, Debug)]
pub struct LoginView {
    /// Where to go afterwards, a path of this site.
    pub next: String,
    /// The name typed before, when it was refused.
    pub name: String,
    /// Why it was refused.
    pub refusal: Option<String>,
    /// Where else one may log in.
    pub providers: Vec<ProviderLink>,
}

/// The form; posts `name`, `password`, `next` and `csrf` to `/login`.
#[must_use]
pub fn login(shell: &Shell, view: &LoginView) -> Markup {
    let title = shell.pick("登录", "Sign in");
    let refused = view.refusal.is_some();
    let body = html! {
        div.narrow {
            div.card {
                h1 { (title) }
                p.lead { (shell.pick("登录后可以上传和管理资源；看课、读书不用登录。", "Sign in to upload and look after resources; learning needs no account.")) }
                @if let Some(refusal) = &view.refusal { p.notice.bad role="alert" id="refusal" { (refusal) } }
                form.form action="/login" method="post" {
                    (shell.csrf_field())
                    input type="hidden" name="next" value=(view.next);
                    div.field {
                        label for="name" { (shell.pick("登录名或手机号", "Name or telephone number")) }
                        input id="name" name="name" value=(view.name) autocomplete="username" autocapitalize="none"
                            spellcheck="false" required autofocus[!refused]
                            aria-invalid=[refused.then_some("true")] aria-describedby=[refused.then_some("refusal")];
                    }
                    div.field {
                        label for="password" { (shell.pick("密码", "Password")) }
                        input id="password" name="password" type="password" autocomplete="current-password" required
                            autofocus[refused] aria-invalid=[refused.then_some("true")]
                            aria-describedby=[refused.then_some("refusal")];
                    }
                    button.button type="submit" { (title) }
                }
                (login_buttons(shell, &view.providers))
                p.hint { (shell.pick("忘记密码？请机构的管理员给您一个重置码，", "No password? Ask whoever looks after you for a code, ")) a href="/start" { (shell.pick("在这里输入", "and type it in here")) } }
            }
        }
    };
    document(shell, &Page::plain(title, "login", body))
}
