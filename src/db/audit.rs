//! One row for every change of state that was acknowledged, each chained to the one before.

use sqlx::{AnyConnection, FromRow};

use super::people::pattern;
use super::{Result, Tx};
use crate::catalogue::{AccountId, Sha256};

/// What the first row is chained to.
const BEGINNING: &str = "";

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, serde::Serialize)]
pub struct Entry {
    /// From 1, without gaps.
    pub number: i64,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// Who; none: the pipeline or the command line.
    pub account: Option<String>,
    /// What was done.
    pub action: String,
    /// Id of what it was done to.
    pub subject: String,
    /// JSON.
    pub detail: String,
    /// SHA-256 over the row before's hash and all the above, hex.
    pub hash: String,
}

impl Entry {
    /// What its hash must be after a row with the hash `before`: over each value with its length
    /// in front, so that nothing can move from one into the next.
    #[must_use]
    pub fn hash_after(&self, before: &str) -> String {
        let number = self.number.to_string();
        let at_ms = self.at_ms.to_string();
        let (is_account, account) = match &self.account {
            Some(account) => ("1", account.as_str()),
            None => ("0", ""),
        };
        let values = [
            before,
            &number,
            &at_ms,
            is_account,
            account,
            &self.action,
            &self.subject,
            &self.detail,
        ];
        let mut bytes = Vec::new();
        for value in values {
            bytes.extend_from_slice(&(value.len() as u64).to_be_bytes());
            bytes.extend_from_slice(value.as_bytes());
        }
        Sha256::of(&bytes).to_string()
    }
}

/// Something is wrong with the log from a row on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A row is missing, or one was added.
    #[error("row {expected} of the audit log is not there; {found} follows")]
    Missing {
        /// The number that was to come.
        expected: i64,
        /// The number that came.
        found: i64,
    },
    /// A row, or the one before it, is not what was written.
    #[error("row {0} of the audit log is not what was written")]
    Changed(i64),
    /// The last rows are missing, or rows were added by hand.
    #[error("the audit log ends with row {found}, but row {expected} was the last one written")]
    End {
        /// The last number given.
        expected: i64,
        /// The last row's.
        found: i64,
    },
    /// A row that was noted elsewhere is another one here.
    #[error("row {0} of the audit log is not the one that was noted")]
    NotAsNoted(i64),
}

/// Follows the chain row by row.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    number: i64,
    hash: String,
}

impl Chain {
    /// Takes the next row.
    ///
    /// # Errors
    ///
    /// [`Fault`] when it is not the one that follows.
    pub fn take(&mut self, entry: &Entry) -> Result<(), Fault> {
        if entry.number != self.number + 1 {
            return Err(Fault::Missing { expected: self.number + 1, found: entry.number });
        }
        if entry.hash != entry.hash_after(&self.hash) {
            return Err(Fault::Changed(entry.number));
        }
        self.number = entry.number;
        self.hash.clone_from(&entry.hash);
        Ok(())
    }

    /// Ends the chain, which must be `expected` rows long.
    ///
    /// # Errors
    ///
    /// [`Fault::End`] when it is not.
    pub fn end(&self, expected: i64) -> Result<(), Fault> {
        let found = self.number;
        if found == expected { Ok(()) } else { Err(Fault::End { expected, found }) }
    }

    /// Number and hash of the last row.
    #[must_use]
    pub fn head(&self) -> (i64, &str) {
        (self.number, &self.hash)
    }
}

/// What is to be written when the transaction ends.
#[derive(Debug)]
pub(super) struct Note {
    at_ms: i64,
    account: Option<AccountId>,
    action: String,
    subject: String,
    detail: String,
}

/// Records that `account` (the pipeline or the command line when `None`) did
/// `action` to `subject`, in the transaction that does it: with [`Tx::commit`], as the last thing
/// that it writes, since from there to its end others wait for their turn.
///
/// # Errors
///
/// None; those of the database come from [`Tx::commit`].
pub async fn record(
    tx: &mut Tx,
    now_ms: i64,
    account: Option<AccountId>,
    action: &str,
    subject: &str,
    detail: &serde_json::Value,
) -> Result<()> {
    tx.notes.push(Note {
        at_ms: now_ms,
        account,
        action: action.to_owned(),
        subject: subject.to_owned(),
        detail: detail.to_string(),
    });
    Ok(())
}

/// Writes a row after the last one.
pub(super) async fn write(db: &mut AnyConnection, note: Note) -> Result<()> {
    let number: i64 = sqlx::query_scalar(
        "UPDATE counter SET value = value + 1 WHERE name = 'audit' RETURNING value",
    )
    .fetch_one(&mut *db)
    .await?;
    let before: Option<String> = sqlx::query_scalar("SELECT hash FROM audit WHERE number = $1")
        .bind(number - 1)
        .fetch_optional(&mut *db)
        .await?;
    let mut entry = Entry {
        number,
        at_ms: note.at_ms,
        account: note.account.map(|id| id.to_string()),
        action: note.action,
        subject: note.subject,
        detail: note.detail,
        hash: String::new(),
    };
    entry.hash = entry.hash_after(before.as_deref().unwrap_or(BEGINNING));
    sqlx::query(
        "INSERT INTO audit (number, at_ms, account, action, subject, detail, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(entry.number)
    .bind(entry.at_ms)
    .bind(&entry.account)
    .bind(&entry.action)
    .bind(&entry.subject)
    .bind(&entry.detail)
    .bind(&entry.hash)
    .execute(db)
    .await?;
    Ok(())
}

/// At most `most` rows after the one numbered `after`, in order.
///
/// # Errors
///
/// Those of the database.
pub async fn list_after(db: &mut AnyConnection, after: i64, most: i64) -> Result<Vec<Entry>> {
    Ok(sqlx::query_as("SELECT * FROM audit WHERE number > $1 ORDER BY number LIMIT $2")
        .bind(after)
        .bind(most)
        .fetch_all(db)
        .await?)
}

/// Which rows are asked for; `None` leaves a condition out.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Id of who did it.
    pub account: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// Id of what it was done to.
    pub subject: Option<String>,
    /// Unix milliseconds.
    pub from_ms: Option<i64>,
    /// Unix milliseconds, not any more.
    pub until_ms: Option<i64>,
    /// In what was done, to what, or its detail.
    pub words: Option<String>,
}

