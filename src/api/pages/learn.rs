//! Pages for learners: home, search, libraries, resources, login.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::Render as _;
use serde::Deserialize;

use super::super::caller::Visitor;
use super::super::links;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::resources::visible;
use super::super::search::{
    HitView as FoundView, MomentView as FoundMoment, SearchQuery, SearchResult, encode, find,
    find_in,
};
use super::super::sentences::sentence;
use super::super::shown::Shown;
use super::courses::{collections_of, courses_of, newest_courses};
use super::downloads::downloads;
use super::shell::{page, playing_page, shell};
use super::tiles::{library_tiles, shown_tiles, term_links, tiles, topic_links};
use crate::app::App;
use crate::catalogue::{
    AUDIENCES, Kind, LANGUAGES, LICENCES, Resource, Slide, Stage, TOPICS, label_of,
};
use crate::db;
use crate::db::resources::Filter;
use crate::deliver::Delivery;
use crate::media::captions::{parse, plain};
use crate::pages::{
    self, BookView, CaptionsView, Choice, Cue, Facet, FacetValue, HitView, HomeView, Lang,
    LibrariesView, LibraryView, MediaView, MomentKind, MomentView, Paging, PictureView, PlayView,
    ReadView, ResourceView, SearchView, SlideView,
};

/// Cards on the front page.
const NEWEST: i64 = 12;

/// Cards on a page of a library.
const PER_PAGE: i64 = 24;

/// Characters of a description under a hit.
const MAX_SNIPPET: usize = 160;

/// Words of a query that are offered alone.
const MAX_FEWER: usize = 6;

/// Cues of a transcript that a page shows.
const MAX_CUES: usize = 3000;

pub(in crate::api) async fn home(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    query: Query<LibraryQuery>,
) -> Result<Response, ApiError> {
    let host = reader.host().to_ascii_lowercase();
    if let Some(own) = db::libraries::find_by_host(&mut *app.db.read().await?, &host).await? {
        let slug = Path(own.slug.to_string());
        return library(State(app), reader, visitor, slug, query).await;
    }
    let filter = Filter { stage: Some("published".into()), public_only: true, ..Filter::default() };
    let (total, newest) =
        db::resources::list(&mut *app.db.read().await?, &filter, 0, NEWEST).await?;
    let libraries = library_tiles(&app, &visitor.caller).await?;
    let topics = find(&app, &SearchQuery { per_page: Some(1), ..SearchQuery::default() }).await;
    let topics: Vec<String> = topics
        .ok()
        .and_then(|(found, _)| found.facets.get("topic").cloned())
        .unwrap_or_default()
        .into_iter()
        .map(|(code, _)| code)
        .collect();
    let view = HomeView {
        tagline: String::new(),
        examples: app.config.site.examples.clone(),
        resources: u64::try_from(total).unwrap_or_default(),
        libraries_total: libraries.len() as u64,
        libraries: libraries.into_iter().take(12).collect(),
        newest: tiles(&app, &newest, true).await?,
        courses: newest_courses(&app, &visitor.caller).await?,
        topics: topic_links(reader.lang, &topics),
    };
    Ok(page(&reader, pages::home(&shell(&app, &reader, &visitor), &view)))
}

