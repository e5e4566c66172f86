//! Changes of many resources at once: tables that come and go, what is chosen in the studio's list,
//! and what would be or was done.

use maud::{Markup, html};

use super::{
    Shell,
    admin::{Notice, Option2},
    layout::{Page, document},
    words::term_word,
};
use crate::catalogue::{AUDIENCES, LANGUAGES, LICENCES, TOPICS, Term};

/// The page on which tables come and go.
#[derive(Clone, Debug, Default)]
pub struct TablesView {
    /// Libraries in which the visitor is an author: slug and name.
    pub libraries: Vec<Option2>,
    /// All of the net can be exported.
    pub whole: bool,
    /// Rows that are taken at most.
    pub max_rows: usize,
    /// Why a table was refused.
    pub notice: Notice,
    /// The last batches.
    pub batches: Vec<BatchLink>,
}

/// A batch in a list.
#[derive(Clone, Debug)]
pub struct BatchLink {
    /// Its address.
    pub href: String,
    /// What it is.
    pub label: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// How far it has come.
    pub state: &'static str,
}

/// What a batch would do or did.
#[derive(Clone, Debug, Default)]
pub struct BatchPage {
    /// Its address.
    pub here: String,
    /// Where all of it is as a table.
    pub report: String,
    /// Whence it is: the name of a table, or what is done.
    pub label: String,
    /// seen, applying or done
    pub state: &'static str,
    /// Counts: label, number, code of an outcome, chosen.
    pub counts: Vec<CountTab>,
    /// Rows read, and those that say what is so already.
    pub total: i64,
    /// As above.
    pub unchanged: i64,
    /// Rows that will be made.
    pub planned: i64,
    /// Of those, rows that go to a review.
    pub planned_for_review: i64,
    /// Sentences about all of it.
    pub notes: Vec<String>,
    /// Rows.
    pub rows: Vec<BatchPageRow>,
    /// Where more rows are.
    pub next: Option<String>,
}

/// How many rows have an outcome.
#[derive(Clone, Debug)]
pub struct CountTab {
    /// As shown.
    pub label: &'static str,
    /// How many.
    pub count: i64,
    /// Where they are.
    pub href: String,
    /// Chosen.
    pub on: bool,
}

/// A row of a batch.
#[derive(Clone, Debug)]
pub struct BatchPageRow {
    /// Its number.
    pub number: i64,
    /// Id of the resource; empty: there is none.
    pub resource: String,
    /// Its title, or how it was named.
    pub title: String,
    /// Code of the outcome.
    pub outcome: &'static str,
    /// It goes to a review.
    pub for_review: bool,
    /// Heading, before, after.
    pub changes: Vec<(String, String, String)>,
    /// Heading and sentence.
    pub problems: Vec<(String, String)>,
}

/// The form by which many are changed.
#[derive(Clone, Debug, Default)]
pub struct BulkView {
    /// Ids that were chosen; none: all of the list.
    pub ids: Vec<String>,
    /// The list: slug and stage.
    pub library: String,
    /// As above.
    pub stage: String,
    /// How many there are.
    pub count: i64,
    /// Titles of some.
    pub titles: Vec<String>,
    /// Why it was refused.
    pub notice: Notice,
}

fn frame(
    shell: &Shell,
    title: &str,
    class: &'static str,
    notice: &Notice,
    body: &Markup,
) -> Markup {
    let body = html! {
        div.wrap.tables {
            header.page-head {
                nav.crumbs aria-label=(shell.pick("位置", "Where")) {
                    a href="/studio" { (shell.pick("工作室", "Studio")) } span aria-hidden="true" { " › " }
                    @if class != "tables-page" {
                        a href="/studio/tables" { (shell.pick("表格", "Tables")) } span aria-hidden="true" { " › " }
                    }
                }
                h1 { (title) }
            }
            @if let Some(good) = &notice.good { p.notice.good role="status" { (good) } }
            @if let Some(bad) = &notice.bad { p.notice.bad role="alert" { (bad) } }
            (body)
        }
    };
    document(shell, &Page::plain(title, class, body))
}

