//! The list of libraries, and a library's own front page.

use maud::{Markup, html};

use super::{
    CollectionView, CourseTile, Crumb, Paging, ResourceTile, Shell, TermCount,
    collection::collection_bands,
    course::course_tiles,
    embed::feeds,
    icon::{Icon, icon},
    layout::{Page, document},
    paging::paging,
    region::crumbs,
    tile::tiles,
    words::kind_word,
};
use crate::catalogue::{Block, Colour, Kind};

/// What a card shows of a library.
#[derive(Clone, Debug)]
pub struct LibraryTile {
    /// `/libraries/{slug}`.
    pub href: String,
    /// Its name.
    pub name: String,
    /// One or two sentences; may be empty.
    pub description: String,
    /// Resources the visitor may see.
    pub resources: u64,
}

/// The list of libraries.
#[derive(Clone, Debug)]
pub struct LibrariesView {
    /// The libraries of this page.
    pub libraries: Vec<LibraryTile>,
    /// Where in the list this page is.
    pub paging: Paging,
}

/// A library's own front page.
#[derive(Clone, Debug)]
pub struct LibraryView {
    /// Its slug, for the search within it.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What it says about itself; paragraphs are parted by empty lines.
    pub description: String,
    /// Resources the visitor may see, of every kind.
    pub resources: u64,
    /// How many of each kind there are; kinds without any are left out.
    pub kinds: Vec<(Kind, u64)>,
    /// The kind shown alone, from `?kind=`.
    pub kind: Option<Kind>,
    /// The resources of this page, newest first.
    pub newest: Vec<ResourceTile>,
    /// Its courses, and those of others that it shows; on its first page.
    pub courses: Vec<CourseTile>,
    /// Its collections; on its first page.
    pub collections: Vec<CollectionView>,
    /// Where in the list this page is.
    pub paging: Paging,
    /// The visitor may upload into it.
    pub may_upload: bool,
    /// `/studio/libraries/{slug}`, when the visitor may choose its look.
    pub look_href: Option<String>,
    /// The net and the regions above its owner; the net's own address where the library has a host.
    pub crumbs: Vec<Crumb>,
    /// The name of its owner.
    pub owner: Option<String>,
    /// Its colour.
    pub colour: Colour,
    /// Address of its logo; `None` shows the first sign of its name.
    pub logo: Option<String>,
    /// What is told above everything else; may be empty.
    pub notice: String,
    /// What its people chose.
    pub featured: Vec<ResourceTile>,
    /// Topics of its resources; each leads to a search within it.
    pub topics: Vec<TermCount>,
    /// What the page shows, from the top.
    pub blocks: Vec<Block>,
}

/// All libraries.
#[must_use]
pub fn libraries(shell: &Shell, view: &LibrariesView) -> Markup {
    let title = shell.pick("资源库", "Libraries");
    let body = html! {
        div.wrap {
            header.page-head {
                h1 { (title) }
                p.lead { (shell.pick("每个学校、单位和乡镇都可以有自己的资源库；搜索一次找遍全部。", "Every school, office and township can have a library; one search covers them all.")) }
            }
            h2.unseen { (shell.pick("全部资源库", "All libraries")) }
            (library_tiles(shell, &view.libraries))
            (paging(shell, &view.paging))
        }
    };
    document(
        shell,
        &Page { canonical: Some("/libraries"), ..Page::plain(title, "libraries", body) },
    )
}

/// A library's own front page.
#[must_use]
pub fn library(shell: &Shell, view: &LibraryView) -> Markup {
    let path = format!("/libraries/{}", view.slug);
    let body = html! {
        div.wrap {
            (library_head(shell, view))
            @if !view.notice.is_empty() {
                div.library-notice role="note" aria-label=(shell.pick("公告", "Notice")) {
                    @for line in view.notice.lines().filter(|line| !line.trim().is_empty()) { p { (line) } }
                }
            }
            @for block in &view.blocks { (shown(shell, view, *block, &path)) }
        }
    };
    let page = Page {
        description: Some(&view.description).filter(|text| !text.is_empty()).map(String::as_str),
        canonical: Some(&path),
        head: feeds(shell, &format!("?library={}", view.slug)),
        colour: Some(view.colour),
        ..Page::plain(&view.name, "library", body)
    };
    document(shell, &page)
}

fn shown(shell: &Shell, view: &LibraryView, block: Block, path: &str) -> Markup {
    match block {
        Block::Featured => featured(shell, view),
        Block::Courses => courses(shell, view),
        Block::Collections => collection_bands(shell, &view.collections),
        Block::Newest => newest(shell, view, path),
    }
}

