//! Who people are elsewhere.

use sqlx::{AnyConnection, FromRow};

use super::{Result, parse};
use crate::catalogue::{AccountId, Email, TeamId};

/// Who somebody is elsewhere.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its id.
    pub id: String,
    /// Who logs in by it.
    pub account: AccountId,
    /// Who vouches.
    pub issuer: String,
    /// Who they are there.
    pub subject: String,
    /// Key of the provider in the settings.
    pub provider: String,
    /// Name or address there, for people.
    pub label: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// The last login by it, Unix milliseconds.
    pub used_ms: Option<i64>,
}

#[derive(FromRow)]
struct Row {
    id: String,
    account: String,
    issuer: String,
    subject: String,
    provider: String,
    label: String,
    created_ms: i64,
    used_ms: Option<i64>,
}

impl TryFrom<Row> for Identity {
    type Error = super::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            account: parse("identity.account", &row.account)?,
            issuer: row.issuer,
            subject: row.subject,
            provider: row.provider,
            label: row.label,
            created_ms: row.created_ms,
            used_ms: row.used_ms,
        })
    }
}

/// Adds one; false when somebody is it already.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(db: &mut AnyConnection, new: &Identity) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO identity (id, account, issuer, subject, provider, label, created_ms, used_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(&new.id)
    .bind(new.account.to_string())
    .bind(&new.issuer)
    .bind(&new.subject)
    .bind(&new.provider)
    .bind(&new.label)
    .bind(new.created_ms)
    .bind(new.used_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Who `subject` of `issuer` is here.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, issuer: &str, subject: &str) -> Result<Option<Identity>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, account, issuer, subject, provider, label, created_ms, used_ms
           FROM identity WHERE issuer = $1 AND subject = $2",
    )
    .bind(issuer)
    .bind(subject)
    .fetch_optional(db)
    .await?;
    row.map(Identity::try_from).transpose()
}

/// Those of an account, oldest first.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection, account: AccountId) -> Result<Vec<Identity>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, account, issuer, subject, provider, label, created_ms, used_ms
           FROM identity WHERE account = $1 ORDER BY created_ms, id",
    )
    .bind(account.to_string())
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Identity::try_from).collect()
}

/// Writes down a login, with what they and the provider are called now.
///
/// # Errors
///
/// Those of the database.
pub async fn note(
    db: &mut AnyConnection,
    id: &str,
    provider: &str,
    label: &str,
    now_ms: i64,
) -> Result<()> {
    sqlx::query("UPDATE identity SET provider = $2, label = $3, used_ms = $4 WHERE id = $1")
        .bind(id)
        .bind(provider)
        .bind(label)
        .bind(now_ms)
        .execute(db)
        .await?;
    Ok(())
}

/// Removes one of `account`; false when it has none of this id.
///
/// # Errors
///
/// Those of the database.
pub async fn delete(db: &mut AnyConnection, account: AccountId, id: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM identity WHERE id = $1 AND account = $2")
        .bind(id)
        .bind(account.to_string())
        .execute(db)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// The accounts that say they have this address, two at most, and whether it is one that may log in
/// and does not administer the whole net.
///
/// # Errors
///
/// Those of the database.
pub async fn accounts_of(db: &mut AnyConnection, email: &Email) -> Result<Vec<(AccountId, bool)>> {
    let rows: Vec<(String, String, Option<i64>)> = sqlx::query_as(
        "SELECT id, role, disabled_ms FROM account WHERE lower(email) = $1 ORDER BY id LIMIT 2",
    )
    .bind(email.as_str().to_lowercase())
    .fetch_all(db)
    .await?;
    let account = |(id, role, disabled_ms): (String, String, Option<i64>)| {
        let plain = role == "learner" && disabled_ms.is_none();
        Ok((parse("account.id", &id)?, plain))
    };
    rows.into_iter().map(account).collect()
}

/// The team that `text` names by id or, when only one has it, by name.
///
/// # Errors
///
/// Those of the database.
pub async fn team_named(db: &mut AnyConnection, text: &str) -> Result<Option<TeamId>> {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT id FROM team WHERE id = $1 OR name = $1 LIMIT 2")
            .bind(text)
            .fetch_all(db)
            .await?;
    match ids.as_slice() {
        [id] => Ok(Some(parse("team.id", id)?)),
        _ => Ok(None),
    }
}
