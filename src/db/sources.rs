//! Repositories that are harvested, and what came from them.

use sqlx::{AnyConnection, FromRow};

use super::resources::places;
use super::{Error, Result, parse, parse_json, to_json};
use crate::catalogue::{HarvestSource, ResourceId, SourceId};

#[derive(FromRow)]
struct Row {
    id: String,
    name: String,
    url: String,
    prefix: String,
    set_spec: Option<String>,
    library: String,
    account: String,
    mapping: String,
    every_ms: i64,
    run_at_ms: Option<i64>,
    round: i64,
    whole: i64,
    since: Option<String>,
    begun: Option<String>,
    token: Option<String>,
    failures: i64,
    error: Option<String>,
    error_info: Option<String>,
    ended_ms: Option<i64>,
}

/// Where a record came from.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Origin {
    /// Id of the resource.
    pub resource: String,
    /// The source's name.
    pub name: String,
    /// Where it is opened.
    pub home: String,
}

/// Adds a source that is at `host`.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(
    db: &mut AnyConnection,
    source: &HarvestSource,
    host: &str,
    now_ms: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO harvest_source (id, name, url, host, prefix, set_spec, library, account,
             mapping, every_ms, run_at_ms, leased_until_ms, round, whole, failures, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, 0, 0, $12)",
    )
    .bind(source.id.to_string())
    .bind(&source.name)
    .bind(&source.url)
    .bind(host)
    .bind(&source.prefix)
    .bind(source.set.as_deref())
    .bind(source.library.to_string())
    .bind(source.account.to_string())
    .bind(to_json(&source.mapping))
    .bind(source.every_ms)
    .bind(source.run_at_ms)
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// All sources, oldest first, each with how many of its records are here.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection) -> Result<Vec<(HarvestSource, i64)>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM harvest_source ORDER BY created_ms, id")
        .fetch_all(&mut *db)
        .await?;
    let mut sources = Vec::with_capacity(rows.len());
    for row in rows {
        let count = sqlx::query_scalar(
            "SELECT COUNT(*) FROM harvested h JOIN resource r ON r.id = h.resource
              WHERE h.source = $1 AND r.stage <> 'deleted'",
        )
        .bind(&row.id)
        .fetch_one(&mut *db)
        .await?;
        sources.push((row.try_into()?, count));
    }
    Ok(sources)
}

/// The source `id`.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, id: SourceId) -> Result<Option<HarvestSource>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM harvest_source WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(db)
        .await?;
    row.map(HarvestSource::try_from).transpose()
}

