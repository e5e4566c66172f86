//! Libraries as JSON.

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
use crate::app::App;
use crate::catalogue::{
    Caller, Details, Host, Library, Look, MediaPolicy, Publishing, RuleError, Visibility, retention,
};
use crate::db::traffic::Day;
use crate::net::organisations::Actor;
use crate::{db, net};

/// How far back a forecast looks.
const FORECAST_DAYS: i64 = 90;

/// A library.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LibraryView {
    /// Its name in URLs.
    slug: String,
    name: String,
    description: String,
    /// public or internal
    visibility: &'static str,
    /// automatic: what is ready is published; manual
    publishing: &'static str,
    /// Of its sources; only for its people.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota_bytes: Option<i64>,
    /// Only for its people.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_bytes: Option<i64>,
    /// Only for its people.
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<MediaView>,
    /// When it is full, going on as in the last 90 days: days from now; only for its people.
    #[serde(skip_serializing_if = "Option::is_none")]
    full_in_days: Option<i64>,
    /// Id of the organisation whose it is.
    owner: Option<String>,
    /// At this host name its front page is the front page.
    host: Option<String>,
    /// Of what is uploaded without one.
    licence: String,
    /// Of what is uploaded without any.
    topics: Vec<String>,
    /// What was withdrawn or failed is removed after so many.
    retention_days: Option<i64>,
    #[schema(value_type = Object)]
    look: Look,
    /// Published resources.
    resources: i64,
}

/// How videos and audios are made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MediaView {
    /// h264 always, hevc, av1
    codecs: Vec<&'static str>,
    /// Sound is made as Opus too.
    opus: bool,
    /// Sound is made as loud as this, LUFS; null: as loud as it is
    loudness_lufs: Option<i32>,
}

/// How videos and audios are to be made from now on; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MediaPatch {
    /// hevc, av1; h264 is always made
    pub codecs: Option<Vec<String>>,
    pub opus: Option<bool>,
    /// -36 to -10; 0: as loud as it is
    pub loudness_lufs: Option<i32>,
}

/// A library to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLibrary {
    pub slug: String,
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// internal or public; public when left out
    pub visibility: Option<String>,
    /// manual or automatic; manual when left out
    pub publishing: Option<String>,
    pub quota_bytes: Option<i64>,
    /// Id or code of the organisation whose it is; of the whole net when left out.
    pub owner: Option<String>,
}

/// What can be changed; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LibraryPatch {
    pub name: Option<String>,
    pub description: Option<String>,
    pub visibility: Option<String>,
    pub publishing: Option<String>,
    /// 0: no limit
    pub quota_bytes: Option<i64>,
    pub media: Option<MediaPatch>,
    /// Id or code of the organisation whose it is to be.
    pub owner: Option<String>,
    /// At this host name its front page is to be the front page; empty: at none. For
    /// administrators.
    pub host: Option<String>,
    /// Of what is uploaded without one.
    pub licence: Option<String>,
    /// Of what is uploaded without any.
    pub topics: Option<Vec<String>>,
    /// What was withdrawn or failed is removed after so many; 0: never.
    pub retention_days: Option<i64>,
    /// `colour`, `logo`, `notice`, `featured`, `blocks`.
    #[schema(value_type = Object)]
    pub look: Option<Look>,
}

/// Which libraries.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct ListQuery {
    /// Only those that the caller looks after.
    #[serde(default)]
    mine: bool,
}

/// Libraries that the caller may see, the oldest first; `q` is in the name, the slug or the
/// description.
#[utoipa::path(get, path = "/api/libraries", tag = "libraries", params(Listing, ListQuery), responses((status = 200, body = PageOf<LibraryView>), (status = 422)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    Query(list): Query<Listing>,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let mut db = app.db.read().await?;
    let counts = db::resources::count_published(&mut db).await?;
    let all = db::libraries::list(&mut db).await?;
    let seen = all.into_iter().filter(|library| caller.can_see_library(library));
    let seen = seen.filter(|library| !query.mine || caller.is_librarian_of(library.id));
    let found: Vec<Library> = seen.filter(|library| has(library, &list)).collect();
    let is_table = list.is_table()?;
    let (total, found) = if is_table { (0, found) } else { list.cut(found) };
    let mut views = Vec::with_capacity(found.len());
    for library in found {
        views.push(view(&mut db, &counts, library, &caller, app.now_ms()).await?);
    }
    if is_table { as_table(&mut db, views).await } else { Ok(page_of(total, views)) }
}

