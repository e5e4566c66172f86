//! The words that librarians keep for the search.

use maud::{Markup, html};

use super::{
    Shell,
    layout::{Page, document},
};

/// The words, and what came of saving them.
#[derive(Clone, Debug)]
pub struct DictionaryView {
    /// Where the form is sent.
    pub action: String,
    /// A word a line.
    pub dictionary: String,
    /// Words that mean the same, a line each.
    pub synonyms: String,
    /// They were saved.
    pub saved: bool,
    /// Why they were not.
    pub refusal: Option<String>,
    /// Id, title and reason of what could not be taken into the index.
    pub unindexed: Vec<(String, String, String)>,
}

/// The form.
#[must_use]
pub fn dictionary(shell: &Shell, view: &DictionaryView) -> Markup {
    let title = shell.pick("搜索词典", "Words of the search");
    let area = |name: &str, label: &str, help: &str, text: &str| {
        html! {
            div.field {
                label for=(name) { (label) }
                p.help id=(format!("{name}-help")) { (help) }
                textarea id=(name) name=(name) rows="12" spellcheck="false"
                    aria-describedby=(format!("{name}-help")) { (text) }
            }
        }
    };
    let body = html! {
        div.wrap.dictionary {
            h1 { (title) }
            p.lead { (shell.pick("保存后一秒内生效，不必重建索引。以 # 开头的行是说明。", "Counts within a second, without a new index. Lines that begin with # are notes.")) }
            p { a href="/admin/search/why" { (shell.pick("为什么这样排", "Why hits are where they are")) } }
            @if view.saved { p.notice role="status" { (shell.pick("已保存。", "Saved.")) } }
            @if let Some(refusal) = &view.refusal { p.notice.bad role="alert" { (refusal) } }
            form.form action=(view.action) method="post" {
                input type="hidden" name="csrf" value=(shell.csrf);
                (area("dictionary", shell.pick("本地词语", "Words"),
                    shell.pick("一行一个：地名、手艺、人名。搜索时作为一个整词。", "One a line: places, crafts, people. A search keeps them whole."),
                    &view.dictionary))
                (area("synonyms", shell.pick("同义词", "Words that mean the same"),
                    shell.pick("一行一组，用空格、逗号或等号分开，例如：土豆 = 马铃薯 洋芋", "A line of words that mean the same, with spaces, commas or = between."),
                    &view.synonyms))
                button.button.primary type="submit" { (shell.pick("保存", "Save")) }
            }
            @if !view.unindexed.is_empty() { (unindexed(shell, &view.unindexed)) }
        }
    };
    document(shell, &Page::plain(title, "dictionary-page", body))
}

fn unindexed(shell: &Shell, all: &[(String, String, String)]) -> Markup {
    html! {
        section {
            h2 { (shell.pick("搜不到的资源", "Resources that search cannot find")) }
            p.help { (shell.pick("它们的数据读不出来，没有编入索引；修改后会自动再试，也可以运行 duoku reindex。",
                "What is stored of them cannot be read, so they are not in the index. Each is tried again when it changes, and by duoku reindex.")) }
            ul {
                @for (id, title, reason) in all {
                    li {
                        a href=(format!("/studio/resources/{id}")) { @if title.is_empty() { (id) } @else { (title) } }
                        " " small { (reason) }
                    }
                }
            }
        }
    }
}
