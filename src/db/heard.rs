//! What was recognised of a resource's sound so far, a row for each piece.

use sqlx::AnyConnection;

use super::{Result, parse_json, to_json};
use crate::catalogue::ResourceId;
use crate::media::captions::Cue;

/// What was recognised in a piece of sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// From 0.
    pub number: i64,
    /// Where it begins, media time.
    pub from_ms: i64,
    /// Where it ends and the next one begins, media time.
    pub end_ms: i64,
    /// BCP 47, where the engine told it.
    pub language: Option<String>,
    /// Times are from the beginning of the piece.
    pub cues: Vec<Cue>,
}

/// Keeps what was recognised in a piece.
///
/// # Errors
///
/// Those of the database.
pub async fn save(db: &mut AnyConnection, resource: ResourceId, piece: &Piece) -> Result<()> {
    sqlx::query(
        "INSERT INTO heard (resource, number, from_ms, end_ms, language, cues)
         VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (resource, number) DO UPDATE
            SET from_ms = excluded.from_ms, end_ms = excluded.end_ms,
                language = excluded.language, cues = excluded.cues",
    )
    .bind(resource.to_string())
    .bind(piece.number)
    .bind(piece.from_ms)
    .bind(piece.end_ms)
    .bind(piece.language.as_deref())
    .bind(to_json(&piece.cues).replace("\\u0000", " "))
    .execute(db)
    .await?;
    Ok(())
}

/// The pieces that were recognised, in order.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<Piece>> {
    let rows: Vec<(i64, i64, i64, Option<String>, String)> = sqlx::query_as(
        "SELECT number, from_ms, end_ms, language, cues FROM heard WHERE resource = $1 ORDER BY number",
    )
    .bind(resource.to_string())
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(number, from_ms, end_ms, language, cues)| {
            let cues = parse_json("heard.cues", &cues)?;
            Ok(Piece { number, from_ms, end_ms, language, cues })
        })
        .collect()
}

/// How far the sound was recognised, media time.
///
/// # Errors
///
/// Those of the database.
pub async fn reached_ms(db: &mut AnyConnection, resource: ResourceId) -> Result<i64> {
    let end: Option<i64> = sqlx::query_scalar("SELECT MAX(end_ms) FROM heard WHERE resource = $1")
        .bind(resource.to_string())
        .fetch_one(db)
        .await?;
    Ok(end.unwrap_or(0))
}

/// Forgets what was recognised.
///
/// # Errors
///
/// Those of the database.
pub async fn delete(db: &mut AnyConnection, resource: ResourceId) -> Result<()> {
    sqlx::query("DELETE FROM heard WHERE resource = $1")
        .bind(resource.to_string())
        .execute(db)
        .await?;
    Ok(())
}
