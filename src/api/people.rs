//! People as JSON and CSV: whom the caller looks after, and what is done about them.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Who;
use super::listed::{Listing, PageOf, batches, page_of, table};
use super::problem::ApiError;
use super::reader::Reader;
use super::resources::rfc3339;
use super::sentences::sentence;
use crate::app::App;
use crate::catalogue::{
    AccountId, Caller, Email, LibraryId, NetRole, OrganisationId, Person, Phone,
};
use crate::db;
use crate::db::granted;
use crate::db::grants::{Grant, Grantee, Scope};
use crate::db::people::{Filter, Viewer};
use crate::net::authority::Authority;
use crate::net::people::{self, Edit, Imported, NewPerson, StartLink};
use crate::net::{self};
use crate::pages::Lang;

/// A day and an hour, in milliseconds.
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PersonView {
    id: String,
    /// Login name.
    name: String,
    display_name: String,
    phone: Option<String>,
    email: Option<String>,
    /// Id of the organisation where they belong.
    organisation: Option<String>,
    /// Administers the whole net.
    administrator: bool,
    disabled: bool,
    /// A password was chosen.
    has_password: bool,
    /// RFC 3339.
    created: String,
}

impl From<Person> for PersonView {
    fn from(person: Person) -> Self {
        Self {
            id: person.id.to_string(),
            name: person.name,
            display_name: person.display_name,
            phone: person.phone.map(|phone| phone.to_string()),
            email: person.email.map(|email| email.as_str().to_owned()),
            organisation: person.home.map(|id| id.to_string()),
            administrator: person.role == NetRole::Administrator,
            disabled: person.disabled_ms.is_some(),
            has_password: person.has_password,
            created: rfc3339(person.created_ms),
        }
    }
}

/// Which people.
#[derive(Debug, Default, Clone, Deserialize, IntoParams)]
pub(in crate::api) struct PeopleQuery {
    /// Id or code: their home or a role of theirs is there or below.
    #[serde(default)]
    pub organisation: String,
    /// Slug: they have a role right there.
    #[serde(default)]
    pub library: String,
    /// Id: they are in it.
    #[serde(default)]
    pub team: String,
    /// true: only those who may not log in; false: only those who may
    #[serde(default)]
    pub disabled: String,
}

/// A person to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPersonBody {
    /// Login name; the telephone number when left out.
    #[serde(default)]
    name: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    phone: String,
    #[serde(default)]
    email: String,
    /// Id or code of the organisation where they belong; only administrators of the net leave it out.
    #[serde(default)]
    organisation: String,
}

/// What is changed; what is left out stays, what is empty is taken away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonPatch {
    display_name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    /// Id or code.
    organisation: Option<String>,
    disabled: Option<bool>,
}

/// How a password is reset.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    /// Leaves API tokens as they are: only the password was forgotten.
    #[serde(default)]
    keep_tokens: bool,
}

/// A code with which somebody chooses a new password, shown only now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResetView {
    /// To be read out: it is typed in at `/start`.
    code: String,
    /// Where the password is chosen.
    link: String,
    /// RFC 3339.
    expires: String,
}

/// How a table is taken.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct ImportQuery {
    /// Says what would be done, and does nothing.
    #[serde(default)]
    dry_run: bool,
    /// Makes each new person a link with which they choose a password, shown only now.
    #[serde(default)]
    links: bool,
}

/// What a table did, or would do.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ImportView {
    /// It was taken: there were no problems, and it was no dry run.
    pub done: bool,
    /// People who were not there.
    pub added: usize,
    /// People who were; they stay as they are.
    pub same: usize,
    /// Roles given.
    pub granted: usize,
    /// What cannot be taken; nothing was.
    pub problems: Vec<LineProblem>,
    /// For the new people.
    pub links: Vec<LinkView>,
}

/// Why a line of a table cannot be taken.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct LineProblem {
    /// From 1, the heading.
    pub line: usize,
    pub detail: String,
}

