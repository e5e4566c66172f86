//! Resources in pages.

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::caller::Who;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::{ResourceView, view};
use crate::app::App;
use crate::batch::which::{self, Which};
use crate::db;

/// A page of resources.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ResourceList {
    /// In all.
    total: i64,
    items: Vec<ResourceView>,
}

/// Which resources to list.
#[derive(Debug, Deserialize, IntoParams)]
pub(in crate::api) struct ListQuery {
    /// Slug of a library.
    library: Option<String>,
    /// Kind.
    kind: Option<String>,
    /// Stage; others than published only where you are an author.
    stage: Option<String>,
    /// From 1.
    page: Option<i64>,
    /// At most 100.
    per_page: Option<i64>,
}

/// Lists resources that the caller may see, newest first.
#[utoipa::path(get, path = "/api/resources", tag = "resources", params(ListQuery), responses((status = 200, body = ResourceList)))]
pub(in crate::api) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Query(query): Query<ListQuery>,
) -> Result<Json<ResourceList>, ApiError> {
    let per_page = query.per_page.unwrap_or(20).clamp(1, 100);
    let page = query.page.unwrap_or(1).clamp(1, 1_000_000);
    let which = Which { library: query.library, kind: query.kind, stage: query.stage };
    let filter = which::visible(&mut *app.db.read().await?, &caller, &which).await?;
    let (total, found) =
        db::resources::list(&mut *app.db.read().await?, &filter, (page - 1) * per_page, per_page)
            .await?;
    let mut items = Vec::with_capacity(found.len());
    for resource in found {
        match view(&app, &caller, &reader, resource.id).await {
            Ok(view) => items.push(view),
            // Withdrawn since the list was read.
            Err(ApiError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Json(ResourceList { total, items }))
}
