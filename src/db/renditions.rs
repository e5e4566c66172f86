//! Renditions that come and go: made when somebody plays the resource, dropped when nobody does.

use serde::Serialize;
use sqlx::{AnyConnection, FromRow};

use super::{Result, parse};
use crate::catalogue::{RenditionId, ResourceId};

/// Says of the absent renditions of a resource that they are being made; gives their names. None
/// when making some failed after `failed_ms`. The jobs go into the same transaction.
///
/// # Errors
///
/// Those of the database.
pub async fn begin_absent(
    db: &mut AnyConnection,
    resource: ResourceId,
    failed_ms: i64,
    now_ms: i64,
) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "UPDATE rendition SET state = 'making', asked_ms = $3
          WHERE resource = $1 AND state = 'absent'
           AND name NOT LIKE '%-hevc' AND name NOT LIKE '%-av1'
            AND NOT EXISTS (SELECT 1 FROM job
                             WHERE job.resource = $1 AND job.state = 'failed' AND job.created_ms > $2)
      RETURNING name",
    )
    .bind(resource.to_string())
    .bind(failed_ms)
    .bind(now_ms)
    .fetch_all(db)
    .await?)
}

/// Offers what was dropped and is still there again; gives how many.
///
/// # Errors
///
/// Those of the database.
pub async fn take_back(db: &mut AnyConnection, resource: ResourceId, now_ms: i64) -> Result<u64> {
    let done = sqlx::query(
        "UPDATE rendition SET state = 'complete', retired_ms = NULL, asked_ms = $2
          WHERE resource = $1 AND state = 'retired' AND spare = 1",
    )
    .bind(resource.to_string())
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Keeps when somebody last asked for some of a rendition.
///
/// # Errors
///
/// Those of the database.
pub async fn note_asked(db: &mut AnyConnection, id: RenditionId, asked_ms: i64) -> Result<()> {
    sqlx::query("UPDATE rendition SET asked_ms = $2 WHERE id = $1 AND COALESCE(asked_ms, 0) < $2")
        .bind(id.to_string())
        .bind(asked_ms)
        .execute(db)
        .await?;
    Ok(())
}

/// Up to `limit` resources with something to drop, of which nobody has asked for anything since
/// `before_ms`, and nothing was made since.
///
/// # Errors
///
/// Those of the database.
pub async fn list_unwatched(
    db: &mut AnyConnection,
    before_ms: i64,
    limit: i64,
) -> Result<Vec<ResourceId>> {
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT resource.id FROM rendition JOIN resource ON resource.id = rendition.resource
          WHERE rendition.spare = 1 AND rendition.state = 'complete'
            AND resource.stage IN ('ready', 'published', 'withdrawn')
            AND NOT EXISTS (SELECT 1 FROM rendition other
                             WHERE other.resource = rendition.resource
                               AND COALESCE(other.asked_ms, other.made_ms, 0) >= $1)
          ORDER BY resource.id LIMIT $2",
    )
    .bind(before_ms)
    .bind(limit)
    .fetch_all(db)
    .await?;
    found.iter().map(|id| parse("resource.id", id)).collect()
}

