//! Ends a job, and with the last one the processing.

use std::collections::HashSet;

use serde_json::json;

use super::{Error, Held, Outcome, blocking, listen, progress, twins};
use crate::app::App;
use crate::catalogue::{PAGES_UNSHOWN, Publishing, Resource, ResourceId, Review, Stage};
use crate::db::{self, Tx};
use crate::review::{self, walk};
use crate::store::Key;

/// Ends the job: what it says of the resource, the jobs that it leads to, and,
/// when none is left, the resource's readiness, all in one transaction.
///
/// # Errors
///
/// [`Error::LeaseLost`], and those of the database.
pub async fn job(held: &Held, outcome: Outcome) -> Result<(), Error> {
    let app = &held.app;
    let mut tx = held.begin().await?;
    let mut resource = db::resources::get_locked(&mut tx, held.resource()).await?;
    db::jobs::finish(&mut tx, &held.job, app.now_ms()).await?;
    if db::jobs::only_adds(&held.job.kind) {
        db::jobs::push_all(&mut tx, resource.id, &outcome.next, app.now_ms()).await?;
        db::media::complete_renditions(&mut tx, resource.id, app.now_ms()).await?;
        let again = twins::begin_again(app, &mut tx, &resource, &held.job.kind).await?;
        let pushed = again || !outcome.next.is_empty();
        end_extra(tx, held).await?;
        if pushed {
            app.job_pushed.notify_waiters();
        }
        return Ok(());
    }
    if resource.stage != Stage::Processing {
        return made_later(held, tx).await;
    }
    if let Some(change) = outcome.change {
        change(&mut resource);
    }
    db::jobs::push_all(&mut tx, resource.id, &outcome.next, app.now_ms()).await?;
    db::media::complete_renditions(&mut tx, resource.id, app.now_ms()).await?;
    let counted = outcome.next.iter().filter(|next| !db::jobs::only_adds(next.kind)).count();
    resource.jobs_left += counted as i64 - 1;
    let jobs = db::jobs::list(&mut tx, resource.id).await?;
    resource.progress = resource.progress.max(progress::fraction(&jobs));
    let last = resource.jobs_left == 0;
    let mut handed_in = None;
    if last {
        db::media::retire_previews(&mut tx, resource.id, app.now_ms()).await?;
        let (ready, review) = ready(&mut tx, held, resource).await?;
        resource = ready;
        handed_in = review;
        listen::begin_if_wanted(app, &mut tx, &resource).await?;
        twins::begin_if_wanted(app, &mut tx, &resource).await?;
    }
    db::resources::save(&mut tx, &mut resource, app.now_ms()).await?;
    let quiet = !db::jobs::any_left(&mut tx, resource.id).await?;
    if last {
        let detail = json!({ "stage": resource.stage.as_str() });
        let id = resource.id.to_string();
        db::audit::record(&mut tx, app.now_ms(), None, "process", &id, &detail).await?;
        if let Some(review) = handed_in {
            walk::record_hand_in(&mut tx, &review, None, app.now_ms()).await?;
        }
    }
    crate::fault::at(if last { "ready" } else { "job-finished" });
    tx.commit().await?;
    crate::fault::at(if last { "ready-done" } else { "job-finished-done" });
    app.announce(resource.id);
    app.job_pushed.notify_waiters();
    if last {
        tracing::info!(resource = %resource.id, stage = %resource.stage, "processed");
    }
    // Not while another job stores what no row names yet.
    if quiet { remove_leftovers(app, held.resource()).await } else { Ok(()) }
}

/// Ends a job that made more of what is ready (see [`super::demand`]); or of what was deleted while
/// it ran: then there are no renditions, and the sweep takes what it made.
async fn made_later(held: &Held, mut tx: Tx) -> Result<(), Error> {
    let (app, id) = (&held.app, held.resource());
    db::media::complete_renditions(&mut tx, id, app.now_ms()).await?;
    end_extra(tx, held).await
}

/// Ends a job that only adds to what there is, well or not. With the last one goes what of other
/// codecs did not become whole.
async fn end_extra(mut tx: Tx, held: &Held) -> Result<(), Error> {
    let (app, id) = (&held.app, held.resource());
    let quiet = !db::jobs::any_left(&mut tx, id).await?;
    if quiet {
        for key in db::renditions::forget_unmade(&mut tx, id).await? {
            db::objects::delete(&mut tx, &key).await?;
        }
    }
    tx.commit().await?;
    app.announce(id);
    if quiet { remove_leftovers(app, id).await } else { Ok(()) }
}

