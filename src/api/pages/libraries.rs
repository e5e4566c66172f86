//! The list of libraries, and a library's own front page as its people arranged it.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::super::caller::Visitor;
use super::super::links::poster_of;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::courses::{collections_of, courses_of};
use super::home::terms;
use super::region::{home_crumb, way_down};
use super::shell::{page, shell};
use super::tiles::{library_tiles, tiles};
use crate::app::App;
use crate::catalogue::{
    Block, Host, Kind, Library, Organisation, Resource, Stage, TOPICS, Visibility,
};
use crate::db;
use crate::db::front::{Tally, Told, by_code};
use crate::net::front::Shelf;
use crate::pages::{self, Crumb, LibrariesView, LibraryTile, LibraryView, Paging, TermCount};

/// Cards on a page of a library.
const PER_PAGE: i64 = 24;

/// A library of the net as a card.
pub(super) fn library_card(shelf: &Shelf) -> LibraryTile {
    LibraryTile {
        href: format!("/libraries/{}", shelf.library.slug),
        name: shelf.library.name.clone(),
        description: shelf.library.description.clone(),
        resources: u64::try_from(shelf.resources).unwrap_or_default(),
    }
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
    let told = db::front::told(&mut db, Some(library.id)).await?;
    let kinds = kinds(&told.kinds);
    let of_kind = kinds.iter().filter(|(known, _)| kind.is_none_or(|kind| kind == *known));
    let total: i64 = of_kind.map(|(_, count)| i64::try_from(*count).unwrap_or(i64::MAX)).sum();
    let part = ((at - 1) * PER_PAGE, PER_PAGE);
    let newest = db::resources::list_newest(&mut db, library.id, kind, part).await?;
    let owner = match library.owner {
        None => None,
        Some(owner) => db::organisations::find(&mut db, owner).await?,
    };
    let crumbs = crumbs(&app, &reader, &mut db, &library, owner.as_ref()).await?;
    // Who turned a page or chose a kind looks for something: only the list.
    let whole = kind.is_none() && at == 1;
    let featured = if whole { featured(&mut db, &library).await? } else { Vec::new() };
    let logo = logo(&app, &mut db, &library).await?;
    drop(db);
    let (courses, collections) = match whole {
        true => (
            courses_of(&app, &visitor.caller, &library).await?,
            collections_of(&app, &visitor.caller, &library).await?,
        ),
        false => (Vec::new(), Vec::new()),
    };
    let chosen = kind.map(|kind| format!("kind={}&", kind.as_str())).unwrap_or_default();
    let view = LibraryView {
        resources: told.kinds.iter().map(|tally| count(tally.resources)).sum(),
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
        look_href: (whole && visitor.caller.is_librarian_of(library.id))
            .then(|| format!("/studio/libraries/{slug}")),
        crumbs,
        owner: owner.map(|owner| owner.name),
        colour: library.look.colour,
        logo,
        notice: if whole { library.look.notice.clone() } else { String::new() },
        featured: tiles(&app, &featured, false).await?,
        topics: topics(&reader, &library, &told),
        blocks: if whole { library.look.shown().to_vec() } else { vec![Block::Newest] },
        name: library.name,
        description: library.description,
        slug,
    };
    Ok(page(&reader, pages::library(&shell(&app, &reader, &visitor), &view)))
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

/// How many there are of each kind, in a fixed order.
fn kinds(told: &[Tally]) -> Vec<(Kind, u64)> {
    [Kind::Video, Kind::Audio, Kind::Document, Kind::Image, Kind::Package]
        .into_iter()
        .map(|kind| {
            let of_kind = told.iter().filter(|tally| tally.kind == kind);
            (kind, of_kind.map(|tally| count(tally.resources)).sum())
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// Topics, each leading to a search in the library; a search finds nothing in an internal one.
fn topics(reader: &Reader, library: &Library, told: &Told) -> Vec<TermCount> {
    if library.visibility == Visibility::Internal {
        return Vec::new();
    }
    let mut found = terms(reader.lang, TOPICS, "topic", &by_code(&told.topics));
    for topic in &mut found {
        topic.href.push_str(&format!("&library={}", library.slug));
    }
    found
}

/// The net, then the regions down to the owner. At the library's own host the net is at the address
/// that the installation has, if it is known.
async fn crumbs(
    app: &App,
    reader: &Reader,
    db: &mut sqlx::AnyConnection,
    library: &Library,
    owner: Option<&Organisation>,
) -> Result<Vec<Crumb>, ApiError> {
    let mut home = home_crumb(reader.lang);
    let at_own_host = library.host.as_ref().map(Host::as_str)
        == Some(reader.host().to_ascii_lowercase().as_str());
    if at_own_host {
        let net = app.config.server.public_url.trim_end_matches('/');
        home.label.clone_from(&app.config.site.name);
        home.href = if net.is_empty() { "/libraries".to_owned() } else { format!("{net}/") };
    }
    let mut crumbs = vec![home];
    match owner {
        Some(owner) => crumbs.extend(way_down(db, &owner.path).await?),
        None => crumbs.push(Crumb {
            href: "/libraries".to_owned(),
            label: reader.lang.pick("资源库", "Libraries").to_owned(),
        }),
    }
    Ok(crumbs)
}

/// A published resource of `library`, by its id.
pub(super) async fn published_in(
    db: &mut sqlx::AnyConnection,
    library: &Library,
    id: &str,
) -> Result<Option<Resource>, ApiError> {
    let Ok(id) = id.parse() else { return Ok(None) };
    let found = db::resources::find(db, id).await?;
    Ok(found.filter(|it| it.library == library.id && it.stage == Stage::Published))
}

/// What its people chose, as far as it is still published here.
async fn featured(
    db: &mut sqlx::AnyConnection,
    library: &Library,
) -> Result<Vec<Resource>, ApiError> {
    let mut found = Vec::new();
    for id in &library.look.featured {
        found.extend(published_in(db, library, id).await?);
    }
    Ok(found)
}

async fn logo(
    app: &App,
    db: &mut sqlx::AnyConnection,
    library: &Library,
) -> Result<Option<String>, ApiError> {
    let Some(id) = &library.look.logo else { return Ok(None) };
    let image = published_in(db, library, id).await?.filter(|it| it.kind == Kind::Image);
    Ok(image.and_then(|image| poster_of(app, &image, library)))
}
