//! A course as an IMS Common Cartridge: what goes into it, and sending it while it is made.

use std::io::{self, Write};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{Place, places, visible};
use crate::api::caller::Who;
use crate::api::links;
use crate::api::problem::ApiError;
use crate::api::reader::Reader;
use crate::app::App;
use crate::cartridge::{self, Cartridge, Content, Medium, Player};
use crate::catalogue::{
    AUDIENCES, Caller, Course, FileType, Kind, LICENCES, Library, Resource, RuleError, TOPICS,
    label_of,
};
use crate::db;
use crate::deliver::{Delivery, attachment};
use crate::pages::Lang;
use crate::store::Key;

/// Bytes that are put together before they are sent, and how many of these wait for the client.
const PIECE_BYTES: usize = 256 * 1024;
const PIECES: usize = 4;

/// The largest picture that other systems are given, by its short side: what most screens show.
const MAX_SIDE: i64 = 720;

/// A course as an IMS Common Cartridge 1.3 (.imscc), for people of a library. Documents and pictures
/// are in it as files as far as size and licence allow; videos and sounds are played from here.
#[utoipa::path(get, path = "/api/courses/{id}/cartridge", tag = "courses", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/vnd.ims.imsccv1p3"), (status = 403), (status = 404)))]
pub(in crate::api) async fn get_cartridge(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let (course, library) = visible(&app, &caller, &id).await?;
    caller.account()?;
    if !caller.has_studio() {
        return Err(RuleError::Forbidden.into());
    }
    let public_url = app.config.server.public_url.trim_end_matches('/');
    let origin = if public_url.is_empty() { &reader.origin } else { public_url };
    let cartridge = gather(&app, &caller, reader.lang, (&course, &library), origin).await?;
    let name = attachment(&format!("{}.imscc", course.details.title));
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(cartridge::MEDIA_TYPE)),
        (CONTENT_DISPOSITION, HeaderValue::try_from(name).map_err(|_| ApiError::NotFound)?),
    ];
    Ok((headers, Body::from_stream(ReceiverStream::new(sent(app, cartridge)))).into_response())
}

/// The cartridge in pieces; an error breaks the body off.
fn sent(app: App, cartridge: Cartridge) -> mpsc::Receiver<io::Result<Bytes>> {
    let (send, receive) = mpsc::channel(PIECES);
    tokio::task::spawn_blocking(move || {
        let mut out = Pieces { send, piece: Vec::with_capacity(PIECE_BYTES) };
        let written = write(&app, &cartridge, &mut out).and_then(|()| out.flush());
        if let Err(error) = written {
            // Nobody may be there any more.
            tracing::warn!(%error, "a cartridge was not sent to its end");
            let _ = out.send.blocking_send(Err(error));
        }
    });
    receive
}

/// Writes `cartridge`; its files come from the store. Blocks.
///
/// # Errors
///
/// Those of `out` and of the store.
pub(crate) fn write(app: &App, cartridge: &Cartridge, out: impl Write) -> io::Result<()> {
    cartridge::write(cartridge, out, |key| app.store.open_object(key).map_err(io::Error::other))
}

/// What was written goes on in pieces.
struct Pieces {
    send: mpsc::Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES));
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.send.blocking_send(Ok(piece.into())).map_err(gone)
    }
}

/// What goes into the cartridge of a course: what `caller` sees of it. Addresses begin with `origin`.
pub(crate) async fn gather(
    app: &App,
    caller: &Caller,
    lang: Lang,
    (course, library): (&Course, &Library),
    origin: &str,
) -> Result<Cartridge, ApiError> {
    let contents = db::lessons::contents(&mut *app.db.read().await?, course.id).await?;
    let places = places(app, caller, &contents, false).await?;
    let details = &course.details;
    let chinese = lang == Lang::Zh;
    let mut sources = vec![library.name.clone()];
    let mut sections: Vec<cartridge::Section> = Vec::new();
    for section in contents.sections() {
        sections.push(cartridge::Section { title: section.title.clone(), lessons: Vec::new() });
    }
    for place in &places {
        if let Some(owner) = place.owner(course)
            && !sources.contains(&owner.name)
        {
            sources.push(owner.name.clone());
        }
        let content = content(app, lang, course, place, origin).await?;
        let (id, title) = (place.lesson.id.to_string(), place.title().to_owned());
        sections[place.section].lessons.push(cartridge::Lesson { id, title, content });
    }
    let words = |terms, codes: &[String]| {
        codes.iter().map(|code| label_of(terms, code, chinese).to_owned()).collect::<Vec<_>>()
    };
    Ok(Cartridge {
        id: course.id.to_string(),
        title: details.title.clone(),
        description: details.description.clone(),
        language: details.language.clone().unwrap_or_else(|| "zh".to_owned()),
        keywords: [words(TOPICS, &details.topics), words(AUDIENCES, &details.audiences)].concat(),
        teachers: details.teachers.clone(),
        sources,
        licence: label_of(LICENCES, &details.licence, chinese).to_owned(),
        hours: details.hours,
        url: format!("{origin}/courses/{}", course.id),
        sections,
    })
}

