//! Work to be done, leased to workers.
//!
//! A job is pushed in the transaction that makes it needed. A worker holds it
//! by a lease with a fencing token: whatever the worker writes, it writes in a
//! transaction that begins with [`hold`], so one that lost its lease (paused,
//! cut off) can no longer do anything.

use sqlx::{AnyConnection, FromRow};

use super::{Result, parse};
use crate::catalogue::ResourceId;

/// A job that a worker has.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// Which step.
    pub kind: String,
    /// Of which resource.
    pub resource: ResourceId,
    /// JSON, by kind.
    pub payload: String,
    /// How often it was begun, this time among them.
    pub attempts: i64,
    /// Fencing token.
    pub lease: String,
}

/// A job to be pushed.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Which step.
    pub kind: &'static str,
    /// JSON, by kind.
    pub payload: String,
    /// Lower first.
    pub priority: i64,
    /// Its share of the resource's work.
    pub weight: f64,
}

#[derive(FromRow)]
struct Row {
    id: String,
    kind: String,
    resource: String,
    payload: String,
    attempts: i64,
    lease: Option<String>,
}

/// What is known of a resource's jobs.
#[derive(Debug, Clone, FromRow)]
pub struct JobState {
    /// Which step.
    pub kind: String,
    /// queued, running, done or failed.
    pub state: String,
    /// How often it was begun.
    pub attempts: i64,
    /// Not before, Unix milliseconds.
    pub run_at_ms: i64,
    /// 0 to 1.
    pub progress: f64,
    /// Its share of the resource's work.
    pub weight: f64,
    /// Of the last attempt.
    pub error: Option<String>,
}

/// Pushes a job that may run from `run_at_ms` on.
///
/// # Errors
///
/// Those of the database.
pub async fn push(
    db: &mut AnyConnection,
    resource: ResourceId,
    job: &NewJob,
    run_at_ms: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO job (id, kind, resource, payload, state, priority, attempts, run_at_ms, progress, weight, created_ms)
         VALUES ($1, $2, $3, $4, 'queued', $5, 0, $6, 0, $7, $6)",
    )
    .bind(uuid::Uuid::now_v7().simple().to_string())
    .bind(job.kind)
    .bind(resource.to_string())
    .bind(&job.payload)
    .bind(job.priority)
    .bind(run_at_ms)
    .bind(job.weight)
    .execute(db)
    .await?;
    Ok(())
}

/// Takes the next job for `lease_ms`: one that waits, or one whose worker's
/// lease ran out. `None` can also mean that another worker was quicker.
///
/// # Errors
///
/// Those of the database.
pub async fn claim(db: &mut AnyConnection, now_ms: i64, lease_ms: i64) -> Result<Option<Job>> {
    let row: Option<Row> = sqlx::query_as(
        "UPDATE job
            SET state = 'running', attempts = attempts + 1, lease = $3, leased_until_ms = $1 + $2
          WHERE id = (SELECT id FROM job
                       WHERE (state = 'queued' AND run_at_ms <= $1)
                          OR (state = 'running' AND leased_until_ms < $1)
                       ORDER BY priority, run_at_ms, id
                       LIMIT 1)
            AND ((state = 'queued' AND run_at_ms <= $1) OR (state = 'running' AND leased_until_ms < $1))
      RETURNING id, kind, resource, payload, attempts, lease",
    )
    .bind(now_ms)
    .bind(lease_ms)
    .bind(uuid::Uuid::new_v4().simple().to_string())
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok(Job {
            id: row.id,
            kind: row.kind,
            resource: parse("job.resource", &row.resource)?,
            payload: row.payload,
            attempts: row.attempts,
            lease: row.lease.unwrap_or_default(),
        })
    })
    .transpose()
}

/// Keeps the lease for another `lease_ms`, and the row locked until the
/// transaction ends. False: it was lost.
///
/// # Errors
///
/// Those of the database.
pub async fn hold(
    db: &mut AnyConnection,
    job: &Job,
    now_ms: i64,
    lease_ms: i64,
    progress: f64,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE job SET leased_until_ms = $3 + $4, progress = $5
          WHERE id = $1 AND lease = $2 AND state = 'running'",
    )
    .bind(&job.id)
    .bind(&job.lease)
    .bind(now_ms)
    .bind(lease_ms)
    .bind(progress)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Marks a held job as done.
