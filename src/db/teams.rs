//! Teams: people who get roles together.

use sqlx::{AnyConnection, FromRow};

use super::people::{Viewer, as_viewer, in_branch};
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

/// The teams in the branch of `viewer`, or only the one called `id`, by name.
///
/// # Errors
///
/// Those of the database.
pub async fn list(
    db: &mut AnyConnection,
    viewer: &Viewer,
    id: Option<TeamId>,
) -> Result<Vec<Team>> {
    let rows = sqlx::query_as(in_branch!(
        "SELECT t.id, t.name, t.organisation,
                (SELECT COUNT(*) FROM team_member m WHERE m.team = t.id) AS members
           FROM team t
          WHERE t.id IN (SELECT id FROM groups_here) AND ($4 IS NULL OR t.id = $4)
          ORDER BY t.name, t.id"
    ));
    let rows: Vec<Row> =
        as_viewer!(rows, viewer).bind(id.map(|id| id.to_string())).fetch_all(db).await?;
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
