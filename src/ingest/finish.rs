//! Ends a job, and with the last one the processing.

use std::collections::HashSet;

use serde_json::json;

use super::{Error, Held, Outcome, blocking, progress};
use crate::catalogue::{Resource, Stage};
use crate::db::{self, Tx};
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
    if held.job.kind == db::jobs::EXTRA {
        db::media::complete_renditions(&mut tx, resource.id).await?;
        return end_extra(tx, held).await;
    }
    if resource.stage != Stage::Processing {
        // Deleted while the job ran: the sweep takes what it made.
        tx.commit().await?;
        return Ok(());
    }
    if let Some(change) = outcome.change {
        change(&mut resource);
    }
    db::jobs::push_all(&mut tx, resource.id, &outcome.next, app.now_ms()).await?;
    db::media::complete_renditions(&mut tx, resource.id).await?;
    let counted = outcome.next.iter().filter(|next| next.kind != db::jobs::EXTRA).count();
    resource.jobs_left += counted as i64 - 1;
    let jobs = db::jobs::list(&mut tx, resource.id).await?;
    resource.progress = resource.progress.max(progress::fraction(&jobs));
    let last = resource.jobs_left == 0;
    if last {
        db::media::retire_previews(&mut tx, resource.id, app.now_ms()).await?;
        resource = ready(&mut tx, held, resource).await?;
    }
    db::resources::save(&mut tx, &mut resource, app.now_ms()).await?;
    let quiet = !db::jobs::any_left(&mut tx, resource.id).await?;
    crate::fault::at(if last { "ready" } else { "job-finished" });
    tx.commit().await?;
    crate::fault::at(if last { "ready-done" } else { "job-finished-done" });
    app.announce(resource.id);
    app.job_pushed.notify_waiters();
    if last {
        tracing::info!(resource = %resource.id, stage = %resource.stage, "processed");
    }
    // Not while another job stores what no row names yet.
    if quiet { remove_leftovers(held).await } else { Ok(()) }
}

/// Ends a job that only adds to what there is, well or not.
async fn end_extra(mut tx: Tx, held: &Held) -> Result<(), Error> {
    let quiet = !db::jobs::any_left(&mut tx, held.resource()).await?;
    tx.commit().await?;
    held.app.announce(held.resource());
    if quiet { remove_leftovers(held).await } else { Ok(()) }
}

async fn ready(tx: &mut Tx, held: &Held, resource: Resource) -> Result<Resource, Error> {
    let library = db::libraries::get(tx, resource.library).await?;
    let now_ms = held.app.now_ms();
    let id = resource.id.to_string();
    let Ok(resource) = resource.finish(library.publishing, now_ms) else {
        return Err(Error::unusable("internal", "finished twice"));
    };
    let detail = json!({ "stage": resource.stage.as_str() });
    db::audit::record(tx, now_ms, None, "process", &id, &detail).await?;
    Ok(resource)
}

/// Ends the processing because the source cannot be used.
///
/// # Errors
///
/// [`Error::LeaseLost`], and those of the database.
pub async fn failed(held: &Held, why: &Error) -> Result<(), Error> {
    let (code, info) = why.reason();
    tracing::warn!(resource = %held.resource(), job = held.job.kind, code, info, "failed");
    let app = &held.app;
    let mut tx = held.begin().await?;
    let resource = db::resources::get_locked(&mut tx, held.resource()).await?;
    if held.job.kind == db::jobs::EXTRA {
        db::jobs::fail(&mut tx, &held.job, &why.to_string()).await?;
        return end_extra(tx, held).await;
    }
    db::jobs::fail_all(&mut tx, resource.id, &why.to_string()).await?;
    if resource.stage == Stage::Processing {
        let info = Some(info.chars().take(500).collect()).filter(|info: &String| !info.is_empty());
        let mut resource = resource.fail(&code, info);
        let detail = json!({ "code": code });
        let id = resource.id.to_string();
        db::audit::record(&mut tx, app.now_ms(), None, "fail", &id, &detail).await?;
        db::resources::save(&mut tx, &mut resource, app.now_ms()).await?;
    }
    tx.commit().await?;
    app.announce(held.resource());
    remove_leftovers(held).await
}

/// Removes what a cancelled processing left; a retry takes this job away.
///
/// # Errors
///
/// [`Error::LeaseLost`], and those of database and store.
pub async fn tidy(held: &Held) -> Result<Outcome, Error> {
    let stored = stored(held).await?;
    remove_unnamed(held, held.begin().await?, stored).await?;
    Ok(Outcome::default())
}

/// Removes objects of the resource that no row names: made by attempts that
/// were killed before they could say so.
async fn remove_leftovers(held: &Held) -> Result<(), Error> {
    let stored = stored(held).await?;
    // Captions are stored and named while the resource is locked: none are half-way now.
    let mut tx = held.app.db.begin().await?;
    db::resources::get_locked(&mut tx, held.resource()).await?;
    remove_unnamed(held, tx, stored).await
}

async fn stored(held: &Held) -> Result<Vec<String>, Error> {
    let (store, id) = (held.app.store.clone(), held.resource());
    blocking(move || Ok(store.list(&Key::prefix(id))?.into_iter().map(|(key, _)| key).collect()))
        .await
}

/// Removes those of `stored` that no row names; `tx` has the resource locked.
async fn remove_unnamed(held: &Held, mut tx: Tx, stored: Vec<String>) -> Result<(), Error> {
    let (app, id) = (&held.app, held.resource());
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
