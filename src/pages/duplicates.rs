//! What is the same in several resources, side by side.

use maud::{Markup, html};

use super::{
    Paging, Shell,
    layout::{Page, document},
    paging::paging,
    tile::{cover, extent},
    words::{Lang, clock, kind_word, rfc3339, size, stage_word},
};
use crate::catalogue::{Kind, Stage};
use crate::twins::{Likeness, Match, Span};

/// A page of groups, and how they were chosen.
#[derive(Clone, Debug)]
pub struct DuplicatesView {
    /// Where forms are sent.
    pub action: String,
    /// Groups in all.
    pub total: usize,
    /// Libraries to choose from: slug and name.
    pub libraries: Vec<(String, String)>,
    /// The slug chosen; may be empty.
    pub library: String,
    /// The likeness chosen; may be empty.
    pub likeness: String,
    /// The order chosen; may be empty.
    pub sort: String,
    /// Pairs are shown that are not the same, as somebody said.
    pub set_aside: bool,
    /// Address of the same as CSV.
    pub csv: String,
    /// The query of this page.
    pub back: String,
    /// Those of this page.
    pub groups: Vec<GroupView>,
    /// Where in the list this page is.
    pub paging: Paging,
}

/// Resources that are alike.
#[derive(Clone, Debug)]
pub struct GroupView {
    /// How many libraries have some of it.
    pub libraries: usize,
    /// The resources.
    pub members: Vec<MemberView>,
    /// What pairs of them have in common.
    pub pairs: Vec<PairView>,
}

/// A resource of a group.
#[derive(Clone, Debug)]
pub struct MemberView {
    /// Its page.
    pub href: String,
    /// The title.
    pub title: String,
    /// What it is.
    pub kind: Kind,
    /// ready, published or withdrawn.
    pub stage: Stage,
    /// Name of its library.
    pub library: String,
    /// Name of the organisation that owns the library.
    pub owner: Option<String>,
    /// Page of its library.
    pub library_href: String,
    /// The poster's URL, ticket prefix included.
    pub poster: Option<String>,
    /// Length of video and audio, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Pages of a document.
    pub pages: Option<u32>,
    /// Size of the source, in bytes.
    pub size_bytes: u64,
    /// Unix time in milliseconds.
    pub created_ms: i64,
}

/// What two of a group have in common.
#[derive(Clone, Debug)]
pub struct PairView {
    /// Id.
    pub first: String,
    /// Id.
    pub second: String,
    /// Their places among the members, from 1.
    pub numbers: (usize, usize),
    /// What it is.
    pub found: Match,
    /// The visitor may say that they are not the same.
    pub may_judge: bool,
    /// What somebody said.
    pub verdict: Option<VerdictView>,
}

/// Why two are not the same.
#[derive(Clone, Debug)]
pub struct VerdictView {
    /// Who says so.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Unix time in milliseconds.
    pub at_ms: i64,
}

/// What an author is told of another resource.
#[derive(Clone, Debug)]
pub struct AlikeHint {
    /// What is the same.
    pub says: String,
    /// Title of the other.
    pub title: String,
    /// Page of the other.
    pub href: String,
    /// Name of its library.
    pub library: String,
}

/// What two have in common, in plain words: `画面相同 92%：0:02–1:10 对 0:00–1:08`.
#[must_use]
pub fn alike(lang: Lang, found: &Match) -> String {
    let percent = (found.share * 100.0).floor();
    let place = |span: Span| match (found.likeness, lang) {
        (Likeness::Text, Lang::Zh) if span.from == span.to => format!("第 {} 页", span.from),
        (Likeness::Text, Lang::Zh) => format!("第 {}–{} 页", span.from, span.to),
        (Likeness::Text, Lang::En) => format!("pages {}–{}", span.from, span.to),
        _ => {
            let ms = |ms: i64| clock(u64::try_from(ms).unwrap_or_default());
            format!("{}–{}", ms(span.from), ms(span.to))
        }
    };
    let what = match found.likeness {
        Likeness::File => return lang.pick("同一个文件", "The same file").to_owned(),
        Likeness::Picture => lang.pick("画面相同", "The same picture"),
        Likeness::Sound => lang.pick("声音相同", "The same sound"),
        Likeness::Text => lang.pick("文字相同", "The same text"),
    };
    // Images have no time.
    if found.first == Span::default() && found.second == Span::default() {
        return format!("{what} {percent}%");
    }
    let (first, second) = (place(found.first), place(found.second));
    match lang {
        Lang::Zh => format!("{what} {percent}%：{first} 对 {second}"),
        Lang::En => format!("{what} {percent}%: {first} and {second}"),
    }
}

