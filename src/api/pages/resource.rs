//! The page of a resource: the player or viewer, and what is around it.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::super::caller::Visitor;
use super::super::links;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::resources::visible;
use super::super::search::{encode, find_in};
use super::super::sentences::sentence;
use super::copies::{copied_from, copy_of};
use super::downloads::downloads;
use super::search::moments;
use super::shell::{playing_page, shell};
use super::tiles::{term_links, tiles, topic_links};
use crate::app::App;
use crate::catalogue::{
    AUDIENCES, Caller, Kind, LANGUAGES, LICENCES, Library, Particulars, Resource, ResourceId,
    Slide, Stage, label_of, licence_href,
};
use crate::db;
use crate::db::resources::Filter;
use crate::deliver::Delivery;
use crate::exchange::{Item, dublin_core_meta};
use crate::media::captions::{parse, plain};
use crate::pages::{
    self, BookView, CaptionsView, Cue, HomeLink, Lang, MediaView, MomentView, PictureView,
    PlayView, ReadView, ResourceView, SlideView,
};
use crate::review::vouch;

/// Cues of a transcript that a page shows.
const MAX_CUES: usize = 3000;

/// Where a resource's page opens.
#[derive(Debug, Default, Deserialize)]
pub(in crate::api) struct ResourceQuery {
    page: Option<u32>,
    chapter: Option<u32>,
    /// Where in the chapter: the id of an element.
    #[serde(default)]
    at: String,
    #[serde(default)]
    pub(super) q: String,
}

impl ResourceQuery {
    /// Opens at a page or a chapter.
    pub(super) fn at(page: Option<u32>, chapter: Option<u32>) -> Self {
        Self { page, chapter, ..Self::default() }
    }
}

pub(in crate::api) async fn resource(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<ResourceQuery>,
) -> Result<Response, ApiError> {
    // The delivery first: the links are never of a later state than the one that was checked.
    let asked = id.parse().map_err(|_| ApiError::NotFound)?;
    let delivery = app.deliveries.find(&app.db, asked).await?.ok_or(ApiError::NotFound)?;
    let (resource, library) = visible(&app, &visitor.caller, &id).await?;
    let links = links::links(&app, &delivery);
    let chinese = reader.lang == Lang::Zh;
    let details = &resource.details;
    let notice = match (resource.stage, delivery.pages_to_come()) {
        (Stage::Processing, _) => {
            let doing = sentence(reader.lang, &resource.doing, "");
            Some(format!("{doing} {:.0}%", resource.progress * 100.0))
        }
        (_, 0) => None,
        (_, pages) => Some(sentence(reader.lang, "pages_to_come", &pages.to_string())),
    };
    let related =
        Filter { library: Some(library.id), stage: Some("published".into()), ..Filter::default() };
    let (_, related) = db::resources::list(&mut *app.db.read().await?, &related, 0, 7).await?;
    let related: Vec<_> =
        related.into_iter().filter(|other| other.id != resource.id).take(6).collect();
    let media = media(&app, &reader, &delivery, &links, &query).await?;
    let home = home_of(&app, resource.id).await?;
    let copy = match home {
        Some(_) => copy_of(&app, &visitor.caller, &resource).await?,
        None => None,
    };
    let shell = shell(&app, &reader, &visitor);
    let vouched = match details.particulars.local {
        Some(_) => db::vouchers::standing_for(&mut *app.db.read().await?, resource.id).await?,
        None => Vec::new(),
    };
    let item =
        Item { resource: &resource, library: &library, vouched: &vouched, origin: &shell.origin };
    let dublin_core = dublin_core_meta(&item);
    let view = ResourceView {
        path: format!("/resources/{id}"),
        title: details.title.clone(),
        description: details.description.clone(),
        kind: resource.kind,
        stage: resource.stage,
        library_name: library.name.clone(),
        library_href: format!("/libraries/{}", library.slug),
        author: details.author.clone(),
        language: details.language.clone(),
        language_name: details
            .language
            .as_deref()
            .map(|code| label_of(LANGUAGES, code, chinese).to_owned()),
        licence: details.licence.clone(),
        licence_name: label_of(LICENCES, &details.licence, chinese).to_owned(),
        licence_href: licence_href(&details.licence),
        topics: topic_links(reader.lang, &details.topics),
        audiences: term_links(reader.lang, AUDIENCES, "audience", &details.audiences),
        published_ms: resource.published_ms,
        duration_ms: resource.duration_ms.and_then(|ms| u64::try_from(ms).ok()),
        pages: resource.pages.and_then(|pages| u32::try_from(pages).ok()),
        poster: links.poster.clone(),
        searchable: resource.stage == Stage::Published && has_text(&media),
        media,
        notice,
        moments: moments_in(&app, &resource, &query.q).await,
        downloads: downloads(&resource, &links, reader.lang),
        review_href: visitor
            .caller
            .is_reviewer_of(resource.library)
            .then(|| format!("/review/{id}")),
        edit_href: visitor.caller.can_edit(&resource).then(|| format!("/studio/resources/{id}")),
        related: tiles(&app, &related, false).await?,
        query: query.q,
        dublin_core,
        home,
        copied_from: copied_from(&app, &resource).await?,
        copy,
        place_name: place_name(&app, &details.particulars.place_code).await?,
        vouch_href: may_vouch(&app, &visitor.caller, &resource, &library)
            .await?
            .then(|| format!("/resources/{id}/vouch")),
        // Where the paper lies is nobody's but those who look after it.
        particulars: Particulars { evidence_paper: String::new(), ..details.particulars.clone() },
        vouched,
    };
    Ok(playing_page(&app, &reader, pages::resource(&shell, &view)))
}