pub(in crate::api) async fn search(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(query): Query<SearchQuery>,
) -> Result<Response, ApiError> {
    // A course is searched on its own page.
    let query = SearchQuery { course: String::new(), ..query };
    let (found, shown) = find(&app, &query).await?;
    let cards = shown_tiles(&app, &shown).await?;
    let mut hits = Vec::with_capacity(found.hits.len());
    for ((hit, shown), mut tile) in found.hits.iter().zip(&shown).zip(cards) {
        // A course's page searches inside it for what its address asks.
        if !query.q.is_empty() && matches!(shown, Shown::Resource(_)) {
            tile.href = format!("{}?q={}", tile.href, encode(&query.q));
        }
        hits.push(HitView {
            tile,
            title_html: hit.title.clone(),
            snippet_html: snippet(hit, shown.description()),
            moments: moments(hit, &query.q),
        });
    }
    let reachable = found.total.min(indexer::MAX_DEPTH);
    let names: BTreeMap<String, String> = db::libraries::list(&mut *app.db.read().await?)
        .await?
        .into_iter()
        .map(|library| (library.slug.to_string(), library.name))
        .collect();
    let view = SearchView {
        total: found.total as u64,
        took_ms: found.took_ms.ceil() as u64,
        notice: found.titles_only.then(|| {
            reader
                .lang
                .pick(
                    "索引正在重建，现在只搜索标题。",
                    "The index is being built: only titles are searched now.",
                )
                .to_owned()
        }),
        tabs: tabs(reader.lang, &query, &found),
        orders: orders(reader.lang, &query, &found),
        heard: found.heard,
        meant: found.did_you_mean.as_ref().map(|meant| instead(&query, meant)),
        fewer: if found.total == 0 { fewer(&query) } else { Vec::new() },
        facets: facets(reader.lang, &query, &found, &names),
        filters: filters(&query),
        clear_href: format!("/search?q={}", encode(&query.q)),
        paging: Paging {
            page: u32::try_from(query.page()).unwrap_or(1),
            pages: u32::try_from(reachable.div_ceil(query.per_page())).unwrap_or(1),
            href: format!("{}&page=", address(&query)),
        },
        query: query.q.clone(),
        hits,
    };
    Ok(page(&reader, pages::search(&shell(&app, &reader, &visitor), &view)))
}

/// What stands under the title: what was met, unless a moment says the same, then the description.
pub(super) fn snippet(hit: &FoundView, description: &str) -> String {
    if hit.moments.iter().all(|moment| moment.text != hit.snippet) {
        return hit.snippet.clone();
    }
    let line = description.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_SNIPPET).collect::<String>().render().into_string()
}

/// The places of a hit; each link keeps the query, so that the resource's page can show it too.
pub(super) fn moments(hit: &FoundView, q: &str) -> Vec<MomentView> {
    let view = |moment: &FoundMoment| match (moment.start_ms, moment.page) {
        (Some(start_ms), _) => MomentView {
            kind: MomentKind::Time(u64::try_from(start_ms).unwrap_or_default()),
            href: format!("{}&q={}", moment.url, encode(q)),
            image: moment.image.clone(),
            text_html: moment.text.clone(),
        },
        (None, page) => MomentView {
            kind: match moment.kind {
                "slide" => MomentKind::Slide(page.unwrap_or(1)),
                "chapter" => MomentKind::Chapter(page.unwrap_or(1)),
                _ if hit.kind == Kind::Image.as_str() => MomentKind::Picture,
                _ => MomentKind::Page(page.unwrap_or(1)),
            },
            href: moment.url.clone(),
            image: None,
            text_html: moment.text.clone(),
        },
    };
    let mut places: Vec<&FoundMoment> = hit.moments.iter().collect();
    places.sort_by_key(|moment| (moment.start_ms, moment.page));
    places.into_iter().map(view).collect()
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
    find_in(app, resource.id, q)
        .await
        .map(|hit| moments(&FoundView { kind: resource.kind.as_str(), ..hit }, q))
        .unwrap_or_default()
}

/// The filters of a query: name and values.
fn filters(query: &SearchQuery) -> Vec<(String, String)> {
    [
        ("library", &query.library),
        ("kind", &query.kind),
        ("topic", &query.topic),
        ("audience", &query.audience),
        ("language", &query.language),
        ("sort", &query.sort),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| (name.to_owned(), value.clone()))
    .collect()
}

/// Address of the first page of a query.
fn address(query: &SearchQuery) -> String {
    let mut address = format!("/search?q={}", encode(&query.q));
    for (name, value) in filters(query) {
        address.push_str(&format!("&{name}={}", encode(&value)));
    }
    if let Some(per_page) = query.per_page {
        address.push_str(&format!("&per_page={per_page}"));
    }
    address
}

