//! Collections, and the resources in them.

use sqlx::{AnyConnection, FromRow};

use super::{Error, Result, parse};
use crate::catalogue::{Collection, CollectionId, LibraryId, ResourceId};

#[derive(FromRow)]
struct Row {
    id: String,
    library: String,
    title: String,
    description: String,
    ordering: String,
    made_by: String,
    version: i64,
    created_ms: i64,
    updated_ms: i64,
}

/// Adds a collection.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(db: &mut AnyConnection, collection: &Collection) -> Result<()> {
    sqlx::query(
        "INSERT INTO collection (id, library, title, description, ordering, made_by, version, created_ms, updated_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(collection.id.to_string())
    .bind(collection.library.to_string())
    .bind(&collection.title)
    .bind(&collection.description)
    .bind(collection.ordering.as_str())
    .bind(collection.made_by.to_string())
    .bind(collection.version)
    .bind(collection.created_ms)
    .bind(collection.updated_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps what was changed as of `now_ms`, and raises the version.
///
/// # Errors
///
/// Those of the database.
pub async fn save(db: &mut AnyConnection, collection: &mut Collection, now_ms: i64) -> Result<()> {
    collection.version += 1;
    collection.updated_ms = now_ms;
    sqlx::query(
        "UPDATE collection SET title = $2, description = $3, ordering = $4, version = $5, updated_ms = $6
          WHERE id = $1",
    )
    .bind(collection.id.to_string())
    .bind(&collection.title)
    .bind(&collection.description)
    .bind(collection.ordering.as_str())
    .bind(collection.version)
    .bind(collection.updated_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Removes a collection; its resources stay.
///
/// # Errors
///
/// Those of the database.
pub async fn delete(db: &mut AnyConnection, id: CollectionId) -> Result<()> {
    sqlx::query("DELETE FROM collection WHERE id = $1").bind(id.to_string()).execute(db).await?;
    Ok(())
}

/// The collection `id`.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, id: CollectionId) -> Result<Option<Collection>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM collection WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(db)
        .await?;
    row.map(Collection::try_from).transpose()
}

/// The collection `id`, with its row locked until the transaction ends.
///
/// # Errors
///
/// Those of the database.
pub async fn find_locked(db: &mut AnyConnection, id: CollectionId) -> Result<Option<Collection>> {
    let row: Option<Row> =
        sqlx::query_as("UPDATE collection SET version = version WHERE id = $1 RETURNING *")
            .bind(id.to_string())
            .fetch_optional(db)
            .await?;
    row.map(Collection::try_from).transpose()
}

/// Collections of `library`, else of all libraries, the last changed first.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection, library: Option<LibraryId>) -> Result<Vec<Collection>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM collection WHERE ($1 IS NULL OR library = $1) ORDER BY updated_ms DESC, id",
    )
    .bind(library.map(|id| id.to_string()))
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Collection::try_from).collect()
}

/// Ids of the resources in the collection `id`, as its editor put them.
///
/// # Errors
///
/// Those of the database.
pub async fn resources(db: &mut AnyConnection, id: CollectionId) -> Result<Vec<ResourceId>> {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT resource FROM collected WHERE collection = $1 ORDER BY number")
            .bind(id.to_string())
            .fetch_all(db)
            .await?;
    ids.iter().map(|id| parse("collected.resource", id)).collect()
}

/// Puts `resources` in the place of those in the collection `id`.
///
/// # Errors
///
/// Those of the database.
pub async fn set_resources(
    db: &mut AnyConnection,
    id: CollectionId,
    resources: &[ResourceId],
) -> Result<()> {
    sqlx::query("DELETE FROM collected WHERE collection = $1")
        .bind(id.to_string())
        .execute(&mut *db)
        .await?;
    for (number, resource) in (1_i64..).zip(resources) {
        sqlx::query("INSERT INTO collected (collection, number, resource) VALUES ($1, $2, $3)")
            .bind(id.to_string())
            .bind(number)
            .bind(resource.to_string())
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

impl TryFrom<Row> for Collection {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: parse("collection.id", &row.id)?,
            library: parse("collection.library", &row.library)?,
            title: row.title,
            description: row.description,
            ordering: parse("collection.ordering", &row.ordering)?,
            made_by: parse("collection.made_by", &row.made_by)?,
            version: row.version,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
        })
    }
}
