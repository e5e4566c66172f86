//! The front page, and the pages of libraries.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::super::caller::Visitor;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::search::{SearchQuery, find};
use super::courses::{collections_of, courses_of, newest_courses};
use super::shell::{page, shell};
use super::tiles::{library_tiles, tiles, topic_links};
use crate::app::App;
use crate::catalogue::Kind;
use crate::db;
use crate::db::resources::Filter;
use crate::pages::{self, HomeView, LibrariesView, LibraryView, Paging};

/// Cards on the front page.
const NEWEST: i64 = 12;

/// Cards on a page of a library.
const PER_PAGE: i64 = 24;

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
