//! Who decides in a step of a library's chain for somebody else, for a time.

use maud::{Markup, html};

use super::Shell;

/// Delegations of a library, as the visitor may see them.
#[derive(Clone, Debug, Default)]
pub struct DelegationsView {
    /// Steps that the visitor decides in by right, and may hand over.
    pub own: Vec<String>,
    /// Those that hold now.
    pub held: Vec<DelegationRow>,
    /// The first and the last day that can be chosen, `YYYY-MM-DD`.
    pub days: (String, String),
}

/// Somebody decides for somebody else.
#[derive(Clone, Debug)]
pub struct DelegationRow {
    /// Id.
    pub id: String,
    /// Name of the step.
    pub step: String,
    /// Name of who decides.
    pub to: String,
    /// Unix milliseconds.
    pub ends_ms: i64,
    /// The visitor may end it.
    pub may_end: bool,
}

/// The part of the chain's page; nothing for whoever has nothing to do with it.
pub(super) fn delegations(shell: &Shell, slug: &str, view: &DelegationsView) -> Markup {
    let here = format!("/review/libraries/{slug}");
    html! {
        @if !view.own.is_empty() || !view.held.is_empty() {
            section.card.delegations {
                h2 { (shell.pick("请人代审", "While somebody is away")) }
                p.hint { (shell.pick("出差、休假时，请别人代您审一段时间。您自己仍然可以审；到期自动结束。", "Somebody else may decide in your step for a time. You still may too; it ends by itself.")) }
                ul.admin-list { @for one in &view.held { li {
                    span { strong { (one.step) } " · " (one.to) " "
                        span.hint { (shell.pick("到 ", "until ")) (shell.lang.day(one.ends_ms - 1, &shell.zone)) } }
                    @if one.may_end {
                        form.inline action=(here) method="post" {
                            (shell.csrf_field())
                            input type="hidden" name="act" value="end-delegation";
                            input type="hidden" name="delegation" value=(one.id);
                            button.text-button type="submit" { (shell.pick("结束", "End")) }
                        }
                    }
                } } }
                @if view.held.is_empty() { p.hint { (shell.pick("现在没有人代审。", "Nobody stands in now.")) } }
                @if !view.own.is_empty() { (form(shell, &here, view)) }
            }
        }
    }
}

fn form(shell: &Shell, here: &str, view: &DelegationsView) -> Markup {
    html! {
        form.form action=(here) method="post" {
            (shell.csrf_field())
            input type="hidden" name="act" value="delegate";
            div.field-pair {
                div.field {
                    label for="delegate-step" { (shell.pick("哪一步", "Step")) }
                    select id="delegate-step" name="step" {
                        @for step in &view.own { option value=(step) { (step) } }
                    }
                }
                div.field {
                    label for="delegate-to" { (shell.pick("请谁（登录名）", "Who (login name)")) }
                    input id="delegate-to" name="to" required maxlength="100" autocapitalize="none" spellcheck="false";
                }
                div.field {
                    label for="delegate-until" { (shell.pick("到哪天为止（含当天）", "Until the end of")) }
                    input id="delegate-until" name="until" type="date" required min=(view.days.0) max=(view.days.1);
                }
            }
            div.form-end { button.button.quiet type="submit" { (shell.pick("请他代审", "Let them decide too")) } }
        }
    }
}
