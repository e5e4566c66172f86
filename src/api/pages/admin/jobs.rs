//! The page of jobs.

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Deserialize;

use super::super::super::caller::Visitor;
use super::super::super::jobs::JobView;
use super::super::super::problem::ApiError;
use super::super::super::reader::Reader;
use super::super::super::resources::act;
use super::super::super::sentences::sentence;
use super::super::shell::{page, shell};
use super::super::studio::{Fields, check_csrf};
use super::{Came, done, refusal, to_login};
use crate::api::JOB_STATES;
use crate::app::App;
use crate::db::{self, jobs::Filter};
use crate::ingest::disk;
use crate::ingest::stage::Action;
use crate::pages::{self, JobRow, JobsView, Lang, Notice};

const PER_PAGE: i64 = 100;

/// Which jobs.
#[derive(Debug, Default, Deserialize)]
pub(in crate::api) struct JobsQuery {
    #[serde(default)]
    state: String,
    #[serde(default)]
    after: String,
    #[serde(default)]
    done: bool,
}

pub(in crate::api) async fn jobs_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(query): Query<JobsQuery>,
) -> Result<Response, ApiError> {
    if let Some(login) = to_login(&visitor, &reader) {
        return Ok(login);
    }
    let notice = Came { done: query.done }.notice(&reader);
    let view = view(&app, &reader, &visitor, &query, notice).await?;
    Ok(page(&reader, pages::jobs(&shell(&app, &reader, &visitor), &view)))
}

/// Has a resource that failed processed again.
pub(in crate::api) async fn jobs_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    visitor.caller.may_administer()?;
    let resource = fields.one("resource").parse().map_err(|_| ApiError::NotFound)?;
    match act(&app, &visitor.caller, resource, Action::Retry).await {
        Ok(_) => Ok(done("/admin/jobs")),
        Err(error) => {
            let notice = refusal(&reader, error)?;
            let view = view(&app, &reader, &visitor, &JobsQuery::default(), notice).await?;
            let shown = pages::jobs(&shell(&app, &reader, &visitor), &view);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&reader, shown)).into_response())
        }
    }
}

async fn view(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    query: &JobsQuery,
    notice: Notice,
) -> Result<JobsView, ApiError> {
    visitor.caller.may_administer()?;
    let state = Some(query.state.clone()).filter(|state| JOB_STATES.contains(&state.as_str()));
    let filter = Filter { all: false, resource: None, state: state.clone() };
    let mut db = app.db.read().await?;
    let found = db::jobs::list_all(&mut db, &filter, &query.after, PER_PAGE).await?;
    let now_ms = app.now_ms();
    let short = disk::makes_wait(&mut db, now_ms).await?;
    let state = state.unwrap_or_default();
    let next = found
        .last()
        .filter(|_| found.len() as i64 == PER_PAGE)
        .map(|job| format!("/admin/jobs?state={state}&after={}", job.id));
    let rows = found.into_iter().map(|job| {
        let created_ms = job.created_ms;
        row(reader.lang, JobView::of(job, short, now_ms), created_ms)
    });
    Ok(JobsView { rows: rows.collect(), state, next, notice })
}

fn row(lang: Lang, job: JobView, created_ms: i64) -> JobRow {
    let why = match (job.state.as_str(), job.waits_for) {
        (_, Some("disk")) => lang
            .pick(
                "磁盘空间不足，腾出空间后自动继续",
                "The disk is too full; it goes on when there is room",
            )
            .to_owned(),
        (_, Some("time")) => match &job.error {
            Some(error) => format!(
                "{}{error}",
                lang.pick("上次没有成功，稍后自动再试：", "It failed and is tried again: ")
            ),
            None => lang.pick("过一会儿才轮到", "Not yet its time").to_owned(),
        },
        ("queued", _) => lang.pick("前面还有别的任务", "Others come before").to_owned(),
        ("failed", _) => job.error.clone().unwrap_or_default(),
        _ => String::new(),
    };
    JobRow {
        resource: job.resource,
        title: job.title,
        library: job.library,
        step: step_word(lang, &job.step),
        state: job.state,
        percent: percent(job.progress),
        why,
        attempts: job.attempts,
        created_ms,
    }
}

/// What a step does, in the words that its resource shows; one without words is its own name.
fn step_word(lang: Lang, step: &str) -> String {
    let words = sentence(lang, step, "");
    if words == sentence(lang, "", "") { step.to_owned() } else { words }
}

/// 0 to 100.
fn percent(progress: f64) -> u32 {
    (0..=100).rev().find(|n| progress * 100.0 >= f64::from(*n)).unwrap_or(0)
}
