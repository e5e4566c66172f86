//! Resources. Every change of one gets the next number, which the index follows.

mod changes;
mod titles;

use sqlx::{AnyConnection, FromRow};

pub use changes::{list_changed, list_changes, touch_library};
pub use titles::{TitleQuery, find_by_title, find_in_library};

use super::vouchers::{particulars_json, read_particulars};
use super::{Error, Result, parse, parse_json, settings, to_json};
use crate::catalogue::{Details, Kind, LibraryId, Resource, ResourceId, Sha256};

#[derive(FromRow)]
struct Row {
    id: String,
    library: String,
    kind: String,
    stage: String,
    title: String,
    description: String,
    language: Option<String>,
    author: String,
    licence: String,
    topics: String,
    audiences: String,
    particulars: String,
    local_mark: Option<String>,
    uploaded_by: String,
    file_name: String,
    media_type: String,
    size_bytes: i64,
    source: Option<String>,
    duration_ms: Option<i64>,
    pages: Option<i64>,
    width: Option<i64>,
    height: Option<i64>,
    plan: Option<String>,
    doing: String,
    progress: f64,
    jobs_left: i64,
    failure: Option<String>,
    failure_info: Option<String>,
    warnings: String,
    poster: Option<String>,
    derived: String,
    ticket_epoch: i64,
    changed: i64,
    created_ms: i64,
    updated_ms: i64,
    published_ms: Option<i64>,
}

/// Which resources to list; `None` takes any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this library.
    pub library: Option<LibraryId>,
    /// Of this kind.
    pub kind: Option<String>,
    /// In this stage.
    pub stage: Option<String>,
    /// Uploaded by this account.
    pub uploaded_by: Option<String>,
    /// Published, or uploaded by this account.
    pub seen_by: Option<String>,
    /// Only in public libraries.
    pub public_only: bool,
}

/// What [`Filter`] takes, in the order of its fields.
const CONDITION: &str = "r.stage <> 'deleted'
            AND ($1 IS NULL OR r.library = $1) AND ($2 IS NULL OR r.kind = $2)
            AND ($3 IS NULL OR r.stage = $3) AND ($4 IS NULL OR r.uploaded_by = $4)
            AND ($5 = 0 OR r.library IN (SELECT id FROM library WHERE visibility = 'public'))
            AND ($6 IS NULL OR r.stage = 'published' OR r.uploaded_by = $6)";

