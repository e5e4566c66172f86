//! One resource in the studio: its metadata, poster, captions, and what can be done with it.

use maud::{Markup, html};

use super::{
    Shell,
    duplicates::{AlikeHint, alike_hints},
    icon::{Icon, icon},
    layout::{Page, document},
    particulars_form::groups,
    review::{VersionView, steps, withdraw},
    studio::{ProcessingView, StepView, percent, processing},
    words::{clock, kind_word, size, term_word},
};
use crate::catalogue::{AUDIENCES, Kind, LANGUAGES, LICENCES, Particulars, Stage, TOPICS, Term};

/// What the page of one resource in the studio shows.
#[derive(Clone, Debug)]
pub struct EditView {
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// The name of its library.
    pub library_name: String,
    /// Name of the file as uploaded.
    pub file_name: String,
    /// Size of the source, in bytes.
    pub size_bytes: u64,
    /// How far it has come.
    pub state: ProcessingView,
    /// What is made of it, as a sentence, while it is made.
    pub plan: Option<String>,
    /// What the pipeline does, in order; may be empty.
    pub steps: Vec<StepView>,
    /// Sentences about what was left out; may be empty.
    pub warnings: Vec<String>,
    /// What is much the same, the most alike first.
    pub alike: Vec<AlikeHint>,
    /// A sentence after a form was sent, such as `已保存`.
    pub saved: Option<String>,
    /// Why a form was refused: name of the field, sentence.
    pub refusals: Vec<(String, String)>,
    /// As in the form: the title.
    pub title: String,
    /// As in the form: plain text.
    pub description: String,
    /// As in the form: BCP 47, or empty.
    pub language: String,
    /// As in the form: who made it.
    pub author: String,
    /// As in the form: SPDX id or words, or empty.
    pub licence: String,
    /// As in the form: codes.
    pub topics: Vec<String>,
    /// As in the form: codes.
    pub audiences: Vec<String>,
    /// As in the form: what else is known.
    pub particulars: Particulars,
    /// Codes and names of divisions that are offered.
    pub divisions: Vec<(String, String)>,
    /// Pictures to choose the poster from; empty for kinds without.
    pub posters: Vec<PosterChoice>,
    /// Captions there are.
    pub captions: Vec<CaptionsRow>,
    /// How far recognising speech is: a sentence, and whether it goes on.
    pub recognition: Option<(String, bool)>,
    /// Speech can be recognised.
    pub may_recognise: bool,
    /// The visitor may publish, withdraw and delete.
    pub may_publish: bool,
    /// Where it is in its library's review.
    pub review: EditReview,
}

/// Where a resource is in its library's review, for who edits it.
#[derive(Clone, Debug, Default)]
pub struct EditReview {
    /// It can be handed in, rather than published.
    pub hand_in: bool,
    /// It can be published.
    pub publish: bool,
    /// It can be taken back.
    pub take_back: bool,
    /// There is something to appeal from.
    pub appeal: bool,
    /// Withdrawing it needs a reason: it is somebody else's.
    pub reason_needed: bool,
    /// What is published is edited by handing in a new version.
    pub edits_are_reviewed: bool,
    /// The last version that was handed in.
    pub version: Option<VersionView>,
    /// Comments that are not settled.
    pub comments: usize,
    /// It was withdrawn: by whom and why.
    pub withdrawn: Option<String>,
    /// What became of appeals, in sentences.
    pub appeals: Vec<String>,
}

/// A picture that can be the poster.
#[derive(Clone, Debug)]
pub struct PosterChoice {
    /// The value of the field `poster`.
    pub value: String,
    /// Its URL, ticket prefix included.
    pub src: String,
    /// Where in the video it is from, in milliseconds.
    pub time_ms: Option<u64>,
    /// It is the poster now.
    pub on: bool,
}

/// Captions in one language.
#[derive(Clone, Debug)]
pub struct CaptionsRow {
    /// Name in URLs, the value of the button `remove`.
    pub name: String,
    /// As shown.
    pub label: String,
    /// URL of the WebVTT, ticket prefix included.
    pub href: String,
    /// The page on which they are edited.
    pub edit_href: String,
}

/// One resource in the studio.
#[must_use]
pub fn edit(shell: &Shell, view: &EditView) -> Markup {
    let action = format!("/studio/resources/{}", view.id);
    let body = html! {
        div.wrap.edit data-resource=(view.id) data-stage=(view.state.stage.as_str()) {
            (head(shell, view))
            @if let Some(saved) = &view.saved { p.notice.good role="status" { (icon(Icon::Check)) (saved) } }
            div.edit-layout {
                // First in the text too: what is parsed later must not push down what is shown.
                aside.edit-side { (state(shell, view, &action)) (in_review(shell, view, &action)) }
                div.edit-main {
                    (details(shell, view, &action))
                    @if view.posters.len() > 1 && view.state.stage != Stage::Submitted { (posters(shell, view, &action)) }
                    @if matches!(view.kind, Kind::Video | Kind::Audio) { (captions(shell, view, &action)) }
                }
            }
        }
    };
    document(
        shell,
        &Page { scripts: vec![&shell.assets.studio], ..Page::plain(&view.title, "studio", body) },
    )
}

