//! Removes what nothing names any more.

use super::{Error, Held, Outcome, blocking, upload};
use crate::app::App;
use crate::db;
use crate::store::Key;

/// Removes the objects of a deleted resource, and its source when no other uses it.
///
/// # Errors
///
/// Those of database and store.
pub async fn run(held: &Held) -> Result<Outcome, Error> {
    let (store, id) = (held.app.store.clone(), held.resource());
    blocking(move || {
        for (key, _) in store.list(&Key::prefix(id))? {
            store.delete(&key)?;
        }
        Ok(())
    })
    .await?;
    let mut tx = held.begin().await?;
    // The counter's row makes writers wait for each other on PostgreSQL too: an
    // intake of the same source either named it before, or stores it again after.
    db::settings::next_change(&mut tx).await?;
    for source in db::objects::unused_sources(&mut tx).await? {
        db::objects::delete(&mut tx, &source.key).await?;
        let store = held.app.store.clone();
        blocking(move || Ok(store.delete(&source.key)?)).await?;
    }
    tx.commit().await?;
    Ok(Outcome::default())
}

/// Gives up uploads of which nothing came for too long, and removes files of
/// uploads that are no longer needed.
///
/// # Errors
///
/// Those of the database.
pub async fn uploads(app: &App) -> Result<(), Error> {
    let expired = db::uploads::list_expired(&mut *app.db.read().await?, app.now_ms()).await?;
    for upload in expired {
        tracing::info!(upload = %upload.id, "expired");
        upload::end(app, upload).await?;
    }
    Ok(())
}
