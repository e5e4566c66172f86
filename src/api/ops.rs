//! For operators: is it alive, is it ready, what does it do.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::json;

use super::caller::Who;
use super::problem::ApiError;
use crate::app::App;
use crate::db;
use crate::db::jobs::Lane;
use crate::db::renditions::Report;
use crate::ingest::disk;

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200)))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Database, store and index can be used.
#[utoipa::path(get, path = "/readyz", tag = "operation", responses((status = 200), (status = 503)))]
pub(super) async fn readyz(State(app): State<App>) -> Response {
    let database = match app.db.read().await {
        Ok(mut db) => db::settings::last_change(&mut db).await.is_ok(),
        Err(_) => false,
    };
    let store = app.store.free_bytes().is_ok();
    let index = app.index.load().is_some();
    let stopping = app.stop.is_cancelled();
    let status = if database && store && !stopping {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body =
        json!({ "database": database, "store": store, "index": index, "stopping": stopping });
    (status, Json(body)).into_response()
}

/// How many renditions the libraries have, how many are made only when somebody plays them, and
/// what that saves. For administrators.
#[utoipa::path(get, path = "/api/renditions", tag = "operation", responses((status = 200), (status = 403)))]
pub(super) async fn renditions(
    State(app): State<App>,
    Who(caller): Who,
) -> Result<Json<Report>, ApiError> {
    caller.may_administer()?;
    Ok(Json(db::renditions::report(&mut *app.db.read().await?).await?))
}

/// Prometheus text.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses((status = 200, content_type = "text/plain")))]
pub(super) async fn metrics(State(app): State<App>) -> Response {
    // What cannot be read now is told as it was.
    let _ = gauge_jobs(&app).await;
    if let Ok(left_out) = unindexed(&app).await {
        metrics::gauge!("duoku_index_unindexed").set(left_out as f64);
    }
    if let Ok(free_bytes) = app.store.free_bytes() {
        metrics::gauge!("duoku_store_free_bytes").set(free_bytes as f64);
    }
    for (cache, bytes) in [
        ("blocks", app.store.cached_bytes()),
        ("texts", app.texts.weighted_size()),
        ("deliveries", app.deliveries.kept_bytes()),
    ] {
        metrics::gauge!("duoku_cache_bytes", "cache" => cache).set(bytes as f64);
    }
    if let Some(index) = app.index.load_full() {
        metrics::gauge!("duoku_index_resources").set(index.len().unwrap_or(0) as f64);
    }
    let text = super::recorder().render();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

async fn unindexed(app: &App) -> Result<i64, db::Error> {
    db::unindexed::count(&mut *app.db.read().await?).await
}

async fn gauge_jobs(app: &App) -> Result<(), db::Error> {
    let mut db = app.db.read().await?;
    let counts = db::jobs::counts(&mut db).await?;
    let short = disk::makes_wait(&mut db, app.now_ms()).await?;
    let mut for_disk = 0;
    for lane in Lane::ALL.map(Lane::as_str) {
        for state in ["queued", "running"] {
            let found = counts.iter().find(|(of, is, _)| of == lane && is == state);
            let count = found.map_or(0, |(.., count)| *count);
            metrics::gauge!("duoku_jobs", "state" => state, "class" => lane).set(count as f64);
            if short && state == "queued" && disk::is_needed(lane) {
                for_disk += count;
            }
        }
    }
    metrics::gauge!("duoku_jobs_waiting_for_disk").set(for_disk as f64);
    Ok(())
}