/// Tables that come and go.
#[must_use]
pub fn tables(shell: &Shell, view: &TablesView) -> Markup {
    let all = |whole| match whole {
        true => shell.pick("全部资源库", "All libraries"),
        false => shell.pick("我的资源", "My resources"),
    };
    let body = html! {
        div.table-cards {
            section.card {
                h2 { (shell.pick("第一步：导出", "First: export")) }
                p.hint { (shell.pick("XLSX 里主题、人群、许可等可以从列表选，还有一页填写说明；CSV 适合程序处理。", "In XLSX topics, audiences and licences are chosen from lists, and a sheet explains it; CSV is for programs.")) }
                ul.exports {
                    li { (export(shell, "", all(view.whole))) }
                    @for (slug, name) in &view.libraries { li { (export(shell, slug, name)) } }
                }
            }
            section.card {
                h2 { (shell.pick("第二步：修改后导入", "Then: change it and import")) }
                p.hint {
                    (shell.pick("先检查：列出每一处改动和不能改的行，您确认后才会修改。一次最多 ", "It is checked first: every change is shown before it is made. At most "))
                    (view.max_rows) (shell.pick(" 行。", " rows."))
                }
                form.form action="/studio/tables" method="post" enctype="multipart/form-data" {
                    (shell.csrf_field())
                    div.field {
                        label for="table" { (shell.pick("表格（XLSX 或 CSV）", "Table (XLSX or CSV)")) }
                        input id="table" name="file" type="file" accept=".xlsx,.csv,text/csv" required;
                    }
                    label.choice {
                        input type="checkbox" name="overwrite" value="true";
                        span { (shell.pick("导出之后别人改过的，也按表格修改", "Also change what others changed since the export")) }
                    }
                    div.form-end { button.button type="submit" { (shell.pick("检查", "Check")) } }
                }
            }
        }
        @if !view.batches.is_empty() {
            section.lately {
                h2 { (shell.pick("最近的批量修改", "Lately")) }
                ul {
                    @for batch in &view.batches {
                        li {
                            a href=(batch.href) { (batch.label) }
                            span.hint { (shell.lang.minute(batch.created_ms, &shell.zone)) " · " (state_word(shell, batch.state)) }
                        }
                    }
                }
            }
        }
    };
    let title = shell.pick("用表格修改", "Change by table");
    frame(shell, title, "tables-page", &view.notice, &body)
}

fn export(shell: &Shell, slug: &str, name: &str) -> Markup {
    let href = |ending: &str| format!("/api/resources.{ending}?editable=true&library={slug}");
    html! {
        span.export-name { (name) }
        span.export-links {
            a.text-button href=(href("xlsx")) aria-label=(shell.pick("导出为 XLSX：", "Export as XLSX: ").to_owned() + name) { "XLSX" }
            a.text-button href=(href("csv")) aria-label=(shell.pick("导出为 CSV：", "Export as CSV: ").to_owned() + name) { "CSV" }
        }
    }
}

fn state_word<'a>(shell: &'a Shell, state: &str) -> &'a str {
    match state {
        "seen" => shell.pick("待确认", "to be confirmed"),
        "applying" => shell.pick("正在修改", "being made"),
        _ => shell.pick("已完成", "done"),
    }
}

fn outcome_word<'a>(shell: &'a Shell, outcome: &str) -> &'a str {
    match outcome {
        "planned" => shell.pick("将修改", "To be changed"),
        "refused" => shell.pick("不能修改", "Refused"),
        "done" => shell.pick("已修改", "Changed"),
        "handed_in" => shell.pick("已提交审核", "In review"),
        _ => shell.pick("没有成功", "Failed"),
    }
}