/// Adds a resource and numbers the change.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(db: &mut AnyConnection, resource: &mut Resource) -> Result<()> {
    resource.changed = settings::next_change(&mut *db).await?;
    sqlx::query(
        "INSERT INTO resource (id, library, kind, stage, title, description, language, author,
             licence, topics, audiences, uploaded_by, file_name, media_type, size_bytes, doing,
             progress, jobs_left, warnings, derived, ticket_epoch, changed, created_ms, updated_ms,
             particulars, local_mark)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, $17, '[]', '{}', 0, $18, $19, $19, $20, $21)",
    )
    .bind(resource.id.to_string())
    .bind(resource.library.to_string())
    .bind(resource.kind.as_str())
    .bind(resource.stage.as_str())
    .bind(&resource.details.title)
    .bind(&resource.details.description)
    .bind(resource.details.language.as_deref())
    .bind(&resource.details.author)
    .bind(&resource.details.licence)
    .bind(to_json(&resource.details.topics))
    .bind(to_json(&resource.details.audiences))
    .bind(resource.uploaded_by.to_string())
    .bind(&resource.file_name)
    .bind(&resource.media_type)
    .bind(resource.size_bytes)
    .bind(&resource.doing)
    .bind(resource.jobs_left)
    .bind(resource.changed)
    .bind(resource.created_ms)
    .bind(particulars_json(&resource.details.particulars))
    .bind(resource.details.particulars.local.as_ref().map(to_json))
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps every field of `resource` as of `now_ms` and numbers the change.
///
/// # Errors
///
/// Those of the database.
pub async fn save(db: &mut AnyConnection, resource: &mut Resource, now_ms: i64) -> Result<()> {
    resource.changed = settings::next_change(&mut *db).await?;
    resource.updated_ms = now_ms;
    sqlx::query(
        "UPDATE resource SET kind = $2, stage = $3, title = $4, description = $5, language = $6,
                author = $7, licence = $8, topics = $9, audiences = $10, media_type = $11,
                size_bytes = $12, source = $13, duration_ms = $14, pages = $15, width = $16,
                height = $17, plan = $18, doing = $19, progress = $20, jobs_left = $21,
                failure = $22, failure_info = $23, warnings = $24, poster = $25, derived = $26,
                ticket_epoch = $27, changed = $28, updated_ms = $29, published_ms = $30,
                file_name = $31, particulars = $32, local_mark = $33
          WHERE id = $1",
    )
    .bind(resource.id.to_string())
    .bind(resource.kind.as_str())
    .bind(resource.stage.as_str())
    .bind(&resource.details.title)
    .bind(&resource.details.description)
    .bind(resource.details.language.as_deref())
    .bind(&resource.details.author)
    .bind(&resource.details.licence)
    .bind(to_json(&resource.details.topics))
    .bind(to_json(&resource.details.audiences))
    .bind(&resource.media_type)
    .bind(resource.size_bytes)
    .bind(resource.source.map(|hash| hash.to_string()))
    .bind(resource.duration_ms)
    .bind(resource.pages)
    .bind(resource.width)
    .bind(resource.height)
    .bind(resource.plan.as_deref())
    .bind(&resource.doing)
    .bind(resource.progress)
    .bind(resource.jobs_left)
    .bind(resource.failure.as_deref())
    .bind(resource.failure_info.as_deref())
    .bind(to_json(&resource.warnings))
    .bind(resource.poster.as_deref())
    .bind(to_json(&resource.derived))
    .bind(resource.ticket_epoch)
    .bind(resource.changed)
    .bind(resource.updated_ms)
    .bind(resource.published_ms)
    .bind(&resource.file_name)
    .bind(particulars_json(&resource.details.particulars))
    .bind(resource.details.particulars.local.as_ref().map(to_json))
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps how far the pipeline is, which never goes back; not a change that the index follows.
///
/// # Errors
///
/// Those of the database.
pub async fn set_progress(
    db: &mut AnyConnection,
    id: ResourceId,
    doing: &str,
    progress: f64,
) -> Result<()> {
    sqlx::query(
        "UPDATE resource SET doing = $2, progress = CASE WHEN progress > $3 THEN progress ELSE $3 END
          WHERE id = $1 AND stage = 'processing'",
    )
    .bind(id.to_string())
    .bind(doing)
    .bind(progress)
    .execute(db)
    .await?;
    Ok(())
}

/// The resource `id`, unless it is deleted.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, id: ResourceId) -> Result<Option<Resource>> {
    let row: Option<Row> =
        sqlx::query_as("SELECT * FROM resource WHERE id = $1 AND stage <> 'deleted'")
            .bind(id.to_string())
            .fetch_optional(db)
            .await?;
    row.map(Resource::try_from).transpose()
}

/// The resource `id`, which must be there, with its row locked until the transaction ends.
///
/// # Errors
///
/// Those of the database.
pub async fn get_locked(db: &mut AnyConnection, id: ResourceId) -> Result<Resource> {
    let row: Row =
        sqlx::query_as("UPDATE resource SET changed = changed WHERE id = $1 RETURNING *")
            .bind(id.to_string())
            .fetch_one(db)
            .await?;
    row.try_into()
}

