//! Courses. Every change of one gets the next number, as those of resources do.

use sqlx::{AnyConnection, FromRow};

use super::{Error, Result, parse, parse_json, settings, to_json};
use crate::catalogue::{Course, CourseDetails, CourseId, LibraryId};

#[derive(FromRow)]
struct Row {
    id: String,
    library: String,
    stage: String,
    title: String,
    description: String,
    teachers: String,
    topics: String,
    audiences: String,
    language: Option<String>,
    licence: String,
    hours: Option<f64>,
    cover: Option<String>,
    made_by: String,
    changed: i64,
    created_ms: i64,
    updated_ms: i64,
    published_ms: Option<i64>,
}

/// Which courses to list; `None` takes any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this library.
    pub library: Option<LibraryId>,
    /// In this stage.
    pub stage: Option<String>,
    /// Published, or made by this account.
    pub seen_by: Option<String>,
    /// Made by this account.
    pub made_by: Option<String>,
    /// Only of public libraries.
    pub public_only: bool,
}

/// Adds a course and numbers the change.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(db: &mut AnyConnection, course: &mut Course) -> Result<()> {
    course.changed = settings::next_change(&mut *db).await?;
    sqlx::query(
        "INSERT INTO course (id, library, stage, title, description, teachers, topics, audiences,
             language, licence, hours, cover, made_by, changed, created_ms, updated_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)",
    )
    .bind(course.id.to_string())
    .bind(course.library.to_string())
    .bind(course.stage.as_str())
    .bind(&course.details.title)
    .bind(&course.details.description)
    .bind(&course.details.teachers)
    .bind(to_json(&course.details.topics))
    .bind(to_json(&course.details.audiences))
    .bind(course.details.language.as_deref())
    .bind(&course.details.licence)
    .bind(course.details.hours)
    .bind(course.cover.map(|id| id.to_string()))
    .bind(course.made_by.to_string())
    .bind(course.changed)
    .bind(course.created_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps every field of `course` as of `now_ms` and numbers the change.
///
/// # Errors
///
/// Those of the database.
pub async fn save(db: &mut AnyConnection, course: &mut Course, now_ms: i64) -> Result<()> {
    course.changed = settings::next_change(&mut *db).await?;
    course.updated_ms = now_ms;
    sqlx::query(
        "UPDATE course SET stage = $2, title = $3, description = $4, teachers = $5, topics = $6,
                audiences = $7, language = $8, licence = $9, hours = $10, cover = $11,
                changed = $12, updated_ms = $13, published_ms = $14
          WHERE id = $1",
    )
    .bind(course.id.to_string())
    .bind(course.stage.as_str())
    .bind(&course.details.title)
    .bind(&course.details.description)
    .bind(&course.details.teachers)
    .bind(to_json(&course.details.topics))
    .bind(to_json(&course.details.audiences))
    .bind(course.details.language.as_deref())
    .bind(&course.details.licence)
    .bind(course.details.hours)
    .bind(course.cover.map(|id| id.to_string()))
    .bind(course.changed)
    .bind(course.updated_ms)
    .bind(course.published_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// The course `id`, unless it is deleted.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, id: CourseId) -> Result<Option<Course>> {
    let row: Option<Row> =
        sqlx::query_as("SELECT * FROM course WHERE id = $1 AND stage <> 'deleted'")
            .bind(id.to_string())
            .fetch_optional(db)
            .await?;
    row.map(Course::try_from).transpose()
}

/// The course `id`, unless it is deleted, with its row locked until the transaction ends.
///
/// # Errors
///
/// Those of the database.
pub async fn find_locked(db: &mut AnyConnection, id: CourseId) -> Result<Option<Course>> {
    let row: Option<Row> = sqlx::query_as(
        "UPDATE course SET changed = changed WHERE id = $1 AND stage <> 'deleted' RETURNING *",
    )
    .bind(id.to_string())
    .fetch_optional(db)
    .await?;
    row.map(Course::try_from).transpose()
}

/// A page of courses, newest first, and how many there are in all.
///
/// # Errors
///
/// Those of the database.
pub async fn list(
    db: &mut AnyConnection,
    filter: &Filter,
    offset: i64,
    limit: i64,
) -> Result<(i64, Vec<Course>)> {
    let condition = "c.stage <> 'deleted'
            AND ($1 IS NULL OR c.library = $1) AND ($2 IS NULL OR c.stage = $2)
            AND ($3 IS NULL OR c.stage = 'published' OR c.made_by = $3)
            AND ($4 IS NULL OR c.made_by = $4)
            AND ($5 = 0 OR c.library IN (SELECT id FROM library WHERE visibility = 'public'))";
    let count = format!("SELECT COUNT(*) FROM course c WHERE {condition}");
    let page = format!(
        "SELECT c.* FROM course c WHERE {condition}
          ORDER BY COALESCE(c.published_ms, c.created_ms) DESC, c.id DESC LIMIT $6 OFFSET $7"
    );
    let library = filter.library.map(|id| id.to_string());
    let total: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
        .bind(library.as_deref())
        .bind(filter.stage.as_deref())
        .bind(filter.seen_by.as_deref())
        .bind(filter.made_by.as_deref())
        .bind(i64::from(filter.public_only))
        .fetch_one(&mut *db)
        .await?;
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(page))
        .bind(library.as_deref())
        .bind(filter.stage.as_deref())
        .bind(filter.seen_by.as_deref())
        .bind(filter.made_by.as_deref())
        .bind(i64::from(filter.public_only))
        .bind(limit)
        .bind(offset)
        .fetch_all(db)
        .await?;
    Ok((total, rows.into_iter().map(Course::try_from).collect::<Result<_>>()?))
}

/// Ids of up to `limit` courses that were changed after the change `mark`, with the numbers of
/// their changes, in that order.
///
/// # Errors
///
/// Those of the database.
pub async fn list_changes(
    db: &mut AnyConnection,
    mark: i64,
    limit: i64,
) -> Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as(
        "SELECT id, changed FROM course WHERE changed > $1 ORDER BY changed LIMIT $2",
    )
    .bind(mark)
    .bind(limit)
    .fetch_all(db)
    .await?)
}

