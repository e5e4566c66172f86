//! Organisations as JSON: the tree, and what its administrators do to it.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Who;
use super::listed::{Listing, PageOf, page_of, table};
use super::problem::ApiError;
use crate::app::App;
use crate::catalogue::{Caller, DivisionCode, Organisation, OrganisationId, RuleError};
use crate::db;
use crate::net::organisations::{self, Actor, Imported};

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OrganisationView {
    pub id: String,
    /// city, district, township or community
    pub level: &'static str,
    /// Of the division: 6, 9 or 12 digits.
    pub code: Option<String>,
    pub name: String,
    /// Id of who is right above.
    pub parent: Option<String>,
    pub contact: String,
    pub place: String,
    /// WGS 84, degrees.
    pub longitude: Option<f64>,
    pub latitude: Option<f64>,
    /// It is no more.
    pub closed: bool,
    /// Id of who took over what it had.
    pub merged_into: Option<String>,
}

impl From<Organisation> for OrganisationView {
    fn from(organisation: Organisation) -> Self {
        Self {
            level: organisation.level.as_str(),
            parent: organisation.parent().map(|id| id.to_string()),
            id: organisation.id.to_string(),
            code: organisation.code.map(|code| code.to_string()),
            name: organisation.name,
            contact: organisation.contact,
            place: organisation.place,
            longitude: organisation.position.map(|(longitude, _)| longitude),
            latitude: organisation.position.map(|(_, latitude)| latitude),
            closed: organisation.closed_ms.is_some(),
            merged_into: organisation.merged_into.map(|id| id.to_string()),
        }
    }
}

/// Which organisations.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct ListQuery {
    /// Id or code: only what is right below.
    parent: Option<String>,
    /// Those that are closed too.
    #[serde(default)]
    closed: bool,
    /// Only those that the caller looks after.
    #[serde(default)]
    mine: bool,
}

/// An organisation to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOrganisation {
    pub name: String,
    /// city, district, township or community; by the code when left out
    pub level: Option<String>,
    /// Id or code of who is above; by the code when left out.
    pub parent: Option<String>,
    pub code: Option<String>,
    #[serde(default)]
    pub contact: String,
    #[serde(default)]
    pub place: String,
    pub longitude: Option<f64>,
    pub latitude: Option<f64>,
}

/// What is changed; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrganisationPatch {
    pub name: Option<String>,
    /// Empty: none.
    pub code: Option<String>,
    pub contact: Option<String>,
    pub place: Option<String>,
    pub longitude: Option<f64>,
    pub latitude: Option<f64>,
    /// Id or code of who is to be above.
    pub parent: Option<String>,
}

/// Who takes over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Merge {
    /// Id or code.
    pub into: String,
}

/// When.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct NumbersQuery {
    /// First day, as 2026-11-25; the last 30 days when left out.
    from: Option<String>,
    /// Last day.
    to: Option<String>,
}

/// What an organisation and all that was below it at each time did.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Numbers {
    /// Libraries on the last day.
    libraries: usize,
    /// Published resources of these libraries now.
    resources: i64,
    /// Answers of media.
    answers: i64,
    /// Bytes of these answers.
    bytes: i64,
}

/// The organisations of the net, by code; `q` is in the name, the code, the contact or the address.
/// As a table, in the form that is imported.
#[utoipa::path(get, path = "/api/organisations", tag = "organisations", params(Listing, ListQuery), responses((status = 200, body = PageOf<OrganisationView>), (status = 422)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    Query(list): Query<Listing>,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let mut db = app.db.read().await?;
    let all = db::organisations::list(&mut db).await?;
    let parent = match &query.parent {
        None => None,
        Some(text) => Some(find(&all, text)?.id),
    };
    let listed = all.iter().filter(|organisation| {
        (query.closed || organisation.closed_ms.is_none())
            && (!query.mine || caller.roles_at(organisation).manages())
            && parent.is_none_or(|parent| organisation.parent() == Some(parent))
            && has(organisation, &list)
    });
    if list.is_table()? {
        return as_table(&all, listed);
    }
    let (total, found) = list.cut(listed.cloned().collect());
    Ok(page_of(total, found.into_iter().map(OrganisationView::from).collect()))
}

/// Whether `organisation` has what `list` looks for.
pub(in crate::api) fn has(organisation: &Organisation, list: &Listing) -> bool {
    let code = organisation.code.as_ref().map_or("", DivisionCode::as_str);
    list.matches(&[&organisation.name, code, &organisation.contact, &organisation.place])
}