/// What a batch would do or did.
#[must_use]
pub fn batch(shell: &Shell, view: &BatchPage) -> Markup {
    let title = match view.state {
        "seen" => shell.pick("请确认要做的修改", "Confirm the changes"),
        "applying" => shell.pick("正在修改……", "Being changed …"),
        _ => shell.pick("修改结果", "What was changed"),
    };
    let body = html! {
        p.lead { (view.label) }
        ul.counts {
            li { span.hint { (shell.pick("共", "Rows")) } strong { (view.total) } }
            li { span.hint { (shell.pick("无变化", "Unchanged")) } strong { (view.unchanged) } }
            @for tab in &view.counts {
                li { a href=(tab.href) aria-current=[tab.on.then_some("page")] { span { (tab.label) } strong { (tab.count) } } }
            }
        }
        p { a.text-button href=(view.report) { (shell.pick("下载全部明细（CSV）", "All of it as CSV")) } }
        @for note in &view.notes { p.notice { (note) } }
        @if view.state == "applying" {
            p.notice role="status" { (shell.pick("可以离开这一页，修改会继续进行。", "It goes on if you leave this page.")) " " a href=(view.here) { (shell.pick("刷新", "Look again")) } }
        }
        @if view.state == "seen" { (confirm(shell, view)) }
        @if view.rows.is_empty() {
            section.empty { h2 { (shell.pick("没有要列出的行", "No rows to show")) } }
        } @else {
            ol.batch-rows { @for row in &view.rows { li value=(row.number) { (row_of(shell, row)) } } }
        }
        @if let Some(next) = &view.next {
            nav.paging { a.step rel="next" href=(next) { (shell.pick("下面的行", "More rows")) } }
        }
    };
    frame(shell, title, "batch-page", &Notice::default(), &body)
}

fn confirm(shell: &Shell, view: &BatchPage) -> Markup {
    html! {
        form.confirm-batch action=(view.here) method="post" {
            (shell.csrf_field())
            @if view.planned > 0 {
                p {
                    (shell.pick("现在什么都还没有改。确认后修改 ", "Nothing was changed yet. Confirming changes "))
                    strong { (view.planned) }
                    (shell.pick(" 个资源", " resources"))
                    @if view.planned_for_review > 0 {
                        (shell.pick("，其中 ", ", ")) (view.planned_for_review) (shell.pick(" 个先提交审核，通过后才生效", " of them by their library's review"))
                    }
                    (shell.pick("。不能修改的行会跳过。", ". Rows that are refused are left out."))
                }
                button.button type="submit" name="act" value="apply" { (shell.pick("确认修改", "Change them")) }
            } @else {
                p { (shell.pick("没有可以修改的。", "There is nothing to change.")) }
            }
            a.button.quiet href="/studio" { (shell.pick("不改了", "Leave it")) }
        }
    }
}

