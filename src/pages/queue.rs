//! What waits for somebody: reviews, complaints, appeals; and the chain of a library.

use maud::{Markup, html};

use super::{
    DelegationsView, Paging, Shell,
    delegations::delegations,
    icon::{Icon, icon},
    layout::{Page, document},
    paging::paging,
    words::{kind_word, rfc3339},
};
use crate::catalogue::Kind;

/// Which of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueTab {
    /// What waits for the visitor.
    Mine,
    /// All that is open where the visitor reads.
    All,
    /// Complaints.
    Complaints,
    /// Appeals.
    Appeals,
}

/// A list of what waits.
#[derive(Clone, Debug)]
pub struct QueueView {
    /// Which one.
    pub tab: QueueTab,
    /// The tabs that the visitor has, with how many wait where that is known.
    pub tabs: Vec<(QueueTab, Option<usize>)>,
    /// Libraries to choose from: slug and name.
    pub libraries: Vec<(String, String)>,
    /// The slug chosen; empty: all.
    pub library: String,
    /// What is searched for.
    pub query: String,
    /// What is listed.
    pub items: QueueItems,
    /// How many there are in all.
    pub total: usize,
    /// Where they are as CSV.
    pub export: Option<String>,
    /// Where in the list this page is.
    pub paging: Paging,
    /// A sentence after a form was sent.
    pub saved: Option<String>,
    /// Why a form was refused.
    pub refusal: Option<String>,
}

/// What is listed.
#[derive(Clone, Debug)]
pub enum QueueItems {
    /// Versions in review.
    Reviews(Vec<OpenReview>),
    /// Complaints.
    Complaints(Vec<OpenComplaint>),
    /// Appeals.
    Appeals(Vec<OpenAppeal>),
}

/// A version in review.
#[derive(Clone, Debug)]
pub struct OpenReview {
    /// The resource's id.
    pub resource: String,
    /// Its title.
    pub title: String,
    /// What it is.
    pub kind: Option<Kind>,
    /// The name of its library.
    pub library: String,
    /// The version.
    pub version: i64,
    /// The name of the step that has it, its number from 1, and how many there are.
    pub step: (String, usize, usize),
    /// Who decides.
    pub who: String,
    /// It waits for the visitor.
    pub mine: bool,
    /// Unix milliseconds.
    pub due_ms: i64,
    /// That time is over.
    pub overdue: bool,
    /// Name of who handed it in.
    pub by: String,
}

/// A complaint.
#[derive(Clone, Debug)]
pub struct OpenComplaint {
    /// Case number.
    pub number: String,
    /// The resource's id.
    pub resource: String,
    /// Its title.
    pub title: String,
    /// Why, as a word.
    pub reason: String,
    /// In the person's own words.
    pub words: String,
    /// How to reach the person.
    pub contact: String,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// open, upheld or rejected
    pub state: &'static str,
    /// The same as a word.
    pub word: String,
    /// What was answered.
    pub answer: String,
}

/// An appeal.
#[derive(Clone, Debug)]
pub struct OpenAppeal {
    /// Its id.
    pub id: String,
    /// The resource's id.
    pub resource: String,
    /// Its title.
    pub title: String,
    /// The name of its library.
    pub library: String,
    /// From a withdrawal; else from a return.
    pub withdrawal: bool,
    /// Why.
    pub words: String,
    /// Unix milliseconds.
    pub at_ms: i64,
}

/// A list of what waits.
#[must_use]
pub fn queue(shell: &Shell, view: &QueueView) -> Markup {
    let title = shell.pick("审核", "Review");
    let body = html! {
        div.wrap.queue {
            header.page-head { h1 { (title) } }
            @if let Some(saved) = &view.saved { p.notice.good role="status" { (icon(Icon::Check)) (saved) } }
            @if let Some(refusal) = &view.refusal { p.notice.bad role="alert" { (refusal) } }
            nav.tabs aria-label=(shell.pick("审核", "Review")) {
                @for (tab, count) in &view.tabs {
                    a href=(address(*tab)) aria-current=[(*tab == view.tab).then_some("page")] {
                        (tab_word(shell, *tab)) @if let Some(count) = count { span.number { (count) } }
                    }
                }
            }
            @if view.tab != QueueTab::Appeals { (narrow(shell, view)) }
            @if view.total > 0 {
                div.queue-head {
                    span.hint { (shell.lang.count(view.total as u64, "件", "case", "cases")) }
                    @if let Some(export) = &view.export {
                        a.text-button href=(export) download="" { (shell.pick("导出表格（CSV）", "Export (CSV)")) }
                    }
                }
            }
            @match &view.items {
                QueueItems::Reviews(all) => { (list(shell, all.iter().map(|one| review_row(shell, one)).collect())) }
                QueueItems::Complaints(all) => { (list(shell, all.iter().map(|one| complaint_row(shell, one)).collect())) }
                QueueItems::Appeals(all) => { (list(shell, all.iter().map(|one| appeal_row(shell, one)).collect())) }
            }
            (paging(shell, &view.paging))
            @if view.tab == QueueTab::All { (chains(shell, view)) }
        }
    };
    document(shell, &Page::plain(title, "queue-page", body))
}

