//! Libraries by region: the tree of divisions, and the page of one of them.

use maud::{Markup, html};

use super::{
    ResourceTile, Shell,
    icon::{Icon, icon},
    layout::{Page, document},
    map::{Dot, map},
    tile::tiles,
};
use crate::catalogue::Level;

/// A region in the tree: what has libraries, and what is below it.
#[derive(Clone, Debug)]
pub struct RegionNode {
    /// `/regions/{code}`.
    pub href: String,
    /// Its name.
    pub name: String,
    /// Libraries of it and of all below.
    pub libraries: u64,
    /// Public resources in these.
    pub resources: u64,
    /// Its own libraries.
    pub own: Vec<LibraryLink>,
    /// Regions right below that have libraries.
    pub below: Vec<RegionNode>,
}

/// A library in a list of names.
#[derive(Clone, Debug)]
pub struct LibraryLink {
    /// `/libraries/{slug}`.
    pub href: String,
    /// Its name.
    pub name: String,
    /// Public resources in it.
    pub resources: u64,
    /// Only its people see it.
    pub internal: bool,
}

/// A link of the way down to a page.
#[derive(Clone, Debug)]
pub struct Crumb {
    /// Where it leads.
    pub href: String,
    /// As shown.
    pub label: String,
}

/// A region right below another.
#[derive(Clone, Debug)]
pub struct RegionRow {
    /// `/regions/{code}`.
    pub href: String,
    /// Its name.
    pub name: String,
    /// Libraries of it and of all below.
    pub libraries: u64,
    /// Public resources in these.
    pub resources: u64,
    /// Regions right below it.
    pub below: u64,
}

/// The page of a region.
#[derive(Clone, Debug)]
pub struct RegionView {
    /// Its address.
    pub path: String,
    /// The regions above it, from the top.
    pub crumbs: Vec<Crumb>,
    /// Its name; empty on the page of all regions.
    pub name: String,
    /// How far up it is.
    pub level: Option<Level>,
    /// Whom to ask and how; may be empty.
    pub contact: String,
    /// Address; may be empty.
    pub place: String,
    /// Libraries of it and of all below.
    pub libraries: u64,
    /// Public resources in these.
    pub resources: u64,
    /// Its own libraries.
    pub own: Vec<LibraryLink>,
    /// Regions right below, all of them.
    pub below: Vec<RegionRow>,
    /// Where those that have libraries are.
    pub dots: Vec<Dot>,
    /// The newest resources of its libraries and of those below.
    pub newest: Vec<ResourceTile>,
}

/// The page of a region.
#[must_use]
pub fn region(shell: &Shell, view: &RegionView) -> Markup {
    let all = shell.pick("按地区找资源库", "Libraries by region");
    let title = if view.name.is_empty() { all } else { &view.name };
    let body = html! {
        div.wrap.region-page {
            (head(shell, view, title))
            @if !view.own.is_empty() { (own(shell, view)) }
            @if !view.below.is_empty() { (below(shell, view)) }
            @if view.newest.is_empty() {
                section.empty {
                    h2 { (shell.pick("这里还没有公开的资源", "Nothing is public here yet")) }
                    p { (shell.pick("可以看看上一级，或者在全网搜索。", "Look one level up, or search the whole net.")) }
                }
            } @else {
                section.band aria-labelledby="newest" {
                    div.band-head { h2 id="newest" { (shell.pick("新近上线", "New")) } }
                    (tiles(shell, &view.newest))
                }
            }
        }
    };
    document(
        shell,
        &Page { canonical: Some(&view.path), ..Page::plain(title, "region-main", body) },
    )
}

fn head(shell: &Shell, view: &RegionView, title: &str) -> Markup {
    html! {
        header.page-head {
            (crumbs(shell, &view.crumbs))
            h1 { (title) }
            p.lead {
                @if let Some(level) = view.level { (level_word(shell, level)) " · " }
                (shell.lang.count(view.libraries, "个资源库", "library", "libraries")) " · "
                (shell.lang.count(view.resources, "项资源", "resource", "resources"))
            }
            @if !view.contact.is_empty() || !view.place.is_empty() {
                p.region-contact {
                    @if !view.place.is_empty() { span { (icon(Icon::Place)) (view.place) } }
                    @if !view.contact.is_empty() { span { (icon(Icon::User)) (view.contact) } }
                }
            }
        }
    }
}

