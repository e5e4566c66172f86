//! The page of the repositories that are harvested.

use axum::extract::Query;
use axum::response::Response;

use super::super::listed::Listing;
use super::super::problem::ApiError;
use super::super::sources::{NewSource, SourceView, add, ask, matching, remove, views};
use super::here::{Form, Here, done};
use crate::db;
use crate::pages::{self, Notice, SourceRow, SourcesView};

const ADDRESS: &str = "/admin/sources";

pub(in crate::api) async fn sources_page(
    here: Here,
    Query(list): Query<Listing>,
) -> Result<Response, ApiError> {
    let view = view(&here, &list, here.notice()).await?;
    Ok(here.show(|shell| pages::sources(shell, &view)))
}

/// One form for each thing that can be done; `do` says which was sent.
pub(in crate::api) async fn sources_form(form: Form) -> Result<Response, ApiError> {
    let (here, fields) = (form.here, form.fields);
    let (caller, id) = (here.caller(), fields.one("id"));
    let taken = match fields.one("do") {
        "run" => ask(&here.app, caller, id, false).await,
        "all" => ask(&here.app, caller, id, true).await,
        "remove" => remove(&here.app, caller, id).await,
        _ => {
            let new = NewSource {
                url: fields.one("url").to_owned(),
                name: fields.one("name").to_owned(),
                prefix: fields.one("prefix").to_owned(),
                set: fields.one("set").to_owned(),
                library: fields.one("library").to_owned(),
                every_hours: fields.one("every_hours").trim().parse().ok(),
                ..NewSource::default()
            };
            add(&here.app, caller, new).await.map(drop)
        }
    };
    match taken {
        Ok(()) => Ok(done(ADDRESS)),
        Err(error) => {
            let view = view(&here, &Listing::default(), here.refusal(error)?).await?;
            Ok(here.refuse(|shell| pages::sources(shell, &view)))
        }
    }
}

async fn view(here: &Here, list: &Listing, notice: Notice) -> Result<SourcesView, ApiError> {
    let found = matching(views(&here.app, here.caller(), &here.reader).await?, list);
    let (total, sources) = list.cut(found);
    let libraries = db::libraries::list(&mut *here.app.db.read().await?).await?;
    let named = |slug: &str| {
        let library = libraries.iter().find(|library| library.slug.as_str() == slug);
        library.map(|library| library.name.clone()).unwrap_or_default()
    };
    let row = |source: SourceView| SourceRow {
        library: named(&source.library),
        id: source.id,
        name: source.name,
        url: source.url,
        set: source.set,
        records: u64::try_from(source.records).unwrap_or_default(),
        every_hours: source.every_hours,
        running: source.running,
        ended: source.ended,
        next: source.next,
        failure: source.failure,
    };
    Ok(SourcesView {
        list: list.listed(ADDRESS, "/api/sources", total, &[]),
        sources: sources.into_iter().map(row).collect(),
        libraries: libraries.iter().map(|l| (l.slug.to_string(), l.name.clone())).collect(),
        notice,
    })
}
