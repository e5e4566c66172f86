//! Collections as JSON.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use http::header::ETAG;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::caller::Who;
use super::courses::{Expected, etag, expected, may_be_taken, visible_library};
use super::problem::ApiError;
use super::resources::rfc3339;
use crate::app::App;
use crate::catalogue::{
    Caller, Collection, CollectionId, Library, Ordering, Resource, ResourceId, RuleError, Stage,
};
use crate::db;

/// Resources that a library shows together.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CollectionView {
    id: String,
    /// Slug of its library.
    library: String,
    title: String,
    description: String,
    /// hand or newest
    ordering: &'static str,
    /// Ids of its resources that you may see, in their order.
    resources: Vec<String>,
    /// Its page.
    url: String,
    /// RFC 3339.
    created: String,
    /// RFC 3339.
    updated: String,
}

/// Which collections to list.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct ListQuery {
    /// Slug of a library.
    library: Option<String>,
}

/// A collection to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCollection {
    /// Slug of its library.
    library: String,
    title: String,
    #[serde(default)]
    description: String,
    /// hand (when left out) or newest
    ordering: Option<String>,
    /// Ids.
    #[serde(default)]
    resources: Vec<String>,
}

/// What can be changed; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CollectionPatch {
    title: Option<String>,
    description: Option<String>,
    /// hand or newest
    ordering: Option<String>,
    /// Ids, in their order.
    resources: Option<Vec<String>>,
}

/// What is said anew about a collection; `None` leaves what is there.
#[derive(Debug, Default)]
pub(super) struct Edit {
    pub title: Option<String>,
    pub description: Option<String>,
    pub ordering: Option<Ordering>,
    pub resources: Option<Vec<ResourceId>>,
}

/// Collections that the caller may see, the last changed first.
#[utoipa::path(get, path = "/api/collections", tag = "courses", params(ListQuery), responses((status = 200, body = Vec<CollectionView>)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<CollectionView>>, ApiError> {
    let library = match &query.library {
        Some(slug) => Some(visible_library(&app, &caller, slug).await?.id),
        None => None,
    };
    let mut db = app.db.read().await?;
    let libraries = db::libraries::list(&mut db).await?;
    let found = db::collections::list(&mut db, library).await?;
    drop(db);
    let mut views = Vec::new();
    for collection in found {
        let own = libraries.iter().find(|library| library.id == collection.library);
        if let Some(own) = own.filter(|own| caller.can_see_library(own)) {
            views.push(view(&app, &caller, &collection, own).await?);
        }
    }
    Ok(Json(views))
}

/// Makes a collection.
#[utoipa::path(post, path = "/api/collections", tag = "courses", request_body = NewCollection, responses((status = 201, body = CollectionView), (status = 422)))]
pub(super) async fn create(
    State(app): State<App>,
    Who(caller): Who,
    Json(new): Json<NewCollection>,
) -> Result<Response, ApiError> {
    let edit = Edit {
        title: Some(new.title),
        description: Some(new.description),
        ordering: new.ordering.as_deref().map(ordering).transpose()?,
        resources: Some(ids(&new.resources)?),
    };
    let collection = make(&app, &caller, &new.library, edit).await?;
    Ok((StatusCode::CREATED, told(&app, &caller, collection).await?).into_response())
}

/// Makes a collection in the library `slug`.
pub(super) async fn make(
    app: &App,
    caller: &Caller,
    slug: &str,
    edit: Edit,
) -> Result<Collection, ApiError> {
    let library = visible_library(app, caller, slug)
        .await
        .map_err(|_| ApiError::bad(format!("library {slug:?}")))?;
    let account = caller.may_upload(library.id)?.id;
    let now_ms = app.now_ms();
    let collection = Collection {
        id: CollectionId::fresh(),
        library: library.id,
        title: edit.title.unwrap_or_default(),
        description: edit.description.unwrap_or_default(),
        ordering: edit.ordering.unwrap_or(Ordering::Hand),
        made_by: account,
        version: 1,
        created_ms: now_ms,
        updated_ms: now_ms,
    }
    .checked()?;
    let resources = edit.resources.unwrap_or_default();
    let mut tx = app.db.begin().await?;
    check(app, &mut tx, caller, &collection, &[], &resources).await?;
    db::collections::insert(&mut tx, &collection).await?;
    db::collections::set_resources(&mut tx, collection.id, &resources).await?;
    record(&mut tx, caller, now_ms, "create-collection", collection.id).await?;
    tx.commit().await?;
    Ok(collection)
}

