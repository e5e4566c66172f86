//! Work to be done, leased to workers.
//!
//! A job is pushed in the transaction that makes it needed. A worker holds it
//! by a lease with a fencing token: whatever the worker writes, it writes in a
//! transaction that begins with [`hold`], so one that lost its lease (paused,
//! cut off, its job cancelled) can no longer do anything.

mod lists;

use sqlx::{AnyConnection, FromRow};

pub use lists::{
    Ahead, Filter, JobRow, JobState, ahead, count_ahead, count_all, counts, list, list_all,
};

use super::{Result, parse};
use crate::catalogue::ResourceId;

/// A job that has waited this long comes as early as a fresh one of the priority before its own.
pub const AGE_MS: i64 = 30 * 60 * 1000;

/// By how much a resource's jobs come later for each unit of work among them, up to [`AGE_MS`]
/// in all: short resources first.
const LENGTH_MS: f64 = 100.0;

/// Which workers take a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Reads, or removes: needs no room on the disk.
    Look,
    /// Writes, and keeps a core busy at most.
    Light,
    /// Writes, and keeps several cores busy for a while.
    Heavy,
}

impl Lane {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Look, Self::Light, Self::Heavy];

    /// That of the step `kind`.
    #[must_use]
    pub fn of(kind: &str) -> Self {
        match kind {
            "intake" | "probe" | "sweep" | "tidy" => Self::Look,
            "encode" | EXTRA | LISTEN | RECOGNISE | SLIDES | TWINS => Self::Heavy,
            _ => Self::Light,
        }
    }

    /// As it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Light => "light",
            Self::Heavy => "heavy",
        }
    }
}

/// The kind of jobs that add to what is playable already: the resource is ready without them, and
/// stays so when they fail.
pub const EXTRA: &str = "extra";

/// The kind of jobs that make the pictures of a document's later pages, which are read as text
/// until then.
pub const LATER_PAGES: &str = "later_pages";

/// The kind of jobs that recognise speech, one piece of the sound each: as little waits for them.
pub const LISTEN: &str = "listen";

/// The kind of jobs that read the text in pictures, which are shown without it.
pub const RECOGNISE: &str = "recognise";

/// The kind of job that looks for slides in a video, which is played without them.
pub const SLIDES: &str = "slides";

/// The kind of job that looks for the same in other resources.
pub const TWINS: &str = "twins";

/// Whether jobs of `kind` only add to what is ready: nothing waits for them or fails with them.
#[must_use]
pub fn only_adds(kind: &str) -> bool {
    [EXTRA, LATER_PAGES, LISTEN, RECOGNISE, SLIDES, TWINS].contains(&kind)
}

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

/// What a worker asks for.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// Unix milliseconds.
    pub now_ms: i64,
    /// How long the job is to be lent.
    pub lease_ms: i64,
    /// The lanes to take it from; they may be the same.
    pub lanes: [Lane; 2],
    /// The most jobs of one library that may run; 0: no limit.
    pub max_library_jobs: i64,
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
    push_all(db, resource, std::slice::from_ref(job), run_at_ms).await
}

/// Pushes the jobs that `resource` needs now; they may run from `run_at_ms` on.
///
/// # Errors
///
/// Those of the database.
pub async fn push_all(
    db: &mut AnyConnection,
    resource: ResourceId,
    jobs: &[NewJob],
    run_at_ms: i64,
) -> Result<()> {
    let work: f64 = jobs.iter().map(|job| job.weight).sum();
    let length_ms = ((work * LENGTH_MS) as i64).clamp(0, AGE_MS);
    for job in jobs {
        let pushed = sqlx::query(
            "INSERT INTO job (id, kind, lane, resource, library, payload, state, priority, turn,
                    attempts, run_at_ms, progress, weight, created_ms)
             SELECT $1, $2, $3, r.id, r.library, $5, 'queued', $6 + r.urgency,
                    $7 + $8 + ($6 + r.urgency) * $9, 0, $7, 0, $10, $7
               FROM resource r WHERE r.id = $4",
        )
        .bind(uuid::Uuid::now_v7().simple().to_string())
        .bind(job.kind)
        .bind(Lane::of(job.kind).as_str())
        .bind(resource.to_string())
        .bind(&job.payload)
        .bind(job.priority)
        .bind(run_at_ms)
        .bind(length_ms)
        .bind(AGE_MS)
        .bind(job.weight)
        .execute(&mut *db)
        .await?;
        if pushed.rows_affected() == 0 {
            return Err(sqlx::Error::RowNotFound.into());
        }
    }
    Ok(())
}

