//! Organisations, and where they were.

use std::collections::BTreeSet;

use sqlx::{AnyConnection, FromRow};

use super::{Error, Result, parse};
use crate::catalogue::{
    DivisionCode, History, Level, LibraryId, Organisation, OrganisationId, Stay,
};

#[derive(FromRow)]
struct Row {
    id: String,
    level: String,
    code: Option<String>,
    name: String,
    path: String,
    contact: String,
    place: String,
    longitude: Option<f64>,
    latitude: Option<f64>,
    created_ms: i64,
    closed_ms: Option<i64>,
    merged_into: Option<String>,
}

/// Adds an organisation.
///
/// # Errors
///
/// [`Error::is_taken`] when the code is in use.
pub async fn insert(db: &mut AnyConnection, organisation: &Organisation) -> Result<()> {
    sqlx::query(
        "INSERT INTO organisation (id, level, code, name, parent, path, contact, place, longitude, latitude, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(organisation.id.to_string())
    .bind(organisation.level.as_str())
    .bind(organisation.code.as_ref().map(DivisionCode::as_str))
    .bind(&organisation.name)
    .bind(organisation.parent().map(|id| id.to_string()))
    .bind(path_of(organisation))
    .bind(&organisation.contact)
    .bind(&organisation.place)
    .bind(organisation.position.map(|(longitude, _)| longitude))
    .bind(organisation.position.map(|(_, latitude)| latitude))
    .bind(organisation.created_ms)
    .execute(&mut *db)
    .await?;
    stay(db, organisation.id, organisation.parent(), organisation.created_ms).await
}

/// Keeps what was changed, but for where it is.
///
/// # Errors
///
/// [`Error::is_taken`] when the code is in use.
pub async fn save(db: &mut AnyConnection, organisation: &Organisation) -> Result<()> {
    sqlx::query(
        "UPDATE organisation SET level = $2, code = $3, name = $4, contact = $5, place = $6,
                longitude = $7, latitude = $8, closed_ms = $9, merged_into = $10
          WHERE id = $1",
    )
    .bind(organisation.id.to_string())
    .bind(organisation.level.as_str())
    .bind(organisation.code.as_ref().map(DivisionCode::as_str))
    .bind(&organisation.name)
    .bind(&organisation.contact)
    .bind(&organisation.place)
    .bind(organisation.position.map(|(longitude, _)| longitude))
    .bind(organisation.position.map(|(_, latitude)| latitude))
    .bind(organisation.closed_ms)
    .bind(organisation.merged_into.map(|id| id.to_string()))
    .execute(db)
    .await?;
    Ok(())
}

/// Puts an organisation and all below it under `parent`, as of `now_ms`, Unix milliseconds.
///
/// # Errors
///
/// Those of the database.
pub async fn move_to(
    db: &mut AnyConnection,
    organisation: &Organisation,
    parent: Option<&Organisation>,
    now_ms: i64,
) -> Result<()> {
    let old = path_of(organisation);
    let above = parent.map(path_of).unwrap_or_default();
    sqlx::query(
        "UPDATE organisation SET path = $2 || substr(path, CAST($3 AS INTEGER))
          WHERE substr(path, 1, CAST($4 AS INTEGER)) = $1",
    )
    .bind(&old)
    .bind(format!("{above}{}/", organisation.id))
    .bind(length(&old) + 1)
    .bind(length(&old))
    .execute(&mut *db)
    .await?;
    let parent = parent.map(|parent| parent.id);
    sqlx::query("UPDATE organisation SET parent = $2 WHERE id = $1")
        .bind(organisation.id.to_string())
        .bind(parent.map(|id| id.to_string()))
        .execute(&mut *db)
        .await?;
    stay(db, organisation.id, parent, now_ms).await
}

/// Ends where it is, as of `now_ms`, Unix milliseconds: it was closed.
///
/// # Errors
///
/// Those of the database.
pub async fn end_stay(db: &mut AnyConnection, id: OrganisationId, now_ms: i64) -> Result<()> {
    sqlx::query(
        "UPDATE organisation_place SET until_ms = $2 WHERE organisation = $1 AND until_ms IS NULL",
    )
    .bind(id.to_string())
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

async fn stay(
    db: &mut AnyConnection,
    id: OrganisationId,
    parent: Option<OrganisationId>,
    now_ms: i64,
) -> Result<()> {
    end_stay(db, id, now_ms).await?;
    sqlx::query(
        "INSERT INTO organisation_place (organisation, parent, from_ms) VALUES ($1, $2, $3)
             ON CONFLICT (organisation, from_ms) DO UPDATE SET parent = excluded.parent, until_ms = NULL",
    )
    .bind(id.to_string())
    .bind(parent.map(|id| id.to_string()))
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// The organisation `id`.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, id: OrganisationId) -> Result<Option<Organisation>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM organisation WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(db)
        .await?;
    row.map(Organisation::try_from).transpose()
}

/// The organisation of the division `code`.
///
/// # Errors
///
/// Those of the database.
pub async fn find_by_code(
    db: &mut AnyConnection,
    code: &DivisionCode,
) -> Result<Option<Organisation>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM organisation WHERE code = $1")
        .bind(code.as_str())
        .fetch_optional(db)
        .await?;
    row.map(Organisation::try_from).transpose()
}

/// All organisations, those that are closed too, by code, then by name.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection) -> Result<Vec<Organisation>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM organisation ORDER BY COALESCE(code, 'z'), name, created_ms, id",
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Organisation::try_from).collect()
}

