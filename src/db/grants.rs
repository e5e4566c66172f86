//! Roles that accounts and teams have on libraries and organisations.

use std::collections::HashMap;

use sqlx::{AnyConnection, FromRow};

use super::{Result, parse};
use crate::catalogue::{AccountId, LibraryId, OrganisationId, Role, Roles, TeamId};

/// Who has a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grantee {
    /// One person.
    Account(AccountId),
    /// All members of a team.
    Team(TeamId),
}

/// Where a role is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In the libraries of an organisation and of all below it.
    Organisation(OrganisationId),
    /// In one library.
    Library(LibraryId),
}

/// A role that somebody has somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: String,
    /// Who has it.
    pub to: Grantee,
    /// Which.
    pub role: Role,
    /// Where.
    pub on: Scope,
    /// When it ends, Unix milliseconds.
    pub ends_ms: Option<i64>,
}

#[derive(FromRow)]
pub(super) struct Row {
    id: String,
    account: Option<String>,
    team: Option<String>,
    role: String,
    organisation: Option<String>,
    library: Option<String>,
    ends_ms: Option<i64>,
}

/// Grants `role`, until `ends_ms` if that is given; one that is there already ends then. Gives its
/// id.
///
/// # Errors
///
/// Those of the database.
pub async fn grant(
    db: &mut AnyConnection,
    to: Grantee,
    role: Role,
    on: Scope,
    now_ms: i64,
    ends_ms: Option<i64>,
) -> Result<String> {
    revoke(db, to, Some(role), on).await?;
    let id = uuid::Uuid::now_v7().simple().to_string();
    let ((account, team), (organisation, library)) = (columns_of(to), places_of(on));
    sqlx::query(
        "INSERT INTO role_grant (id, account, team, role, organisation, library, created_ms, ends_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&id)
    .bind(account)
    .bind(team)
    .bind(role.as_str())
    .bind(organisation)
    .bind(library)
    .bind(now_ms)
    .bind(ends_ms)
    .execute(db)
    .await?;
    Ok(id)
}

/// Takes `role`, or every role, away again; says how many there were.
///
/// # Errors
///
/// Those of the database.
pub async fn revoke(
    db: &mut AnyConnection,
    from: Grantee,
    role: Option<Role>,
    on: Scope,
) -> Result<u64> {
    let ((account, team), (organisation, library)) = (columns_of(from), places_of(on));
    let done = sqlx::query(
        "DELETE FROM role_grant
          WHERE (account = $1 OR team = $2) AND (organisation = $3 OR library = $4)
            AND ($5 IS NULL OR role = $5)",
    )
    .bind(account)
    .bind(team)
    .bind(organisation)
    .bind(library)
    .bind(role.map(Role::as_str))
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// The grant `id`.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, id: &str) -> Result<Option<Grant>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM role_grant WHERE id = $1")
        .bind(id)
        .fetch_optional(db)
        .await?;
    row.map(Grant::try_from).transpose()
}

/// Takes the grant `id` away.
///
/// # Errors
///
/// Those of the database.
pub async fn delete(db: &mut AnyConnection, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM role_grant WHERE id = $1").bind(id).execute(db).await?;
    Ok(())
}

/// What is granted to somebody, but for what their teams have.
///
/// # Errors
///
/// Those of the database.
pub async fn list_of(db: &mut AnyConnection, to: Grantee) -> Result<Vec<Grant>> {
    let (account, team) = columns_of(to);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM role_grant WHERE account = $1 OR team = $2 ORDER BY created_ms, id",
    )
    .bind(account)
    .bind(team)
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Grant::try_from).collect()
}

/// What is granted right there, but for what comes from above.
///
/// # Errors
///
/// Those of the database.
pub async fn list_on(db: &mut AnyConnection, on: Scope) -> Result<Vec<Grant>> {
    let (organisation, library) = places_of(on);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM role_grant WHERE organisation = $1 OR library = $2 ORDER BY created_ms, id",
    )
    .bind(organisation)
    .bind(library)
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Grant::try_from).collect()
}

