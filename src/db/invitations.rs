//! Invitations: links that bring somebody a role.

use sqlx::{AnyConnection, FromRow};

use super::grants::Scope;
use super::people::{Viewer, as_viewer, in_branch, pattern};
use super::{Error, Result, parse};
use crate::catalogue::{AccountId, Role};

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: String,
    /// What it brings.
    pub role: Role,
    /// Where.
    pub on: Scope,
    /// For whom it is, in words.
    pub note: String,
    /// For how many people it was made.
    pub uses: i64,
    /// How many may still come.
    pub uses_left: i64,
    /// Who made it.
    pub made_by: AccountId,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds.
    pub expires_ms: i64,
    /// When it was taken back, Unix milliseconds.
    pub revoked_ms: Option<i64>,
}

impl Invitation {
    /// Whether somebody may come by it at `now_ms`, Unix milliseconds.
    #[must_use]
    pub fn is_open(&self, now_ms: i64) -> bool {
        self.uses_left > 0 && self.revoked_ms.is_none() && self.expires_ms > now_ms
    }
}

#[derive(FromRow)]
struct Row {
    id: String,
    role: String,
    organisation: Option<String>,
    library: Option<String>,
    note: String,
    uses: i64,
    uses_left: i64,
    made_by: String,
    created_ms: i64,
    expires_ms: i64,
    revoked_ms: Option<i64>,
}

/// Keeps an invitation.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(db: &mut AnyConnection, new: &Invitation, code_hash: &str) -> Result<()> {
    let (organisation, library) = match new.on {
        Scope::Organisation(id) => (Some(id.to_string()), None),
        Scope::Library(id) => (None, Some(id.to_string())),
    };
    sqlx::query(
        "INSERT INTO invitation (id, code_hash, role, organisation, library, note, uses, uses_left, made_by, created_ms, expires_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(&new.id)
    .bind(code_hash)
    .bind(new.role.as_str())
    .bind(organisation)
    .bind(library)
    .bind(&new.note)
    .bind(new.uses)
    .bind(new.uses_left)
    .bind(new.made_by.to_string())
    .bind(new.created_ms)
    .bind(new.expires_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// The invitation whose link ends with the code of this hash.
///
/// # Errors
///
/// Those of the database.
pub async fn find_by_code(db: &mut AnyConnection, code_hash: &str) -> Result<Option<Invitation>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM invitation WHERE code_hash = $1")
        .bind(code_hash)
        .fetch_optional(db)
        .await?;
    row.map(Invitation::try_from).transpose()
}

macro_rules! matching {
    ($select:literal, $end:literal) => {
        in_branch!(concat!(
            $select,
            " FROM invitation i LEFT JOIN organisation o ON o.id = i.organisation
                   LEFT JOIN library l ON l.id = i.library
              WHERE (i.organisation IN (SELECT id FROM nodes)
                     OR i.library IN (SELECT id FROM shelves))
                AND ($4 IS NULL OR i.id = $4)
                AND ($5 IS NULL OR lower(i.note) LIKE $5 ESCAPE '!'
                     OR lower(o.name) LIKE $5 ESCAPE '!' OR lower(l.name) LIKE $5 ESCAPE '!'
                     OR l.slug LIKE $5 ESCAPE '!') ",
            $end
        ))
    };
}

/// How many invitations into the branch of `viewer` have `words` in their note or in the name of
/// where they lead, and of these `limit` from `offset` on, the last first.
///
/// # Errors
///
/// Those of the database.
pub async fn list(
    db: &mut AnyConnection,
    viewer: &Viewer,
    words: Option<&str>,
    span: (i64, i64),
) -> Result<(i64, Vec<Invitation>)> {
    let count = sqlx::query_scalar(matching!("SELECT COUNT(*)", ""));
    let count: i64 = as_viewer!(count, viewer)
        .bind(None::<String>)
        .bind(words.map(pattern))
        .fetch_one(&mut *db)
        .await?;
    Ok((count, read(db, viewer, None, words, span).await?))
}

/// The invitation `id`, when it leads into the branch of `viewer`.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, viewer: &Viewer, id: &str) -> Result<Option<Invitation>> {
    Ok(read(db, viewer, Some(id), None, (0, 1)).await?.pop())
}

async fn read(
    db: &mut AnyConnection,
    viewer: &Viewer,
    id: Option<&str>,
    words: Option<&str>,
    (offset, limit): (i64, i64),
) -> Result<Vec<Invitation>> {
    let rows = sqlx::query_as(matching!(
        "SELECT i.id, i.role, i.organisation, i.library, i.note, i.uses, i.uses_left, i.made_by,
                i.created_ms, i.expires_ms, i.revoked_ms",
        "ORDER BY i.created_ms DESC, i.id DESC LIMIT $6 OFFSET $7"
    ));
    let rows: Vec<Row> = as_viewer!(rows, viewer)
        .bind(id)
        .bind(words.map(pattern))
        .bind(limit)
        .bind(offset)
        .fetch_all(db)
        .await?;
    rows.into_iter().map(Invitation::try_from).collect()
}

/// Lets one more come by it; false when nobody may any more.
///
/// # Errors
///
/// Those of the database.
pub async fn use_once(db: &mut AnyConnection, id: &str, now_ms: i64) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE invitation SET uses_left = uses_left - 1
          WHERE id = $1 AND uses_left > 0 AND revoked_ms IS NULL AND expires_ms > $2",
    )
    .bind(id)
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Takes an invitation back, as of `now_ms`, Unix milliseconds.
///
/// # Errors
///
/// Those of the database.
pub async fn revoke(db: &mut AnyConnection, id: &str, now_ms: i64) -> Result<()> {
    sqlx::query("UPDATE invitation SET revoked_ms = $2 WHERE id = $1 AND revoked_ms IS NULL")
        .bind(id)
        .bind(now_ms)
        .execute(db)
        .await?;
    Ok(())
}

impl TryFrom<Row> for Invitation {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let on = match (&row.organisation, &row.library) {
            (Some(id), None) => Scope::Organisation(parse("invitation.organisation", id)?),
            (None, Some(id)) => Scope::Library(parse("invitation.library", id)?),
            _ => return Err(Error::Row { what: "invitation.library", value: row.id }),
        };
        Ok(Self {
            role: parse("invitation.role", &row.role)?,
            on,
            made_by: parse("invitation.made_by", &row.made_by)?,
            id: row.id,
            note: row.note,
            uses: row.uses,
            uses_left: row.uses_left,
            created_ms: row.created_ms,
            expires_ms: row.expires_ms,
            revoked_ms: row.revoked_ms,
        })
    }
}