/// A link with which somebody chooses their first password.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct LinkView {
    pub name: String,
    pub display_name: String,
    pub link: String,
}

/// The people whom the caller looks after, by name; `q` is in a name, a number or an address. As a
/// table, with their roles.
#[utoipa::path(get, path = "/api/people", tag = "people", params(Listing, PeopleQuery), responses((status = 200, body = PageOf<PersonView>), (status = 403), (status = 422)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    Query(list): Query<Listing>,
    Query(query): Query<PeopleQuery>,
) -> Result<Response, ApiError> {
    let viewer = Authority::of(&caller, app.now_ms())?.viewer();
    let mut tx = app.db.read().await?;
    let filter = filter(&mut tx, &list, &query).await?;
    if list.is_table()? {
        return as_table(&mut tx, &viewer, &filter).await;
    }
    let (total, found) = db::people::list(&mut tx, &viewer, &filter, list.span()).await?;
    Ok(page_of(total, found.into_iter().map(PersonView::from).collect()))
}

/// Adds a person. They get in by a code (`reset`) or the links of a table. For those who look after
/// the organisation where they belong.
#[utoipa::path(post, path = "/api/people", tag = "people", request_body = NewPersonBody, responses((status = 201, body = PersonView), (status = 403), (status = 409), (status = 422)))]
pub(super) async fn create(
    State(app): State<App>,
    Who(caller): Who,
    Json(new): Json<NewPersonBody>,
) -> Result<(StatusCode, Json<PersonView>), ApiError> {
    let by = Authority::of(&caller, app.now_ms())?;
    let mut tx = app.db.begin().await?;
    let home = people::home_named(&mut tx, &new.organisation).await?;
    let new = NewPerson {
        name: new.name,
        display_name: new.display_name,
        phone: new.phone,
        email: new.email,
        home,
    };
    let person = people::add(&mut tx, &by, &new).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(person.into())))
}

/// Takes a table (CSV: name, `display_name`, phone, email, organisation, role, library), all of it or
/// nothing. People without a password get a link each, if asked.
#[utoipa::path(post, path = "/api/people/import", tag = "people", params(ImportQuery), request_body(content = String, content_type = "text/csv"), responses((status = 200, body = ImportView), (status = 403), (status = 422)))]
pub(super) async fn import(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Query(query): Query<ImportQuery>,
    body: axum::body::Bytes,
) -> Result<Response, ApiError> {
    let view = take(&app, &reader, &caller, &body, query.dry_run, query.links).await?;
    let refused = !view.problems.is_empty() && !query.dry_run;
    let status = if refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Json(view)).into_response())
}

/// A person whom the caller looks after.
#[utoipa::path(get, path = "/api/people/{id}", tag = "people", params(("id" = String, Path)), responses((status = 200, body = PersonView), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<Json<PersonView>, ApiError> {
    let by = Authority::of(&caller, app.now_ms())?;
    let mut tx = app.db.read().await?;
    Ok(Json(people::get(&mut tx, &by, account_id(&id)?).await?.into()))
}

/// Changes a person, all of whose roles the caller could give.
#[utoipa::path(patch, path = "/api/people/{id}", tag = "people", params(("id" = String, Path)), request_body = PersonPatch, responses((status = 200, body = PersonView), (status = 403), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn patch(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    Json(patch): Json<PersonPatch>,
) -> Result<Json<PersonView>, ApiError> {
    let by = Authority::of(&caller, app.now_ms())?;
    let mut tx = app.db.begin().await?;
    let home = people::home_named(&mut tx, patch.organisation.as_deref().unwrap_or("")).await?;
    let edit = Edit {
        display_name: patch.display_name,
        phone: patch.phone,
        email: patch.email,
        home,
        disabled: patch.disabled,
    };
    let person = people::edit(&mut tx, &by, account_id(&id)?, &edit).await?;
    tx.commit().await?;
    Ok(Json(person.into()))
}

