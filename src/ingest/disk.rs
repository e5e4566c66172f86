//! Work that writes waits while the disk is short.

use crate::app::App;
use crate::db::{self, jobs::Lane};
use crate::store;

use super::Error;

/// How long a job waits that met a full disk, and how long after it was last said the disk
/// counts as short.
pub const PAUSE_MS: i64 = 60_000;

/// Name of the setting: until when the disk counts as short, Unix milliseconds.
const SHORT_UNTIL: &str = "disk_short_until";

/// Whether the data folder or the store has less room than `work.keep_free_bytes`.
#[must_use]
pub fn is_short(app: &App) -> bool {
    let data = store::free_bytes(&app.config.storage.data);
    // One that cannot be asked is not known to be full: the job will say what is wrong.
    let free = [data, app.store.free_bytes()].into_iter().filter_map(Result::ok).min();
    free.is_some_and(|bytes| bytes < app.config.work.keep_free_bytes)
}

/// Lets everybody know, other processes too, that jobs wait for the disk.
///
/// # Errors
///
/// Those of the database.
pub async fn tell(app: &App) -> Result<(), Error> {
    let now_ms = app.now_ms();
    let until = short_until(&mut *app.db.read().await?).await?;
    if until > now_ms + PAUSE_MS / 2 {
        return Ok(());
    }
    let mut tx = app.db.begin().await?;
    db::settings::set(&mut tx, SHORT_UNTIL, &(now_ms + PAUSE_MS).to_string()).await?;
    tx.commit().await?;
    tracing::warn!("the disk is short: jobs that write wait");
    Ok(())
}

/// Whether jobs that write wait for the disk, by what workers said last.
///
/// # Errors
///
/// Those of the database.
pub async fn makes_wait(db: &mut sqlx::AnyConnection, now_ms: i64) -> Result<bool, db::Error> {
    Ok(short_until(db).await? > now_ms)
}

/// Whether a job of `lane` needs room on the disk.
#[must_use]
pub fn is_needed(lane: &str) -> bool {
    lane != Lane::Look.as_str()
}

async fn short_until(db: &mut sqlx::AnyConnection) -> Result<i64, db::Error> {
    let until = db::settings::find(db, SHORT_UNTIL).await?;
    Ok(until.and_then(|text| text.parse().ok()).unwrap_or_default())
}