/// All kinds first, then each; none with fewer than two.
fn tabs(lang: Lang, query: &SearchQuery, found: &SearchResult) -> Vec<FacetValue> {
    let kinds = found.facets.get("kind").map(Vec::as_slice).unwrap_or_default();
    if kinds.len() < 2 && query.kind.is_empty() {
        return Vec::new();
    }
    let tab = |kind: &str, label: &str, count: u64| {
        let narrowed = SearchQuery { kind: kind.to_owned(), page: None, ..query.clone() };
        FacetValue {
            label: label.to_owned(),
            count,
            href: address(&narrowed),
            on: query.kind == kind,
        }
    };
    let all = tab("", lang.pick("全部", "All"), kinds.iter().map(|(_, count)| count).sum());
    let each = kinds
        .iter()
        .filter_map(|(code, count)| Some(tab(code, pages::found_word(lang, code)?, *count)));
    std::iter::once(all).chain(each).collect()
}

fn orders(lang: Lang, query: &SearchQuery, found: &SearchResult) -> Vec<Choice> {
    if found.total < 2 || found.titles_only || query.q.trim().is_empty() {
        return Vec::new();
    }
    let newest = query.sort == "newest";
    [
        ("", lang.pick("最相关", "Best match"), !newest),
        ("newest", lang.pick("最新", "Newest"), newest),
    ]
    .into_iter()
    .map(|(sort, label, on)| {
        let sorted = SearchQuery { sort: sort.to_owned(), page: None, ..query.clone() };
        Choice { label: label.to_owned(), href: address(&sorted), on }
    })
    .collect()
}

/// The same search with other words.
fn instead(query: &SearchQuery, words: &str) -> Choice {
    let other = SearchQuery { q: words.to_owned(), page: None, ..query.clone() };
    Choice { label: words.to_owned(), href: address(&other), on: false }
}

/// Searches for each of several words, everywhere.
fn fewer(query: &SearchQuery) -> Vec<Choice> {
    let words: Vec<&str> = query.q.split_whitespace().take(MAX_FEWER).collect();
    let alone = |word: &&str| instead(&SearchQuery::default(), word);
    if words.len() < 2 { Vec::new() } else { words.iter().map(alone).collect() }
}

fn facets(
    lang: Lang,
    query: &SearchQuery,
    found: &SearchResult,
    libraries: &BTreeMap<String, String>,
) -> Vec<Facet> {
    let chinese = lang == Lang::Zh;
    let label = |field: &str, code: &str| match field {
        "library" => libraries.get(code).cloned().unwrap_or_else(|| code.to_owned()),
        "kind" => pages::found_word(lang, code).unwrap_or(code).to_owned(),
        "topic" => label_of(TOPICS, code, chinese).to_owned(),
        "audience" => label_of(AUDIENCES, code, chinese).to_owned(),
        _ => label_of(LANGUAGES, code, chinese).to_owned(),
    };
    let names = [
        ("library", lang.pick("资源库", "Library")),
        ("topic", lang.pick("主题", "Topic")),
        ("audience", lang.pick("适用人群", "Audience")),
        ("language", lang.pick("语言", "Language")),
    ];
    names
        .into_iter()
        .map(|(field, name)| Facet {
            name: name.to_owned(),
            values: found
                .facets
                .get(field)
                .into_iter()
                .flatten()
                .map(|(code, count)| {
                    let (on, narrowed) = toggled(query, field, code);
                    FacetValue {
                        label: label(field, code),
                        count: *count,
                        href: address(&narrowed),
                        on,
                    }
                })
                .collect(),
        })
        .filter(|facet| !facet.values.is_empty())
        .collect()
}

/// The query with `code` of `field` added, or taken away where it is in force.
fn toggled(query: &SearchQuery, field: &str, code: &str) -> (bool, SearchQuery) {
    let mut query = SearchQuery { page: None, ..query.clone() };
    let values = match field {
        "library" => &mut query.library,
        "kind" => &mut query.kind,
        "topic" => &mut query.topic,
        "audience" => &mut query.audience,
        _ => &mut query.language,
    };
    let mut codes: Vec<&str> = values.split(',').filter(|value| !value.is_empty()).collect();
    let on = codes.contains(&code);
    if on {
        codes.retain(|other| *other != code);
    } else {
        codes.push(code);
    }
    *values = codes.join(",");
    (on, query)
}

