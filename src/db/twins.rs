//! What is kept of resources to compare them, and which are alike.

use std::collections::HashMap;

use sqlx::{AnyConnection, FromRow};

use super::{Error, Result, parse};
use crate::catalogue::{AccountId, LibraryId, ResourceId, Sha256, Stage};
use crate::db::jobs::TWINS;
use crate::twins::{Likeness, Match, Print, Span, VERSION, keys, pack};

/// The most resources that are looked at for one key: what so many have tells little.
const MOST_HOLDERS: i64 = 200;

/// Two resources that have something in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The smaller id.
    pub first: ResourceId,
    /// The larger one.
    pub second: ResourceId,
    /// What it is.
    pub found: Match,
    /// When it was found, Unix milliseconds.
    pub found_ms: i64,
}

/// What somebody says of two resources: that they are not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The smaller id.
    pub first: ResourceId,
    /// The larger one.
    pub second: ResourceId,
    /// Name of who says so, as shown.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Unix milliseconds.
    pub at_ms: i64,
}

/// Which pairs to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that nobody spoke against.
    Open,
    /// Those that are not the same, as somebody said.
    SetAside,
}

#[derive(FromRow)]
struct PrintRow {
    looks: String,
    image: String,
    sound: String,
    text: String,
}

#[derive(FromRow)]
struct PairRow {
    first: String,
    second: String,
    likeness: String,
    share: f64,
    first_from: i64,
    first_to: i64,
    second_from: i64,
    second_to: i64,
    found_ms: i64,
}

/// Puts `print` and its keys in the place of what was kept of a resource.
///
/// # Errors
///
/// Those of the database.
pub async fn keep(
    db: &mut AnyConnection,
    resource: ResourceId,
    print: &Print,
    now_ms: i64,
) -> Result<()> {
    forget_print(db, resource).await?;
    let number: i64 = sqlx::query_scalar(
        "UPDATE counter SET value = value + 1 WHERE name = 'print' RETURNING value",
    )
    .fetch_one(&mut *db)
    .await?;
    sqlx::query(
        "INSERT INTO twin_print (number, resource, version, looks, image, sound, text, made_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(number)
    .bind(resource.to_string())
    .bind(VERSION)
    .bind(pack::looks(&print.looks))
    .bind(pack::image(&print.image))
    .bind(pack::sound(&print.sound))
    .bind(pack::text(&print.text))
    .bind(now_ms)
    .execute(&mut *db)
    .await?;
    for key in keys::of(print) {
        sqlx::query("INSERT INTO twin_key (key, print) VALUES ($1, $2)")
            .bind(key)
            .bind(number)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

async fn forget_print(db: &mut AnyConnection, resource: ResourceId) -> Result<()> {
    let id = resource.to_string();
    sqlx::query(
        "DELETE FROM twin_key WHERE print IN (SELECT number FROM twin_print WHERE resource = $1)",
    )
    .bind(&id)
    .execute(&mut *db)
    .await?;
    sqlx::query("DELETE FROM twin_print WHERE resource = $1").bind(&id).execute(db).await?;
    Ok(())
}

/// Forgets all about a resource that is gone.
///
/// # Errors
///
/// Those of the database.
pub async fn forget(db: &mut AnyConnection, resource: ResourceId) -> Result<()> {
    forget_print(db, resource).await?;
    let id = resource.to_string();
    sqlx::query("DELETE FROM twin_pair WHERE first = $1 OR second = $1")
        .bind(&id)
        .execute(&mut *db)
        .await?;
    sqlx::query("DELETE FROM twin_verdict WHERE first = $1 OR second = $1")
        .bind(&id)
        .execute(db)
        .await?;
    Ok(())
}

/// What is kept of a resource, if it is of this version.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, resource: ResourceId) -> Result<Option<Print>> {
    let row: Option<PrintRow> = sqlx::query_as(
        "SELECT looks, image, sound, text FROM twin_print WHERE resource = $1 AND version = $2",
    )
    .bind(resource.to_string())
    .bind(VERSION)
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        let bad = || Error::Row { what: "twin_print", value: resource.to_string() };
        Ok(Print {
            looks: pack::to_looks(&row.looks).ok_or_else(bad)?,
            image: pack::to_image(&row.image).ok_or_else(bad)?,
            sound: pack::to_sound(&row.sound).ok_or_else(bad)?,
            text: pack::to_text(&row.text).ok_or_else(bad)?,
        })
    })
    .transpose()
}

