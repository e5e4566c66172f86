//! Links and codes with which somebody chooses a password, once.

use sqlx::AnyConnection;

use super::{Result, parse};
use crate::catalogue::AccountId;

/// Keeps a link.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(
    db: &mut AnyConnection,
    code_hash: &str,
    account: AccountId,
    now_ms: i64,
    expires_ms: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO start_link (code_hash, account, created_ms, expires_ms) VALUES ($1, $2, $3, $4)",
    )
    .bind(code_hash)
    .bind(account.to_string())
    .bind(now_ms)
    .bind(expires_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Whose link it is, while it can be used.
///
/// # Errors
///
/// Those of the database.
pub async fn find(
    db: &mut AnyConnection,
    code_hash: &str,
    now_ms: i64,
) -> Result<Option<AccountId>> {
    let id: Option<String> = sqlx::query_scalar(
        "SELECT s.account FROM start_link s JOIN account a ON a.id = s.account
          WHERE s.code_hash = $1 AND s.expires_ms > $2 AND a.disabled_ms IS NULL",
    )
    .bind(code_hash)
    .bind(now_ms)
    .fetch_optional(db)
    .await?;
    id.map(|id| parse("start_link.account", &id)).transpose()
}

/// Ends all links of an account, and those of everybody whose time is over.
///
/// # Errors
///
/// Those of the database.
pub async fn delete_all(db: &mut AnyConnection, account: AccountId, now_ms: i64) -> Result<u64> {
    let done = sqlx::query("DELETE FROM start_link WHERE account = $1 OR expires_ms <= $2")
        .bind(account.to_string())
        .bind(now_ms)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
