//! The page on which the people of a library arrange its front page.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::links::poster_of;
use super::super::problem::ApiError;
use super::here::{Form, Here};
use super::libraries::published_in;
use super::studio::Fields;
use crate::app::App;
use crate::catalogue::{Block, Colour, Details, Kind, Library, Look, RuleError, retention};
use crate::db::resources::Filter;
use crate::net::organisations::Actor;
use crate::pages::{self, FeaturedChoice, LogoChoice, LookView};
use crate::{db, net};

/// Images and resources that are offered.
const OFFERED: i64 = 24;

/// What came of the form.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct Came {
    #[serde(default)]
    saved: bool,
}

pub(in crate::api) async fn look_page(
    here: Here,
    Path(slug): Path<String>,
    Query(came): Query<Came>,
) -> Result<Response, ApiError> {
    let library = managed(&here, &slug).await?;
    let view = LookView { saved: came.saved, ..view(&here.app, &library).await? };
    Ok(here.show(|shell| pages::look(shell, &view)))
}

pub(in crate::api) async fn look_form(
    Path(slug): Path<String>,
    Form { here, fields }: Form,
) -> Result<Response, ApiError> {
    let library = managed(&here, &slug).await?;
    match arrange(&here, library.clone(), &fields).await {
        Ok(()) => Ok(Redirect::to(&format!("/studio/libraries/{slug}?saved=true")).into_response()),
        Err(error) => {
            let refusal = here.refusal(error)?.bad;
            let kept = view(&here.app, &library).await?;
            let view = LookView { refusal, ..as_typed(kept, &fields) };
            Ok(here.refuse(|shell| pages::look(shell, &view)))
        }
    }
}

/// The library, for those who look after it.
async fn managed(here: &Here, slug: &str) -> Result<Library, ApiError> {
    let library = db::libraries::find_by_slug(&mut *here.app.db.read().await?, slug)
        .await?
        .filter(|library| here.caller().can_see_library(library))
        .ok_or(ApiError::NotFound)?;
    here.caller().may_manage(library.id)?;
    Ok(library)
}

/// Keeps what the form says.
async fn arrange(here: &Here, library: Library, fields: &Fields) -> Result<(), ApiError> {
    let details = Details {
        title: library.name.clone(),
        licence: fields.one("licence").to_owned(),
        topics: fields.all("topics"),
        ..Details::default()
    }
    .checked()?;
    let retention_days = days(fields.one("retention_days"))?;
    let now_ms = here.app.now_ms();
    let by = Actor { account: Some(here.caller().account()?.id), now_ms };
    let mut tx = here.app.db.begin().await?;
    // As it is now: what the form does not hold may have been changed meanwhile.
    let now = db::libraries::get(&mut tx, library.id).await?;
    let look = look_of(fields, &now.look)?;
    check_own(&mut tx, &now, &look).await?;
    let arranged =
        Library { look, retention_days, licence: details.licence, topics: details.topics, ..now };
    net::libraries::arrange(&mut tx, &arranged, by).await?;
    tx.commit().await?;
    here.app.deliveries.forget_all();
    Ok(())
}

/// The look that the form says.
fn look_of(fields: &Fields, kept: &Look) -> Result<Look, RuleError> {
    let colour = fields.one("colour");
    let known = Colour::ALL.into_iter().find(|known| known.as_str() == colour);
    let colour = known.ok_or_else(|| RuleError::BadField {
        field: "colour",
        value: colour.chars().take(40).collect(),
    })?;
    let look = Look {
        colour,
        logo: Some(fields.one("logo").to_owned()),
        notice: fields.one("notice").replace('\r', ""),
        featured: featured_of(fields, &kept.featured),
        blocks: blocks_of(fields),
    };
    look.checked()
}

/// Ids of what is to be shown first: by the places that were given, then as before, then others.
fn featured_of(fields: &Fields, kept: &[String]) -> Vec<String> {
    let mut chosen = fields.all("featured");
    chosen.sort_by_key(|id| {
        let place: usize = fields.one(&format!("place-{id}")).trim().parse().unwrap_or(usize::MAX);
        (place, kept.iter().position(|known| known == id).unwrap_or(usize::MAX))
    });
    for typed in fields.one("more_featured").split_whitespace() {
        // An address ends with the id, perhaps with a query behind it.
        let path = typed.split(['?', '#']).next().unwrap_or(typed).trim_end_matches('/');
        let id = path.rsplit('/').next().unwrap_or(path).to_owned();
        if !chosen.contains(&id) {
            chosen.push(id);
        }
    }
    chosen
}

/// The blocks in the order of their places; none when it is the usual order.
fn blocks_of(fields: &Fields) -> Vec<Block> {
    let place = |block: Block| {
        let place: usize = fields.one(&format!("block-{}", block.as_str())).parse().ok()?;
        Some((place, block))
    };
    let mut placed: Vec<(usize, Block)> = Block::ALL.into_iter().filter_map(place).collect();
    placed.sort_by_key(|(place, _)| *place);
    let blocks: Vec<Block> = placed.into_iter().map(|(_, block)| block).collect();
    if blocks == Block::ALL { Vec::new() } else { blocks }
}

