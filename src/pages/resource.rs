//! A resource: what it plays or shows, what is in it, what is known about it.

use maud::{Markup, html};

use super::{
    CopyView, MediaView, MomentView, PictureView, ResourceTile, Shell, complaint,
    copy::{copied_from, copy_form},
    embed::{head as share_head, share},
    facts::{downloads, facts},
    icon::{Icon, icon},
    layout::{Page, document},
    local_mark::local_mark,
    media::{beside, media, slides},
    schema_org::json_ld,
    search::moment,
    tile::tiles,
    words::{rfc3339, stage_word},
};
use crate::catalogue::{Kind, Particulars, Stage, Vouched};

/// What a resource's page shows.
#[derive(Clone, Debug)]
pub struct ResourceView {
    /// `/resources/{id}`.
    pub path: String,
    /// The title.
    pub title: String,
    /// Plain text; paragraphs are parted by line breaks.
    pub description: String,
    /// What it is.
    pub kind: Kind,
    /// How far it has come; told unless it is published.
    pub stage: Stage,
    /// The name of its library.
    pub library_name: String,
    /// `/libraries/{slug}`.
    pub library_href: String,
    /// Who made it; may be empty.
    pub author: String,
    /// BCP 47.
    pub language: Option<String>,
    /// The language as a word.
    pub language_name: Option<String>,
    /// SPDX id or words; may be empty.
    pub licence: String,
    /// The licence as a word; may be empty.
    pub licence_name: String,
    /// Where the licence can be read.
    pub licence_href: Option<String>,
    /// Topics, each leading to a search.
    pub topics: Vec<TermLink>,
    /// Audiences, each leading to a search.
    pub audiences: Vec<TermLink>,
    /// Since when it is public, Unix time in milliseconds.
    pub published_ms: Option<i64>,
    /// Length of video and audio, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Pages of a document.
    pub pages: Option<u32>,
    /// The poster's URL, ticket prefix included.
    pub poster: Option<String>,
    /// What it plays or shows.
    pub media: MediaView,
    /// A sentence beside the media, such as how far the processing is.
    pub notice: Option<String>,
    /// The query that led here, from `?q=`; its words are marked.
    pub query: String,
    /// Whether there is text in it to search: what is said, written on pages or slides.
    pub searchable: bool,
    /// Where the query is met in this resource.
    pub moments: Vec<MomentView>,
    /// The original and what else can be taken away.
    pub downloads: Vec<Download>,
    /// `/studio/resources/{id}`, when the visitor may change it.
    pub edit_href: Option<String>,
    /// `/review/{id}`, when the visitor reads what is handed in there.
    pub review_href: Option<String>,
    /// Others that belong beside it.
    pub related: Vec<ResourceTile>,
    /// Where it comes from and is opened, when that is elsewhere.
    pub home: Option<HomeLink>,
    /// What it was copied from.
    pub copied_from: Option<HomeLink>,
    /// How it can be copied, where it is opened elsewhere and the visitor looks after a library.
    pub copy: Option<CopyView>,
    /// What else is known of it.
    pub particulars: Particulars,
    /// Name of the division that it is about, where its code is known here.
    pub place_name: Option<String>,
    /// Who vouches for what is local about it, the highest level first.
    pub vouched: Vec<Vouched>,
    /// `/resources/{id}/vouch`, when the visitor may vouch for it.
    pub vouch_href: Option<String>,
    /// Dublin Core: name, language of the text, text.
    pub dublin_core: Vec<(String, Option<String>, String)>,
}

/// Another repository, where a resource is opened.
#[derive(Clone, Debug)]
pub struct HomeLink {
    /// Its name.
    pub name: String,
    /// The resource there, http or https.
    pub href: String,
}

/// A word of a controlled list that leads to a search.
#[derive(Clone, Debug)]
pub struct TermLink {
    /// As shown.
    pub label: String,
    /// The search.
    pub href: String,
}

/// A file to take away.
#[derive(Clone, Debug)]
pub struct Download {
    /// Its URL, ticket prefix included.
    pub href: String,
    /// As shown, such as the file's name.
    pub label: String,
    /// Its size in bytes.
    pub size_bytes: Option<u64>,
}

/// A resource's page.
#[must_use]
pub fn resource(shell: &Shell, view: &ResourceView) -> Markup {
    let public = view.stage == Stage::Published;
    let summary: String = view.description.split_whitespace().collect::<Vec<_>>().join(" ");
    let summary: String = summary.chars().take(160).collect();
    let assets = &shell.assets;
    let (styles, scripts) = match view.media {
        MediaView::Play(_) => (vec![assets.player_css.as_str()], vec![assets.player.as_str()]),
        MediaView::Read(_)
        | MediaView::Book(_)
        | MediaView::Picture(PictureView { words: Some(_), .. }) => {
            (vec![], vec![assets.viewer.as_str()])
        }
        _ => (vec![], vec![]),
    };
    let page = Page {
        description: Some(summary.as_str()).filter(|text| !text.is_empty()),
        search: Some(&view.query),
        canonical: Some(view.home.as_ref().map_or(&view.path, |home| &home.href)),
        picture: view.poster.as_deref().filter(|_| public),
        json_ld: (public && view.home.is_none()).then(|| json_ld(shell, view)),
        head: if public {
            share_head(shell, view)
        } else {
            html! {}
        },
        styles,
        scripts,
        ..Page::plain(&view.title, "resource-page", body(shell, view))
    };
    document(shell, &page)
}