///
/// # Errors
///
/// Those of the database.
pub async fn finish(db: &mut AnyConnection, job: &Job) -> Result<()> {
    sqlx::query(
        "UPDATE job SET state = 'done', lease = NULL, leased_until_ms = NULL, progress = 1, error = NULL
          WHERE id = $1",
    )
    .bind(&job.id)
    .execute(db)
    .await?;
    Ok(())
}

/// Puts a held job back because its worker stops: at once, and as if it had not been begun.
///
/// # Errors
///
/// Those of the database.
pub async fn give_back(db: &mut AnyConnection, job: &Job) -> Result<()> {
    sqlx::query(
        "UPDATE job SET state = 'queued', lease = NULL, leased_until_ms = NULL, attempts = attempts - 1
          WHERE id = $1 AND lease = $2",
    )
    .bind(&job.id)
    .bind(&job.lease)
    .execute(db)
    .await?;
    Ok(())
}

/// Puts a held job back until `run_at_ms` because of `error`.
///
/// # Errors
///
/// Those of the database.
pub async fn put_back(
    db: &mut AnyConnection,
    job: &Job,
    run_at_ms: i64,
    error: &str,
) -> Result<()> {
    sqlx::query(
        "UPDATE job SET state = 'queued', lease = NULL, leased_until_ms = NULL, run_at_ms = $3, error = $4
          WHERE id = $1 AND lease = $2",
    )
    .bind(&job.id)
    .bind(&job.lease)
    .bind(run_at_ms)
    .bind(error)
    .execute(db)
    .await?;
    Ok(())
}

/// Ends all jobs of a resource that are not done, because of `error`.
///
/// # Errors
///
/// Those of the database.
pub async fn fail_all(db: &mut AnyConnection, resource: ResourceId, error: &str) -> Result<()> {
    sqlx::query(
        "UPDATE job SET state = 'failed', lease = NULL, leased_until_ms = NULL, error = $2
          WHERE resource = $1 AND state IN ('queued', 'running')",
    )
    .bind(resource.to_string())
    .bind(error)
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets all jobs of a resource.
///
/// # Errors
///
/// Those of the database.
pub async fn delete_all(db: &mut AnyConnection, resource: ResourceId) -> Result<()> {
    sqlx::query("DELETE FROM job WHERE resource = $1")
        .bind(resource.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// What is known of a resource's jobs, in the order they were pushed.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<JobState>> {
    Ok(sqlx::query_as(
        "SELECT kind, state, attempts, run_at_ms, progress, weight, error FROM job
          WHERE resource = $1 ORDER BY id",
    )
    .bind(resource.to_string())
    .fetch_all(db)
    .await?)
}

/// Jobs that wait or run, over all resources: (queued, running).
///
/// # Errors
///
/// Those of the database.
pub async fn counts(db: &mut AnyConnection) -> Result<(i64, i64)> {
    Ok(sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'queued' THEN 1 ELSE 0 END), 0) AS BIGINT),
                CAST(COALESCE(SUM(CASE WHEN state = 'running' THEN 1 ELSE 0 END), 0) AS BIGINT)
           FROM job WHERE state IN ('queued', 'running')",
    )
    .fetch_one(db)
    .await?)
}

/// Jobs of other resources that come before those of `resource`.
///
/// # Errors
///
/// Those of the database.
pub async fn count_ahead(db: &mut AnyConnection, resource: ResourceId) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "SELECT COUNT(DISTINCT resource) FROM job
          WHERE state IN ('queued', 'running') AND resource <> $1
            AND created_ms < (SELECT COALESCE(MIN(created_ms), 0) FROM job WHERE resource = $1 AND state = 'queued')",
    )
    .bind(resource.to_string())
    .fetch_one(db)
    .await?)
}
