//! A collection: resources that a library shows together, with its words.

use maud::{Markup, html};

use super::{
    ResourceTile, Shell,
    icon::{Icon, icon},
    layout::{Page, document},
    tile::tiles,
};

/// What a collection's page shows.
#[derive(Clone, Debug)]
pub struct CollectionView {
    /// `/collections/{id}`.
    pub path: String,
    /// The title.
    pub title: String,
    /// Plain text; paragraphs are parted by line breaks.
    pub description: String,
    /// The name of its library.
    pub library_name: String,
    /// `/libraries/{slug}`.
    pub library_href: String,
    /// Its resources.
    pub resources: Vec<ResourceTile>,
    /// How many it has; its band on a library's page shows the first.
    pub total: u64,
    /// `/studio/collections/{id}`, when the visitor may change it.
    pub edit_href: Option<String>,
}

/// A collection's page.
#[must_use]
pub fn collection(shell: &Shell, view: &CollectionView) -> Markup {
    let body = html! {
        div.wrap {
            header.page-head {
                p.crumbs { a href=(view.library_href) { (icon(Icon::Library)) " " (view.library_name) } }
                h1 { (view.title) }
                @for line in view.description.lines().filter(|line| !line.trim().is_empty()) { p.lead { (line) } }
                @if let Some(href) = &view.edit_href { p { a.button.quiet href=(href) { (shell.pick("编辑专题", "Edit collection")) } } }
            }
            @if view.resources.is_empty() {
                section.empty { h2 { (shell.pick("这里还没有公开的资源", "Nothing is public here yet")) } }
            } @else {
                h2.unseen { (shell.pick("资源", "Resources")) }
                (tiles(shell, &view.resources))
            }
        }
    };
    let page = Page {
        description: Some(&view.description).filter(|text| !text.is_empty()).map(String::as_str),
        canonical: Some(&view.path),
        ..Page::plain(&view.title, "collection-page", body)
    };
    document(shell, &page)
}

/// Collections as bands of a library's page; those without resources are left out.
pub(super) fn collection_bands(shell: &Shell, collections: &[CollectionView]) -> Markup {
    html! {
        @for one in collections.iter().filter(|one| !one.resources.is_empty()) {
            section.band aria-label=(one.title) {
                div.band-head {
                    h2 { a href=(one.path) { (one.title) } }
                    a.more href=(one.path) { (shell.lang.count(one.total, "项资源", "resource", "resources")) (icon(Icon::Right)) }
                }
                @if let Some(line) = one.description.lines().find(|line| !line.trim().is_empty()) { p.lead.band-lead { (line) } }
                (tiles(shell, &one.resources))
            }
        }
    }
}
