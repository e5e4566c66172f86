//! Takes jobs and runs their steps; says all the while that it is alive.

use std::time::Duration;

use super::{
    Error, Held, Outcome, derive, document, finish, intake, picture, probe, sweep, transcode,
};
use crate::app::App;
use crate::db;
use crate::media::scratch;

/// How often the progress of a running job is written down.
const BEAT: Duration = Duration::from_millis(1000);

/// How often what was abandoned is looked for.
const SWEEP: Duration = Duration::from_mins(10);

/// Runs as many workers as the settings say, until the program stops. A job
/// that is under way then is put back at once.
pub async fn run(app: App) {
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..app.config.work.workers {
        workers.spawn(work(app.clone()));
    }
    let sweeping = tokio::spawn(sweep_abandoned(app.clone()));
    while let Some(ended) = workers.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a worker broke");
            tokio::time::sleep(Duration::from_millis(app.config.work.poll_ms)).await;
            workers.spawn(work(app.clone()));
        }
    }
    if let Err(error) = sweeping.await {
        tracing::error!(%error, "the sweep broke");
    }
}

async fn sweep_abandoned(app: App) {
    remove_scratch(&app);
    while app.stop.run_until_cancelled(tokio::time::sleep(SWEEP)).await.is_some() {
        if let Err(error) = sweep::abandoned(&app).await {
            tracing::warn!(%error, "cannot sweep");
        }
        remove_scratch(&app);
    }
}

fn remove_scratch(app: &App) {
    match scratch::remove_abandoned(&app.config.storage.data.join("scratch")) {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "removed what killed workers left"),
        Err(error) => tracing::warn!(%error, "cannot sweep the scratch folder"),
    }
}

async fn work(app: App) {
    let poll = Duration::from_millis(app.config.work.poll_ms);
    while !app.stop.is_cancelled() {
        let pushed = app.job_pushed.notified();
        match take(&app).await {
            Ok(true) => {}
            Ok(false) => {
                tokio::select! {
                    () = pushed => {}
                    () = tokio::time::sleep(poll) => {}
                    () = app.stop.cancelled() => {}
                }
            }
            Err(error) => {
                tracing::error!(%error, "cannot take a job");
                tokio::time::sleep(poll).await;
            }
        }
    }
}

/// Runs the next job to its end, if there is one.
///
/// # Errors
///
/// Those of the database.
pub async fn take(app: &App) -> Result<bool, Error> {
    let job = {
        let mut tx = app.db.begin().await?;
        let job = db::jobs::claim(&mut tx, app.now_ms(), app.config.work.lease_ms).await?;
        tx.commit().await?;
        job
    };
    let Some(job) = job else { return Ok(false) };
    let held = Held::new(app, job);
    tracing::debug!(resource = %held.resource(), job = held.job.kind, attempt = held.job.attempts, "begin");
    let result = if held.job.attempts > app.config.work.max_attempts {
        Err(Error::unusable("crashed", format!("{} attempts", held.job.attempts - 1)))
    } else {
        tokio::select! {
            result = guarded({
                let held = held.clone();
                async move { step(&held).await }
            }) => result,
            () = beat(&held) => Err(Error::LeaseLost),
            () = app.stop.cancelled() => {
                let mut tx = app.db.begin().await?;
                db::jobs::give_back(&mut tx, &held.job).await?;
                tx.commit().await?;
                return Ok(false);
            }
        }
    };
    match end(&held, result).await {
        Err(Error::LeaseLost) => {
            tracing::warn!(resource = %held.resource(), job = held.job.kind, "lease lost");
            Ok(true)
        }
        ended => ended.map(|()| true),
    }
}

async fn end(held: &Held, result: Result<Outcome, Error>) -> Result<(), Error> {
    let error = match result {
        Ok(outcome) => return finish::job(held, outcome).await,
        Err(Error::LeaseLost) => return Err(Error::LeaseLost),
        Err(error) => error,
    };
    let work = &held.app.config.work;
    if error.is_transient() && held.job.attempts < work.max_attempts {
        let doublings = u32::try_from(held.job.attempts - 1).unwrap_or(0).min(10);
        let pause_ms = work.backoff_ms << doublings;
        tracing::warn!(resource = %held.resource(), job = held.job.kind, %error, pause_ms, "tried again later");
        return put_back(held, held.app.now_ms() + pause_ms, &error.to_string()).await;
    }
    finish::failed(held, &error).await
}

async fn put_back(held: &Held, run_at_ms: i64, error: &str) -> Result<(), Error> {
    let mut tx = held.app.db.begin().await?;
    db::jobs::put_back(&mut tx, &held.job, run_at_ms, error).await?;
    tx.commit().await?;
    held.app.announce(held.resource());
    Ok(())
}

/// Runs `step` in a task of its own, so that a panic ends the job and not its worker.
async fn guarded(
    step: impl Future<Output = Result<Outcome, Error>> + Send + 'static,
) -> Result<Outcome, Error> {
    // Unlike a task alone, the set ends its task when it is dropped.
    let mut task = tokio::task::JoinSet::new();
    task.spawn(step);
    match task.join_next().await {
        Some(Ok(result)) => result,
        Some(Err(panic)) => Err(Error::unusable("crashed", panic.to_string())),
        None => Err(Error::unusable("internal", "no task")),
    }
}

async fn step(held: &Held) -> Result<Outcome, Error> {
    match held.job.kind.as_str() {
        "intake" => intake::run(held).await,
        "probe" => probe::run(held).await,
        "copy" => transcode::copy(held).await,
        "encode" => transcode::encode(held).await,
        "audio" => transcode::audio(held).await,
        "derive" => derive::run(held).await,
        "inspect" => document::inspect(held).await,
        "pages" => document::pages(held).await,
        "picture" => picture::run(held).await,
        "sweep" => sweep::run(held).await,
        other => Err(Error::unusable("internal", format!("job {other:?}"))),
    }
}

/// Keeps the lease and writes the progress down; returns when the lease is lost.
async fn beat(held: &Held) {
    loop {
        tokio::time::sleep(BEAT).await;
        match beat_once(held).await {
            Err(Error::LeaseLost) => return,
            Err(error) => tracing::warn!(%error, "cannot keep the lease"),
            Ok(()) => {}
        }
    }
}

async fn beat_once(held: &Held) -> Result<(), Error> {
    let mut tx = held.begin().await?;
    let jobs = db::jobs::list(&mut tx, held.resource()).await?;
    let all: f64 = jobs.iter().map(|job| job.weight).sum();
    let done: f64 = jobs.iter().map(|job| job.weight * job.progress).sum();
    let progress = if all > 0.0 { (done / all).min(0.99) } else { 0.0 };
    db::resources::set_progress(&mut tx, held.resource(), &held.job.kind, progress).await?;
    tx.commit().await?;
    // Nobody may be watching.
    let _ = held.app.progress.send(held.resource());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_of_the_job() {
        let error = guarded(async { panic!("of a step") }).await.err().expect("an error");
        assert!(!error.is_transient());
        let (code, info) = error.reason();
        assert!(code == "crashed" && info.contains("of a step"), "{code}: {info}");
    }
}