/// Takes the next job, if there is one. Jobs whose worker's lease ran out are queued again before.
///
/// Each library's jobs have an order of their own, `turn`. Of the libraries' first jobs that one
/// is taken that has the lowest priority, less one for each [`AGE_MS`] that it has waited; then
/// that of the library with the fewest running jobs of the lane, then that of the library that
/// went longest without, then that of the lowest turn.
///
/// # Errors
///
/// Those of the database.
pub async fn claim(db: &mut AnyConnection, claim: &Claim) -> Result<Option<Job>> {
    put_back_lost(&mut *db, claim).await?;
    while let Some(id) = first(&mut *db, claim).await? {
        // From here on claims come one after another: each sees what the others have taken.
        sqlx::query("UPDATE counter SET value = value + 1 WHERE name = 'claim'")
            .execute(&mut *db)
            .await?;
        if let Some(job) = take(&mut *db, claim, &id).await? {
            return Ok(Some(job));
        }
    }
    Ok(None)
}

async fn put_back_lost(db: &mut AnyConnection, claim: &Claim) -> Result<()> {
    sqlx::query(
        "UPDATE job SET state = 'queued', lease = NULL, leased_until_ms = NULL
          WHERE state = 'running' AND lane IN ($2, $3) AND leased_until_ms < $1",
    )
    .bind(claim.now_ms)
    .bind(claim.lanes[0].as_str())
    .bind(claim.lanes[1].as_str())
    .execute(db)
    .await?;
    Ok(())
}

/// The job whose turn it is. Looks at one job for each library, however many are queued.
async fn first(db: &mut AnyConnection, claim: &Claim) -> Result<Option<String>> {
    let heads: Vec<Option<String>> = sqlx::query_scalar(
        "SELECT (SELECT j.id FROM job j
                  WHERE j.state = 'queued' AND j.lane = lane.name AND j.library = l.id
                    AND j.run_at_ms <= $1
                  ORDER BY j.turn, j.id LIMIT 1)
           FROM library l
          CROSS JOIN (SELECT CAST($2 AS TEXT) AS name UNION SELECT CAST($3 AS TEXT)) lane",
    )
    .bind(claim.now_ms)
    .bind(claim.lanes[0].as_str())
    .bind(claim.lanes[1].as_str())
    .fetch_all(&mut *db)
    .await?;
    let heads: Vec<String> = heads.into_iter().flatten().collect();
    if heads.is_empty() {
        return Ok(None);
    }
    // As values: PostgreSQL would join a subquery with the whole queue.
    let places: Vec<String> = (4..heads.len() + 4).map(|number| format!("${number}")).collect();
    let statement = format!(
        "SELECT job.id FROM job
          WHERE job.id IN ({})
            AND ($2 = 0 OR $2 > (SELECT COUNT(*) FROM job r
                                  WHERE r.state = 'running' AND r.lane IN ('look', 'light', 'heavy')
                                    AND r.library = job.library))
          ORDER BY job.priority - ($1 - job.created_ms) / $3,
                   (SELECT COUNT(*) FROM job r
                     WHERE r.state = 'running' AND r.lane = job.lane AND r.library = job.library),
                   (SELECT COALESCE(MAX(s.begun_ms), 0) FROM job s
                     WHERE s.library = job.library AND s.lane = job.lane),
                   job.turn, job.id
          LIMIT 1",
        places.join(", ")
    );
    let mut query = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
        .bind(claim.now_ms)
        .bind(claim.max_library_jobs)
        .bind(AGE_MS);
    for head in heads {
        query = query.bind(head);
    }
    Ok(query.fetch_optional(db).await?)
}

