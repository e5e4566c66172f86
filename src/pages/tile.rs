//! A resource or course as a card: poster, title, library, how long or how many pages or lessons.

use maud::{Markup, html};

use super::{
    Lang, Shell,
    icon::{Icon, icon, kind_icon},
    words::{clock, found_word, rfc3339},
};
use crate::catalogue::Kind;

/// What a card stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileKind {
    /// A resource.
    Resource(Kind),
    /// A course of so many lessons.
    Course(u64),
}

impl From<Kind> for TileKind {
    fn from(kind: Kind) -> Self {
        Self::Resource(kind)
    }
}

impl TileKind {
    fn code(self) -> &'static str {
        match self {
            Self::Resource(kind) => kind.as_str(),
            Self::Course(_) => indexer::COURSE,
        }
    }

    fn icon(self) -> Markup {
        match self {
            Self::Resource(kind) => kind_icon(kind),
            Self::Course(_) => icon(Icon::List),
        }
    }
}

/// What a card shows of a resource or course.
#[derive(Clone, Debug)]
pub struct ResourceTile {
    /// Where the card leads, `/resources/{id}` or `/courses/{id}`.
    pub href: String,
    /// The title.
    pub title: String,
    /// What it is.
    pub kind: TileKind,
    /// The poster's URL, ticket prefix included; `None` shows a drawn cover.
    pub poster: Option<String>,
    /// Length of video and audio, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Number of pages of a document.
    pub pages: Option<u32>,
    /// The name of its library; left out on that library's own page.
    pub library: Option<String>,
    /// The name of the repository that it comes from and is opened at.
    pub home: Option<String>,
    /// When it was published (or made, when not published), Unix time in milliseconds.
    pub when_ms: Option<i64>,
}

/// Cards in a grid; an empty list is nothing.
pub(super) fn tiles(shell: &Shell, tiles: &[ResourceTile]) -> Markup {
    html! {
        @if !tiles.is_empty() {
            ul.tiles data-grid {
                @for (at, tile) in tiles.iter().enumerate() { li { (card(shell, tile, at < 4)) } }
            }
        }
    }
}

/// `来自…`, of what is opened at its home.
pub(super) fn from(shell: &Shell, tile: &ResourceTile) -> Markup {
    html! {
        @if let Some(home) = &tile.home { span.from { (shell.pick("来自", "From ")) (home) } }
    }
}

fn card(shell: &Shell, tile: &ResourceTile, soon: bool) -> Markup {
    html! {
        article.tile {
            (cover(shell.lang, tile.kind, &tile.title, tile.poster.as_deref(), tile_extent(shell.lang, tile).as_deref(), soon))
            div.tile-words {
                h3 { a href=(tile.href) { (tile.title) } }
                p.tile-facts {
                    @if let Some(library) = &tile.library { span { (library) } }
                    (from(shell, tile))
                    @if let Some(when_ms) = tile.when_ms {
                        time datetime=(rfc3339(when_ms)) { (shell.lang.day(when_ms, &shell.zone)) }
                    }
                }
            }
        }
    }
}

/// The poster in a fixed frame with kind and extent, or a drawn cover with the title's first words.
pub(super) fn cover(
    lang: Lang,
    kind: impl Into<TileKind>,
    title: &str,
    poster: Option<&str>,
    extent: Option<&str>,
    soon: bool,
) -> Markup {
    let kind = kind.into();
    let word = found_word(lang, kind.code()).unwrap_or_default();
    html! {
        div.cover data-kind=(kind.code()) {
            @if let Some(src) = poster {
                img src=(src) alt="" width="640" height="360" decoding="async"
                    loading=(if soon { "eager" } else { "lazy" });
            } @else {
                div.cover-drawn data-tone=(tone(title)) aria-hidden="true" {
                    span { (first_signs(title)) }
                    (kind.icon())
                }
            }
            p.badge {
                (kind.icon())
                span.unseen { (word) }
                @if let Some(extent) = extent { span { (extent) } }
                @else { span { (word) } }
            }
        }
    }
}

/// A cover that leads to `href`. Keyboards and readers have the link in the title beside it.
pub(super) fn linked(href: &str, cover: &Markup) -> Markup {
    html! { a.cover-link href=(href) tabindex="-1" aria-hidden="true" { (cover) } }
}

/// How long, how many pages or lessons.
pub(super) fn tile_extent(lang: Lang, tile: &ResourceTile) -> Option<String> {
    match tile.kind {
        TileKind::Resource(_) => extent(lang, tile.duration_ms, tile.pages),
        TileKind::Course(lessons) => Some(lang.count(lessons, "课", "lesson", "lessons")),
    }
}

/// `12:34`, `24 页`, or nothing.
pub(super) fn extent(lang: Lang, duration_ms: Option<u64>, pages: Option<u32>) -> Option<String> {
    match (duration_ms, pages) {
        (Some(ms), _) => Some(clock(ms)),
        (None, Some(pages)) => Some(lang.count(u64::from(pages), "页", "page", "pages")),
        (None, None) => None,
    }
}

/// One of six tones, the same for the same title.
fn tone(title: &str) -> u32 {
    title.chars().fold(7_u32, |sum, sign| sum.wrapping_mul(31).wrapping_add(u32::from(sign))) % 6
}

/// What stands for the title on a drawn cover: its words up to the first mark of punctuation.
fn first_signs(title: &str) -> String {
    let end = |sign: char| "：:，,。（(《》「」—|·".contains(sign);
    let title = title.trim_start_matches(|sign: char| end(sign) || sign.is_whitespace());
    let words: String = title.chars().take_while(|sign| !end(*sign)).take(24).collect();
    words.trim().to_owned()
}

/// The mark of a moment: a clock or a page.
pub(super) fn moment_icon(page: bool) -> Markup {
    icon(if page { Icon::Page } else { Icon::Clock })
}

#[cfg(test)]
mod tests {
    use super::first_signs;

    #[test]
    fn a_drawn_cover_has_the_first_words() {
        assert_eq!(first_signs("老年人智能手机使用教程（图文）"), "老年人智能手机使用教程");
        assert_eq!(first_signs("《剪纸》：团花"), "剪纸");
        assert_eq!(first_signs(""), "");
    }
}
