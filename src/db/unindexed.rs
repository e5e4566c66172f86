//! Resources that could not be taken into the search index.

use sqlx::{AnyConnection, FromRow};

use super::Result;

/// One that is public and not found by search.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Unindexed {
    /// Its id, as its row has it.
    pub resource: String,
    /// Its title; empty when there is no such row any more.
    pub title: String,
    /// Why, as it was said.
    pub reason: String,
    /// Unix milliseconds.
    pub noticed_ms: i64,
}

/// All of them, the newest first.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection) -> Result<Vec<Unindexed>> {
    Ok(sqlx::query_as(
        "SELECT u.resource, COALESCE(r.title, '') AS title, u.reason, u.noticed_ms
           FROM unindexed u LEFT JOIN resource r ON r.id = u.resource
          ORDER BY u.noticed_ms DESC, u.resource",
    )
    .fetch_all(db)
    .await?)
}

/// Lists one, in the place of what was said of it before.
///
/// # Errors
///
/// Those of the database.
pub async fn save(db: &mut AnyConnection, one: &Unindexed) -> Result<()> {
    sqlx::query(
        "INSERT INTO unindexed (resource, reason, noticed_ms) VALUES ($1, $2, $3)
             ON CONFLICT (resource) DO UPDATE
            SET reason = excluded.reason, noticed_ms = excluded.noticed_ms",
    )
    .bind(&one.resource)
    .bind(one.reason.replace('\0', " "))
    .bind(one.noticed_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Takes one off the list.
///
/// # Errors
///
/// Those of the database.
pub async fn delete(db: &mut AnyConnection, resource: &str) -> Result<()> {
    sqlx::query("DELETE FROM unindexed WHERE resource = $1").bind(resource).execute(db).await?;
    Ok(())
}

/// How many there are.
///
/// # Errors
///
/// Those of the database.
pub async fn count(db: &mut AnyConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM unindexed").fetch_one(db).await?)
}
