//! The front page of the net: one search over every library, what is new, what is where.

use maud::{Markup, html};

use super::{
    CourseTile, LibraryTile, ResourceTile, Shell,
    course::course_tiles,
    embed::feeds,
    icon::{Icon, icon},
    layout::{Page, document, search_form},
    library::library_tiles,
    map::{Dot, map},
    region::{LibraryLink, RegionNode, shelf, tree},
    tile::tiles,
    words::grouped,
};

/// The newest resources that the elder mode shows.
pub const ELDER_NEWEST: usize = 6;

/// What the front page shows. The elder mode shows the visitor's own libraries, the audiences and
/// the newest.
#[derive(Clone, Debug, Default)]
pub struct HomeView {
    /// One sentence below the name of the net; empty shows the default one.
    pub tagline: String,
    /// Example queries under the search box, such as `剪纸`; may be empty.
    pub examples: Vec<String>,
    /// Public resources in all.
    pub resources: u64,
    /// How long all public videos are together, in milliseconds.
    pub video_ms: u64,
    /// Organisations in all.
    pub organisations: u64,
    /// Public libraries in all.
    pub libraries_total: u64,
    /// Libraries in which the visitor has a role.
    pub mine: Vec<LibraryLink>,
    /// Libraries as cards: those of the whole net, or the first where there are no regions.
    pub libraries: Vec<LibraryTile>,
    /// The newest public resources.
    pub newest: Vec<ResourceTile>,
    /// The newest public courses.
    pub courses: Vec<CourseTile>,
    /// The newest resource of each library of a township or community.
    pub treasures: Vec<ResourceTile>,
    /// They are what organisations vouch for; else the newest of towns and villages.
    pub vouched: bool,
    /// Topics that have resources; `href` leads to a search.
    pub topics: Vec<TermCount>,
    /// Audiences that have resources.
    pub audiences: Vec<TermCount>,
    /// Regions that have libraries, from the top.
    pub regions: Vec<RegionNode>,
    /// Where some of them are.
    pub dots: Vec<Dot>,
}

/// A word of a controlled list that leads to a search, with how much it finds.
#[derive(Clone, Debug)]
pub struct TermCount {
    /// As stored.
    pub code: String,
    /// As shown.
    pub label: String,
    /// The search.
    pub href: String,
    /// Public resources that have it.
    pub resources: u64,
}

/// The front page.
#[must_use]
pub fn home(shell: &Shell, view: &HomeView) -> Markup {
    let tagline = if view.tagline.is_empty() {
        shell.pick(
            "一次搜索，找到视频里的那一秒、文档里的那一页。",
            "One search, down to the second of a video and the page of a document.",
        )
    } else {
        &view.tagline
    };
    let body = html! {
        (hero(shell, view, tagline))
        div.wrap { @if shell.elder { (few(shell, view)) } @else { (all(shell, view)) } }
    };
    let page = Page {
        description: Some(tagline),
        search: None,
        canonical: Some("/"),
        json_ld: Some(website(shell)),
        head: feeds(shell, ""),
        ..Page::plain(&shell.net_name, "home", body)
    };
    document(shell, &page)
}

fn all(shell: &Shell, view: &HomeView) -> Markup {
    html! {
        @if !view.mine.is_empty() { (mine(shell, view)) }
        @if view.newest.is_empty() { (empty(shell)) } @else { (newest(shell, view, usize::MAX)) }
        @if !view.courses.is_empty() { (courses(shell, view)) }
        @if !view.audiences.is_empty() { (audiences(shell, &view.audiences)) }
        @if !view.topics.is_empty() { (topics(shell, view)) }
        @if !view.treasures.is_empty() { (treasures(shell, view)) }
        @if !view.regions.is_empty() { (regions(shell, view)) }
        @if !view.libraries.is_empty() { (libraries(shell, view)) }
    }
}

