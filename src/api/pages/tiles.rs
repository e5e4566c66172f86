//! Resources as cards, and other small pieces that several pages share.

use super::super::links;
use crate::app::App;
use crate::catalogue::{Caller, Library, Resource, TOPICS, Term, label_of};
use crate::db;
use crate::deliver::Delivery;
use crate::net::front::Front;
use crate::pages::{Lang, LibraryTile, ResourceTile, TermLink, TileKind};

use super::super::problem::ApiError;
use super::super::search::encode;
use super::super::shown::Shown;
use super::courses::course_tile;

/// Address of a resource's poster.
pub(super) fn poster(app: &App, delivery: &Delivery) -> Option<String> {
    let base = links::base(app, delivery);
    links::poster(&base, delivery.resource.poster.as_deref())
}

/// Cards of resources, in their order.
pub(super) async fn tiles(
    app: &App,
    resources: &[Resource],
    library: bool,
) -> Result<Vec<ResourceTile>, ApiError> {
    let mut db = app.db.read().await?;
    let libraries = db::libraries::list(&mut db).await?;
    let ids: Vec<String> = resources.iter().map(|resource| resource.id.to_string()).collect();
    let origins = db::sources::origins(&mut db, &ids).await?;
    drop(db);
    let home = |id: &str| origins.iter().find(|o| o.resource == id).map(|o| o.name.clone());
    let of = |resource: &Resource| libraries.iter().find(|known| known.id == resource.library);
    let tile = |(resource, id): (&Resource, &String)| {
        let home = home(id);
        of(resource).map(|own| ResourceTile { home, ..tile(app, resource, own, library) })
    };
    Ok(resources.iter().zip(&ids).filter_map(tile).collect())
}

/// Cards of what a search found, in its order.
pub(super) async fn shown_tiles(app: &App, shown: &[Shown]) -> Result<Vec<ResourceTile>, ApiError> {
    let libraries = db::libraries::list(&mut *app.db.read().await?).await?;
    let of = |id| libraries.iter().find(|known| known.id == id);
    let mut cards = Vec::with_capacity(shown.len());
    for one in shown {
        cards.push(match one {
            Shown::Resource(resource) => {
                let own = of(resource.library).ok_or(ApiError::NotFound)?;
                tile(app, resource, own, true)
            }
            Shown::Course(course) => {
                let own = of(course.library).ok_or(ApiError::NotFound)?;
                // Whoever searches: what is found is public.
                let card = course_tile(app, &Caller(None), course, own).await?;
                ResourceTile {
                    home: None,
                    href: card.href,
                    title: card.title,
                    kind: TileKind::Course(card.lessons),
                    poster: card.poster,
                    duration_ms: None,
                    pages: None,
                    library: Some(own.name.clone()),
                    when_ms: course.published_ms,
                }
            }
        });
    }
    Ok(cards)
}

/// Cards of resources of the net's front page, in their order, with the names of their libraries.
pub(super) fn front_tiles(app: &App, front: &Front, resources: &[&Resource]) -> Vec<ResourceTile> {
    let of = |resource: &Resource| Some(tile(app, resource, front.library_of(resource)?, true));
    resources.iter().filter_map(|resource| of(resource)).collect()
}

fn tile(app: &App, resource: &Resource, own: &Library, library: bool) -> ResourceTile {
    ResourceTile {
        href: format!("/resources/{}", resource.id),
        title: resource.details.title.clone(),
        kind: resource.kind.into(),
        poster: links::poster_of(app, resource, own),
        duration_ms: resource.duration_ms.and_then(|ms| u64::try_from(ms).ok()),
        pages: resource.pages.and_then(|pages| u32::try_from(pages).ok()),
        library: library.then(|| own.name.clone()),
        home: None,
        when_ms: Some(resource.published_ms.unwrap_or(resource.created_ms)),
    }
}

/// Cards of the libraries that the caller may see.
pub(super) async fn library_tiles(
    app: &App,
    caller: &Caller,
) -> Result<Vec<LibraryTile>, ApiError> {
    let mut db = app.db.read().await?;
    let counts = db::resources::count_published(&mut db).await?;
    let all = db::libraries::list(&mut db).await?;
    Ok(all
        .into_iter()
        .filter(|library| caller.can_see_library(library))
        .map(|library| {
            let id = library.id.to_string();
            let count =
                counts.iter().find(|(known, _)| *known == id).map_or(0, |(_, count)| *count);
            LibraryTile {
                href: format!("/libraries/{}", library.slug),
                name: library.name,
                description: library.description,
                resources: u64::try_from(count).unwrap_or_default(),
            }
        })
        .collect())
}

/// Words of a list, each leading to a search by `field`.
pub(super) fn term_links(
    lang: Lang,
    terms: &[Term],
    field: &str,
    codes: &[String],
) -> Vec<TermLink> {
    codes
        .iter()
        .map(|code| TermLink {
            label: label_of(terms, code, lang == Lang::Zh).to_owned(),
            href: format!("/search?{field}={}", encode(code)),
        })
        .collect()
}

/// All topics.
pub(super) fn topic_links(lang: Lang, codes: &[String]) -> Vec<TermLink> {
    term_links(lang, TOPICS, "topic", codes)
}
