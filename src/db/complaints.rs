//! Complaints of the public, withdrawals, and appeals from them.

use sqlx::{AnyConnection, FromRow};

use super::{Error, Result, parse};
use crate::catalogue::{
    Appeal, AppealedFrom, CaseNumber, CaseState, Complaint, LibraryId, ResourceId, Withdrawal,
};

/// The next case number of `year`.
///
/// # Errors
///
/// Those of the database.
pub async fn next_number(db: &mut AnyConnection, year: i64) -> Result<CaseNumber> {
    let number: i64 = sqlx::query_scalar(
        "INSERT INTO counter (name, value) VALUES ($1, 1)
             ON CONFLICT (name) DO UPDATE SET value = counter.value + 1
         RETURNING value",
    )
    .bind(format!("complaint-{year}"))
    .fetch_one(db)
    .await?;
    Ok(CaseNumber { year, number })
}

#[derive(FromRow)]
struct Row {
    number: String,
    resource: String,
    library: String,
    reason: String,
    words: String,
    contact: String,
    account: Option<String>,
    state: String,
    answer: String,
    created_ms: i64,
    answered_ms: Option<i64>,
    answered_by: Option<String>,
}

/// A complaint with the title of the resource.
#[derive(FromRow)]
struct Titled {
    #[sqlx(flatten)]
    complaint: Row,
    title: String,
}

/// Adds a complaint.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(db: &mut AnyConnection, complaint: &Complaint) -> Result<()> {
    sqlx::query(
        "INSERT INTO complaint (number, resource, library, reason, words, contact, account, state, answer, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(complaint.number.to_string())
    .bind(complaint.resource.to_string())
    .bind(complaint.library.to_string())
    .bind(&complaint.reason)
    .bind(&complaint.words)
    .bind(&complaint.contact)
    .bind(complaint.account.map(|id| id.to_string()))
    .bind(complaint.state.as_str())
    .bind(&complaint.answer)
    .bind(complaint.created_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Answers a complaint that is open; false when it is not open any more.
///
/// # Errors
///
/// Those of the database.
pub async fn answer(db: &mut AnyConnection, complaint: &Complaint) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE complaint SET state = $2, answer = $3, answered_ms = $4, answered_by = $5
          WHERE number = $1 AND state = 'open'",
    )
    .bind(complaint.number.to_string())
    .bind(complaint.state.as_str())
    .bind(&complaint.answer)
    .bind(complaint.answered_ms)
    .bind(complaint.answered_by.map(|id| id.to_string()))
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The complaint `number`.
///
/// # Errors
///
/// Those of the database.
pub async fn find(db: &mut AnyConnection, number: CaseNumber) -> Result<Option<Complaint>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM complaint WHERE number = $1")
        .bind(number.to_string())
        .fetch_optional(db)
        .await?;
    row.map(Complaint::try_from).transpose()
}

/// How many complaints about a resource are open.
///
/// # Errors
///
/// Those of the database.
pub async fn count_open(db: &mut AnyConnection, resource: ResourceId) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM complaint WHERE resource = $1 AND state = 'open'")
        .bind(resource.to_string())
        .fetch_one(db)
        .await?)
}

/// A page of complaints about resources of `libraries`, with the resources' titles: the open ones
/// first, of those the oldest, then the others, the last first. With how many there are in all.
/// `text` is in the number, the words or the title.
///
/// # Errors
///
/// Those of the database.
pub async fn list(
    db: &mut AnyConnection,
    libraries: &[LibraryId],
    state: Option<CaseState>,
    text: &str,
    (offset, limit): (i64, i64),
) -> Result<(i64, Vec<(Complaint, String)>)> {
    if libraries.is_empty() {
        return Ok((0, Vec::new()));
    }
    // Ids have no quotes.
    let ids: Vec<String> = libraries.iter().map(|id| format!("'{id}'")).collect();
    let from = format!(
        "FROM complaint c JOIN resource r ON r.id = c.resource
          WHERE c.library IN ({}) AND ($1 IS NULL OR c.state = $1)
            AND ($2 = '' OR LOWER(c.number || ' ' || c.words || ' ' || r.title) LIKE '%' || LOWER($2) || '%')",
        ids.join(", ")
    );
    let text = text.trim().replace(['%', '_'], " ");
    let state = state.map(CaseState::as_str);
    let total = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT COUNT(*) {from}")))
        .bind(state)
        .bind(&text)
        .fetch_one(&mut *db)
        .await?;
    let rows: Vec<Titled> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT c.*, r.title {from}
          ORDER BY CASE WHEN c.state = 'open' THEN c.created_ms ELSE 9000000000000000 - c.created_ms END, c.number
          LIMIT $3 OFFSET $4"
    )))
    .bind(state)
    .bind(&text)
    .bind(limit)
    .bind(offset)
    .fetch_all(&mut *db)
    .await?;
    let found = rows.into_iter().map(|row| Ok((row.complaint.try_into()?, row.title)));
    Ok((total, found.collect::<Result<_>>()?))
}