/// The front page in the elder mode: what most come for, and nothing else.
fn few(shell: &Shell, view: &HomeView) -> Markup {
    let mut elders_first = view.audiences.clone();
    elders_first.sort_by_key(|audience| audience.code != "elders");
    html! {
        @if !view.mine.is_empty() { (mine(shell, view)) }
        @if !view.audiences.is_empty() { (audiences(shell, &elders_first)) }
        @if view.newest.is_empty() { (empty(shell)) } @else { (newest(shell, view, ELDER_NEWEST)) }
    }
}

fn hero(shell: &Shell, view: &HomeView, tagline: &str) -> Markup {
    html! {
        section.hero {
            div.wrap {
                h1 { (shell.net_name) }
                p.tagline { (tagline) }
                (search_form(shell, "", "q", &[]))
                @if !view.examples.is_empty() && !shell.elder {
                    p.examples {
                        span { (shell.pick("试试", "Try")) }
                        @for example in &view.examples {
                            a href=(format!("/search?q={}", encode(example))) { (example) }
                        }
                    }
                }
                @if view.resources > 0 && !shell.elder { (statistics(shell, view)) }
            }
        }
    }
}

fn statistics(shell: &Shell, view: &HomeView) -> Markup {
    let (length, unit) = hours(shell, view.video_ms);
    let told = [
        (grouped(view.libraries_total), shell.pick("个资源库", "libraries")),
        (grouped(view.resources), shell.pick("项资源", "resources")),
        (length, unit),
        (grouped(view.organisations), shell.pick("个机构", "organisations")),
    ];
    html! {
        dl.statistics {
            @for (number, word) in told.iter().filter(|(number, _)| number != "0") {
                div { dt { (word) } dd { (number) } }
            }
        }
    }
}

/// A length as a number and its unit: minutes below an hour, tenths of hours below ten.
fn hours(shell: &Shell, ms: u64) -> (String, &str) {
    let minutes = ms / 60_000;
    let unit = shell.pick("小时视频", "hours of video");
    match minutes {
        0..60 => (minutes.to_string(), shell.pick("分钟视频", "minutes of video")),
        60..600 => (format!("{}.{}", minutes / 60, minutes % 60 / 6), unit),
        _ => (grouped(minutes / 60), unit),
    }
}

fn mine(shell: &Shell, view: &HomeView) -> Markup {
    html! {
        section.band aria-labelledby="mine" {
            div.band-head { h2 id="mine" { (shell.pick("我的资源库", "My libraries")) } }
            (shelf(shell, &view.mine))
        }
    }
}

fn newest(shell: &Shell, view: &HomeView, most: usize) -> Markup {
    html! {
        section.band aria-labelledby="newest" {
            div.band-head {
                h2 id="newest" { (shell.pick("新近上线", "New")) }
                a.more href="/search" {
                    (shell.lang.count(view.resources, "项资源", "resource", "resources")) (icon(Icon::Right))
                }
            }
            (tiles(shell, &view.newest[..view.newest.len().min(most)]))
        }
    }
}

fn courses(shell: &Shell, view: &HomeView) -> Markup {
    html! {
        section.band aria-labelledby="courses" {
            div.band-head {
                h2 id="courses" { (shell.pick("系统学一门课", "Courses")) }
                a.more href="/search?kind=course" { (shell.pick("全部课程", "All courses")) (icon(Icon::Right)) }
            }
            (course_tiles(shell, &view.courses))
        }
    }
}

fn topics(shell: &Shell, view: &HomeView) -> Markup {
    html! {
        section.band aria-labelledby="topics" {
            div.band-head { h2 id="topics" { (shell.pick("按主题看", "By topic")) } }
            ul.topics data-grid {
                @for topic in &view.topics {
                    li { a href=(topic.href) { (topic.label) span.number { (grouped(topic.resources)) } } }
                }
            }
        }
    }
}

