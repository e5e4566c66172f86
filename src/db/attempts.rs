//! Wrong attempts to get in, as all processes count them.

use sqlx::AnyConnection;

use super::Result;

/// How many wrong attempts `key` had since `since_ms`, Unix milliseconds.
///
/// # Errors
///
/// Those of the database.
pub async fn count(db: &mut AnyConnection, key: &str, since_ms: i64) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM login_failure WHERE key = $1 AND at_ms > $2")
        .bind(key)
        .bind(since_ms)
        .fetch_one(db)
        .await?)
}

/// Notes a wrong attempt of each of `keys`; those up to `since_ms` are forgotten.
///
/// # Errors
///
/// Those of the database.
pub async fn note(
    db: &mut AnyConnection,
    keys: &[String],
    now_ms: i64,
    since_ms: i64,
) -> Result<()> {
    sqlx::query("DELETE FROM login_failure WHERE at_ms <= $1")
        .bind(since_ms)
        .execute(&mut *db)
        .await?;
    for key in keys {
        sqlx::query("INSERT INTO login_failure (key, at_ms) VALUES ($1, $2)")
            .bind(key)
            .bind(now_ms)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}
