//! Repositories that are harvested, as JSON. For administrators.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::caller::Who;
use super::listed::{Listing, PageOf, page_of, table};
use super::problem::ApiError;
use super::reader::Reader;
use super::resources::rfc3339;
use super::sentences::sentence;
use crate::app::App;
use crate::catalogue::{Caller, HarvestSource, Mapping, RuleError, SourceId, base_url};
use crate::db;
use crate::exchange::oai::Format;
use crate::ingest::harvest;

/// One hour, milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// Longest time between two harvests, hours: a year.
const MAX_HOURS: i64 = 8_784;

/// A repository that is harvested.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SourceView {
    pub id: String,
    /// Shown as the home of its records.
    pub name: String,
    /// Base URL of its OAI-PMH.
    pub url: String,
    /// oai_dc or lom
    pub prefix: String,
    pub set: Option<String>,
    /// Slug of the library that shows its records.
    pub library: String,
    /// What is put in where a record says nothing: language, topics, audiences, licence; subjects: theirs
    /// and our topics.
    #[schema(value_type = Object)]
    pub mapping: Mapping,
    /// From one harvest's end to the next; 0: only when asked.
    pub every_hours: i64,
    /// Its records that are here.
    pub records: i64,
    /// A harvest is under way.
    pub running: bool,
    /// RFC 3339; null: only when asked.
    pub next: Option<String>,
    /// When the last harvest came to its end, RFC 3339.
    pub ended: Option<String>,
    /// Failures since then.
    pub failures: i64,
    /// What went wrong, as a sentence.
    pub failure: Option<String>,
}

/// A repository to be harvested.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSource {
    /// Base URL of its OAI-PMH, by http or https.
    pub url: String,
    /// Shown as the home of its records; its host when left out.
    #[serde(default)]
    pub name: String,
    /// oai_dc or lom; oai_dc when left out.
    #[serde(default)]
    pub prefix: String,
    /// Of this set only.
    #[serde(default)]
    pub set: String,
    /// Slug of the library that shows its records.
    pub library: String,
    /// 24 when left out; 0: only when asked.
    pub every_hours: Option<i64>,
    #[serde(default)]
    #[schema(value_type = Object)]
    pub mapping: Mapping,
}

/// How a harvest is asked for.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct RunQuery {
    /// All records, as if for the first time: what is not there any more is removed.
    #[serde(default)]
    all: bool,
}

/// Repositories that are harvested, the oldest first; `q` is in the name, the address, the set or
/// the library. For administrators.
#[utoipa::path(get, path = "/api/sources", tag = "exchange", params(Listing), responses((status = 200, body = PageOf<SourceView>), (status = 403), (status = 422)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Query(list): Query<Listing>,
) -> Result<Response, ApiError> {
    let found = matching(views(&app, &caller, &reader).await?, &list);
    if !list.is_table()? {
        let (total, items) = list.cut(found);
        return Ok(page_of(total, items));
    }
    let rows = found.into_iter().map(|one| {
        [
            one.name,
            one.url,
            one.prefix,
            one.set.unwrap_or_default(),
            one.library,
            one.every_hours.to_string(),
            one.records.to_string(),
            one.ended.unwrap_or_default(),
            one.next.unwrap_or_default(),
            one.failure.unwrap_or_default(),
        ]
    });
    let heading = [
        "name",
        "url",
        "prefix",
        "set",
        "library",
        "every_hours",
        "records",
        "ended",
        "next",
        "failure",
    ];
    table("sources.csv", heading, rows)
}

/// Those of `views` that have what `list` looks for.
pub(in crate::api) fn matching(views: Vec<SourceView>, list: &Listing) -> Vec<SourceView> {
    let set = |one: &SourceView| one.set.clone().unwrap_or_default();
    let is = |one: &SourceView| list.matches(&[&one.name, &one.url, &one.library, &set(one)]);
    views.into_iter().filter(is).collect()
}

