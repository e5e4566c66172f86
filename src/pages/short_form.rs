//! The form of one minute: five things, with guesses to be confirmed.

use maud::{Markup, html};

use super::{
    Shell,
    icon::{Icon, icon},
    layout::{Page, document},
    studio::{ProcessingView, processing},
    words::{kind_word, size, term_word},
};
use crate::catalogue::{AUDIENCES, EVIDENCE, Kind, LANGUAGES, Stage, TOPICS, Term};

/// The kinds of evidence that the form of one minute offers; the full form has all.
const PLAIN_EVIDENCE: [(&str, &str, &str); 4] = [
    ("own", "我（们）自己做的", "Made by me or us"),
    ("commissioned", "请别人替我们做的", "Made by others for us"),
    ("permission", "别人的，有书面同意", "By others, who agreed in writing"),
    ("open-licence", "网上公开许可的", "Openly licensed"),
];

/// What the form shows.
#[derive(Clone, Debug)]
pub struct ShortFormView {
    /// Id of the resource.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// Name of the file as uploaded.
    pub file_name: String,
    /// Size of the source, in bytes.
    pub size_bytes: u64,
    /// How far it has come.
    pub state: ProcessingView,
    /// The poster's URL, ticket prefix included.
    pub poster: Option<String>,
    /// What the button does beside saving.
    pub then: ShortThen,
    /// The text of the file is not there yet: guesses are from its name alone.
    pub early: bool,
    /// A sentence after the form was sent.
    pub saved: Option<String>,
    /// Why the form was refused: name of the field, sentence.
    pub refusals: Vec<(String, String)>,
    /// The title.
    pub title: Offer<String>,
    /// Codes.
    pub topics: Offer<Vec<String>>,
    /// Codes.
    pub audiences: Offer<Vec<String>>,
    /// Who made it.
    pub author: Offer<String>,
    /// Code; empty: not said.
    pub evidence: String,
    /// Whether it is local.
    pub local: Offer<bool>,
    /// Where it comes from.
    pub origin: Offer<String>,
    /// Who hands it down.
    pub bearer: String,
    /// What it is, in sentences.
    pub description: Offer<String>,
    /// BCP 47, or empty.
    pub language: Offer<String>,
    /// The place that it is about.
    pub place: Offer<String>,
}

/// What the button does beside saving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShortThen {
    /// Nothing: it is published, or not ready, or in review.
    Save,
    /// Publishes it.
    Publish,
    /// Hands it in.
    HandIn,
}

/// A value that is kept, or one that is guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer<T> {
    /// What is shown.
    pub value: T,
    /// Nobody said so yet.
    pub guessed: bool,
}

/// The form of one minute.
#[must_use]
pub fn short_form(shell: &Shell, view: &ShortFormView) -> Markup {
    let action = format!("/studio/resources/{}/short", view.id);
    let submitted = view.state.stage == Stage::Submitted;
    let body = html! {
        div.wrap.short-form data-resource=(view.id) data-stage=(view.state.stage.as_str()) {
            header.page-head {
                p.crumbs { a href="/studio" { (shell.pick("工作室", "Studio")) } }
                h1 { (shell.pick("一分钟说明", "In one minute")) }
                p.tile-facts { span { (kind_word(shell.lang, view.kind)) } span { (view.file_name) } span { (size(view.size_bytes)) } }
            }
            @if let Some(saved) = &view.saved { (done(shell, view, saved)) }
            (processing(shell, &view.state))
            @if submitted {
                p.notice { (shell.pick("正在审核，不能修改。", "It is in review and cannot be changed.")) }
            } @else {
                form method="post" action=(action) {
                    (shell.csrf_field())
                    @if anything_guessed(view) {
                        p.hint.guess-note { (guess_mark(shell, true)) (shell.pick("带这个标记的是系统猜的，还没有保存。看一眼，不对就改，确认了才算数。", "What has this mark is guessed and not kept yet. Look, correct, confirm.")) }
                    }
                    @if view.early {
                        p.hint { (shell.pick("文件还在处理，现在只凭文件名猜。", "The file is still being processed: guesses are from its name alone. ")) a href=(action) { (shell.pick("处理完后重新猜", "Guess again")) } }
                    }
                    ol.short-questions {
                        li { (title(shell, view)) }
                        li { (chips(shell, view, "topics", ("讲的是什么", "What is it about?"), TOPICS, &view.topics)) }
                        li { (chips(shell, view, "audiences", ("给谁学", "For whom?"), AUDIENCES, &view.audiences)) }
                        li { (rights(shell, view)) }
                        li { (local(shell, view)) }
                    }
                    (rest(shell, view))
                    (buttons(shell, view))
                }
            }
            p.short-more { a href=(format!("/studio/resources/{}", view.id)) { (shell.pick("打开完整表单（封面、字幕、全部项目）", "The full form: poster, captions, everything")) } }
        }
    };
    document(
        shell,
        &Page {
            scripts: vec![&shell.assets.studio],
            ..Page::plain(shell.pick("一分钟说明", "In one minute"), "studio", body)
        },
    )
}

