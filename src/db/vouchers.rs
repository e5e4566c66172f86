//! Who vouches for what is local about resources. A voucher stands while it is not withdrawn and
//! the resource's mark is what was vouched for, letter for letter.

use sqlx::{AnyConnection, FromRow};

use super::resources::places;
use super::{Error, Result, parse, parse_json, settings, to_json};
use crate::catalogue::{AccountId, Particulars, ResourceId, Vouched, Voucher, VoucherId};

#[derive(FromRow)]
struct Row {
    id: String,
    resource: String,
    organisation: String,
    level: String,
    account: String,
    at_ms: i64,
    note: String,
    mark: String,
    withdrawn_ms: Option<i64>,
    withdrawn_by: Option<String>,
}

/// Adds a voucher.
///
/// # Errors
///
/// Those of the database; [`Error::is_taken`] when the organisation vouches for it already.
pub async fn insert(db: &mut AnyConnection, voucher: &Voucher) -> Result<()> {
    sqlx::query(
        "INSERT INTO voucher (id, resource, organisation, level, account, at_ms, note, mark)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(voucher.id.to_string())
    .bind(voucher.resource.to_string())
    .bind(voucher.organisation.to_string())
    .bind(voucher.level.as_str())
    .bind(voucher.account.to_string())
    .bind(voucher.at_ms)
    .bind(&voucher.note)
    .bind(to_json(&voucher.mark))
    .execute(db)
    .await?;
    Ok(())
}

/// Ends a voucher; false when it was ended before.
///
/// # Errors
///
/// Those of the database.
pub async fn withdraw(
    db: &mut AnyConnection,
    id: VoucherId,
    by: AccountId,
    now_ms: i64,
) -> Result<bool> {
    let ended = sqlx::query(
        "UPDATE voucher SET withdrawn_ms = $2, withdrawn_by = $3
          WHERE id = $1 AND withdrawn_ms IS NULL",
    )
    .bind(id.to_string())
    .bind(now_ms)
    .bind(by.to_string())
    .execute(db)
    .await?;
    Ok(ended.rows_affected() > 0)
}

/// All vouchers that there ever were for `resource`, the newest first.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<Voucher>> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT * FROM voucher WHERE resource = $1 ORDER BY at_ms DESC, id DESC")
            .bind(resource.to_string())
            .fetch_all(db)
            .await?;
    rows.into_iter().map(Voucher::try_from).collect()
}

/// The vouchers that stand for the resources `ids`, each with the id of its resource, the highest
/// level first.
///
/// # Errors
///
/// Those of the database.
pub async fn standing(db: &mut AnyConnection, ids: &[String]) -> Result<Vec<(String, Vouched)>> {
    let mut all = Vec::new();
    for ids in ids.chunks(500) {
        let statement = format!(
            "SELECT v.resource, o.name, v.level, v.at_ms, v.note
               FROM voucher v JOIN resource r ON r.id = v.resource
               JOIN organisation o ON o.id = v.organisation
              WHERE v.resource IN ({}) AND v.withdrawn_ms IS NULL AND v.mark = r.local_mark",
            places(1, ids.len(), "")
        );
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(statement));
        for id in ids {
            query = query.bind(id);
        }
        let rows: Vec<(String, String, String, i64, String)> = query.fetch_all(&mut *db).await?;
        for (resource, organisation, level, at_ms, note) in rows {
            let level = parse("voucher.level", &level)?;
            all.push((resource, Vouched { organisation, level, at_ms, note }));
        }
    }
    all.sort_by_key(|(_, one)| (one.level, one.at_ms));
    Ok(all)
}

/// The vouchers that stand for the resource `id`, the highest level first.
///
/// # Errors
///
/// Those of the database.
pub async fn standing_for(db: &mut AnyConnection, id: ResourceId) -> Result<Vec<Vouched>> {
    Ok(standing(db, &[id.to_string()]).await?.into_iter().map(|(_, one)| one).collect())
}

/// Ids of up to `limit` public resources for which somebody vouches, the last vouched for first.
///
/// # Errors
///
/// Those of the database.
pub async fn newest_public(db: &mut AnyConnection, limit: i64) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT r.id FROM voucher v JOIN resource r ON r.id = v.resource
           JOIN library l ON l.id = r.library
          WHERE v.withdrawn_ms IS NULL AND v.mark = r.local_mark
            AND r.stage = 'published' AND l.visibility = 'public'
          GROUP BY r.id ORDER BY MAX(v.at_ms) DESC, r.id DESC LIMIT $1",
    )
    .bind(limit)
    .fetch_all(db)
    .await?)
}

/// What is to be true of a resource `r` that has one of these values of `local`.
pub(super) fn local_condition(values: &[String]) -> &'static str {
    if values.iter().any(|value| value == "true") {
        " AND r.local_mark IS NOT NULL"
    } else if values.iter().any(|value| value == "vouched") {
        " AND r.id IN (SELECT resource FROM voucher v
                        WHERE v.withdrawn_ms IS NULL AND v.mark = r.local_mark)"
    } else {
        " AND 1 = 0"
    }
}

/// Numbers a change of the resource `id`, so that the index looks at it again.
///
/// # Errors
///
/// Those of the database.
pub async fn touch(db: &mut AnyConnection, id: ResourceId) -> Result<()> {
    let number = settings::next_change(&mut *db).await?;
    sqlx::query("UPDATE resource SET changed = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(number)
        .execute(db)
        .await?;
    Ok(())
}

/// What the column `particulars` has: all but the mark, which has its own.
pub(super) fn particulars_json(particulars: &Particulars) -> String {
    to_json(&Particulars { local: None, ..particulars.clone() })
}

/// The two columns as one.
pub(super) fn read_particulars(particulars: &str, mark: Option<&str>) -> Result<Particulars> {
    let local = mark.map(|mark| parse_json("resource.local_mark", mark)).transpose()?;
    Ok(Particulars { local, ..parse_json("resource.particulars", particulars)? })
}

impl TryFrom<Row> for Voucher {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let by = row.withdrawn_by.as_deref();
        Ok(Self {
            id: parse("voucher.id", &row.id)?,
            resource: parse("voucher.resource", &row.resource)?,
            organisation: parse("voucher.organisation", &row.organisation)?,
            level: parse("voucher.level", &row.level)?,
            account: parse("voucher.account", &row.account)?,
            at_ms: row.at_ms,
            note: row.note,
            mark: parse_json("voucher.mark", &row.mark)?,
            withdrawn_ms: row.withdrawn_ms,
            withdrawn_by: by.map(|by| parse("voucher.withdrawn_by", by)).transpose()?,
        })
    }
}
