//! What is granted in the branch that somebody looks after.

use std::collections::{BTreeSet, HashMap};

use sqlx::AnyConnection;

use super::Result;
use super::grants::{Grant, Grantee, Row};
use super::people::{Viewer, as_viewer, in_branch, pattern};
use super::resources::places;
use crate::catalogue::{AccountId, LibraryId, OrganisationId, TeamId};

/// Which grants; `None` leaves a condition out.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// To this person, not by a team.
    pub account: Option<AccountId>,
    /// To this team.
    pub team: Option<TeamId>,
    /// Right there.
    pub organisation: Option<OrganisationId>,
    /// Right there.
    pub library: Option<LibraryId>,
    /// In the name of the person, the team or the place.
    pub words: Option<String>,
}

macro_rules! granted {
    ($select:literal, $end:literal) => {
        in_branch!(concat!(
            $select,
            " FROM here h LEFT JOIN account a ON a.id = h.account LEFT JOIN team t ON t.id = h.team
                   LEFT JOIN organisation o ON o.id = h.organisation
                   LEFT JOIN library l ON l.id = h.library
              WHERE ($4 IS NULL OR h.account = $4) AND ($5 IS NULL OR h.team = $5)
                AND ($6 IS NULL OR h.organisation = $6) AND ($7 IS NULL OR h.library = $7)
                AND ($8 IS NULL OR lower(a.name) LIKE $8 ESCAPE '!'
                     OR lower(a.display_name) LIKE $8 ESCAPE '!' OR lower(t.name) LIKE $8 ESCAPE '!'
                     OR lower(o.name) LIKE $8 ESCAPE '!' OR lower(l.name) LIKE $8 ESCAPE '!'
                     OR l.slug LIKE $8 ESCAPE '!') ",
            $end
        ))
    };
}

macro_rules! of_grants {
    ($query:expr, $viewer:expr, $filter:expr) => {
        as_viewer!($query, $viewer)
            .bind($filter.account.map(|id| id.to_string()))
            .bind($filter.team.map(|id| id.to_string()))
            .bind($filter.organisation.map(|id| id.to_string()))
            .bind($filter.library.map(|id| id.to_string()))
            .bind($filter.words.as_deref().map(pattern))
    };
}

/// What is granted in the branch of `viewer`, oldest first: `limit` from `offset` on.
///
/// # Errors
///
/// Those of the database.
pub async fn list(
    db: &mut AnyConnection,
    viewer: &Viewer,
    filter: &Filter,
    (offset, limit): (i64, i64),
) -> Result<Vec<Grant>> {
    let rows = sqlx::query_as(granted!(
        "SELECT h.id, h.account, h.team, h.role, h.organisation, h.library, h.ends_ms",
        "ORDER BY h.created_ms, h.id LIMIT $9 OFFSET $10"
    ));
    let rows: Vec<Row> =
        of_grants!(rows, viewer, filter).bind(limit).bind(offset).fetch_all(db).await?;
    rows.into_iter().map(Grant::try_from).collect()
}

/// How many there are to [`list`].
///
/// # Errors
///
/// Those of the database.
pub async fn count(db: &mut AnyConnection, viewer: &Viewer, filter: &Filter) -> Result<i64> {
    let count = sqlx::query_scalar(granted!("SELECT COUNT(*)", ""));
    Ok(of_grants!(count, viewer, filter).fetch_one(db).await?)
}

/// Names of the people and teams that `grants` name, by their ids.
///
/// # Errors
///
/// Those of the database.
pub async fn names_of(db: &mut AnyConnection, grants: &[Grant]) -> Result<HashMap<String, String>> {
    let ids: BTreeSet<String> = grants
        .iter()
        .map(|grant| match grant.to {
            Grantee::Account(id) => id.to_string(),
            Grantee::Team(id) => id.to_string(),
        })
        .collect();
    let ids: Vec<String> = ids.into_iter().collect();
    let mut names = HashMap::new();
    for ids in ids.chunks(400) {
        let places = places(1, ids.len(), "");
        let statement = format!(
            "SELECT id, display_name FROM account WHERE id IN ({places})
              UNION ALL SELECT id, name FROM team WHERE id IN ({places})"
        );
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(statement));
        for id in ids {
            query = query.bind(id);
        }
        let found: Vec<(String, String)> = query.fetch_all(&mut *db).await?;
        names.extend(found);
    }
    Ok(names)
}
