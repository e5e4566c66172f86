//! What a search found: hits with the moments inside them, and facets to narrow it down.

use maud::{Markup, PreEscaped, html};

use super::{
    Paging, ResourceTile, Shell,
    embed::feeds,
    icon::{Icon, icon},
    layout::{Page, document},
    paging::paging,
    tile::{cover, from, linked, moment_icon, tile_extent},
    words::clock,
};

/// A search and what it found.
#[derive(Clone, Debug)]
pub struct SearchView {
    /// What was asked; empty lists everything, newest first.
    pub query: String,
    /// Resources found in all.
    pub total: u64,
    /// How long the search took, in milliseconds.
    pub took_ms: u64,
    /// A sentence when the answer is not a full one, such as titles only while the index is rebuilt.
    pub notice: Option<String>,
    /// The hits of this page, the best first.
    pub hits: Vec<HitView>,
    /// What the hits can be narrowed down by; facets without values are not shown.
    pub facets: Vec<Facet>,
    /// Filters in force besides the query, kept as hidden fields by the form: name and value.
    pub filters: Vec<(String, String)>,
    /// The search without any filter.
    pub clear_href: String,
    /// Words and filters as the address of a feed has them, from the question mark on.
    pub feed: String,
    /// The kinds with their counts, all of them first; none with fewer than two kinds.
    pub tabs: Vec<FacetValue>,
    /// The orders; none when there is nothing to order.
    pub orders: Vec<Choice>,
    /// Nothing has what was typed: the hits sound like it.
    pub heard: bool,
    /// The search for what may have been meant.
    pub meant: Option<Choice>,
    /// Searches for some of the words, when nothing has all.
    pub fewer: Vec<Choice>,
    /// Where in the hits this page is.
    pub paging: Paging,
    /// The page that tells why the hits are where they are; for administrators.
    pub why_href: Option<String>,
}

/// A search that can be chosen instead.
#[derive(Clone, Debug)]
pub struct Choice {
    /// As shown.
    pub label: String,
    /// The search.
    pub href: String,
    /// In force.
    pub on: bool,
}

/// One resource found.
#[derive(Clone, Debug)]
pub struct HitView {
    /// The resource; its `title` is plain text.
    pub tile: ResourceTile,
    /// The title, HTML-escaped, matches in `<mark>`.
    pub title_html: String,
    /// A passage of the description or text, HTML-escaped, matches in `<mark>`; may be empty.
    pub snippet_html: String,
    /// The best moments, in the order of the media.
    pub moments: Vec<MomentView>,
}

/// A second or a page at which the query is met.
#[derive(Clone, Debug)]
pub struct MomentView {
    /// Where it is from.
    pub kind: MomentKind,
    /// Opens the resource there, such as `/resources/{id}?t=83&q=...` or `?page=7&q=...`.
    pub href: String,
    /// URL of a picture of it, of a slide.
    pub image: Option<String>,
    /// What is said or written, HTML-escaped, matches in `<mark>`.
    pub text_html: String,
}

/// Where a moment is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MomentKind {
    /// Spoken, or shown on a slide, at this time in milliseconds.
    Time(u64),
    /// On this page, from 1.
    Page(u32),
    /// On this slide, from 1.
    Slide(u32),
    /// In this chapter, from 1.
    Chapter(u32),
    /// In the picture.
    Picture,
}

/// A field by which hits can be narrowed down.
#[derive(Clone, Debug)]
pub struct Facet {
    /// Its name, such as `类型`.
    pub name: String,
    /// Its values, most frequent first.
    pub values: Vec<FacetValue>,
}

/// A value of a facet.
#[derive(Clone, Debug)]
pub struct FacetValue {
    /// As shown.
    pub label: String,
    /// Hits that have it.
    pub count: u64,
    /// The search with this value added, or taken away when it is `on`.
    pub href: String,
    /// In force.
    pub on: bool,
}

/// The results.
#[must_use]
pub fn search(shell: &Shell, view: &SearchView) -> Markup {
    let title = if view.query.is_empty() {
        shell.pick("全部资源", "All resources").to_owned()
    } else {
        format!("{} · {}", view.query, shell.pick("搜索", "Search"))
    };
    let body = html! {
        div.wrap.found-layout {
            (facets(shell, view))
            section.found aria-labelledby="found" {
                (found_head(shell, view))
                (tabs(shell, view))
                @if let Some(meant) = &view.meant { (did_you_mean(shell, meant)) }
                @if view.heard && !view.hits.is_empty() {
                    p.notice role="status" {
                        (shell.pick("没有找到完全一样的字，下面是读音相同的结果。", "Nothing has these characters; these sound the same."))
                    }
                }
                @if let Some(notice) = &view.notice { p.notice role="status" { (notice) } }
                @if view.hits.is_empty() { (nothing(shell, view)) } @else {
                    ol.hits {
                        @for (at, one) in view.hits.iter().enumerate() { li { (hit(shell, one, at < 4)) } }
                    }
                }
                (paging(shell, &view.paging))
            }
        }
    };
    document(
        shell,
        &Page {
            search: Some(&view.query),
            kept: &view.filters,
            head: feeds(shell, &view.feed),
            ..Page::plain(&title, "search-page", body)
        },
    )
}

