//! Pages of courses, lessons and collections for learners.

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::super::caller::Visitor;
use super::super::collections;
use super::super::courses::{Place, cover, places, set_listing, visible};
use super::super::links;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::search::{HitView as FoundView, SearchQuery, encode, find};
use super::super::shown::Shown;
use super::here::Form;
use super::resource::{ResourceQuery, media, moments_in};
use super::search::{moments, snippet};
use super::shell::{page, playing_page, shell};
use super::tiles::{shown_tiles, term_links, tiles, topic_links};
use crate::app::App;
use crate::catalogue::{
    AUDIENCES, Caller, Collection, Contents, Course, LANGUAGES, LICENCES, Library, Stage,
    Visibility, label_of,
};
use crate::db;
use crate::db::courses::Filter;
use crate::pages::{
    self, CollectionView, CourseTile, CourseView, HitView, Lang, LessonRow, LessonView,
    ListingChoice, MomentView, SectionView,
};

/// Cards of courses on the front page, and of a library's own on its page.
const NEWEST: i64 = 8;
const OF_LIBRARY: i64 = 24;

/// Cards in a collection's band.
const IN_BAND: usize = 4;

/// `course` of `library` as a card; its library is named unless it is on its own page.
pub(super) async fn course_tile(
    app: &App,
    caller: &Caller,
    course: &Course,
    library: &Library,
) -> Result<CourseTile, ApiError> {
    let contents = db::lessons::contents(&mut *app.db.read().await?, course.id).await?;
    let places = places(app, caller, &contents, false).await?;
    Ok(CourseTile {
        href: format!("/courses/{}", course.id),
        title: course.details.title.clone(),
        poster: cover(app, caller, course, &places).await?,
        lessons: places.len() as u64,
        teachers: course.details.teachers.clone(),
        hours: course.details.hours,
        library: Some(library.name.clone()),
        thanks: false,
    })
}

/// The newest courses that everybody may see.
pub(super) async fn newest_courses(
    app: &App,
    caller: &Caller,
) -> Result<Vec<CourseTile>, ApiError> {
    let filter = Filter { stage: Some("published".into()), public_only: true, ..Filter::default() };
    let mut db = app.db.read().await?;
    let (_, courses) = db::courses::list(&mut db, &filter, 0, NEWEST).await?;
    let libraries = db::libraries::list(&mut db).await?;
    drop(db);
    let mut cards = Vec::new();
    for course in courses {
        if let Some(own) = libraries.iter().find(|library| library.id == course.library) {
            cards.push(course_tile(app, caller, &course, own).await?);
        }
    }
    Ok(cards)
}

/// The published courses of `library`, then those of others that it shows, with thanks.
pub(super) async fn courses_of(
    app: &App,
    caller: &Caller,
    library: &Library,
) -> Result<Vec<CourseTile>, ApiError> {
    let filter =
        Filter { library: Some(library.id), stage: Some("published".into()), ..Filter::default() };
    let mut db = app.db.read().await?;
    let (_, own) = db::courses::list(&mut db, &filter, 0, OF_LIBRARY).await?;
    let listed = db::courses::listed_in(&mut db, library.id).await?;
    let libraries = db::libraries::list(&mut db).await?;
    drop(db);
    let mut cards = Vec::new();
    for course in own {
        let card = course_tile(app, caller, &course, library).await?;
        cards.push(CourseTile { library: None, ..card });
    }
    for course in listed {
        if let Some(owner) = libraries.iter().find(|library| library.id == course.library) {
            let card = course_tile(app, caller, &course, owner).await?;
            cards.push(CourseTile { thanks: true, ..card });
        }
    }
    Ok(cards)
}

/// The collections of `library`, each with its first resources.
pub(super) async fn collections_of(
    app: &App,
    caller: &Caller,
    library: &Library,
) -> Result<Vec<CollectionView>, ApiError> {
    let found = db::collections::list(&mut *app.db.read().await?, Some(library.id)).await?;
    let mut views = Vec::new();
    for collection in found {
        views.push(collection_view(app, caller, &collection, library, Some(IN_BAND)).await?);
    }
    Ok(views)
}

async fn collection_view(
    app: &App,
    caller: &Caller,
    collection: &Collection,
    library: &Library,
    most: Option<usize>,
) -> Result<CollectionView, ApiError> {
    let resources = collections::shown(app, caller, collection).await?;
    let first = &resources[..most.unwrap_or(usize::MAX).min(resources.len())];
    let edit = collection.can_be_edited_by(caller);
    Ok(CollectionView {
        path: format!("/collections/{}", collection.id),
        title: collection.title.clone(),
        description: collection.description.clone(),
        library_name: library.name.clone(),
        library_href: format!("/libraries/{}", library.slug),
        resources: tiles(app, first, true).await?,
        total: resources.len() as u64,
        edit_href: edit.then(|| format!("/studio/collections/{}", collection.id)),
    })
}

