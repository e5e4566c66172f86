//! The page on which an organisation vouches for what is local about a resource.

use maud::{Markup, html};

use super::{
    Shell,
    icon::{Icon, icon},
    layout::{Page, document},
    local_mark::{level_word, mark_parts},
    words::rfc3339,
};
use crate::catalogue::{Level, LocalMark};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct VouchView {
    /// Id of the resource.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What is vouched for; nothing: it is not local any more.
    pub mark: Option<LocalMark>,
    /// In whose name the visitor may vouch: id, name, level.
    pub offices: Vec<(String, String, Level)>,
    /// All vouchers, the newest first.
    pub vouchers: Vec<VoucherRow>,
    /// A sentence after a form was sent.
    pub saved: Option<String>,
    /// Why a form was refused.
    pub refusal: Option<String>,
}

/// A voucher.
#[derive(Clone, Debug)]
pub struct VoucherRow {
    /// Its id.
    pub id: String,
    /// Name of the organisation.
    pub organisation: String,
    /// Its level then.
    pub level: Level,
    /// Name of who gave it.
    pub by: String,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// May be empty.
    pub note: String,
    /// It holds for the mark as it is.
    pub stands: bool,
    /// Unix milliseconds.
    pub withdrawn_ms: Option<i64>,
    /// The visitor may withdraw it.
    pub may_withdraw: bool,
}

/// The page.
#[must_use]
pub fn vouch(shell: &Shell, view: &VouchView) -> Markup {
    let title = shell.pick("地方特色认证", "Vouching for what is local");
    let action = format!("/resources/{}/vouch", view.id);
    let body = html! {
        div.wrap.vouch-page {
            header.page-head {
                p.crumbs { a href=(format!("/resources/{}", view.id)) { (view.title) } }
                h1 { (title) }
            }
            @if let Some(saved) = &view.saved { p.notice.good role="status" { (icon(Icon::Check)) (saved) } }
            @if let Some(refusal) = &view.refusal { p.notice.bad role="alert" { (refusal) } }
            @if let Some(mark) = &view.mark {
                section.local-mark aria-labelledby="what" {
                    header { (icon(Icon::Star)) h2 id="what" { (shell.pick("认证的内容", "What you vouch for")) } }
                    (mark_parts(shell, mark))
                }
                p.hint { (shell.pick("认证的是上面这几行，一字不差。以后有人改动它们，认证就不再算数，要重新认证。", "You vouch for these lines, word for word. When somebody changes them, this ends, and has to be done again.")) }
                @if !view.offices.is_empty() { (form(shell, view, &action)) }
            } @else {
                p.notice { (shell.pick("这个资源现在没有填写地方特色。", "Nothing local is said about this resource now.")) }
            }
            (all(shell, view, &action))
        }
    };
    document(shell, &Page::plain(title, "vouch-page", body))
}

fn form(shell: &Shell, view: &VouchView, action: &str) -> Markup {
    html! {
        form.form.card method="post" action=(action) {
            (shell.csrf_field())
            div.field {
                label for="vouch-organisation" { (shell.pick("以哪个机构的名义", "In the name of")) }
                select id="vouch-organisation" name="organisation" required {
                    @for (id, name, level) in &view.offices {
                        option value=(id) { (name) " · " (level_word(shell, *level)) }
                    }
                }
            }
            div.field {
                label for="vouch-note" { (shell.pick("依据（公开，可不填）", "Why (public, may be empty)")) }
                input id="vouch-note" name="note" maxlength="500" autocomplete="off";
            }
            p.form-end { button.button type="submit" name="action" value="vouch" { (shell.pick("认证", "Vouch")) } }
        }
    }
}

fn all(shell: &Shell, view: &VouchView, action: &str) -> Markup {
    html! {
        @if !view.vouchers.is_empty() {
            section aria-labelledby="vouchers" {
                h2 id="vouchers" { (shell.pick("认证记录", "Vouchers")) }
                ul.rows.vouchers { @for one in &view.vouchers { li { (row(shell, one, action)) } } }
            }
        }
    }
}

fn row(shell: &Shell, row: &VoucherRow, action: &str) -> Markup {
    let day =
        |ms: i64| html! { time datetime=(rfc3339(ms)) { (shell.lang.minute(ms, &shell.zone)) } };
    html! {
        article.card data-stands[row.stands] {
            h3 { (row.organisation) " " span.level { (level_word(shell, row.level)) } }
            p.tile-facts { span { (row.by) } (day(row.at_ms)) }
            @if !row.note.is_empty() { p { (row.note) } }
            @if let Some(ms) = row.withdrawn_ms { p.hint { (shell.pick("已撤销 ", "Withdrawn ")) (day(ms)) } }
            @else if !row.stands { p.hint { (shell.pick("地方特色后来改动过，这份认证不再算数。", "The mark was changed since: this does not hold any more.")) } }
            @if row.may_withdraw {
                details.danger {
                    summary { (shell.pick("撤销", "Withdraw")) }
                    form method="post" action=(action) {
                        (shell.csrf_field())
                        input type="hidden" name="voucher" value=(row.id);
                        button.button.bad type="submit" name="action" value="withdraw" { (shell.pick("确定撤销", "Withdraw it")) }
                    }
                }
            }
        }
    }
}