/// Those of `all` that are `listed`, with the columns of the table that is imported.
fn as_table<'a>(
    all: &'a [Organisation],
    listed: impl Iterator<Item = &'a Organisation>,
) -> Result<Response, ApiError> {
    let code = |one: &Organisation| one.code.as_ref().map(DivisionCode::to_string);
    let codes: HashMap<OrganisationId, String> =
        all.iter().filter_map(|one| Some((one.id, code(one)?))).collect();
    let degrees = |number: Option<f64>| number.map(|n| n.to_string()).unwrap_or_default();
    let rows = listed.map(|one| {
        let parent = one.parent().and_then(|id| codes.get(&id).cloned());
        [
            code(one).unwrap_or_default(),
            one.name.clone(),
            one.level.to_string(),
            parent.unwrap_or_default(),
            one.contact.clone(),
            one.place.clone(),
            degrees(one.position.map(|at| at.0)),
            degrees(one.position.map(|at| at.1)),
        ]
    });
    table("organisations.csv", organisations::COLUMNS, rows)
}

/// An organisation.
#[utoipa::path(get, path = "/api/organisations/{id}", tag = "organisations", params(("id" = String, Path)), responses((status = 200, body = OrganisationView), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<OrganisationView>, ApiError> {
    let mut db = app.db.read().await?;
    let all = db::organisations::list(&mut db).await?;
    Ok(Json(find(&all, &id)?.clone().into()))
}

/// Adds an organisation. For administrators of who is above; the top ones for those of the net.
#[utoipa::path(post, path = "/api/organisations", tag = "organisations", request_body = NewOrganisation, responses((status = 201, body = OrganisationView), (status = 409), (status = 422)))]
pub(super) async fn create(
    State(app): State<App>,
    Who(caller): Who,
    Json(new): Json<NewOrganisation>,
) -> Result<(StatusCode, Json<OrganisationView>), ApiError> {
    let by = actor(&app, &caller)?;
    let mut tx = app.db.begin().await?;
    let code = new.code.as_deref().map(str::parse::<DivisionCode>).transpose()?;
    let above = code.as_ref().and_then(DivisionCode::above).map(|above| above.to_string());
    let parent = match new.parent.or(above) {
        None => None,
        Some(text) => Some(organisations::named(&mut tx, &text).await?),
    };
    match &parent {
        Some(parent) => caller.may_administer_organisation(parent)?,
        None => caller.may_administer()?,
    }
    let level = match (&new.level, &code) {
        (Some(level), _) => level.parse()?,
        (None, Some(code)) => code.level(),
        (None, None) => {
            return Err(RuleError::BadField { field: "level", value: String::new() }.into());
        }
    };
    let organisation = Organisation {
        code,
        contact: new.contact,
        place: new.place,
        position: new.longitude.zip(new.latitude),
        ..Organisation::new(parent.as_ref(), level, &new.name, by.now_ms)?
    }
    .checked(parent.as_ref())?;
    organisations::add(&mut tx, &organisation, by).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(organisation.into())))
}

/// Changes an organisation, or moves it. For its administrators, and of where it goes.
#[utoipa::path(patch, path = "/api/organisations/{id}", tag = "organisations", params(("id" = String, Path)), request_body = OrganisationPatch, responses((status = 200, body = OrganisationView), (status = 409), (status = 422)))]
pub(super) async fn patch(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    Json(patch): Json<OrganisationPatch>,
) -> Result<Json<OrganisationView>, ApiError> {
    let by = actor(&app, &caller)?;
    let mut tx = app.db.begin().await?;
    let old = organisations::named(&mut tx, &id).await?;
    caller.may_administer_organisation(&old)?;
    let code = match patch.code.as_deref() {
        None => old.code.clone(),
        Some("") => None,
        Some(code) => Some(code.parse()?),
    };
    let edited = Organisation {
        code,
        name: patch.name.unwrap_or(old.name.clone()),
        contact: patch.contact.unwrap_or(old.contact.clone()),
        place: patch.place.unwrap_or(old.place.clone()),
        position: patch.longitude.zip(patch.latitude).or(old.position),
        ..old.clone()
    }
    .checked(None)?;
    if edited != old {
        organisations::edit(&mut tx, &edited, by).await?;
    }
    if let Some(parent) = &patch.parent {
        let parent = organisations::named(&mut tx, parent).await?;
        caller.may_administer_organisation(&parent)?;
        organisations::move_to(&mut tx, &edited, &parent, by).await?;
    }
    answer(&app, tx, old.id).await
}

/// Merges an organisation into another one, which gets its libraries, what is below it, and its
/// people. For administrators of both.
#[utoipa::path(post, path = "/api/organisations/{id}/merge", tag = "organisations", params(("id" = String, Path)), request_body = Merge, responses((status = 200, body = OrganisationView), (status = 422)))]
pub(super) async fn merge(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    Json(merge): Json<Merge>,
) -> Result<Json<OrganisationView>, ApiError> {
    let by = actor(&app, &caller)?;
    let mut tx = app.db.begin().await?;
    let from = organisations::named(&mut tx, &id).await?;
    let into = organisations::named(&mut tx, &merge.into).await?;
    caller.may_administer_organisation(&from)?;
    caller.may_administer_organisation(&into)?;
    organisations::merge(&mut tx, &from, &into, by).await?;
    answer(&app, tx, from.id).await
}

