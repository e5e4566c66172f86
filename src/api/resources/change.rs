//! What people do to resources: make a draft, change what is said, publish, withdraw, remove.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::super::caller::Who;
use super::super::particulars::{ParticularsPatch, none_unknown};
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::{ResourceView, act, editable, editing, view, visible};
use crate::app::App;
use crate::catalogue::{Caller, Details, Particulars, ParticularsEdit, Resource};
use crate::db;
use crate::ingest::stage::{Action, Edit};
use crate::review::{walk, withdraw};

/// What can be changed; what is left out stays. Other fields are refused.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::api) struct ResourcePatch {
    title: Option<String>,
    description: Option<String>,
    /// BCP 47; empty: not said.
    language: Option<String>,
    author: Option<String>,
    licence: Option<String>,
    topics: Option<Vec<String>>,
    audiences: Option<Vec<String>>,
    /// Number of the poster, from 0.
    poster: Option<usize>,
    #[serde(flatten)]
    particulars: ParticularsPatch,
    #[serde(flatten)]
    #[schema(ignore)]
    rest: Map<String, Value>,
}

/// A draft to be made. Other fields are refused.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::api) struct NewResource {
    /// Slug of its library.
    library: String,
    title: String,
    #[serde(default)]
    description: String,
    /// BCP 47
    language: Option<String>,
    #[serde(default)]
    author: String,
    #[serde(default)]
    licence: String,
    #[serde(default)]
    topics: Vec<String>,
    #[serde(default)]
    audiences: Vec<String>,
    #[serde(flatten)]
    particulars: ParticularsPatch,
    #[serde(flatten)]
    #[schema(ignore)]
    rest: Map<String, Value>,
}

/// Makes a draft. An upload whose metadata name it as `resource` brings its source.
#[utoipa::path(post, path = "/api/resources", tag = "resources", request_body = NewResource, responses((status = 201, body = ResourceView), (status = 422)))]
pub(in crate::api) async fn create(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Json(new): Json<NewResource>,
) -> Result<(StatusCode, Json<ResourceView>), ApiError> {
    none_unknown(&new.rest)?;
    let library = db::libraries::find_by_slug(&mut *app.db.read().await?, &new.library)
        .await?
        .filter(|library| caller.can_see_library(library))
        .ok_or_else(|| ApiError::bad(format!("library {:?}", new.library)))?;
    let account = caller.may_upload(library.id)?.id;
    let details = Details {
        title: new.title,
        description: new.description,
        language: new.language,
        author: new.author,
        licence: new.licence,
        topics: new.topics,
        audiences: new.audiences,
        particulars: ParticularsEdit::from(new.particulars).over(Particulars::default()),
    };
    let mut draft =
        Resource::draft(library.id, account, details.checked()?.or_of(&library), app.now_ms());
    let mut tx = app.db.begin().await?;
    db::resources::insert(&mut tx, &mut draft).await?;
    let id = draft.id.to_string();
    let detail = serde_json::json!({});
    db::audit::record(&mut tx, app.now_ms(), Some(account), "draft", &id, &detail).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(view(&app, &caller, &reader, draft.id).await?)))
}

/// Changes what is said about a resource.
#[utoipa::path(patch, path = "/api/resources/{id}", tag = "resources", params(("id" = String, Path)), request_body = ResourcePatch, responses((status = 200, body = ResourceView), (status = 422)))]
pub(in crate::api) async fn patch(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
    Json(patch): Json<ResourcePatch>,
) -> Result<Json<ResourceView>, ApiError> {
    let resource = editable(&app, &caller, &id).await?;
    none_unknown(&patch.rest)?;
    let edit = Edit {
        title: patch.title,
        description: patch.description,
        language: patch.language,
        author: patch.author,
        licence: patch.licence,
        topics: patch.topics,
        audiences: patch.audiences,
        poster: patch.poster,
        particulars: patch.particulars.into(),
    };
    act(&app, &caller, resource.id, editing(&caller, &resource, edit)).await?;
    Ok(Json(view(&app, &caller, &reader, resource.id).await?))
}

/// Removes a resource and what was made of it.
#[utoipa::path(delete, path = "/api/resources/{id}", tag = "resources", params(("id" = String, Path)), responses((status = 204), (status = 404)))]
pub(in crate::api) async fn delete(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let resource = editable(&app, &caller, &id).await?;
    act(&app, &caller, resource.id, Action::Delete).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets others see a resource that is ready; where its library has a chain that you do not stand at
/// the end of, hands it in.
#[utoipa::path(post, path = "/api/resources/{id}/publish", tag = "resources", params(("id" = String, Path)), responses((status = 200, body = ResourceView), (status = 409)))]
pub(in crate::api) async fn publish(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<ResourceView>, ApiError> {
    let resource = editable(&app, &caller, &id).await?;
    walk::publish(&app, &caller, resource.id).await?;
    Ok(Json(view(&app, &caller, &reader, resource.id).await?))
}

/// Why something is withdrawn.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Reason {
    /// Only the author may leave it empty.
    #[serde(default)]
    reason: String,
}

/// Takes a resource back; tickets end, players get 404. For its author, and for all who review or
/// manage in its library or above.
#[utoipa::path(post, path = "/api/resources/{id}/withdraw", tag = "resources", params(("id" = String, Path)), request_body = Option<Reason>, responses((status = 200, body = ResourceView), (status = 409), (status = 422)))]
pub(in crate::api) async fn withdraw(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
    body: Option<Json<Reason>>,
) -> Result<Json<ResourceView>, ApiError> {
    caller.account()?;
    let (resource, _) = visible(&app, &caller, &id).await?;
    let Json(Reason { reason }) = body.unwrap_or_default();
    withdraw::withdraw(&app, &caller, resource.id, &reason).await?;
    Ok(Json(view(&app, &caller, &reader, resource.id).await?))
}

/// Stops the processing of a resource: it has failed as `cancelled` then, and can be retried.
#[utoipa::path(post, path = "/api/resources/{id}/cancel", tag = "resources", params(("id" = String, Path)), responses((status = 200, body = ResourceView), (status = 409)))]
pub(in crate::api) async fn cancel(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<ResourceView>, ApiError> {
    acted(&app, &caller, &reader, &id, Action::Cancel).await
}

/// Processes a resource that failed again.
#[utoipa::path(post, path = "/api/resources/{id}/retry", tag = "resources", params(("id" = String, Path)), responses((status = 200, body = ResourceView), (status = 409)))]
pub(in crate::api) async fn retry(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<ResourceView>, ApiError> {
    acted(&app, &caller, &reader, &id, Action::Retry).await
}

async fn acted(
    app: &App,
    caller: &Caller,
    reader: &Reader,
    id: &str,
    action: Action,
) -> Result<Json<ResourceView>, ApiError> {
    let resource = editable(app, caller, id).await?;
    act(app, caller, resource.id, action).await?;
    Ok(Json(view(app, caller, reader, resource.id).await?))
}
