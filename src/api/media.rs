//! What players and readers fetch. One way in: find, check who may have it, answer.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response};

use super::caller::Who;
use super::problem::ApiError;
use crate::app::App;
use crate::catalogue::{FileType, Rendition, RenditionId, ResourceId, Sha256};
use crate::db;
use crate::deliver::{self, Caching, Content, Delivery, Source, Ticket, reply};
use crate::ingest::demand;
use crate::store::Key;

/// What an answer depends on besides the path.
type Fields = (Method, HeaderMap);

/// Of what is public, or the caller's.
pub(super) async fn get(
    State(app): State<App>,
    Who(caller): Who,
    Path((id, path)): Path<(String, String)>,
    request: Fields,
) -> Result<Response<Body>, ApiError> {
    let delivery = find(&app, &id).await?;
    if !delivery.is_public() && !caller.can_see(&delivery.resource, &delivery.library) {
        return Err(ApiError::NotFound);
    }
    answer(&app, &delivery, &path, &request).await
}

/// Of what is not public, with a ticket.
pub(super) async fn get_with_ticket(
    State(app): State<App>,
    Path((ticket, id, path)): Path<(String, String, String)>,
    request: Fields,
) -> Result<Response<Body>, ApiError> {
    let delivery = find(&app, &id).await?;
    if !app.ticket_key.admits(&Ticket(ticket), &delivery.resource, app.now_ms() / 1000) {
        return Err(ApiError::NotFound);
    }
    let mut response = answer(&app, &delivery, &path, &request).await?;
    // The address is a secret.
    response.headers_mut().insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    Ok(response)
}

async fn find(app: &App, id: &str) -> Result<Arc<Delivery>, ApiError> {
    let id: ResourceId = id.parse().map_err(|_| ApiError::NotFound)?;
    app.deliveries.find(&app.db, id).await?.ok_or(ApiError::NotFound)
}

/// Answers for `path` below the resource.
async fn answer(
    app: &App,
    delivery: &Delivery,
    path: &str,
    (method, headers): &Fields,
) -> Result<Response<Body>, ApiError> {
    let steps: Vec<&str> = path.split('/').collect();
    let content = match steps.as_slice() {
        ["master.m3u8"] if delivery.is_playable() => playlist(deliver::master_playlist(delivery)),
        ["manifest.mpd"] if delivery.is_playable() => {
            made(deliver::manifest(delivery), "application/dash+xml")
        }
        ["original"] => original(app, delivery)?,
        ["poster.jpg"] => named(app, delivery, delivery.resource.poster.as_deref(), "image/jpeg")?,
        ["posters", file] => {
            let number: usize = number(file, ".jpg")?;
            let poster = delivery.resource.derived.posters.get(number);
            named(app, delivery, poster.map(|poster| poster.key.as_str()), "image/jpeg")?
        }
        ["picture.webp"] => {
            let picture = delivery.resource.derived.picture.as_deref();
            named(app, delivery, picture, "image/webp")?
        }
        ["storyboard.vtt"] => made(deliver::storyboard_vtt(delivery), "text/vtt; charset=utf-8"),
        ["storyboard.m3u8"] => playlist(deliver::storyboard_playlist(delivery)),
        ["storyboard", file] => {
            let sprite = delivery.resource.derived.storyboard.get(number::<usize>(file, ".jpg")?);
            named(app, delivery, sprite.map(|sprite| sprite.key.as_str()), "image/jpeg")?
        }
        ["captions", file] => captions(app, delivery, file)?,
        ["pages", file] => page(app, delivery, file)?,
        ["text"] => made(text(app, delivery).await?, "text/plain; charset=utf-8"),
        [rendition, "playlist.m3u8"] => {
            playlist(deliver::media_playlist(delivery, rendition_of(delivery, rendition)?))
        }
        [rendition, "init.mp4"] => {
            let rendition = rendition_of(delivery, rendition)?;
            named(app, delivery, rendition.init.as_deref(), "video/mp4")?
        }
        [rendition, file] => segment(app, delivery, rendition, file)?,
        _ => return Err(ApiError::NotFound),
    };
    if *method == Method::GET && matches!(steps.as_slice(), ["master.m3u8" | "manifest.mpd"]) {
        demand::played(app, delivery);
    }
    Ok(reply(method, headers, content))
}

/// Text made for this request.
fn made(text: String, media_type: &'static str) -> Content {
    let etag = format!("\"{}\"", &Sha256::of(text.as_bytes()).to_string()[..16]);
    Content {
        bytes: Source::Memory(Bytes::from(text)),
        media_type,
        etag,
        caching: Caching::Check,
        attachment: None,
    }
}

fn playlist(text: String) -> Content {
    made(text, "application/vnd.apple.mpegurl")
}

