//! Libraries.

use sqlx::{AnyConnection, FromRow};

use super::{Error, Result, parse, parse_json, to_json};
use crate::catalogue::{
    Host, Library, LibraryId, OrganisationId, Publishing, ResourceId, Slug, Visibility,
};

#[derive(FromRow)]
struct Row {
    id: String,
    slug: String,
    name: String,
    description: String,
    visibility: String,
    publishing: String,
    quota_bytes: Option<i64>,
    media: String,
    owner: Option<String>,
    host: Option<String>,
    licence: String,
    topics: String,
    retention_days: Option<i64>,
    look: String,
    created_ms: i64,
}

/// Adds a library.
///
/// # Errors
///
/// [`Error::is_taken`] when the slug is in use.
pub async fn insert(db: &mut AnyConnection, library: &Library) -> Result<()> {
    sqlx::query(
        "INSERT INTO library (id, slug, name, description, visibility, publishing, quota_bytes, media, owner, created_ms,
                              host, licence, topics, retention_days, look)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(library.id.to_string())
    .bind(library.slug.as_str())
    .bind(&library.name)
    .bind(&library.description)
    .bind(visibility(library.visibility))
    .bind(publishing(library.publishing))
    .bind(library.quota_bytes)
    .bind(to_json(&library.media))
    .bind(library.owner.map(|id| id.to_string()))
    .bind(library.created_ms)
    .bind(library.host.as_ref().map(Host::as_str))
    .bind(&library.licence)
    .bind(to_json(&library.topics))
    .bind(library.retention_days)
    .bind(to_json(&library.look))
    .execute(&mut *db)
    .await?;
    own(db, library.id, library.owner, library.created_ms).await
}

/// Keeps what was changed; the slug and the owner stay.
///
/// # Errors
///
/// [`Error::is_taken`] when the host is in use.
pub async fn save(db: &mut AnyConnection, library: &Library) -> Result<()> {
    sqlx::query(
        "UPDATE library SET name = $2, description = $3, visibility = $4, publishing = $5, quota_bytes = $6, media = $7,
                host = $8, licence = $9, topics = $10, retention_days = $11, look = $12
          WHERE id = $1",
    )
    .bind(library.id.to_string())
    .bind(&library.name)
    .bind(&library.description)
    .bind(visibility(library.visibility))
    .bind(publishing(library.publishing))
    .bind(library.quota_bytes)
    .bind(to_json(&library.media))
    .bind(library.host.as_ref().map(Host::as_str))
    .bind(&library.licence)
    .bind(to_json(&library.topics))
    .bind(library.retention_days)
    .bind(to_json(&library.look))
    .execute(db)
    .await?;
    Ok(())
}

/// Gives a library to `owner`, as of `now_ms`, Unix milliseconds.
///
/// # Errors
///
/// Those of the database.
pub async fn give(
    db: &mut AnyConnection,
    id: LibraryId,
    owner: Option<OrganisationId>,
    now_ms: i64,
) -> Result<()> {
    sqlx::query("UPDATE library SET owner = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(owner.map(|id| id.to_string()))
        .execute(&mut *db)
        .await?;
    own(db, id, owner, now_ms).await?;
    // Records tell of which level its owner is.
    super::resources::touch_library(db, id).await
}

async fn own(
    db: &mut AnyConnection,
    id: LibraryId,
    owner: Option<OrganisationId>,
    now_ms: i64,
) -> Result<()> {
    sqlx::query("UPDATE library_owner SET until_ms = $2 WHERE library = $1 AND until_ms IS NULL")
        .bind(id.to_string())
        .bind(now_ms)
        .execute(&mut *db)
        .await?;
    sqlx::query(
        "INSERT INTO library_owner (library, organisation, from_ms) VALUES ($1, $2, $3)
             ON CONFLICT (library, from_ms)
             DO UPDATE SET organisation = excluded.organisation, until_ms = NULL",
    )
    .bind(id.to_string())
    .bind(owner.map(|id| id.to_string()))
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// The libraries that `owner` has, oldest first.
///
/// # Errors
///
/// Those of the database.
pub async fn list_owned(db: &mut AnyConnection, owner: OrganisationId) -> Result<Vec<Library>> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT * FROM library WHERE owner = $1 ORDER BY created_ms, id")
            .bind(owner.to_string())
            .fetch_all(db)
            .await?;
    rows.into_iter().map(Library::try_from).collect()
}

/// All libraries, oldest first.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection) -> Result<Vec<Library>> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT * FROM library ORDER BY created_ms, id").fetch_all(db).await?;
    rows.into_iter().map(Library::try_from).collect()
}

/// The library in URLs as `slug`.
///
/// # Errors
///
/// Those of the database.
pub async fn find_by_slug(db: &mut AnyConnection, slug: &str) -> Result<Option<Library>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM library WHERE slug = $1")
        .bind(slug)
        .fetch_optional(db)
        .await?;
    row.map(Library::try_from).transpose()
}

/// The library whose front page is that of `host`, lower case.
///
/// # Errors
///
/// Those of the database.
pub async fn find_by_host(db: &mut AnyConnection, host: &str) -> Result<Option<Library>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM library WHERE host = $1")
        .bind(host)
        .fetch_optional(db)
        .await?;
    row.map(Library::try_from).transpose()
}

