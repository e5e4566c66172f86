//! Keeps the records that other repositories are given equal to what is public, by following the
//! numbers of changes.
//!
//! A record's datestamp is when it was taken here, not when its resource was edited: so it moves
//! with whatever makes a difference to others, its library turning internal too, and nothing ever
//! gets a place in the order of datestamps before one that somebody has been given already.

use std::collections::HashMap;
use std::time::Duration;

use super::Error;
use crate::app::App;
use crate::catalogue::{Caller, Level, Library, LibraryId, OrganisationId, Resource};
use crate::db;

/// Changes that are taken in one transaction.
const BATCH: i64 = 200;

/// Datestamps lie so far ahead of the clock. Whoever is answered before the transaction with a
/// record ends, and asks later for what is newer than that answer, is given the record.
const AHEAD_MS: i64 = 2000;

/// Follows the changes until the program stops.
pub async fn follow(app: App) {
    let pause = Duration::from_millis(app.config.search.follow_ms.max(100));
    let mut batch = BATCH;
    loop {
        let wait = match step(&app, batch).await {
            Ok(Step::AllTaken) => pause,
            Ok(Step::Taken) => {
                batch = BATCH;
                Duration::ZERO
            }
            Ok(Step::TooSlow) => {
                batch = (batch / 2).max(1);
                Duration::ZERO
            }
            Err(error) => {
                tracing::error!(%error, "cannot follow changes into the records");
                Duration::from_secs(1)
            }
        };
        if app.stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            return;
        }
    }
}

/// What became of a step.
enum Step {
    /// The records had all changes.
    AllTaken,
    /// Some changes were taken.
    Taken,
    /// The datestamp had passed before the changes were taken; nothing was written.
    TooSlow,
}

async fn step(app: &App, batch: i64) -> Result<Step, Error> {
    let mut db = app.db.read().await?;
    if db::records::mark(&mut db).await? == db::settings::last_change(&mut db).await? {
        return Ok(Step::AllTaken);
    }
    drop(db);
    let mut tx = app.db.begin().await?;
    let mark = db::records::mark_locked(&mut tx).await?;
    // Read before the resources: all that have a number up to it are there.
    let numbered = db::settings::last_change(&mut tx).await?;
    let changed = db::resources::list_changed(&mut tx, mark, batch).await?;
    let Some(last) = changed.last().map(|resource| resource.changed) else {
        // Numbers that no resource has, or has any more.
        db::records::set_mark(&mut tx, numbered).await?;
        tx.commit().await?;
        return Ok(Step::AllTaken);
    };
    let libraries: HashMap<LibraryId, Library> = db::libraries::list(&mut tx)
        .await?
        .into_iter()
        .map(|library| (library.id, library))
        .collect();
    let levels: HashMap<OrganisationId, Level> =
        db::organisations::list(&mut tx).await?.into_iter().map(|o| (o.id, o.level)).collect();
    let newest = db::records::span(&mut tx).await?.map_or(0, |(_, newest)| newest);
    let stamp_ms = (app.now_ms() + AHEAD_MS).max(newest + 1);
    let ids: Vec<String> = changed.iter().map(|resource| resource.id.to_string()).collect();
    // Others have those from their home.
    let harvested = db::sources::origins(&mut tx, &ids).await?;
    for (resource, id) in changed.iter().zip(ids) {
        if harvested.iter().any(|origin| origin.resource == id) {
            continue;
        }
        match libraries.get(&resource.library).filter(|library| is_public(resource, library)) {
            Some(library) => {
                let level = library.owner.and_then(|owner| levels.get(&owner).copied());
                db::records::put(&mut tx, &id, stamp_ms, &sets_of(resource, library, level))
                    .await?;
            }
            None => db::records::withdraw(&mut tx, &id, stamp_ms).await?,
        }
    }
    db::records::set_mark(&mut tx, last).await?;
    crate::fault::at("records-taken");
    if app.now_ms() >= stamp_ms && batch > 1 {
        return Ok(Step::TooSlow);
    }
    tx.commit().await?;
    Ok(Step::Taken)
}

/// Whether everybody may see it.
fn is_public(resource: &Resource, library: &Library) -> bool {
    Caller(None).can_see(resource, library)
}

/// The sets of OAI-PMH that a resource is in; its library's owner is of `level`.
fn sets_of(resource: &Resource, library: &Library, level: Option<Level>) -> Vec<String> {
    let topics = resource.details.topics.iter().map(|topic| format!("topic.{topic}"));
    let level = level.map(|level| format!("level.{level}"));
    let mut sets: Vec<String> =
        std::iter::once(format!("library.{}", library.slug)).chain(level).chain(topics).collect();
    sets.sort();
    sets.dedup();
    sets
}