/// Takes what a resource can do without out of its manifests, if nobody has asked for anything of
/// it since `before_ms`; gives how many.
///
/// # Errors
///
/// Those of the database.
pub async fn drop_unwatched(
    db: &mut AnyConnection,
    resource: ResourceId,
    before_ms: i64,
    now_ms: i64,
) -> Result<u64> {
    let done = sqlx::query(
        "UPDATE rendition SET state = 'retired', retired_ms = $3
          WHERE resource = $1 AND spare = 1 AND state = 'complete'
            AND NOT EXISTS (SELECT 1 FROM rendition other
                             WHERE other.resource = $1
                               AND COALESCE(other.asked_ms, other.made_ms, 0) >= $2)",
    )
    .bind(resource.to_string())
    .bind(before_ms)
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Forgets the media of one rendition that was retired before `before_ms`; gives its resource and
/// the keys of its objects. A preview is forgotten itself, others can be made again.
///
/// # Errors
///
/// Those of the database.
pub async fn forget_retired(
    db: &mut AnyConnection,
    before_ms: i64,
) -> Result<Option<(ResourceId, Vec<String>)>> {
    // The row is taken first: somebody who plays it just now either had it before, or waits.
    let found: Option<(String, String, i64)> = sqlx::query_as(
        "UPDATE rendition SET state = 'absent', retired_ms = NULL
          WHERE id = (SELECT id FROM rendition
                       WHERE state = 'retired' AND retired_ms < $1 ORDER BY id LIMIT 1)
            AND state = 'retired'
      RETURNING id, resource, preview",
    )
    .bind(before_ms)
    .fetch_optional(&mut *db)
    .await?;
    let Some((id, resource, preview)) = found else { return Ok(None) };
    let (keys, bytes) = empty(&mut *db, &id).await?;
    if preview == 0 {
        sqlx::query("UPDATE rendition SET had_bytes = $2 WHERE id = $1").bind(&id).bind(bytes)
    } else {
        sqlx::query("DELETE FROM rendition WHERE id = $1").bind(&id)
    }
    .execute(&mut *db)
    .await?;
    if preview == 0 {
        rename(db, &id).await?;
    }
    Ok(Some((parse("rendition.resource", &resource)?, keys)))
}

/// Forgets what was made of the renditions of a resource that are not whole: they are absent
/// again. Gives how many, and the keys of their objects.
///
/// # Errors
///
/// Those of the database.
pub async fn give_up(db: &mut AnyConnection, resource: ResourceId) -> Result<(usize, Vec<String>)> {
    let ids: Vec<String> = sqlx::query_scalar(
        "UPDATE rendition SET state = 'absent'
          WHERE resource = $1 AND state = 'making'
            AND name NOT LIKE '%-hevc' AND name NOT LIKE '%-av1'
      RETURNING id",
    )
    .bind(resource.to_string())
    .fetch_all(&mut *db)
    .await?;
    let mut keys = Vec::new();
    for id in &ids {
        keys.extend(empty(&mut *db, id).await?.0);
        rename(&mut *db, id).await?;
    }
    Ok((ids.len(), keys))
}

/// Forgets the renditions of other codecs that did not become whole and have no job any more;
/// gives the keys of their objects.
///
/// # Errors
///
/// Those of the database.
pub async fn forget_unmade(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<String>> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM rendition
          WHERE resource = $1 AND state = 'making' AND (name LIKE '%-hevc' OR name LIKE '%-av1')",
    )
    .bind(resource.to_string())
    .fetch_all(&mut *db)
    .await?;
    let mut keys = Vec::new();
    for id in &ids {
        keys.extend(empty(&mut *db, id).await?.0);
        sqlx::query("DELETE FROM rendition WHERE id = $1").bind(id).execute(&mut *db).await?;
    }
    Ok(keys)
}

/// Forgets the parts of a rendition; gives the keys of its objects and what they take.
async fn empty(db: &mut AnyConnection, id: &str) -> Result<(Vec<String>, i64)> {
    let objects: Vec<(String, i64)> = sqlx::query_as(
        "SELECT key, size_bytes FROM object
          WHERE key IN (SELECT key FROM part WHERE rendition = $1
                        UNION SELECT init FROM rendition WHERE id = $1 AND init IS NOT NULL)",
    )
    .bind(id)
    .fetch_all(&mut *db)
    .await?;
    for statement in [
        "DELETE FROM part WHERE rendition = $1",
        "UPDATE rendition SET init = NULL, made_ms = NULL, asked_ms = NULL WHERE id = $1",
    ] {
        sqlx::query(statement).bind(id).execute(&mut *db).await?;
    }
    let bytes = objects.iter().map(|(_, bytes)| bytes).sum();
    Ok((objects.into_iter().map(|(key, _)| key).collect(), bytes))
}