/// Bytes of the sources that came into `id` since `since_ms`, Unix milliseconds.
///
/// # Errors
///
/// Those of the database.
pub async fn added_bytes(db: &mut AnyConnection, id: LibraryId, since_ms: i64) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM resource
          WHERE library = $1 AND created_ms >= $2 AND stage <> 'deleted'",
    )
    .bind(id.to_string())
    .bind(since_ms)
    .fetch_one(db)
    .await?)
}

/// At most `most` resources that were withdrawn or failed so long before `now_ms`, Unix
/// milliseconds, that their library does not keep them any more. What somebody still has to decide
/// about stays: an appeal, a complaint, a review.
///
/// # Errors
///
/// Those of the database.
pub async fn list_outlived(
    db: &mut AnyConnection,
    now_ms: i64,
    most: i64,
) -> Result<Vec<ResourceId>> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT r.id FROM resource r JOIN library l ON l.id = r.library
          WHERE r.stage IN ('withdrawn', 'failed') AND l.retention_days IS NOT NULL
            AND r.updated_ms < $1 - l.retention_days * 86400000
            AND r.id NOT IN (SELECT resource FROM appeal WHERE state = 'open'
                             UNION ALL SELECT resource FROM complaint WHERE state = 'open'
                             UNION ALL SELECT resource FROM review WHERE state = 'open')
          ORDER BY r.updated_ms LIMIT $2",
    )
    .bind(now_ms)
    .bind(most)
    .fetch_all(db)
    .await?;
    ids.iter().map(|id| parse("resource.id", id)).collect()
}

/// Whether somebody still has to decide about `resource`: an appeal, a complaint, a review.
///
/// # Errors
///
/// Those of the database.
pub async fn is_disputed(db: &mut AnyConnection, resource: ResourceId) -> Result<bool> {
    let open: i64 = sqlx::query_scalar(
        "SELECT (SELECT COUNT(*) FROM appeal WHERE resource = $1 AND state = 'open')
              + (SELECT COUNT(*) FROM complaint WHERE resource = $1 AND state = 'open')
              + (SELECT COUNT(*) FROM review WHERE resource = $1 AND state = 'open')",
    )
    .bind(resource.to_string())
    .fetch_one(db)
    .await?;
    Ok(open > 0)
}

/// The library `id`, which must be there.
///
/// # Errors
///
/// Those of the database.
pub async fn get(db: &mut AnyConnection, id: LibraryId) -> Result<Library> {
    let row: Row = sqlx::query_as("SELECT * FROM library WHERE id = $1")
        .bind(id.to_string())
        .fetch_one(db)
        .await?;
    row.try_into()
}

/// Bytes of the sources in `id`, and of the uploads that are open.
///
/// # Errors
///
/// Those of the database.
pub async fn used_bytes(db: &mut AnyConnection, id: LibraryId) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "SELECT CAST(
            (SELECT COALESCE(SUM(size_bytes), 0) FROM resource WHERE library = $1 AND stage <> 'deleted')
          + (SELECT COALESCE(SUM(length_bytes), 0) FROM upload WHERE library = $1
                AND (state = 'receiving' OR (state = 'complete' AND concat = 'partial')))
          AS BIGINT)",
    )
    .bind(id.to_string())
    .fetch_one(db)
    .await?)
}

/// Bytes of the sources that came into `id` since `since_ms`, Unix milliseconds, and are there.
///
/// # Errors
///
/// Those of the database.
pub async fn grown_bytes(db: &mut AnyConnection, id: LibraryId, since_ms: i64) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM resource
          WHERE library = $1 AND stage <> 'deleted' AND created_ms > $2",
    )
    .bind(id.to_string())
    .bind(since_ms)
    .fetch_one(db)
    .await?)
}

impl TryFrom<Row> for Library {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: parse("library.id", &row.id)?,
            slug: parse::<Slug>("library.slug", &row.slug)?,
            name: row.name,
            description: row.description,
            visibility: match row.visibility.as_str() {
                "public" => Visibility::Public,
                "internal" => Visibility::Internal,
                _ => return Err(Error::Row { what: "library.visibility", value: row.visibility }),
            },
            publishing: match row.publishing.as_str() {
                "automatic" => Publishing::Automatic,
                "manual" => Publishing::Manual,
                _ => return Err(Error::Row { what: "library.publishing", value: row.publishing }),
            },
            quota_bytes: row.quota_bytes,
            media: parse_json("library.media", &row.media)?,
            owner: row.owner.map(|id| parse("library.owner", &id)).transpose()?,
            host: row.host.map(|host| parse("library.host", &host)).transpose()?,
            licence: row.licence,
            topics: parse_json("library.topics", &row.topics)?,
            retention_days: row.retention_days,
            look: parse_json("library.look", &row.look)?,
            created_ms: row.created_ms,
        })
    }
}

fn visibility(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Public => "public",
        Visibility::Internal => "internal",
    }
}

fn publishing(publishing: Publishing) -> &'static str {
    match publishing {
        Publishing::Automatic => "automatic",
        Publishing::Manual => "manual",
    }
}
