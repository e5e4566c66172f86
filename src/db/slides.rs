//! Slides inside videos.

use sqlx::AnyConnection;

use super::Result;
use crate::catalogue::{ResourceId, Slide};

/// The origin of the passage of a slide's text.
#[must_use]
pub fn origin(number: i64) -> String {
    format!("slide:{number:06}")
}

/// Puts `slides` in the place of those that a resource has; gives the keys of the pictures that no
/// slide shows any more. Texts are passages, and stay as they are.
///
/// # Errors
///
/// Those of the database.
pub async fn replace(
    db: &mut AnyConnection,
    resource: ResourceId,
    slides: &[Slide],
) -> Result<Vec<String>> {
    let mut before: Vec<String> =
        sqlx::query_scalar("DELETE FROM slide WHERE resource = $1 RETURNING image")
            .bind(resource.to_string())
            .fetch_all(&mut *db)
            .await?;
    for slide in slides {
        sqlx::query(
            "INSERT INTO slide (resource, number, start_ms, end_ms, width, height, image)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(resource.to_string())
        .bind(slide.number)
        .bind(slide.start_ms)
        .bind(slide.end_ms)
        .bind(slide.width)
        .bind(slide.height)
        .bind(&slide.image)
        .execute(&mut *db)
        .await?;
    }
    before.retain(|key| slides.iter().all(|slide| slide.image != *key));
    Ok(before)
}

/// The slides of a resource, in order.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<Slide>> {
    let rows: Vec<(i64, i64, i64, i64, i64, String, String)> = sqlx::query_as(
        "SELECT s.number, s.start_ms, s.end_ms, s.width, s.height, s.image, COALESCE(p.text, '')
           FROM slide s
           LEFT JOIN passage p ON p.resource = s.resource AND p.page = s.number
                AND p.origin LIKE 'slide:%'
          WHERE s.resource = $1 ORDER BY s.number",
    )
    .bind(resource.to_string())
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(number, start_ms, end_ms, width, height, image, text)| Slide {
            number,
            start_ms,
            end_ms,
            width,
            height,
            image,
            text,
        })
        .collect())
}