fn body(shell: &Shell, view: &ResourceView) -> Markup {
    let plays = matches!(view.media, MediaView::Play(_));
    let panels = plays && has_panels(view);
    html! {
        div.wrap.resource-layout.with-panels[panels] {
            div.resource-media {
                (stage_notice(shell, view))
                @if let Some(notice) = &view.notice { p.notice role="status" { (notice) } }
                @if !plays { (moments(shell, view)) }
                @if let Some(home) = &view.home { (at_home(shell, home)) }
                @else { (media(shell, &view.media, &view.title, &view.query)) }
                (slides(shell, &view.media, &view.path))
            }
            (head(shell, view))
            @if panels {
                aside.resource-panels aria-label=(shell.pick("内容导览", "Inside")) {
                    (moments(shell, view))
                    (beside(shell, &view.media, &view.path))
                }
            }
            div.resource-about {
                @if let Some(home) = &view.copied_from { (copied_from(shell, home)) }
                (local_mark(shell, view))
                @if !view.description.trim().is_empty() {
                    div.prose {
                        @for line in view.description.lines().filter(|line| !line.trim().is_empty()) { p { (line) } }
                    }
                }
                div.resource-facts {
                    (facts(shell, view))
                    (downloads(shell, view))
                    @if view.stage == Stage::Published && view.home.is_none() { (share(shell, view)) }
                }
                @if let Some(copy) = &view.copy { (copy_form(shell, copy)) }
                @if view.stage == Stage::Published { (complaint::form(shell, &view.path)) }
            }
        }
        @if !view.related.is_empty() {
            section.wrap.band aria-labelledby="related" {
                div.band-head { h2 id="related" { (shell.pick("接着学", "Next")) } }
                (tiles(shell, &view.related))
            }
        }
    }
}

/// The way to where it is opened.
fn at_home(shell: &Shell, home: &HomeLink) -> Markup {
    html! {
        div.stage-frame.nothing.at-home {
            p { (icon(Icon::Library)) (shell.pick("来自", "From ")) (home.name) }
            a.button.primary href=(home.href) rel="noopener" {
                (shell.pick("到来源打开", "Open it there"))
            }
        }
    }
}

fn has_panels(view: &ResourceView) -> bool {
    let inside = match &view.media {
        MediaView::Play(play) => !play.chapters.is_empty() || !play.transcript.is_empty(),
        _ => false,
    };
    inside || view.searchable || !view.moments.is_empty()
}

fn head(shell: &Shell, view: &ResourceView) -> Markup {
    html! {
        header.resource-head {
            div {
                h1 { (view.title) }
                p.byline {
                    a href=(view.library_href) { (icon(Icon::Library)) (view.library_name) }
                    @if !view.author.is_empty() { span { (view.author) } }
                    @if let Some(ms) = view.published_ms { time datetime=(rfc3339(ms)) { (shell.lang.day(ms, &shell.zone)) } }
                }
            }
            div.actions {
                @if let Some(href) = &view.review_href { a.button.quiet href=(href) { (shell.pick("审核与下架", "Review, withdraw")) } }
                @if let Some(href) = &view.edit_href { a.button.quiet href=(href) { (shell.pick("编辑", "Edit")) } }
            }
        }
    }
}

fn stage_notice(shell: &Shell, view: &ResourceView) -> Markup {
    html! {
        @if view.stage != Stage::Published {
            p.notice {
                strong.stage data-stage=(view.stage.as_str()) { (stage_word(shell.lang, view.stage)) }
                (shell.pick("只有本库的人能看到这一页。", "Only the people of its library see this page."))
            }
        }
    }
}

/// A search within the resource, and where it found something.
fn moments(shell: &Shell, view: &ResourceView) -> Markup {
    let label = shell.pick("在本资源中查找", "Search in this");
    html! {
        @if view.searchable {
            form.search.within action=(view.path) method="get" role="search" aria-label=(label) {
                input type="search" name="q" value=(view.query) maxlength="1000" autocomplete="off"
                    enterkeyhint="search" aria-label=(label) placeholder=(label);
                button type="submit" aria-label=(label) { (icon(Icon::Search)) }
            }
            @if view.moments.is_empty() && !view.query.is_empty() {
                p.notice role="status" { (shell.pick("这里没有", "Not found here: ")) "“" (view.query) "”" }
            }
        }
        @if !view.moments.is_empty() {
            details.panel open {
                summary {
                    (icon(Icon::Search))
                    span { "“" (view.query) "”" (shell.pick("出现在", " is at")) }
                    span.number { (view.moments.len()) }
                }
                ul.moments data-moments { @for one in &view.moments { li { (moment(shell, one)) } } }
            }
        }
    }
}
