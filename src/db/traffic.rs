//! What was sent of each library, by day.

use serde::Serialize;
use sqlx::{AnyConnection, FromRow};

use super::{Result, parse};
use crate::catalogue::LibraryId;

/// What was sent of a library on one day.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize)]
pub struct Day {
    /// Such as 2026-11-25, in the zone of the site.
    pub day: String,
    /// Answers.
    pub answers: i64,
    /// Bytes of their bodies.
    pub bytes: i64,
}

/// Adds to what was sent of `library` on a day.
///
/// # Errors
///
/// Those of the database.
pub async fn add(db: &mut AnyConnection, library: LibraryId, sent: &Day) -> Result<()> {
    sqlx::query(
        "INSERT INTO traffic (library, day, answers, bytes) VALUES ($1, $2, $3, $4)
             ON CONFLICT (library, day) DO UPDATE
            SET answers = traffic.answers + excluded.answers, bytes = traffic.bytes + excluded.bytes",
    )
    .bind(library.to_string())
    .bind(&sent.day)
    .bind(sent.answers)
    .bind(sent.bytes)
    .execute(db)
    .await?;
    Ok(())
}

/// What was sent of every library on the days `from` to `to`.
///
/// # Errors
///
/// Those of the database.
pub async fn between(
    db: &mut AnyConnection,
    from: &str,
    to: &str,
) -> Result<Vec<(LibraryId, Day)>> {
    let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
        "SELECT library, day, answers, bytes FROM traffic WHERE day >= $1 AND day <= $2",
    )
    .bind(from)
    .bind(to)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(library, day, answers, bytes)| {
            Ok((parse("traffic.library", &library)?, Day { day, answers, bytes }))
        })
        .collect()
}

/// The last `limit` days on which something of `library` was sent, the last first.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection, library: LibraryId, limit: i64) -> Result<Vec<Day>> {
    Ok(sqlx::query_as(
        "SELECT day, answers, bytes FROM traffic WHERE library = $1 ORDER BY day DESC LIMIT $2",
    )
    .bind(library.to_string())
    .bind(limit)
    .fetch_all(db)
    .await?)
}
