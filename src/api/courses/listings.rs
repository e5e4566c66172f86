//! Courses of one library shown by another, by reference and with thanks.

use axum::extract::{Path, State};
use http::StatusCode;
use serde_json::json;

use super::{visible, visible_library};
use crate::api::caller::Who;
use crate::api::problem::ApiError;
use crate::app::App;
use crate::catalogue::{Caller, Stage, Visibility};
use crate::db;

/// Has a library show a course of another beside its own. For the librarians of that library.
#[utoipa::path(put, path = "/api/courses/{id}/listings/{library}", tag = "courses",
    params(("id" = String, Path), ("library" = String, Path)),
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
pub(in crate::api) async fn put_listing(
    State(app): State<App>,
    Who(caller): Who,
    Path((id, library)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    set_listing(&app, &caller, &id, &library, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a library show a course of another no longer.
#[utoipa::path(delete, path = "/api/courses/{id}/listings/{library}", tag = "courses",
    params(("id" = String, Path), ("library" = String, Path)),
    responses((status = 204), (status = 403), (status = 404)))]
pub(in crate::api) async fn delete_listing(
    State(app): State<App>,
    Who(caller): Who,
    Path((id, library)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    set_listing(&app, &caller, &id, &library, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shows, or no longer shows, the course `id` in the library `slug`.
pub(in crate::api) async fn set_listing(
    app: &App,
    caller: &Caller,
    id: &str,
    slug: &str,
    shown: bool,
) -> Result<(), ApiError> {
    let account = caller.account()?.id;
    let (course, own) = visible(app, caller, id).await?;
    let library = visible_library(app, caller, slug).await?;
    caller.may_manage(library.id)?;
    let open = course.stage == Stage::Published && own.visibility == Visibility::Public;
    if shown && (!open || library.id == own.id) {
        return Err(ApiError::coded(StatusCode::CONFLICT, "course_not_shared", ""));
    }
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    let action = if shown {
        db::courses::list_in(&mut tx, course.id, library.id, now_ms).await?;
        "list-course"
    } else {
        if !db::courses::unlist(&mut tx, course.id, library.id).await? {
            return Err(ApiError::NotFound);
        }
        "unlist-course"
    };
    let (id, detail) = (course.id.to_string(), json!({ "library": library.slug.as_str() }));
    db::audit::record(&mut tx, now_ms, Some(account), action, &id, &detail).await?;
    tx.commit().await?;
    Ok(())
}
