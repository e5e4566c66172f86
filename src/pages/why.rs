//! Why hits of a search are where they are, for administrators.

use maud::{Markup, html};

use super::{
    Lang, Shell,
    layout::{Page, document},
};

/// A search and why its hits are where they are.
#[derive(Clone, Debug, Default)]
pub struct WhyView {
    /// What was searched for.
    pub query: String,
    /// Id or address of a resource that is to be explained too.
    pub resource: String,
    /// There is no such resource.
    pub unknown: bool,
    /// How many are found.
    pub total: u64,
    /// The search itself.
    pub search_href: String,
    /// What is not as usual.
    pub notice: Option<String>,
    /// The first hits, and the resource that was asked for.
    pub hits: Vec<WhyHit>,
}

/// Why one resource is where it is.
#[derive(Clone, Debug)]
pub struct WhyHit {
    /// Its place among the hits, from 1; `None` when it is not among the first.
    pub rank: Option<usize>,
    /// Its title.
    pub title: String,
    /// Its page.
    pub href: String,
    /// Whether it is found.
    pub matches: bool,
    /// Its points.
    pub score: f32,
    /// What they are for.
    pub parts: Vec<WhyPart>,
    /// The words, the rarest first.
    pub words: Vec<WhyWord>,
}

/// Points and what they are for.
#[derive(Clone, Debug)]
pub struct WhyPart {
    /// In words.
    pub says: String,
    /// How many.
    pub points: f32,
}

/// A word and where it is.
#[derive(Clone, Debug)]
pub struct WhyWord {
    /// As it is looked for.
    pub text: String,
    /// How much it tells.
    pub rarity: Rarity,
    /// Where it is; none: nowhere.
    pub places: Vec<String>,
    /// How many places more.
    pub more: usize,
}

/// How common a word is in this installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rarity {
    /// In one of a thousand texts or fewer.
    Rare,
    /// Between.
    Usual,
    /// In one of thirty or more.
    Common,
}

/// The form, and a box for each hit.
#[must_use]
pub fn why(shell: &Shell, view: &WhyView) -> Markup {
    let title = shell.pick("为什么这样排", "Why hits are where they are");
    let body = html! {
        div.wrap.why {
            h1 { (title) }
            p.lead { (shell.pick(
                "分数越高越靠前。少见的词分数多，常见的词分数少；词在标题里比在正文里分数多。",
                "The more points the higher. Rare words give many, common words few; a word in a title more than one in the text.",
            )) }
            form.form action="/admin/search/why" method="get" {
                div.field {
                    label for="why-q" { (shell.pick("搜索的词", "What was searched for")) }
                    input #why-q name="q" value=(view.query) maxlength="1000" required;
                }
                div.field {
                    label for="why-resource" { (shell.pick("再看一个资源（可不填）", "One more resource (optional)")) }
                    p.help #why-resource-help { (shell.pick("资源页的地址或编号：为什么没有找到它，或为什么靠后。", "The address of its page, or its id: why it is not found, or late.")) }
                    input #why-resource name="resource" value=(view.resource) maxlength="500" aria-describedby="why-resource-help";
                }
                button.button.primary type="submit" { (shell.pick("说明", "Explain")) }
            }
            p { a href="/admin/search" { (shell.pick("搜索词典", "Words of the search")) } }
            @if let Some(notice) = &view.notice { p.notice { (notice) } }
            @if view.unknown { p.notice.bad role="alert" { (shell.pick("没有这个资源。", "There is no such resource.")) } }
            @if !view.search_href.is_empty() {
                p { a href=(view.search_href) { (found(shell, view.total)) } }
            }
            ol.why-hits { @for hit in &view.hits { li { (self::hit(shell, hit)) } } }
        }
    };
    document(shell, &Page::plain(title, "why-page", body))
}

fn found(shell: &Shell, total: u64) -> String {
    match shell.lang {
        Lang::Zh => format!("共找到 {total} 个资源"),
        Lang::En => format!("{total} found"),
    }
}

fn hit(shell: &Shell, hit: &WhyHit) -> Markup {
    html! {
        h2 {
            @match hit.rank {
                Some(rank) => span.rank { (rank) },
                None => span.rank { "–" },
            }
            a href=(hit.href) { (hit.title) }
        }
        @if hit.matches {
            table.why-parts {
                @for part in &hit.parts {
                    tr { th scope="row" { (part.says) } td { (points(part.points)) } }
                }
                tr.sum { th scope="row" { (shell.pick("合计", "Together")) } td { (points(hit.score)) } }
            }
            @if hit.rank.is_none() { p { (shell.pick("它在前十名之后。", "It comes after the first ten.")) } }
        } @else {
            p.notice { (missing(shell, hit)) }
        }
        ul.why-words {
            @for word in &hit.words {
                li {
                    strong { (word.text) } " · " (rarity(shell, word.rarity)) " · "
                    @if word.places.is_empty() { em { (shell.pick("这里没有", "not here")) } }
                    (word.places.join(shell.pick("、", ", ")))
                    @if word.more > 0 { (more(shell, word.more)) }
                }
            }
        }
    }
}

fn missing(shell: &Shell, hit: &WhyHit) -> String {
    let missing = hit.words.iter().filter(|word| word.places.is_empty());
    let missing: Vec<&str> = missing.map(|word| word.text.as_str()).collect();
    match (shell.lang, missing.is_empty()) {
        (Lang::Zh, true) => "搜索找不到它：未公开，或还没有编入索引。".to_owned(),
        (Lang::En, true) => "It is not found: not public, or not in the index yet.".to_owned(),
        (Lang::Zh, false) => format!("不全符合所以找不到它，缺：{}。", missing.join("、")),
        (Lang::En, false) => format!("It has not all words: {} missing.", missing.join(", ")),
    }
}

fn points(points: f32) -> String {
    format!("{points:.1}")
}

fn more(shell: &Shell, more: usize) -> String {
    match shell.lang {
        Lang::Zh => format!("，还有 {more} 处"),
        Lang::En => format!(", {more} more"),
    }
}

fn rarity(shell: &Shell, rarity: Rarity) -> &'static str {
    match rarity {
        Rarity::Rare => shell.pick("少见的词", "a rare word"),
        Rarity::Usual => shell.pick("一般的词", "a usual word"),
        Rarity::Common => shell.pick("常见的词", "a common word"),
    }
}