/// Whether `library` has what `list` looks for.
pub(in crate::api) fn has(library: &Library, list: &Listing) -> bool {
    list.matches(&[&library.name, library.slug.as_str(), &library.description])
}

async fn as_table(
    db: &mut sqlx::AnyConnection,
    views: Vec<LibraryView>,
) -> Result<Response, ApiError> {
    let organisations = db::organisations::list(db).await?;
    let name = |id: &str| {
        let found = organisations.iter().find(|one| one.id.to_string() == id);
        found.map(|one| one.name.clone()).unwrap_or_default()
    };
    let number = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
    let rows = views.into_iter().map(|one| {
        [
            one.slug,
            one.name,
            one.owner.as_deref().map(name).unwrap_or_default(),
            one.visibility.to_owned(),
            one.publishing.to_owned(),
            one.resources.to_string(),
            number(one.used_bytes),
            number(one.quota_bytes),
            number(one.full_in_days),
            one.host.unwrap_or_default(),
            one.licence,
            one.topics.join(" "),
            number(one.retention_days),
        ]
    });
    let heading = [
        "slug",
        "name",
        "owner",
        "visibility",
        "publishing",
        "resources",
        "used_bytes",
        "quota_bytes",
        "full_in_days",
        "host",
        "licence",
        "topics",
        "retention_days",
    ];
    table("libraries.csv", heading, rows)
}

/// A library.
#[utoipa::path(get, path = "/api/libraries/{slug}", tag = "libraries", params(("slug" = String, Path)), responses((status = 200, body = LibraryView), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    Who(caller): Who,
    Path(slug): Path<String>,
) -> Result<Json<LibraryView>, ApiError> {
    let library = db::libraries::find_by_slug(&mut *app.db.read().await?, &slug)
        .await?
        .filter(|library| caller.can_see_library(library))
        .ok_or(ApiError::NotFound)?;
    Ok(Json(counted(&app, library, &caller).await?))
}

/// Makes a library. For administrators.
#[utoipa::path(post, path = "/api/libraries", tag = "libraries", request_body = NewLibrary, responses((status = 201, body = LibraryView), (status = 409), (status = 422)))]
pub(super) async fn create(
    State(app): State<App>,
    Who(caller): Who,
    Json(new): Json<NewLibrary>,
) -> Result<(StatusCode, Json<LibraryView>), ApiError> {
    let by = Actor { account: Some(caller.account()?.id), now_ms: app.now_ms() };
    let mut tx = app.db.begin().await?;
    let owner = match &new.owner {
        None => {
            caller.may_administer()?;
            None
        }
        Some(owner) => {
            let owner = net::organisations::named(&mut tx, owner).await?;
            caller.may_administer_organisation(&owner)?;
            Some(owner.id)
        }
    };
    let library = Library {
        owner,
        description: described(new.description)?,
        visibility: visibility(new.visibility.as_deref().unwrap_or("public"))?,
        publishing: publishing(new.publishing.as_deref().unwrap_or("manual"))?,
        quota_bytes: new.quota_bytes.filter(|quota| *quota > 0),
        ..Library::new(new.slug.parse()?, &named(new.name)?, app.now_ms())
    };
    net::libraries::add(&mut tx, &library, by).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(counted(&app, library, &caller).await?)))
}

