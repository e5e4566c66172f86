//! What is read in chapters: chapters and the pictures in them.

use sqlx::AnyConnection;

use super::Result;
use crate::catalogue::{BookChapter, Figure, ResourceId};

/// Keeps a chapter in the place of the one of the same number.
///
/// # Errors
///
/// Those of the database.
pub async fn save_chapter(
    db: &mut AnyConnection,
    resource: ResourceId,
    chapter: &BookChapter,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO chapter (resource, number, title, html) VALUES ($1, $2, $3, $4)
             ON CONFLICT (resource, number) DO UPDATE
            SET title = excluded.title, html = excluded.html",
    )
    .bind(resource.to_string())
    .bind(chapter.number)
    .bind(chapter.title.replace('\0', " "))
    .bind(&chapter.html)
    .execute(db)
    .await?;
    Ok(())
}

/// The chapters of a book, in order.
///
/// # Errors
///
/// Those of the database.
pub async fn list_chapters(
    db: &mut AnyConnection,
    resource: ResourceId,
) -> Result<Vec<BookChapter>> {
    let rows: Vec<(i64, String, String)> = sqlx::query_as(
        "SELECT number, title, html FROM chapter WHERE resource = $1 ORDER BY number",
    )
    .bind(resource.to_string())
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|(number, title, html)| BookChapter { number, title, html }).collect())
}

/// Keeps a picture in the place of the one of the same number.
///
/// # Errors
///
/// Those of the database.
pub async fn save_figure(
    db: &mut AnyConnection,
    resource: ResourceId,
    figure: &Figure,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO figure (resource, number, picture) VALUES ($1, $2, $3)
             ON CONFLICT (resource, number) DO UPDATE SET picture = excluded.picture",
    )
    .bind(resource.to_string())
    .bind(figure.number)
    .bind(&figure.picture)
    .execute(db)
    .await?;
    Ok(())
}

/// The pictures in a book, in order.
///
/// # Errors
///
/// Those of the database.
pub async fn list_figures(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<Figure>> {
    let rows: Vec<(i64, String)> =
        sqlx::query_as("SELECT number, picture FROM figure WHERE resource = $1 ORDER BY number")
            .bind(resource.to_string())
            .fetch_all(db)
            .await?;
    Ok(rows.into_iter().map(|(number, picture)| Figure { number, picture }).collect())
}
