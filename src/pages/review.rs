//! One resource in review: the player or reader beside what was handed in, decided and said.

use maud::{Markup, html};

use super::{
    MediaView, Shell,
    icon::{Icon, icon},
    layout::{Page, document},
    media::media,
    words::{clock, kind_word, rfc3339, stage_word},
};
use crate::catalogue::{Kind, Stage};

/// What the page of a resource in review shows.
#[derive(Clone, Debug)]
pub struct ReviewView {
    /// The resource's id.
    pub id: String,
    /// Its title, as it was handed in.
    pub title: String,
    /// The name of its library.
    pub library_name: String,
    /// What it is.
    pub kind: Kind,
    /// How far it has come.
    pub stage: Stage,
    /// What it plays or shows.
    pub media: MediaView,
    /// What is said about it: label and value.
    pub facts: Vec<(String, String)>,
    /// What was handed in, the last first.
    pub versions: Vec<VersionView>,
    /// What was said, each with its answers.
    pub comments: Vec<CommentView>,
    /// It was withdrawn: by whom and why.
    pub withdrawn: Option<String>,
    /// The version and the step that the visitor decides about.
    pub decides: Option<(i64, usize, String)>,
    /// The visitor may take it back.
    pub may_take_back: bool,
    /// The visitor may withdraw it.
    pub may_withdraw: bool,
    /// `/studio/resources/{id}`, when the visitor may change it.
    pub edit_href: Option<String>,
    /// A sentence after a form was sent.
    pub saved: Option<String>,
    /// Why a form was refused.
    pub refusal: Option<String>,
    /// What was typed, when a form was refused.
    pub typed: String,
}

/// A version that was handed in.
#[derive(Clone, Debug)]
pub struct VersionView {
    /// From 1.
    pub number: i64,
    /// open, accepted, returned or taken_back
    pub state: &'static str,
    /// The same as a word.
    pub word: String,
    /// Name of who handed it in.
    pub by: String,
    /// Unix milliseconds.
    pub handed_in_ms: i64,
    /// A new version of what is published.
    pub update: bool,
    /// Its steps, in order.
    pub steps: Vec<StepView>,
    /// What is another than in the version before: label, before, after.
    pub changes: Vec<(String, String, String)>,
    /// There is a version before.
    pub has_before: bool,
}

/// A step of a version.
#[derive(Clone, Debug)]
pub struct StepView {
    /// Its name.
    pub name: String,
    /// Who decides.
    pub who: String,
    /// accepted, returned, waiting or to_come
    pub state: &'static str,
    /// Until when, Unix milliseconds.
    pub due_ms: Option<i64>,
    /// That time is over.
    pub overdue: bool,
    /// Name of who decided, and when, Unix milliseconds.
    pub decided: Option<(String, i64)>,
    /// Why.
    pub reason: String,
    /// It was decided above, on appeal.
    pub appealed: bool,
}

/// A comment with its answers.
#[derive(Clone, Debug)]
pub struct CommentView {
    /// Its id.
    pub id: String,
    /// Name of who said it.
    pub by: String,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// The moment that it is about, milliseconds.
    pub start_ms: Option<u64>,
    /// The page that it is about.
    pub page: Option<i64>,
    /// What was said.
    pub words: String,
    /// It is settled.
    pub resolved: bool,
    /// Answers to it: by whom, when, what.
    pub answers: Vec<(String, i64, String)>,
}

/// The page of a resource in review.
#[must_use]
pub fn review(shell: &Shell, view: &ReviewView) -> Markup {
    let action = format!("/review/{}", view.id);
    let body = html! {
        div.wrap.review-one {
            header.page-head {
                p.crumbs { a href="/review" { (shell.pick("审核", "Review")) } }
                h1 { (view.title) }
                p { strong.stage data-stage=(view.stage.as_str()) { (stage_word(shell.lang, view.stage)) } }
                p.tile-facts {
                    span { (view.library_name) } span { (kind_word(shell.lang, view.kind)) }
                    @if let Some(href) = &view.edit_href { a href=(href) { (shell.pick("到工作室修改", "Edit in the studio")) } }
                }
            }
            @if let Some(saved) = &view.saved { p.notice.good role="status" { (icon(Icon::Check)) (saved) } }
            @if let Some(refusal) = &view.refusal { p.notice.bad role="alert" { (refusal) } }
            @if let Some(withdrawn) = &view.withdrawn { p.notice.bad { (withdrawn) } }
            div.review-layout {
                div.review-media { (media(shell, &view.media, &view.title, "")) (comments(shell, view, &action)) }
                div.review-side {
                    (decision(shell, view, &action))
                    (said(shell, view))
                    @for version in &view.versions { (version_card(shell, version)) }
                    @if view.may_withdraw { (withdraw(shell, &action)) }
                }
            }
        }
    };
    let assets = &shell.assets;
    let mut scripts = match view.media {
        MediaView::Play(_) => vec![assets.player.as_str()],
        MediaView::Nothing { .. } | MediaView::Download => vec![],
        _ => vec![assets.viewer.as_str()],
    };
    scripts.push(assets.review.as_str());
    let styles = match view.media {
        MediaView::Play(_) => vec![assets.player_css.as_str()],
        _ => vec![],
    };
    document(shell, &Page { styles, scripts, ..Page::plain(&view.title, "review-page", body) })
}