/// How many open organisations are right below `id`.
///
/// # Errors
///
/// Those of the database.
pub async fn count_below(db: &mut AnyConnection, id: OrganisationId) -> Result<i64> {
    let below = "SELECT COUNT(*) FROM organisation WHERE parent = $1 AND closed_ms IS NULL";
    Ok(sqlx::query_scalar(below).bind(id.to_string()).fetch_one(db).await?)
}

/// How many organisations are open.
///
/// # Errors
///
/// Those of the database.
pub async fn count_open(db: &mut AnyConnection) -> Result<i64> {
    let open = "SELECT COUNT(*) FROM organisation WHERE closed_ms IS NULL";
    Ok(sqlx::query_scalar(open).fetch_one(db).await?)
}

/// The open organisations right below `id`, or those that nobody is above, each with how many open
/// ones are right below it; by code, then by name.
///
/// # Errors
///
/// Those of the database.
pub async fn list_below(
    db: &mut AnyConnection,
    id: Option<OrganisationId>,
) -> Result<Vec<(Organisation, i64)>> {
    let id = id.map(|id| id.to_string());
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM organisation
          WHERE (parent = $1 OR ($1 IS NULL AND parent IS NULL)) AND closed_ms IS NULL
          ORDER BY COALESCE(code, 'z'), name, created_ms, id",
    )
    .bind(id.as_deref())
    .fetch_all(&mut *db)
    .await?;
    let below: Vec<(String, i64)> = sqlx::query_as(
        "SELECT o.parent, COUNT(*) FROM organisation o JOIN organisation p ON p.id = o.parent
          WHERE (p.parent = $1 OR ($1 IS NULL AND p.parent IS NULL)) AND o.closed_ms IS NULL
          GROUP BY o.parent",
    )
    .bind(id.as_deref())
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let count = below.iter().find(|(parent, _)| *parent == row.id);
            let count = count.map_or(0, |(_, count)| *count);
            Ok((row.try_into()?, count))
        })
        .collect()
}

/// The organisations that own a public library, and all that are above them; by code, then by name.
///
/// # Errors
///
/// Those of the database.
pub async fn list_with_libraries(db: &mut AnyConnection) -> Result<Vec<Organisation>> {
    let paths: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT o.path FROM organisation o JOIN library l ON l.owner = o.id
          WHERE l.visibility = 'public'",
    )
    .fetch_all(&mut *db)
    .await?;
    let ids: BTreeSet<&str> = paths.iter().flat_map(|path| path.split_terminator('/')).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<String> = (1..=ids.len()).map(|n| format!("${n}")).collect();
    let statement = format!(
        "SELECT * FROM organisation WHERE id IN ({})
          ORDER BY COALESCE(code, 'z'), name, created_ms, id",
        places.join(", ")
    );
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(statement));
    for id in ids {
        query = query.bind(id);
    }
    let rows: Vec<Row> = query.fetch_all(db).await?;
    rows.into_iter().map(Organisation::try_from).collect()
}

/// What every organisation and every library was under, and when.
///
/// # Errors
///
/// Those of the database.
pub async fn history(db: &mut AnyConnection) -> Result<History> {
    type Stayed = (String, Option<String>, i64, Option<i64>);
    let places: Vec<Stayed> =
        sqlx::query_as("SELECT organisation, parent, from_ms, until_ms FROM organisation_place")
            .fetch_all(&mut *db)
            .await?;
    let owners: Vec<Stayed> =
        sqlx::query_as("SELECT library, organisation, from_ms, until_ms FROM library_owner")
            .fetch_all(db)
            .await?;
    let under = |under: Option<String>| {
        under.map(|id| parse::<OrganisationId>("organisation.id", &id)).transpose()
    };
    Ok(History {
        places: places
            .into_iter()
            .map(|(of, parent, from_ms, until_ms)| {
                let of = parse("organisation_place.organisation", &of)?;
                Ok(Stay { of, under: under(parent)?, from_ms, until_ms })
            })
            .collect::<Result<_>>()?,
        owners: owners
            .into_iter()
            .map(|(of, owner, from_ms, until_ms)| {
                let of = parse::<LibraryId>("library_owner.library", &of)?;
                Ok(Stay { of, under: under(owner)?, from_ms, until_ms })
            })
            .collect::<Result<_>>()?,
    })
}

/// As it is stored: ids, each followed by `/`.
pub(super) fn path_of(organisation: &Organisation) -> String {
    organisation.path.iter().map(|id| format!("{id}/")).collect()
}

fn length(path: &str) -> i64 {
    i64::try_from(path.len()).unwrap_or(i64::MAX)
}

impl TryFrom<Row> for Organisation {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let path = row.path.split_terminator('/').map(|id| parse("organisation.path", id));
        Ok(Self {
            id: parse("organisation.id", &row.id)?,
            level: parse::<Level>("organisation.level", &row.level)?,
            code: row.code.map(|code| parse("organisation.code", &code)).transpose()?,
            name: row.name,
            path: path.collect::<Result<_>>()?,
            contact: row.contact,
            place: row.place,
            position: row.longitude.zip(row.latitude),
            created_ms: row.created_ms,
            closed_ms: row.closed_ms,
            merged_into: row
                .merged_into
                .map(|id| parse("organisation.merged_into", &id))
                .transpose()?,
        })
    }
}
