//! The page of jobs.

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::super::super::jobs::JobView;
use super::super::super::listed::Listing;
use super::super::super::problem::ApiError;
use super::super::super::resources::act;
use super::super::super::sentences::sentence;
use super::super::here::{Form, Here, done};
use crate::api::JOB_STATES;
use crate::db::{self, jobs::Filter};
use crate::ingest::disk;
use crate::ingest::stage::Action;
use crate::pages::{self, JobRow, JobsView, Lang, Notice};

/// Which jobs.
#[derive(Debug, Default, Deserialize)]
pub(in crate::api) struct JobsQuery {
    #[serde(default)]
    state: String,
}

pub(in crate::api) async fn jobs_page(
    here: Here,
    Query(list): Query<Listing>,
    Query(query): Query<JobsQuery>,
) -> Result<Response, ApiError> {
    let view = view(&here, &list, &query, here.notice()).await?;
    Ok(here.show(|shell| pages::jobs(shell, &view)))
}

/// Has a resource that failed processed again.
pub(in crate::api) async fn jobs_form(form: Form) -> Result<Response, ApiError> {
    let here = form.here;
    here.caller().may_administer()?;
    let resource = form.fields.one("resource").parse().map_err(|_| ApiError::NotFound)?;
    match act(&here.app, here.caller(), resource, Action::Retry).await {
        Ok(_) => Ok(done("/admin/jobs")),
        Err(error) => {
            let notice = here.refusal(error)?;
            let list = Listing::default();
            let view = view(&here, &list, &JobsQuery::default(), notice).await?;
            Ok(here.refuse(|shell| pages::jobs(shell, &view)))
        }
    }
}

async fn view(
    here: &Here,
    list: &Listing,
    query: &JobsQuery,
    notice: Notice,
) -> Result<JobsView, ApiError> {
    here.caller().may_administer()?;
    let state = Some(query.state.clone()).filter(|state| JOB_STATES.contains(&state.as_str()));
    let filter = Filter { state: state.clone(), words: list.words(), ..Filter::default() };
    let mut db = here.app.db.read().await?;
    let total = db::jobs::count_all(&mut db, &filter).await?;
    let found = db::jobs::list_all(&mut db, &filter, "", list.span()).await?;
    let now_ms = here.app.now_ms();
    let short = disk::makes_wait(&mut db, now_ms).await?;
    let state = state.unwrap_or_default();
    let rows = found.into_iter().map(|job| {
        let created_ms = job.created_ms;
        row(here.reader.lang, JobView::of(job, short, now_ms), created_ms)
    });
    Ok(JobsView {
        rows: rows.collect(),
        list: list.listed("/admin/jobs", "/api/jobs", total, &[("state", &state)]),
        state,
        notice,
    })
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
