//! What a resource's page plays or shows: video, audio, pages, a picture.

use maud::{Markup, html};

use super::{
    Lang, Shell,
    book::{BookView, book},
    home::encode,
    icon::{Icon, icon},
    words::clock,
};
use crate::catalogue::{Chapter, OutlineItem};

/// What can be played or shown of a resource; every URL has its ticket prefix already.
#[derive(Clone, Debug)]
pub enum MediaView {
    /// Video or audio.
    Play(PlayView),
    /// Pages.
    Read(ReadView),
    /// Chapters.
    Book(BookView),
    /// One picture.
    Picture(PictureView),
    /// Nothing to show in the page; it can be downloaded.
    Download,
    /// Nothing yet: it is being processed, or has failed. Tells why in a sentence.
    Nothing {
        /// The sentence.
        says: String,
    },
}

/// A video or an audio.
#[derive(Clone, Debug)]
pub struct PlayView {
    /// Under this name the position is kept in the browser: the resource's id.
    pub id: String,
    /// Moving pictures, or only sound.
    pub video: bool,
    /// The HLS multivariant playlist.
    pub hls: String,
    /// The DASH manifest.
    pub dash: Option<String>,
    /// The source and its media type, for browsers without scripts; only where browsers play it.
    pub original: Option<(String, String)>,
    /// The poster.
    pub poster: Option<String>,
    /// WebVTT of small pictures for the seek bar.
    pub storyboard: Option<String>,
    /// Width and height as shown, in pixels; decides the frame's shape.
    pub size: Option<(u32, u32)>,
    /// Captions, the one to be preferred first.
    pub captions: Vec<CaptionsView>,
    /// Named stretches.
    pub chapters: Vec<Chapter>,
    /// Slides inside it.
    pub slides: Vec<SlideView>,
    /// What is said, from the first captions.
    pub transcript: Vec<Cue>,
    /// BCP 47 of the transcript.
    pub transcript_language: Option<String>,
    /// Parts are still being made: what is loaded now does not reach the end.
    pub growing: bool,
}

/// Captions in one language.
#[derive(Clone, Debug)]
pub struct CaptionsView {
    /// URL of the WebVTT.
    pub src: String,
    /// BCP 47.
    pub language: String,
    /// As shown.
    pub label: String,
}

/// A slide inside a video.
#[derive(Clone, Debug)]
pub struct SlideView {
    /// When it is there, in milliseconds.
    pub start_ms: u64,
    /// When it is gone, in milliseconds.
    pub end_ms: u64,
    /// URL of its picture.
    pub image: String,
    /// Width and height of the picture, in pixels.
    pub size: (u32, u32),
    /// What is to be read on it; may be empty.
    pub text: String,
}

/// A line of a transcript.
#[derive(Clone, Debug)]
pub struct Cue {
    /// When it begins, in milliseconds.
    pub start_ms: u64,
    /// What is said, plain text.
    pub text: String,
}

/// A document as pictures of its pages.
#[derive(Clone, Debug)]
pub struct ReadView {
    /// The page shown first, from 1; from `?page=`.
    pub page: u32,
    /// Width and height of every page's large picture, in pixels, in order.
    pub sizes: Vec<(u32, u32)>,
    /// URL of a page's small picture (480 pixels wide), `{n}` standing for its number.
    pub small: String,
    /// URL of a page's large picture (1600 pixels wide), `{n}` standing for its number.
    pub large: String,
    /// URL of the JSON of a page's words, `{n}` standing for its number:
    /// `{"words":[{"x":0.1,"y":0.2,"w":0.05,"h":0.01,"text":"..."}]}`, parts of the page.
    pub words: Option<String>,
    /// Pictures of some pages are still being made.
    pub growing: bool,
    /// Table of contents.
    pub outline: Vec<OutlineItem>,
    /// URL of the whole text.
    pub text: Option<String>,
}

/// A picture.
#[derive(Clone, Debug)]
pub struct PictureView {
    /// Its URL.
    pub src: String,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// What is to be seen.
    pub alt: String,
    /// URL of the JSON of the words in it, as those of a page.
    pub words: Option<String>,
}

