//! One row for every change of state that was acknowledged.

use sqlx::AnyConnection;

use super::Result;
use crate::catalogue::AccountId;

/// Records that `account` (the pipeline or the command line when `None`) did
/// `action` to `subject`, in the transaction that does it.
///
/// # Errors
///
/// Those of the database.
pub async fn record(
    db: &mut AnyConnection,
    now_ms: i64,
    account: Option<AccountId>,
    action: &str,
    subject: &str,
    detail: &serde_json::Value,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO audit (id, at_ms, account, action, subject, detail)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(uuid::Uuid::now_v7().simple().to_string())
    .bind(now_ms)
    .bind(account.map(|id| id.to_string()))
    .bind(action)
    .bind(subject)
    .bind(detail.to_string())
    .execute(db)
    .await?;
    Ok(())
}