fn head(shell: &Shell, view: &EditView) -> Markup {
    html! {
        header.page-head {
            p.crumbs { a href="/studio" { (shell.pick("工作室", "Studio")) } }
            h1 { (view.title) }
            p.tile-facts {
                span { (view.library_name) } span { (kind_word(shell.lang, view.kind)) }
                span { (view.file_name) } span { (size(view.size_bytes)) }
            }
        }
    }
}

fn state(shell: &Shell, view: &EditView, action: &str) -> Markup {
    let stage = view.state.stage;
    html! {
        section.card aria-label=(shell.pick("状态", "State")) {
            (processing(shell, &view.state))
            div data-steps {
                @if let Some(plan) = &view.plan { p.hint { (plan) } }
                @if !view.steps.is_empty() {
                    ul.steps {
                        @for step in &view.steps {
                            li.done[step.progress >= 1.0] {
                                span { (step.label) }
                                span.number { @if step.progress >= 1.0 { (icon(Icon::Check)) } @else { (percent(step.progress)) "%" } }
                            }
                        }
                    }
                }
            }
            @for warning in &view.warnings { p.notice { (warning) } }
            (alike_hints(shell, view.kind, &view.alike))
            form.actions method="post" action=(action) {
                (shell.csrf_field())
                @if view.review.hand_in { (button("publish", "button", shell.pick("送审", "Hand in"))) }
                @if view.may_publish && view.review.publish { (button("publish", "button", shell.pick("发布", "Publish"))) }
                @if view.review.take_back { (button("take-back", "button quiet", shell.pick("撤回送审", "Take back"))) }
                @if stage == Stage::Processing {
                    (button("cancel", "button quiet", shell.pick("取消处理", "Cancel processing")))
                }
                @if stage == Stage::Failed { (button("retry", "button", shell.pick("再试一次", "Try again"))) }
                @if view.state.playable {
                    a.button.quiet href=(format!("/resources/{}", view.id)) { (shell.pick("看看效果", "View")) }
                }
                @if view.may_publish && stage == Stage::Published && !view.review.reason_needed {
                    (button("withdraw", "button quiet", shell.pick("下架", "Withdraw")))
                }
            }
            @if view.may_publish && stage == Stage::Published && view.review.reason_needed {
                details.danger {
                    summary { (shell.pick("下架", "Withdraw")) }
                    (withdraw(shell, action))
                }
            }
            @if view.may_publish { (delete(shell, action)) }
        }
    }
}

/// Who has it, until when, what was returned and why.
fn in_review(shell: &Shell, view: &EditView, action: &str) -> Markup {
    let review = &view.review;
    let nothing = review.version.is_none()
        && review.withdrawn.is_none()
        && review.appeals.is_empty()
        && review.comments == 0;
    html! {
        @if !nothing {
            section.card.review-card aria-label=(shell.pick("审核", "Review")) {
                @if let Some(withdrawn) = &review.withdrawn { p.notice.bad { (withdrawn) } }
                @if let Some(version) = &review.version {
                    header.version-head {
                        h2 { (shell.pick("第 N 次送审", "Version N").replace('N', &version.number.to_string())) }
                        strong.stage data-stage=(version.state) { (version.word) }
                    }
                    (steps(shell, &version.steps))
                }
                @for says in &review.appeals { p.hint { (says) } }
                @if review.comments > 0 {
                    p.hint { (shell.pick("有 N 条批注还没解决。", "N comments are not settled.").replace('N', &review.comments.to_string())) }
                }
                a.button.quiet href=(format!("/review/{}", view.id)) { (shell.pick("看批注和审核记录", "Comments and history")) }
                @if review.appeal {
                    details.reply {
                        summary.text-button { (shell.pick("不服，向上一级申诉", "Appeal to the level above")) }
                        form.form method="post" action=(action) {
                            (shell.csrf_field())
                            div.field {
                                label for="appeal-words" { (shell.pick("申诉理由", "Why")) }
                                textarea id="appeal-words" name="words" rows="3" maxlength="4000" required {}
                            }
                            (button("appeal", "button quiet", shell.pick("提交申诉", "Appeal")))
                        }
                    }
                }
            }
        }
    }
}

fn button(value: &str, class: &str, label: &str) -> Markup {
    html! { button class=(class) type="submit" name="action" value=(value) { (label) } }
}