/// Lets the source `id` be harvested now; `all` of it, as if for the first time.
///
/// # Errors
///
/// Those of the database.
pub async fn ask(db: &mut AnyConnection, id: SourceId, all: bool, now_ms: i64) -> Result<()> {
    sqlx::query(
        "UPDATE harvest_source SET run_at_ms = $2,
                since = CASE WHEN $3 = 1 THEN NULL ELSE since END,
                begun = CASE WHEN $3 = 1 THEN NULL ELSE begun END,
                token = CASE WHEN $3 = 1 THEN NULL ELSE token END
          WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(now_ms)
    .bind(i64::from(all))
    .execute(db)
    .await?;
    Ok(())
}

/// Takes the source whose turn it is, if there is one: nobody harvests it or another of its host.
///
/// # Errors
///
/// Those of the database.
pub async fn claim(
    db: &mut AnyConnection,
    lease: &str,
    now_ms: i64,
    lease_ms: i64,
) -> Result<Option<HarvestSource>> {
    let row: Option<Row> = sqlx::query_as(
        "UPDATE harvest_source SET lease = $1, leased_until_ms = $2 + $3
          WHERE id = (SELECT s.id FROM harvest_source s
                       WHERE s.run_at_ms <= $2 AND s.leased_until_ms <= $2
                         AND NOT EXISTS (SELECT 1 FROM harvest_source o
                                          WHERE o.host = s.host AND o.leased_until_ms > $2)
                       ORDER BY s.run_at_ms, s.id LIMIT 1)
            AND leased_until_ms <= $2
      RETURNING *",
    )
    .bind(lease)
    .bind(now_ms)
    .bind(lease_ms)
    .fetch_optional(db)
    .await?;
    row.map(HarvestSource::try_from).transpose()
}

/// Keeps the lease of `source` until `until_ms`; false when another has it or it is gone. Its row
/// is locked until the transaction ends.
///
/// # Errors
///
/// Those of the database.
pub async fn hold(
    db: &mut AnyConnection,
    source: SourceId,
    lease: &str,
    until_ms: i64,
) -> Result<bool> {
    let done =
        sqlx::query("UPDATE harvest_source SET leased_until_ms = $3 WHERE id = $1 AND lease = $2")
            .bind(source.to_string())
            .bind(lease)
            .bind(until_ms)
            .execute(db)
            .await?;
    Ok(done.rows_affected() > 0)
}

/// Keeps how far the harvest of `source` is.
///
/// # Errors
///
/// Those of the database.
pub async fn save(db: &mut AnyConnection, source: &HarvestSource) -> Result<()> {
    let (error, info) = source.error.clone().unzip();
    sqlx::query(
        "UPDATE harvest_source SET run_at_ms = $2, round = $3, whole = $4, since = $5, begun = $6,
                token = $7, failures = $8, error = $9, error_info = $10, ended_ms = $11
          WHERE id = $1",
    )
    .bind(source.id.to_string())
    .bind(source.run_at_ms)
    .bind(source.round)
    .bind(i64::from(source.whole))
    .bind(source.since.as_deref())
    .bind(source.begun.as_deref())
    .bind(source.token.as_deref())
    .bind(source.failures)
    .bind(error)
    .bind(info)
    .bind(source.ended_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Gives the source up, so that others may take it.
///
/// # Errors
///
/// Those of the database.
pub async fn release(db: &mut AnyConnection, source: SourceId, lease: &str) -> Result<()> {
    sqlx::query(
        "UPDATE harvest_source SET lease = NULL, leased_until_ms = 0 WHERE id = $1 AND lease = $2",
    )
    .bind(source.to_string())
    .bind(lease)
    .execute(db)
    .await?;
    Ok(())
}

/// Removes the source `id`, of which no record is left.
///
/// # Errors
///
/// Those of the database.
pub async fn delete(db: &mut AnyConnection, id: SourceId) -> Result<()> {
    sqlx::query("DELETE FROM harvest_source WHERE id = $1")
        .bind(id.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// The resource that the record `identifier` of `source` is here.
///
/// # Errors
///
/// Those of the database.
pub async fn find_resource(
    db: &mut AnyConnection,
    source: SourceId,
    identifier: &str,
) -> Result<Option<ResourceId>> {
    let id: Option<String> =
        sqlx::query_scalar("SELECT resource FROM harvested WHERE source = $1 AND identifier = $2")
            .bind(source.to_string())
            .bind(identifier)
            .fetch_optional(db)
            .await?;
    id.map(|id| parse("harvested.resource", &id)).transpose()
}

/// Says that `resource` is the record `identifier` of `source`, met in its present round; opened at
/// `home`, and its file is at `file`, if that is known.
///
/// # Errors
///
/// Those of the database.
pub async fn put(
    db: &mut AnyConnection,
    resource: ResourceId,
    source: &HarvestSource,
    identifier: &str,
    (home, file): (&str, Option<&str>),
) -> Result<()> {
    sqlx::query(
        "INSERT INTO harvested (resource, source, identifier, home, round, file)
         VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (resource) DO UPDATE
                SET home = excluded.home, round = excluded.round, file = excluded.file",
    )
    .bind(resource.to_string())
    .bind(source.id.to_string())
    .bind(identifier)
    .bind(home)
    .bind(source.round)
    .bind(file)
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets where `resource` came from.
///
/// # Errors
///
/// Those of the database.
pub async fn forget(db: &mut AnyConnection, resource: ResourceId) -> Result<()> {
    sqlx::query("DELETE FROM harvested WHERE resource = $1")
        .bind(resource.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Up to `limit` resources of `source` that were not met in `round` or later.
///
/// # Errors
///
/// Those of the database.
pub async fn list_not_met(
    db: &mut AnyConnection,
    source: SourceId,
    round: i64,
    limit: i64,
) -> Result<Vec<ResourceId>> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT resource FROM harvested WHERE source = $1 AND round < $2 ORDER BY resource LIMIT $3",
    )
    .bind(source.to_string())
    .bind(round)
    .bind(limit)
    .fetch_all(db)
    .await?;
    ids.iter().map(|id| parse("harvested.resource", id)).collect()
}

/// Whether anything here was harvested.
///
/// # Errors
///
/// Those of the database.
pub async fn is_any_harvested(db: &mut AnyConnection) -> Result<bool> {
    let one: Option<String> =
        sqlx::query_scalar("SELECT resource FROM harvested LIMIT 1").fetch_optional(db).await?;
    Ok(one.is_some())
}

/// Where those of `resources` came from that were harvested.
///
/// # Errors
///
/// Those of the database.
pub async fn origins(db: &mut AnyConnection, resources: &[String]) -> Result<Vec<Origin>> {
    if resources.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT h.resource, s.name, h.home FROM harvested h JOIN harvest_source s ON s.id = h.source
          WHERE h.resource IN ({})",
        places(1, resources.len(), "")
    )));
    for resource in resources {
        query = query.bind(resource);
    }
    Ok(query.fetch_all(db).await?)
}

impl TryFrom<Row> for HarvestSource {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: parse("harvest_source.id", &row.id)?,
            name: row.name,
            url: row.url,
            prefix: row.prefix,
            set: row.set_spec,
            library: parse("harvest_source.library", &row.library)?,
            account: parse("harvest_source.account", &row.account)?,
            mapping: parse_json("harvest_source.mapping", &row.mapping)?,
            every_ms: row.every_ms,
            run_at_ms: row.run_at_ms,
            round: row.round,
            whole: row.whole == 1,
            since: row.since,
            begun: row.begun,
            token: row.token,
            failures: row.failures,
            error: row.error.map(|error| (error, row.error_info.unwrap_or_default())),
            ended_ms: row.ended_ms,
        })
    }
}