/// The player, viewer or picture.
pub(super) fn media(shell: &Shell, view: &MediaView, title: &str, query: &str) -> Markup {
    match view {
        MediaView::Play(play) => player(shell, play, title),
        MediaView::Read(read) => viewer(shell, read, title, query),
        MediaView::Book(view) => book(shell, view, query),
        MediaView::Picture(picture) => picture_frame(picture, query),
        MediaView::Download => html! {},
        MediaView::Nothing { says } => html! {
            div.stage-frame.nothing { p { (icon(Icon::Clock)) (says) } }
        },
    }
}

fn player(shell: &Shell, view: &PlayView, title: &str) -> Markup {
    let (width, height) = view.size.filter(|_| view.video).unwrap_or((16, 9));
    let kind = if view.video { "video" } else { "audio" };
    html! {
        div.stage-frame.player data-player=(kind) data-id=(view.id) data-title=(title)
            data-hls=(view.hls) data-dash=[view.dash.as_deref()] data-growing[view.growing]
            data-storyboard=[view.storyboard.as_deref()] data-shape=(shape(width, height)) {
            div.player-box {
                @if view.video {
                    video controls playsinline preload="metadata" poster=[view.poster.as_deref()]
                        width=(width) height=(height) aria-label=(title) { (sources(view)) }
                } @else {
                    @if let Some(poster) = &view.poster { img.audio-cover src=(poster) alt="" width="640" height="640"; }
                    @else { div.audio-cover.drawn aria-hidden="true" { (icon(Icon::Audio)) } }
                    audio controls preload="metadata" aria-label=(title) { (sources(view)) }
                }
            }
            p.player-says role="status" data-player-says hidden {}
        }
        noscript {
            p.notice { (shell.pick("浏览器没有开启脚本：请用浏览器自带的播放器，或下载原件观看。", "Scripts are off: use the browser's own player, or download the original.")) }
        }
    }
}

fn sources(view: &PlayView) -> Markup {
    html! {
        @if let Some((src, media_type)) = &view.original { source src=(src) type=(media_type); }
        source src=(view.hls) type="application/vnd.apple.mpegurl";
        @for (at, track) in view.captions.iter().enumerate() {
            track kind="subtitles" src=(track.src) srclang=(track.language) label=(track.label) default[at == 0 && view.video];
        }
    }
}

/// One of the frame shapes that the stylesheet knows, nearest to `width` by `height`.
fn shape(width: u32, height: u32) -> &'static str {
    let ratio = f64::from(width.max(1)) / f64::from(height.max(1));
    match ratio {
        r if r < 0.8 => "tall",
        r if r < 1.2 => "square",
        r if r < 1.55 => "four-three",
        r if r < 2.0 => "wide",
        _ => "cinema",
    }
}

/// The slides of a video, below its player; nothing for what has none.
pub(super) fn slides(shell: &Shell, view: &MediaView, path: &str) -> Markup {
    let MediaView::Play(play) = view else { return html! {} };
    html! {
        @if !play.slides.is_empty() {
            section.slides aria-labelledby="slides" {
                h2 id="slides" { (icon(Icon::List)) span { (shell.pick("幻灯片", "Slides")) } span.number { (play.slides.len()) } }
                ol.slide-strip data-slides { @for (one, number) in play.slides.iter().zip(1..) { (slide(shell, one, number, path)) } }
            }
        }
    }
}

fn slide(shell: &Shell, slide: &SlideView, number: usize, path: &str) -> Markup {
    let words: String = slide.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let words: String = words.chars().take(60).collect();
    let alt = shell.pick("第 N 张幻灯片", "Slide N").replace('N', &number.to_string());
    html! {
        li {
            a href=(format!("{path}?t={}", slide.start_ms as f64 / 1000.0)) data-start=(slide.start_ms) data-end=(slide.end_ms)
                rel="nofollow" title=[Some(&words).filter(|words| !words.is_empty())] {
                img src=(slide.image) width=(slide.size.0) height=(slide.size.1) alt=(alt) loading="lazy" decoding="async";
                time { (clock(slide.start_ms)) }
                @if !words.is_empty() { span.slide-words { (words) } }
            }
        }
    }
}