pub(in crate::api) async fn libraries(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let view = LibrariesView {
        libraries: library_tiles(&app, &visitor.caller).await?,
        paging: Paging { page: 1, pages: 1, href: "/libraries?page=".into() },
    };
    Ok(page(&reader, pages::libraries(&shell(&app, &reader, &visitor), &view)))
}

/// Which resources of a library a page shows.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct LibraryQuery {
    kind: Option<String>,
    page: Option<i64>,
}

pub(in crate::api) async fn library(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(slug): Path<String>,
    Query(query): Query<LibraryQuery>,
) -> Result<Response, ApiError> {
    let mut db = app.db.read().await?;
    let library = db::libraries::find_by_slug(&mut db, &slug)
        .await?
        .filter(|library| visitor.caller.can_see_library(library))
        .ok_or(ApiError::NotFound)?;
    let kind: Option<Kind> = query.kind.as_deref().and_then(|kind| kind.parse().ok());
    let at = query.page.unwrap_or(1).clamp(1, 1_000_000);
    let mut filter =
        Filter { library: Some(library.id), stage: Some("published".into()), ..Filter::default() };
    let mut kinds = Vec::new();
    for known in [Kind::Video, Kind::Audio, Kind::Document, Kind::Image, Kind::Package] {
        filter.kind = Some(known.as_str().to_owned());
        let (count, _) = db::resources::list(&mut db, &filter, 0, 1).await?;
        if count > 0 {
            kinds.push((known, u64::try_from(count).unwrap_or_default()));
        }
    }
    filter.kind = kind.map(|kind| kind.as_str().to_owned());
    let (total, newest) =
        db::resources::list(&mut db, &filter, (at - 1) * PER_PAGE, PER_PAGE).await?;
    drop(db);
    let first = at == 1 && kind.is_none();
    let (courses, collections) = match first {
        true => (
            courses_of(&app, &visitor.caller, &library).await?,
            collections_of(&app, &visitor.caller, &library).await?,
        ),
        false => (Vec::new(), Vec::new()),
    };
    let chosen = kind.map(|kind| format!("kind={}&", kind.as_str())).unwrap_or_default();
    let view = LibraryView {
        name: library.name.clone(),
        description: library.description.clone(),
        resources: kinds.iter().map(|(_, count)| count).sum(),
        kinds,
        kind,
        newest: tiles(&app, &newest, false).await?,
        courses,
        collections,
        paging: Paging {
            page: u32::try_from(at).unwrap_or(1),
            pages: u32::try_from((total + PER_PAGE - 1) / PER_PAGE).unwrap_or(1),
            href: format!("/libraries/{slug}?{chosen}page="),
        },
        may_upload: visitor.caller.is_author_of(library.id),
        slug,
    };
    Ok(page(&reader, pages::library(&shell(&app, &reader, &visitor), &view)))
}

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
    let notice = (resource.stage == Stage::Processing).then(|| {
        let doing = sentence(reader.lang, &resource.doing, "");
        format!("{doing} {:.0}%", resource.progress * 100.0)
    });
    let related =
        Filter { library: Some(library.id), stage: Some("published".into()), ..Filter::default() };
    let (_, related) = db::resources::list(&mut *app.db.read().await?, &related, 0, 7).await?;
    let related: Vec<_> =
        related.into_iter().filter(|other| other.id != resource.id).take(6).collect();
    let media = media(&app, &reader, &delivery, &links, &query).await?;
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
    };
    Ok(playing_page(&app, &reader, pages::resource(&shell(&app, &reader, &visitor), &view)))
}

fn licence_href(licence: &str) -> Option<String> {
    let rest = licence.strip_prefix("CC-")?;
    let (terms, version) = rest.rsplit_once('-')?;
    Some(format!("https://creativecommons.org/licenses/{}/{version}/", terms.to_lowercase()))
        .filter(|_| version.starts_with(|c: char| c.is_ascii_digit()))
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