/// Leads to the chains of the libraries.
fn chains(shell: &Shell, view: &QueueView) -> Markup {
    html! {
        details.chains {
            summary.text-button { (shell.pick("各资源库的审核步骤", "The chains of the libraries")) }
            ul { @for (slug, name) in &view.libraries { li { a href=(format!("/review/libraries/{slug}")) { (name) } } } }
        }
    }
}

fn address(tab: QueueTab) -> &'static str {
    match tab {
        QueueTab::Mine => "/review",
        QueueTab::All => "/review?all=1",
        QueueTab::Complaints => "/review/complaints",
        QueueTab::Appeals => "/review/appeals",
    }
}

fn tab_word(shell: &Shell, tab: QueueTab) -> &'static str {
    let lang = shell.lang;
    match tab {
        QueueTab::Mine => lang.pick("等我审", "Waiting for me"),
        QueueTab::All => lang.pick("全部在审", "All in review"),
        QueueTab::Complaints => lang.pick("投诉", "Complaints"),
        QueueTab::Appeals => lang.pick("申诉", "Appeals"),
    }
}

fn narrow(shell: &Shell, view: &QueueView) -> Markup {
    let action = address(view.tab).split('?').next().unwrap_or_default();
    html! {
        form.queue-narrow method="get" action=(action) role="search" {
            @if view.tab == QueueTab::All { input type="hidden" name="all" value="1"; }
            div.field {
                label.unseen for="queue-q" { (shell.pick("查找", "Find")) }
                input id="queue-q" type="search" name="q" value=(view.query) maxlength="200" placeholder=(shell.pick("查找标题或姓名", "Find a title or name"));
            }
            @if view.libraries.len() > 1 {
                div.field {
                    label.unseen for="queue-library" { (shell.pick("资源库", "Library")) }
                    select id="queue-library" name="library" {
                        option value="" { (shell.pick("所有资源库", "All libraries")) }
                        @for (slug, name) in &view.libraries { option value=(slug) selected[*slug == view.library] { (name) } }
                    }
                }
            }
            button.button.quiet type="submit" { (icon(Icon::Search)) (shell.pick("查找", "Find")) }
        }
    }
}

fn list(shell: &Shell, rows: Vec<Markup>) -> Markup {
    html! {
        @if rows.is_empty() {
            section.empty { h2 { (shell.pick("没有要处理的", "Nothing waits here")) } }
        } @else {
            ol.queue-rows { @for row in rows { li.card { (row) } } }
        }
    }
}

fn review_row(shell: &Shell, one: &OpenReview) -> Markup {
    let (step, number, all) = &one.step;
    html! {
        div.queue-row {
            div {
                h2 { a href=(format!("/review/{}", one.resource)) { (one.title) } }
                p.tile-facts {
                    span { (one.library) }
                    @if let Some(kind) = one.kind { span { (kind_word(shell.lang, kind)) } }
                    span { (one.by) }
                    @if one.version > 1 { span { (shell.pick("第 N 次送审", "Version N").replace('N', &one.version.to_string())) } }
                }
                p.hint { (number) "/" (all) " " (step) " · " (one.who) }
            }
            div.queue-when {
                span.due data-overdue[one.overdue] {
                    @if one.overdue { (shell.pick("已超期", "Overdue")) } @else { (shell.pick("期限", "Due")) }
                    " " time datetime=(rfc3339(one.due_ms)) { (shell.lang.minute(one.due_ms, &shell.zone)) }
                }
                @if one.mine { a.button href=(format!("/review/{}", one.resource)) { (shell.pick("去审", "Review")) } }
            }
        }
    }
}

fn complaint_row(shell: &Shell, one: &OpenComplaint) -> Markup {
    html! {
        div.case {
            header.version-head {
                h2 { a href=(format!("/review/{}", one.resource)) { (one.title) } }
                strong.stage data-stage=(one.state) { (one.word) }
            }
            p.tile-facts {
                a href=(format!("/complaints/{}", one.number)) { (one.number) }
                span { (one.reason) }
                time datetime=(rfc3339(one.at_ms)) { (shell.lang.minute(one.at_ms, &shell.zone)) }
                @if !one.contact.is_empty() { span { (shell.pick("联系：", "Contact: ")) (one.contact) } }
            }
            blockquote { (one.words) }
            @if one.state == "open" {
                (answer(shell, "/review/complaints", &one.number, (
                    shell.pick("成立，下架资源", "Upheld: withdraw it"),
                    shell.pick("不成立", "Rejected"),
                    shell.pick("答复（投诉人凭编号能看到）", "Answer (read by whoever has the number)"),
                )))
            } @else { p.hint { (shell.pick("答复：", "Answer: ")) (one.answer) } }
        }
    }
}

