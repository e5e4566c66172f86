//! The front page of the net, which at a library's own host is that library's.

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use axum::response::Response;

use super::super::caller::Visitor;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::search::encode;
use super::courses::newest_courses;
use super::libraries::{LibraryQuery, library, library_card};
use super::region::{dots, nodes};
use super::shell::{page, shell};
use super::tiles::front_tiles;
use crate::app::App;
use crate::catalogue::{AUDIENCES, Caller, Library, TOPICS, Term, Visibility, label_of};
use crate::db;
use crate::net::front::Front;
use crate::pages::{self, HomeView, Lang, LibraryLink, TermCount};

/// The newest resources that are shown.
const NEWEST: usize = 12;

/// Resources of townships and communities that are shown.
const TREASURES: usize = 8;

/// Libraries without a region that are shown as cards.
const CARDS: usize = 12;

/// A visitor's own libraries that are shown.
const MINE: usize = 12;

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
    let front = app.fronts.now(&app.db).await?;
    let mine = mine(&app, &visitor.caller).await?;
    let view = HomeView { mine, ..told(&app, &reader, &front) };
    let view = match reader.elder {
        // A few things, large.
        true => view,
        false => all(&app, &visitor.caller, &reader, &front, view).await?,
    };
    Ok(page(&reader, pages::home(&shell(&app, &reader, &visitor), &view)))
}

/// What the elder mode shows too.
fn told(app: &App, reader: &Reader, front: &Front) -> HomeView {
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    let newest = if reader.elder { pages::ELDER_NEWEST } else { NEWEST };
    HomeView {
        resources: count(front.resources),
        newest: front_tiles(app, front, &front.newest(newest, |_| true)),
        audiences: terms(reader.lang, AUDIENCES, "audience", &front.audiences),
        ..HomeView::default()
    }
}

/// The rest.
async fn all(
    app: &App,
    caller: &Caller,
    reader: &Reader,
    front: &Front,
    view: HomeView,
) -> Result<HomeView, ApiError> {
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    let regions = nodes(front);
    let cards = front.shelves.iter().filter(|shelf| regions.is_empty() || shelf.path.is_empty());
    Ok(HomeView {
        examples: app.config.site.examples.clone(),
        video_ms: count(front.video_ms),
        organisations: count(front.organisations),
        libraries_total: front.shelves.len() as u64,
        libraries: cards.take(CARDS).map(library_card).collect(),
        treasures: front_tiles(app, front, &front.treasures(TREASURES)),
        vouched: !front.vouched.is_empty(),
        courses: newest_courses(app, caller).await?,
        topics: terms(reader.lang, TOPICS, "topic", &front.topics),
        dots: dots(front),
        regions,
        ..view
    })
}

/// The words of a list that something has, in the order of the list, each leading to a search.
pub(super) fn terms(
    lang: Lang,
    terms: &[Term],
    field: &str,
    counts: &HashMap<String, i64>,
) -> Vec<TermCount> {
    let known = terms.iter().filter_map(|term| Some((term.code, counts.get(term.code)?)));
    known
        .map(|(code, count)| TermCount {
            label: label_of(terms, code, lang == Lang::Zh).to_owned(),
            href: format!("/search?{field}={}", encode(code)),
            code: code.to_owned(),
            resources: u64::try_from(*count).unwrap_or_default(),
        })
        .collect()
}

/// The libraries in which `caller` has a role; administrators of the net have none of their own.
async fn mine(app: &App, caller: &Caller) -> Result<Vec<LibraryLink>, ApiError> {
    let Some(account) = caller.0.as_ref().filter(|account| !account.libraries.is_empty()) else {
        return Ok(Vec::new());
    };
    let mut db = app.db.read().await?;
    let counts = db::resources::count_published(&mut db).await?;
    let all = db::libraries::list(&mut db).await?;
    let has_role =
        |library: &Library| account.libraries.get(&library.id).is_some_and(|roles| roles.any());
    let own = all.into_iter().filter(has_role).take(MINE);
    Ok(own
        .map(|library| {
            let id = library.id.to_string();
            let count = counts.iter().find(|(known, _)| *known == id);
            LibraryLink {
                href: format!("/libraries/{}", library.slug),
                name: library.name,
                resources: count.map_or(0, |(_, n)| u64::try_from(*n).unwrap_or_default()),
                internal: library.visibility == Visibility::Internal,
            }
        })
        .collect())
}