fn found_head(shell: &Shell, view: &SearchView) -> Markup {
    html! {
        header.found-head {
            h1 id="found" {
                @if view.query.is_empty() { (shell.pick("全部资源", "All resources")) }
                @else { "“" (view.query) "”" }
            }
            p {
                (shell.lang.count(view.total, "项结果", "result", "results"))
                @if !view.query.is_empty() {
                    " · " (view.took_ms) " " (shell.pick("毫秒", "ms"))
                }
                @if let Some(href) = &view.why_href {
                    " · " a href=(href) { (shell.pick("为什么这样排", "Why in this order")) }
                }
            }
        }
    }
}

fn tabs(shell: &Shell, view: &SearchView) -> Markup {
    html! {
        @if !view.tabs.is_empty() || !view.orders.is_empty() {
            div.found-bar {
                nav.tabs aria-label=(shell.pick("按类型", "By kind")) {
                    @for tab in &view.tabs {
                        a href=(tab.href) rel="nofollow" aria-current=[tab.on.then_some("page")] {
                            (tab.label) span.number { (tab.count) }
                        }
                    }
                }
                nav.orders aria-label=(shell.pick("排序", "Order")) {
                    @for order in &view.orders {
                        a href=(order.href) rel="nofollow" aria-current=[order.on.then_some("true")] { (order.label) }
                    }
                }
            }
        }
    }
}

fn did_you_mean(shell: &Shell, meant: &Choice) -> Markup {
    html! {
        p.meant { (shell.pick("您是不是要找：", "Did you mean: ")) a href=(meant.href) { (meant.label) } }
    }
}

/// Beside the hits on wide screens; on narrow ones behind a switch that needs no script.
fn facets(shell: &Shell, view: &SearchView) -> Markup {
    let on = view.facets.iter().flat_map(|facet| &facet.values).filter(|value| value.on).count();
    html! {
        @if view.facets.iter().any(|facet| !facet.values.is_empty()) {
            aside.facets aria-label=(shell.pick("筛选", "Filters")) {
                input.unseen.facets-switch type="checkbox" id="facets-switch";
                label.facets-label for="facets-switch" {
                    (icon(Icon::List)) span { (shell.pick("筛选", "Filters")) }
                    @if on > 0 { span.number { (on) } }
                }
                div.facets-body {
                    @if on > 0 { p { a.clear href=(view.clear_href) { (shell.pick("清除全部筛选", "Clear all filters")) } } }
                    @for facet in view.facets.iter().filter(|facet| !facet.values.is_empty()) {
                        section.facet {
                            h2 { (facet.name) }
                            ul { @for value in &facet.values { li { (facet_value(shell, value)) } } }
                        }
                    }
                }
            }
        }
    }
}

fn facet_value(shell: &Shell, value: &FacetValue) -> Markup {
    html! {
        a href=(value.href) aria-current=[value.on.then_some("true")] rel="nofollow" {
            span.tick aria-hidden="true" { @if value.on { (icon(Icon::Check)) } }
            span { (value.label) }
            span.number { (value.count) }
            @if value.on { span.unseen { (shell.pick("（已选，点按取消）", " (chosen; activate to remove)")) } }
        }
    }
}

pub(super) fn hit(shell: &Shell, hit: &HitView, soon: bool) -> Markup {
    let tile = &hit.tile;
    let size = tile_extent(shell.lang, tile);
    html! {
        article.hit {
            (linked(&tile.href, &cover(shell.lang, tile.kind, &tile.title, tile.poster.as_deref(), size.as_deref(), soon)))
            div.hit-words {
                h2 { a href=(tile.href) { (marked(&hit.title_html)) } }
                p.tile-facts {
                    @if let Some(library) = &tile.library { span { (library) } }
                    (from(shell, tile))
                    @if let Some(when_ms) = tile.when_ms {
                        time datetime=(super::words::rfc3339(when_ms)) { (shell.lang.day(when_ms, &shell.zone)) }
                    }
                }
                @if !hit.snippet_html.is_empty() { p.snippet { (marked(&hit.snippet_html)) } }
                @if !hit.moments.is_empty() {
                    ul.moments aria-label=(shell.pick("命中的时刻", "Moments")) {
                        @for one in &hit.moments { li { (moment(shell, one)) } }
                    }
                }
            }
        }
    }
}