/// Up to `most` other resources that share keys with `print`, those that share most of the rarest
/// first.
///
/// # Errors
///
/// Those of the database.
pub async fn candidates(
    db: &mut AnyConnection,
    resource: ResourceId,
    print: &Print,
    most: usize,
) -> Result<Vec<ResourceId>> {
    let id = resource.to_string();
    let mut weights: HashMap<i64, f64> = HashMap::new();
    for key in keys::of(print) {
        let holders: Vec<i64> =
            sqlx::query_scalar("SELECT print FROM twin_key WHERE key = $1 ORDER BY print LIMIT $2")
                .bind(key)
                .bind(MOST_HOLDERS)
                .fetch_all(&mut *db)
                .await?;
        for holder in &holders {
            *weights.entry(*holder).or_default() += 1.0 / holders.len() as f64;
        }
    }
    let mut holders: Vec<(i64, f64)> = weights.into_iter().collect();
    holders.sort_unstable_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
    let mut found = Vec::new();
    for (number, _) in holders.into_iter().take(most + 1) {
        let holder: Option<String> = sqlx::query_scalar(
            "SELECT p.resource FROM twin_print p JOIN resource r ON r.id = p.resource
              WHERE p.number = $1 AND p.version = $2 AND r.stage <> 'deleted'",
        )
        .bind(number)
        .bind(VERSION)
        .fetch_optional(&mut *db)
        .await?;
        if let Some(holder) = holder.filter(|holder| *holder != id) {
            found.push(parse("twin_print.resource", &holder)?);
        }
    }
    Ok(found)
}

/// Up to `most` other resources made of the source `hash`, the oldest first.
///
/// # Errors
///
/// Those of the database.
pub async fn of_source(
    db: &mut AnyConnection,
    resource: ResourceId,
    hash: Sha256,
    most: i64,
) -> Result<Vec<ResourceId>> {
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM resource
          WHERE source = $1 AND id <> $2 AND stage IN ('ready', 'submitted', 'published', 'withdrawn')
          ORDER BY created_ms, id LIMIT $3",
    )
    .bind(hash.to_string())
    .bind(resource.to_string())
    .bind(most)
    .fetch_all(db)
    .await?;
    found.iter().map(|id| parse("resource.id", id)).collect()
}

/// Puts what `resource` has in common with others in the place of what was known.
///
/// # Errors
///
/// Those of the database.
pub async fn replace(
    db: &mut AnyConnection,
    resource: ResourceId,
    found: &[(ResourceId, Match)],
    now_ms: i64,
) -> Result<()> {
    // What was found before keeps its time.
    let known: HashMap<(ResourceId, Likeness), i64> = of_resource(&mut *db, resource)
        .await?
        .into_iter()
        .map(|pair| {
            let other = if pair.first == resource { pair.second } else { pair.first };
            ((other, pair.found.likeness), pair.found_ms)
        })
        .collect();
    sqlx::query("DELETE FROM twin_pair WHERE first = $1 OR second = $1")
        .bind(resource.to_string())
        .execute(&mut *db)
        .await?;
    for (other, found) in found {
        let since_ms = known.get(&(*other, found.likeness)).copied().unwrap_or(now_ms);
        insert(&mut *db, resource, *other, *found, since_ms).await?;
    }
    Ok(())
}