/// Ends a person's sessions and gives a code with which they choose a new password, once. For those
/// who could give all of the person's roles.
#[utoipa::path(post, path = "/api/people/{id}/reset", tag = "people", params(("id" = String, Path)), request_body = Option<Reset>, responses((status = 200, body = ResetView), (status = 403), (status = 404)))]
pub(super) async fn reset(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
    wish: Option<Json<Reset>>,
) -> Result<Json<ResetView>, ApiError> {
    let keep_tokens = wish.is_some_and(|Json(wish)| wish.keep_tokens);
    let by = Authority::of(&caller, app.now_ms())?;
    let lasting_ms = app.config.session.reset_hours * HOUR_MS;
    let mut tx = app.db.begin().await?;
    let (_, code) = people::reset(&mut tx, &by, account_id(&id)?, lasting_ms, keep_tokens).await?;
    tx.commit().await?;
    let expires = rfc3339(by.now_ms() + lasting_ms);
    Ok(Json(ResetView { link: start_link(&app, &reader, &code), code, expires }))
}

/// Where a password is chosen with `code`.
pub(in crate::api) fn start_link(app: &App, reader: &Reader, code: &str) -> String {
    format!("{}/start/{code}", origin(app, reader))
}

/// Scheme and host by which people come.
pub(in crate::api) fn origin(app: &App, reader: &Reader) -> String {
    let public = app.config.server.public_url.trim_end_matches('/');
    if public.is_empty() { reader.origin.clone() } else { public.to_owned() }
}

/// An id that somebody sent; one that is none is nobody's.
pub(in crate::api) fn account_id(text: &str) -> Result<AccountId, ApiError> {
    text.parse().map_err(|_| ApiError::NotFound)
}

/// Takes a table of people for `caller`.
pub(in crate::api) async fn take(
    app: &App,
    reader: &Reader,
    caller: &Caller,
    bytes: &[u8],
    dry_run: bool,
    links: bool,
) -> Result<ImportView, ApiError> {
    let by = Authority::of(caller, app.now_ms())?;
    let links_ms = links.then_some(app.config.session.start_days * DAY_MS);
    let mut tx = app.db.begin().await?;
    let imported = people::import(&mut tx, &by, bytes, links_ms).await?;
    let done = imported.problems.is_empty() && !dry_run;
    if done {
        tx.commit().await?;
    }
    Ok(report(app, reader, imported, done))
}

fn report(app: &App, reader: &Reader, imported: Imported, done: bool) -> ImportView {
    let link = |link: StartLink| LinkView {
        link: start_link(app, reader, &link.code),
        name: link.name,
        display_name: link.display_name,
    };
    let problem = |(line, error)| LineProblem { line, detail: worded(reader.lang, error) };
    ImportView {
        done,
        added: imported.added,
        same: imported.same,
        granted: imported.granted,
        problems: imported.problems.into_iter().map(problem).collect(),
        links: if done { imported.links.into_iter().map(link).collect() } else { Vec::new() },
    }
}

/// Why something of a table cannot be taken, in words.
pub(in crate::api) fn worded(lang: Lang, error: net::Error) -> String {
    match error {
        net::Error::Missing { what, value } => {
            let what = match what {
                "organisation" => lang.pick("机构", "organisation"),
                "library" => lang.pick("资源库", "library"),
                _ => lang.pick("人员", "person"),
            };
            sentence(lang, "no_such", &format!("{what} {value}"))
        }
        net::Error::Table(text) => sentence(lang, "bad_line", &text),
        error => ApiError::from(error).worded(lang),
    }
}

