//! API tokens.

use sqlx::{AnyConnection, FromRow};

use super::accounts::{Row, load};
use super::people::{Viewer, as_viewer, in_branch, pattern};
use super::{Result, parse};
use crate::catalogue::{Account, AccountId, TokenScopes};

/// A token as its owner sees it.
#[derive(Debug, Clone, FromRow)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub label: String,
    /// What it may be used for, with spaces between.
    pub scopes: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds; `None`: when it is revoked.
    pub expires_ms: Option<i64>,
}

/// Keeps a token; gives its id.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(
    db: &mut AnyConnection,
    token_hash: &str,
    account: AccountId,
    label: &str,
    scopes: TokenScopes,
    now_ms: i64,
    expires_ms: Option<i64>,
) -> Result<String> {
    let id = uuid::Uuid::now_v7().simple().to_string();
    sqlx::query(
        "INSERT INTO token (id, token_hash, account, label, scopes, created_ms, expires_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&id)
    .bind(token_hash)
    .bind(account.to_string())
    .bind(label)
    .bind(scopes.to_string())
    .bind(now_ms)
    .bind(expires_ms)
    .execute(db)
    .await?;
    Ok(id)
}

/// Whose token it is, and what for.
///
/// # Errors
///
/// Those of the database.
pub async fn find(
    db: &mut AnyConnection,
    token_hash: &str,
    now_ms: i64,
) -> Result<Option<(Account, TokenScopes)>> {
    let scopes: Option<String> = sqlx::query_scalar(
        "SELECT scopes FROM token WHERE token_hash = $1 AND (expires_ms IS NULL OR expires_ms > $2)",
    )
    .bind(token_hash)
    .bind(now_ms)
    .fetch_optional(&mut *db)
    .await?;
    let Some(scopes) = scopes else { return Ok(None) };
    let row: Option<Row> = sqlx::query_as(
        "SELECT a.id, a.name, a.display_name, a.role
           FROM token t JOIN account a ON a.id = t.account
          WHERE t.token_hash = $1 AND a.disabled_ms IS NULL",
    )
    .bind(token_hash)
    .fetch_optional(&mut *db)
    .await?;
    let scopes = parse("token.scopes", &scopes)?;
    Ok(load(db, row, now_ms).await?.map(|account| (account, scopes)))
}

/// The tokens of an account, oldest first.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection, account: AccountId) -> Result<Vec<Token>> {
    Ok(sqlx::query_as(
        "SELECT id, label, scopes, created_ms, expires_ms FROM token WHERE account = $1 ORDER BY id",
    )
    .bind(account.to_string())
    .fetch_all(db)
    .await?)
}

/// A token, and whose it is.
#[derive(Debug, Clone, FromRow)]
pub struct Held {
    /// The token.
    #[sqlx(flatten)]
    pub token: Token,
    /// Id of whose it is.
    pub account: String,
    /// Their login name.
    pub name: String,
    /// Their name.
    pub display_name: String,
}

macro_rules! held {
    ($select:literal, $end:literal) => {
        in_branch!(concat!(
            $select,
            " FROM token t JOIN account a ON a.id = t.account
              WHERE a.id IN (SELECT id FROM people) AND ($4 IS NULL OR t.id = $4)
                AND ($5 IS NULL OR lower(t.label) LIKE $5 ESCAPE '!'
                     OR lower(a.name) LIKE $5 ESCAPE '!'
                     OR lower(a.display_name) LIKE $5 ESCAPE '!') ",
            $end
        ))
    };
}

/// How many tokens people in the branch of `viewer` have, with `words` in what they are for or in a
/// name of theirs, and of these `limit` from `offset` on, the last first.
///
/// # Errors
///
/// Those of the database.
pub async fn list_held(
    db: &mut AnyConnection,
    viewer: &Viewer,
    words: Option<&str>,
    span: (i64, i64),
) -> Result<(i64, Vec<Held>)> {
    let count = sqlx::query_scalar(held!("SELECT COUNT(*)", ""));
    let count: i64 = as_viewer!(count, viewer)
        .bind(None::<String>)
        .bind(words.map(pattern))
        .fetch_one(&mut *db)
        .await?;
    Ok((count, read_held(db, viewer, None, words, span).await?))
}

/// The token `id`, when somebody in the branch of `viewer` has it.
///
/// # Errors
///
/// Those of the database.
pub async fn find_held(db: &mut AnyConnection, viewer: &Viewer, id: &str) -> Result<Option<Held>> {
    Ok(read_held(db, viewer, Some(id), None, (0, 1)).await?.pop())
}

async fn read_held(
    db: &mut AnyConnection,
    viewer: &Viewer,
    id: Option<&str>,
    words: Option<&str>,
    (offset, limit): (i64, i64),
) -> Result<Vec<Held>> {
    let rows = sqlx::query_as(held!(
        "SELECT t.id, t.label, t.scopes, t.created_ms, t.expires_ms, t.account, a.name,
                a.display_name",
        "ORDER BY t.created_ms DESC, t.id DESC LIMIT $6 OFFSET $7"
    ));
    Ok(as_viewer!(rows, viewer)
        .bind(id)
        .bind(words.map(pattern))
        .bind(limit)
        .bind(offset)
        .fetch_all(db)
        .await?)
}

/// Revokes the token `id`, when it is of `account`, if that is given; says whose it was.
///
/// # Errors
///
/// Those of the database.
pub async fn delete(
    db: &mut AnyConnection,
    id: &str,
    account: Option<AccountId>,
) -> Result<Option<AccountId>> {
    let owner: Option<String> = sqlx::query_scalar(
        "DELETE FROM token WHERE id = $1 AND ($2 IS NULL OR account = $2) RETURNING account",
    )
    .bind(id)
    .bind(account.map(|id| id.to_string()))
    .fetch_optional(db)
    .await?;
    owner.map(|id| parse("token.account", &id)).transpose()
}

/// Revokes all tokens of `account`; says how many.
///
/// # Errors
///
/// Those of the database.
pub async fn delete_all(db: &mut AnyConnection, account: AccountId) -> Result<u64> {
    let done = sqlx::query("DELETE FROM token WHERE account = $1")
        .bind(account.to_string())
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