async fn insert(
    db: &mut AnyConnection,
    resource: ResourceId,
    other: ResourceId,
    found: Match,
    found_ms: i64,
) -> Result<()> {
    let (first, second) = ordered(resource, other);
    let found = if first == resource { found } else { found.turned() };
    sqlx::query(
        "INSERT INTO twin_pair (first, second, likeness, share, first_from, first_to, second_from,
                second_to, found_ms)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
           FROM resource r WHERE r.id = $10 AND r.stage <> 'deleted'
             ON CONFLICT (first, second, likeness) DO UPDATE
            SET share = excluded.share, first_from = excluded.first_from,
                first_to = excluded.first_to, second_from = excluded.second_from,
                second_to = excluded.second_to",
    )
    .bind(first.to_string())
    .bind(second.to_string())
    .bind(found.likeness.as_str())
    .bind(found.share)
    .bind(found.first.from)
    .bind(found.first.to)
    .bind(found.second.from)
    .bind(found.second.to)
    .bind(found_ms)
    .bind(other.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// The smaller id and the larger one, as pairs are kept.
#[must_use]
pub fn ordered(one: ResourceId, other: ResourceId) -> (ResourceId, ResourceId) {
    if one.to_string() <= other.to_string() { (one, other) } else { (other, one) }
}

/// A resource that has something in common with others, as far as it decides who may know of it.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// Which one.
    pub id: ResourceId,
    /// Whose.
    pub library: LibraryId,
    /// Who uploaded it.
    pub uploaded_by: AccountId,
    /// How far it is.
    pub stage: Stage,
}

/// Resources that have something in common with others.
///
/// # Errors
///
/// Those of the database.
pub async fn members(db: &mut AnyConnection) -> Result<Vec<Member>> {
    let rows: Vec<(String, String, String, String)> = sqlx::query_as(
        "SELECT id, library, uploaded_by, stage FROM resource
          WHERE id IN (SELECT first FROM twin_pair UNION SELECT second FROM twin_pair)",
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(id, library, uploaded_by, stage)| {
            Ok(Member {
                id: parse("resource.id", &id)?,
                library: parse("resource.library", &library)?,
                uploaded_by: parse("resource.uploaded_by", &uploaded_by)?,
                stage: parse("resource.stage", &stage)?,
            })
        })
        .collect()
}

/// Pairs of resources that are ready, published or withdrawn, the oldest first.
///
/// # Errors
///
/// Those of the database.
pub async fn list(db: &mut AnyConnection, which: Which) -> Result<Vec<Pair>> {
    let rows: Vec<PairRow> = sqlx::query_as(
        "SELECT p.* FROM twin_pair p
           JOIN resource a ON a.id = p.first JOIN resource b ON b.id = p.second
          WHERE a.stage IN ('ready', 'published', 'withdrawn')
            AND b.stage IN ('ready', 'published', 'withdrawn')
            AND $1 = (SELECT COUNT(*) FROM twin_verdict v
                       WHERE v.first = p.first AND v.second = p.second)
          ORDER BY p.found_ms, p.first, p.second, p.likeness",
    )
    .bind(i64::from(which == Which::SetAside))
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Pair::try_from).collect()
}

/// The pairs of one resource, but for those that somebody spoke against.
///
/// # Errors
///
/// Those of the database.
pub async fn open_of(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<Pair>> {
    let rows: Vec<PairRow> = sqlx::query_as(
        "SELECT p.* FROM twin_pair p
          WHERE (p.first = $1 OR p.second = $1)
            AND 0 = (SELECT COUNT(*) FROM twin_verdict v
                      WHERE v.first = p.first AND v.second = p.second)
          ORDER BY p.share DESC, p.first, p.second",
    )
    .bind(resource.to_string())
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Pair::try_from).collect()
}

