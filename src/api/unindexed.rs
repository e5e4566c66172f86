//! What could not be taken into the search index.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Who;
use super::problem::ApiError;
use crate::app::App;
use crate::db;

/// A resource that is public and not found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UnindexedView {
    /// Its id.
    pub resource: String,
    /// Its title; empty when its row is gone.
    pub title: String,
    /// Why, as the program says it.
    pub reason: String,
    /// Unix milliseconds.
    pub noticed_ms: i64,
}

/// Resources that could not be taken into the search index, the newest first. For administrators.
#[utoipa::path(get, path = "/api/search/unindexed", tag = "search", responses((status = 200, body = Vec<UnindexedView>), (status = 403)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
) -> Result<Json<Vec<UnindexedView>>, ApiError> {
    caller.may_administer()?;
    Ok(Json(read(&app).await?))
}

/// The list, for whoever may see it.
pub(super) async fn read(app: &App) -> Result<Vec<UnindexedView>, ApiError> {
    let all = db::unindexed::list(&mut *app.db.read().await?).await?;
    let view = |one: db::unindexed::Unindexed| UnindexedView {
        resource: one.resource,
        title: one.title,
        reason: one.reason,
        noticed_ms: one.noticed_ms,
    };
    Ok(all.into_iter().map(view).collect())
}