/// What `query` means. What it names and is not there finds nobody.
pub(in crate::api) async fn filter(
    tx: &mut sqlx::AnyConnection,
    list: &Listing,
    query: &PeopleQuery,
) -> Result<Filter, ApiError> {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let organisation = match given(&query.organisation) {
        None => None,
        Some(text) => Some(match net::organisations::named(tx, &text).await {
            Ok(found) => found.id,
            Err(net::Error::Missing { .. }) => OrganisationId::fresh(),
            Err(error) => return Err(error.into()),
        }),
    };
    let library = match given(&query.library) {
        None => None,
        Some(slug) => {
            let found = db::libraries::find_by_slug(tx, &slug).await?;
            Some(found.map_or_else(LibraryId::fresh, |found| found.id))
        }
    };
    let team = given(&query.team);
    let team = team.map(|id| id.parse().unwrap_or_else(|_| crate::catalogue::TeamId::fresh()));
    let disabled = match query.disabled.as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    Ok(Filter { words: list.words(), organisation, library, team, disabled, id: None })
}

/// What places and people are called, for lists of roles.
#[derive(Debug, Default)]
pub(in crate::api) struct Names {
    organisations: HashMap<OrganisationId, String>,
    libraries: HashMap<LibraryId, (String, String)>,
}

impl Names {
    pub(in crate::api) async fn read(db: &mut sqlx::AnyConnection) -> Result<Self, ApiError> {
        let organisations = db::organisations::list(db).await?.into_iter();
        let libraries = db::libraries::list(db).await?.into_iter();
        Ok(Self {
            organisations: organisations.map(|one| (one.id, one.name)).collect(),
            libraries: libraries.map(|one| (one.id, (one.slug.to_string(), one.name))).collect(),
        })
    }

    pub(in crate::api) fn organisation(&self, id: OrganisationId) -> &str {
        self.organisations.get(&id).map_or("", String::as_str)
    }

    /// Of where a role is.
    pub(in crate::api) fn place(&self, on: Scope) -> &str {
        match on {
            Scope::Organisation(id) => self.organisation(id),
            Scope::Library(id) => self.libraries.get(&id).map_or("", |(_, name)| name),
        }
    }

    /// Slug of the library.
    pub(in crate::api) fn slug(&self, id: LibraryId) -> &str {
        self.libraries.get(&id).map_or("", |(slug, _)| slug)
    }
}

/// The people of a list with what is granted to each in the branch of `viewer`, as a table.
async fn as_table(
    tx: &mut sqlx::AnyConnection,
    viewer: &Viewer,
    filter: &Filter,
) -> Result<Response, ApiError> {
    let names = Names::read(tx).await?;
    let mut granted: HashMap<AccountId, Vec<Grant>> = HashMap::new();
    let every = granted::Filter::default();
    for grant in granted::list(tx, viewer, &every, (0, i64::MAX)).await? {
        if let Grantee::Account(id) = grant.to {
            granted.entry(id).or_default().push(grant);
        }
    }
    let mut rows = Vec::new();
    for span in batches() {
        let (_, found) = db::people::list(tx, viewer, filter, span).await?;
        if found.is_empty() {
            break;
        }
        rows.extend(found.into_iter().map(|person| {
            let held = granted.get(&person.id).into_iter().flatten();
            let roles = held.map(|grant| format!("{} {}", grant.role, names.place(grant.on)));
            [
                person.name,
                person.display_name,
                person.phone.as_ref().map(Phone::to_string).unwrap_or_default(),
                person.email.as_ref().map(Email::as_str).unwrap_or_default().to_owned(),
                person.home.map(|id| names.organisation(id).to_owned()).unwrap_or_default(),
                roles.collect::<Vec<_>>().join("; "),
                person.disabled_ms.map(rfc3339).unwrap_or_default(),
            ]
        }));
    }
    let heading = ["name", "display_name", "phone", "email", "organisation", "roles", "disabled"];
    table("people.csv", heading, rows)
}

/// A table on its way out.
pub(in crate::api) fn csv_file(name: &'static str, text: String) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let disposition = format!("attachment; filename=\"{name}\"");
    if let Ok(value) = HeaderValue::try_from(disposition) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    response
}
