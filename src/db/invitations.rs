//! Invitations: links that bring somebody a role.

use sqlx::{AnyConnection, FromRow};

use super::grants::Scope;
use super::people::{Viewer, as_viewer, in_branch};
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

/// The invitations into the branch of `viewer`, or only the one called `id`, the last first; at
/// most `limit`.
///
/// # Errors
///
/// Those of the database.
pub async fn list(
    db: &mut AnyConnection,
    viewer: &Viewer,
    id: Option<&str>,
    limit: i64,
) -> Result<Vec<Invitation>> {
    let rows = sqlx::query_as(in_branch!(
        "SELECT * FROM invitation
          WHERE (organisation IN (SELECT id FROM nodes) OR library IN (SELECT id FROM shelves))
            AND ($4 IS NULL OR id = $4)
          ORDER BY created_ms DESC, id DESC LIMIT $5"
    ));
    let rows: Vec<Row> = as_viewer!(rows, viewer).bind(id).bind(limit).fetch_all(db).await?;
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