/// Takes the job `id`, unless another was quicker.
async fn take(db: &mut AnyConnection, claim: &Claim, id: &str) -> Result<Option<Job>> {
    let row: Option<Row> = sqlx::query_as(
        "UPDATE job
            SET state = 'running', attempts = attempts + 1, progress = 0, begun_ms = $2,
                lease = $3, leased_until_ms = $2 + $4
          WHERE id = $1 AND state = 'queued'
            AND ($5 = 0 OR $5 > (SELECT COUNT(*) FROM job r
                                  WHERE r.state = 'running' AND r.lane IN ('look', 'light', 'heavy')
                                    AND r.library = job.library))
      RETURNING id, kind, resource, payload, attempts, lease",
    )
    .bind(id)
    .bind(claim.now_ms)
    .bind(uuid::Uuid::new_v4().simple().to_string())
    .bind(claim.lease_ms)
    .bind(claim.max_library_jobs)
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

/// Marks a held job as done as of `now_ms`.
///
/// # Errors
///
/// Those of the database.
pub async fn finish(db: &mut AnyConnection, job: &Job, now_ms: i64) -> Result<()> {
    sqlx::query(
        "UPDATE job SET state = 'done', lease = NULL, leased_until_ms = NULL, progress = 1,
                error = NULL, ended_ms = $2
          WHERE id = $1",
    )
    .bind(&job.id)
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Puts a held job back until `run_at_ms`, as if it had not been begun: it is not to blame.
///
/// # Errors
///
/// Those of the database.
pub async fn give_back(db: &mut AnyConnection, job: &Job, run_at_ms: i64) -> Result<()> {
    sqlx::query(
        "UPDATE job SET state = 'queued', lease = NULL, leased_until_ms = NULL,
                attempts = attempts - 1, run_at_ms = $3
          WHERE id = $1 AND lease = $2",
    )
    .bind(&job.id)
    .bind(&job.lease)
    .bind(run_at_ms)
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

/// Ends a held job because of `error`; it is not tried again.
///
/// # Errors
///
/// Those of the database.
pub async fn fail(db: &mut AnyConnection, job: &Job, error: &str) -> Result<()> {
    sqlx::query(
        "UPDATE job SET state = 'failed', lease = NULL, leased_until_ms = NULL, error = $2
          WHERE id = $1",
    )
    .bind(&job.id)
    .bind(error)
    .execute(db)
    .await?;
    Ok(())
}

/// Whether jobs of a resource wait or run.
///
/// # Errors
///
/// Those of the database.
pub async fn any_left(db: &mut AnyConnection, resource: ResourceId) -> Result<bool> {
    let left: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM job WHERE resource = $1 AND state IN ('queued', 'running')",
    )
    .bind(resource.to_string())
    .fetch_one(db)
    .await?;
    Ok(left > 0)
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

/// Lets the jobs of `resource`, those to come too, come sooner (less than 0) or later than
/// they would by themselves; false when there is no such resource.
///
/// # Errors
///
/// Those of the database.
pub async fn set_urgency(
    db: &mut AnyConnection,
    resource: ResourceId,
    urgency: i64,
) -> Result<bool> {
    let id = resource.to_string();
    // The resource is locked before its jobs, as everywhere.
    let found =
        sqlx::query("UPDATE resource SET urgency = urgency WHERE id = $1 AND stage <> 'deleted'")
            .bind(&id)
            .execute(&mut *db)
            .await?;
    sqlx::query(
        "UPDATE job SET priority = job.priority + $2 - r.urgency,
                turn = job.turn + ($2 - r.urgency) * $3
           FROM resource r
          WHERE r.id = $1 AND job.resource = $1 AND job.state IN ('queued', 'running')",
    )
    .bind(&id)
    .bind(urgency)
    .bind(AGE_MS)
    .execute(&mut *db)
    .await?;
    sqlx::query("UPDATE resource SET urgency = $2 WHERE id = $1")
        .bind(&id)
        .bind(urgency)
        .execute(db)
        .await?;
    Ok(found.rows_affected() == 1)
}
