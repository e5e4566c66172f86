//! People, and which of them somebody looks after: those whose home is below where the caller is
//! an administrator or librarian, and those who have a role there, themselves or by a team.

use sqlx::{AnyConnection, FromRow};

use super::grants::{Grant, Row as GrantRow};
use super::{Error, Result, parse};
use crate::catalogue::{
    AccountId, LibraryId, NetRole, Organisation, OrganisationId, Person, Phone, TeamId,
};

/// Who looks.
#[derive(Debug, Clone, Copy)]
pub struct Viewer {
    /// Who.
    pub account: Option<AccountId>,
    /// They look after the whole net.
    pub whole: bool,
    /// Unix milliseconds.
    pub now_ms: i64,
}

/// What every list of people begins with. `$1` is who looks, `$2` now, `$3` 1 for the whole net.
/// `nodes` are the organisations of their branch, `shelves` its libraries, `groups` its teams,
/// `people` its people.
macro_rules! in_branch {
    ($rest:expr) => {
        concat!(
            "WITH mine AS (
                SELECT organisation, library FROM role_grant
                 WHERE (account = $1 OR team IN (SELECT team FROM team_member WHERE account = $1))
                   AND role IN ('administrator', 'librarian')
                   AND (ends_ms IS NULL OR ends_ms > $2)),
             nodes AS (
                SELECT d.id FROM organisation d
                 WHERE $3 = 1 OR EXISTS (
                    SELECT 1 FROM mine JOIN organisation t ON t.id = mine.organisation
                     WHERE substr(d.path, 1, length(t.path)) = t.path)),
             shelves AS (
                SELECT id FROM library
                 WHERE $3 = 1 OR owner IN (SELECT id FROM nodes)
                    OR id IN (SELECT library FROM mine WHERE library IS NOT NULL)),
             here AS (
                SELECT * FROM role_grant
                 WHERE (organisation IN (SELECT id FROM nodes) OR library IN (SELECT id FROM shelves))
                   AND (ends_ms IS NULL OR ends_ms > $2)),
             groups_here AS (
                SELECT id FROM team
                 WHERE $3 = 1 OR organisation IN (SELECT id FROM nodes)
                    OR id IN (SELECT team FROM here WHERE team IS NOT NULL)),
             people AS (
                SELECT id FROM account
                 WHERE $3 = 1 OR home IN (SELECT id FROM nodes)
                    OR id IN (SELECT account FROM here WHERE account IS NOT NULL)
                    OR id IN (SELECT account FROM team_member
                               WHERE team IN (SELECT id FROM groups_here))) ",
            $rest
        )
    };
}
pub(super) use in_branch;

/// Binds what [`in_branch`] begins with.
macro_rules! as_viewer {
    ($query:expr, $viewer:expr) => {
        $query
            .bind($viewer.account.map(|id| id.to_string()).unwrap_or_default())
            .bind($viewer.now_ms)
            .bind(i64::from($viewer.whole))
    };
}
pub(super) use as_viewer;

/// Which people; `None` leaves a condition out.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Part of a name, a number or an address.
    pub words: Option<String>,
    /// Their home or a role of theirs is there or below.
    pub organisation: Option<OrganisationId>,
    /// They have a role in it, granted right there.
    pub library: Option<LibraryId>,
    /// They are in it.
    pub team: Option<TeamId>,
    /// They may not log in (true), or may (false).
    pub disabled: Option<bool>,
    /// Only this one.
    pub id: Option<AccountId>,
}

#[derive(FromRow)]
struct Row {
    id: String,
    name: String,
    display_name: String,
    phone: Option<String>,
    email: Option<String>,
    home: Option<String>,
    role: String,
    created_ms: i64,
    disabled_ms: Option<i64>,
    has_password: i64,
}