/// What is made anew has new addresses: caches may have what was at the old ones for ever.
async fn rename(db: &mut AnyConnection, id: &str) -> Result<()> {
    sqlx::query("UPDATE rendition SET id = $2 WHERE id = $1")
        .bind(id)
        .bind(RenditionId::fresh().to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// How many renditions a library has, and what they take.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize)]
pub struct Holding {
    /// Slug of the library.
    pub library: String,
    /// Complete ones.
    pub kept: i64,
    /// Those that are being made.
    pub making: i64,
    /// Those that are made when somebody plays the resource.
    pub absent: i64,
    /// Those that no manifest names: their objects go soon.
    pub retired: i64,
    /// What the complete ones take.
    pub kept_bytes: i64,
    /// What the absent ones would take: as much as when they were dropped, else by their peaks
    /// and what was made of the same resource.
    pub absent_bytes: i64,
    /// How much of that was there before it was dropped.
    pub dropped_bytes: i64,
    /// What the retired ones still take.
    pub retired_bytes: i64,
}

/// What the libraries hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Each of them, by slug.
    pub libraries: Vec<Holding>,
    /// All together; without a name.
    pub all: Holding,
}

/// What the libraries hold, and what is saved by what they do not.
///
/// # Errors
///
/// Those of the database.
pub async fn report(db: &mut AnyConnection) -> Result<Report> {
    let libraries = holdings(db).await?;
    let sum = |of: fn(&Holding) -> i64| libraries.iter().map(of).sum();
    let all = Holding {
        library: String::new(),
        kept: sum(|h| h.kept),
        making: sum(|h| h.making),
        absent: sum(|h| h.absent),
        retired: sum(|h| h.retired),
        kept_bytes: sum(|h| h.kept_bytes),
        absent_bytes: sum(|h| h.absent_bytes),
        dropped_bytes: sum(|h| h.dropped_bytes),
        retired_bytes: sum(|h| h.retired_bytes),
    };
    Ok(Report { libraries, all })
}

async fn holdings(db: &mut AnyConnection) -> Result<Vec<Holding>> {
    Ok(sqlx::query_as(
        "SELECT library.slug AS library,
                CAST(SUM(kept) AS BIGINT) AS kept, CAST(SUM(making) AS BIGINT) AS making,
                CAST(SUM(absent) AS BIGINT) AS absent, CAST(SUM(retired) AS BIGINT) AS retired,
                CAST(SUM(kept_bytes) AS BIGINT) AS kept_bytes,
                CAST(SUM(dropped_bytes + never_bps * CASE WHEN made_bps > 0 THEN made_bytes * 1.0 / made_bps ELSE 0 END)
                     AS BIGINT) AS absent_bytes,
                CAST(SUM(dropped_bytes) AS BIGINT) AS dropped_bytes,
                CAST(SUM(retired_bytes) AS BIGINT) AS retired_bytes
           FROM (SELECT resource,
                        SUM(CASE WHEN state = 'complete' THEN 1 ELSE 0 END) AS kept,
                        SUM(CASE WHEN state = 'making' THEN 1 ELSE 0 END) AS making,
                        SUM(CASE WHEN state = 'absent' THEN 1 ELSE 0 END) AS absent,
                        SUM(CASE WHEN state = 'retired' THEN 1 ELSE 0 END) AS retired,
                        SUM(CASE WHEN state = 'complete' THEN bytes ELSE 0 END) AS kept_bytes,
                        SUM(CASE WHEN state = 'retired' THEN bytes ELSE 0 END) AS retired_bytes,
                        SUM(CASE WHEN state = 'absent' THEN COALESCE(had_bytes, 0) ELSE 0 END) AS dropped_bytes,
                        SUM(CASE WHEN state = 'absent' AND had_bytes IS NULL THEN bitrate_bps ELSE 0 END) AS never_bps,
                        SUM(CASE WHEN state = 'complete' AND whole_parts IS NOT NULL THEN bitrate_bps ELSE 0 END) AS made_bps,
                        SUM(CASE WHEN state = 'complete' AND whole_parts IS NOT NULL THEN bytes ELSE 0 END) AS made_bytes
                   FROM (SELECT rendition.resource, rendition.state, rendition.bitrate_bps, rendition.whole_parts,
                                rendition.had_bytes,
                                COALESCE((SELECT SUM(object.size_bytes) FROM part JOIN object ON object.key = part.key
                                           WHERE part.rendition = rendition.id), 0) AS bytes
                           FROM rendition) AS one
                  GROUP BY resource) AS held
           JOIN resource ON resource.id = held.resource
           JOIN library ON library.id = resource.library
          GROUP BY library.slug ORDER BY library.slug",
    )
    .fetch_all(db)
    .await?)
}
