//! Copies of what was harvested, and where each came from.

use sqlx::{AnyConnection, FromRow};

use super::{Result, parse};
use crate::catalogue::{AccountId, LibraryId, ResourceId};

/// A record of another repository, as far as a copy needs it; and of a copy, what it was made of.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Original {
    /// Name of the repository.
    pub name: String,
    /// Where it is opened there.
    pub home: String,
    /// Address of the file itself, where it is known.
    pub file: Option<String>,
}

/// What the harvested record `resource` can be copied from; `None` for what was not harvested.
///
/// # Errors
///
/// Those of the database.
pub async fn original(db: &mut AnyConnection, resource: ResourceId) -> Result<Option<Original>> {
    Ok(sqlx::query_as(
        "SELECT s.name, h.home, h.file FROM harvested h JOIN harvest_source s ON s.id = h.source
          WHERE h.resource = $1",
    )
    .bind(resource.to_string())
    .fetch_optional(db)
    .await?)
}

/// What `resource` was copied from; `None` for what is no copy.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, resource: ResourceId) -> Result<Option<Original>> {
    Ok(sqlx::query_as("SELECT name, home, file FROM copied WHERE resource = $1")
        .bind(resource.to_string())
        .fetch_optional(db)
        .await?)
}

/// Says that `resource` is a copy of the harvested record `origin`, made by `account`.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(
    db: &mut AnyConnection,
    resource: ResourceId,
    origin: ResourceId,
    original: &Original,
    account: AccountId,
    now_ms: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO copied (resource, origin, name, home, file, account, at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(resource.to_string())
    .bind(origin.to_string())
    .bind(&original.name)
    .bind(&original.home)
    .bind(original.file.as_deref())
    .bind(account.to_string())
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Copies of the harvested record `origin` that are there, each with its library; the oldest first.
///
/// # Errors
///
/// Those of the database.
pub async fn list_of(
    db: &mut AnyConnection,
    origin: ResourceId,
) -> Result<Vec<(ResourceId, LibraryId)>> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT r.id, r.library FROM copied c JOIN resource r ON r.id = c.resource
          WHERE c.origin = $1 AND r.stage <> 'deleted' ORDER BY c.at_ms, r.id",
    )
    .bind(origin.to_string())
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(id, library)| {
            Ok((parse("copied.resource", &id)?, parse("resource.library", &library)?))
        })
        .collect()
}
