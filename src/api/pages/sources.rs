//! The page of the repositories that are harvested.

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;

use super::super::caller::Visitor;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::sentences::rule;
use super::super::sources::{NewSource, SourceView, add, ask, remove, views};
use super::shell::{page, shell};
use super::studio::{Fields, check_csrf};
use crate::app::App;
use crate::db;
use crate::pages::{self, SourceRow, SourcesView};

const ADDRESS: &str = "/admin/sources";

pub(in crate::api) async fn sources_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    show(&app, &reader, &visitor, None).await
}

/// One form for each thing that can be done; `do` says which was sent.
pub(in crate::api) async fn sources_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    let (caller, id) = (&visitor.caller, fields.one("id"));
    let done = match fields.one("do") {
        "run" => ask(&app, caller, id, false).await,
        "all" => ask(&app, caller, id, true).await,
        "remove" => remove(&app, caller, id).await,
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
            add(&app, caller, new).await.map(drop)
        }
    };
    match done {
        Ok(()) => Ok(Redirect::to(ADDRESS).into_response()),
        Err(ApiError::Rule(broken @ crate::catalogue::RuleError::BadField { .. })) => {
            let refusal = Some(rule(reader.lang, &broken));
            let mut response = show(&app, &reader, &visitor, refusal).await?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

async fn show(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    refusal: Option<String>,
) -> Result<Response, ApiError> {
    let sources = views(app, &visitor.caller, reader).await?;
    let libraries = db::libraries::list(&mut *app.db.read().await?).await?;
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
    let view = SourcesView {
        action: ADDRESS.to_owned(),
        sources: sources.into_iter().map(row).collect(),
        libraries: libraries.iter().map(|l| (l.slug.to_string(), l.name.clone())).collect(),
        refusal,
    };
    Ok(page(reader, pages::sources(&shell(app, reader, visitor), &view)))
}
