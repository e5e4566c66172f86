//! Values of the installation, and the counter of changes.

use sqlx::AnyConnection;

use super::Result;

/// The value of `name`.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, name: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT value FROM setting WHERE name = $1")
        .bind(name)
        .fetch_optional(db)
        .await?)
}

/// Sets `name` to `value` unless it is set, and gives what it is set to.
///
/// # Errors
///
/// Those of the database.
pub async fn get_or_set(db: &mut AnyConnection, name: &str, value: &str) -> Result<String> {
    Ok(sqlx::query_scalar(
        "INSERT INTO setting (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = setting.value
         RETURNING value",
    )
    .bind(name)
    .bind(value)
    .fetch_one(db)
    .await?)
}

/// Sets `name` to `value`.
///
/// # Errors
///
/// Those of the database.
pub async fn set(db: &mut AnyConnection, name: &str, value: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO setting (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(db)
    .await?;
    Ok(())
}

/// Removes `name`; false when it is not set.
///
/// # Errors
///
/// Those of the database.
pub async fn delete(db: &mut AnyConnection, name: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM setting WHERE name = $1").bind(name).execute(db).await?;
    Ok(done.rows_affected() > 0)
}

/// The number of the next change. Its row stays locked until the transaction
/// ends, so numbers become visible in their order.
///
/// # Errors
///
/// Those of the database.
pub async fn next_change(db: &mut AnyConnection) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "UPDATE counter SET value = value + 1 WHERE name = 'change' RETURNING value",
    )
    .fetch_one(db)
    .await?)
}

/// The number of the last change, its row locked as [`next_change`] does: [`skip_changes`] is
/// to follow.
///
/// # Errors
///
/// Those of the database.
pub async fn last_change_locked(db: &mut AnyConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("UPDATE counter SET value = value WHERE name = 'change' RETURNING value")
        .fetch_one(db)
        .await?)
}

/// Takes the next `count` numbers of changes.
///
/// # Errors
///
/// Those of the database.
pub async fn skip_changes(db: &mut AnyConnection, count: u64) -> Result<()> {
    sqlx::query("UPDATE counter SET value = value + $1 WHERE name = 'change'")
        .bind(i64::try_from(count).unwrap_or(i64::MAX))
        .execute(db)
        .await?;
    Ok(())
}

/// The number of the last change.
///
/// # Errors
///
/// Those of the database.
pub async fn last_change(db: &mut AnyConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT value FROM counter WHERE name = 'change'").fetch_one(db).await?)
}
