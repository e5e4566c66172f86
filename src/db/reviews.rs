//! Chains of review, what was handed in, what was decided and said about it.

use std::collections::HashMap;

use sqlx::{AnyConnection, FromRow};

use super::{Result, parse, parse_json, to_json};
use crate::catalogue::{
    AccountId, Chain, Decision, LibraryId, ResourceId, Review, ReviewId, TeamId,
};

/// The most reviews that a queue is made of; a net of a hundred libraries has some hundreds.
const MAX_OPEN: i64 = 20_000;

/// The chain of `library`; empty: nothing is reviewed.
///
/// # Errors
///
/// Those of the database.
pub async fn chain(db: &mut AnyConnection, library: LibraryId) -> Result<Chain> {
    let steps: Option<String> =
        sqlx::query_scalar("SELECT steps FROM review_chain WHERE library = $1")
            .bind(library.to_string())
            .fetch_optional(db)
            .await?;
    steps.map_or(Ok(Chain::default()), |text| parse_json("review_chain.steps", &text))
}

/// Sets the chain of `library`.
///
/// # Errors
///
/// Those of the database.
pub async fn set_chain(
    db: &mut AnyConnection,
    library: LibraryId,
    chain: &Chain,
    now_ms: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO review_chain (library, steps, changed_ms) VALUES ($1, $2, $3)
             ON CONFLICT (library)
             DO UPDATE SET steps = excluded.steps, changed_ms = excluded.changed_ms",
    )
    .bind(library.to_string())
    .bind(to_json(chain))
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

#[derive(FromRow)]
struct Row {
    id: String,
    resource: String,
    library: String,
    version: i64,
    state: String,
    steps: String,
    step: i64,
    due_ms: i64,
    snapshot: String,
    is_update: i64,
    handed_in_by: String,
    handed_in_ms: i64,
    ended_ms: Option<i64>,
}

#[derive(FromRow)]
struct DecisionRow {
    review: String,
    step: i64,
    verdict: String,
    reason: String,
    account: String,
    at_ms: i64,
    appealed: i64,
}