/// Lets a repository be harvested. For administrators.
#[utoipa::path(post, path = "/api/sources", tag = "exchange", request_body = NewSource, responses((status = 201, body = SourceView), (status = 403), (status = 422)))]
pub(super) async fn create(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Json(new): Json<NewSource>,
) -> Result<(StatusCode, Json<SourceView>), ApiError> {
    let id = add(&app, &caller, new).await?.to_string();
    let views = views(&app, &caller, &reader).await?;
    let view = views.into_iter().find(|view| view.id == id).ok_or(ApiError::NotFound)?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// Removes a repository, and all that came from it. For administrators.
#[utoipa::path(delete, path = "/api/sources/{id}", tag = "exchange", params(("id" = String, Path)), responses((status = 204), (status = 403), (status = 404)))]
pub(super) async fn delete(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    remove(&app, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Harvests a repository now. For administrators.
#[utoipa::path(post, path = "/api/sources/{id}/run", tag = "exchange", params(("id" = String, Path), RunQuery), responses((status = 202), (status = 403), (status = 404)))]
pub(super) async fn run(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    Query(query): Query<RunQuery>,
) -> Result<StatusCode, ApiError> {
    ask(&app, &caller, &id, query.all).await?;
    Ok(StatusCode::ACCEPTED)
}

/// All sources, as `caller`, who must administer, is shown them.
pub(super) async fn views(
    app: &App,
    caller: &Caller,
    reader: &Reader,
) -> Result<Vec<SourceView>, ApiError> {
    caller.may_administer()?;
    let mut db = app.db.read().await?;
    let libraries = db::libraries::list(&mut db).await?;
    let view = |(source, records): (HarvestSource, i64)| SourceView {
        id: source.id.to_string(),
        library: libraries
            .iter()
            .find(|library| library.id == source.library)
            .map(|library| library.slug.to_string())
            .unwrap_or_default(),
        name: source.name,
        url: source.url,
        prefix: source.prefix,
        set: source.set,
        mapping: source.mapping,
        every_hours: source.every_ms / HOUR_MS,
        records,
        running: source.begun.is_some(),
        next: source.run_at_ms.map(rfc3339),
        ended: source.ended_ms.map(rfc3339),
        failures: source.failures,
        failure: source.error.map(|(code, info)| sentence(reader.lang, &code, &info)),
    };
    Ok(db::sources::list(&mut db).await?.into_iter().map(view).collect())
}

/// Adds a source for `caller`, who must administer.
pub(crate) async fn add(app: &App, caller: &Caller, new: NewSource) -> Result<SourceId, ApiError> {
    caller.may_administer()?;
    let account = caller.account()?.id;
    let (url, host) = base_url(&new.url)?;
    let library = db::libraries::find_by_slug(&mut *app.db.read().await?, &new.library)
        .await?
        .ok_or(RuleError::BadField { field: "library", value: new.library })?;
    let bad = |field, value: &str| RuleError::BadField { field, value: value.to_owned() };
    let prefix = if new.prefix.is_empty() { "oai_dc" } else { &new.prefix };
    let prefix = Format::of(prefix).map_err(|_| bad("prefix", prefix))?.prefix().to_owned();
    let every_hours = new.every_hours.unwrap_or(24);
    if !(0..=MAX_HOURS).contains(&every_hours) {
        return Err(bad("every_hours", &every_hours.to_string()).into());
    }
    let named = new.name.trim();
    let name = if named.is_empty() { host.split(':').next().unwrap_or_default() } else { named };
    if name.chars().count() > 200 || name.contains('\0') {
        return Err(bad("name", "").into());
    }
    let set = new.set.trim().to_owned();
    if set.chars().count() > 500 || set.contains('\0') {
        return Err(bad("set", "").into());
    }
    let source = HarvestSource {
        id: SourceId::fresh(),
        name: name.to_owned(),
        url,
        prefix,
        set: Some(set).filter(|set| !set.is_empty()),
        library: library.id,
        account,
        mapping: new.mapping.checked()?,
        every_ms: every_hours * HOUR_MS,
        run_at_ms: Some(app.now_ms()),
        round: 0,
        whole: false,
        since: None,
        begun: None,
        token: None,
        failures: 0,
        error: None,
        ended_ms: None,
    };
    let mut tx = app.db.begin().await?;
    db::sources::insert(&mut tx, &source, &host, app.now_ms()).await?;
    let id = source.id.to_string();
    let detail = json!({ "url": source.url, "library": library.slug.as_str() });
    db::audit::record(&mut tx, app.now_ms(), Some(account), "add-source", &id, &detail).await?;
    tx.commit().await?;
    Ok(source.id)
}

/// Removes a source for `caller`, who must administer.
pub(super) async fn remove(app: &App, caller: &Caller, id: &str) -> Result<(), ApiError> {
    let id = find(app, caller, id).await?;
    harvest::remove_source(app, id, Some(caller.account()?.id)).await?;
    Ok(())
}

/// Asks for a harvest for `caller`, who must administer.
pub(super) async fn ask(app: &App, caller: &Caller, id: &str, all: bool) -> Result<(), ApiError> {
    let id = find(app, caller, id).await?;
    let mut tx = app.db.begin().await?;
    db::sources::ask(&mut tx, id, all, app.now_ms()).await?;
    let (account, detail) = (caller.account()?.id, json!({ "all": all }));
    let subject = id.to_string();
    db::audit::record(&mut tx, app.now_ms(), Some(account), "run-source", &subject, &detail)
        .await?;
    tx.commit().await?;
    Ok(())
}

async fn find(app: &App, caller: &Caller, id: &str) -> Result<SourceId, ApiError> {
    caller.may_administer()?;
    let id = id.parse().map_err(|_| ApiError::NotFound)?;
    let source = db::sources::find(&mut *app.db.read().await?, id).await?;
    Ok(source.ok_or(ApiError::NotFound)?.id)
}