/// Deleting takes two steps, with scripts or without.
fn delete(shell: &Shell, action: &str) -> Markup {
    html! {
        details.danger {
            summary { (shell.pick("删除这个资源", "Delete this resource")) }
            p { (shell.pick("删除后不能恢复，公开的地址会立即失效。只想暂时不公开，请用“下架”。", "This cannot be undone, and public links end at once. To hide it for a time, withdraw it.")) }
            form method="post" action=(action) {
                (shell.csrf_field())
                (button("delete", "button bad", shell.pick("确定删除", "Delete for good")))
            }
        }
    }
}

fn details(shell: &Shell, view: &EditView, action: &str) -> Markup {
    let lang = shell.lang;
    html! {
        form.form.card method="post" action=(action) data-edit {
            h2 { (lang.pick("说明", "About")) }
            @if view.state.stage != Stage::Submitted {
                p.hint { a href=(format!("{action}/short")) { (lang.pick("只想填几项？用一分钟的简表", "In a hurry? The form of one minute")) } }
            }
            @if view.review.edits_are_reviewed {
                p.hint { (lang.pick("这个资源已经发布。保存的修改要重新送审，审核通过以前，大家看到的还是现在的样子。", "This is published. What you save is handed in as a new version; until it is accepted, everybody sees it as it is now.")) }
            }
            @if view.state.stage == Stage::Submitted {
                p.hint { (lang.pick("正在审核，不能修改。要改，请先撤回送审。", "It is in review and cannot be changed. Take it back first.")) }
            }
            (shell.csrf_field())
            (field(view, "title", lang.pick("标题", "Title"), &|id, refusal| html! {
                input id=(id) name="title" value=(view.title) required maxlength="1024" aria-invalid=[refusal.map(|_| "true")] aria-describedby=[refusal];
            }))
            (field(view, "description", lang.pick("简介", "Description"), &|id, refusal| html! {
                textarea id=(id) name="description" rows="5" maxlength="20000" aria-invalid=[refusal.map(|_| "true")] aria-describedby=[refusal] { (view.description) }
            }))
            div.field-pair {
                (field(view, "author", lang.pick("作者", "Author"), &|id, refusal| html! {
                    input id=(id) name="author" value=(view.author) maxlength="1024" aria-invalid=[refusal.map(|_| "true")] aria-describedby=[refusal];
                }))
                (field(view, "language", lang.pick("语言", "Language"), &|id, refusal| select(shell, id, "language", LANGUAGES, &view.language, refusal)))
            }
            (field(view, "licence", lang.pick("许可", "Licence"), &|id, refusal| select(shell, id, "licence", LICENCES, &view.licence, refusal)))
            (choices(shell, view, "topics", lang.pick("主题", "Topics"), TOPICS, &view.topics))
            (choices(shell, view, "audiences", lang.pick("适合谁学", "Audiences"), AUDIENCES, &view.audiences))
            (groups(shell, view))
            @if view.state.stage != Stage::Submitted {
                p.form-end { (button("save", "button", lang.pick("保存", "Save"))) }
            }
        }
    }
}

/// A labelled control; `control` is told its id and, when it was refused, the id of the sentence about it.
pub(super) fn field(
    view: &EditView,
    name: &str,
    label: &str,
    control: &dyn Fn(&str, Option<&str>) -> Markup,
) -> Markup {
    let id = format!("edit-{name}");
    let about = refused(view, name).map(|_| refusal_id(name));
    html! {
        div.field {
            label for=(id) { (label) }
            (control(&id, about.as_deref()))
            (refusal(view, name))
        }
    }
}

/// Why `name` was refused.
pub(super) fn refusal(view: &EditView, name: &str) -> Markup {
    html! { @if let Some(says) = refused(view, name) { p.refusal role="alert" id=(refusal_id(name)) { (says) } } }
}

fn refused<'a>(view: &'a EditView, name: &str) -> Option<&'a str> {
    view.refusals.iter().find(|(field, _)| field == name).map(|(_, says)| says.as_str())
}

fn refusal_id(name: &str) -> String {
    format!("refused-{name}")
}

pub(super) fn select(
    shell: &Shell,
    id: &str,
    name: &str,
    terms: &'static [Term],
    chosen: &str,
    refusal: Option<&str>,
) -> Markup {
    html! {
        select id=(id) name=(name) aria-invalid=[refusal.map(|_| "true")] aria-describedby=[refusal] {
            option value="" selected[chosen.is_empty()] { (shell.pick("未说明", "Not stated")) }
            @for term in terms {
                option value=(term.code) selected[term.code == chosen] { (term_word(terms, term.code, shell.lang)) }
            }
            @if !chosen.is_empty() && !terms.iter().any(|term| term.code == chosen) {
                option value=(chosen) selected { (chosen) }
            }
        }
    }
}

