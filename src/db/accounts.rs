//! Accounts, their roles, sessions and tokens.

use sqlx::{AnyConnection, FromRow};

use super::{Error, Result, grants, parse};
use crate::catalogue::{Account, AccountId, NetRole};

#[derive(FromRow)]
struct Row {
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

/// Sets the password.
///
/// # Errors
///
/// Those of the database.
pub async fn set_password(db: &mut AnyConnection, id: AccountId, hash: &str) -> Result<()> {
    sqlx::query("UPDATE account SET password_hash = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(hash)
        .execute(&mut *db)
        .await?;
    sqlx::query("DELETE FROM session WHERE account = $1").bind(id.to_string()).execute(db).await?;
    Ok(())
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

/// What the password of `name` is checked against, when it may log in by one.
///
/// # Errors
///
/// Those of the database.
pub async fn find_credentials(db: &mut AnyConnection, name: &str) -> Result<Option<Credentials>> {
    let row: Option<(String, String)> = sqlx::query_as(
        "SELECT id, password_hash FROM account
          WHERE name = $1 AND password_hash IS NOT NULL AND disabled_ms IS NULL",
    )
    .bind(name)
    .fetch_optional(db)
    .await?;
    row.map(|(id, password_hash)| {
        Ok(Credentials { account: parse("account.id", &id)?, password_hash })
    })
    .transpose()
}

/// Keeps a session until `expires_ms`.
///
/// # Errors
///
/// Those of the database.
pub async fn insert_session(
    db: &mut AnyConnection,
    token_hash: &str,
    account: AccountId,
    now_ms: i64,
    expires_ms: i64,
) -> Result<()> {
    sqlx::query("DELETE FROM session WHERE expires_ms <= $1")
        .bind(now_ms)
        .execute(&mut *db)
        .await?;
    sqlx::query(
        "INSERT INTO session (token_hash, account, created_ms, expires_ms) VALUES ($1, $2, $3, $4)",
    )
    .bind(token_hash)
    .bind(account.to_string())
    .bind(now_ms)
    .bind(expires_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Ends a session.
///
/// # Errors
///
/// Those of the database.
pub async fn delete_session(db: &mut AnyConnection, token_hash: &str) -> Result<()> {
    sqlx::query("DELETE FROM session WHERE token_hash = $1").bind(token_hash).execute(db).await?;
    Ok(())
}

/// Whose session it is.
///
/// # Errors
///
/// Those of the database.
pub async fn find_by_session(
    db: &mut AnyConnection,
    token_hash: &str,
    now_ms: i64,
) -> Result<Option<Account>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT a.id, a.name, a.display_name, a.role
           FROM session s JOIN account a ON a.id = s.account
          WHERE s.token_hash = $1 AND s.expires_ms > $2 AND a.disabled_ms IS NULL",
    )
    .bind(token_hash)
    .bind(now_ms)
    .fetch_optional(&mut *db)
    .await?;
    load(db, row, now_ms).await
}

/// Keeps an API token.
///
/// # Errors
///
/// Those of the database.
pub async fn insert_token(
    db: &mut AnyConnection,
    token_hash: &str,
    account: AccountId,
    label: &str,
    now_ms: i64,
    expires_ms: Option<i64>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO token (id, token_hash, account, label, created_ms, expires_ms)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(uuid::Uuid::now_v7().simple().to_string())
    .bind(token_hash)
    .bind(account.to_string())
    .bind(label)
    .bind(now_ms)
    .bind(expires_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Whose API token it is.
///
/// # Errors
///
/// Those of the database.
pub async fn find_by_token(
    db: &mut AnyConnection,
    token_hash: &str,
    now_ms: i64,
) -> Result<Option<Account>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT a.id, a.name, a.display_name, a.role
           FROM token t JOIN account a ON a.id = t.account
          WHERE t.token_hash = $1 AND a.disabled_ms IS NULL
            AND (t.expires_ms IS NULL OR t.expires_ms > $2)",
    )
    .bind(token_hash)
    .bind(now_ms)
    .fetch_optional(&mut *db)
    .await?;
    load(db, row, now_ms).await
}

/// The tokens of an account: id, label, when made, when they end.
///
/// # Errors
///
/// Those of the database.
pub async fn list_tokens(
    db: &mut AnyConnection,
    account: AccountId,
) -> Result<Vec<(String, String, i64, Option<i64>)>> {
    Ok(sqlx::query_as(
        "SELECT id, label, created_ms, expires_ms FROM token WHERE account = $1 ORDER BY id",
    )
    .bind(account.to_string())
    .fetch_all(db)
    .await?)
}

/// Revokes a token; false when there is none of this id.
///
/// # Errors
///
/// Those of the database.
pub async fn delete_token(db: &mut AnyConnection, id: &str) -> Result<bool> {
    Ok(sqlx::query("DELETE FROM token WHERE id = $1").bind(id).execute(db).await?.rows_affected()
        > 0)
}

async fn load(db: &mut AnyConnection, row: Option<Row>, now_ms: i64) -> Result<Option<Account>> {
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
