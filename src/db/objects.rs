//! What the store should hold.

use sqlx::{AnyConnection, FromRow};

use super::Result;
use crate::catalogue::{ResourceId, Sha256, UploadId};
use crate::store::Stored;

/// An object that is in the store.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Object {
    /// Where it is.
    pub key: String,
    /// Its size.
    pub size_bytes: i64,
    /// Its hash, hexadecimal.
    pub sha256: String,
    /// Whose it is: a resource's, or, of a piece, an upload's; `None` for a source.
    pub resource: Option<String>,
}

/// Names an object that is durable in the store. A second time changes nothing.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(
    db: &mut AnyConnection,
    key: &str,
    size_bytes: i64,
    sha256: Sha256,
    resource: Option<ResourceId>,
    now_ms: i64,
) -> Result<()> {
    let resource = resource.map(|id| id.to_string());
    name(db, key, &Stored { size_bytes, sha256 }, resource, now_ms).await
}

/// The same for a piece of `upload`.
///
/// # Errors
///
/// Those of the database.
pub async fn insert_piece(
    db: &mut AnyConnection,
    upload: UploadId,
    key: &str,
    stored: &Stored,
    now_ms: i64,
) -> Result<()> {
    name(db, key, stored, Some(upload.to_string()), now_ms).await
}

async fn name(
    db: &mut AnyConnection,
    key: &str,
    stored: &Stored,
    whose: Option<String>,
    now_ms: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO object (key, size_bytes, sha256, resource, created_ms)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key) DO NOTHING",
    )
    .bind(key)
    .bind(stored.size_bytes)
    .bind(stored.sha256.to_string())
    .bind(whose)
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// The pieces of `upload`, one behind another.
///
/// # Errors
///
/// Those of the database.
pub async fn list_pieces(db: &mut AnyConnection, upload: UploadId) -> Result<Vec<Object>> {
    Ok(sqlx::query_as(
        "SELECT key, size_bytes, sha256, resource FROM object WHERE resource = $1 ORDER BY key",
    )
    .bind(upload.to_string())
    .fetch_all(db)
    .await?)
}

/// Forgets the pieces of `upload`.
///
/// # Errors
///
/// Those of the database.
pub async fn delete_pieces(db: &mut AnyConnection, upload: UploadId) -> Result<()> {
    sqlx::query("DELETE FROM object WHERE resource = $1")
        .bind(upload.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// The object at `key`.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, key: &str) -> Result<Option<Object>> {
    Ok(sqlx::query_as("SELECT key, size_bytes, sha256, resource FROM object WHERE key = $1")
        .bind(key)
        .fetch_optional(db)
        .await?)
}

/// Up to `limit` objects after the key `after`, in the order of keys.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection, after: &str, limit: i64) -> Result<Vec<Object>> {
    Ok(sqlx::query_as(
        "SELECT key, size_bytes, sha256, resource FROM object WHERE key > $1 ORDER BY key LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(db)
    .await?)
}

/// How many objects there are, and their bytes.
///
/// # Errors
///
/// Those of the database.
pub async fn total(db: &mut AnyConnection) -> Result<(i64, i64)> {
    let total = "SELECT COUNT(*), CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM object";
    Ok(sqlx::query_as(total).fetch_one(db).await?)
}

/// Keys of a resource's objects.
///
/// # Errors
///
/// Those of the database.
pub async fn keys_of(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar("SELECT key FROM object WHERE resource = $1")
        .bind(resource.to_string())
        .fetch_all(db)
        .await?)
}

/// Forgets the object at `key`.
///
/// # Errors
///
/// Those of the database.
pub async fn delete(db: &mut AnyConnection, key: &str) -> Result<()> {
    sqlx::query("DELETE FROM object WHERE key = $1").bind(key).execute(db).await?;
    Ok(())
}

/// Forgets all objects of a resource but captions that it has; its source is not one of them.
///
/// # Errors
///
/// Those of the database.
pub async fn delete_made(db: &mut AnyConnection, resource: ResourceId) -> Result<()> {
    sqlx::query(
        "DELETE FROM object WHERE resource = $1
            AND key NOT IN (SELECT key FROM caption WHERE resource = $1)",
    )
    .bind(resource.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// Sources that no resource uses.
///
/// # Errors
///
/// Those of the database.
pub async fn unused_sources(db: &mut AnyConnection) -> Result<Vec<Object>> {
    Ok(sqlx::query_as(
        "SELECT key, size_bytes, sha256, resource FROM object
          WHERE resource IS NULL AND sha256 NOT IN (SELECT source FROM resource WHERE source IS NOT NULL)",
    )
    .fetch_all(db)
    .await?)
}