/// A link to a second or a page, with what is met there.
pub(super) fn moment(shell: &Shell, moment: &MomentView) -> Markup {
    let numbered = |word: &str, number: u32| (word.replace('N', &number.to_string()), true, None);
    let (place, page, start_ms) = match moment.kind {
        MomentKind::Time(ms) => (clock(ms), false, Some(ms)),
        MomentKind::Page(page) => numbered(shell.pick("第 N 页", "p. N"), page),
        MomentKind::Slide(slide) => numbered(shell.pick("第 N 张", "Slide N"), slide),
        MomentKind::Chapter(chapter) => numbered(shell.pick("第 N 章", "Ch. N"), chapter),
        MomentKind::Picture => (shell.pick("图中", "In the picture").to_owned(), true, None),
    };
    html! {
        a.moment.with-slide[moment.image.is_some()] href=(moment.href) data-start=[start_ms] {
            span.place { (moment_icon(page)) (place) }
            @if let Some(image) = &moment.image { img.moment-slide src=(image) width="96" height="54" alt=(shell.pick("幻灯片", "Slide")) loading="lazy" decoding="async"; }
            span.said { (marked(&moment.text_html)) }
        }
    }
}

fn nothing(shell: &Shell, view: &SearchView) -> Markup {
    html! {
        section.empty {
            h2 { (shell.pick("没有找到", "Nothing found")) }
            @if view.filters.is_empty() {
                p { (shell.pick("换一个说法，或用更短的词；拼音和首字母也可以，例如“jianzhi”或“jz”。", "Try other or shorter words; pinyin and its initials work too, such as “jianzhi” or “jz”.")) }
            } @else {
                p { (shell.pick("去掉筛选后再找找看。", "Try again without the filters.")) }
                p { a.button href=(view.clear_href) { (shell.pick("清除全部筛选", "Clear all filters")) } }
            }
            @if !view.fewer.is_empty() {
                p { (shell.pick("或者只找其中的词：", "Or look for one of the words: ")) }
                ul.fewer { @for one in &view.fewer { li { a.button href=(one.href) { (one.label) } } } }
            }
        }
    }
}

/// Text that is HTML-escaped but for `<mark>`; whatever else it holds is escaped here.
pub(super) fn marked(text: &str) -> Markup {
    let mut safe = String::with_capacity(text.len() + 16);
    let mut open = false;
    let mut rest = text;
    while let Some(sign) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("<mark>").filter(|_| !open) {
            safe.push_str("<mark>");
            (open, rest) = (true, after);
        } else if let Some(after) = rest.strip_prefix("</mark>").filter(|_| open) {
            safe.push_str("</mark>");
            (open, rest) = (false, after);
        } else {
            match sign {
                '<' => safe.push_str("&lt;"),
                '>' => safe.push_str("&gt;"),
                '"' => safe.push_str("&quot;"),
                '&' if !is_reference(rest) => safe.push_str("&amp;"),
                _ => safe.push(sign),
            }
            rest = &rest[sign.len_utf8()..];
        }
    }
    if open {
        safe.push_str("</mark>");
    }
    PreEscaped(safe)
}

/// `text` begins with a character reference, such as `&lt;` or `&#39;`.
fn is_reference(text: &str) -> bool {
    let name = text[1..].split(';').next().unwrap_or_default();
    name.len() < 10
        && text.as_bytes().get(name.len() + 1) == Some(&b';')
        && !name.is_empty()
        && name.trim_start_matches('#').bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::marked;

    #[test]
    fn only_marks_pass() {
        assert_eq!(marked("a <mark>b</mark> &lt;c&gt;").0, "a <mark>b</mark> &lt;c&gt;");
        assert_eq!(marked("<script>x</script>").0, "&lt;script&gt;x&lt;/script&gt;");
        assert_eq!(
            marked("<mark>open & </mark></mark>").0,
            "<mark>open &amp; </mark>&lt;/mark&gt;"
        );
        assert_eq!(marked("<mark>never closed").0, "<mark>never closed</mark>");
    }

    proptest! {
        #[test]
        fn no_other_tag_comes_out(text in "[<>/a-z&;#\" \u{4e00}-\u{4e10}]{0,60}|(<mark>|</mark>|x|<b>|&lt;|&){0,20}") {
            let safe = marked(&text).0;
            prop_assert_eq!(safe.matches("<mark>").count(), safe.matches("</mark>").count());
            let bare = safe.replace("<mark>", "").replace("</mark>", "");
            prop_assert!(!bare.contains(['<', '>', '"']));
        }
    }
}
