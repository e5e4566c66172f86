//! The front page of the net: one search over every library.

use maud::{Markup, html};

use super::{
    CourseTile, LibraryTile, ResourceTile, Shell,
    course::course_tiles,
    embed::feeds,
    icon::{Icon, icon},
    layout::{Page, document, search_form},
    library::library_tiles,
    resource::TermLink,
    tile::tiles,
};

/// What the front page shows.
#[derive(Clone, Debug)]
pub struct HomeView {
    /// One sentence below the name of the net; empty shows the default one.
    pub tagline: String,
    /// Example queries under the search box, such as `剪纸`; may be empty.
    pub examples: Vec<String>,
    /// Public resources in all.
    pub resources: u64,
    /// Libraries in all.
    pub libraries_total: u64,
    /// The first libraries.
    pub libraries: Vec<LibraryTile>,
    /// The newest public resources.
    pub newest: Vec<ResourceTile>,
    /// The newest public courses.
    pub courses: Vec<CourseTile>,
    /// Topics that have resources; `href` leads to a search.
    pub topics: Vec<TermLink>,
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
        div.wrap {
            @if view.newest.is_empty() { (empty(shell)) } @else { (newest(shell, view)) }
            @if !view.courses.is_empty() { (courses(shell, view)) }
            @if !view.topics.is_empty() { (topics(shell, view)) }
            @if !view.libraries.is_empty() { (libraries(shell, view)) }
        }
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

fn hero(shell: &Shell, view: &HomeView, tagline: &str) -> Markup {
    html! {
        section.hero {
            div.wrap {
                h1 { (shell.net_name) }
                p.tagline { (tagline) }
                (search_form(shell, "", "q", &[]))
                @if !view.examples.is_empty() {
                    p.examples {
                        span { (shell.pick("试试", "Try")) }
                        @for example in &view.examples {
                            a href=(format!("/search?q={}", encode(example))) { (example) }
                        }
                    }
                }
            }
        }
    }
}

fn newest(shell: &Shell, view: &HomeView) -> Markup {
    html! {
        section.band aria-labelledby="newest" {
            div.band-head {
                h2 id="newest" { (shell.pick("新近上线", "New")) }
                a.more href="/search" {
                    (shell.lang.count(view.resources, "项资源", "resource", "resources")) (icon(Icon::Right))
                }
            }
            (tiles(shell, &view.newest))
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
            ul.topics {
                @for topic in &view.topics { li { a href=(topic.href) { (topic.label) } } }
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