fn audiences(shell: &Shell, audiences: &[TermCount]) -> Markup {
    html! {
        section.band aria-labelledby="audiences" {
            div.band-head { h2 id="audiences" { (shell.pick("给谁学", "For whom")) } }
            ul.audiences data-grid {
                @for audience in audiences {
                    li {
                        a href=(audience.href) data-audience=(audience.code) {
                            span.audience-sign aria-hidden="true" { (sign(&audience.code)) }
                            strong { (audience.label) }
                            span.number { (shell.lang.count(audience.resources, "项资源", "resource", "resources")) }
                        }
                    }
                }
            }
        }
    }
}

/// One sign that stands for an audience, as on a seal.
fn sign(code: &str) -> &'static str {
    match code {
        "children" => "童",
        "youth" => "青",
        "workers" => "工",
        "farmers" => "农",
        "elders" => "长",
        "disabled" => "助",
        _ => "学",
    }
}

fn treasures(shell: &Shell, view: &HomeView) -> Markup {
    html! {
        section.band.treasures aria-labelledby="treasures" {
            @if view.vouched {
                div.band-head {
                    h2 id="treasures" { (shell.pick("乡土珍藏", "Local treasures")) }
                    a.more href="/search?local=true" { (shell.pick("全部地方特色", "All that is local")) }
                }
                p.lead { (shell.pick("带着地方特色、由当地机构认证的资源。", "Of this place, and vouched for by those who know it.")) }
            } @else {
                div.band-head { h2 id="treasures" { (shell.pick("乡土资源", "From towns and villages")) } }
                p.lead { (shell.pick("乡镇街道、村居社区的资源库里新上的。", "New in the libraries of townships and villages.")) }
            }
            (tiles(shell, &view.treasures))
        }
    }
}

fn regions(shell: &Shell, view: &HomeView) -> Markup {
    html! {
        section.band aria-labelledby="regions" {
            div.band-head {
                h2 id="regions" { (shell.pick("按地区找资源库", "Libraries by region")) }
                a.more href="/libraries" {
                    (shell.lang.count(view.libraries_total, "个资源库", "library", "libraries")) (icon(Icon::Right))
                }
            }
            div.region-layout.with-map[view.dots.len() > 1] {
                (map(shell, &view.dots))
                div { (tree(shell, &view.regions)) }
            }
        }
    }
}

fn libraries(shell: &Shell, view: &HomeView) -> Markup {
    html! {
        section.band aria-labelledby="libraries" {
            div.band-head {
                h2 id="libraries" { (shell.pick("资源库", "Libraries")) }
                a.more href="/libraries" {
                    (shell.lang.count(view.libraries_total, "个资源库", "library", "libraries")) (icon(Icon::Right))
                }
            }
            (library_tiles(shell, &view.libraries))
        }
    }
}

fn empty(shell: &Shell) -> Markup {
    html! {
        section.empty {
            h2 { (shell.pick("还没有公开的资源", "Nothing is public yet")) }
            p { (shell.pick("老师上传的视频、课件和文档发布以后，会出现在这里。", "Videos, slides and documents appear here once they are published.")) }
            @if shell.visitor.as_ref().is_some_and(|visitor| visitor.may_author) {
                p { a.button href="/studio" { (icon(Icon::Upload)) (shell.pick("去上传第一个", "Upload the first one")) } }
            }
        }
    }
}

/// schema.org `WebSite` with its search.
fn website(shell: &Shell) -> String {
    serde_json::json!({
        "@context": "https://schema.org",
        "@type": "WebSite",
        "name": shell.net_name,
        "url": format!("{}/", shell.origin),
        "inLanguage": "zh-CN",
        "potentialAction": {
            "@type": "SearchAction",
            "target": format!("{}/search?q={{search_term_string}}", shell.origin),
            "query-input": "required name=search_term_string",
        },
    })
    .to_string()
}

/// Percent-encodes a query value (RFC 3986: everything but unreserved characters).
pub(super) fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