/// Ends the processing; where what is ready is published by itself and there is a chain, it is
/// handed in instead.
async fn ready(
    tx: &mut Tx,
    held: &Held,
    resource: Resource,
) -> Result<(Resource, Option<Review>), Error> {
    let library = db::libraries::get(tx, resource.library).await?;
    let chain = db::reviews::chain(tx, library.id).await?;
    let now_ms = held.app.now_ms();
    let twice = |_| Error::unusable("internal", "finished twice");
    if library.publishing == Publishing::Manual || chain.is_empty() {
        return Ok((resource.finish(library.publishing, now_ms).map_err(twice)?, None));
    }
    let by = resource.uploaded_by;
    let resource = resource.finish(Publishing::Manual, now_ms).map_err(twice)?;
    match walk::hand_in(tx, resource, &chain, by, now_ms).await {
        Ok((resource, review)) => Ok((resource, Some(review))),
        Err(review::Error::Db(error)) => Err(error.into()),
        Err(error) => Err(Error::unusable("internal", error.to_string())),
    }
}

/// Ends the processing because the source cannot be used. What is ready stays ready, without what
/// was to be made later.
///
/// # Errors
///
/// [`Error::LeaseLost`], and those of the database.
pub async fn failed(held: &Held, why: &Error) -> Result<(), Error> {
    let (code, info) = why.reason();
    tracing::warn!(resource = %held.resource(), job = held.job.kind, code, info, "failed");
    let app = &held.app;
    let mut tx = held.begin().await?;
    let mut resource = db::resources::get_locked(&mut tx, held.resource()).await?;
    if db::jobs::only_adds(&held.job.kind) {
        db::jobs::fail(&mut tx, &held.job, &why.to_string()).await?;
        if held.job.kind == db::jobs::LATER_PAGES && resource.warn(PAGES_UNSHOWN) {
            db::resources::save(&mut tx, &mut resource, app.now_ms()).await?;
        }
        return end_extra(tx, held).await;
    }
    db::jobs::fail_all(&mut tx, resource.id, &why.to_string()).await?;
    if resource.stage == Stage::Processing {
        let info = Some(info.chars().take(500).collect()).filter(|info: &String| !info.is_empty());
        let mut resource = resource.fail(&code, info);
        db::resources::save(&mut tx, &mut resource, app.now_ms()).await?;
        let detail = json!({ "code": code });
        let id = resource.id.to_string();
        db::audit::record(&mut tx, app.now_ms(), None, "fail", &id, &detail).await?;
    } else {
        let (count, keys) = db::renditions::give_up(&mut tx, resource.id).await?;
        for key in &keys {
            db::objects::delete(&mut tx, key).await?;
        }
        metrics::counter!("duoku_renditions_failed").increment(count as u64);
        return end_extra(tx, held).await;
    }
    tx.commit().await?;
    app.announce(held.resource());
    remove_leftovers(app, held.resource()).await
}

/// Removes what a cancelled processing left; a retry takes this job away.
///
/// # Errors
///
/// [`Error::LeaseLost`], and those of database and store.
pub async fn tidy(held: &Held) -> Result<Outcome, Error> {
    let (app, id) = (&held.app, held.resource());
    let stored = stored(app, id).await?;
    remove_unnamed(app, id, held.begin().await?, stored).await?;
    Ok(Outcome::default())
}

/// Removes objects of the resource that no row names: made by attempts that were killed before
/// they could say so, or of what was dropped. While jobs are open it leaves that to the last.
///
/// # Errors
///
/// Those of database and store.
pub(super) async fn remove_leftovers(app: &App, id: ResourceId) -> Result<(), Error> {
    let stored = stored(app, id).await?;
    // Captions are stored and named while the resource is locked: none are half-way now. Nor is
    // what jobs make, and none can be pushed.
    let mut tx = app.db.begin().await?;
    db::resources::get_locked(&mut tx, id).await?;
    if db::jobs::any_left(&mut tx, id).await? {
        return Ok(());
    }
    remove_unnamed(app, id, tx, stored).await
}

async fn stored(app: &App, id: ResourceId) -> Result<Vec<String>, Error> {
    let store = app.store.clone();
    blocking(move || Ok(store.list(&Key::prefix(id))?.into_iter().map(|(key, _)| key).collect()))
        .await
}

/// Removes those of `stored` that no row names; `tx` has the resource locked.
async fn remove_unnamed(
    app: &App,
    id: ResourceId,
    mut tx: Tx,
    stored: Vec<String>,
) -> Result<(), Error> {
    let named: HashSet<String> = db::objects::keys_of(&mut tx, id).await?.into_iter().collect();
    let store = app.store.clone();
    blocking(move || {
        for key in stored.iter().filter(|key| !named.contains(*key)) {
            store.delete(key)?;
        }
        Ok(())
    })
    .await?;
    Ok(tx.commit().await?)
}