/// Only what is published in the library can stand on its front page.
async fn check_own(
    db: &mut sqlx::AnyConnection,
    library: &Library,
    look: &Look,
) -> Result<(), ApiError> {
    let refused =
        |field, value: &str| ApiError::from(RuleError::BadField { field, value: value.to_owned() });
    if let Some(logo) = &look.logo {
        let image = published_in(db, library, logo).await?;
        image.filter(|it| it.kind == Kind::Image).ok_or_else(|| refused("logo", logo))?;
    }
    for id in &look.featured {
        let kept = library.look.featured.contains(id);
        if !kept && published_in(db, library, id).await?.is_none() {
            return Err(refused("featured", id));
        }
    }
    Ok(())
}

/// Days after which something is removed; none: it is kept.
pub(super) fn days(text: &str) -> Result<Option<i64>, RuleError> {
    let text = text.trim();
    let value = || text.chars().take(40).collect();
    let bad = || RuleError::BadField { field: "retention_days", value: value() };
    match text {
        "" => Ok(None),
        _ => retention(text.parse().map_err(|_| bad())?),
    }
}

/// What is kept, and what can be chosen.
async fn view(app: &App, library: &Library) -> Result<LookView, ApiError> {
    let mut db = app.db.read().await?;
    let look = &library.look;
    let newest = db::resources::list_newest(&mut db, library.id, None, (0, OFFERED)).await?;
    let mut featured = Vec::new();
    for (at, id) in look.featured.iter().enumerate() {
        let found = published_in(&mut db, library, id).await?;
        let title = found.map_or_else(|| id.clone(), |found| found.details.title);
        featured.push(FeaturedChoice { id: id.clone(), title, place: Some(at + 1) });
    }
    for resource in newest {
        let (id, title) = (resource.id.to_string(), resource.details.title);
        if !look.featured.contains(&id) {
            featured.push(FeaturedChoice { id, title, place: None });
        }
    }
    let images = Filter {
        library: Some(library.id),
        kind: Some(Kind::Image.as_str().to_owned()),
        stage: Some("published".to_owned()),
        ..Filter::default()
    };
    let (_, mut images) = db::resources::list(&mut db, &images, 0, OFFERED).await?;
    if let Some(logo) = &look.logo
        && images.iter().all(|image| image.id.to_string() != *logo)
    {
        images.extend(published_in(&mut db, library, logo).await?);
    }
    let logo = |image: &crate::catalogue::Resource| {
        let (id, src) = (image.id.to_string(), poster_of(app, image, library)?);
        let on = look.logo.as_ref() == Some(&id);
        Some(LogoChoice { title: image.details.title.clone(), on, id, src })
    };
    Ok(LookView {
        slug: library.slug.to_string(),
        name: library.name.clone(),
        saved: false,
        refusal: None,
        colour: look.colour,
        notice: look.notice.clone(),
        logos: images.iter().filter_map(logo).collect(),
        featured,
        more_featured: String::new(),
        blocks: look.shown().to_vec(),
        licence: library.licence.clone(),
        topics: library.topics.clone(),
        retention_days: library.retention_days.map(|days| days.to_string()).unwrap_or_default(),
    })
}

/// The same with what was typed, so that nothing has to be typed again.
fn as_typed(kept: LookView, fields: &Fields) -> LookView {
    let chosen = fields.all("featured");
    let place = |id: &str| {
        let place = fields.one(&format!("place-{id}")).parse().ok();
        chosen.iter().any(|known| known == id).then(|| place.unwrap_or(12))
    };
    let colour = Colour::ALL.into_iter().find(|known| known.as_str() == fields.one("colour"));
    let blocks = blocks_of(fields);
    LookView {
        colour: colour.unwrap_or(kept.colour),
        notice: fields.one("notice").to_owned(),
        logos: kept
            .logos
            .into_iter()
            .map(|logo| LogoChoice { on: logo.id == fields.one("logo"), ..logo })
            .collect(),
        featured: kept
            .featured
            .into_iter()
            .map(|choice| FeaturedChoice { place: place(&choice.id), ..choice })
            .collect(),
        more_featured: fields.one("more_featured").to_owned(),
        blocks: if blocks.is_empty() { Block::ALL.to_vec() } else { blocks },
        licence: fields.one("licence").to_owned(),
        topics: fields.all("topics"),
        retention_days: fields.one("retention_days").to_owned(),
        ..kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_as_the_places_say() {
        let fields = Fields::parse(
            "featured=a&featured=b&featured=c&place-c=1&place-a=2\
             &more_featured=https%3A%2F%2Fx%2Fresources%2Fd%3Fq%3D1+a\
             &block-newest=1&block-featured=2&block-courses=",
        );
        assert_eq!(featured_of(&fields, &[]), ["c", "a", "b", "d"]);
        assert_eq!(blocks_of(&fields), [Block::Newest, Block::Featured]);
        let usual = "block-featured=1&block-courses=2&block-collections=3&block-newest=4";
        assert!(blocks_of(&Fields::parse(usual)).is_empty());
    }

    #[test]
    fn days_are_a_number_or_nothing() {
        assert_eq!(days(" "), Ok(None));
        assert_eq!(days("30"), Ok(Some(30)));
        assert_eq!(days("0"), Ok(None));
        for bad in ["-3", "x", "36501", "99999999999999999999"] {
            assert!(days(bad).is_err(), "{bad}");
        }
    }
}