macro_rules! matching {
    ($select:literal, $end:literal) => {
        in_branch!(concat!(
            $select,
            " FROM account a
               WHERE a.id IN (SELECT id FROM people)
                 AND ($4 IS NULL OR a.id = $4)
                 AND ($5 IS NULL OR lower(a.name) LIKE $5 ESCAPE '!'
                      OR lower(a.display_name) LIKE $5 ESCAPE '!'
                      OR a.phone LIKE $5 ESCAPE '!' OR lower(a.email) LIKE $5 ESCAPE '!')
                 AND ($6 IS NULL
                      OR a.home IN (SELECT d.id FROM organisation d JOIN organisation t
                                        ON substr(d.path, 1, length(t.path)) = t.path
                                     WHERE t.id = $6)
                      OR a.id IN (SELECT account FROM here WHERE organisation IN
                                    (SELECT d.id FROM organisation d JOIN organisation t
                                         ON substr(d.path, 1, length(t.path)) = t.path
                                      WHERE t.id = $6)))
                 AND ($7 IS NULL OR a.id IN (SELECT account FROM here WHERE library = $7))
                 AND ($8 IS NULL OR a.id IN
                      (SELECT account FROM team_member
                        WHERE team = $8 AND team IN (SELECT id FROM groups_here)))
                 AND ($9 < 0 OR ($9 = 1 AND a.disabled_ms IS NOT NULL)
                      OR ($9 = 0 AND a.disabled_ms IS NULL)) ",
            $end
        ))
    };
}

macro_rules! filtered {
    ($query:expr, $viewer:expr, $filter:expr) => {
        as_viewer!($query, $viewer)
            .bind($filter.id.map(|id| id.to_string()))
            .bind($filter.words.as_deref().map(pattern))
            .bind($filter.organisation.map(|id| id.to_string()))
            .bind($filter.library.map(|id| id.to_string()))
            .bind($filter.team.map(|id| id.to_string()))
            .bind($filter.disabled.map_or(-1, i64::from))
    };
}

/// What contains `words` in SQL's `LIKE`, with `!` before its signs.
pub(super) fn pattern(words: &str) -> String {
    let mut text = String::from("%");
    for c in words.trim().to_lowercase().chars() {
        if "!%_".contains(c) {
            text.push('!');
        }
        text.push(c);
    }
    text.push('%');
    text
}

/// How many people that `viewer` looks after match, and of these `limit` from `offset` on, by name.
///
/// # Errors
///
/// Those of the database.
pub async fn list(
    db: &mut AnyConnection,
    viewer: &Viewer,
    filter: &Filter,
    (offset, limit): (i64, i64),
) -> Result<(i64, Vec<Person>)> {
    let count = sqlx::query_scalar(matching!("SELECT COUNT(*)", ""));
    let count: i64 = filtered!(count, viewer, filter).fetch_one(&mut *db).await?;
    let rows = sqlx::query_as(matching!(
        "SELECT a.id, a.name, a.display_name, a.phone, a.email, a.home, a.role, a.created_ms,
                a.disabled_ms,
                CAST(CASE WHEN a.password_hash IS NULL THEN 0 ELSE 1 END AS BIGINT) AS has_password",
        "ORDER BY a.display_name, a.id LIMIT $10 OFFSET $11"
    ));
    let rows: Vec<Row> =
        filtered!(rows, viewer, filter).bind(limit).bind(offset).fetch_all(db).await?;
    Ok((count, rows.into_iter().map(Person::try_from).collect::<Result<_>>()?))
}

/// The person `id`, when `viewer` looks after them.
///
/// # Errors
///
/// Those of the database.
pub async fn find(
    db: &mut AnyConnection,
    viewer: &Viewer,
    id: AccountId,
) -> Result<Option<Person>> {
    let filter = Filter { id: Some(id), ..Filter::default() };
    Ok(list(db, viewer, &filter, (0, 1)).await?.1.pop())
}

/// All that is granted to a person, wherever, and to their teams; what has ended too.
///
/// # Errors
///
/// Those of the database.
pub async fn held_by(db: &mut AnyConnection, id: AccountId) -> Result<Vec<Grant>> {
    let rows: Vec<GrantRow> = sqlx::query_as(
        "SELECT * FROM role_grant
          WHERE account = $1 OR team IN (SELECT team FROM team_member WHERE account = $1)",
    )
    .bind(id.to_string())
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Grant::try_from).collect()
}