/// A collection. The entity tag is for `If-Match` of the change that follows.
#[utoipa::path(get, path = "/api/collections/{id}", tag = "courses", params(("id" = String, Path)), responses((status = 200, body = CollectionView), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let (collection, _) = visible(&app, &caller, &id).await?;
    told(&app, &caller, collection).await
}

/// Changes a collection. With `If-Match` only while it is as it was read.
#[utoipa::path(patch, path = "/api/collections/{id}", tag = "courses",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)), request_body = CollectionPatch,
    responses((status = 200, body = CollectionView), (status = 412), (status = 422)))]
pub(super) async fn patch(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(patch): Json<CollectionPatch>,
) -> Result<Response, ApiError> {
    let edit = Edit {
        title: patch.title,
        description: patch.description,
        ordering: patch.ordering.as_deref().map(ordering).transpose()?,
        resources: patch.resources.as_deref().map(ids).transpose()?,
    };
    let collection = apply(&app, &caller, &id, &expected(&headers), edit).await?;
    told(&app, &caller, collection).await
}

/// Removes a collection; its resources stay.
#[utoipa::path(delete, path = "/api/collections/{id}", tag = "courses", params(("id" = String, Path)), responses((status = 204), (status = 404)))]
pub(super) async fn delete(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    remove(&app, &caller, &id, &expected(&headers)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the collection `id` if it is as `expected` and `caller` may.
pub(super) async fn apply(
    app: &App,
    caller: &Caller,
    id: &str,
    expected: &Expected,
    edit: Edit,
) -> Result<Collection, ApiError> {
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    let old = editable(&mut tx, caller, id, expected).await?;
    let mut collection = Collection {
        title: edit.title.unwrap_or(old.title),
        description: edit.description.unwrap_or(old.description),
        ordering: edit.ordering.unwrap_or(old.ordering),
        ..old
    }
    .checked()?;
    if let Some(resources) = &edit.resources {
        let before = db::collections::resources(&mut tx, collection.id).await?;
        check(app, &mut tx, caller, &collection, &before, resources).await?;
        db::collections::set_resources(&mut tx, collection.id, resources).await?;
    }
    db::collections::save(&mut tx, &mut collection, now_ms).await?;
    record(&mut tx, caller, now_ms, "edit-collection", collection.id).await?;
    tx.commit().await?;
    Ok(collection)
}

/// Removes the collection `id` if it is as `expected` and `caller` may.
pub(super) async fn remove(
    app: &App,
    caller: &Caller,
    id: &str,
    expected: &Expected,
) -> Result<(), ApiError> {
    let mut tx = app.db.begin().await?;
    let collection = editable(&mut tx, caller, id, expected).await?;
    db::collections::delete(&mut tx, collection.id).await?;
    record(&mut tx, caller, app.now_ms(), "delete-collection", collection.id).await?;
    Ok(tx.commit().await?)
}

/// The collection `id` and its library, if the caller may see it.
pub(super) async fn visible(
    app: &App,
    caller: &Caller,
    id: &str,
) -> Result<(Collection, Library), ApiError> {
    let id: CollectionId = id.parse().map_err(|_| ApiError::NotFound)?;
    let mut db = app.db.read().await?;
    let collection = db::collections::find(&mut db, id).await?.ok_or(ApiError::NotFound)?;
    let library = db::libraries::get(&mut db, collection.library).await?;
    if caller.can_see_library(&library) {
        Ok((collection, library))
    } else {
        Err(ApiError::NotFound)
    }
}

/// The published resources of a collection that `caller` may see, with their libraries, in their order.
pub(super) async fn shown(
    app: &App,
    caller: &Caller,
    collection: &Collection,
) -> Result<Vec<Resource>, ApiError> {
    let mut all = all_of(app, caller, collection).await?;
    all.retain(|resource| resource.stage == Stage::Published);
    if collection.ordering == Ordering::Newest {
        all.sort_by_key(|resource| std::cmp::Reverse(resource.published_ms));
    }
    Ok(all)
}

/// The resources of a collection that `caller` may see, as its editor put them.
pub(super) async fn all_of(
    app: &App,
    caller: &Caller,
    collection: &Collection,
) -> Result<Vec<Resource>, ApiError> {
    let mut db = app.db.read().await?;
    let ids = db::collections::resources(&mut db, collection.id).await?;
    let mut found = db::resources::list_these(&mut db, &ids).await?;
    let libraries = db::libraries::list(&mut db).await?;
    found.retain(|resource| {
        let library = libraries.iter().find(|library| library.id == resource.library);
        library.is_some_and(|library| caller.can_see(resource, library))
    });
    found.sort_by_key(|resource| ids.iter().position(|id| *id == resource.id));
    Ok(found)
}

/// The collection `id`, locked, if it is as `expected` and `caller` may edit it.
async fn editable(
    tx: &mut db::Tx,
    caller: &Caller,
    id: &str,
    expected: &Expected,
) -> Result<Collection, ApiError> {
    caller.account()?;
    let id: CollectionId = id.parse().map_err(|_| ApiError::NotFound)?;
    let collection = db::collections::find_locked(tx, id).await?.ok_or(ApiError::NotFound)?;
    let library = db::libraries::get(tx, collection.library).await?;
    if !caller.can_see_library(&library) {
        return Err(ApiError::NotFound);
    }
    if !collection.can_be_edited_by(caller) {
        return Err(RuleError::Forbidden.into());
    }
    expected.check(collection.version)?;
    Ok(collection)
}

/// Whether `after` can be put in the place of `before`: within limits, each once, and what is new
/// may be taken.
async fn check(
    app: &App,
    tx: &mut db::Tx,
    caller: &Caller,
    collection: &Collection,
    before: &[ResourceId],
    after: &[ResourceId],
) -> Result<(), ApiError> {
    let wrong = |value: String| Err(RuleError::BadField { field: "resources", value }.into());
    if after.len() > app.config.courses.max_lessons {
        return wrong(after.len().to_string());
    }
    if let Some(twice) = after.iter().enumerate().find(|(at, id)| after[..*at].contains(id)) {
        return wrong(twice.1.to_string());
    }
    let fresh: Vec<ResourceId> = after.iter().filter(|id| !before.contains(id)).copied().collect();
    let found = db::resources::list_these(tx, &fresh).await?;
    let libraries = db::libraries::list(tx).await?;
    let may = |id: &ResourceId| {
        let resource = found.iter().find(|resource| resource.id == *id)?;
        let library = libraries.iter().find(|library| library.id == resource.library)?;
        Some(may_be_taken(caller, collection.library, resource, library))
    };
    match fresh.iter().find(|id| may(id) != Some(true)) {
        Some(id) => wrong(id.to_string()),
        None => Ok(()),
    }
}

async fn record(
    tx: &mut db::Tx,
    caller: &Caller,
    now_ms: i64,
    action: &str,
    id: CollectionId,
) -> Result<(), ApiError> {
    let account = caller.account()?.id;
    let id = id.to_string();
    Ok(db::audit::record(tx, now_ms, Some(account), action, &id, &json!({})).await?)
}

async fn told(app: &App, caller: &Caller, collection: Collection) -> Result<Response, ApiError> {
    let library = db::libraries::get(&mut *app.db.read().await?, collection.library).await?;
    let tag = etag(collection.version);
    Ok(([(ETAG, tag)], Json(view(app, caller, &collection, &library).await?)).into_response())
}

async fn view(
    app: &App,
    caller: &Caller,
    collection: &Collection,
    library: &Library,
) -> Result<CollectionView, ApiError> {
    let resources = match collection.can_be_edited_by(caller) {
        true => all_of(app, caller, collection).await?,
        false => shown(app, caller, collection).await?,
    };
    Ok(CollectionView {
        id: collection.id.to_string(),
        library: library.slug.to_string(),
        title: collection.title.clone(),
        description: collection.description.clone(),
        ordering: collection.ordering.as_str(),
        resources: resources.iter().map(|resource| resource.id.to_string()).collect(),
        url: format!("/collections/{}", collection.id),
        created: rfc3339(collection.created_ms),
        updated: rfc3339(collection.updated_ms),
    })
}

fn ids(texts: &[String]) -> Result<Vec<ResourceId>, RuleError> {
    let id = |text: &String| {
        text.parse().map_err(|_| RuleError::BadField {
            field: "resources",
            value: text.chars().take(40).collect(),
        })
    };
    texts.iter().map(id).collect()
}

fn ordering(text: &str) -> Result<Ordering, RuleError> {
    let value = || text.chars().take(40).collect();
    text.parse().map_err(|_| RuleError::BadField { field: "ordering", value: value() })
}