fn appeal_row(shell: &Shell, one: &OpenAppeal) -> Markup {
    let from = if one.withdrawal {
        shell.pick("不服下架", "from a withdrawal")
    } else {
        shell.pick("不服退回", "from a return")
    };
    html! {
        div.case {
            h2 { a href=(format!("/review/{}", one.resource)) { (one.title) } }
            p.tile-facts {
                span { (one.library) } span { (from) }
                time datetime=(rfc3339(one.at_ms)) { (shell.lang.minute(one.at_ms, &shell.zone)) }
            }
            blockquote { (one.words) }
            (answer(shell, "/review/appeals", &one.id, (
                if one.withdrawal { shell.pick("申诉成立，恢复公开", "Upheld: publish it again") } else { shell.pick("申诉成立，继续往下审", "Upheld: let it go on") },
                shell.pick("维持原决定", "Rejected"),
                shell.pick("理由（作者能看到）", "Reason (read by the author)"),
            )))
        }
    }
}

fn answer(shell: &Shell, action: &str, of: &str, (yes, no, label): (&str, &str, &str)) -> Markup {
    let id = format!("answer-{of}");
    html! {
        form.form method="post" action=(action) {
            (shell.csrf_field())
            input type="hidden" name="of" value=(of);
            div.field {
                label for=(id) { (label) }
                textarea id=(id) name="answer" rows="2" maxlength="4000" required {}
            }
            div.actions {
                button.button type="submit" name="verdict" value="upheld" { (yes) }
                button.button.quiet type="submit" name="verdict" value="rejected" { (no) }
            }
        }
    }
}

/// The chain of a library, to be set.
#[derive(Clone, Debug)]
pub struct ChainFormView {
    /// The library's slug.
    pub slug: String,
    /// The library's name.
    pub name: String,
    /// Its steps: name, value of who decides, login name, days. As many as there may be; an empty
    /// name is no step.
    pub steps: Vec<(String, String, String, i64)>,
    /// Who may decide: value and words; `account` is a person.
    pub who: Vec<(String, String)>,
    /// The visitor may set it.
    pub may_set: bool,
    /// Who stands in for somebody.
    pub delegations: DelegationsView,
    /// A sentence after it was saved.
    pub saved: bool,
    /// Why it was not.
    pub refusal: Option<String>,
}

/// The page on which a chain is set.
#[must_use]
pub fn chain_form(shell: &Shell, view: &ChainFormView) -> Markup {
    let title = format!("{}{}", shell.pick("审核步骤：", "Chain of review: "), view.name);
    let body = html! {
        div.wrap.chain-form {
            header.page-head {
                p.crumbs { a href="/review" { (shell.pick("审核", "Review")) } }
                h1 { (title) }
                p.hint { (shell.pick("送审的资源按顺序经过这些步骤，每步由不同的人审。名称留空就没有这一步；全部留空则不审核。", "What is handed in goes through these steps in order, each read by somebody else. A step without a name is none; without any, nothing is reviewed.")) }
            }
            @if view.saved { p.notice.good role="status" { (icon(Icon::Check)) (shell.pick("已保存，从下一次送审起有效。", "Saved; it holds for what is handed in from now on.")) } }
            @if let Some(refusal) = &view.refusal { p.notice.bad role="alert" { (refusal) } }
            form.form method="post" {
                (shell.csrf_field())
                fieldset.chain disabled[!view.may_set] {
                    legend.unseen { (title) }
                    @for (n, (name, who, account, days)) in view.steps.iter().enumerate() {
                        div.card.chain-step {
                            div.field {
                                label for=(format!("name-{n}")) { (n + 1) ". " (shell.pick("名称", "Name")) }
                                input id=(format!("name-{n}")) name="name" value=(name) maxlength="40" placeholder=(["一审", "二审", "三审", "", ""].get(n).copied().unwrap_or_default());
                            }
                            div.field {
                                label for=(format!("who-{n}")) { (shell.pick("谁来审", "Who")) }
                                select id=(format!("who-{n}")) name="who" {
                                    @for (value, words) in &view.who { option value=(value) selected[value == who] { (words) } }
                                }
                            }
                            div.field {
                                label for=(format!("account-{n}")) { (shell.pick("指定的人（用户名）", "That person (login name)")) }
                                input id=(format!("account-{n}")) name="account" value=(account) maxlength="100";
                            }
                            div.field {
                                label for=(format!("days-{n}")) { (shell.pick("期限（天）", "Days")) }
                                input id=(format!("days-{n}")) name="days" type="number" min="1" max="365" value=(days);
                            }
                        }
                    }
                }
                @if view.may_set { button.button type="submit" { (shell.pick("保存", "Save")) } }
                @else { p.notice { (shell.pick("步骤由所属机构和步骤里最高一级机构的管理员来设。", "Set by administrators of the owner and of the highest organisation that has a step.")) } }
            }
            (delegations(shell, &view.slug, &view.delegations))
        }
    };
    document(shell, &Page::plain(&title, "queue-page", body))
}
