//! Jobs as JSON, for administrators.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Who;
use super::listed::{Listing, table};
use super::problem::ApiError;
use super::resources::rfc3339;
use crate::app::App;
use crate::catalogue::RuleError;
use crate::db;
use crate::db::jobs::{Filter, JobRow};
use crate::ingest::disk;

/// Rows read at a time for a whole table.
const BATCH: i64 = 1000;

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
    /// How many match in all.
    pub total: i64,
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
    /// `next` of the answer before: those pushed after that one.
    #[serde(default)]
    pub after: String,
}

/// Work that waits, runs or failed, the oldest first; `q` is in the title, the library's name, the
/// step or the error. For administrators.
#[utoipa::path(get, path = "/api/jobs", tag = "operation", params(Listing, ListQuery), responses((status = 200, body = JobList), (status = 403), (status = 422)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    Query(list): Query<Listing>,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    caller.may_administer()?;
    let bad = |field, value: &str| RuleError::BadField { field, value: value.to_owned() };
    let state = Some(query.state.unwrap_or_default()).filter(|state| !state.is_empty());
    if let Some(state) = state.as_deref().filter(|state| !STATES.contains(state)) {
        return Err(bad("state", state).into());
    }
    let resource = match &query.resource {
        Some(id) => Some(id.parse().map_err(|_| bad("resource", id))?),
        None => None,
    };
    let filter = Filter { state, all: query.all, resource, words: list.words() };
    let mut db = app.db.read().await?;
    let now_ms = app.now_ms();
    let short = disk::makes_wait(&mut db, now_ms).await?;
    if list.is_table()? {
        return as_table(&mut db, &filter, short, now_ms).await;
    }
    let total = db::jobs::count_all(&mut db, &filter).await?;
    let span = list.span();
    let rows = db::jobs::list_all(&mut db, &filter, &query.after, span).await?;
    let full = rows.len() as i64 == span.1;
    let items: Vec<JobView> = rows.into_iter().map(|row| JobView::of(row, short, now_ms)).collect();
    let next = items.last().filter(|_| full).map(|job| job.id.clone());
    Ok(Json(JobList { total, items, next }).into_response())
}

/// All that matches.
async fn as_table(
    db: &mut sqlx::AnyConnection,
    filter: &Filter,
    short: bool,
    now_ms: i64,
) -> Result<Response, ApiError> {
    let (mut rows, mut after) = (Vec::new(), String::new());
    loop {
        let found = db::jobs::list_all(db, filter, &after, (0, BATCH)).await?;
        let Some(last) = found.last() else { break };
        after.clone_from(&last.id);
        rows.extend(found.into_iter().map(|row| {
            let job = JobView::of(row, short, now_ms);
            [
                job.title,
                job.library,
                job.step,
                job.state,
                job.waits_for.unwrap_or_default().to_owned(),
                format!("{:.0}", job.progress * 100.0),
                job.attempts.to_string(),
                job.error.unwrap_or_default(),
                job.created,
                job.resource,
            ]
        }));
    }
    let heading = [
        "title",
        "library",
        "step",
        "state",
        "waits_for",
        "percent",
        "attempts",
        "error",
        "created",
        "resource",
    ];
    table("jobs.csv", heading, rows)
}

/// The states that a job can be in.
pub(crate) const STATES: [&str; 4] = ["queued", "running", "done", "failed"];