/// A choice that is taken or not.
pub(super) fn choice(name: &str, value: &str, on: bool, label: &str) -> Markup {
    html! {
        label.choice {
            input type="checkbox" name=(name) value=(value) checked[on];
            span { (label) }
        }
    }
}

fn choices(
    shell: &Shell,
    view: &EditView,
    name: &str,
    label: &str,
    terms: &'static [Term],
    chosen: &[String],
) -> Markup {
    html! {
        fieldset.choices {
            legend { (label) }
            @for term in terms {
                (choice(name, term.code, chosen.iter().any(|code| code == term.code), term_word(terms, term.code, shell.lang)))
            }
            (refusal(view, name))
        }
    }
}

fn posters(shell: &Shell, view: &EditView, action: &str) -> Markup {
    html! {
        form.form.card method="post" action=(action) {
            (shell.csrf_field())
            fieldset.posters {
                legend { h2 { (shell.pick("封面", "Poster")) } }
                (refusal(view, "poster"))
                @for (at, choice) in view.posters.iter().enumerate() {
                    label.poster-choice {
                        input.unseen type="radio" name="poster" value=(choice.value) checked[choice.on];
                        img src=(choice.src) width="320" height="180" loading="lazy"
                            alt=(format!("{} {}", shell.pick("封面", "Poster"), at + 1));
                        @if let Some(ms) = choice.time_ms { span.badge { (clock(ms)) } }
                    }
                }
            }
            p.form-end { (button("poster", "button quiet", shell.pick("用这张作封面", "Use this poster"))) }
        }
    }
}

fn captions(shell: &Shell, view: &EditView, action: &str) -> Markup {
    let to = format!("{action}/captions");
    html! {
        section.card.captions {
            h2 { (shell.pick("字幕", "Captions")) }
            @if view.captions.is_empty() {
                p.hint { (shell.pick("加上字幕，听不清的人能看懂，说过的每句话也能搜到。", "With captions everybody can follow, and every sentence can be searched.")) }
            } @else {
                form method="post" action=(to) enctype="multipart/form-data" {
                    (shell.csrf_field())
                    ul.caption-rows {
                        @for one in &view.captions {
                            li {
                                span.caption-name { (icon(Icon::Text)) (one.label) }
                                a.text-button href=(one.edit_href) aria-label=(format!("{} {}", shell.pick("编辑", "Edit"), one.label)) { (shell.pick("编辑", "Edit")) }
                                a.text-button href=(one.href) download aria-label=(format!("{} {}", shell.pick("下载", "Download"), one.label)) { (shell.pick("下载", "Download")) }
                                button.text-button type="submit" name="remove" value=(one.name)
                                    aria-label=(format!("{} {}", shell.pick("移除", "Remove"), one.label)) { (shell.pick("移除", "Remove")) }
                            }
                        }
                    }
                }
            }
            @if let Some((says, goes_on)) = &view.recognition {
                p.hint role="status" data-listening[*goes_on] { (says) }
            }
            @if view.may_recognise {
                form method="post" action=(action) {
                    (shell.csrf_field())
                    (button("recognise", "button quiet", shell.pick("识别语音，自动生成字幕", "Recognise speech for captions")))
                }
            }
            @if view.state.playable {
                form.form.caption-new method="get" action=(to) {
                    div.field {
                        label for="captions-new" { (shell.pick("边看边写字幕", "Write captions while watching")) }
                        div.caption-controls {
                            select id="captions-new" name="language" {
                                @for term in LANGUAGES { option value=(term.code) { (term_word(LANGUAGES, term.code, shell.lang)) } }
                            }
                            button.button.quiet type="submit" { (shell.pick("打开字幕编辑器", "Open the editor")) }
                        }
                    }
                }
            }
            form.form.caption-add method="post" action=(to) enctype="multipart/form-data" {
                (shell.csrf_field())
                div.field-pair {
                    div.field {
                        label for="captions-file" { (shell.pick("字幕文件（.srt、.vtt、.ass）", "File (.srt, .vtt, .ass)")) }
                        input id="captions-file" type="file" name="file" accept=".srt,.vtt,.ass,.ssa" required;
                    }
                    div.field {
                        label for="captions-language" { (shell.pick("语言", "Language")) }
                        select id="captions-language" name="language" required {
                            @for term in LANGUAGES { option value=(term.code) { (term_word(LANGUAGES, term.code, shell.lang)) } }
                        }
                    }
                }
                p.form-end { button.button.quiet type="submit" name="action" value="add" { (shell.pick("添加字幕", "Add captions")) } }
            }
        }
    }
}