/// Changes a library. For its librarians.
#[utoipa::path(patch, path = "/api/libraries/{slug}", tag = "libraries", params(("slug" = String, Path)), request_body = LibraryPatch, responses((status = 200, body = LibraryView), (status = 422)))]
pub(super) async fn patch(
    State(app): State<App>,
    Who(caller): Who,
    Path(slug): Path<String>,
    Json(patch): Json<LibraryPatch>,
) -> Result<Json<LibraryView>, ApiError> {
    let mut tx = app.db.begin().await?;
    let mut library = db::libraries::find_by_slug(&mut tx, &slug)
        .await?
        .filter(|library| caller.can_see_library(library))
        .ok_or(ApiError::NotFound)?;
    caller.may_manage(library.id)?;
    let above = match library.owner {
        None => None,
        Some(owner) => db::organisations::find(&mut tx, owner).await?,
    };
    let may_decide = || match &above {
        None => caller.may_administer(),
        Some(above) => caller.may_administer_organisation(above),
    };
    if patch.quota_bytes.is_some() || patch.host.is_some() {
        may_decide()?;
    }
    let by = Actor { account: Some(caller.account()?.id), now_ms: app.now_ms() };
    let mut given = None;
    if let Some(owner) = &patch.owner {
        may_decide()?;
        let owner = net::organisations::named(&mut tx, owner).await?;
        caller.may_administer_organisation(&owner)?;
        given = Some((library.clone(), owner));
    }
    let (seen_by, name) = (library.visibility, library.name.clone());
    library.name = patch.name.map_or(Ok(library.name), named)?;
    library.description = patch.description.map_or(Ok(library.description), described)?;
    library.visibility = patch.visibility.as_deref().map_or(Ok(library.visibility), visibility)?;
    library.publishing = patch.publishing.as_deref().map_or(Ok(library.publishing), publishing)?;
    library.quota_bytes = patch.quota_bytes.or(library.quota_bytes).filter(|quota| *quota > 0);
    if let Some(media) = &patch.media {
        apply(&mut library.media, media)?;
    }
    if let Some(host) = &patch.host {
        library.host = if host.is_empty() { None } else { Some(host.parse()?) };
    }
    let details = Details {
        title: library.name.clone(),
        licence: patch.licence.unwrap_or(library.licence),
        topics: patch.topics.unwrap_or(library.topics),
        ..Details::default()
    }
    .checked()?;
    (library.licence, library.topics) = (details.licence, details.topics);
    if let Some(days) = patch.retention_days {
        library.retention_days = retention(days)?;
    }
    library.look = patch.look.map_or(Ok(library.look), Look::checked)?;
    let host = library.host.as_ref().map_or("", Host::as_str);
    db::libraries::save(&mut tx, &library).await.map_err(|error| net::Error::taken(error, host))?;
    // Records name the library that they are of.
    if library.visibility != seen_by || library.name != name {
        db::resources::touch_library(&mut tx, library.id).await?;
    }
    if let Some((before, owner)) = given {
        net::libraries::give(&mut tx, &before, &owner, by).await?;
        library.owner = Some(owner.id);
    }
    by.record(&mut tx, "edit-library", &library.id.to_string(), &json!({})).await?;
    tx.commit().await?;
    app.deliveries.forget_all();
    app.resource_changed.notify_one();
    Ok(Json(counted(&app, library, &caller).await?))
}

async fn counted(app: &App, library: Library, caller: &Caller) -> Result<LibraryView, ApiError> {
    let mut db = app.db.read().await?;
    let counts = db::resources::count_published(&mut db).await?;
    view(&mut db, &counts, library, caller, app.now_ms()).await
}

/// What was sent of a library on each of the last 366 days with any, the last first. For its
/// librarians.
#[utoipa::path(get, path = "/api/libraries/{slug}/traffic", tag = "libraries", params(("slug" = String, Path)), responses((status = 200), (status = 403), (status = 404)))]
pub(super) async fn traffic(
    State(app): State<App>,
    Who(caller): Who,
    Path(slug): Path<String>,
) -> Result<Json<Vec<Day>>, ApiError> {
    let mut db = app.db.read().await?;
    let library = db::libraries::find_by_slug(&mut db, &slug)
        .await?
        .filter(|library| caller.can_see_library(library))
        .ok_or(ApiError::NotFound)?;
    caller.may_manage(library.id)?;
    Ok(Json(db::traffic::list(&mut db, library.id, 366).await?))
}