/// An object of the resource, whole. Its address may come to name another one.
fn named(
    app: &App,
    delivery: &Delivery,
    key: Option<&str>,
    media_type: &'static str,
) -> Result<Content, ApiError> {
    let key = key.ok_or(ApiError::NotFound)?;
    let object = app.store.map(key)?;
    let length = object.len();
    let stays = key.ends_with(".mp4");
    Ok(Content {
        bytes: Source::Object(object, 0..length),
        media_type,
        etag: format!("\"{}\"", tag(key)),
        caching: if stays { forever(delivery) } else { Caching::Check },
        attachment: None,
    })
}

fn segment(
    app: &App,
    delivery: &Delivery,
    rendition: &str,
    file: &str,
) -> Result<Content, ApiError> {
    let rendition = rendition_of(delivery, rendition)?;
    let number: usize = number(file, ".m4s")?;
    let (part, segment) = rendition.segments().nth(number).ok_or(ApiError::NotFound)?;
    app.asked.note(rendition.id, app.now_ms());
    let object = app.store.map(&part.key)?;
    let (start, end) = (segment.offset as usize, (segment.offset + segment.length) as usize);
    if end > object.len() {
        return Err(crate::store::Error::Damaged {
            key: part.key.clone(),
            expected: end as i64,
            found: object.len() as i64,
        }
        .into());
    }
    Ok(Content {
        bytes: Source::Object(object, start..end),
        media_type: "video/iso.segment",
        etag: format!("\"{}-{}\"", tag(&part.key), segment.offset),
        caching: forever(delivery),
        attachment: None,
    })
}

fn original(app: &App, delivery: &Delivery) -> Result<Content, ApiError> {
    let resource = &delivery.resource;
    let hash = resource.source.ok_or(ApiError::NotFound)?;
    let object = app.store.map(&Key::Source(hash).to_string())?;
    let length = object.len();
    Ok(Content {
        bytes: Source::Object(object, 0..length),
        media_type: FileType::known_media_type(&resource.media_type),
        etag: format!("\"{hash}\""),
        caching: Caching::Check,
        attachment: Some(resource.file_name.clone()),
    })
}

fn captions(app: &App, delivery: &Delivery, file: &str) -> Result<Content, ApiError> {
    let (name, ending) = file.rsplit_once('.').ok_or(ApiError::NotFound)?;
    let caption = delivery.captions.iter().find(|caption| caption.name == name);
    let caption = caption.ok_or(ApiError::NotFound)?;
    match ending {
        "vtt" => named(app, delivery, Some(&caption.key), "text/vtt; charset=utf-8"),
        "m3u8" => Ok(playlist(deliver::captions_playlist(delivery, name))),
        _ => Err(ApiError::NotFound),
    }
}

/// `{n}.webp`, `{n}-small.webp` and `{n}.json`, with `n` from 1.
fn page(app: &App, delivery: &Delivery, file: &str) -> Result<Content, ApiError> {
    let (stem, ending) = file.rsplit_once('.').ok_or(ApiError::NotFound)?;
    let (stem, small) = match stem.strip_suffix("-small") {
        Some(stem) => (stem, true),
        None => (stem, false),
    };
    let number: i64 = stem.parse().map_err(|_| ApiError::NotFound)?;
    let at = usize::try_from(number - 1).map_err(|_| ApiError::NotFound)?;
    let page = delivery.pages.get(at).filter(|page| page.number == number);
    let page = page.ok_or(ApiError::NotFound)?;
    let (key, media_type) = match (ending, small) {
        ("webp", false) => (&page.large, "image/webp"),
        ("webp", true) => (&page.small, "image/webp"),
        ("json", false) => (&page.words, "application/json"),
        _ => return Err(ApiError::NotFound),
    };
    named(app, delivery, Some(key), media_type)
}

/// All that captions and pages say; pages are told apart by form feeds.
async fn text(app: &App, delivery: &Delivery) -> Result<String, ApiError> {
    let mut db = app.db.read().await?;
    let passages = db::passages::list(&mut db, delivery.resource.id).await?;
    if passages.is_empty() {
        return Err(ApiError::NotFound);
    }
    let between = if delivery.pages.is_empty() { "\n" } else { "\n\u{c}" };
    Ok(passages.into_iter().map(|passage| passage.text).collect::<Vec<_>>().join(between))
}

fn rendition_of<'a>(delivery: &'a Delivery, id: &str) -> Result<&'a Rendition, ApiError> {
    let id: RenditionId = id.parse().map_err(|_| ApiError::NotFound)?;
    delivery.renditions.iter().find(|rendition| rendition.id == id).ok_or(ApiError::NotFound)
}

fn number<T: std::str::FromStr>(file: &str, ending: &str) -> Result<T, ApiError> {
    let digits = file.strip_suffix(ending).ok_or(ApiError::NotFound)?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ApiError::NotFound);
    }
    digits.parse().map_err(|_| ApiError::NotFound)
}

/// The hash in a key's name.
fn tag(key: &str) -> &str {
    key.rsplit(['-', '.']).nth(1).unwrap_or(key)
}

fn forever(delivery: &Delivery) -> Caching {
    if delivery.is_public() { Caching::Forever } else { Caching::ForeverPrivate }
}
