//! Addresses of what a resource is played and read from.

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::catalogue::{Library, Rendition, Resource, Slide, Stage, TrackKind, Visibility};
use crate::deliver::{Delivery, Download};

/// Addresses, relative to the server. For what is not public they begin with a ticket.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(super) struct Links {
    /// The page.
    pub page: String,
    /// HLS, when there is something to play.
    pub hls: Option<String>,
    /// DASH, when there is something to play.
    pub dash: Option<String>,
    /// HLS over MPEG-TS, for set-top boxes, when there is something to play.
    pub ts: Option<String>,
    /// HLS of the sound alone, when there is sound to play.
    pub audio: Option<String>,
    /// Single files to take away, when they are whole: the pictures, each with its sound, then the
    /// sound alone.
    pub downloads: Vec<DownloadLink>,
    /// The source.
    pub original: Option<String>,
    /// A picture.
    pub poster: Option<String>,
    /// WebVTT with pictures for the seek bar.
    pub storyboard: Option<String>,
    /// WebVTT by name.
    pub captions: std::collections::BTreeMap<String, String>,
    /// All the text, plain.
    pub text: Option<String>,
    /// The picture of an image.
    pub picture: Option<String>,
    /// Where all of it begins.
    pub base: String,
}

/// A rendition as one file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct DownloadLink {
    /// Where it is.
    pub href: String,
    /// video or audio
    pub kind: &'static str,
    /// The rung or the bit rate, such as 1080p or 128 kbit/s.
    pub label: String,
    /// Of a sound, BCP 47.
    pub language: Option<String>,
    /// video/mp4 or audio/mp4
    pub media_type: &'static str,
    /// About how large it is; the answer to a HEAD tells it exactly.
    pub about_bytes: u64,
}

/// The addresses of `delivery` for whoever may see it.
pub(super) fn links(app: &App, delivery: &Delivery) -> Links {
    let resource = &delivery.resource;
    let base = base(app, delivery);
    let at = |path: &str| format!("{base}/{path}");
    let when = |there: bool, path: &str| there.then(|| at(path));
    let words = resource.derived.picture_words.is_some();
    let slides = delivery.slides.iter().any(|slide| !slide.text.is_empty());
    let has_text = !delivery.captions.is_empty()
        || !delivery.pages.is_empty()
        || !delivery.chapters.is_empty()
        || words
        || slides;
    Links {
        page: format!("/resources/{}", resource.id),
        hls: when(delivery.is_playable(), "master.m3u8"),
        dash: when(delivery.is_playable(), "manifest.mpd"),
        ts: when(delivery.is_playable(), "ts.m3u8"),
        audio: when(delivery.has_sound(), "audio.m3u8"),
        downloads: downloads(delivery, &base),
        original: when(resource.source.is_some(), "original"),
        poster: poster(&base, resource.poster.as_deref()),
        storyboard: when(!resource.derived.storyboard.is_empty(), "storyboard.vtt"),
        captions: delivery
            .captions
            .iter()
            .map(|caption| (caption.name.clone(), at(&format!("captions/{}.vtt", caption.name))))
            .collect(),
        text: when(has_text, "text"),
        picture: when(resource.derived.picture.is_some(), "picture.webp"),
        base,
    }
}

fn downloads(delivery: &Delivery, base: &str) -> Vec<DownloadLink> {
    let link = |rendition: &Rendition| {
        let download = Download::of(delivery, rendition)?;
        let (kind, language) = match rendition.kind {
            TrackKind::Video => ("video", None),
            TrackKind::Audio => ("audio", rendition.language.clone()),
        };
        Some(DownloadLink {
            href: format!("{base}/{}.{}", rendition.id, download.ending()),
            kind,
            label: download.label(),
            language,
            media_type: download.media_type(),
            about_bytes: download.about_bytes(),
        })
    };
    let of = |kind| delivery.renditions.iter().filter(move |r| r.kind == kind).filter_map(link);
    of(TrackKind::Video).chain(of(TrackKind::Audio)).collect()
}

/// Where the media of `delivery` begin: with a ticket unless it is public.
pub(super) fn base(app: &App, delivery: &Delivery) -> String {
    base_of(app, &delivery.resource, delivery.is_public())
}

/// Where the media of `resource` begin: with a ticket unless it is public.
pub(super) fn base_of(app: &App, resource: &Resource, public: bool) -> String {
    let id = resource.id;
    if public {
        return format!("/media/{id}");
    }
    // Rounded up, so that the addresses stay the same for a while and can be cached.
    let minutes = app.config.session.ticket_minutes;
    let step_s = (minutes * 60 / 2).max(1);
    let now_s = app.now_ms() / 1000;
    let expires_s = (now_s / step_s + 2) * step_s;
    let ticket = app.ticket_keys.sign(resource, now_s, expires_s);
    format!("/t/{}/media/{id}", ticket.0)
}

/// Address of the poster of a resource of `library`.
pub(super) fn poster_of(app: &App, resource: &Resource, library: &Library) -> Option<String> {
    let public = resource.stage == Stage::Published && library.visibility == Visibility::Public;
    poster(&base_of(app, resource, public), resource.poster.as_deref())
}

/// Address of a slide's picture; another picture has another one.
pub(super) fn slide(base: &str, slide: &Slide) -> String {
    let tag = slide.image.rsplit(['-', '.']).nth(1).unwrap_or_default();
    format!("{base}/slides/{}.webp?v={}", slide.number, tag.get(..12).unwrap_or(tag))
}

/// Address of a poster; another poster has another one, so that none is kept too long.
pub(super) fn poster(base: &str, key: Option<&str>) -> Option<String> {
    let key = key?;
    let tag = key.rsplit(['-', '.']).nth(1).unwrap_or_default();
    Some(format!("{base}/poster.jpg?v={tag}"))
}