fn decision(shell: &Shell, view: &ReviewView, action: &str) -> Markup {
    html! {
        @if let Some((version, step, name)) = &view.decides {
            form.form.card.decision method="post" action=(action) {
                h2 { (shell.pick("您的意见：", "Your decision: ")) (name) }
                (shell.csrf_field())
                input type="hidden" name="version" value=(version);
                input type="hidden" name="step" value=(step);
                div.field {
                    label for="reason" { (shell.pick("意见（退回时必填，作者能看到）", "Reason (needed for a return; the author reads it)")) }
                    textarea id="reason" name="reason" rows="3" maxlength="4000" { (view.typed) }
                }
                div.actions {
                    button.button type="submit" name="action" value="accept" { (icon(Icon::Check)) (shell.pick("通过", "Accept")) }
                    button.button.quiet type="submit" name="action" value="return" { (shell.pick("退回修改", "Return")) }
                }
            }
        }
        @if view.may_take_back {
            form.card.decision method="post" action=(action) {
                (shell.csrf_field())
                p.hint { (shell.pick("送审以后不能修改。要改，请先撤回。", "What is in review cannot be changed. Take it back to change it.")) }
                button.button.quiet type="submit" name="action" value="take-back" { (shell.pick("撤回", "Take back")) }
            }
        }
    }
}

fn said(shell: &Shell, view: &ReviewView) -> Markup {
    html! {
        section.card {
            h2 { (shell.pick("说明", "About")) }
            dl.review-facts {
                @for (label, value) in &view.facts { div { dt { (label) } dd { (value) } } }
            }
        }
    }
}

fn version_card(shell: &Shell, version: &VersionView) -> Markup {
    let title = shell.pick("第 N 次送审", "Version N").replace('N', &version.number.to_string());
    html! {
        section.card.version {
            header.version-head {
                h2 { (title) }
                strong.stage data-stage=(version.state) { (version.word) }
            }
            p.hint {
                (version.by) " · "
                time datetime=(rfc3339(version.handed_in_ms)) { (shell.lang.minute(version.handed_in_ms, &shell.zone)) }
                @if version.update { " · " (shell.pick("已发布资源的修改稿", "a new version of what is published")) }
            }
            (steps(shell, &version.steps))
            (changes(shell, version))
        }
    }
}

/// Where a version is in its chain.
pub(super) fn steps(shell: &Shell, steps: &[StepView]) -> Markup {
    html! {
        ol.review-steps {
            @for step in steps {
                li data-state=(step.state) {
                    p.step-name { strong { (step.name) } span { (step_word(shell, step)) } }
                    p.hint {
                        (step.who)
                        @if let Some(ms) = step.due_ms {
                            " · " span.due data-overdue[step.overdue] {
                                @if step.overdue { (shell.pick("已超期，应于 ", "overdue since ")) } @else { (shell.pick("期限 ", "until ")) }
                                time datetime=(rfc3339(ms)) { (shell.lang.minute(ms, &shell.zone)) }
                            }
                        }
                        @if let Some((by, ms)) = &step.decided {
                            " · " (by) " · " time datetime=(rfc3339(*ms)) { (shell.lang.minute(*ms, &shell.zone)) }
                        }
                    }
                    @if !step.reason.is_empty() { blockquote { (step.reason) } }
                }
            }
        }
    }
}

fn step_word(shell: &Shell, step: &StepView) -> &'static str {
    let lang = shell.lang;
    match (step.state, step.appealed) {
        ("accepted", true) => lang.pick("申诉后通过", "accepted on appeal"),
        ("accepted", _) => lang.pick("通过", "accepted"),
        ("returned", _) => lang.pick("退回", "returned"),
        ("waiting", _) => lang.pick("正在审", "has it"),
        _ => lang.pick("还没到", "to come"),
    }
}