/// Ids of the libraries in the branch of `viewer`.
///
/// # Errors
///
/// Those of the database.
pub async fn libraries(db: &mut AnyConnection, viewer: &Viewer) -> Result<Vec<LibraryId>> {
    let ids = sqlx::query_scalar(in_branch!("SELECT id FROM shelves"));
    let ids: Vec<String> = as_viewer!(ids, viewer).fetch_all(db).await?;
    ids.iter().map(|id| parse("library.id", id)).collect()
}

/// Adds a person.
///
/// # Errors
///
/// [`Error::is_taken`] when the name or the number is in use.
pub async fn insert(db: &mut AnyConnection, person: &Person) -> Result<()> {
    sqlx::query(
        "INSERT INTO account (id, name, display_name, phone, email, home, role, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, 'learner', $7)",
    )
    .bind(person.id.to_string())
    .bind(&person.name)
    .bind(&person.display_name)
    .bind(person.phone.as_ref().map(Phone::as_str))
    .bind(person.email.as_ref().map(|email| email.as_str().to_owned()))
    .bind(person.home.map(|id| id.to_string()))
    .bind(person.created_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps what was changed of a person, but for the net's role.
///
/// # Errors
///
/// [`Error::is_taken`] when the number is in use.
pub async fn save(db: &mut AnyConnection, person: &Person) -> Result<()> {
    sqlx::query(
        "UPDATE account SET display_name = $2, phone = $3, email = $4, home = $5, disabled_ms = $6
          WHERE id = $1",
    )
    .bind(person.id.to_string())
    .bind(&person.display_name)
    .bind(person.phone.as_ref().map(Phone::as_str))
    .bind(person.email.as_ref().map(|email| email.as_str().to_owned()))
    .bind(person.home.map(|id| id.to_string()))
    .bind(person.disabled_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Who has `name` or `phone`, whoever looks after them.
///
/// # Errors
///
/// Those of the database.
pub async fn find_taken(
    db: &mut AnyConnection,
    name: &str,
    phone: Option<&Phone>,
) -> Result<Option<(AccountId, String)>> {
    let row: Option<(String, String)> =
        sqlx::query_as("SELECT id, name FROM account WHERE name = $1 OR phone = $2 LIMIT 1")
            .bind(name)
            .bind(phone.map(Phone::as_str))
            .fetch_optional(db)
            .await?;
    row.map(|(id, name)| Ok((parse("account.id", &id)?, name))).transpose()
}

/// People and teams whose home was `from` belong to `to`.
///
/// # Errors
///
/// Those of the database.
pub async fn rehome(
    db: &mut AnyConnection,
    from: OrganisationId,
    to: Option<&Organisation>,
) -> Result<()> {
    let to = to.map(|to| to.id.to_string());
    for statement in [
        "UPDATE account SET home = $2 WHERE home = $1",
        "UPDATE team SET organisation = $2 WHERE organisation = $1",
    ] {
        sqlx::query(statement).bind(from.to_string()).bind(&to).execute(&mut *db).await?;
    }
    Ok(())
}

/// Names of accounts by their ids, for the log.
///
/// # Errors
///
/// Those of the database.
pub async fn name_of(db: &mut AnyConnection, id: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT name FROM account WHERE id = $1")
        .bind(id)
        .fetch_optional(db)
        .await?)
}

impl TryFrom<Row> for Person {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let role = match row.role.as_str() {
            "administrator" => NetRole::Administrator,
            "learner" => NetRole::Learner,
            _ => return Err(Error::Row { what: "account.role", value: row.role }),
        };
        Ok(Self {
            id: parse("account.id", &row.id)?,
            name: row.name,
            display_name: row.display_name,
            phone: row.phone.map(|phone| parse("account.phone", &phone)).transpose()?,
            email: row.email.map(|email| parse("account.email", &email)).transpose()?,
            home: row.home.map(|id| parse("account.home", &id)).transpose()?,
            role,
            created_ms: row.created_ms,
            disabled_ms: row.disabled_ms,
            has_password: row.has_password > 0,
        })
    }
}
