//! Makes what a batch says, row by row.
//!
//! Each resource is changed in a transaction of its own, with its row of the log and its number for
//! the index. What became of some rows is written down after them: a process that is killed between
//! leaves rows that are looked at again, and find what they want to be so already.

use std::time::Duration;

use serde_json::json;

use super::{Error, columns};
use crate::app::App;
use crate::catalogue::{
    Act, Batch, BatchRow, Caller, Outcome, Problem, Resource, ResourceId, ReviewState, RuleError,
    Stage,
};
use crate::db;
use crate::ingest::stage::{self, Action, Edit};
use crate::review::{walk, withdraw};

/// Rows between two notes of what became of them.
const SOME: i64 = 50;

/// How long a batch is held by the process that makes it, from one note to the next.
const LEASE_MS: i64 = 20_000;

/// How often batches are looked for that were left in the middle.
const LOOK: Duration = Duration::from_secs(5);

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// Makes the batch `id`, if no process makes it. Ends early when the program is to stop; another
/// process goes on then.
///
/// # Errors
///
/// Those of the database; rows that were made stay made.
pub async fn run(app: &App, id: &str) -> Result<(), Error> {
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    let Some(before) = db::batches::find(&mut tx, id).await? else { return Err(Error::Missing) };
    if !db::batches::claim(&mut tx, id, now_ms, now_ms + LEASE_MS).await? {
        return Ok(());
    }
    if before.state == crate::catalogue::BatchState::Seen {
        let detail =
            json!({ "act": before.act.as_str(), "rows": before.total, "table": before.name });
        let account = Some(before.account);
        db::audit::record(&mut tx, now_ms, account, "apply-batch", id, &detail).await?;
    }
    tx.commit().await?;
    while !app.stop.is_cancelled() {
        if some(app, &before).await? {
            return Ok(());
        }
    }
    let mut tx = app.db.begin().await?;
    db::batches::hold(&mut tx, id, 0).await?;
    Ok(tx.commit().await?)
}

/// Makes some rows; true when none are left.
async fn some(app: &App, batch: &Batch) -> Result<bool, Error> {
    let mut db = app.db.read().await?;
    let rows = db::batches::rows(&mut db, &batch.id, Some(Outcome::Planned), 0, SOME).await?;
    // Rights are those that the account has now.
    let account = db::accounts::find(&mut db, batch.account, app.now_ms()).await?;
    drop(db);
    let caller = Caller(account);
    let last = rows.is_empty();
    let mut ended = Vec::with_capacity(rows.len());
    for row in rows {
        let made = match Box::pin(one(app, &caller, batch, &row)).await {
            Ok(outcome) => (outcome, Vec::new()),
            Err(Error::Rule(rule)) => (Outcome::Failed, vec![Problem::of_rule("", &rule)]),
            Err(Error::Missing) => (Outcome::Failed, vec![Problem::new("", "", "row_missing")]),
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => {
                tracing::error!(%error, resource = row.resource, "a row of a batch failed");
                (Outcome::Failed, vec![Problem::new("", "", "broken")])
            }
        };
        crate::fault::at("batch-row");
        ended.push(BatchRow { outcome: made.0, problems: made.1, ..row });
        if app.stop.is_cancelled() {
            break;
        }
    }
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    for row in &ended {
        db::batches::end_row(&mut tx, &batch.id, row).await?;
    }
    match last {
        true => db::batches::end(&mut tx, &batch.id, now_ms).await?,
        false => db::batches::hold(&mut tx, &batch.id, now_ms + LEASE_MS).await?,
    }
    tx.commit().await?;
    Ok(last)
}

/// Makes one row.
async fn one(app: &App, caller: &Caller, batch: &Batch, row: &BatchRow) -> Result<Outcome, Error> {
    let id: ResourceId = row.resource.parse().map_err(|_| Error::Missing)?;
    let found = db::resources::find(&mut *app.db.read().await?, id).await?;
    let resource = found.filter(|found| caller.can_edit(found)).ok_or(Error::Missing)?;
    match (batch.act, resource.stage) {
        (Act::Edit, _) => edit(app, caller, resource, row).await,
        // As it was left by a process that was killed.
        (Act::Publish, Stage::Published) | (Act::Withdraw, Stage::Withdrawn) => Ok(Outcome::Done),
        (Act::Publish, Stage::Submitted) if row.hands_in => Ok(Outcome::HandedIn),
        _ if resource.changed != row.since => Err(RuleError::Conflict("row_changed").into()),
        (Act::Publish, _) => match walk::publish(app, caller, id).await?.stage {
            Stage::Published => Ok(Outcome::Done),
            _ => Ok(Outcome::HandedIn),
        },
        (Act::Withdraw, _) => {
            withdraw::withdraw(app, caller, id, &batch.reason).await?;
            Ok(Outcome::Done)
        }
    }
}

/// Says anew what `row` says about `resource`.
async fn edit(
    app: &App,
    caller: &Caller,
    resource: Resource,
    row: &BatchRow,
) -> Result<Outcome, Error> {
    let account = caller.account()?.id;
    let mut edit = Edit::default();
    for change in &row.changes {
        let column = columns::by_code(&change.column).ok_or(Error::Missing)?;
        column.set(&mut edit, &resource.details, change.after.clone());
    }
    let id = resource.id;
    let wanted = edit.clone().of(resource.clone())?.details;
    if resource.details == wanted {
        return Ok(Outcome::Done);
    }
    if row.hands_in {
        let last = db::reviews::last(&mut *app.db.read().await?, id).await?;
        let ours = last.filter(|last| last.state == ReviewState::Open && last.by == account);
        if ours.is_some_and(|last| last.snapshot.details == wanted) {
            return Ok(Outcome::HandedIn);
        }
    }
    let reviewed = !caller.is_librarian_of(resource.library);
    let action = Action::Edit { edit: Box::new(edit), reviewed };
    let after = stage::apply_since(app, id, Some(account), action, Some(row.since)).await??;
    Ok(if after.details == wanted { Outcome::Done } else { Outcome::HandedIn })
}

/// Goes on with batches that were left in the middle, and forgets old ones, until the program
/// stops.
pub async fn follow(app: App) {
    loop {
        if let Err(error) = look(&app).await {
            tracing::warn!(%error, "batches of changes wait");
        }
        if app.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
            return;
        }
    }
}

async fn look(app: &App) -> Result<(), Error> {
    let now_ms = app.now_ms();
    let left = db::batches::list_left(&mut *app.db.read().await?, now_ms).await?;
    for id in left {
        run(app, &id).await?;
    }
    let mut tx = app.db.begin().await?;
    db::batches::forget(&mut tx, now_ms - app.config.tables.keep_hours * HOUR_MS).await?;
    Ok(tx.commit().await?)
}