/// What the division of `code` is called, where an organisation here has it.
pub(super) async fn place_name(app: &App, code: &str) -> Result<Option<String>, ApiError> {
    let Ok(code) = code.parse() else { return Ok(None) };
    let found = db::organisations::find_by_code(&mut *app.db.read().await?, &code).await?;
    Ok(found.map(|organisation| organisation.name))
}

/// Whether the caller may vouch for it, or has.
async fn may_vouch(
    app: &App,
    caller: &Caller,
    resource: &Resource,
    library: &Library,
) -> Result<bool, ApiError> {
    let marked = resource.stage == Stage::Published && resource.details.particulars.local.is_some();
    if !marked || !caller.reviews_somewhere() {
        return Ok(false);
    }
    Ok(!vouch::offices(app, caller, library.owner).await?.is_empty())
}

/// Whether there is something to search within.
fn has_text(media: &MediaView) -> bool {
    match media {
        MediaView::Play(play) => !play.transcript.is_empty() || !play.slides.is_empty(),
        MediaView::Read(_) | MediaView::Book(_) => true,
        MediaView::Picture(picture) => picture.words.is_some(),
        _ => false,
    }
}

/// Where `q` is met in `resource`. Nothing when it is not public or the index does not answer: the
/// page can do without.
pub(super) async fn moments_in(app: &App, resource: &Resource, q: &str) -> Vec<MomentView> {
    if q.trim().is_empty() {
        return Vec::new();
    }
    find_in(app, resource.id, q).await.map(|hit| moments(&hit, q)).unwrap_or_default()
}

/// Where the resource `id` is opened, when that is elsewhere.
async fn home_of(app: &App, id: ResourceId) -> Result<Option<HomeLink>, ApiError> {
    let mut origins = db::sources::origins(&mut *app.db.read().await?, &[id.to_string()]).await?;
    Ok(origins.pop().map(|origin| HomeLink { name: origin.name, href: origin.home }))
}

