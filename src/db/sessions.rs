//! Logins of browsers, which their owners see and end.

use sqlx::{AnyConnection, FromRow};

use super::Result;
use super::accounts::{Row, load};
use crate::catalogue::{Account, AccountId};

/// How often it is written down that a session is used.
const SEEN_EVERY_MS: i64 = 10 * 60 * 1000;

/// The most that is kept of a browser's name, in characters.
const MAX_AGENT: usize = 300;

/// A session to be begun.
#[derive(Debug, Clone)]
pub struct NewSession<'a> {
    /// SHA-256 of the cookie's token, hex.
    pub token_hash: &'a str,
    /// Whose.
    pub account: AccountId,
    /// From where.
    pub address: &'a str,
    /// As the browser calls itself.
    pub agent: &'a str,
    /// By which identity, with the session there; `None`: by a password or a link.
    pub by: Option<By<'a>>,
    /// Unix milliseconds.
    pub now_ms: i64,
    /// Unix milliseconds.
    pub expires_ms: i64,
}

/// How a session was begun elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// Id of the identity.
    pub identity: &'a str,
    /// The session at the provider, when it told one.
    pub provider_session: Option<&'a str>,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, FromRow)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// From where it was begun.
    pub address: String,
    /// As the browser called itself.
    pub agent: String,
    /// Key of the provider that it was begun by.
    pub provider: Option<String>,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// When it was last used, Unix milliseconds, to ten minutes.
    pub seen_ms: i64,
    /// Unix milliseconds.
    pub expires_ms: i64,
}

/// Begins a session; those that have ended go.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(db: &mut AnyConnection, new: &NewSession<'_>) -> Result<()> {
    sqlx::query("DELETE FROM session WHERE expires_ms <= $1")
        .bind(new.now_ms)
        .execute(&mut *db)
        .await?;
    let agent: String = new.agent.chars().filter(|c| !c.is_control()).take(MAX_AGENT).collect();
    sqlx::query(
        "INSERT INTO session (token_hash, id, account, address, agent, created_ms, seen_ms, expires_ms,
                              identity, provider_session)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9)",
    )
    .bind(new.token_hash)
    .bind(uuid::Uuid::now_v7().simple().to_string())
    .bind(new.account.to_string())
    .bind(new.address)
    .bind(agent)
    .bind(new.now_ms)
    .bind(new.expires_ms)
    .bind(new.by.map(|by| by.identity))
    .bind(new.by.and_then(|by| by.provider_session))
    .execute(db)
    .await?;
    Ok(())
}

/// Whose session it is, its id, and when it was last used, Unix milliseconds.
///
/// # Errors
///
/// Those of the database.
pub async fn find(
    db: &mut AnyConnection,
    token_hash: &str,
    now_ms: i64,
) -> Result<Option<(Account, String, i64)>> {
    let known: Option<(String, i64)> =
        sqlx::query_as("SELECT id, seen_ms FROM session WHERE token_hash = $1 AND expires_ms > $2")
            .bind(token_hash)
            .bind(now_ms)
            .fetch_optional(&mut *db)
            .await?;
    let Some((id, seen_ms)) = known else { return Ok(None) };
    let row: Option<Row> = sqlx::query_as(
        "SELECT a.id, a.name, a.display_name, a.role
           FROM session s JOIN account a ON a.id = s.account
          WHERE s.token_hash = $1 AND a.disabled_ms IS NULL",
    )
    .bind(token_hash)
    .fetch_optional(&mut *db)
    .await?;
    Ok(load(db, row, now_ms).await?.map(|account| (account, id, seen_ms)))
}

/// Whether it is time to write down that a session last used at `seen_ms` is used at `now_ms`.
#[must_use]
pub fn is_to_note(seen_ms: i64, now_ms: i64) -> bool {
    now_ms - seen_ms >= SEEN_EVERY_MS
}

/// Writes down that the session `id` is used at `now_ms`, Unix milliseconds.
///
/// # Errors
///
/// Those of the database.
pub async fn note(db: &mut AnyConnection, id: &str, now_ms: i64) -> Result<()> {
    sqlx::query("UPDATE session SET seen_ms = $2 WHERE id = $1")
        .bind(id)
        .bind(now_ms)
        .execute(db)
        .await?;
    Ok(())
}

/// The sessions of an account, the last used first.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection, account: AccountId, now_ms: i64) -> Result<Vec<Session>> {
    Ok(sqlx::query_as(
        "SELECT s.id, s.address, s.agent, i.provider, s.created_ms, s.seen_ms, s.expires_ms
           FROM session s LEFT JOIN identity i ON i.id = s.identity
          WHERE s.account = $1 AND s.expires_ms > $2 ORDER BY s.seen_ms DESC, s.id DESC",
    )
    .bind(account.to_string())
    .bind(now_ms)
    .fetch_all(db)
    .await?)
}

/// Ends the session of a token.
///
/// # Errors
///
/// Those of the database.
pub async fn delete(db: &mut AnyConnection, token_hash: &str) -> Result<()> {
    sqlx::query("DELETE FROM session WHERE token_hash = $1").bind(token_hash).execute(db).await?;
    Ok(())
}

/// Ends the session `id` of `account`; false when it has none.
///
/// # Errors
///
/// Those of the database.
pub async fn delete_of(db: &mut AnyConnection, account: AccountId, id: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM session WHERE id = $1 AND account = $2")
        .bind(id)
        .bind(account.to_string())
        .execute(db)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends the sessions of `account`, but for the one with the id `kept`; says how many.
///
/// # Errors
///
/// Those of the database.
pub async fn delete_all(
    db: &mut AnyConnection,
    account: AccountId,
    kept: Option<&str>,
) -> Result<u64> {
    let done = sqlx::query("DELETE FROM session WHERE account = $1 AND ($2 IS NULL OR id <> $2)")
        .bind(account.to_string())
        .bind(kept)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}

/// Key of the provider by which the session of a token was begun.
///
/// # Errors
///
/// Those of the database.
pub async fn provider_of(db: &mut AnyConnection, token_hash: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "SELECT i.provider FROM session s JOIN identity i ON i.id = s.identity
          WHERE s.token_hash = $1",
    )
    .bind(token_hash)
    .fetch_optional(db)
    .await?)
}

/// Ends the sessions that were begun by `identity`, but for the one with the id `kept`; with
/// `provider_session` only those of that session there. Says how many.
///
/// # Errors
///
/// Those of the database.
pub async fn delete_by(
    db: &mut AnyConnection,
    identity: &str,
    provider_session: Option<&str>,
    kept: Option<&str>,
) -> Result<u64> {
    let done = sqlx::query(
        "DELETE FROM session
          WHERE identity = $1 AND ($2 IS NULL OR provider_session = $2) AND ($3 IS NULL OR id <> $3)",
    )
    .bind(identity)
    .bind(provider_session)
    .bind(kept)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