async fn view(
    db: &mut sqlx::AnyConnection,
    counts: &[(String, i64)],
    library: Library,
    caller: &Caller,
    now_ms: i64,
) -> Result<LibraryView, ApiError> {
    let id = library.id.to_string();
    let own = caller.is_author_of(library.id);
    let used_bytes =
        if own { Some(db::libraries::used_bytes(db, library.id).await?) } else { None };
    let full_in_days = match (used_bytes, library.quota_bytes) {
        (Some(used), Some(quota)) => {
            let since_ms = now_ms - FORECAST_DAYS * 86_400_000;
            let added = db::libraries::added_bytes(db, library.id, since_ms).await?;
            full_in_days(quota - used, added)
        }
        _ => None,
    };
    Ok(LibraryView {
        full_in_days,
        host: library.host.map(|host| host.as_str().to_owned()),
        licence: library.licence,
        topics: library.topics,
        retention_days: library.retention_days,
        look: library.look,
        resources: counts.iter().find(|(library, _)| *library == id).map_or(0, |(_, count)| *count),
        used_bytes,
        quota_bytes: library.quota_bytes.filter(|_| own),
        media: own.then(|| media_view(&library.media)),
        owner: library.owner.map(|id| id.to_string()),
        slug: library.slug.to_string(),
        name: library.name,
        description: library.description,
        visibility: match library.visibility {
            Visibility::Public => "public",
            Visibility::Internal => "internal",
        },
        publishing: match library.publishing {
            Publishing::Automatic => "automatic",
            Publishing::Manual => "manual",
        },
    })
}

/// In how many days `left` bytes are used up, when `added` came in the last [`FORECAST_DAYS`].
fn full_in_days(left: i64, added: i64) -> Option<i64> {
    (added > 0).then(|| left.max(0).saturating_mul(FORECAST_DAYS) / added)
}

fn media_view(media: &MediaPolicy) -> MediaView {
    let others = media.codecs.iter().map(|codec| codec.as_str());
    MediaView {
        codecs: std::iter::once("h264").chain(others).collect(),
        opus: media.opus,
        loudness_lufs: media.loudness_lufs,
    }
}

fn apply(media: &mut MediaPolicy, patch: &MediaPatch) -> Result<(), RuleError> {
    if let Some(codecs) = &patch.codecs {
        media.set_codecs(codecs.iter().map(String::as_str))?;
    }
    if let Some(lufs) = patch.loudness_lufs {
        media.set_loudness(lufs)?;
    }
    media.opus = patch.opus.unwrap_or(media.opus);
    Ok(())
}

fn named(name: String) -> Result<String, RuleError> {
    let name = name.trim().to_owned();
    if name.is_empty() || name.contains('\0') || name.chars().count() > 200 {
        let value = name.chars().take(40).collect();
        return Err(RuleError::BadField { field: "name", value });
    }
    Ok(name)
}

fn described(description: String) -> Result<String, RuleError> {
    let description = description.trim().to_owned();
    if description.contains('\0') || description.chars().count() > 20_000 {
        let value = description.chars().take(40).collect();
        return Err(RuleError::BadField { field: "description", value });
    }
    Ok(description)
}

fn visibility(text: &str) -> Result<Visibility, RuleError> {
    match text {
        "public" => Ok(Visibility::Public),
        "internal" => Ok(Visibility::Internal),
        _ => Err(RuleError::BadField { field: "visibility", value: text.to_owned() }),
    }
}

fn publishing(text: &str) -> Result<Publishing, RuleError> {
    match text {
        "automatic" => Ok(Publishing::Automatic),
        "manual" => Ok(Publishing::Manual),
        _ => Err(RuleError::BadField { field: "publishing", value: text.to_owned() }),
    }
}