macro_rules! matching {
    ($select:literal, $end:literal) => {
        concat!(
            $select,
            " FROM audit
              WHERE number < $1
                AND ($2 IS NULL OR account = $2) AND ($3 IS NULL OR action = $3)
                AND ($4 IS NULL OR subject = $4)
                AND ($5 IS NULL OR at_ms >= $5) AND ($6 IS NULL OR at_ms < $6)
                AND ($7 IS NULL OR lower(action) LIKE $7 ESCAPE '!' OR subject LIKE $7 ESCAPE '!'
                     OR lower(detail) LIKE $7 ESCAPE '!') ",
            $end
        )
    };
}

macro_rules! filtered {
    ($query:expr, $filter:expr, $before:expr) => {
        $query
            .bind($before)
            .bind(&$filter.account)
            .bind(&$filter.action)
            .bind(&$filter.subject)
            .bind($filter.from_ms)
            .bind($filter.until_ms)
            .bind($filter.words.as_deref().map(pattern))
    };
}

/// Of the rows that match, below the number `before`, the last first: `limit` from `offset` on.
///
/// # Errors
///
/// Those of the database.
pub async fn list_before(
    db: &mut AnyConnection,
    filter: &Filter,
    before: i64,
    (offset, limit): (i64, i64),
) -> Result<Vec<Entry>> {
    let rows = sqlx::query_as(matching!("SELECT *", "ORDER BY number DESC LIMIT $8 OFFSET $9"));
    Ok(filtered!(rows, filter, before).bind(limit).bind(offset).fetch_all(db).await?)
}

/// How many rows match.
///
/// # Errors
///
/// Those of the database.
pub async fn count(db: &mut AnyConnection, filter: &Filter) -> Result<i64> {
    let count = sqlx::query_scalar(matching!("SELECT COUNT(*)", ""));
    Ok(filtered!(count, filter, i64::MAX).fetch_one(db).await?)
}

/// The last number given.
///
/// # Errors
///
/// Those of the database.
pub async fn last_number(db: &mut AnyConnection) -> Result<i64> {
    let last = "SELECT value FROM counter WHERE name = 'audit'";
    Ok(sqlx::query_scalar(last).fetch_one(db).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(rows: usize) -> Vec<Entry> {
        let mut before = String::new();
        let mut entries = Vec::new();
        for number in 1..=rows {
            let mut entry = Entry {
                number: i64::try_from(number).expect("small"),
                at_ms: 1_790_000_000_000 + i64::try_from(number).expect("small"),
                account: (number % 3 > 0).then(|| format!("account{}", number % 7)),
                action: ["publish", "withdraw", "edit"][number % 3].into(),
                subject: format!("resource{}", number % 11),
                detail: format!("{{\"n\":{number}}}"),
                hash: String::new(),
            };
            entry.hash = entry.hash_after(&before);
            before.clone_from(&entry.hash);
            entries.push(entry);
        }
        entries
    }

    fn verify(entries: &[Entry], written: i64) -> Result<(), Fault> {
        let mut chain = Chain::default();
        entries.iter().try_for_each(|entry| chain.take(entry))?;
        chain.end(written)
    }

    /// Whoever changes rows may know how hashes are made, and makes that of the row he changed
    /// anew; that of the rows after it then tells.
    #[test]
    fn tampering_in_a_thousand_ways_is_found_a_thousand_times() {
        let written = chain(60);
        assert_eq!(verify(&written, 60), Ok(()));
        let mut drawn = 0_u64;
        let mut below = |most: usize| {
            drawn += 1;
            usize::from(Sha256::of(&drawn.to_be_bytes()).0[0]) % most
        };
        let mut tried = 0;
        while tried < 1000 {
            let mut rows = written.clone();
            let at = below(rows.len());
            match below(9) {
                0 => rows[at].at_ms += 1,
                1 => rows[at].account = Some("somebody".into()),
                2 => rows[at].account = None,
                3 => rows[at].action.push('x'),
                4 => rows[at].subject = format!("resource{}", below(11)),
                5 => rows[at].detail = "{}".into(),
                6 => drop(rows.remove(at)),
                7 => rows.insert(at, written[below(written.len())].clone()),
                _ => {
                    let other = below(rows.len());
                    let number = rows[at].number;
                    rows.swap(at, other);
                    (rows[at].number, rows[other].number) = (number, rows[at].number);
                }
            }
            // The last row has none after it: there its own hash must be left.
            if at + 1 < rows.len() && at > 0 && below(2) == 1 && rows.len() == written.len() {
                rows[at].hash = rows[at].hash_after(&rows[at - 1].hash);
            }
            if rows == written {
                continue;
            }
            tried += 1;
            assert!(verify(&rows, 60).is_err(), "{rows:?}");
        }
    }

    #[test]
    fn a_log_that_was_cut_off_is_found() {
        let written = chain(10);
        let cut = Fault::End { expected: 10, found: 7 };
        assert_eq!(verify(&written[..7], 10), Err(cut));
    }
}
