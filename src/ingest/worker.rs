//! Takes jobs and runs their steps; says all the while that it is alive.

use std::time::{Duration, Instant};

use super::{
    Error, Held, Outcome, book, derive, disk, document, fetch, finish, intake, listen, office,
    picture, probe, progress, recognise, slides, sweep, transcode, twins,
};
use crate::app::App;
use crate::db;
use crate::db::jobs::{Claim, Job, Lane};
use crate::media::scratch;

/// How often the progress of a running job is written down.
const BEAT: Duration = Duration::from_millis(1000);

/// How often what was abandoned is looked for.
const SWEEP: Duration = Duration::from_mins(10);

/// What a worker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Jobs that are done soon, so that new uploads do not wait behind heavy ones.
    Light,
    /// Jobs that keep several cores busy.
    Heavy,
}

impl Work {
    /// The lanes to take from, of which two may be the same; `None` when all must wait for the disk.
    fn lanes(self, disk_is_short: bool) -> Option<[Lane; 2]> {
        match (self, disk_is_short) {
            (Self::Light, false) => Some([Lane::Look, Lane::Light]),
            (Self::Light, true) => Some([Lane::Look; 2]),
            (Self::Heavy, false) => Some([Lane::Heavy; 2]),
            (Self::Heavy, true) => None,
        }
    }
}

/// Runs as many workers as the settings say, until the program stops. A job
/// that is under way then is put back at once.
pub async fn run(app: App) {
    let light = std::iter::repeat_n(Work::Light, app.config.work.light_workers);
    let heavy = std::iter::repeat_n(Work::Heavy, app.config.heavy_workers());
    let mut workers = tokio::task::JoinSet::new();
    for what in light.chain(heavy) {
        workers.spawn(supervised(app.clone(), what));
    }
    let sweeping = tokio::spawn(sweep_abandoned(app.clone()));
    workers.join_all().await;
    if let Err(error) = sweeping.await {
        tracing::error!(%error, "the sweep broke");
    }
}

/// A worker, and another one if it breaks.
async fn supervised(app: App, what: Work) {
    while let Err(error) = tokio::spawn(work(app.clone(), what)).await {
        tracing::error!(%error, "a worker broke");
        tokio::time::sleep(Duration::from_millis(app.config.work.poll_ms)).await;
    }
}

/// When the scratch folder is looked at once more after the start: helpers of a media child that
/// was killed with its server end soon after it.
const SOON: Duration = Duration::from_secs(3);

/// Removes now and then what nothing needs any more, until the program stops.
pub async fn sweep_abandoned(app: App) {
    remove_scratch(&app);
    let mut more = old_to_compare(&app).await;
    app.stop.run_until_cancelled(tokio::time::sleep(SOON)).await;
    remove_scratch(&app);
    while app.stop.run_until_cancelled(tokio::time::sleep(SWEEP)).await.is_some() {
        if let Err(error) = sweep::abandoned(&app).await {
            tracing::warn!(%error, "cannot sweep");
        }
        // What comes from now on is compared when it is ready.
        more = more && old_to_compare(&app).await;
        remove_scratch(&app);
    }
}

/// Whether there may be more.
async fn old_to_compare(app: &App) -> bool {
    twins::push_missing(app).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot have old resources compared");
        true
    })
}

fn remove_scratch(app: &App) {
    match scratch::remove_abandoned(&app.config.storage.data.join("scratch")) {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "removed what killed workers left"),
        Err(error) => tracing::warn!(%error, "cannot sweep the scratch folder"),
    }
}

async fn work(app: App, what: Work) {
    let poll = Duration::from_millis(app.config.work.poll_ms);
    while !app.stop.is_cancelled() {
        let pushed = app.job_pushed.notified();
        match take(&app, what).await {
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

/// Runs the next job of `what` to its end, if there is one and the disk has room for it.
///
/// # Errors
///
/// Those of the database.
pub async fn take(app: &App, what: Work) -> Result<bool, Error> {
    let job = claim(app, what).await?;
    crate::fault::at("claimed");
    let Some(job) = job else { return Ok(false) };
    let held = Held::new(app, job);
    let begun = Instant::now();
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
                give_back(&held, app.now_ms()).await?;
                return Ok(false);
            }
        }
    };
    let ended = end(&held, result).await;
    let word = match &ended {
        Ok(word) => *word,
        // Cancelled, or taken for dead.
        Err(Error::LeaseLost) => "lost",
        Err(_) => "unsaved",
    };
    let kind = held.job.kind.clone();
    metrics::histogram!("duoku_job_seconds", "kind" => kind.clone())
        .record(begun.elapsed().as_secs_f64());
    metrics::counter!("duoku_jobs_ended_total", "kind" => kind, "how" => word).increment(1);
    match ended {
        Err(Error::LeaseLost) => {
            tracing::warn!(resource = %held.resource(), job = held.job.kind, "lease lost");
            Ok(true)
        }
        ended => ended.map(|_| true),
    }
}

async fn claim(app: &App, what: Work) -> Result<Option<Job>, Error> {
    let short = disk::is_short(app);
    if short {
        disk::tell(app).await?;
    }
    let Some(lanes) = what.lanes(short) else { return Ok(None) };
    let (now_ms, work) = (app.now_ms(), &app.config.work);
    let (lease_ms, max_library_jobs) = (work.lease_ms, work.max_library_jobs);
    let claim = Claim { now_ms, lease_ms, lanes, max_library_jobs };
    let mut tx = app.db.begin().await?;
    let job = db::jobs::claim(&mut tx, &claim).await?;
    tx.commit().await?;
    Ok(job)
}