/// What an author is told: nothing when there is nothing alike.
pub(super) fn alike_hints(shell: &Shell, kind: Kind, hints: &[AlikeHint]) -> Markup {
    let this = match (kind, shell.lang) {
        (kind, Lang::Zh) => format!("该{}与", kind_word(Lang::Zh, kind)),
        (_, Lang::En) => "This is much the same as ".to_owned(),
    };
    html! {
        @for hint in hints {
            p.notice.alike {
                span {
                    (this) (shell.pick("《", "“")) a href=(hint.href) { (hint.title) } (shell.pick("》", "”"))
                    (shell.pick("（", " (")) (hint.library) (shell.pick("）基本相同。", "). "))
                    (hint.says) (shell.pick("。", "."))
                }
            }
        }
    }
}

/// The groups.
#[must_use]
pub fn duplicates(shell: &Shell, view: &DuplicatesView) -> Markup {
    let title = shell.pick("重复资源", "Duplicates");
    let body = html! {
        div.wrap.duplicates {
            header.page-head {
                h1 { (title) }
                p.lead { (shell.pick(
                    "各库之间相同或大部分相同的资源：同一个文件，或者画面、声音、文字相同（重新编码、缩放、加了台标、掐头去尾的也能认出）。",
                    "Resources of all libraries that are the same or mostly so: the same file, or the same picture, sound or text, even when encoded anew, scaled, marked with a logo or cut.")) }
            }
            (chooser(shell, view))
            p.count role="status" {
                (shell.lang.count(view.total as u64, "组", "group", "groups"))
                @if view.total > 0 { " · " a href=(view.csv) { (shell.pick("导出表格 (CSV)", "Export as CSV")) } }
            }
            @if view.groups.is_empty() {
                section.empty { h2 { (shell.pick("没有发现重复资源", "Nothing is the same")) } }
            }
            @for group in &view.groups { (group_card(shell, view, group)) }
            (paging(shell, &view.paging))
        }
    };
    document(shell, &Page::plain(title, "duplicates-page", body))
}

fn chooser(shell: &Shell, view: &DuplicatesView) -> Markup {
    let select = |name: &str, label: &str, chosen: &str, options: &[(&str, &str)]| {
        html! {
            label { span { (label) }
                select name=(name) {
                    @for (value, word) in options { option value=(value) selected[*value == chosen] { (word) } }
                }
            }
        }
    };
    let all = ("", shell.pick("全部", "All"));
    let libraries = view.libraries.iter().map(|(slug, name)| (slug.as_str(), name.as_str()));
    let libraries: Vec<(&str, &str)> = [all].into_iter().chain(libraries).collect();
    let likenesses = [
        all,
        ("file", shell.pick("同一个文件", "The same file")),
        ("picture", shell.pick("画面相同", "The same picture")),
        ("sound", shell.pick("声音相同", "The same sound")),
        ("text", shell.pick("文字相同", "The same text")),
    ];
    let sorts = [
        ("libraries", shell.pick("涉及的库最多", "Most libraries")),
        ("size", shell.pick("资源最多", "Most resources")),
        ("share", shell.pick("最相像", "Most alike")),
        ("newest", shell.pick("最近发现", "Found last")),
    ];
    let states = [
        ("false", shell.pick("待处理", "Open")),
        ("true", shell.pick("已标为不同", "Not the same")),
    ];
    html! {
        form.chooser method="get" action=(view.action) {
            (select("library", shell.pick("资源库", "Library"), &view.library, &libraries))
            (select("likeness", shell.pick("相同之处", "What is the same"), &view.likeness, &likenesses))
            (select("sort", shell.pick("排序", "Order"), &view.sort, &sorts))
            (select("set_aside", shell.pick("状态", "State"), if view.set_aside { "true" } else { "false" }, &states))
            button.button type="submit" { (shell.pick("查看", "Show")) }
        }
    }
}