async fn content(
    app: &App,
    lang: Lang,
    course: &Course,
    place: &Place,
    origin: &str,
) -> Result<Content, ApiError> {
    let url = format!("{origin}/courses/{}/lessons/{}", course.id, place.number);
    let Some((resource, _)) = &place.found else { return Ok(Content::Link(url)) };
    if matches!(resource.kind, Kind::Video | Kind::Audio) {
        let delivery = app.deliveries.find(&app.db, resource.id).await?;
        let delivery = delivery.ok_or(ApiError::NotFound)?;
        // What needs a ticket would soon not play any more.
        return Ok(match delivery.is_public() && delivery.is_playable() {
            true => {
                Content::Page(cartridge::page(&player(app, lang, place, &delivery, origin, url)))
            }
            false => Content::Link(url),
        });
    }
    let most = app.config.courses.cartridge_file_bytes;
    let may = resource.library == course.library || resource.details.licence.starts_with("CC");
    let file = file(resource).filter(|_| may && resource.size_bytes <= most);
    Ok(file.map_or(Content::Link(url), |(key, ending)| Content::File(key, ending)))
}

/// Key of what other systems can show of a document or picture, and the ending of its name. What is
/// uploaded as HTML stays here: it would run as theirs.
fn file(resource: &Resource) -> Option<(String, &'static str)> {
    let ending = FileType::ending(&resource.media_type);
    match (resource.kind, ending) {
        (Kind::Document, "html" | "htm" | "xhtml" | "") => None,
        (Kind::Document, _) | (Kind::Image, "jpg" | "jpeg" | "png" | "gif" | "webp") => {
            Some((Key::Source(resource.source?).to_string(), ending))
        }
        (Kind::Image, _) => Some((resource.derived.picture.clone()?, "webp")),
        _ => None,
    }
}

fn player(
    app: &App,
    lang: Lang,
    place: &Place,
    delivery: &Delivery,
    origin: &str,
    url: String,
) -> Player {
    let links = links::links(app, delivery);
    let absolute = |path: &str| format!("{origin}{path}");
    let video = delivery.resource.kind == Kind::Video;
    let of_kind = links.downloads.iter().filter(|file| (file.kind == "video") == video);
    let small = |file: &&links::DownloadLink| {
        let side = file.label.split_once('p').and_then(|(side, _)| side.parse().ok());
        !video || side.is_some_and(|side: i64| side <= MAX_SIDE)
    };
    let file = of_kind.clone().find(small).or(of_kind.clone().next_back());
    let whole = file.map(|file| (absolute(&file.href), file.media_type.to_owned()));
    let hls =
        links.hls.as_deref().map(|hls| (absolute(hls), "application/vnd.apple.mpegurl".to_owned()));
    let own = &delivery.library;
    Player {
        title: place.title().to_owned(),
        medium: if video { Medium::Video } else { Medium::Audio },
        language: lang.tag().to_owned(),
        sources: whole.into_iter().chain(hls).collect(),
        poster: links.poster.as_deref().map(absolute),
        captions: delivery
            .captions
            .iter()
            .map(|caption| {
                let src = absolute(&format!("{}/captions/{}.vtt", links.base, caption.name));
                (src, caption.language.clone(), caption.word(lang == Lang::Zh))
            })
            .collect(),
        thanks: match lang {
            Lang::Zh => format!("感谢 {} 提供", own.name),
            Lang::En => format!("With thanks to {}", own.name),
        },
        link: lang.pick("在原网站打开这一课", "Open this lesson where it is from").to_owned(),
        url,
    }
}