/// Ids of the courses that everybody may see.
///
/// # Errors
///
/// Those of the database.
pub async fn public_ids(db: &mut AnyConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT c.id FROM course c JOIN library l ON l.id = c.library
          WHERE c.stage = 'published' AND l.visibility = 'public' ORDER BY c.id",
    )
    .fetch_all(db)
    .await?)
}

/// Those of the courses `ids` that everybody may see, in no order.
///
/// # Errors
///
/// Those of the database.
pub async fn list_public(db: &mut AnyConnection, ids: &[String]) -> Result<Vec<Course>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<String> = (1..=ids.len()).map(|n| format!("${n}")).collect();
    let statement = format!(
        "SELECT c.* FROM course c JOIN library l ON l.id = c.library
          WHERE c.id IN ({}) AND c.stage = 'published' AND l.visibility = 'public'",
        places.join(", ")
    );
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(statement));
    for id in ids {
        query = query.bind(id);
    }
    let rows: Vec<Row> = query.fetch_all(db).await?;
    rows.into_iter().map(Course::try_from).collect()
}

/// Locks the rows of the courses of `library` until the transaction ends: before that of the
/// counter, as everywhere.
///
/// # Errors
///
/// Those of the database.
pub async fn lock_library(db: &mut AnyConnection, library: LibraryId) -> Result<()> {
    sqlx::query("UPDATE course SET changed = changed WHERE library = $1")
        .bind(library.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Numbers a change of every course of `library`, so that the index looks at them again; they are
/// locked.
///
/// # Errors
///
/// Those of the database.
pub async fn touch_library(db: &mut AnyConnection, library: LibraryId) -> Result<()> {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT id FROM course WHERE library = $1 ORDER BY id")
            .bind(library.to_string())
            .fetch_all(&mut *db)
            .await?;
    for id in ids {
        let changed = settings::next_change(&mut *db).await?;
        sqlx::query("UPDATE course SET changed = $2 WHERE id = $1")
            .bind(id)
            .bind(changed)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// Has `library` show the course `id` beside its own.
///
/// # Errors
///
/// Those of the database.
pub async fn list_in(
    db: &mut AnyConnection,
    id: CourseId,
    library: LibraryId,
    now_ms: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO listing (course, library, listed_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(id.to_string())
    .bind(library.to_string())
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Has `library` show the course `id` no longer; false when it did not.
///
/// # Errors
///
/// Those of the database.
pub async fn unlist(db: &mut AnyConnection, id: CourseId, library: LibraryId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM listing WHERE course = $1 AND library = $2")
        .bind(id.to_string())
        .bind(library.to_string())
        .execute(db)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Courses of other libraries that `library` shows, the last listed first: those that everybody
/// may see.
///
/// # Errors
///
/// Those of the database.
pub async fn listed_in(db: &mut AnyConnection, library: LibraryId) -> Result<Vec<Course>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT c.* FROM listing s JOIN course c ON c.id = s.course JOIN library l ON l.id = c.library
          WHERE s.library = $1 AND c.stage = 'published' AND l.visibility = 'public'
          ORDER BY s.listed_ms DESC, c.id",
    )
    .bind(library.to_string())
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Course::try_from).collect()
}

/// Ids of the libraries that show the course `id` beside their own.
///
/// # Errors
///
/// Those of the database.
pub async fn listings(db: &mut AnyConnection, id: CourseId) -> Result<Vec<LibraryId>> {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT library FROM listing WHERE course = $1 ORDER BY listed_ms")
            .bind(id.to_string())
            .fetch_all(db)
            .await?;
    ids.iter().map(|id| parse("listing.library", id)).collect()
}

impl TryFrom<Row> for Course {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: parse("course.id", &row.id)?,
            library: parse("course.library", &row.library)?,
            stage: parse("course.stage", &row.stage)?,
            details: CourseDetails {
                title: row.title,
                description: row.description,
                teachers: row.teachers,
                topics: parse_json("course.topics", &row.topics)?,
                audiences: parse_json("course.audiences", &row.audiences)?,
                language: row.language,
                licence: row.licence,
                hours: row.hours,
            },
            cover: row.cover.map(|id| parse("course.cover", &id)).transpose()?,
            made_by: parse("course.made_by", &row.made_by)?,
            changed: row.changed,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
            published_ms: row.published_ms,
        })
    }
}