fn courses(shell: &Shell, view: &LibraryView) -> Markup {
    html! {
        @if !view.courses.is_empty() {
            section.library-block aria-labelledby="courses" {
                h2 id="courses" { (shell.pick("课程", "Courses")) }
                (course_tiles(shell, &view.courses))
            }
        }
    }
}

fn featured(shell: &Shell, view: &LibraryView) -> Markup {
    html! {
        @if !view.featured.is_empty() {
            section.library-block aria-labelledby="featured" {
                h2 id="featured" { (shell.pick("推荐", "Featured")) }
                (tiles(shell, &view.featured))
            }
        }
    }
}

fn newest(shell: &Shell, view: &LibraryView, path: &str) -> Markup {
    html! {
        section.library-block aria-labelledby="newest" {
            h2 id="newest" { (shell.pick("资源", "Resources")) }
            @if !view.topics.is_empty() && !shell.elder {
                ul.topics.small data-grid aria-label=(shell.pick("按主题", "By topic")) {
                    @for topic in &view.topics {
                        li { a href=(topic.href) { (topic.label) span.number { (topic.resources) } } }
                    }
                }
            }
            (kind_tabs(shell, view, path))
            @if view.newest.is_empty() {
                div.empty { p { (shell.pick("这里还没有公开的资源", "Nothing is public here yet")) } }
            } @else {
                (tiles(shell, &view.newest))
            }
            (paging(shell, &view.paging))
        }
    }
}

fn library_head(shell: &Shell, view: &LibraryView) -> Markup {
    html! {
        header.library-head {
            @if let Some(logo) = &view.logo {
                img.library-mark src=(logo) alt="" width="96" height="96";
            } @else {
                span.library-mark aria-hidden="true" { (initial(&view.name)) }
            }
            div {
                (crumbs(shell, &view.crumbs))
                h1 { (view.name) }
                @if let Some(owner) = &view.owner { p.library-owner { (icon(Icon::Place)) (owner) } }
                @for paragraph in view.description.split("\n\n").filter(|text| !text.trim().is_empty()) {
                    p.lead { (paragraph) }
                }
            }
            div.library-tools {
                form.search action="/search" method="get" role="search" aria-label=(shell.pick("在本库搜索", "Search this library")) {
                    label.unseen for="within" { (shell.pick("在本库搜索", "Search this library")) }
                    input id="within" type="search" name="q" maxlength="1000" autocomplete="off"
                        placeholder=(shell.pick("在本库搜索", "Search this library"));
                    input type="hidden" name="library" value=(view.slug);
                    button type="submit" aria-label=(shell.pick("在本库搜索", "Search this library")) { (icon(Icon::Search)) }
                }
                @if view.may_upload {
                    a.button href=(format!("/studio?library={}", view.slug)) {
                        (icon(Icon::Upload)) (shell.pick("上传到本库", "Upload here"))
                    }
                }
                @if let Some(href) = &view.look_href {
                    a.button.quiet href=(href) { (shell.pick("布置首页", "Arrange this page")) }
                }
            }
        }
    }
}

fn kind_tabs(shell: &Shell, view: &LibraryView, path: &str) -> Markup {
    html! {
        @if view.kinds.len() > 1 {
            nav.tabs aria-label=(shell.pick("按类型", "By kind")) {
                a href=(path) aria-current=[view.kind.is_none().then_some("page")] {
                    (shell.pick("全部", "All")) span.number { (view.resources) }
                }
                @for (kind, count) in &view.kinds {
                    a href=(format!("{path}?kind={}", kind.as_str()))
                        aria-current=[(view.kind == Some(*kind)).then_some("page")] {
                        (kind_word(shell.lang, *kind)) span.number { (count) }
                    }
                }
            }
        }
    }
}

/// Libraries as cards.
pub(super) fn library_tiles(shell: &Shell, libraries: &[LibraryTile]) -> Markup {
    html! {
        ul.library-tiles data-grid {
            @for library in libraries {
                li {
                    article.library-tile {
                        span.library-mark aria-hidden="true" { (initial(&library.name)) }
                        div {
                            h3 { a href=(library.href) { (library.name) } }
                            @if !library.description.is_empty() { p.library-says { (library.description) } }
                            p.library-count { (shell.lang.count(library.resources, "项资源", "resource", "resources")) }
                        }
                    }
                }
            }
        }
    }
}

fn initial(name: &str) -> String {
    name.chars().find(|sign| sign.is_alphanumeric()).map(String::from).unwrap_or_default()
}
