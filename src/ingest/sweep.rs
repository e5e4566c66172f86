//! Removes what nothing names any more.

use std::collections::HashSet;
use std::time::Duration;

use super::{
    Error, Held, Outcome, blocking, delete_below, delete_object, demand, finish, stage, upload,
};
use crate::app::App;
use crate::catalogue::UploadId;
use crate::db::jobs::NewJob;
use crate::db::{self, Tx};
use crate::store::{self, Key};

/// What writes that were killed left aside is removed when it is this old.
const ABANDONED: Duration = Duration::from_hours(24);

/// What is younger may belong to work that has not said so yet.
pub const YOUNG: Duration = Duration::from_hours(1);

/// How long the parts of a rendition that no manifest names stay for players that have begun.
const RETIRED_KEPT_MS: i64 = 24 * 3_600_000;

/// Payload of the second sweep of a resource.
const AGAIN: &str = "\"again\"";

/// Removes the objects of a deleted resource, its upload, and its source when no other
/// uses it; and once more when no worker can still be at work on it.
///
/// # Errors
///
/// Those of database and store.
pub async fn run(held: &Held) -> Result<Outcome, Error> {
    let (app, id) = (&held.app, held.resource());
    delete_below(app, Key::prefix(id)).await?;
    let sent = db::uploads::find_by_resource(&mut *app.db.read().await?, id).await?;
    crate::fault::at("sweep-objects-done");
    if let Some(sent) = sent {
        upload::remove(app, &sent).await?;
    }
    let mut tx = held.begin().await?;
    lock_sources(&mut tx).await?;
    for source in db::objects::unused_sources(&mut tx).await? {
        db::objects::delete(&mut tx, &source.key).await?;
        let store = app.store.clone();
        blocking(move || Ok(store.delete(&source.key)?)).await?;
        crate::fault::at("sweep-source-done");
    }
    db::twins::forget(&mut tx, id).await?;
    if held.job.payload != AGAIN {
        let again = NewJob { kind: "sweep", payload: AGAIN.into(), priority: 50, weight: 1.0 };
        let then_ms = app.now_ms() + app.config.work.lease_ms;
        db::jobs::push(&mut tx, id, &again, then_ms).await?;
    }
    tx.commit().await?;
    crate::fault::at("sweep-done");
    Ok(Outcome::default())
}

/// Gives up uploads of which nothing came for too long, and removes what was left
/// behind by work that was killed. Objects without a row stay for `duoku check --repair`:
/// after the restore of an older database they may be all that there is.
///
/// # Errors
///
/// Those of database, store and disk.
pub async fn abandoned(app: &App) -> Result<(), Error> {
    let expired = db::uploads::list_expired(&mut *app.db.read().await?, app.now_ms()).await?;
    for upload in expired {
        tracing::info!(upload = %upload.id, "expired");
        upload::end(app, upload).await?;
    }
    for left in db::uploads::list_left(&mut *app.db.read().await?).await? {
        upload::remove(app, &left).await?;
    }
    let store = app.store.clone();
    let mut removed = blocking(move || Ok(store.remove_abandoned(ABANDONED)?)).await?;
    removed += uploads(app).await?;
    outlived(app).await?;
    demand::drop_unwatched(app).await?;
    removed += retired(app).await?;
    if removed > 0 {
        tracing::info!(removed, "removed files that nothing needs");
    }
    Ok(())
}

/// Deletes what was withdrawn or failed for longer than its library keeps such things.
async fn outlived(app: &App) -> Result<(), Error> {
    loop {
        let ids =
            db::libraries::list_outlived(&mut *app.db.read().await?, app.now_ms(), 100).await?;
        if ids.is_empty() {
            return Ok(());
        }
        for id in ids {
            if stage::apply(app, id, None, stage::Action::Outlive).await?.is_err() {
                // Somebody published it, or appealed, meanwhile: the next sweep looks again.
                return Ok(());
            }
            tracing::info!(resource = %id, "deleted: its library does not keep it any longer");
        }
    }
}

/// Removes what no manifest has named for long enough.
async fn retired(app: &App) -> Result<usize, Error> {
    let before_ms = app.now_ms() - RETIRED_KEPT_MS;
    let mut removed = 0;
    loop {
        let mut tx = app.db.begin().await?;
        let Some((resource, keys)) = db::renditions::forget_retired(&mut tx, before_ms).await?
        else {
            return Ok(removed);
        };
        for key in &keys {
            db::objects::delete(&mut tx, key).await?;
        }
        tx.commit().await?;
        removed += keys.len();
        app.announce(resource);
        finish::remove_leftovers(app, resource).await?;
    }
}

/// Removes the object at `key` if no row names it; false when one does.
///
/// # Errors
///
/// Those of database and store.
pub async fn remove_unnamed(app: &App, key: &str) -> Result<bool, Error> {
    let mut tx = app.db.begin().await?;
    lock_sources(&mut tx).await?;
    if db::objects::find(&mut tx, key).await?.is_some() {
        return Ok(false);
    }
    delete_object(app, key).await?;
    Ok(true)
}

/// Removes files of uploads that have ended, became a source, or have no row (as an import's).
async fn uploads(app: &App) -> Result<usize, Error> {
    // The files first: whatever is among them had its row before.
    let files = upload::files(app).await?;
    let needed = db::uploads::list_needed(&mut *app.db.read().await?).await?;
    let needed: HashSet<UploadId> = needed.into_iter().map(|upload| upload.id).collect();
    let mut removed = 0;
    for id in files.into_iter().filter(|id| !needed.contains(id)) {
        let path = upload::path(app, id);
        if !store::is_young(&path, YOUNG) {
            upload::remove_file(&path).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// The counter's row makes writers wait for each other on PostgreSQL too: an intake of
/// the same source either named it before, or stores it again after.
async fn lock_sources(tx: &mut Tx) -> Result<(), Error> {
    db::settings::next_change(tx).await?;
    Ok(())
}