/// Says how the job ended, in one word.
async fn end(held: &Held, result: Result<Outcome, Error>) -> Result<&'static str, Error> {
    let error = match result {
        Ok(outcome) => {
            crate::fault::at("step-done");
            return finish::job(held, outcome).await.map(|()| "done");
        }
        Err(Error::LeaseLost) => return Err(Error::LeaseLost),
        Err(error) => error,
    };
    let work = &held.app.config.work;
    if error.is_full() {
        tracing::warn!(resource = %held.resource(), job = held.job.kind, %error, "waits for the disk");
        disk::tell(&held.app).await?;
        give_back(held, held.app.now_ms() + disk::PAUSE_MS).await?;
        return Ok("waits");
    }
    if error.is_transient() && held.job.attempts < work.max_attempts {
        let doublings = u32::try_from(held.job.attempts - 1).unwrap_or(0).min(10);
        let pause_ms = work.backoff_ms << doublings;
        tracing::warn!(resource = %held.resource(), job = held.job.kind, %error, pause_ms, "tried again later");
        put_back(held, held.app.now_ms() + pause_ms, &error.to_string()).await?;
        return Ok("again");
    }
    finish::failed(held, &error).await.map(|()| "failed")
}

async fn put_back(held: &Held, run_at_ms: i64, error: &str) -> Result<(), Error> {
    let mut tx = held.app.db.begin().await?;
    db::jobs::put_back(&mut tx, &held.job, run_at_ms, error).await?;
    tx.commit().await?;
    held.app.announce(held.resource());
    Ok(())
}

async fn give_back(held: &Held, run_at_ms: i64) -> Result<(), Error> {
    let mut tx = held.app.db.begin().await?;
    db::jobs::give_back(&mut tx, &held.job, run_at_ms).await?;
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
        "fetch" => fetch::run(held).await,
        "intake" => intake::run(held).await,
        "probe" => probe::run(held).await,
        "copy" => transcode::copy(held).await,
        "encode" | db::jobs::EXTRA => transcode::encode(held).await,
        "audio" => transcode::audio(held).await,
        "derive" => derive::run(held).await,
        db::jobs::LISTEN => listen::run(held).await,
        "convert" => office::run(held).await,
        "book" => book::run(held).await,
        "inspect" => document::inspect(held).await,
        "pages" | db::jobs::LATER_PAGES => document::pages(held).await,
        "picture" => picture::run(held).await,
        db::jobs::SLIDES => slides::run(held).await,
        db::jobs::RECOGNISE => recognise::run(held).await,
        db::jobs::TWINS => twins::run(held).await,
        "sweep" => sweep::run(held).await,
        "tidy" => finish::tidy(held).await,
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
    let progress = progress::fraction(&jobs);
    db::resources::set_progress(&mut tx, held.resource(), &held.job.kind, progress).await?;
    tx.commit().await?;
    // Nobody may be watching.
    let _ = held.app.progress.send(held.resource());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{
        Account, Library, LibraryId, NetRole, ResourceId, Stage, test_resource,
    };
    use crate::config::Config;
    use crate::db::jobs::NewJob;

    #[tokio::test]
    async fn a_panic_is_an_error_of_the_job() {
        let error = guarded(async { panic!("of a step") }).await.err().expect("an error");
        assert!(!error.is_transient());
        let (code, info) = error.reason();
        assert!(code == "crashed" && info.contains("of a step"), "{code}: {info}");
    }

    #[tokio::test]
    async fn a_job_that_met_a_full_disk_waits_and_is_not_blamed() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().to_str().expect("UTF-8").to_owned();
        let set = [("DUOKU_DATA", data), ("DUOKU_WORK_KEEP_FREE_BYTES", "0".into())];
        let set = set.into_iter().map(|(name, value)| (name.to_owned(), value));
        let app = App::open(Config::load(None, set).expect("settings")).await.expect("it opens");
        let id = pushed(&app).await;
        let held = Held::new(&app, claim(&app, Work::Light).await.expect("asked").expect("a job"));
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let error = Error::Io { doing: "storing", source: full };
        assert_eq!(end(&held, Err(error)).await.expect("put back"), "waits");
        let mut db = app.db.read().await.expect("read");
        let job = db::jobs::list(&mut db, id).await.expect("read").remove(0);
        assert_eq!((job.state.as_str(), job.attempts), ("queued", 0));
        assert!(job.run_at_ms > app.now_ms() + disk::PAUSE_MS / 2);
        assert!(disk::makes_wait(&mut db, app.now_ms()).await.expect("read"));
    }

    /// A resource with one job.
    async fn pushed(app: &App) -> ResourceId {
        let account = Account::new("lin", "", NetRole::Learner);
        let mut resource = test_resource(Stage::Processing);
        resource.uploaded_by = account.id;
        let library = test_library(resource.library);
        let job = NewJob { kind: "picture", payload: "{}".into(), priority: 0, weight: 1.0 };
        let mut tx = app.db.begin().await.expect("a transaction");
        db::accounts::insert(&mut tx, &account, None, 0).await.expect("inserted");
        db::libraries::insert(&mut tx, &library).await.expect("inserted");
        db::resources::insert(&mut tx, &mut resource).await.expect("inserted");
        db::jobs::push(&mut tx, resource.id, &job, 0).await.expect("pushed");
        tx.commit().await.expect("committed");
        resource.id
    }

    fn test_library(id: LibraryId) -> Library {
        Library { id, ..Library::new("inner".parse().expect("a slug"), "", 0) }
    }
}