/// Grants what was granted on `from` on `to` instead.
///
/// # Errors
///
/// Those of the database.
pub async fn hand_over(
    db: &mut AnyConnection,
    from: OrganisationId,
    to: OrganisationId,
) -> Result<()> {
    sqlx::query("UPDATE role_grant SET organisation = $2 WHERE organisation = $1")
        .bind(from.to_string())
        .bind(to.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// The roles that `account` and its teams have at `now_ms`, Unix milliseconds: in each library,
/// with those from its owner and from above, and on organisations as they were granted.
///
/// # Errors
///
/// Those of the database.
pub async fn roles_of(
    db: &mut AnyConnection,
    account: &str,
    now_ms: i64,
) -> Result<(HashMap<LibraryId, Roles>, HashMap<OrganisationId, Roles>)> {
    let granted: Vec<(String, Option<String>, Option<String>)> = sqlx::query_as(
        "SELECT role, organisation, library FROM role_grant
          WHERE (account = $1 OR team IN (SELECT team FROM team_member WHERE account = $1))
            AND (ends_ms IS NULL OR ends_ms > $2)",
    )
    .bind(account)
    .bind(now_ms)
    .fetch_all(&mut *db)
    .await?;
    let (mut libraries, mut organisations) = (HashMap::new(), HashMap::new());
    for (role, organisation, library) in granted {
        let role = parse::<Role>("role_grant.role", &role)?;
        if let Some(id) = organisation {
            add(&mut organisations, parse("role_grant.organisation", &id)?, role);
        }
        if let Some(id) = library {
            add(&mut libraries, parse("role_grant.library", &id)?, role);
        }
    }
    if !organisations.is_empty() {
        let owned: Vec<(String, String)> = sqlx::query_as(
            "SELECT l.id, o.path FROM library l JOIN organisation o ON o.id = l.owner",
        )
        .fetch_all(db)
        .await?;
        for (library, path) in owned {
            let library = parse("library.id", &library)?;
            for id in path.split_terminator('/') {
                let above: Option<&Roles> = organisations.get(&parse("organisation.path", id)?);
                above.into_iter().flat_map(|roles| roles.iter()).for_each(|role| {
                    add(&mut libraries, library, role);
                });
            }
        }
    }
    Ok((libraries, organisations))
}

fn add<T: std::hash::Hash + Eq>(roles: &mut HashMap<T, Roles>, of: T, role: Role) {
    let there = roles.entry(of).or_default();
    *there = there.with(role);
}

fn columns_of(to: Grantee) -> (Option<String>, Option<String>) {
    match to {
        Grantee::Account(id) => (Some(id.to_string()), None),
        Grantee::Team(id) => (None, Some(id.to_string())),
    }
}

fn places_of(on: Scope) -> (Option<String>, Option<String>) {
    match on {
        Scope::Organisation(id) => (Some(id.to_string()), None),
        Scope::Library(id) => (None, Some(id.to_string())),
    }
}

impl TryFrom<Row> for Grant {
    type Error = super::Error;

    fn try_from(row: Row) -> Result<Self> {
        let bad = |what| super::Error::Row { what, value: row.id.clone() };
        let to = match (&row.account, &row.team) {
            (Some(id), None) => Grantee::Account(parse("role_grant.account", id)?),
            (None, Some(id)) => Grantee::Team(parse("role_grant.team", id)?),
            _ => return Err(bad("role_grant.account")),
        };
        let on = match (&row.organisation, &row.library) {
            (Some(id), None) => Scope::Organisation(parse("role_grant.organisation", id)?),
            (None, Some(id)) => Scope::Library(parse("role_grant.library", id)?),
            _ => return Err(bad("role_grant.library")),
        };
        let role = parse("role_grant.role", &row.role)?;
        Ok(Self { id: row.id, to, role, on, ends_ms: row.ends_ms })
    }
}