fn level_word(shell: &Shell, level: Level) -> &str {
    match level {
        Level::City => shell.pick("市", "City"),
        Level::District => shell.pick("区县", "District or county"),
        Level::Township => shell.pick("乡镇街道", "Township or street"),
        Level::Community => shell.pick("村居社区", "Village or community"),
    }
}

/// The way down to a page.
pub(super) fn crumbs(shell: &Shell, crumbs: &[Crumb]) -> Markup {
    html! {
        nav.crumbs aria-label=(shell.pick("位置", "Where this is")) {
            ol { @for crumb in crumbs { li { a href=(crumb.href) { (crumb.label) } } } }
        }
    }
}

fn own(shell: &Shell, view: &RegionView) -> Markup {
    html! {
        section.band aria-labelledby="own" {
            div.band-head { h2 id="own" { (shell.pick("本级资源库", "Its own libraries")) } }
            (shelf(shell, &view.own))
        }
    }
}

fn below(shell: &Shell, view: &RegionView) -> Markup {
    // Those without libraries come after, so that hundreds of villages do not hide the few.
    let (with, without): (Vec<_>, Vec<_>) = view.below.iter().partition(|row| row.libraries > 0);
    html! {
        section.band aria-labelledby="below" {
            div.band-head { h2 id="below" { (shell.pick("下级地区", "Below it")) } }
            div.region-layout.with-map[!view.dots.is_empty()] {
                (map(shell, &view.dots))
                @if !with.is_empty() { ul.region-rows data-grid { @for one in &with { li { (row(shell, one)) } } } }
            }
            @if !without.is_empty() {
                details.region-rest open[with.is_empty() && without.len() <= 60] {
                    summary {
                        (shell.pick("还没有资源库的", "Without libraries so far"))
                        " " span.number { (without.len()) }
                    }
                    ul.region-names { @for one in &without { li { a href=(one.href) { (one.name) } } } }
                }
            }
        }
    }
}

fn row(shell: &Shell, row: &RegionRow) -> Markup {
    html! {
        a.region-row href=(row.href) {
            strong { (row.name) }
            span.number {
                (shell.lang.count(row.libraries, "个资源库", "library", "libraries")) " · "
                (shell.lang.count(row.resources, "项资源", "resource", "resources"))
            }
            @if row.below > 0 {
                span.number { (shell.pick("下辖", "Below it: ")) " " (row.below) }
            }
        }
    }
}

/// Libraries as a list of names.
pub(super) fn shelf(shell: &Shell, libraries: &[LibraryLink]) -> Markup {
    html! {
        ul.shelf data-grid {
            @for library in libraries {
                li {
                    a href=(library.href) {
                        (icon(if library.internal { Icon::Lock } else { Icon::Library }))
                        span { (library.name) }
                        @if library.internal { span.unseen { (shell.pick("（内部）", " (internal)")) } }
                        span.number { (library.resources) }
                    }
                }
            }
        }
    }
}

/// Regions that have libraries, as a tree that opens and closes without scripts.
pub(super) fn tree(shell: &Shell, regions: &[RegionNode]) -> Markup {
    html! {
        @for top in regions {
            div.tree {
                p.tree-top {
                    a href=(top.href) { (top.name) }
                    (told(shell, top))
                }
                @if !top.own.is_empty() { (shelf(shell, &top.own)) }
                @if !top.below.is_empty() {
                    div.branches { @for below in &top.below { (branch(shell, below)) } }
                }
            }
        }
    }
}

/// A region with one library and nothing below is that library.
fn branch(shell: &Shell, node: &RegionNode) -> Markup {
    html! {
        details.branch {
            summary { strong { (node.name) } (told(shell, node)) }
            ul.leaves {
                @for library in &node.own { li { (leaf(shell, library)) } }
                @for below in &node.below {
                    @if below.below.is_empty() {
                        @for library in &below.own { li { (leaf(shell, library)) } }
                    } @else {
                        li { (branch(shell, below)) }
                    }
                }
                li { a.more href=(node.href) { (shell.pick("进入", "Go to ")) (node.name) (icon(Icon::Right)) } }
            }
        }
    }
}

fn leaf(shell: &Shell, library: &LibraryLink) -> Markup {
    html! {
        a.leaf href=(library.href) {
            span { (library.name) }
            span.number {
                (library.resources) span.unseen { (shell.pick(" 项资源", " resources")) }
            }
        }
    }
}

fn told(shell: &Shell, node: &RegionNode) -> Markup {
    html! {
        span.number {
            (shell.lang.count(node.libraries, "个资源库", "library", "libraries")) " · "
            (shell.lang.count(node.resources, "项资源", "resource", "resources"))
        }
    }
}
