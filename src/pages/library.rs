//! The list of libraries, and a library's own front page.

use maud::{Markup, html};

use super::{
    CollectionView, CourseTile, Paging, ResourceTile, Shell,
    collection::collection_bands,
    course::course_tiles,
    embed::feeds,
    icon::{Icon, icon},
    layout::{Page, document},
    paging::paging,
    tile::tiles,
    words::kind_word,
};
use crate::catalogue::Kind;

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
            @if !view.courses.is_empty() {
                section.band aria-labelledby="courses" {
                    div.band-head { h2 id="courses" { (shell.pick("课程", "Courses")) } }
                    (course_tiles(shell, &view.courses))
                }
            }
            (collection_bands(shell, &view.collections))
            @if !view.courses.is_empty() || !view.collections.is_empty() {
                div.band-head.band { h2 { (shell.pick("全部资源", "All resources")) } }
            }
            (kind_tabs(shell, view, &path))
            @if view.newest.is_empty() {
                section.empty { h2 { (shell.pick("这里还没有公开的资源", "Nothing is public here yet")) } }
            } @else {
                h2.unseen { (shell.pick("资源", "Resources")) }
                (tiles(shell, &view.newest))
            }
            (paging(shell, &view.paging))
        }
    };
    let page = Page {
        description: Some(&view.description).filter(|text| !text.is_empty()).map(String::as_str),
        canonical: Some(&path),
        head: feeds(shell, &format!("?library={}", view.slug)),
        ..Page::plain(&view.name, "library", body)
    };
    document(shell, &page)
}

fn library_head(shell: &Shell, view: &LibraryView) -> Markup {
    html! {
        header.library-head {
            span.library-mark aria-hidden="true" { (initial(&view.name)) }
            div {
                p.crumbs { a href="/libraries" { (shell.pick("资源库", "Libraries")) } }
                h1 { (view.name) }
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
        ul.library-tiles {
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
