//! Uploads on their way in.

use sqlx::{AnyConnection, FromRow};

use super::{Error, Result, parse};
use crate::catalogue::{AccountId, LibraryId, ResourceId, UploadId};

/// A file on its way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Its id.
    pub id: UploadId,
    /// Who sends it.
    pub account: AccountId,
    /// Where it goes.
    pub library: LibraryId,
    /// Whether bytes are still to come, all are here, or it was given up.
    pub state: State,
    /// `Upload-Concat` as it was sent, if it was (tus concatenation).
    pub concat: Option<String>,
    /// Name of the file.
    pub file_name: String,
    /// `Upload-Metadata` as it was sent.
    pub metadata: String,
    /// Bytes in all.
    pub length_bytes: i64,
    /// Bytes that are safe.
    pub offset_bytes: i64,
    /// The first of them, which are pieces in the bucket.
    pub piece_bytes: i64,
    /// State of the hash over them; `None`: they are hashed when all are here.
    pub hashed: Option<String>,
    /// What it became.
    pub resource: Option<ResourceId>,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// When it is given up unless more comes, Unix milliseconds.
    pub expires_ms: i64,
}

impl Upload {
    /// Whether it is a part, to be joined with others.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.concat.as_deref() == Some("partial")
    }

    /// Whether it waits for its client: for more bytes, or to be joined with others.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == State::Receiving || self.state == State::Complete && self.is_part()
    }
}

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Bytes are still to come.
    Receiving,
    /// All bytes are here.
    Complete,
    /// Given up, or used as part of another.
    Ended,
}

#[derive(FromRow)]
struct Row {
    id: String,
    account: String,
    library: String,
    state: String,
    concat: Option<String>,
    file_name: String,
    metadata: String,
    length_bytes: i64,
    offset_bytes: i64,
    piece_bytes: i64,
    hashed: Option<String>,
    resource: Option<String>,
    created_ms: i64,
    expires_ms: i64,
}

/// Adds an upload.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(db: &mut AnyConnection, upload: &Upload) -> Result<()> {
    sqlx::query(
        "INSERT INTO upload (id, account, library, state, concat, file_name, metadata,
             length_bytes, offset_bytes, resource, created_ms, expires_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(upload.id.to_string())
    .bind(upload.account.to_string())
    .bind(upload.library.to_string())
    .bind(state(upload.state))
    .bind(upload.concat.as_deref())
    .bind(&upload.file_name)
    .bind(&upload.metadata)
    .bind(upload.length_bytes)
    .bind(upload.offset_bytes)
    .bind(upload.resource.map(|id| id.to_string()))
    .bind(upload.created_ms)
    .bind(upload.expires_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps how far `upload` is.
///
/// # Errors
///
/// Those of the database.
pub async fn save(db: &mut AnyConnection, upload: &Upload) -> Result<()> {
    sqlx::query(
        "UPDATE upload SET state = $2, offset_bytes = $3, hashed = $4, resource = $5, expires_ms = $6, piece_bytes = $7
          WHERE id = $1",
    )
    .bind(upload.id.to_string())
    .bind(state(upload.state))
    .bind(upload.offset_bytes)
    .bind(upload.hashed.as_deref())
    .bind(upload.resource.map(|id| id.to_string()))
    .bind(upload.expires_ms)
    .bind(upload.piece_bytes)
    .execute(db)
    .await?;
    Ok(())
}

/// The upload `id`.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, id: UploadId) -> Result<Option<Upload>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM upload WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(db)
        .await?;
    row.map(Upload::try_from).transpose()
}

/// The upload that became `resource`.
///
/// # Errors
///
/// Those of the database.
pub async fn find_by_resource(
    db: &mut AnyConnection,
    resource: ResourceId,
) -> Result<Option<Upload>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM upload WHERE resource = $1")
        .bind(resource.to_string())
        .fetch_optional(db)
        .await?;
    row.map(Upload::try_from).transpose()
}

/// Open uploads that ran out before `now_ms`.
///
/// # Errors
///
/// Those of the database.
pub async fn list_expired(db: &mut AnyConnection, now_ms: i64) -> Result<Vec<Upload>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM upload
          WHERE (state = 'receiving' OR (state = 'complete' AND concat = 'partial'))
            AND expires_ms < $1 LIMIT 100",
    )
    .bind(now_ms)
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Upload::try_from).collect()
}

/// Uploads that were given up and have pieces in the bucket still.
///
/// # Errors
///
/// Those of the database.
pub async fn list_left(db: &mut AnyConnection) -> Result<Vec<Upload>> {
    let left = "SELECT * FROM upload WHERE state = 'ended' AND piece_bytes > 0 LIMIT 100";
    let rows: Vec<Row> = sqlx::query_as(left).fetch_all(db).await?;
    rows.into_iter().map(Upload::try_from).collect()
}

/// Uploads whose bytes are needed: open ones, and those whose resource has no source yet.
///
/// # Errors
///
/// Those of the database.
pub async fn list_needed(db: &mut AnyConnection) -> Result<Vec<Upload>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT u.* FROM upload u LEFT JOIN resource r ON r.id = u.resource
          WHERE u.state <> 'ended' AND (r.id IS NULL OR (r.source IS NULL AND r.stage <> 'deleted'))",
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Upload::try_from).collect()
}

impl TryFrom<Row> for Upload {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: parse("upload.id", &row.id)?,
            account: parse("upload.account", &row.account)?,
            library: parse("upload.library", &row.library)?,
            state: match row.state.as_str() {
                "receiving" => State::Receiving,
                "complete" => State::Complete,
                "ended" => State::Ended,
                _ => return Err(Error::Row { what: "upload.state", value: row.state }),
            },
            concat: row.concat,
            file_name: row.file_name,
            metadata: row.metadata,
            length_bytes: row.length_bytes,
            offset_bytes: row.offset_bytes,
            piece_bytes: row.piece_bytes,
            hashed: row.hashed,
            resource: row.resource.map(|id| parse("upload.resource", &id)).transpose()?,
            created_ms: row.created_ms,
            expires_ms: row.expires_ms,
        })
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Receiving => "receiving",
        State::Complete => "complete",
        State::Ended => "ended",
    }
}
