//! Jobs as JSON, for administrators.

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Who;
use super::problem::ApiError;
use super::resources::rfc3339;
use crate::app::App;
use crate::catalogue::RuleError;
use crate::db;
use crate::db::jobs::{Filter, JobRow};
use crate::ingest::disk;

/// A job.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobView {
    /// Its id.
    pub id: String,
    /// Id of its resource.
    pub resource: String,
    /// Slug of the library.
    pub library: String,
    /// Title of the resource.
    pub title: String,
    /// Which step: intake, probe, copy, encode, audio, derive, inspect, pages, picture, sweep, tidy
    pub step: String,
    /// look, light or heavy: which workers take it
    pub class: String,
    /// queued, running, done or failed
    pub state: String,
    /// Why it is queued and cannot be taken now: disk (too little room), time (not before `not_before`).
    pub waits_for: Option<&'static str>,
    /// 0 to 1
    pub progress: f64,
    /// Lower sooner.
    pub priority: i64,
    /// How often it was begun.
    pub attempts: i64,
    /// Of the last attempt, for whoever looks after the machine.
    pub error: Option<String>,
    /// RFC 3339.
    pub created: String,
    /// RFC 3339.
    pub not_before: String,
}

impl JobView {
    /// `row` as of `now_ms`; `disk_is_short` by what workers said last.
    pub(crate) fn of(row: JobRow, disk_is_short: bool, now_ms: i64) -> Self {
        let waits_for = match row.state.as_str() {
            "queued" if disk_is_short && disk::is_needed(&row.lane) => Some("disk"),
            "queued" if row.run_at_ms > now_ms => Some("time"),
            _ => None,
        };
        Self {
            id: row.id,
            resource: row.resource,
            library: row.library,
            title: row.title,
            step: row.kind,
            class: row.lane,
            state: row.state,
            waits_for,
            progress: row.progress,
            priority: row.priority,
            attempts: row.attempts,
            error: row.error,
            created: rfc3339(row.created_ms),
            not_before: rfc3339(row.run_at_ms),
        }
    }
}

/// Jobs, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobList {
    pub items: Vec<JobView>,
    /// What to ask for as `after` to get the next ones; null: there are no more now.
    pub next: Option<String>,
}

/// Which jobs to list.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct ListQuery {
    /// queued, running, done or failed; left out: all but done.
    pub state: Option<String>,
    /// Id of a resource.
    pub resource: Option<String>,
    /// Those that are done too.
    #[serde(default)]
    pub all: bool,
    /// `next` of the answer before.
    #[serde(default)]
    pub after: String,
    /// At most 1000; 100 when left out.
    pub limit: Option<i64>,
}

/// Work that waits, runs or failed, the oldest first. For administrators.
#[utoipa::path(get, path = "/api/jobs", tag = "operation", params(ListQuery), responses((status = 200, body = JobList), (status = 403)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    Query(query): Query<ListQuery>,
) -> Result<Json<JobList>, ApiError> {
    caller.may_administer()?;
    let bad = |field, value: &str| RuleError::BadField { field, value: value.to_owned() };
    if let Some(state) = query.state.as_deref().filter(|state| !STATES.contains(state)) {
        return Err(bad("state", state).into());
    }
    let resource = match &query.resource {
        Some(id) => Some(id.parse().map_err(|_| bad("resource", id))?),
        None => None,
    };
    let filter = Filter { state: query.state, all: query.all, resource };
    let limit = query.limit.unwrap_or(100).clamp(1, 1000);
    let mut db = app.db.read().await?;
    let rows = db::jobs::list_all(&mut db, &filter, &query.after, limit).await?;
    let (now_ms, full) = (app.now_ms(), rows.len() as i64 == limit);
    let short = disk::makes_wait(&mut db, now_ms).await?;
    let items: Vec<JobView> = rows.into_iter().map(|row| JobView::of(row, short, now_ms)).collect();
    let next = items.last().filter(|_| full).map(|job| job.id.clone());
    Ok(Json(JobList { items, next }))
}

/// The states that a job can be in.
pub(crate) const STATES: [&str; 4] = ["queued", "running", "done", "failed"];
