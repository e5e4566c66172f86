//! The media in other forms, for clients that know neither HLS with fMP4 nor DASH: made of the same
//! parts while they are sent.

use std::sync::Arc;

use super::problem::ApiError;
use crate::app::App;
use crate::catalogue::RenditionId;
use crate::deliver::{Caching, Content, Delivery, Download, Source, Span, Transport};

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

/// What some file system does not take in a name becomes a space.
fn in_file_names(c: char) -> char {
    if c.is_control() || "/\\:*?\"<>|".contains(c) { ' ' } else { c }
}