/// Adds what was handed in.
///
/// # Errors
///
/// [`super::Error::is_taken`] when another version of the resource is open.
pub async fn insert(db: &mut AnyConnection, review: &Review) -> Result<()> {
    sqlx::query(
        "INSERT INTO review (id, resource, library, version, state, steps, step, due_ms, snapshot,
             is_update, handed_in_by, handed_in_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(review.id.to_string())
    .bind(review.resource.to_string())
    .bind(review.library.to_string())
    .bind(review.version)
    .bind(review.state.as_str())
    .bind(to_json(&review.steps))
    .bind(review.step as i64)
    .bind(review.due_ms)
    .bind(to_json(&review.snapshot))
    .bind(i64::from(review.update))
    .bind(review.by.to_string())
    .bind(review.handed_in_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps how far a review has come, and decisions that are new.
///
/// # Errors
///
/// Those of the database.
pub async fn save(db: &mut AnyConnection, review: &Review) -> Result<()> {
    let id = review.id.to_string();
    sqlx::query(
        "UPDATE review SET state = $2, step = $3, due_ms = $4, ended_ms = $5 WHERE id = $1",
    )
    .bind(&id)
    .bind(review.state.as_str())
    .bind(review.step as i64)
    .bind(review.due_ms)
    .bind(review.ended_ms)
    .execute(&mut *db)
    .await?;
    for (number, decision) in review.decisions.iter().enumerate() {
        sqlx::query(
            "INSERT INTO review_decision (review, number, step, verdict, reason, account, at_ms, appealed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (review, number) DO NOTHING",
        )
        .bind(&id)
        .bind(number as i64)
        .bind(decision.step as i64)
        .bind(decision.verdict.as_str())
        .bind(&decision.reason)
        .bind(decision.account.to_string())
        .bind(decision.at_ms)
        .bind(i64::from(decision.appealed))
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// All versions of a resource that were handed in, the last first.
///
/// # Errors
///
/// Those of the database.
pub async fn list_of(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<Review>> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT * FROM review WHERE resource = $1 ORDER BY version DESC")
            .bind(resource.to_string())
            .fetch_all(&mut *db)
            .await?;
    let decisions: Vec<DecisionRow> = sqlx::query_as(
        "SELECT d.review, d.step, d.verdict, d.reason, d.account, d.at_ms, d.appealed
           FROM review_decision d JOIN review v ON v.id = d.review
          WHERE v.resource = $1 ORDER BY d.review, d.number",
    )
    .bind(resource.to_string())
    .fetch_all(db)
    .await?;
    let mut of: HashMap<String, Vec<Decision>> = HashMap::new();
    for row in decisions {
        of.entry(row.review.clone()).or_default().push(row.try_into()?);
    }
    rows.into_iter()
        .map(|row| {
            let decisions = of.remove(&row.id).unwrap_or_default();
            Ok(Review { decisions, ..Review::try_from(row)? })
        })
        .collect()
}

/// The last version of a resource that was handed in.
///
/// # Errors
///
/// Those of the database.
pub async fn last(db: &mut AnyConnection, resource: ResourceId) -> Result<Option<Review>> {
    Ok(list_of(db, resource).await?.into_iter().next())
}

/// A review that is open, with what a list shows of its resource.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// It, without its decisions.
    pub review: Review,
    /// Title that was handed in.
    pub title: String,
    /// Kind of the resource.
    pub kind: String,
    /// Who uploaded the resource.
    pub author: AccountId,
    /// Name of who handed it in.
    pub by: String,
    /// Ids of those who decided in it.
    pub readers: Vec<String>,
}

#[derive(FromRow)]
struct WaitingRow {
    #[sqlx(flatten)]
    review: Row,
    kind: String,
    uploaded_by: String,
    display_name: String,
}

/// What is open, what is due first first.
///
/// # Errors
///
/// Those of the database.
pub async fn list_open(db: &mut AnyConnection, library: Option<LibraryId>) -> Result<Vec<Waiting>> {
    let rows: Vec<WaitingRow> = sqlx::query_as(
        "SELECT v.*, r.kind, r.uploaded_by, a.display_name
           FROM review v JOIN resource r ON r.id = v.resource JOIN account a ON a.id = v.handed_in_by
          WHERE v.state = 'open' AND ($1 IS NULL OR v.library = $1)
          ORDER BY v.due_ms, v.id LIMIT $2",
    )
    .bind(library.map(|id| id.to_string()))
    .bind(MAX_OPEN)
    .fetch_all(&mut *db)
    .await?;
    let read: Vec<(String, String)> = sqlx::query_as(
        "SELECT d.review, d.account FROM review_decision d JOIN review v ON v.id = d.review
          WHERE v.state = 'open'",
    )
    .fetch_all(db)
    .await?;
    let mut readers: HashMap<String, Vec<String>> = HashMap::new();
    for (review, account) in read {
        readers.entry(review).or_default().push(account);
    }
    rows.into_iter()
        .map(|row| {
            let review = Review::try_from(row.review)?;
            Ok(Waiting {
                title: review.snapshot.details.title.clone(),
                kind: row.kind,
                author: parse("resource.uploaded_by", &row.uploaded_by)?,
                by: row.display_name,
                readers: readers.remove(&review.id.to_string()).unwrap_or_default(),
                review,
            })
        })
        .collect()
}

/// Teams that `account` is a member of.
///
/// # Errors
///
/// Those of the database.
pub async fn teams_of(db: &mut AnyConnection, account: AccountId) -> Result<Vec<TeamId>> {
    let ids: Vec<String> = sqlx::query_scalar("SELECT team FROM team_member WHERE account = $1")
        .bind(account.to_string())
        .fetch_all(db)
        .await?;
    ids.iter().map(|id| parse("team_member.team", id)).collect()
}

/// The name of a team, if there is such a one.
///
/// # Errors
///
/// Those of the database.
pub async fn team_name(db: &mut AnyConnection, team: TeamId) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT name FROM team WHERE id = $1")
        .bind(team.to_string())
        .fetch_optional(db)
        .await?)
}

/// The name of an account, as shown.
///
/// # Errors
///
/// Those of the database.
pub async fn person(db: &mut AnyConnection, account: AccountId) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT display_name FROM account WHERE id = $1")
        .bind(account.to_string())
        .fetch_optional(db)
        .await?)
}

/// The login name of an account.
///
/// # Errors
///
/// Those of the database.
pub async fn login_name(db: &mut AnyConnection, account: AccountId) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT name FROM account WHERE id = $1")
        .bind(account.to_string())
        .fetch_optional(db)
        .await?)
}

/// A step of a library that somebody decides in for somebody else, for a time.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Delegation {
    /// Its id.
    pub id: String,
    /// Id of the library.
    pub library: String,
    /// Name of the step.
    pub step: String,
    /// Id of who decides.
    pub account: String,
    /// Name of who decides.
    pub display_name: String,
    /// Id of who gave it.
    pub given_by: String,
    /// When it ends, Unix milliseconds.
    pub ends_ms: i64,
}