/// A page of resources, newest first, and how many there are in all.
///
/// # Errors
///
/// Those of the database.
pub async fn list(
    db: &mut AnyConnection,
    filter: &Filter,
    offset: i64,
    limit: i64,
) -> Result<(i64, Vec<Resource>)> {
    let library = filter.library.map(|id| id.to_string());
    let bind = (
        library.as_deref(),
        filter.kind.as_deref(),
        filter.stage.as_deref(),
        filter.uploaded_by.as_deref(),
        i64::from(filter.public_only),
        filter.seen_by.as_deref(),
    );
    let total: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "SELECT COUNT(*) FROM resource r WHERE {CONDITION}"
    )))
    .bind(bind.0)
    .bind(bind.1)
    .bind(bind.2)
    .bind(bind.3)
    .bind(bind.4)
    .bind(bind.5)
    .fetch_one(&mut *db)
    .await?;
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT r.* FROM resource r WHERE {CONDITION}
          ORDER BY COALESCE(r.published_ms, r.created_ms) DESC, r.id DESC LIMIT $7 OFFSET $8"
    )))
    .bind(bind.0)
    .bind(bind.1)
    .bind(bind.2)
    .bind(bind.3)
    .bind(bind.4)
    .bind(bind.5)
    .bind(limit)
    .bind(offset)
    .fetch_all(db)
    .await?;
    Ok((total, rows.into_iter().map(Resource::try_from).collect::<Result<_>>()?))
}

/// At most `limit` resources after the one of the id `after`, in the order of their ids: how all of
/// them are gone through without holding them.
///
/// # Errors
///
/// Those of the database.
pub async fn list_after(
    db: &mut AnyConnection,
    filter: &Filter,
    after: Option<ResourceId>,
    limit: i64,
) -> Result<Vec<Resource>> {
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT r.* FROM resource r WHERE {CONDITION} AND r.id > $7 ORDER BY r.id LIMIT $8"
    )))
    .bind(filter.library.map(|id| id.to_string()))
    .bind(&filter.kind)
    .bind(&filter.stage)
    .bind(&filter.uploaded_by)
    .bind(i64::from(filter.public_only))
    .bind(&filter.seen_by)
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Resource::try_from).collect()
}

/// Published resources of `library`, of one kind or of all, newest first; `offset` are left out, and
/// at most `limit` are given.
///
/// # Errors
///
/// Those of the database.
pub async fn list_newest(
    db: &mut AnyConnection,
    library: LibraryId,
    kind: Option<Kind>,
    (offset, limit): (i64, i64),
) -> Result<Vec<Resource>> {
    // By the library's index alone: with the stage to choose by, SQLite sorts all of the library.
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM resource WHERE library = $1 AND published_ms IS NOT NULL AND ($2 IS NULL OR kind = $2)
          ORDER BY published_ms DESC, id DESC LIMIT $3 OFFSET $4",
    )
    .bind(library.to_string())
    .bind(kind.map(Kind::as_str))
    .bind(limit)
    .bind(offset)
    .fetch_all(db)
    .await?;
    let published = rows.into_iter().filter(|row| row.stage == "published");
    published.map(Resource::try_from).collect()
}

/// How many published resources each library has, by its id; none: it is left out.
///
/// # Errors
///
/// Those of the database.
pub async fn count_published(db: &mut AnyConnection) -> Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as(
        "SELECT library, COUNT(*) FROM resource WHERE stage = 'published' GROUP BY library",
    )
    .fetch_all(db)
    .await?)
}

/// A resource of `library` made from the source `hash`, if there is one; one that did not fail first.
///
/// # Errors
///
/// Those of the database.
pub async fn find_by_source(
    db: &mut AnyConnection,
    library: LibraryId,
    hash: Sha256,
) -> Result<Option<Resource>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT * FROM resource WHERE library = $1 AND source = $2 AND stage <> 'deleted'
          ORDER BY CASE WHEN stage = 'failed' THEN 1 ELSE 0 END, id LIMIT 1",
    )
    .bind(library.to_string())
    .bind(hash.to_string())
    .fetch_optional(db)
    .await?;
    row.map(Resource::try_from).transpose()
}

/// Ids of all that everybody may see.
///
/// # Errors
///
/// Those of the database.
pub async fn public_ids(db: &mut AnyConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT r.id FROM resource r JOIN library l ON l.id = r.library
          WHERE r.stage = 'published' AND l.visibility = 'public' ORDER BY r.id",
    )
    .fetch_all(db)
    .await?)
}

