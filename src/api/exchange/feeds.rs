//! What is new in all, in a library, in a search: RSS and Atom.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::{HeaderMap, Method};

use super::super::links::links;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::search::{SearchQuery, find};
use super::super::shown::Shown;
use super::text;
use crate::app::App;
use crate::catalogue::{Caller, Kind, Library, Resource, TOPICS, label_of};
use crate::db;
use crate::exchange::{Enclosure, Feed, FeedItem, atom, rss};

/// Items of a feed.
const ITEMS: usize = 50;

/// A picture that is no taller is taken along where there are several: 720p.
const MOST_LINES: &[&str] = &["720p", "540p", "480p", "360p", "240p"];

pub(in crate::api) async fn feed(
    state: State<App>,
    reader: Reader,
    query: Query<SearchQuery>,
    request: (Method, HeaderMap),
) -> Result<Response, ApiError> {
    feed_in(state, reader, Path("rss".into()), query, request).await
}

pub(in crate::api) async fn feed_in(
    State(app): State<App>,
    reader: Reader,
    Path(form): Path<String>,
    Query(query): Query<SearchQuery>,
    request: (Method, HeaderMap),
) -> Result<Response, ApiError> {
    let (write, media_type): (fn(&Feed) -> String, _) = match form.as_str() {
        "rss" => (rss, "application/rss+xml; charset=utf-8"),
        "atom" => (atom, "application/atom+xml; charset=utf-8"),
        _ => return Err(ApiError::NotFound),
    };
    let feed = read(&app, &reader, query, &form).await?;
    Ok(text(&app, &request, write(&feed), media_type))
}

async fn read(
    app: &App,
    reader: &Reader,
    query: SearchQuery,
    form: &str,
) -> Result<Feed, ApiError> {
    let libraries = db::libraries::list(&mut *app.db.read().await?).await?;
    let named: Vec<&str> = query.library.split(',').filter(|slug| !slug.is_empty()).collect();
    let seen = |slug: &&str| {
        libraries.iter().find(|l| l.slug.as_str() == *slug && Caller(None).can_see_library(l))
    };
    let chosen: Vec<&Library> = named.iter().filter_map(seen).collect();
    if chosen.len() < named.len() {
        return Err(ApiError::NotFound);
    }
    let what = query.what();
    let newest = SearchQuery {
        sort: "newest".into(),
        course: String::new(),
        page: None,
        per_page: Some(ITEMS),
        ..query.clone()
    };
    let (_, shown) = find(app, &newest).await?;
    let site = reader.site(app);
    let mut items = Vec::with_capacity(shown.len());
    // Courses have no media to enclose.
    for shown in &shown {
        let Shown::Resource(resource) = shown else { continue };
        let library = libraries.iter().find(|library| library.id == resource.library);
        items.extend(item(app, &site, resource, library).await?);
    }
    let name = &app.config.site.name;
    let of: Vec<&str> = chosen.iter().map(|library| library.name.as_str()).collect();
    let of = [of.join("、"), query.q.trim().to_owned()];
    let of: Vec<&str> = of.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    let title = if of.is_empty() { name.clone() } else { format!("{} · {name}", of.join(" ")) };
    let page = match &chosen[..] {
        _ if what.is_empty() => format!("{site}/"),
        [library] if what == format!("?library={}", library.slug) => {
            format!("{site}/libraries/{}", library.slug)
        }
        _ => format!("{site}/search{what}"),
    };
    Ok(Feed {
        about: match &chosen[..] {
            [library] if !library.description.is_empty() => library.description.clone(),
            _ => format!("{title}：最新资源 Newest resources"),
        },
        title,
        page,
        address: format!("{site}/feed/{form}{what}"),
        site: name.clone(),
        items,
    })
}

async fn item(
    app: &App,
    site: &str,
    resource: &Resource,
    library: Option<&Library>,
) -> Result<Option<FeedItem>, ApiError> {
    // Withdrawn just now.
    let Some(delivery) = app.deliveries.find(&app.db, resource.id).await? else { return Ok(None) };
    if !delivery.is_public() {
        return Ok(None);
    }
    let links = links(app, &delivery);
    let details = &resource.details;
    let played = links
        .downloads
        .iter()
        .find(|file| match resource.kind {
            Kind::Video => file.kind == "video" && MOST_LINES.contains(&file.label.as_str()),
            _ => resource.kind == Kind::Audio,
        })
        .map(|file| (&file.href, file.media_type, file.about_bytes));
    let original = links.original.as_ref().map(|href| {
        (href, resource.media_type.as_str(), u64::try_from(resource.size_bytes).unwrap_or_default())
    });
    let enclosure = played.or(original).map(|(href, media_type, size_bytes)| Enclosure {
        href: format!("{site}{href}"),
        media_type: media_type.to_owned(),
        size_bytes,
        duration_ms: resource.duration_ms,
    });
    Ok(Some(FeedItem {
        title: details.title.clone(),
        page: format!("{site}/resources/{}", resource.id),
        summary: details.description.clone(),
        author: details.author.clone(),
        library: library.map(|library| library.name.clone()).unwrap_or_default(),
        published_ms: resource.published_ms.unwrap_or(resource.created_ms),
        updated_ms: resource.updated_ms,
        topics: details.topics.iter().map(|code| label_of(TOPICS, code, true).to_owned()).collect(),
        picture: links.poster.map(|poster| format!("{site}{poster}")),
        enclosure,
    }))
}