/// Closes an organisation that has nothing any more. For its administrators.
#[utoipa::path(post, path = "/api/organisations/{id}/close", tag = "organisations", params(("id" = String, Path)), responses((status = 200, body = OrganisationView), (status = 409)))]
pub(super) async fn close(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<Json<OrganisationView>, ApiError> {
    let by = actor(&app, &caller)?;
    let mut tx = app.db.begin().await?;
    let organisation = organisations::named(&mut tx, &id).await?;
    caller.may_administer_organisation(&organisation)?;
    organisations::close(&mut tx, &organisation, by).await?;
    answer(&app, tx, organisation.id).await
}

/// How a table is taken.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(super) struct ImportQuery {
    /// Says what would be done, and does nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Takes a table (CSV) of organisations, all of it or nothing. For administrators.
#[utoipa::path(post, path = "/api/organisations/import", tag = "organisations", params(ImportQuery), request_body(content = String, content_type = "text/csv"), responses((status = 200), (status = 422)))]
pub(super) async fn import(
    State(app): State<App>,
    Who(caller): Who,
    Query(query): Query<ImportQuery>,
    body: axum::body::Bytes,
) -> Result<Json<Imported>, ApiError> {
    caller.may_administer()?;
    let mut tx = app.db.begin().await?;
    let imported = organisations::import(&mut tx, &body, actor(&app, &caller)?).await?;
    if !query.dry_run {
        tx.commit().await?;
        app.deliveries.forget_all();
    }
    Ok(Json(imported))
}

/// Numbers of an organisation, summed over what was below it on each day. For its librarians.
#[utoipa::path(get, path = "/api/organisations/{id}/numbers", tag = "organisations", params(("id" = String, Path), NumbersQuery), responses((status = 200, body = Numbers), (status = 403), (status = 404)))]
pub(super) async fn numbers(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    Query(query): Query<NumbersQuery>,
) -> Result<Json<Numbers>, ApiError> {
    let mut db = app.db.read().await?;
    let all = db::organisations::list(&mut db).await?;
    let organisation = find(&all, &id)?;
    caller.account()?;
    if !caller.roles_at(organisation).manages() {
        return Err(RuleError::Forbidden.into());
    }
    let zone = jiff::tz::TimeZone::get(&app.config.site.zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let today = zone.to_datetime(jiff::Timestamp::now()).date();
    let to = query.to.as_deref().map_or(Ok(today), day)?;
    let month_ago = to.saturating_sub(jiff::Span::new().days(29));
    let from = query.from.as_deref().map_or(Ok(month_ago), day)?;
    let history = db::organisations::history(&mut db).await?;
    let mut numbers = Numbers::default();
    let mut under = HashMap::new();
    for (library, day) in db::traffic::between(&mut db, &from.to_string(), &to.to_string()).await? {
        let libraries = under
            .entry(day.day.clone())
            .or_insert_with(|| history.libraries_under(organisation.id, end_of(&day.day, &zone)));
        if libraries.contains(&library) {
            numbers.answers += day.answers;
            numbers.bytes += day.bytes;
        }
    }
    let last = history.libraries_under(organisation.id, end_of(&to.to_string(), &zone));
    numbers.libraries = last.len();
    let last: Vec<String> = last.iter().map(ToString::to_string).collect();
    let counts = db::resources::count_published(&mut db).await?;
    let counted = counts.iter().filter(|(library, _)| last.contains(library));
    numbers.resources = counted.map(|(_, count)| count).sum();
    Ok(Json(numbers))
}

fn day(text: &str) -> Result<jiff::civil::Date, ApiError> {
    text.parse().map_err(|_| ApiError::bad(text.chars().take(40).collect::<String>()))
}

/// The last millisecond of `day` in `zone`.
fn end_of(day: &str, zone: &jiff::tz::TimeZone) -> i64 {
    let day = day.parse::<jiff::civil::Date>().ok();
    let next = day.and_then(|day| zone.to_timestamp(day.tomorrow().ok()?.into()).ok());
    next.map_or(i64::MAX, |next| next.as_millisecond() - 1)
}

fn find<'a>(all: &'a [Organisation], text: &str) -> Result<&'a Organisation, ApiError> {
    let id = text.parse::<OrganisationId>().ok();
    let named = |organisation: &&Organisation| {
        Some(organisation.id) == id
            || organisation.code.as_ref().is_some_and(|code| code.as_str() == text)
    };
    all.iter().find(named).ok_or(ApiError::NotFound)
}

fn actor(app: &App, caller: &Caller) -> Result<Actor, ApiError> {
    Ok(Actor { account: Some(caller.account()?.id), now_ms: app.now_ms() })
}

/// Commits, and answers with how it is now.
async fn answer(
    app: &App,
    mut tx: db::Tx,
    id: OrganisationId,
) -> Result<Json<OrganisationView>, ApiError> {
    let organisation = db::organisations::find(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    tx.commit().await?;
    // Rights and visible libraries follow from the tree.
    app.deliveries.forget_all();
    Ok(Json(organisation.into()))
}
