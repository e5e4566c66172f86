//! Accounts: how they log in, and their roles.

use sqlx::{AnyConnection, FromRow};

use super::{Error, Result, grants, parse, sessions, start_links};
use crate::catalogue::{Account, AccountId, NetRole, Phone};

#[derive(FromRow)]
pub(super) struct Row {
    id: String,
    name: String,
    display_name: String,
    role: String,
}

/// An account with what its password is checked against.
#[derive(Debug)]
pub struct Credentials {
    /// Of the account.
    pub account: AccountId,
    /// argon2id, PHC string.
    pub password_hash: String,
}

/// Adds an account.
///
/// # Errors
///
/// [`Error::is_taken`] when the name is in use.
pub async fn insert(
    db: &mut AnyConnection,
    account: &Account,
    password_hash: Option<&str>,
    now_ms: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO account (id, name, display_name, password_hash, role, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(account.id.to_string())
    .bind(&account.name)
    .bind(&account.display_name)
    .bind(password_hash)
    .bind(net_role(account.role))
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Whether an account of this name has a password.
///
/// # Errors
///
/// Those of the database.
pub async fn has_password(db: &mut AnyConnection, name: &str) -> Result<bool> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM account WHERE name = $1 AND password_hash IS NOT NULL",
    )
    .bind(name)
    .fetch_one(db)
    .await?;
    Ok(count > 0)
}

/// Sets the password. Sessions end, but for the one with the id `kept`, and so do links with which
/// another could be chosen.
///
/// # Errors
///
/// Those of the database.
pub async fn change_password(
    db: &mut AnyConnection,
    id: AccountId,
    hash: &str,
    kept: Option<&str>,
) -> Result<()> {
    sqlx::query("UPDATE account SET password_hash = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(hash)
        .execute(&mut *db)
        .await?;
    start_links::delete_all(db, id, 0).await?;
    sessions::delete_all(db, id, kept).await?;
    Ok(())
}

/// Sets the password; all sessions end.
///
/// # Errors
///
/// Those of the database.
pub async fn set_password(db: &mut AnyConnection, id: AccountId, hash: &str) -> Result<()> {
    change_password(db, id, hash, None).await
}

/// Keeps the account from logging in as of `now_ms`, or lets it again.
///
/// # Errors
///
/// Those of the database.
pub async fn set_disabled(
    db: &mut AnyConnection,
    id: AccountId,
    now_ms: Option<i64>,
) -> Result<()> {
    sqlx::query("UPDATE account SET disabled_ms = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(now_ms)
        .execute(db)
        .await?;
    Ok(())
}

/// How many accounts there are.
///
/// # Errors
///
/// Those of the database.
pub async fn count(db: &mut AnyConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM account").fetch_one(db).await?)
}

/// All accounts, by name, with their roles as of `now_ms`, Unix milliseconds.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection, now_ms: i64) -> Result<Vec<Account>> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT id, name, display_name, role FROM account ORDER BY name")
            .fetch_all(&mut *db)
            .await?;
    let mut accounts = Vec::with_capacity(rows.len());
    for row in rows {
        accounts.push(with_roles(db, row, now_ms).await?);
    }
    Ok(accounts)
}

/// The account called `name`, with its roles as of `now_ms`, Unix milliseconds.
///
/// # Errors
///
/// Those of the database.
pub async fn find_by_name(
    db: &mut AnyConnection,
    name: &str,
    now_ms: i64,
) -> Result<Option<Account>> {
    let row: Option<Row> =
        sqlx::query_as("SELECT id, name, display_name, role FROM account WHERE name = $1")
            .bind(name)
            .fetch_optional(&mut *db)
            .await?;
    load(db, row, now_ms).await
}

/// What the password is checked against of whoever logs in with `phone`, else as `name`, when they
/// may log in by one.
///
/// # Errors
///
/// Those of the database.
pub async fn find_credentials(
    db: &mut AnyConnection,
    name: &str,
    phone: Option<&Phone>,
) -> Result<Option<Credentials>> {
    // A number that is somebody's name may have become another's.
    let row: Option<(String, String)> = sqlx::query_as(
        "SELECT id, password_hash FROM account
          WHERE (phone = $2 OR name = $1) AND password_hash IS NOT NULL AND disabled_ms IS NULL
          ORDER BY CASE WHEN phone = $2 THEN 0 ELSE 1 END LIMIT 1",
    )
    .bind(name)
    .bind(phone.map(Phone::as_str))
    .fetch_optional(db)
    .await?;
    row.map(|(id, password_hash)| {
        Ok(Credentials { account: parse("account.id", &id)?, password_hash })
    })
    .transpose()
}

/// What the password of `id` is checked against, when it has one.
///
/// # Errors
///
/// Those of the database.
pub async fn find_password(db: &mut AnyConnection, id: AccountId) -> Result<Option<String>> {
    let hash: Option<Option<String>> =
        sqlx::query_scalar("SELECT password_hash FROM account WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(db)
            .await?;
    Ok(hash.flatten())
}

/// The account `id`, when it may log in, with its roles as of `now_ms`, Unix milliseconds.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, id: AccountId, now_ms: i64) -> Result<Option<Account>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, name, display_name, role FROM account WHERE id = $1 AND disabled_ms IS NULL",
    )
    .bind(id.to_string())
    .fetch_optional(&mut *db)
    .await?;
    load(db, row, now_ms).await
}

pub(super) async fn load(
    db: &mut AnyConnection,
    row: Option<Row>,
    now_ms: i64,
) -> Result<Option<Account>> {
    match row {
        Some(row) => with_roles(db, row, now_ms).await.map(Some),
        None => Ok(None),
    }
}

async fn with_roles(db: &mut AnyConnection, row: Row, now_ms: i64) -> Result<Account> {
    let (libraries, organisations) = grants::roles_of(db, &row.id, now_ms).await?;
    let role = match row.role.as_str() {
        "administrator" => NetRole::Administrator,
        "learner" => NetRole::Learner,
        _ => return Err(Error::Row { what: "account.role", value: row.role }),
    };
    Ok(Account {
        id: parse("account.id", &row.id)?,
        name: row.name,
        display_name: row.display_name,
        role,
        libraries,
        organisations,
    })
}

fn net_role(role: NetRole) -> &'static str {
    match role {
        NetRole::Administrator => "administrator",
        NetRole::Learner => "learner",
    }
}