/// Those of the resources `ids` that everybody may see, in no order.
///
/// # Errors
///
/// Those of the database.
pub async fn list_public(db: &mut AnyConnection, ids: &[String]) -> Result<Vec<Resource>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = rows_of(&mut *db, ids).await?;
    let libraries: Vec<String> =
        sqlx::query_scalar("SELECT id FROM library WHERE visibility = 'public'")
            .fetch_all(db)
            .await?;
    let is_public = |row: &Row| row.stage == "published" && libraries.contains(&row.library);
    rows.into_iter().filter(is_public).map(Resource::try_from).collect()
}

/// Those of the resources `ids` that are not deleted, in no order.
///
/// # Errors
///
/// Those of the database.
pub async fn list_these(db: &mut AnyConnection, ids: &[ResourceId]) -> Result<Vec<Resource>> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(500) {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let rows = rows_of(&mut *db, &ids).await?.into_iter();
        for row in rows.filter(|row| row.stage != "deleted") {
            found.push(row.try_into()?);
        }
    }
    Ok(found)
}

/// The rows of `ids`, of which there is one at least. By id only: with more to choose by, SQLite
/// reads all that is published.
async fn rows_of(db: &mut AnyConnection, ids: &[String]) -> Result<Vec<Row>> {
    let statement = format!("SELECT * FROM resource WHERE id IN ({})", places(1, ids.len(), ""));
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(statement));
    for id in ids {
        query = query.bind(id);
    }
    Ok(query.fetch_all(db).await?)
}

/// Those of `ids` whose resources everybody may see, in no order.
///
/// # Errors
///
/// Those of the database.
pub async fn public_among(db: &mut AnyConnection, ids: &[String]) -> Result<Vec<String>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    // The join is in this order and the stage is no column, so that SQLite looks up ids alone.
    let statement = format!(
        "SELECT resource.id FROM resource CROSS JOIN library
          WHERE resource.id IN ({}) AND library.id = resource.library
            AND resource.stage || '' = 'published' AND library.visibility || '' = 'public'",
        places(1, ids.len(), "")
    );
    let mut query = sqlx::query_scalar(sqlx::AssertSqlSafe(statement));
    for id in ids {
        query = query.bind(id);
    }
    Ok(query.fetch_all(db).await?)
}

/// `count` places for values from number `first` on, with `between` or a comma between them.
pub(super) fn places(first: usize, count: usize, between: &str) -> String {
    let between = if between.is_empty() { ", " } else { between };
    (first..first + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(between)
}

impl TryFrom<Row> for Resource {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: parse("resource.id", &row.id)?,
            library: parse("resource.library", &row.library)?,
            kind: parse("resource.kind", &row.kind)?,
            stage: parse("resource.stage", &row.stage)?,
            details: Details {
                title: row.title,
                description: row.description,
                language: row.language,
                author: row.author,
                licence: row.licence,
                topics: parse_json("resource.topics", &row.topics)?,
                audiences: parse_json("resource.audiences", &row.audiences)?,
                particulars: read_particulars(&row.particulars, row.local_mark.as_deref())?,
            },
            uploaded_by: parse("resource.uploaded_by", &row.uploaded_by)?,
            file_name: row.file_name,
            media_type: row.media_type,
            size_bytes: row.size_bytes,
            source: row.source.map(|hash| parse("resource.source", &hash)).transpose()?,
            duration_ms: row.duration_ms,
            pages: row.pages,
            width: row.width,
            height: row.height,
            plan: row.plan,
            doing: row.doing,
            progress: row.progress,
            jobs_left: row.jobs_left,
            failure: row.failure,
            failure_info: row.failure_info,
            warnings: parse_json("resource.warnings", &row.warnings)?,
            poster: row.poster,
            derived: parse_json("resource.derived", &row.derived)?,
            ticket_epoch: row.ticket_epoch,
            changed: row.changed,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
            published_ms: row.published_ms,
        })
    }
}