async fn of_resource(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<Pair>> {
    let rows: Vec<PairRow> =
        sqlx::query_as("SELECT * FROM twin_pair WHERE first = $1 OR second = $1")
            .bind(resource.to_string())
            .fetch_all(db)
            .await?;
    rows.into_iter().map(Pair::try_from).collect()
}

/// Whether anything of the two is the same.
///
/// # Errors
///
/// Those of the database.
pub async fn is_pair(db: &mut AnyConnection, one: ResourceId, other: ResourceId) -> Result<bool> {
    let (first, second) = ordered(one, other);
    let count: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM twin_pair WHERE first = $1 AND second = $2")
            .bind(first.to_string())
            .bind(second.to_string())
            .fetch_one(db)
            .await?;
    Ok(count > 0)
}

/// Keeps that two are not the same, in the place of what was said before.
///
/// # Errors
///
/// Those of the database.
pub async fn set_aside(
    db: &mut AnyConnection,
    (one, other): (ResourceId, ResourceId),
    account: AccountId,
    reason: &str,
    now_ms: i64,
) -> Result<()> {
    let (first, second) = ordered(one, other);
    sqlx::query(
        "INSERT INTO twin_verdict (first, second, account, reason, at_ms)
         VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (first, second) DO UPDATE
            SET account = excluded.account, reason = excluded.reason, at_ms = excluded.at_ms",
    )
    .bind(first.to_string())
    .bind(second.to_string())
    .bind(account.to_string())
    .bind(reason)
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Takes back that two are not the same; false when nobody said so.
///
/// # Errors
///
/// Those of the database.
pub async fn take_back(db: &mut AnyConnection, one: ResourceId, other: ResourceId) -> Result<bool> {
    let (first, second) = ordered(one, other);
    let gone = sqlx::query("DELETE FROM twin_verdict WHERE first = $1 AND second = $2")
        .bind(first.to_string())
        .bind(second.to_string())
        .execute(db)
        .await?;
    Ok(gone.rows_affected() > 0)
}

/// What was said of pairs.
///
/// # Errors
///
/// Those of the database.
pub async fn verdicts(db: &mut AnyConnection) -> Result<Vec<Verdict>> {
    let rows: Vec<(String, String, String, String, i64)> = sqlx::query_as(
        "SELECT v.first, v.second, a.display_name, v.reason, v.at_ms
           FROM twin_verdict v JOIN account a ON a.id = v.account",
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(first, second, by, reason, at_ms)| {
            let (first, second) =
                (parse("twin_verdict.first", &first)?, parse("twin_verdict.second", &second)?);
            Ok(Verdict { first, second, by, reason, at_ms })
        })
        .collect()
}

/// Up to `limit` resources with a file that are ready and were not compared by this version, nor
/// are to be, nor could not be; the newest first.
///
/// # Errors
///
/// Those of the database.
pub async fn missing(db: &mut AnyConnection, limit: i64) -> Result<Vec<ResourceId>> {
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT r.id FROM resource r
          WHERE r.stage IN ('ready', 'submitted', 'published', 'withdrawn')
            AND r.kind <> 'package' AND r.source IS NOT NULL
            AND r.id NOT IN (SELECT p.resource FROM twin_print p WHERE p.version = $1)
            AND r.id NOT IN (SELECT j.resource FROM job j
                              WHERE j.kind = $2 AND j.state <> 'done')
          ORDER BY r.created_ms DESC, r.id LIMIT $3",
    )
    .bind(VERSION)
    .bind(TWINS)
    .bind(limit)
    .fetch_all(db)
    .await?;
    found.iter().map(|id| parse("resource.id", id)).collect()
}

/// How many resources wait to be compared.
///
/// # Errors
///
/// Those of the database.
pub async fn waiting(db: &mut AnyConnection) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "SELECT COUNT(*) FROM job WHERE kind = $1 AND state = 'queued' AND lane = 'heavy'",
    )
    .bind(TWINS)
    .fetch_one(db)
    .await?)
}

/// Whether jobs of `kind` of a resource wait to be begun.
///
/// # Errors
///
/// Those of the database.
pub async fn awaits(db: &mut AnyConnection, resource: ResourceId, kind: &str) -> Result<bool> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM job WHERE resource = $1 AND kind = $2 AND state = 'queued'",
    )
    .bind(resource.to_string())
    .bind(kind)
    .fetch_one(db)
    .await?;
    Ok(count > 0)
}

impl TryFrom<PairRow> for Pair {
    type Error = Error;

    fn try_from(row: PairRow) -> Result<Self> {
        let likeness = row
            .likeness
            .parse()
            .map_err(|()| Error::Row { what: "twin_pair.likeness", value: row.likeness.clone() })?;
        Ok(Self {
            first: parse("twin_pair.first", &row.first)?,
            second: parse("twin_pair.second", &row.second)?,
            found: Match {
                likeness,
                share: row.share,
                first: Span { from: row.first_from, to: row.first_to },
                second: Span { from: row.second_from, to: row.second_to },
            },
            found_ms: row.found_ms,
        })
    }
}
