//! Where something came from: what is opened elsewhere, what was copied, and how it is.

use maud::{Markup, html};

use super::{
    HomeLink, Shell,
    icon::{Icon, icon},
};

/// How something that is opened elsewhere can be copied.
#[derive(Clone, Debug)]
pub struct CopyView {
    /// Where the form is sent.
    pub action: String,
    /// Its licence allows it.
    pub allowed: bool,
    /// Libraries that may get one: slug and name.
    pub libraries: Vec<(String, String)>,
    /// Pages of the copies that are there.
    pub copies: Vec<String>,
}

/// The form, for librarians.
pub(super) fn copy_form(shell: &Shell, view: &CopyView) -> Markup {
    html! {
        section.card.copy-in {
            h2 { (shell.pick("复制进来", "Copy it in")) }
            @for copy in &view.copies { p { a href=(copy) { (shell.pick("看本网的副本", "See the copy here")) } } }
            @if !view.allowed {
                p.hint { (shell.pick("它的许可不允许复制，或没有说明。征得作者同意后，可以自己上传。", "Its licence does not allow a copy, or is not known. Ask its author, and upload it yourself.")) }
            } @else if !view.libraries.is_empty() {
                p.hint { (shell.pick("从原库取来文件，像自己上传的一样处理，作者、许可和来源照样标明。", "Its file is fetched and processed like an upload; author, licence and origin are shown.")) }
                form.form action=(view.action) method="post" {
                    (shell.csrf_field())
                    div.field {
                        label for="copy-library" { (shell.pick("放进哪个资源库", "Into which library")) }
                        select id="copy-library" name="library" {
                            @for (slug, name) in &view.libraries { option value=(slug) { (name) } }
                        }
                    }
                    div.form-end { button.button type="submit" { (icon(Icon::Download)) (shell.pick("复制", "Copy")) } }
                }
            }
        }
    }
}

/// Whose a copy is, with thanks.
pub(super) fn copied_from(shell: &Shell, home: &HomeLink) -> Markup {
    html! {
        p.copied-from {
            (icon(Icon::Library)) (shell.pick("原件来自 ", "The original is from "))
            a href=(home.href) rel="noopener" { (home.name) }
            (shell.pick("，感谢分享。", ", with thanks."))
        }
    }
}
