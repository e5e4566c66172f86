//! Regions: the tree of those that have libraries, and the page of each.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};

use super::super::caller::Visitor;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::shell::{page, shell};
use super::tiles::front_tiles;
use crate::app::App;
use crate::catalogue::{DivisionCode, Organisation, OrganisationId, Visibility};
use crate::db;
use crate::net::front::{Front, Shelf};
use crate::pages::{self, Crumb, Dot, Lang, LibraryLink, RegionNode, RegionRow, RegionView};

/// The newest resources that are shown.
const NEWEST: usize = 12;

/// The regions that have libraries, from those that nobody is above.
pub(super) fn nodes(front: &Front) -> Vec<RegionNode> {
    below(front, None)
}

fn below(front: &Front, parent: Option<OrganisationId>) -> Vec<RegionNode> {
    let here = front.regions.iter().filter(|region| region.parent() == parent);
    here.map(|region| {
        let (libraries, resources) = told(front, region.id);
        RegionNode {
            href: address(region),
            name: region.name.clone(),
            libraries,
            resources,
            own: own(front, region.id),
            below: below(front, Some(region.id)),
        }
    })
    .collect()
}

/// Libraries of a region and of all below, and the public resources in these.
fn told(front: &Front, region: OrganisationId) -> (u64, u64) {
    front.below(region).fold((0, 0), |(libraries, resources), shelf| {
        (libraries + 1, resources + u64::try_from(shelf.resources).unwrap_or_default())
    })
}

fn own(front: &Front, region: OrganisationId) -> Vec<LibraryLink> {
    let own = front.shelves.iter().filter(|shelf| shelf.library.owner == Some(region));
    own.map(link).collect()
}

fn link(shelf: &Shelf) -> LibraryLink {
    LibraryLink {
        href: format!("/libraries/{}", shelf.library.slug),
        name: shelf.library.name.clone(),
        resources: u64::try_from(shelf.resources).unwrap_or_default(),
        internal: shelf.library.visibility == Visibility::Internal,
    }
}

/// The address of a region's page: by its code, or by its id where it has none.
pub(super) fn address(region: &Organisation) -> String {
    match &region.code {
        Some(code) => format!("/regions/{code}"),
        None => format!("/regions/{}", region.id),
    }
}

/// Where regions with libraries are: those of the first level that has at least two places.
pub(super) fn dots(front: &Front) -> Vec<Dot> {
    let levels = crate::catalogue::Level::ALL.into_iter();
    let mut of_level = levels
        .map(|level| dots_of(front, front.regions.iter().filter(|region| region.level == level)));
    of_level.find(|dots| dots.len() > 1).unwrap_or_default()
}

fn dots_of<'a>(front: &Front, regions: impl Iterator<Item = &'a Organisation>) -> Vec<Dot> {
    regions
        .filter_map(|region| {
            let (longitude, latitude) = region.position?;
            Some(Dot {
                href: address(region),
                name: region.name.clone(),
                longitude,
                latitude,
                libraries: told(front, region.id).0,
            })
        })
        .collect()
}

/// All regions, from the top.
pub(in crate::api) async fn regions(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let tops = db::organisations::list_below(&mut *app.db.read().await?, None).await?;
    if let [(only, _)] = tops.as_slice() {
        return Ok(Redirect::to(&address(only)).into_response());
    }
    let front = app.fronts.now(&app.db).await?;
    let owned = front.shelves.iter().filter(|shelf| !shelf.path.is_empty());
    let view = RegionView {
        path: "/regions".to_owned(),
        crumbs: vec![home_crumb(reader.lang)],
        name: String::new(),
        level: None,
        contact: String::new(),
        place: String::new(),
        libraries: owned.clone().count() as u64,
        resources: owned.map(|shelf| u64::try_from(shelf.resources).unwrap_or_default()).sum(),
        own: Vec::new(),
        dots: dots(&front),
        below: rows(&front, &tops),
        newest: front_tiles(&app, &front, &front.newest(NEWEST, |shelf| !shelf.path.is_empty())),
    };
    Ok(page(&reader, pages::region(&shell(&app, &reader, &visitor), &view)))
}

/// A region by its code or id. Who was merged into another one leads there.
pub(in crate::api) async fn region(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(named): Path<String>,
) -> Result<Response, ApiError> {
    let mut db = app.db.read().await?;
    let found = match (named.parse::<DivisionCode>(), named.parse::<OrganisationId>()) {
        (Ok(code), _) => db::organisations::find_by_code(&mut db, &code).await?,
        (_, Ok(id)) => db::organisations::find(&mut db, id).await?,
        _ => None,
    };
    let region = found.ok_or(ApiError::NotFound)?;
    if let Some(into) = region.merged_into {
        let into = db::organisations::find(&mut db, into).await?.ok_or(ApiError::NotFound)?;
        return Ok(Redirect::to(&address(&into)).into_response());
    }
    if region.closed_ms.is_some() {
        return Err(ApiError::NotFound);
    }
    let mut crumbs = vec![home_crumb(reader.lang)];
    crumbs.extend(way_down(&mut db, &region.path[..region.path.len() - 1]).await?);
    let below = db::organisations::list_below(&mut db, Some(region.id)).await?;
    drop(db);
    let front = app.fronts.now(&app.db).await?;
    let (libraries, resources) = told(&front, region.id);
    let newest = front.newest(NEWEST, |shelf| shelf.path.contains(&region.id));
    let view = RegionView {
        path: address(&region),
        crumbs,
        libraries,
        resources,
        own: own(&front, region.id),
        dots: dots_of(
            &front,
            front.regions.iter().filter(|known| known.parent() == Some(region.id)),
        ),
        below: rows(&front, &below),
        newest: front_tiles(&app, &front, &newest),
        name: region.name,
        level: Some(region.level),
        contact: region.contact,
        place: region.place,
    };
    Ok(page(&reader, pages::region(&shell(&app, &reader, &visitor), &view)))
}

/// The front page of the net.
pub(super) fn home_crumb(lang: Lang) -> Crumb {
    Crumb { href: "/".to_owned(), label: lang.pick("首页", "Home").to_owned() }
}

/// The pages of the regions `path`.
pub(super) async fn way_down(
    db: &mut sqlx::AnyConnection,
    path: &[OrganisationId],
) -> Result<Vec<Crumb>, ApiError> {
    let mut crumbs = Vec::with_capacity(path.len());
    for id in path {
        if let Some(above) = db::organisations::find(db, *id).await? {
            crumbs.push(Crumb { href: address(&above), label: above.name });
        }
    }
    Ok(crumbs)
}

fn rows(front: &Front, regions: &[(Organisation, i64)]) -> Vec<RegionRow> {
    let row = |(region, below): &(Organisation, i64)| {
        let (libraries, resources) = told(front, region.id);
        RegionRow {
            href: address(region),
            name: region.name.clone(),
            libraries,
            resources,
            below: u64::try_from(*below).unwrap_or_default(),
        }
    };
    regions.iter().map(row).collect()
}
