//! Addresses of what a resource is played and read from.

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::catalogue::Resource;
use crate::deliver::Delivery;

/// Addresses, relative to the server. For what is not public they begin with a ticket.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(super) struct Links {
    /// The page.
    pub page: String,
    /// HLS, when there is something to play.
    pub hls: Option<String>,
    /// DASH, when there is something to play.
    pub dash: Option<String>,
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

/// The addresses of `delivery` for whoever may see it.
pub(super) fn links(app: &App, delivery: &Delivery) -> Links {
    let resource = &delivery.resource;
    let base = base(app, delivery);
    let at = |path: &str| format!("{base}/{path}");
    let when = |there: bool, path: &str| there.then(|| at(path));
    let has_text = !delivery.captions.is_empty() || !delivery.pages.is_empty();
    Links {
        page: format!("/resources/{}", resource.id),
        hls: when(delivery.is_playable(), "master.m3u8"),
        dash: when(delivery.is_playable(), "manifest.mpd"),
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

/// Address of a poster; another poster has another one, so that none is kept too long.
pub(super) fn poster(base: &str, key: Option<&str>) -> Option<String> {
    let key = key?;
    let tag = key.rsplit(['-', '.']).nth(1).unwrap_or_default();
    Some(format!("{base}/poster.jpg?v={tag}"))
}