fn done(shell: &Shell, view: &ShortFormView, saved: &str) -> Markup {
    html! {
        div.notice.good role="status" {
            (icon(Icon::Check)) (saved)
            p.actions {
                @if view.state.playable { a.button.quiet href=(format!("/resources/{}", view.id)) { (shell.pick("看看效果", "View")) } }
                a.button.quiet href="/studio" { (shell.pick("再传一个", "Upload another")) }
            }
        }
    }
}

fn anything_guessed(view: &ShortFormView) -> bool {
    view.title.guessed
        || view.topics.guessed
        || view.audiences.guessed
        || view.author.guessed
        || view.local.guessed
        || view.description.guessed
        || view.language.guessed
        || view.place.guessed
}

/// The mark of what is guessed.
fn guess_mark(shell: &Shell, guessed: bool) -> Markup {
    html! { @if guessed { span.guess { (shell.pick("猜的", "guessed")) } } }
}

fn refused<'a>(view: &'a ShortFormView, name: &str) -> Option<&'a str> {
    view.refusals.iter().find(|(field, _)| field == name).map(|(_, says)| says.as_str())
}

fn refusal(view: &ShortFormView, name: &str) -> Markup {
    html! { @if let Some(says) = refused(view, name) { p.refusal role="alert" id=(format!("refused-{name}")) { (says) } } }
}

fn text(
    shell: &Shell,
    view: &ShortFormView,
    name: &str,
    label: &str,
    offer: &Offer<String>,
    (most, required): (u32, bool),
) -> Markup {
    let id = format!("short-{name}");
    let about = refused(view, name).map(|_| format!("refused-{name}"));
    html! {
        div.field {
            label for=(id) { (label) (guess_mark(shell, offer.guessed && !offer.value.is_empty())) }
            input id=(id) name=(name) value=(offer.value) maxlength=(most) required[required] autocomplete="off"
                aria-invalid=[about.as_ref().map(|_| "true")] aria-describedby=[about];
            (refusal(view, name))
        }
    }
}

fn title(shell: &Shell, view: &ShortFormView) -> Markup {
    html! {
        @if let Some(src) = &view.poster { img.short-poster src=(src) alt="" width="640" height="360"; }
        (text(shell, view, "title", shell.pick("叫什么名字", "What is it called?"), &view.title, (1024, true)))
    }
}

fn chips(
    shell: &Shell,
    view: &ShortFormView,
    name: &str,
    (zh, en): (&str, &str),
    terms: &'static [Term],
    offer: &Offer<Vec<String>>,
) -> Markup {
    html! {
        fieldset.choices.chips data-guessed[offer.guessed] {
            legend { (shell.pick(zh, en)) (guess_mark(shell, offer.guessed && !offer.value.is_empty())) }
            @for term in terms {
                label.choice {
                    input.unseen type="checkbox" name=(name) value=(term.code) checked[offer.value.iter().any(|code| code == term.code)];
                    span { (term_word(terms, term.code, shell.lang)) }
                }
            }
            (refusal(view, name))
        }
    }
}

