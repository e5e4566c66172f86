//! Complaints of the public: the form on a resource's page, and the page of a case.

use maud::{Markup, html};

use super::{
    Shell,
    layout::{Page, document},
    words::{rfc3339, term_word},
};
use crate::catalogue::COMPLAINT_REASONS;

/// What the public may know of a case.
#[derive(Clone, Debug)]
pub struct CaseView {
    /// Its number.
    pub number: String,
    /// open, upheld or rejected
    pub state: &'static str,
    /// The same as a word.
    pub word: String,
    /// What was answered; may be empty.
    pub answer: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds.
    pub answered_ms: Option<i64>,
    /// It was sent just now.
    pub fresh: bool,
}

/// The form on the page of the resource at `path`.
pub(super) fn form(shell: &Shell, path: &str) -> Markup {
    html! {
        details.complain {
            summary.text-button { (shell.pick("投诉或纠错", "Report a problem")) }
            form.form.card method="post" action=(format!("{path}/complaint")) {
                (shell.csrf_field())
                div.field {
                    label for="complaint-reason" { (shell.pick("什么问题", "What is wrong")) }
                    select id="complaint-reason" name="reason" required {
                        @for term in COMPLAINT_REASONS { option value=(term.code) { (term_word(COMPLAINT_REASONS, term.code, shell.lang)) } }
                    }
                }
                div.field {
                    label for="complaint-words" { (shell.pick("具体说说，在哪一处", "Tell us more, and where it is")) }
                    textarea id="complaint-words" name="words" rows="3" maxlength="4000" required {}
                }
                div.field {
                    label for="complaint-contact" { (shell.pick("联系方式（可不填，只有处理的人能看到）", "How to reach you (may be left out; only for those who decide)")) }
                    input id="complaint-contact" name="contact" maxlength="200" autocomplete="off";
                }
                // People do not see it; robots fill in everything.
                div.unseen aria-hidden="true" {
                    label for="complaint-website" { (shell.pick("网址（请留空）", "Web address (leave empty)")) }
                    input id="complaint-website" name="website" tabindex="-1" autocomplete="off";
                }
                p.form-end { button.button type="submit" { (shell.pick("提交", "Send")) } }
            }
        }
    }
}

/// The page of a case.
#[must_use]
pub fn case(shell: &Shell, view: &CaseView) -> Markup {
    let title = format!("{} {}", shell.pick("投诉", "Complaint"), view.number);
    let body = html! {
        div.wrap.case-page {
            header.page-head { h1 { (title) } }
            @if view.fresh {
                p.notice.good role="status" { (shell.pick("已收到。请记下编号，以后凭这个网址查看处理结果。", "Received. Note the number: at this address you will find what becomes of it.")) }
            }
            section.card {
                p { strong.stage data-stage=(view.state) { (view.word) } }
                dl.review-facts {
                    div { dt { (shell.pick("提交", "Sent")) } dd { time datetime=(rfc3339(view.created_ms)) { (shell.lang.minute(view.created_ms, &shell.zone)) } } }
                    @if let Some(ms) = view.answered_ms {
                        div { dt { (shell.pick("答复", "Answered")) } dd { time datetime=(rfc3339(ms)) { (shell.lang.minute(ms, &shell.zone)) } } }
                    }
                }
                @if !view.answer.is_empty() { blockquote { (view.answer) } }
            }
        }
    };
    document(shell, &Page::plain(&title, "case-page", body))
}