impl TryFrom<Row> for Complaint {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let person = |id: Option<String>| id.map(|id| parse("complaint.account", &id)).transpose();
        Ok(Self {
            number: parse("complaint.number", &row.number)?,
            resource: parse("complaint.resource", &row.resource)?,
            library: parse("complaint.library", &row.library)?,
            reason: row.reason,
            words: row.words,
            contact: row.contact,
            account: person(row.account)?,
            state: parse("complaint.state", &row.state)?,
            answer: row.answer,
            created_ms: row.created_ms,
            answered_ms: row.answered_ms,
            answered_by: person(row.answered_by)?,
        })
    }
}

#[derive(FromRow)]
struct WithdrawalRow {
    id: String,
    resource: String,
    account: String,
    reason: String,
    ordered: i64,
    office: Option<String>,
    at_ms: i64,
    lifted_ms: Option<i64>,
}

/// Adds a withdrawal.
///
/// # Errors
///
/// Those of the database.
pub async fn insert_withdrawal(db: &mut AnyConnection, withdrawal: &Withdrawal) -> Result<()> {
    sqlx::query(
        "INSERT INTO withdrawal (id, resource, account, reason, ordered, office, at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&withdrawal.id)
    .bind(withdrawal.resource.to_string())
    .bind(withdrawal.account.to_string())
    .bind(&withdrawal.reason)
    .bind(i64::from(withdrawal.ordered))
    .bind(withdrawal.office.map(|id| id.to_string()))
    .bind(withdrawal.at_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// The withdrawal of a resource that counts, if there is one.
///
/// # Errors
///
/// Those of the database.
pub async fn withdrawal_of(
    db: &mut AnyConnection,
    resource: ResourceId,
) -> Result<Option<Withdrawal>> {
    let row: Option<WithdrawalRow> = sqlx::query_as(
        "SELECT * FROM withdrawal WHERE resource = $1 AND lifted_ms IS NULL ORDER BY at_ms DESC, id DESC LIMIT 1",
    )
    .bind(resource.to_string())
    .fetch_optional(db)
    .await?;
    row.map(Withdrawal::try_from).transpose()
}

/// Lets the withdrawals of a resource count no more: it is published again.
///
/// # Errors
///
/// Those of the database.
pub async fn lift_withdrawals(
    db: &mut AnyConnection,
    resource: ResourceId,
    now_ms: i64,
) -> Result<()> {
    sqlx::query("UPDATE withdrawal SET lifted_ms = $2 WHERE resource = $1 AND lifted_ms IS NULL")
        .bind(resource.to_string())
        .bind(now_ms)
        .execute(db)
        .await?;
    Ok(())
}

impl TryFrom<WithdrawalRow> for Withdrawal {
    type Error = Error;

    fn try_from(row: WithdrawalRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            resource: parse("withdrawal.resource", &row.resource)?,
            account: parse("withdrawal.account", &row.account)?,
            reason: row.reason,
            ordered: row.ordered != 0,
            office: row.office.map(|id| parse("withdrawal.office", &id)).transpose()?,
            at_ms: row.at_ms,
            lifted_ms: row.lifted_ms,
        })
    }
}

#[derive(FromRow)]
struct AppealRow {
    id: String,
    resource: String,
    library: String,
    withdrawal: Option<String>,
    review: Option<String>,
    judge: Option<String>,
    against: String,
    account: String,
    words: String,
    state: String,
    answer: String,
    created_ms: i64,
    answered_ms: Option<i64>,
}

/// Adds an appeal.
///
/// # Errors
///
/// [`Error::is_taken`] when there is one from the same decision.
pub async fn insert_appeal(db: &mut AnyConnection, appeal: &Appeal) -> Result<()> {
    let (withdrawal, review) = match &appeal.from {
        AppealedFrom::Withdrawal(id) => (Some(id.clone()), None),
        AppealedFrom::Return(id) => (None, Some(id.to_string())),
    };
    sqlx::query(
        "INSERT INTO appeal (id, resource, library, withdrawal, review, judge, against, account, words, state, answer, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(&appeal.id)
    .bind(appeal.resource.to_string())
    .bind(appeal.library.to_string())
    .bind(withdrawal)
    .bind(review)
    .bind(appeal.judge.map(|id| id.to_string()))
    .bind(appeal.against.to_string())
    .bind(appeal.account.to_string())
    .bind(&appeal.words)
    .bind(appeal.state.as_str())
    .bind(&appeal.answer)
    .bind(appeal.created_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Answers an appeal that is open; false when it is not open any more.
///
/// # Errors
///
/// Those of the database.
pub async fn answer_appeal(db: &mut AnyConnection, appeal: &Appeal) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE appeal SET state = $2, answer = $3, answered_ms = $4 WHERE id = $1 AND state = 'open'",
    )
    .bind(&appeal.id)
    .bind(appeal.state.as_str())
    .bind(&appeal.answer)
    .bind(appeal.answered_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The appeal `id`.
///
/// # Errors
///
/// Those of the database.
pub async fn find_appeal(db: &mut AnyConnection, id: &str) -> Result<Option<Appeal>> {
    let row: Option<AppealRow> =
        sqlx::query_as("SELECT * FROM appeal WHERE id = $1").bind(id).fetch_optional(db).await?;
    row.map(Appeal::try_from).transpose()
}

/// Appeals about a resource, the last first.
///
/// # Errors
///
/// Those of the database.
pub async fn appeals_of(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<Appeal>> {
    let rows: Vec<AppealRow> = sqlx::query_as(
        "SELECT * FROM appeal WHERE resource = $1 ORDER BY created_ms DESC, id DESC",
    )
    .bind(resource.to_string())
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Appeal::try_from).collect()
}

/// Appeals that are open, the oldest first, with the resources' titles; at most a thousand.
///
/// # Errors
///
/// Those of the database.
pub async fn open_appeals(db: &mut AnyConnection) -> Result<Vec<(Appeal, String)>> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT p.id, r.title FROM appeal p JOIN resource r ON r.id = p.resource
          WHERE p.state = 'open' AND r.stage <> 'deleted' ORDER BY p.created_ms, p.id LIMIT 1000",
    )
    .fetch_all(&mut *db)
    .await?;
    let mut found = Vec::with_capacity(rows.len());
    for (id, title) in rows {
        if let Some(appeal) = find_appeal(db, &id).await? {
            found.push((appeal, title));
        }
    }
    Ok(found)
}

impl TryFrom<AppealRow> for Appeal {
    type Error = Error;

    fn try_from(row: AppealRow) -> Result<Self> {
        let from = match (row.withdrawal, &row.review) {
            (Some(id), None) => AppealedFrom::Withdrawal(id),
            (None, Some(id)) => AppealedFrom::Return(parse("appeal.review", id)?),
            _ => return Err(Error::Row { what: "appeal.review", value: row.id }),
        };
        Ok(Self {
            id: row.id,
            resource: parse("appeal.resource", &row.resource)?,
            library: parse("appeal.library", &row.library)?,
            from,
            judge: row.judge.map(|id| parse("appeal.judge", &id)).transpose()?,
            against: parse("appeal.against", &row.against)?,
            account: parse("appeal.account", &row.account)?,
            words: row.words,
            state: parse("appeal.state", &row.state)?,
            answer: row.answer,
            created_ms: row.created_ms,
            answered_ms: row.answered_ms,
        })
    }
}
