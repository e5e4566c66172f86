//! Teams: people who get roles together.

use sqlx::{AnyConnection, FromRow};

use super::people::{Viewer, as_viewer, in_branch, pattern};
use super::{Result, parse};
use crate::catalogue::{AccountId, OrganisationId, TeamId};

/// A team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Its name for people.
    pub name: String,
    /// Who looks after it; `None`: administrators of the net.
    pub organisation: Option<OrganisationId>,
    /// How many people are in it.
    pub members: i64,
}

#[derive(FromRow)]
struct Row {
    id: String,
    name: String,
    organisation: Option<String>,
    members: i64,
}

/// Adds a team.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(db: &mut AnyConnection, team: &Team, now_ms: i64) -> Result<()> {
    sqlx::query("INSERT INTO team (id, name, organisation, created_ms) VALUES ($1, $2, $3, $4)")
        .bind(team.id.to_string())
        .bind(&team.name)
        .bind(team.organisation.map(|id| id.to_string()))
        .bind(now_ms)
        .execute(db)
        .await?;
    Ok(())
}

/// Names a team anew.
///
/// # Errors
///
/// Those of the database.
pub async fn rename(db: &mut AnyConnection, id: TeamId, name: &str) -> Result<()> {
    sqlx::query("UPDATE team SET name = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(name)
        .execute(db)
        .await?;
    Ok(())
}

/// Ends a team, and what was granted to it.
///
/// # Errors
///
/// Those of the database.
pub async fn delete(db: &mut AnyConnection, id: TeamId) -> Result<()> {
    sqlx::query("DELETE FROM team WHERE id = $1").bind(id.to_string()).execute(db).await?;
    Ok(())
}

/// Takes somebody into a team; false when they are in it.
///
/// # Errors
///
/// Those of the database.
pub async fn join(db: &mut AnyConnection, id: TeamId, account: AccountId) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO team_member (team, account) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(id.to_string())
    .bind(account.to_string())
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Takes somebody out of a team; false when they are not in it.
///
/// # Errors
///
/// Those of the database.
pub async fn leave(db: &mut AnyConnection, id: TeamId, account: AccountId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM team_member WHERE team = $1 AND account = $2")
        .bind(id.to_string())
        .bind(account.to_string())
        .execute(db)
        .await?;
    Ok(done.rows_affected() > 0)
}

macro_rules! matching {
    ($select:literal, $end:literal) => {
        in_branch!(concat!(
            $select,
            " FROM team t LEFT JOIN organisation o ON o.id = t.organisation
              WHERE t.id IN (SELECT id FROM groups_here) AND ($4 IS NULL OR t.id = $4)
                AND ($5 IS NULL OR lower(t.name) LIKE $5 ESCAPE '!'
                     OR lower(o.name) LIKE $5 ESCAPE '!') ",
            $end
        ))
    };
}

/// How many teams in the branch of `viewer` have `words` in their name or that of who looks after
/// them, and of these `limit` from `offset` on, by name.
///
/// # Errors
///
/// Those of the database.
pub async fn list(
    db: &mut AnyConnection,
    viewer: &Viewer,
    words: Option<&str>,
    span: (i64, i64),
) -> Result<(i64, Vec<Team>)> {
    let count = sqlx::query_scalar(matching!("SELECT COUNT(*)", ""));
    let count: i64 = as_viewer!(count, viewer)
        .bind(None::<String>)
        .bind(words.map(pattern))
        .fetch_one(&mut *db)
        .await?;
    Ok((count, read(db, viewer, None, words, span).await?))
}

/// The team `id`, when it is in the branch of `viewer`.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, viewer: &Viewer, id: TeamId) -> Result<Option<Team>> {
    Ok(read(db, viewer, Some(id), None, (0, 1)).await?.pop())
}

async fn read(
    db: &mut AnyConnection,
    viewer: &Viewer,
    id: Option<TeamId>,
    words: Option<&str>,
    (offset, limit): (i64, i64),
) -> Result<Vec<Team>> {
    let rows = sqlx::query_as(matching!(
        "SELECT t.id, t.name, t.organisation,
                (SELECT COUNT(*) FROM team_member m WHERE m.team = t.id) AS members",
        "ORDER BY t.name, t.id LIMIT $6 OFFSET $7"
    ));
    let rows: Vec<Row> = as_viewer!(rows, viewer)
        .bind(id.map(|id| id.to_string()))
        .bind(words.map(pattern))
        .bind(limit)
        .bind(offset)
        .fetch_all(db)
        .await?;
    let team = |row: Row| {
        Ok(Team {
            id: parse("team.id", &row.id)?,
            name: row.name,
            organisation: row.organisation.map(|id| parse("team.organisation", &id)).transpose()?,
            members: row.members,
        })
    };
    rows.into_iter().map(team).collect()
}