fn row_of(shell: &Shell, row: &BatchPageRow) -> Markup {
    html! {
        article.batch-row data-outcome=(row.outcome) {
            header {
                span.row-number { (shell.pick("第 ", "Row ")) (row.number) (shell.pick(" 行", "")) }
                @if row.resource.is_empty() { span.row-title { (row.title) } }
                @else { a.row-title href=(format!("/studio/resources/{}", row.resource)) { (row.title) } }
                span.outcome data-outcome=(row.outcome) {
                    @if row.outcome == "planned" && row.for_review { (shell.pick("将提交审核", "To be reviewed")) }
                    @else { (outcome_word(shell, row.outcome)) }
                }
            }
            @for (heading, sentence) in &row.problems {
                p.refusal { @if !heading.is_empty() { strong { (heading) } (shell.pick("：", ": ")) } (sentence) }
            }
            @if !row.changes.is_empty() {
                dl {
                    @for (heading, before, after) in &row.changes {
                        div {
                            dt { (heading) }
                            dd {
                                (value(shell, before, true)) span.turns aria-label=(shell.pick("改为", "becomes")) { " → " } (value(shell, after, false))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn value(shell: &Shell, text: &str, gone: bool) -> Markup {
    html! {
        @if text.is_empty() { span.none { (shell.pick("（空）", "(empty)")) } }
        @else if gone { del { (short(text)) } }
        @else { ins { (short(text)) } }
    }
}

/// The beginning of a long text.
fn short(text: &str) -> String {
    const SHOWN: usize = 160;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The form by which many are changed.
#[must_use]
pub fn bulk(shell: &Shell, view: &BulkView) -> Markup {
    let hidden = html! {
        (shell.csrf_field())
        @for id in &view.ids { input type="hidden" name="id" value=(id); }
        input type="hidden" name="library" value=(view.library);
        input type="hidden" name="stage" value=(view.stage);
    };
    let body = html! {
        section.card {
            p.lead {
                (shell.pick("选中 ", "")) strong { (view.count) } (shell.pick(" 个资源：", " resources: "))
                @for (at, title) in view.titles.iter().enumerate() { @if at > 0 { (shell.pick("、", ", ")) } (title) }
                @if view.count > view.titles.len() as i64 { (shell.pick("……", " …")) }
            }
        }
        form.form.card action="/studio/bulk" method="post" {
            (hidden)
            h2 { (shell.pick("修改信息", "Change what is said")) }
            p.hint { (shell.pick("没有填的不变。下一步先列出每一处改动，确认后才修改。", "What is left empty stays. Every change is shown before it is made.")) }
            (list(shell, "topics", shell.pick("主题", "Topics"), TOPICS))
            (list(shell, "audiences", shell.pick("适用人群", "Audiences"), AUDIENCES))
            div.field-pair {
                (pick(shell, "licence", shell.pick("许可", "Licence"), LICENCES))
                (pick(shell, "language", shell.pick("语言", "Language"), LANGUAGES))
            }
            div.field {
                label for="author" { (shell.pick("作者", "Author")) }
                input id="author" name="set.author";
            }
            div.form-end { button.button type="submit" name="act" value="edit" { (shell.pick("看看会改什么", "See what would change")) } }
        }
        div.table-cards {
            form.form.card action="/studio/bulk" method="post" {
                (hidden)
                h2 { (shell.pick("发布", "Publish")) }
                p.hint { (shell.pick("资源库有审核流程的，提交审核。", "Where a library has a review, they are handed in.")) }
                div.form-end { button.button.quiet type="submit" name="act" value="publish" { (shell.pick("看看会发布什么", "See what would be published")) } }
            }
            form.form.card action="/studio/bulk" method="post" {
                (hidden)
                h2 { (shell.pick("下架", "Withdraw")) }
                div.field {
                    label for="reason" { (shell.pick("理由（下架别人的资源必填）", "Reason (needed for what others uploaded)")) }
                    input id="reason" name="reason";
                }
                div.form-end { button.button.quiet type="submit" name="act" value="withdraw" { (shell.pick("看看会下架什么", "See what would be withdrawn")) } }
            }
        }
    };
    let title = shell.pick("批量修改", "Change many");
    frame(shell, title, "bulk-page", &view.notice, &body)
}

/// A field of several values: each can be added or taken away.
fn list(shell: &Shell, name: &str, label: &str, terms: &[Term]) -> Markup {
    html! {
        fieldset.bulk-list {
            legend { (label) }
            @for term in terms {
                div.bulk-term {
                    label for=(format!("{name}-{}", term.code)) { (term_word(terms, term.code, shell.lang)) }
                    select id=(format!("{name}-{}", term.code)) name=(format!("list.{name}")) {
                        option value="" { (shell.pick("不变", "as it is")) }
                        option value=(format!("add:{}", term.code)) { (shell.pick("加上", "add")) }
                        option value=(format!("remove:{}", term.code)) { (shell.pick("去掉", "take away")) }
                    }
                }
            }
        }
    }
}

fn pick(shell: &Shell, name: &str, label: &str, terms: &[Term]) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            select id=(name) name=(format!("set.{name}")) {
                option value="" { (shell.pick("不变", "as it is")) }
                @for term in terms { option value=(term.code) { (term_word(terms, term.code, shell.lang)) } }
            }
        }
    }
}