pub(super) async fn media(
    app: &App,
    reader: &Reader,
    delivery: &Delivery,
    links: &links::Links,
    query: &ResourceQuery,
) -> Result<MediaView, ApiError> {
    let resource = &delivery.resource;
    if let Some(hls) = &links.hls {
        return Ok(MediaView::Play(PlayView {
            id: resource.id.to_string(),
            video: resource.kind == Kind::Video,
            hls: hls.clone(),
            dash: links.dash.clone(),
            original: links
                .original
                .clone()
                .filter(|_| plays_in_browsers(&resource.media_type))
                .map(|href| (href, resource.media_type.clone())),
            poster: links.poster.clone(),
            storyboard: links.storyboard.clone(),
            size: size(resource.width, resource.height),
            captions: delivery
                .captions
                .iter()
                .map(|caption| CaptionsView {
                    src: format!("{}/captions/{}.vtt", links.base, caption.name),
                    language: caption.language.clone(),
                    label: caption.word(reader.lang == Lang::Zh),
                })
                .collect(),
            chapters: resource.derived.chapters.clone(),
            slides: slides(delivery, &links.base),
            transcript: transcript(app, delivery).await?,
            transcript_language: delivery.captions.first().map(|caption| caption.language.clone()),
            growing: !delivery.is_complete(),
        }));
    }
    if !delivery.pages.is_empty() {
        let at = |name: &str| format!("{}/pages/{name}", links.base);
        return Ok(MediaView::Read(ReadView {
            page: query.page.unwrap_or(1).clamp(1, delivery.pages.len() as u32),
            sizes: delivery
                .pages
                .iter()
                .filter_map(|page| size(Some(page.width), Some(page.height)))
                .collect(),
            small: at("{n}-small.webp"),
            large: at("{n}.webp"),
            words: Some(at("{n}.json")),
            growing: delivery.pages_to_come() > 0,
            outline: resource.derived.outline.clone(),
            text: links.text.clone(),
        }));
    }
    if !delivery.chapters.is_empty() {
        return Ok(MediaView::Book(book(delivery, links, query)));
    }
    if let (Some(src), Some(size)) = (&links.picture, size(resource.width, resource.height)) {
        let alt = resource.details.title.clone();
        let words = resource.derived.picture_words.as_ref();
        let words = words.map(|_| format!("{}/picture.json", links.base));
        return Ok(MediaView::Picture(PictureView { src: src.clone(), size, alt, words }));
    }
    Ok(MediaView::Nothing {
        says: match (&resource.failure, resource.stage) {
            (Some(code), _) => {
                sentence(reader.lang, code, resource.failure_info.as_deref().unwrap_or(""))
            }
            _ => reader.lang.pick("正在处理，请稍候。", "Being processed. Please wait.").to_owned(),
        },
    })
}

/// A book, open at the chapter that is asked for.
fn book(delivery: &Delivery, links: &links::Links, query: &ResourceQuery) -> BookView {
    let chapters = &delivery.chapters;
    let number = query.chapter.unwrap_or(1).clamp(1, chapters.len() as u32);
    let anchor = Some(format!("#{}", encode(&query.at))).filter(|_| !query.at.is_empty());
    let derived = &delivery.resource.derived;
    BookView {
        id: delivery.resource.id.to_string(),
        chapter: number,
        asked: query.chapter.is_some(),
        titles: chapters.iter().map(|chapter| chapter.title.clone()).collect(),
        src: format!("{}/chapters/{number}.html{}", links.base, anchor.unwrap_or_default()),
        contents: derived.outline.clone(),
        right_to_left: derived.right_to_left,
        text: links.text.clone(),
    }
}

fn slides(delivery: &Delivery, base: &str) -> Vec<SlideView> {
    let view = |slide: &Slide| {
        Some(SlideView {
            start_ms: u64::try_from(slide.start_ms).ok()?,
            end_ms: u64::try_from(slide.end_ms).ok()?,
            image: links::slide(base, slide),
            size: size(Some(slide.width), Some(slide.height))?,
            text: slide.text.clone(),
        })
    };
    delivery.slides.iter().filter_map(view).collect()
}

fn plays_in_browsers(media_type: &str) -> bool {
    matches!(
        media_type,
        "video/mp4"
            | "video/webm"
            | "audio/mpeg"
            | "audio/mp4"
            | "audio/ogg"
            | "audio/wav"
            | "audio/flac"
    )
}

fn size(width: Option<i64>, height: Option<i64>) -> Option<(u32, u32)> {
    Some((u32::try_from(width?).ok()?, u32::try_from(height?).ok()?))
}

/// What the first captions say. They are our own WebVTT, read back.
async fn transcript(app: &App, delivery: &Delivery) -> Result<Vec<Cue>, ApiError> {
    let Some(caption) = delivery.captions.first() else { return Ok(Vec::new()) };
    let bytes = app.store.open(&caption.key, 0).await?.read().await?;
    let cues =
        tokio::task::spawn_blocking(move || parse(&bytes, "own.vtt").map(|captions| captions.cues));
    let cues = cues.await.ok().and_then(Result::ok).unwrap_or_default();
    Ok(cues
        .iter()
        .take(MAX_CUES)
        .map(|cue| Cue { start_ms: cue.start_ms, text: plain(cue) })
        .collect())
}
