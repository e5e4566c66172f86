//! The media in other forms, for clients that know neither HLS with fMP4 nor DASH: made of the same
//! parts while they are sent.

use std::sync::Arc;

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, LOCATION};
use http::{HeaderValue, Response, StatusCode};

use super::problem::ApiError;
use crate::app::App;
use crate::catalogue::RenditionId;
use crate::deliver::{
    Caching, Content, Delivery, Download, Named, Source, Span, Text, Transport, attachment,
};
use crate::store::Saved;

/// A segment of MPEG-TS.
pub(super) async fn transport(
    app: &App,
    delivery: &Delivery,
    (picture, sound): (Option<RenditionId>, Option<RenditionId>),
    number: usize,
) -> Result<Content, ApiError> {
    let of = |id: Option<RenditionId>| id.and_then(|id| delivery.get(id));
    let span = Span { picture: of(picture), sound: of(sound), number };
    for id in [picture, sound].into_iter().flatten() {
        app.asked.note(id, app.now_ms());
    }
    let segment = Transport::plan(&app.store, span).await?.ok_or(ApiError::NotFound)?;
    Ok(Content {
        media_type: "video/mp2t",
        tag: segment.tag().to_owned(),
        bytes: Source::Transport(Arc::new(segment)),
        caching: delivery.forever(),
        attachment: None,
        sent: Arc::clone(&delivery.sent),
    })
}

/// A rendition as one file. Which captions and which sound are in it may change, so its address may
/// come to name other bytes.
pub(super) async fn download(
    app: &App,
    delivery: &Delivery,
    rendition: RenditionId,
) -> Result<Content, ApiError> {
    let rendition = delivery.get(rendition).ok_or(ApiError::NotFound)?;
    let download = Download::of(delivery, rendition).ok_or(ApiError::NotFound)?;
    app.asked.note(rendition.id, app.now_ms());
    let file = app.downloads.get(&app.store, &download).await?;
    let title: String = delivery.resource.details.title.chars().map(in_file_names).collect();
    let label = download.label().replace(" kbit/s", "k");
    Ok(Content {
        bytes: Source::File(file, app.store.clone()),
        media_type: download.media_type(),
        tag: download.tag(),
        caching: Caching::Check,
        attachment: Some(format!("{title} {label}.{}", download.ending())),
        sent: Arc::clone(&delivery.sent),
    })
}

/// The playlist of a rendition with addresses in the bucket; kept at `path`.
pub(super) async fn direct(
    app: &App,
    delivery: &Delivery,
    path: &str,
    rendition: RenditionId,
) -> Result<Arc<Text>, ApiError> {
    if let Some(text) = delivery.direct_text(path) {
        return Ok(text);
    }
    let rendition = delivery.get(rendition).ok_or(ApiError::NotFound)?;
    // Its segments are not asked for here.
    app.asked.note(rendition.id, app.now_ms());
    let addresses = app.store.addresses(Delivery::direct_keys(rendition)).await?;
    Ok(delivery.keep_direct(path, rendition, &addresses.ok_or(ApiError::NotFound)?))
}

/// Sends a client to the bucket for what is to be saved.
pub(super) async fn redirect(app: &App, named: &Named) -> Result<Response<Body>, ApiError> {
    let disposition = named.attachment.as_deref().map(attachment).unwrap_or_default();
    let saved = Saved { media_type: named.media_type, disposition: &disposition };
    let address = app.store.address(&named.key, saved).await?.ok_or(ApiError::NotFound)?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::try_from(address).map_err(|_| ApiError::NotFound)?);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    Ok(response)
}

/// What some file system does not take in a name becomes a space.
fn in_file_names(c: char) -> char {
    if c.is_control() || "/\\:*?\"<>|".contains(c) { ' ' } else { c }
}
