//! A resource inside a page of another site, and how one brings it there.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    MediaView, ResourceView, Shell,
    icon::{Icon, icon},
    media::media,
};

/// What an embedded resource shows.
#[derive(Clone, Debug)]
pub struct EmbedView {
    /// `/resources/{id}`.
    pub path: String,
    /// The title.
    pub title: String,
    /// Its poster's URL.
    pub poster: Option<String>,
    /// What it plays or shows.
    pub media: MediaView,
}

/// The page that other sites frame: the player, and a way to the whole page.
#[must_use]
pub fn embed(shell: &Shell, view: &EmbedView) -> Markup {
    let assets = &shell.assets;
    let (style, script) = match &view.media {
        MediaView::Play(_) => (Some(&assets.player_css), Some(&assets.player)),
        MediaView::Read(_) => (None, Some(&assets.viewer)),
        _ => (None, None),
    };
    let home = format!("{}{}", shell.origin, view.path);
    html! {
        (DOCTYPE)
        html lang=(shell.lang.tag()) {
            head {
                meta charset="utf-8";
                title { (view.title) " · " (shell.net_name) }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                link rel="canonical" href=(home);
                link rel="icon" href=(assets.favicon) type="image/svg+xml";
                link rel="stylesheet" href=(assets.css);
                @if let Some(style) = style { link rel="stylesheet" href=(style); }
                @if let Some(script) = script { script type="module" src=(script) {} }
            }
            body.embed {
                main id="main" {
                    @match &view.media {
                        // Chapters may be framed by our own pages alone.
                        MediaView::Book(_) | MediaView::Download | MediaView::Nothing { .. } => {
                            a.embed-cover href=(home) target="_blank" rel="noopener" {
                                @if let Some(poster) = &view.poster { img src=(poster) alt=""; }
                                span.button { (shell.pick("打开阅读", "Open to read")) }
                            }
                        }
                        shown => (media(shell, shown, &view.title, "")),
                    }
                }
                footer {
                    a href=(home) target="_blank" rel="noopener" { (view.title) }
                    span { (shell.net_name) }
                }
            }
        }
    }
}

/// The code that shows `address` in a page of another site.
#[must_use]
pub fn embed_code(address: &str, title: &str, width: u32, height: u32) -> String {
    html! {
        iframe src=(address) title=(title) width=(width) height=(height) frameborder="0"
            allow="fullscreen; picture-in-picture" allowfullscreen loading="lazy" {}
    }
    .into_string()
}

/// Address and code to take away; for what is public.
pub(super) fn share(shell: &Shell, view: &ResourceView) -> Markup {
    let page = format!("{}{}", shell.origin, view.path);
    let height = match &view.media {
        MediaView::Play(play) if play.video => {
            let (width, height) = play.size.unwrap_or((16, 9));
            (640 * height).checked_div(width).unwrap_or(360)
        }
        MediaView::Play(_) => 240,
        _ => 480,
    };
    let code =
        embed_code(&format!("{}{}", shell.origin, embed_path(view)), &view.title, 640, height);
    html! {
        details.share {
            summary { (icon(Icon::Share)) span { (shell.pick("分享与嵌入", "Share and embed")) } }
            label { span { (shell.pick("网址", "Address")) } input type="text" readonly value=(page); }
            label {
                span { (shell.pick("嵌入代码", "Code to embed")) }
                textarea readonly rows="3" spellcheck="false" { (code) }
            }
            p.hint {
                (shell.pick("嵌入地址后加 ?t=83 就从第 83 秒开始。", "With ?t=83 after the embedded address it begins at second 83."))
            }
        }
    }
}

/// `/embed/{id}`
fn embed_path(view: &ResourceView) -> String {
    view.path.replacen("/resources/", "/embed/", 1)
}

/// What other sites and people's programs read in the head of a public resource's page: Dublin
/// Core (DCMI's DC-HTML), the Open Graph beside what every page has, oEmbed.
pub(super) fn head(shell: &Shell, view: &ResourceView) -> Markup {
    let page = format!("{}{}", shell.origin, view.path);
    let oembed = |format: &str| {
        let page = super::home::encode(&page);
        format!("{}/api/oembed?format={format}&url={page}", shell.origin)
    };
    let video = match &view.media {
        MediaView::Play(play) if play.video => Some(play.size.unwrap_or((1280, 720))),
        _ => None,
    };
    html! {
        link rel="schema.DC" href="http://purl.org/dc/elements/1.1/";
        @for (name, language, text) in &view.dublin_core {
            meta name=(name) lang=[language.as_deref()] content=(text);
        }
        meta property="og:type" content=(if video.is_some() { "video.other" } else { "article" });
        @if let Some((width, height)) = video {
            meta property="og:video" content=(format!("{}{}", shell.origin, embed_path(view)));
            meta property="og:video:type" content="text/html";
            meta property="og:video:width" content=(width);
            meta property="og:video:height" content=(height);
            @if let Some(ms) = view.duration_ms { meta property="video:duration" content=(ms / 1000); }
        }
        meta name="twitter:card" content=(if view.poster.is_some() { "summary_large_image" } else { "summary" });
        link rel="alternate" type="application/json+oembed" href=(oembed("json")) title=(view.title);
        link rel="alternate" type="text/xml+oembed" href=(oembed("xml")) title=(view.title);
    }
}

/// Links to the feeds of what a page shows; `query` begins with a question mark or is empty.
pub(super) fn feeds(shell: &Shell, query: &str) -> Markup {
    let newest = shell.pick("最新资源", "Newest resources");
    let one = |form: &str, media_type: &str| {
        html! {
            link rel="alternate" type=(media_type) title=(newest) href=(format!("/feed/{form}{query}"));
        }
    };
    PreEscaped(
        one("rss", "application/rss+xml").into_string()
            + &one("atom", "application/atom+xml").into_string(),
    )
}
