//! Changes of many resources at once, and what became of each.

use sqlx::{AnyConnection, FromRow};

use super::{Error, Result, parse, parse_json, to_json};
use crate::catalogue::{AccountId, Batch, BatchRow, Outcome};

#[derive(FromRow)]
struct Row {
    id: String,
    account: String,
    act: String,
    name: String,
    reason: String,
    state: String,
    total: i64,
    unchanged: i64,
    notes: String,
    created_ms: i64,
    ended_ms: Option<i64>,
}

const COLUMNS: &str =
    "id, account, act, name, reason, state, total, unchanged, notes, created_ms, ended_ms";

#[derive(FromRow)]
struct RowOf {
    number: i64,
    resource: String,
    title: String,
    since: i64,
    changes: String,
    hands_in: i64,
    outcome: String,
    problems: String,
}

/// Adds a batch and its rows.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(db: &mut AnyConnection, batch: &Batch, rows: &[BatchRow]) -> Result<()> {
    sqlx::query(
        "INSERT INTO batch (id, account, act, name, reason, state, total, unchanged, notes,
                            created_ms, leased_until_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)",
    )
    .bind(&batch.id)
    .bind(batch.account.to_string())
    .bind(batch.act.as_str())
    .bind(&batch.name)
    .bind(&batch.reason)
    .bind(batch.state.as_str())
    .bind(batch.total)
    .bind(batch.unchanged)
    .bind(to_json(&batch.notes))
    .bind(batch.created_ms)
    .execute(&mut *db)
    .await?;
    for row in rows {
        sqlx::query(
            "INSERT INTO batch_row (batch, number, resource, title, since, changes, hands_in,
                                    outcome, problems)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&batch.id)
        .bind(row.number)
        .bind(&row.resource)
        .bind(&row.title)
        .bind(row.since)
        .bind(to_json(&row.changes))
        .bind(i64::from(row.hands_in))
        .bind(row.outcome.as_str())
        .bind(to_json(&row.problems))
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// The batch `id`.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, id: &str) -> Result<Option<Batch>> {
    let row: Option<Row> =
        sqlx::query_as(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM batch WHERE id = $1")))
            .bind(id)
            .fetch_optional(db)
            .await?;
    row.map(Batch::try_from).transpose()
}

/// The last `limit` batches of `account`, newest first.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection, account: AccountId, limit: i64) -> Result<Vec<Batch>> {
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM batch WHERE account = $1 ORDER BY created_ms DESC, id DESC LIMIT $2"
    )))
    .bind(account.to_string())
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Batch::try_from).collect()
}

/// How many rows of the batch `id` have each outcome, and how many of those planned are handed in.
///
/// # Errors
///
/// Those of the database.
pub async fn counts(db: &mut AnyConnection, id: &str) -> Result<Vec<(Outcome, i64, i64)>> {
    let found: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT outcome, COUNT(*), CAST(SUM(hands_in) AS BIGINT) FROM batch_row
          WHERE batch = $1 GROUP BY outcome",
    )
    .bind(id)
    .fetch_all(db)
    .await?;
    let known = found.into_iter();
    known.map(|(outcome, n, handed)| Ok((parse("outcome", &outcome)?, n, handed))).collect()
}

/// At most `limit` rows of the batch `id` after the row `after`, of one outcome or of all.
///
/// # Errors
///
/// Those of the database.
pub async fn rows(
    db: &mut AnyConnection,
    id: &str,
    outcome: Option<Outcome>,
    after: i64,
    limit: i64,
) -> Result<Vec<BatchRow>> {
    let rows: Vec<RowOf> = sqlx::query_as(
        "SELECT number, resource, title, since, changes, hands_in, outcome, problems FROM batch_row
          WHERE batch = $1 AND ($2 IS NULL OR outcome = $2) AND number > $3
          ORDER BY number LIMIT $4",
    )
    .bind(id)
    .bind(outcome.map(Outcome::as_str))
    .bind(after)
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.into_iter().map(BatchRow::try_from).collect()
}

