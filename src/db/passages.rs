//! Text of captions, pages, slides and pictures, for the index.

use sqlx::{AnyConnection, FromRow};

use super::Result;
use crate::catalogue::ResourceId;

/// A piece of text with its place.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Passage {
    /// When it is said, milliseconds from the start.
    pub start_ms: Option<i64>,
    /// Page it is on, or number of the slide, from 1.
    pub page: Option<i64>,
    /// The text.
    pub text: String,
}

/// Puts `passages` in the place of those that came from `origin`.
///
/// # Errors
///
/// Those of the database.
pub async fn replace(
    db: &mut AnyConnection,
    resource: ResourceId,
    origin: &str,
    passages: &[Passage],
) -> Result<()> {
    delete(db, resource, origin).await?;
    for (number, passage) in (0_i64..).zip(passages) {
        sqlx::query(
            "INSERT INTO passage (resource, origin, number, start_ms, page, text)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(resource.to_string())
        .bind(origin)
        .bind(number)
        .bind(passage.start_ms)
        .bind(passage.page)
        .bind(passage.text.replace('\0', " "))
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// The first `most` passages of `resource` that are written in pages or said, in their order.
///
/// # Errors
///
/// Those of the database.
pub async fn first(
    db: &mut AnyConnection,
    resource: ResourceId,
    most: i64,
) -> Result<Vec<Passage>> {
    Ok(sqlx::query_as(
        "SELECT start_ms, page, text FROM passage WHERE resource = $1
          ORDER BY origin, number LIMIT $2",
    )
    .bind(resource.to_string())
    .bind(most)
    .fetch_all(db)
    .await?)
}

/// Removes those that came from `origin`.
///
/// # Errors
///
/// Those of the database.
pub async fn delete(db: &mut AnyConnection, resource: ResourceId, origin: &str) -> Result<()> {
    sqlx::query("DELETE FROM passage WHERE resource = $1 AND origin = $2")
        .bind(resource.to_string())
        .bind(origin)
        .execute(db)
        .await?;
    Ok(())
}

/// Removes all of a resource but those of captions that it has.
///
/// # Errors
///
/// Those of the database.
pub async fn delete_made(db: &mut AnyConnection, resource: ResourceId) -> Result<()> {
    sqlx::query(
        "DELETE FROM passage WHERE resource = $1
            AND origin NOT IN (SELECT 'caption:' || name FROM caption WHERE resource = $1)",
    )
    .bind(resource.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// What came from `origin`, as one text; empty when there is none.
///
/// # Errors
///
/// Those of the database.
pub async fn text_of(db: &mut AnyConnection, resource: ResourceId, origin: &str) -> Result<String> {
    let texts: Vec<String> = sqlx::query_scalar(
        "SELECT text FROM passage WHERE resource = $1 AND origin = $2 ORDER BY number",
    )
    .bind(resource.to_string())
    .bind(origin)
    .fetch_all(db)
    .await?;
    Ok(texts.join("\n"))
}

/// What pages say of themselves, by their numbers; pages without text are left out.
///
/// # Errors
///
/// Those of the database.
pub async fn texts_of_pages(
    db: &mut AnyConnection,
    resource: ResourceId,
) -> Result<Vec<(i64, String)>> {
    Ok(sqlx::query_as(
        "SELECT page, text FROM passage
          WHERE resource = $1 AND origin LIKE 'page:______' AND page IS NOT NULL ORDER BY page",
    )
    .bind(resource.to_string())
    .fetch_all(db)
    .await?)
}

/// All of a resource, in order.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<Passage>> {
    Ok(sqlx::query_as(
        "SELECT start_ms, page, text FROM passage WHERE resource = $1 ORDER BY origin, number",
    )
    .bind(resource.to_string())
    .fetch_all(db)
    .await?)
}
