//! Jobs as people see them: those of a resource, those of all, how many there are, what comes
//! before.

use sqlx::{AnyConnection, FromRow};

use super::super::Result;
use super::super::people::pattern;
use crate::catalogue::ResourceId;

/// What is known of a resource's jobs.
#[derive(Debug, Clone, FromRow)]
pub struct JobState {
    /// Which step.
    pub kind: String,
    /// look, light or heavy.
    pub lane: String,
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
    /// When the last attempt began, Unix milliseconds.
    pub begun_ms: Option<i64>,
    /// When it was done, Unix milliseconds.
    pub ended_ms: Option<i64>,
}

/// A job in a list over all resources.
#[derive(Debug, Clone, FromRow)]
pub struct JobRow {
    /// Its id.
    pub id: String,
    /// Of which resource.
    pub resource: String,
    /// Slug of the library.
    pub library: String,
    /// Title of the resource.
    pub title: String,
    /// Which step.
    pub kind: String,
    /// look, light or heavy.
    pub lane: String,
    /// queued, running, done or failed.
    pub state: String,
    /// Lower first.
    pub priority: i64,
    /// How often it was begun.
    pub attempts: i64,
    /// Not before, Unix milliseconds.
    pub run_at_ms: i64,
    /// 0 to 1.
    pub progress: f64,
    /// Of the last attempt.
    pub error: Option<String>,
    /// When it was pushed, Unix milliseconds.
    pub created_ms: i64,
}

/// Which jobs to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In this state; `None`: in any but done.
    pub state: Option<String>,
    /// Those that are done too.
    pub all: bool,
    /// Of this resource.
    pub resource: Option<ResourceId>,
    /// In the title, the library's name, the step or the error.
    pub words: Option<String>,
}

/// Heavy work that is queued with a resource's own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ahead {
    /// Weight of what its library has queued up to its last job, its own jobs among it.
    pub own_library: f64,
    /// Weight of what each other library has queued up to there.
    pub others: Vec<f64>,
    /// Heavy jobs that run now.
    pub running: i64,
}

/// What is known of a resource's jobs, in the order they were pushed.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<JobState>> {
    Ok(sqlx::query_as(
        "SELECT kind, lane, state, attempts, run_at_ms, progress, weight, error, begun_ms, ended_ms
           FROM job WHERE resource = $1 ORDER BY id",
    )
    .bind(resource.to_string())
    .fetch_all(db)
    .await?)
}

macro_rules! matching {
    ($select:literal, $end:literal) => {
        concat!(
            $select,
            " FROM job j JOIN resource r ON r.id = j.resource JOIN library l ON l.id = j.library
              WHERE j.id > $1 AND ($2 IS NULL OR j.state = $2)
                AND ($2 IS NOT NULL OR $3 = 1 OR j.state IN ('queued', 'running', 'failed'))
                AND ($4 IS NULL OR j.resource = $4)
                AND ($5 IS NULL OR lower(r.title) LIKE $5 ESCAPE '!'
                     OR lower(l.name) LIKE $5 ESCAPE '!' OR l.slug LIKE $5 ESCAPE '!'
                     OR j.kind LIKE $5 ESCAPE '!' OR lower(j.error) LIKE $5 ESCAPE '!') ",
            $end
        )
    };
}

macro_rules! filtered {
    ($query:expr, $filter:expr, $after:expr) => {
        $query
            .bind($after)
            .bind($filter.state.as_deref())
            .bind(i64::from($filter.all))
            .bind($filter.resource.map(|id| id.to_string()))
            .bind($filter.words.as_deref().map(pattern))
    };
}

/// Of the jobs over all resources that were pushed after the job `after`, the oldest first: `limit`
/// from `offset` on.
///
/// # Errors
///
/// Those of the database.
pub async fn list_all(
    db: &mut AnyConnection,
    filter: &Filter,
    after: &str,
    (offset, limit): (i64, i64),
) -> Result<Vec<JobRow>> {
    let rows = sqlx::query_as(matching!(
        "SELECT j.id, j.resource, l.slug AS library, r.title, j.kind, j.lane, j.state, j.priority,
                j.attempts, j.run_at_ms, j.progress, j.error, j.created_ms",
        "ORDER BY j.id LIMIT $6 OFFSET $7"
    ));
    Ok(filtered!(rows, filter, after).bind(limit).bind(offset).fetch_all(db).await?)
}

/// How many jobs match.
///
/// # Errors
///
/// Those of the database.
pub async fn count_all(db: &mut AnyConnection, filter: &Filter) -> Result<i64> {
    let count = sqlx::query_scalar(matching!("SELECT COUNT(*)", ""));
    Ok(filtered!(count, filter, "").fetch_one(db).await?)
}

/// How many jobs wait or run, by lane and state; none: it is left out.
///
/// # Errors
///
/// Those of the database.
pub async fn counts(db: &mut AnyConnection) -> Result<Vec<(String, String, i64)>> {
    Ok(sqlx::query_as(
        "SELECT lane, state, COUNT(*) FROM job WHERE state IN ('queued', 'running')
          GROUP BY lane, state",
    )
    .fetch_all(db)
    .await?)
}

/// Heavy work whose turn comes with or before the last heavy job of `resource` that is queued.
///
/// # Errors
///
/// Those of the database.
pub async fn ahead(db: &mut AnyConnection, resource: ResourceId) -> Result<Ahead> {
    let libraries: Vec<(i64, f64)> = sqlx::query_as(
        "SELECT CAST(CASE WHEN library = (SELECT library FROM resource WHERE id = $1)
                          THEN 1 ELSE 0 END AS BIGINT),
                CAST(SUM(weight) AS DOUBLE PRECISION)
           FROM job
          WHERE state = 'queued' AND lane = 'heavy'
            AND turn <= (SELECT MAX(CASE WHEN state = 'queued' AND lane = 'heavy' THEN turn END)
                           FROM job WHERE resource = $1)
          GROUP BY library",
    )
    .bind(resource.to_string())
    .fetch_all(&mut *db)
    .await?;
    let running: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM job WHERE state = 'running' AND lane = 'heavy'")
            .fetch_one(db)
            .await?;
    let of = |own: i64| libraries.iter().filter(move |(is, _)| *is == own).map(|(_, w)| *w);
    Ok(Ahead { own_library: of(1).sum(), others: of(0).collect(), running })
}

/// How many resources are processed that came before `resource`.
///
/// # Errors
///
/// Those of the database.
pub async fn count_ahead(db: &mut AnyConnection, resource: ResourceId) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "SELECT COUNT(*) FROM resource
          WHERE stage = 'processing'
            AND created_ms < (SELECT created_ms FROM resource WHERE id = $1)",
    )
    .bind(resource.to_string())
    .fetch_one(db)
    .await?)
}