pub(in crate::api) async fn collection(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let caller = &visitor.caller;
    let (collection, library) = collections::visible(&app, caller, &id).await?;
    let view = collection_view(&app, caller, &collection, &library, None).await?;
    Ok(page(&reader, pages::collection(&shell(&app, &reader, &visitor), &view)))
}

/// What is searched for in a course.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct CourseQuery {
    #[serde(default)]
    q: String,
}

pub(in crate::api) async fn course(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<CourseQuery>,
) -> Result<Response, ApiError> {
    let caller = &visitor.caller;
    let (course, library) = visible(&app, caller, &id).await?;
    let contents = db::lessons::contents(&mut *app.db.read().await?, course.id).await?;
    let places = places(&app, caller, &contents, false).await?;
    let poster = cover(&app, caller, &course, &places).await?;
    let (found, hits) = search_in(&app, &course, &places, &query.q).await?;
    let mut thanks: Vec<(String, String)> = Vec::new();
    for owner in places.iter().filter_map(|place| place.owner(&course)) {
        let entry = (owner.name.clone(), format!("/libraries/{}", owner.slug));
        if !thanks.contains(&entry) {
            thanks.push(entry);
        }
    }
    let lasts = |place: &Place| place.found.as_ref().and_then(|(r, _)| r.duration_ms);
    let played: i64 = places.iter().filter_map(lasts).sum();
    let details = &course.details;
    let chinese = reader.lang == Lang::Zh;
    let view = CourseView {
        id: course.id.to_string(),
        title: details.title.clone(),
        stage: course.stage,
        description: details.description.clone(),
        teachers: details.teachers.clone(),
        hours: details.hours,
        duration_ms: u64::try_from(played).unwrap_or_default(),
        library_name: library.name.clone(),
        library_href: format!("/libraries/{}", library.slug),
        poster,
        language: details.language.clone(),
        language_name: details
            .language
            .as_deref()
            .map(|code| label_of(LANGUAGES, code, chinese).to_owned()),
        licence_name: label_of(LICENCES, &details.licence, chinese).to_owned(),
        topics: topic_links(reader.lang, &details.topics),
        audiences: term_links(reader.lang, AUDIENCES, "audience", &details.audiences),
        published_ms: course.published_ms,
        sections: sections(&course, &contents, &places, None),
        thanks,
        found,
        hits,
        edit_href: course
            .can_be_edited_by(caller)
            .then(|| format!("/studio/courses/{}", course.id)),
        cartridge_href: (caller.has_studio() && !places.is_empty())
            .then(|| format!("/api/courses/{}/cartridge", course.id)),
        listings: listings(&app, caller, &course, &library).await?,
        query: query.q,
    };
    Ok(page(&reader, pages::course(&shell(&app, &reader, &visitor), &view)))
}

/// The libraries of the caller that can show `course`, when it is one for all.
async fn listings(
    app: &App,
    caller: &Caller,
    course: &Course,
    own: &Library,
) -> Result<Vec<ListingChoice>, ApiError> {
    if course.stage != Stage::Published || own.visibility != Visibility::Public {
        return Ok(Vec::new());
    }
    let mut db = app.db.read().await?;
    let listed = db::courses::listings(&mut db, course.id).await?;
    let all = db::libraries::list(&mut db).await?.into_iter();
    let may = all.filter(|library| library.id != own.id && caller.is_librarian_of(library.id));
    Ok(may
        .map(|library| ListingChoice {
            on: listed.contains(&library.id),
            slug: library.slug.to_string(),
            name: library.name,
        })
        .collect())
}

/// Shows a course in a library of the visitor, or no longer: `library`, `action`.
pub(in crate::api) async fn listing_form(
    Path(id): Path<String>,
    Form { here, fields }: Form,
) -> Result<Response, ApiError> {
    let shown = fields.one("action") != "unlist";
    set_listing(&here.app, here.caller(), &id, fields.one("library"), shown).await?;
    Ok(Redirect::to(&format!("/courses/{id}")).into_response())
}