fn changes(shell: &Shell, version: &VersionView) -> Markup {
    html! {
        @if version.has_before {
            details.changes open[version.state == "open"] {
                summary { (shell.pick("与上次相比的改动", "What was changed")) " " span.number { (version.changes.len()) } }
                @if version.changes.is_empty() { p.hint { (shell.pick("没有改动。", "Nothing.")) } }
                dl {
                    @for (label, before, after) in &version.changes {
                        div {
                            dt { (label) }
                            dd {
                                @if !before.is_empty() { del { (before) } }
                                @if !after.is_empty() { ins { (after) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn comments(shell: &Shell, view: &ReviewView, action: &str) -> Markup {
    let plays = matches!(view.media, MediaView::Play(_));
    let pages = matches!(view.media, MediaView::Read(_) | MediaView::Book(_));
    html! {
        section.card.comments aria-labelledby="comments" {
            h2 id="comments" { (shell.pick("批注", "Comments")) " " span.number { (view.comments.len()) } }
            @if !view.comments.is_empty() {
                ol.comment-list data-moments {
                    @for one in &view.comments { (comment(shell, view, one, action)) }
                }
            }
            form.form method="post" action=(action) data-comment-form {
                (shell.csrf_field())
                div.field {
                    label for="words" { (shell.pick("写一条批注", "Add a comment")) }
                    textarea id="words" name="words" rows="2" maxlength="4000" required {}
                }
                div.comment-place {
                    @if plays {
                        div.field {
                            label for="at" { (shell.pick("时间点（分:秒，可不填）", "At (m:ss, may be left out)")) }
                            input id="at" name="at" inputmode="numeric" pattern="[0-9:.]*" maxlength="12" placeholder="1:30";
                        }
                        button.button.quiet type="button" data-waits data-now { (icon(Icon::Clock)) (shell.pick("用现在的时间", "Now")) }
                    }
                    @if pages {
                        div.field {
                            label for="page" { (shell.pick("页码（可不填）", "Page (may be left out)")) }
                            input id="page" name="page" type="number" min="1" inputmode="numeric";
                        }
                    }
                    button.button type="submit" name="action" value="comment" { (shell.pick("添加批注", "Add")) }
                }
            }
        }
    }
}

fn comment(shell: &Shell, view: &ReviewView, one: &CommentView, action: &str) -> Markup {
    let path = format!("/review/{}", view.id);
    let book = matches!(view.media, MediaView::Book(_));
    html! {
        li.comment id=(format!("c-{}", one.id)) data-resolved[one.resolved] {
            p.comment-head {
                strong { (one.by) }
                time datetime=(rfc3339(one.at_ms)) { (shell.lang.minute(one.at_ms, &shell.zone)) }
                @if let Some(ms) = one.start_ms {
                    a.place href=(format!("{path}?t={}", ms as f64 / 1000.0)) data-start=(ms) rel="nofollow" { (icon(Icon::Play)) (clock(ms)) }
                }
                @if let Some(page) = one.page {
                    a.place href=(format!("{path}?{}={page}", if book { "chapter" } else { "page" })) rel="nofollow" {
                        (icon(Icon::Page)) (shell.pick("第 N 页", "Page N").replace('N', &page.to_string()))
                    }
                }
                @if one.resolved { span.badge-quiet { (icon(Icon::Check)) (shell.pick("已解决", "settled")) } }
            }
            p.comment-text { (one.words) }
            @for (by, ms, words) in &one.answers {
                div.answer {
                    p.comment-head { strong { (by) } time datetime=(rfc3339(*ms)) { (shell.lang.minute(*ms, &shell.zone)) } }
                    p.comment-text { (words) }
                }
            }
            div.comment-tools {
                form method="post" action=(action) {
                    (shell.csrf_field())
                    input type="hidden" name="comment" value=(one.id);
                    @if one.resolved { button.text-button type="submit" name="action" value="reopen" { (shell.pick("重新打开", "Reopen")) } }
                    @else { button.text-button type="submit" name="action" value="resolve" { (shell.pick("标为已解决", "Settle")) } }
                }
                details.reply {
                    summary.text-button { (shell.pick("回复", "Answer")) }
                    form.form method="post" action=(action) {
                        (shell.csrf_field())
                        input type="hidden" name="answers" value=(one.id);
                        div.field {
                            label.unseen for=(format!("r-{}", one.id)) { (shell.pick("回复", "Answer")) }
                            textarea id=(format!("r-{}", one.id)) name="words" rows="2" maxlength="4000" required {}
                        }
                        button.button.quiet type="submit" name="action" value="comment" { (shell.pick("回复", "Answer")) }
                    }
                }
            }
        }
    }
}

/// Withdrawing with a reason, at once; the reason is chosen already, so that it is one click.
pub(super) fn withdraw(shell: &Shell, action: &str) -> Markup {
    let reasons = [
        ("内容有误", "Something in it is wrong"),
        ("涉嫌侵权", "It may infringe a copyright"),
        ("涉及隐私", "It shows somebody against their will"),
        ("违法或有害", "It is illegal or harmful"),
        ("其他", "Something else"),
    ];
    html! {
        section.card.urgent {
            h2 { (shell.pick("紧急下架", "Withdraw at once")) }
            p.hint { (shell.pick("十秒内，页面、播放、搜索里都看不到它。作者会看到理由，可以申诉。", "Within ten seconds it is gone from pages, players and searches. The author reads the reason and may appeal.")) }
            form.form method="post" action=(action) {
                (shell.csrf_field())
                div.field {
                    label for="withdraw-reason" { (shell.pick("理由", "Reason")) }
                    select id="withdraw-reason" name="reason" {
                        @for (zh, en) in reasons { option value=(shell.pick(zh, en)) { (shell.pick(zh, en)) } }
                    }
                }
                div.field {
                    label for="withdraw-words" { (shell.pick("补充说明（可不填）", "More (may be left out)")) }
                    input id="withdraw-words" name="words" maxlength="1000";
                }
                button.button.bad type="submit" name="action" value="withdraw" { (shell.pick("立即下架", "Withdraw now")) }
            }
        }
    }
}
