//! What other repositories are told of resources: which are public, and since when it is so.

use sqlx::{AnyConnection, FromRow};

use super::Result;
use super::resources::places;

/// A record: of what is public, or was.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Record {
    /// Id of the resource.
    pub resource: String,
    /// Its datestamp, Unix milliseconds.
    pub stamp_ms: i64,
    /// 1: public; 0: told as deleted.
    pub public: i64,
}

/// Which records to list, in the order of their datestamps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Range {
    /// Of this set only.
    pub set: Option<String>,
    /// Not before, Unix milliseconds.
    pub from_ms: i64,
    /// Before, Unix milliseconds.
    pub before_ms: i64,
    /// After this datestamp and resource; nothing: from the first.
    pub after: Option<(i64, String)>,
}

/// The last change that the records have, its row locked until the transaction ends.
///
/// # Errors
///
/// Those of the database.
pub async fn mark_locked(db: &mut AnyConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("UPDATE counter SET value = value WHERE name = 'record' RETURNING value")
        .fetch_one(db)
        .await?)
}

/// The last change that the records have.
///
/// # Errors
///
/// Those of the database.
pub async fn mark(db: &mut AnyConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT value FROM counter WHERE name = 'record'").fetch_one(db).await?)
}

/// Says that the records have all changes up to `mark`.
///
/// # Errors
///
/// Those of the database.
pub async fn set_mark(db: &mut AnyConnection, mark: i64) -> Result<()> {
    sqlx::query("UPDATE counter SET value = $1 WHERE name = 'record'")
        .bind(mark)
        .execute(db)
        .await?;
    Ok(())
}

/// Says that `resource` is public, in `sets`, as of `stamp_ms`.
///
/// # Errors
///
/// Those of the database.
pub async fn put(
    db: &mut AnyConnection,
    resource: &str,
    stamp_ms: i64,
    sets: &[String],
) -> Result<()> {
    sqlx::query(
        "INSERT INTO record (resource, stamp_ms, public) VALUES ($1, $2, 1)
             ON CONFLICT (resource) DO UPDATE SET stamp_ms = excluded.stamp_ms, public = 1",
    )
    .bind(resource)
    .bind(stamp_ms)
    .execute(&mut *db)
    .await?;
    sqlx::query("DELETE FROM record_set WHERE resource = $1")
        .bind(resource)
        .execute(&mut *db)
        .await?;
    for spec in sets {
        sqlx::query("INSERT INTO record_set (spec, stamp_ms, resource) VALUES ($1, $2, $3)")
            .bind(spec)
            .bind(stamp_ms)
            .bind(resource)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// Says that `resource` is not public any more, as of `stamp_ms`; nothing if it is told so already
/// or never was public.
///
/// # Errors
///
/// Those of the database.
pub async fn withdraw(db: &mut AnyConnection, resource: &str, stamp_ms: i64) -> Result<()> {
    let done = sqlx::query(
        "UPDATE record SET public = 0, stamp_ms = $2 WHERE resource = $1 AND public = 1",
    )
    .bind(resource)
    .bind(stamp_ms)
    .execute(&mut *db)
    .await?;
    if done.rows_affected() > 0 {
        sqlx::query("UPDATE record_set SET stamp_ms = $2 WHERE resource = $1")
            .bind(resource)
            .bind(stamp_ms)
            .execute(db)
            .await?;
    }
    Ok(())
}

/// The first and the last datestamp; nothing when there is no record.
///
/// # Errors
///
/// Those of the database.
pub async fn span(db: &mut AnyConnection) -> Result<Option<(i64, i64)>> {
    let (first, last): (Option<i64>, Option<i64>) = sqlx::query_as(
        "SELECT (SELECT MIN(stamp_ms) FROM record), (SELECT MAX(stamp_ms) FROM record)",
    )
    .fetch_one(db)
    .await?;
    Ok(first.zip(last))
}

/// Up to `limit` records of `range`.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection, range: &Range, limit: i64) -> Result<Vec<Record>> {
    let (after_ms, after) = match &range.after {
        Some((stamp_ms, resource)) => (*stamp_ms, resource.as_str()),
        // Ids are hexadecimal: this comes after all with the datestamp just before.
        None => (range.from_ms - 1, "g"),
    };
    let query = match &range.set {
        None => sqlx::query_as(
            "SELECT resource, stamp_ms, public FROM record
              WHERE (stamp_ms, resource) > ($1, $2) AND stamp_ms < $3
              ORDER BY stamp_ms, resource LIMIT $4",
        ),
        Some(_) => sqlx::query_as(
            "SELECT s.resource, s.stamp_ms, r.public
               FROM record_set s JOIN record r ON r.resource = s.resource
              WHERE s.spec = $5 AND (s.stamp_ms, s.resource) > ($1, $2) AND s.stamp_ms < $3
              ORDER BY s.stamp_ms, s.resource LIMIT $4",
        ),
    };
    let query = query.bind(after_ms).bind(after).bind(range.before_ms).bind(limit);
    let query = match &range.set {
        Some(set) => query.bind(set),
        None => query,
    };
    Ok(query.fetch_all(db).await?)
}

/// How many records there are in `range`, from its beginning.
///
/// # Errors
///
/// Those of the database.
pub async fn count(db: &mut AnyConnection, range: &Range) -> Result<i64> {
    let query = match &range.set {
        None => {
            sqlx::query_scalar("SELECT COUNT(*) FROM record WHERE stamp_ms >= $1 AND stamp_ms < $2")
        }
        Some(set) => sqlx::query_scalar(
            "SELECT COUNT(*) FROM record_set WHERE stamp_ms >= $1 AND stamp_ms < $2 AND spec = $3",
        )
        .bind(range.from_ms)
        .bind(range.before_ms)
        .bind(set),
    };
    let query = match range.set {
        None => query.bind(range.from_ms).bind(range.before_ms),
        Some(_) => query,
    };
    Ok(query.fetch_one(db).await?)
}

/// The record of `resource`.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, resource: &str) -> Result<Option<Record>> {
    Ok(sqlx::query_as("SELECT resource, stamp_ms, public FROM record WHERE resource = $1")
        .bind(resource)
        .fetch_optional(db)
        .await?)
}