/// Chapters and transcript beside a player; nothing for other media.
pub(super) fn beside(shell: &Shell, view: &MediaView, path: &str) -> Markup {
    match view {
        MediaView::Play(play) => html! {
            @if !play.chapters.is_empty() { (chapters(shell, &play.chapters, path)) }
            @if !play.transcript.is_empty() { (transcript(shell, play, path)) }
        },
        _ => html! {},
    }
}

fn chapters(shell: &Shell, chapters: &[Chapter], path: &str) -> Markup {
    html! {
        details.panel open {
            summary { (icon(Icon::List)) span { (shell.pick("章节", "Chapters")) } span.number { (chapters.len()) } }
            ol.cues data-chapters {
                @for chapter in chapters {
                    (cue(path, u64::try_from(chapter.start_ms).unwrap_or(0), &chapter.title, u64::try_from(chapter.end_ms).ok()))
                }
            }
        }
    }
}

fn transcript(shell: &Shell, view: &PlayView, path: &str) -> Markup {
    html! {
        details.panel.transcript open data-transcript {
            summary { (icon(Icon::Text)) span { (shell.pick("文字稿", "Transcript")) } }
            label.filter data-waits {
                span.unseen { (shell.pick("在文字稿里找", "Find in the transcript")) }
                input type="search" autocomplete="off" placeholder=(shell.pick("在文字稿里找", "Find in the transcript"));
            }
            ol.cues lang=[view.transcript_language.as_deref()] tabindex="0"
                aria-label=(shell.pick("文字稿", "Transcript")) {
                @for line in &view.transcript { (cue(path, line.start_ms, &line.text, None)) }
            }
            p.none hidden { (shell.pick("文字稿里没有这个词。", "Not in the transcript.")) }
        }
    }
}

fn cue(path: &str, start_ms: u64, text: &str, end_ms: Option<u64>) -> Markup {
    html! {
        li {
            a href=(format!("{path}?t={}", start_ms / 1000)) data-start=(start_ms) data-end=[end_ms] rel="nofollow" {
                time { (clock(start_ms)) }
                span { (text) }
            }
        }
    }
}

fn viewer(shell: &Shell, view: &ReadView, title: &str, query: &str) -> Markup {
    let total = u32::try_from(view.sizes.len()).unwrap_or(u32::MAX);
    let first = view.page.clamp(1, total.max(1));
    html! {
        div.stage-frame.viewer data-viewer data-page=(first) data-sizes=(runs(&view.sizes)) data-small=(view.small)
            data-large=(view.large) data-words=[view.words.as_deref()] data-query=(query)
            data-growing[view.growing] {
            (viewer_bar(shell, view, first, total, query))
            div.viewer-body {
                @if !view.outline.is_empty() { (outline(shell, &view.outline, query)) }
                div.viewer-pages data-pages tabindex="0" role="region" aria-label=(title) {
                    @for n in first..=total.min(first.saturating_add(2)) { (page_picture(shell.lang, view, n)) }
                }
            }
        }
    }
}