/// Hands the step called `step` of `library` to `account`, too; gives the id.
///
/// # Errors
///
/// Those of the database.
pub async fn delegate(
    db: &mut AnyConnection,
    library: LibraryId,
    step: &str,
    to: AccountId,
    by: AccountId,
    (now_ms, ends_ms): (i64, i64),
) -> Result<String> {
    let id = uuid::Uuid::now_v7().simple().to_string();
    sqlx::query(
        "INSERT INTO review_delegation (id, library, step, account, given_by, created_ms, ends_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&id)
    .bind(library.to_string())
    .bind(step)
    .bind(to.to_string())
    .bind(by.to_string())
    .bind(now_ms)
    .bind(ends_ms)
    .execute(db)
    .await?;
    Ok(id)
}

/// Ends a delegation.
///
/// # Errors
///
/// Those of the database.
pub async fn end_delegation(db: &mut AnyConnection, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM review_delegation WHERE id = $1").bind(id).execute(db).await?;
    Ok(())
}

/// Delegations that hold at `now_ms`, Unix milliseconds: of a library, to an account, or all.
///
/// # Errors
///
/// Those of the database.
pub async fn delegations(
    db: &mut AnyConnection,
    library: Option<LibraryId>,
    account: Option<AccountId>,
    now_ms: i64,
) -> Result<Vec<Delegation>> {
    Ok(sqlx::query_as(
        "SELECT d.id, d.library, d.step, d.account, a.display_name, d.given_by, d.ends_ms
           FROM review_delegation d JOIN account a ON a.id = d.account
          WHERE d.ends_ms > $1 AND ($2 IS NULL OR d.library = $2) AND ($3 IS NULL OR d.account = $3)
          ORDER BY d.created_ms, d.id",
    )
    .bind(now_ms)
    .bind(library.map(|id| id.to_string()))
    .bind(account.map(|id| id.to_string()))
    .fetch_all(db)
    .await?)
}

/// What somebody said about a resource, or about a moment or page of it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Comment {
    /// Its id.
    pub id: String,
    /// Id of the comment that it answers.
    pub answers: Option<String>,
    /// Id of who said it.
    pub account: String,
    /// Name of who said it.
    pub display_name: String,
    /// Media time.
    pub start_ms: Option<i64>,
    /// From 1.
    pub page: Option<i64>,
    /// What was said.
    pub words: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds.
    pub resolved_ms: Option<i64>,
}

/// Adds a comment.
///
/// # Errors
///
/// Those of the database.
pub async fn insert_comment(
    db: &mut AnyConnection,
    resource: ResourceId,
    account: AccountId,
    comment: &Comment,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO review_comment (id, resource, answers, account, start_ms, page, words, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&comment.id)
    .bind(resource.to_string())
    .bind(comment.answers.as_deref())
    .bind(account.to_string())
    .bind(comment.start_ms)
    .bind(comment.page)
    .bind(&comment.words)
    .bind(comment.created_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Says that what a comment is about is settled, or not.
///
/// # Errors
///
/// Those of the database.
pub async fn resolve_comment(
    db: &mut AnyConnection,
    id: &str,
    resolved_ms: Option<i64>,
) -> Result<()> {
    sqlx::query("UPDATE review_comment SET resolved_ms = $2 WHERE id = $1")
        .bind(id)
        .bind(resolved_ms)
        .execute(db)
        .await?;
    Ok(())
}

/// What was said about a resource, in order.
///
/// # Errors
///
/// Those of the database.
pub async fn comments(db: &mut AnyConnection, resource: ResourceId) -> Result<Vec<Comment>> {
    Ok(sqlx::query_as(
        "SELECT c.id, c.answers, c.account, a.display_name, c.start_ms, c.page, c.words, c.created_ms, c.resolved_ms
           FROM review_comment c JOIN account a ON a.id = c.account
          WHERE c.resource = $1 ORDER BY c.created_ms, c.id",
    )
    .bind(resource.to_string())
    .fetch_all(db)
    .await?)
}

impl TryFrom<Row> for Review {
    type Error = super::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: parse::<ReviewId>("review.id", &row.id)?,
            resource: parse("review.resource", &row.resource)?,
            library: parse("review.library", &row.library)?,
            version: row.version,
            state: parse("review.state", &row.state)?,
            steps: parse_json("review.steps", &row.steps)?,
            step: usize::try_from(row.step).unwrap_or(usize::MAX),
            due_ms: row.due_ms,
            snapshot: parse_json("review.snapshot", &row.snapshot)?,
            update: row.is_update != 0,
            by: parse("review.handed_in_by", &row.handed_in_by)?,
            handed_in_ms: row.handed_in_ms,
            ended_ms: row.ended_ms,
            decisions: Vec::new(),
        })
    }
}

impl TryFrom<DecisionRow> for Decision {
    type Error = super::Error;

    fn try_from(row: DecisionRow) -> Result<Self> {
        Ok(Self {
            step: usize::try_from(row.step).unwrap_or(usize::MAX),
            verdict: parse("review_decision.verdict", &row.verdict)?,
            reason: row.reason,
            account: parse("review_decision.account", &row.account)?,
            at_ms: row.at_ms,
            appealed: row.appealed != 0,
        })
    }
}