fn rights(shell: &Shell, view: &ShortFormView) -> Markup {
    let plain = PLAIN_EVIDENCE.iter().any(|(code, ..)| *code == view.evidence);
    let about = refused(view, "evidence").map(|_| "refused-evidence");
    html! {
        (text(shell, view, "author", shell.pick("谁做的", "Who made it?"), &view.author, (1024, false)))
        fieldset.choices.plain-choices aria-describedby=[about] {
            legend { (shell.pick("能公开吗", "May we show it?")) }
            @for (code, zh, en) in PLAIN_EVIDENCE {
                label.choice {
                    input type="radio" name="evidence" value=(code) checked[code == view.evidence];
                    span { (shell.pick(zh, en)) }
                }
            }
            @if !plain && !view.evidence.is_empty() {
                label.choice {
                    input type="radio" name="evidence" value=(view.evidence) checked;
                    span { (term_word(EVIDENCE, &view.evidence, shell.lang)) }
                }
            }
            (refusal(view, "evidence"))
        }
    }
}

fn local(shell: &Shell, view: &ShortFormView) -> Markup {
    let origin = &view.origin;
    html! {
        fieldset.choices.local-choice {
            legend { (shell.pick("有地方特色吗", "Is it of this place?")) (guess_mark(shell, view.local.guessed && view.local.value)) }
            label.choice {
                input type="radio" name="local" value="yes" checked[view.local.value];
                span { (shell.pick("有：本地的手艺、民俗、方言、人和事", "Yes: local craft, custom, speech, people")) }
            }
            label.choice {
                input type="radio" name="local" value="no" checked[!view.local.value];
                span { (shell.pick("没有", "No")) }
            }
            div.if-local {
                (text(shell, view, "local.origin", shell.pick("来自哪里", "Where does it come from?"), origin, (200, false)))
                (text(shell, view, "local.bearer", shell.pick("传承人（可不填）", "Who hands it down (may be empty)"), &Offer { value: view.bearer.clone(), guessed: false }, (200, false)))
            }
        }
    }
}

/// What is guessed beside: folded, but named, so that nothing is kept unseen.
fn rest(shell: &Shell, view: &ShortFormView) -> Markup {
    let guessed = [&view.description, &view.language, &view.place];
    let guessed = guessed.iter().any(|offer| offer.guessed && !offer.value.is_empty());
    let language = term_word(LANGUAGES, &view.language.value, shell.lang);
    let refused =
        ["description", "language", "place"].iter().any(|name| refused(view, name).is_some());
    html! {
        details.group open[refused] {
            summary {
                (shell.pick("顺便：简介", "Also: description"))
                @if !language.is_empty() { (shell.pick("、", ", ")) (language) }
                @if !view.place.value.is_empty() { (shell.pick("、", ", ")) (view.place.value) }
                (guess_mark(shell, guessed))
            }
            div.form {
                div.field {
                    label for="short-description" { (shell.pick("简介", "Description")) (guess_mark(shell, view.description.guessed && !view.description.value.is_empty())) }
                    textarea id="short-description" name="description" rows="4" maxlength="20000" { (view.description.value) }
                    (refusal(view, "description"))
                }
                div.field {
                    label for="short-language" { (shell.pick("语言", "Language")) (guess_mark(shell, view.language.guessed && !view.language.value.is_empty())) }
                    select id="short-language" name="language" {
                        option value="" selected[view.language.value.is_empty()] { (shell.pick("未说明", "Not stated")) }
                        @for term in LANGUAGES {
                            option value=(term.code) selected[term.code == view.language.value] { (term_word(LANGUAGES, term.code, shell.lang)) }
                        }
                        @if !view.language.value.is_empty() && !LANGUAGES.iter().any(|term| term.code == view.language.value) {
                            option value=(view.language.value) selected { (view.language.value) }
                        }
                    }
                }
                (text(shell, view, "place", shell.pick("讲的是哪里", "Place that it is about"), &view.place, (200, false)))
            }
        }
    }
}

fn buttons(shell: &Shell, view: &ShortFormView) -> Markup {
    let all = match view.then {
        ShortThen::Publish => shell.pick("全部确认，发布", "Confirm all and publish"),
        ShortThen::HandIn => shell.pick("全部确认，送审", "Confirm all and hand in"),
        ShortThen::Save => shell.pick("全部确认", "Confirm all"),
    };
    html! {
        p.form-end.short-end {
            button.button type="submit" name="action" value="confirm" { (icon(Icon::Check)) (all) }
            @if view.then != ShortThen::Save {
                button.button.quiet type="submit" name="action" value="save" { (shell.pick("先存着", "Only keep it")) }
            }
        }
    }
}