fn group_card(shell: &Shell, view: &DuplicatesView, group: &GroupView) -> Markup {
    let (count, libraries) = (group.members.len(), group.libraries);
    let head = match shell.lang {
        Lang::Zh => format!("{count} 个资源，分属 {libraries} 个资源库"),
        Lang::En => format!("{count} resources in {libraries} libraries"),
    };
    html! {
        section.card.twins {
            h2 { (head) }
            ol.twins-members {
                @for (member, number) in group.members.iter().zip(1..) { li { (member_card(shell, member, number)) } }
            }
            ul.twins-pairs {
                @for pair in &group.pairs { li { (pair_line(shell, view, pair)) } }
            }
        }
    }
}

fn member_card(shell: &Shell, member: &MemberView, number: usize) -> Markup {
    let long = extent(shell.lang, member.duration_ms, member.pages);
    html! {
        article.twins-member {
            (cover(shell.lang, member.kind, &member.title, member.poster.as_deref(), long.as_deref(), false))
            h3 { span.number { (number) } " " a href=(member.href) { (member.title) } }
            p.tile-facts {
                a href=(member.library_href) { (member.library) }
                @if let Some(owner) = &member.owner { span { (owner) } }
                span { (stage_word(shell.lang, member.stage)) } span { (size(member.size_bytes)) }
                time datetime=(rfc3339(member.created_ms)) { (shell.lang.day(member.created_ms, &shell.zone)) }
            }
        }
    }
}

fn pair_line(shell: &Shell, view: &DuplicatesView, pair: &PairView) -> Markup {
    let (one, other) = pair.numbers;
    let hidden = html! {
        (shell.csrf_field())
        input type="hidden" name="first" value=(pair.first);
        input type="hidden" name="second" value=(pair.second);
        input type="hidden" name="back" value=(view.back);
    };
    html! {
        p.twins-says { strong.number { (one) " ↔ " (other) } " " (alike(shell.lang, &pair.found)) }
        @if let Some(verdict) = &pair.verdict {
            p.hint {
                (shell.pick("标为不同：", "Not the same: ")) (verdict.reason)
                (shell.pick("（", " (")) (verdict.by) (shell.pick("，", ", "))
                (shell.lang.day(verdict.at_ms, &shell.zone)) (shell.pick("）", ")"))
            }
            @if pair.may_judge {
                form method="post" action=(view.action) {
                    (hidden)
                    button.text-button type="submit" name="action" value="take_back" { (shell.pick("取消标记", "Take back")) }
                }
            }
        } @else if pair.may_judge {
            details {
                summary { (shell.pick("不是同一内容", "Not the same")) }
                form.twins-verdict method="post" action=(view.action) {
                    (hidden)
                    label { span { (shell.pick("理由（会保留并显示）", "Why (kept and shown)")) }
                        input type="text" name="reason" required maxlength="500"; }
                    button.button.quiet type="submit" name="action" value="set_aside" { (shell.pick("标为不同", "Set aside")) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_said_in_plain_words() {
        let found = |likeness, first, second| Match { likeness, share: 0.926, first, second };
        let (first, second) = (Span { from: 2_000, to: 70_000 }, Span { from: 0, to: 68_000 });
        let said = alike(Lang::Zh, &found(Likeness::Picture, first, second));
        assert_eq!(said, "画面相同 92%：0:02–1:10 对 0:00–1:08");
        let pages = (Span { from: 1, to: 9 }, Span { from: 3, to: 3 });
        let said = alike(Lang::Zh, &found(Likeness::Text, pages.0, pages.1));
        assert_eq!(said, "文字相同 92%：第 1–9 页 对 第 3 页");
        let image = found(Likeness::Picture, Span::default(), Span::default());
        assert_eq!(alike(Lang::En, &image), "The same picture 92%");
    }
}
