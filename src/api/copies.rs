//! Copies of harvested records, where their licence allows it.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::caller::Who;
use super::problem::ApiError;
use super::resources::visible;
use crate::app::App;
use crate::catalogue::{Caller, Resource, ResourceId, RuleError, Stage};
use crate::db;
use crate::db::jobs::NewJob;

/// Where a copy is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCopy {
    /// Slug of a library that you look after.
    library: String,
}

/// A copy that is being made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CopyView {
    /// Id of the new resource; its file is fetched as its first step.
    resource: String,
}

/// Copies a harvested record into a library: its file is fetched from its home and processed like an
/// upload. Only with one of the licences of the setting `harvest.copy_licences`. For librarians of
/// that library.
#[utoipa::path(post, path = "/api/resources/{id}/copy", tag = "exchange", params(("id" = String, Path)), request_body = NewCopy, responses((status = 202, body = CopyView), (status = 403), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn copy(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    Json(new): Json<NewCopy>,
) -> Result<(StatusCode, Json<CopyView>), ApiError> {
    let resource = copy_in(&app, &caller, &id, &new.library).await?.to_string();
    Ok((StatusCode::ACCEPTED, Json(CopyView { resource })))
}

/// Makes the copy of the record `id` in the library `slug` for `caller`; gives its id.
pub(super) async fn copy_in(
    app: &App,
    caller: &Caller,
    id: &str,
    slug: &str,
) -> Result<ResourceId, ApiError> {
    let account = caller.account()?.id;
    let (origin, _) = visible(app, caller, id).await?;
    let mut tx = app.db.begin().await?;
    let library = db::libraries::find_by_slug(&mut tx, slug)
        .await?
        .filter(|library| caller.can_see_library(library))
        .ok_or_else(|| RuleError::BadField { field: "library", value: slug.to_owned() })?;
    caller.may_manage(library.id)?;
    // Locked, so that of two that copy the second sees what the first made.
    let origin = db::resources::get_locked(&mut tx, origin.id).await?;
    let refused = |code, info: &str| ApiError::coded(StatusCode::CONFLICT, code, info);
    let original = db::copies::original(&mut tx, origin.id).await?;
    let original = original.ok_or_else(|| refused("copy_own", ""))?;
    if origin.stage != Stage::Published {
        return Err(RuleError::WrongStage(origin.stage).into());
    }
    if !may_be_copied(app, &origin.details.licence) {
        return Err(refused("copy_licence", &origin.details.licence));
    }
    let copies = db::copies::list_of(&mut tx, origin.id).await?;
    if copies.iter().any(|(_, there)| *there == library.id) {
        return Err(refused("copied_already", ""));
    }
    let now_ms = app.now_ms();
    let draft = Resource::draft(library.id, account, origin.details.clone(), now_ms);
    let mut made = Resource {
        kind: origin.kind,
        stage: Stage::Processing,
        media_type: origin.media_type.clone(),
        doing: "waiting".to_owned(),
        jobs_left: 1,
        ..draft
    };
    db::resources::insert(&mut tx, &mut made).await?;
    db::copies::insert(&mut tx, made.id, origin.id, &original, account, now_ms).await?;
    let first = NewJob { kind: "fetch", payload: "{}".into(), priority: 0, weight: 1.0 };
    db::jobs::push(&mut tx, made.id, &first, now_ms).await?;
    let detail = json!({
        "origin": origin.id.to_string(),
        "home": original.home,
        "licence": origin.details.licence,
        "library": library.slug.as_str(),
    });
    let subject = made.id.to_string();
    db::audit::record(&mut tx, now_ms, Some(account), "copy-in", &subject, &detail).await?;
    tx.commit().await?;
    app.announce(made.id);
    app.job_pushed.notify_waiters();
    Ok(made.id)
}

/// Whether something with `licence` may be copied.
pub(super) fn may_be_copied(app: &App, licence: &str) -> bool {
    app.config.harvest.copy_licences.iter().any(|allowed| allowed == licence)
}