pub(in crate::api) async fn lesson(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path((id, number)): Path<(String, i64)>,
    Query(query): Query<ResourceQuery>,
) -> Result<Response, ApiError> {
    let caller = &visitor.caller;
    let (course, _) = visible(&app, caller, &id).await?;
    let contents = db::lessons::contents(&mut *app.db.read().await?, course.id).await?;
    let mut places = places(&app, caller, &contents, false).await?;
    let at = places.iter().position(|place| place.number == number).ok_or(ApiError::NotFound)?;
    let href = |place: &Place| format!("/courses/{}/lessons/{}", course.id, place.number);
    let step = |place: &Place| (href(place), place.title().to_owned());
    let previous = at.checked_sub(1).and_then(|at| places.get(at)).map(step);
    let next = places.get(at + 1).map(step);
    let sections = sections(&course, &contents, &places, Some(number));
    let (total, path) = (places.len() as u64, href(&places[at]));
    let place = places.swap_remove(at);
    let title = place.title().to_owned();
    let thanks = place.owner(&course).is_some();
    let (resource, library) = place.found.ok_or(ApiError::NotFound)?;
    let delivery = app.deliveries.find(&app.db, resource.id).await?.ok_or(ApiError::NotFound)?;
    let links = links::links(&app, &delivery);
    let resource_href = format!("/resources/{}", resource.id);
    let view = LessonView {
        course: course.id.to_string(),
        course_title: course.details.title.clone(),
        stage: course.stage,
        id: place.lesson.id.to_string(),
        number: (at as u64 + 1, total),
        title,
        description: resource.details.description.clone(),
        author: resource.details.author.clone(),
        library: (library.name.clone(), format!("/libraries/{}", library.slug)),
        thanks,
        media: media(&app, &reader, &delivery, &links, &query).await?,
        moments: moments_in(&app, &resource, &query.q)
            .await
            .into_iter()
            .map(|moment| moved(moment, &resource_href, &path))
            .collect(),
        query: query.q,
        sections,
        previous,
        next,
        resource_href,
        path,
    };
    Ok(playing_page(&app, &reader, pages::lesson(&shell(&app, &reader, &visitor), &view)))
}

/// The lessons that are shown, in their sections; sections without any are left out.
fn sections(
    course: &Course,
    contents: &Contents,
    places: &[Place],
    on: Option<i64>,
) -> Vec<SectionView> {
    let row = |(at, place): (usize, &Place)| {
        let (resource, _) = place.found.as_ref()?;
        Some(LessonRow {
            id: place.lesson.id.to_string(),
            number: at as u64 + 1,
            href: format!("/courses/{}/lessons/{}", course.id, place.number),
            title: place.title().to_owned(),
            kind: resource.kind,
            duration_ms: resource.duration_ms.and_then(|ms| u64::try_from(ms).ok()),
            pages: resource.pages.and_then(|pages| u32::try_from(pages).ok()),
            thanks: place.owner(course).map(|library| library.name.clone()),
            on: on == Some(place.number),
        })
    };
    let view = |(number, section): (usize, &crate::catalogue::Section)| SectionView {
        title: section.title.clone(),
        lessons: places
            .iter()
            .enumerate()
            .filter(|(_, place)| place.section == number)
            .filter_map(row)
            .collect(),
    };
    let all = contents.sections().iter().enumerate().map(view);
    all.filter(|section| !section.lessons.is_empty()).collect()
}

/// Where `q` is met in the lessons that are shown: how many these are, and the hits, which lead
/// to the lessons.
async fn search_in(
    app: &App,
    course: &Course,
    places: &[Place],
    q: &str,
) -> Result<(u64, Vec<HitView>), ApiError> {
    if q.trim().is_empty() {
        return Ok((0, Vec::new()));
    }
    let query = SearchQuery {
        q: q.to_owned(),
        course: course.id.to_string(),
        per_page: Some(indexer::MAX_PER_PAGE),
        ..SearchQuery::default()
    };
    let (found, shown) = find(app, &query).await?;
    let cards = shown_tiles(app, &shown).await?;
    let hrefs: HashMap<String, String> = places
        .iter()
        .rev()
        .map(|place| {
            let href = format!("/courses/{}/lessons/{}", course.id, place.number);
            (place.lesson.resource.to_string(), href)
        })
        .collect();
    let hit = |((found, shown), mut tile): ((&FoundView, &Shown), pages::ResourceTile)| {
        let href = hrefs.get(&found.resource)?;
        let from = tile.href.clone();
        tile.href = format!("{href}?q={}", encode(q));
        Some(HitView {
            tile,
            title_html: found.title.clone(),
            snippet_html: snippet(found, shown.description()),
            moments: moments(found, q)
                .into_iter()
                .map(|moment| moved(moment, &from, href))
                .collect(),
        })
    };
    let hits: Vec<HitView> = found.hits.iter().zip(&shown).zip(cards).filter_map(hit).collect();
    Ok((hits.len() as u64, hits))
}

/// A moment of the resource at `from`, opened in the lesson at `to`.
fn moved(moment: MomentView, from: &str, to: &str) -> MomentView {
    let href = match moment.href.strip_prefix(from) {
        Some(rest) => format!("{to}{rest}"),
        None => moment.href,
    };
    MomentView { href, ..moment }
}
