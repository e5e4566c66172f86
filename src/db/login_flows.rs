//! Logins that went to a provider and are not back yet.

use sqlx::{AnyConnection, FromRow};

use super::{Result, parse};
use crate::catalogue::AccountId;

/// A login that was begun.
#[derive(Debug, Clone)]
pub struct LoginFlow {
    /// SHA-256 of `state`, hex.
    pub state_hash: String,
    /// SHA-256 of the browser's cookie, hex.
    pub browser_hash: String,
    /// Key of the provider.
    pub provider: String,
    /// What the token must repeat.
    pub nonce: String,
    /// Of PKCE.
    pub verifier: String,
    /// Path of this site to go to.
    pub next: String,
    /// Who links; `None`: somebody logs in.
    pub account: Option<AccountId>,
    /// Unix milliseconds.
    pub expires_ms: i64,
}

#[derive(FromRow)]
struct Row {
    state_hash: String,
    browser_hash: String,
    provider: String,
    nonce: String,
    verifier: String,
    next: String,
    account: Option<String>,
    expires_ms: i64,
}

/// Keeps one; those whose time is over at `now_ms`, Unix milliseconds, go.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(db: &mut AnyConnection, flow: &LoginFlow, now_ms: i64) -> Result<()> {
    sqlx::query("DELETE FROM login_flow WHERE expires_ms <= $1")
        .bind(now_ms)
        .execute(&mut *db)
        .await?;
    sqlx::query(
        "INSERT INTO login_flow
           (state_hash, browser_hash, provider, nonce, verifier, next, account, expires_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&flow.state_hash)
    .bind(&flow.browser_hash)
    .bind(&flow.provider)
    .bind(&flow.nonce)
    .bind(&flow.verifier)
    .bind(&flow.next)
    .bind(flow.account.map(|id| id.to_string()))
    .bind(flow.expires_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Takes the one that this browser began with `provider`, so that nobody can a second time.
///
/// # Errors
///
/// Those of the database.
pub async fn take(
    db: &mut AnyConnection,
    state_hash: &str,
    browser_hash: &str,
    provider: &str,
    now_ms: i64,
) -> Result<Option<LoginFlow>> {
    let row: Option<Row> = sqlx::query_as(
        "DELETE FROM login_flow
          WHERE state_hash = $1 AND browser_hash = $2 AND provider = $3 AND expires_ms > $4
      RETURNING state_hash, browser_hash, provider, nonce, verifier, next, account, expires_ms",
    )
    .bind(state_hash)
    .bind(browser_hash)
    .bind(provider)
    .bind(now_ms)
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok(LoginFlow {
            state_hash: row.state_hash,
            browser_hash: row.browser_hash,
            provider: row.provider,
            nonce: row.nonce,
            verifier: row.verifier,
            next: row.next,
            account: row.account.map(|id| parse("login_flow.account", &id)).transpose()?,
            expires_ms: row.expires_ms,
        })
    })
    .transpose()
}