fn viewer_bar(shell: &Shell, view: &ReadView, first: u32, total: u32, query: &str) -> Markup {
    let previous = first.saturating_sub(3).max(1);
    html! {
        div.viewer-bar role="toolbar" aria-label=(shell.pick("阅读工具", "Reading tools")) {
            @if !view.outline.is_empty() {
                button.icon-button type="button" data-waits data-outline aria-expanded="false"
                    aria-label=(shell.pick("目录", "Contents")) { (icon(Icon::List)) }
            }
            @if first > 1 { a.icon-button data-step="-1" href=(at_page(previous, query)) aria-label=(shell.pick("上一页", "Previous page")) { (icon(Icon::Left)) } }
            @else { a.icon-button data-step="-1" aria-disabled="true" role="link" aria-label=(shell.pick("上一页", "Previous page")) { (icon(Icon::Left)) } }
            form.page-jump action="" method="get" {
                label.unseen for="page-number" { (shell.pick("页码", "Page number")) }
                input id="page-number" name="page" type="number" inputmode="numeric" min="1" max=(total) value=(first);
                @if !query.is_empty() { input type="hidden" name="q" value=(query); }
                span { "/ " (total) }
            }
            @if first.saturating_add(2) < total { a.icon-button data-step="1" href=(at_page(first + 3, query)) aria-label=(shell.pick("下一页", "Next page")) { (icon(Icon::Right)) } }
            @else { a.icon-button data-step="1" aria-disabled="true" role="link" aria-label=(shell.pick("下一页", "Next page")) { (icon(Icon::Right)) } }
            span.spacer {}
            p.viewer-says role="status" data-viewer-says {}
            div.zoom data-waits data-zoom {
                button.icon-button type="button" data-by="-1" aria-label=(shell.pick("缩小", "Zoom out")) { (icon(Icon::Minus)) }
                output { "100%" }
                button.icon-button type="button" data-by="1" aria-label=(shell.pick("放大", "Zoom in")) { (icon(Icon::Plus)) }
            }
            button.text-button type="button" data-waits data-fullscreen { (shell.pick("全屏", "Full screen")) }
            @if let Some(text) = &view.text { a.text-button href=(text) { (shell.pick("纯文本", "Text")) } }
        }
    }
}

/// The address of a page of this document; the query stays, so that its words stay marked.
fn at_page(page: u32, query: &str) -> String {
    if query.is_empty() {
        format!("?page={page}")
    } else {
        format!("?page={page}&q={}", encode(query))
    }
}

fn outline(shell: &Shell, items: &[OutlineItem], query: &str) -> Markup {
    html! {
        nav.outline aria-label=(shell.pick("目录", "Contents")) data-outline-panel {
            ol {
                @for item in items {
                    li data-depth=(item.depth.min(4)) {
                        a href=(at_page(item.page, query)) data-page=(item.page) {
                            span { (item.title) } span.number { (item.page) }
                        }
                    }
                }
            }
        }
    }
}

fn page_picture(lang: Lang, view: &ReadView, n: u32) -> Markup {
    let (width, height) = view.sizes.get(n as usize - 1).copied().unwrap_or((1600, 2263));
    let number = n.to_string();
    let (small, large) = (view.small.replace("{n}", &number), view.large.replace("{n}", &number));
    html! {
        figure.sheet data-n=(n) {
            img src=(large) srcset=(format!("{small} 480w, {large} 1600w")) sizes="(max-width: 48rem) 100vw, 60rem"
                width=(width) height=(height) alt=(lang.pick("第 N 页", "Page N").replace('N', &number)) decoding="async";
        }
    }
}

/// Sizes in runs of pages, `12*1600x2263,1*1600x900`.
fn runs(sizes: &[(u32, u32)]) -> String {
    sizes
        .chunk_by(|a, b| a == b)
        .map(|run| format!("{}*{}x{}", run.len(), run[0].0, run[0].1))
        .collect::<Vec<_>>()
        .join(",")
}

fn picture_frame(view: &PictureView, query: &str) -> Markup {
    html! {
        div.stage-frame.picture data-picture data-words=[view.words.as_deref()] data-query=(query) {
            a href=(view.src) {
                img src=(view.src) width=(view.size.0) height=(view.size.1) alt=(view.alt) decoding="async";
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{runs, shape};

    #[test]
    fn equal_pages_are_told_once() {
        assert_eq!(runs(&[]), "");
        assert_eq!(runs(&[(3, 4), (3, 4), (4, 3)]), "2*3x4,1*4x3");
    }

    #[test]
    fn a_frame_has_the_nearest_shape() {
        assert_eq!(shape(1920, 1080), "wide");
        assert_eq!(shape(1080, 1920), "tall");
        assert_eq!(shape(640, 480), "four-three");
        assert_eq!(shape(0, 0), "square");
    }
}