/// Keeps what became of a row.
///
/// # Errors
///
/// Those of the database.
pub async fn end_row(db: &mut AnyConnection, id: &str, row: &BatchRow) -> Result<()> {
    sqlx::query(
        "UPDATE batch_row SET outcome = $3, problems = $4 WHERE batch = $1 AND number = $2",
    )
    .bind(id)
    .bind(row.number)
    .bind(row.outcome.as_str())
    .bind(to_json(&row.problems))
    .execute(db)
    .await?;
    Ok(())
}

/// Takes the batch `id` to make it, until `until_ms`; false when another process has it, or it is
/// done.
///
/// # Errors
///
/// Those of the database.
pub async fn claim(db: &mut AnyConnection, id: &str, now_ms: i64, until_ms: i64) -> Result<bool> {
    let taken = sqlx::query(
        "UPDATE batch SET state = 'applying', leased_until_ms = $2
          WHERE id = $1 AND state <> 'done' AND leased_until_ms <= $3",
    )
    .bind(id)
    .bind(until_ms)
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Keeps the batch `id` until `until_ms`; 0 gives it to whoever comes.
///
/// # Errors
///
/// Those of the database.
pub async fn hold(db: &mut AnyConnection, id: &str, until_ms: i64) -> Result<()> {
    sqlx::query("UPDATE batch SET leased_until_ms = $2 WHERE id = $1")
        .bind(id)
        .bind(until_ms)
        .execute(db)
        .await?;
    Ok(())
}

/// All of the batch `id` was tried.
///
/// # Errors
///
/// Those of the database.
pub async fn end(db: &mut AnyConnection, id: &str, now_ms: i64) -> Result<()> {
    sqlx::query(
        "UPDATE batch SET state = 'done', leased_until_ms = 0, ended_ms = $2 WHERE id = $1",
    )
    .bind(id)
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Batches that were begun and are made by nobody.
///
/// # Errors
///
/// Those of the database.
pub async fn list_left(db: &mut AnyConnection, now_ms: i64) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT id FROM batch WHERE state = 'applying' AND leased_until_ms <= $1 ORDER BY id",
    )
    .bind(now_ms)
    .fetch_all(db)
    .await?)
}

/// Forgets batches from before `before_ms` that are not being made.
///
/// # Errors
///
/// Those of the database.
pub async fn forget(db: &mut AnyConnection, before_ms: i64) -> Result<()> {
    for statement in [
        "DELETE FROM batch_row WHERE batch IN
            (SELECT id FROM batch WHERE created_ms < $1 AND state <> 'applying')",
        "DELETE FROM batch WHERE created_ms < $1 AND state <> 'applying'",
    ] {
        sqlx::query(statement).bind(before_ms).execute(&mut *db).await?;
    }
    Ok(())
}

impl TryFrom<Row> for Batch {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            account: parse("batch.account", &row.account)?,
            act: parse("batch.act", &row.act)?,
            state: parse("batch.state", &row.state)?,
            notes: parse_json("batch.notes", &row.notes)?,
            id: row.id,
            name: row.name,
            reason: row.reason,
            total: row.total,
            unchanged: row.unchanged,
            created_ms: row.created_ms,
            ended_ms: row.ended_ms,
        })
    }
}

impl TryFrom<RowOf> for BatchRow {
    type Error = Error;

    fn try_from(row: RowOf) -> Result<Self> {
        Ok(Self {
            changes: parse_json("batch_row.changes", &row.changes)?,
            outcome: parse("batch_row.outcome", &row.outcome)?,
            problems: parse_json("batch_row.problems", &row.problems)?,
            number: row.number,
            resource: row.resource,
            title: row.title,
            since: row.since,
            hands_in: row.hands_in != 0,
        })
    }
}