/// The sets of each of `resources`: resource and setSpec.
///
/// # Errors
///
/// Those of the database.
pub async fn sets(db: &mut AnyConnection, resources: &[String]) -> Result<Vec<(String, String)>> {
    if resources.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT resource, spec FROM record_set WHERE resource IN ({}) ORDER BY resource, spec",
        places(1, resources.len(), "")
    )));
    for resource in resources {
        query = query.bind(resource);
    }
    Ok(query.fetch_all(db).await?)
}

/// Up to `limit` records of what everybody may see now, after the resource `after`, in the order
/// of their ids.
///
/// # Errors
///
/// Those of the database.
pub async fn list_public(db: &mut AnyConnection, after: &str, limit: i64) -> Result<Vec<Record>> {
    Ok(sqlx::query_as(
        // Joined so, SQLite goes along the records, in order.
        "SELECT p.resource, p.stamp_ms, p.public
           FROM record p CROSS JOIN resource r CROSS JOIN library l
          WHERE p.public = 1 AND p.resource > $1 AND r.id = p.resource AND l.id = r.library
            AND r.stage = 'published' AND l.visibility = 'public'
          ORDER BY p.resource LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(db)
    .await?)
}

/// The public record that is `count` after the resource `after`, in the order of their ids.
///
/// # Errors
///
/// Those of the database.
pub async fn skip_public(
    db: &mut AnyConnection,
    after: &str,
    count: i64,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "SELECT resource FROM record
          WHERE public = 1 AND resource > $1 ORDER BY resource LIMIT 1 OFFSET $2",
    )
    .bind(after)
    .bind(count - 1)
    .fetch_optional(db)
    .await?)
}
