//! Comments, chains, and who decides for whom meanwhile.

use serde_json::json;

use super::{Desk, Error};
use crate::app::App;
use crate::catalogue::{Caller, Chain, LibraryId, Resource, RuleError, words};
use crate::db;
use crate::db::reviews::Comment;

/// The longest delegation, days.
const MAX_DAYS: i64 = 365;

/// What is said.
#[derive(Debug, Clone, Default)]
pub struct Remark {
    /// The words.
    pub words: String,
    /// Media time.
    pub start_ms: Option<i64>,
    /// From 1.
    pub page: Option<i64>,
    /// Id of the comment that is answered.
    pub answers: Option<String>,
}

/// Adds a comment to `resource`, which the caller may edit or reads; gives its id.
///
/// # Errors
///
/// [`Error::Rule`] for a field that cannot be kept.
pub async fn comment(
    app: &App,
    caller: &Caller,
    resource: &Resource,
    remark: Remark,
) -> Result<String, Error> {
    let account = caller.account()?;
    let said = words("words", &remark.words, true)?;
    let within =
        |value: Option<i64>, least: i64, most: Option<i64>, field: &'static str| match value
            .filter(|value| *value < least || most.is_some_and(|most| *value > most))
        {
            Some(wrong) => Err(RuleError::BadField { field, value: wrong.to_string() }),
            None => Ok(value),
        };
    let now_ms = app.now_ms();
    let mut comment = Comment {
        id: uuid::Uuid::now_v7().simple().to_string(),
        answers: remark.answers,
        account: account.id.to_string(),
        display_name: account.display_name.clone(),
        start_ms: within(remark.start_ms, 0, resource.duration_ms, "start_ms")?,
        page: within(remark.page, 1, resource.pages.or(Some(100_000)), "page")?,
        words: said,
        created_ms: now_ms,
        resolved_ms: None,
    };
    let mut tx = app.db.begin().await?;
    if let Some(id) = &comment.answers {
        let there = db::reviews::comments(&mut tx, resource.id).await?;
        let answered = there.into_iter().find(|known| known.id == *id);
        let bad = || RuleError::BadField { field: "answers", value: id.chars().take(40).collect() };
        let answered = answered.ok_or_else(bad)?;
        // Answers stand under the comment that began it.
        comment.answers = answered.answers.or(Some(answered.id));
    }
    db::reviews::insert_comment(&mut tx, resource.id, account.id, &comment).await?;
    let detail = json!({ "comment": comment.id });
    let subject = resource.id.to_string();
    db::audit::record(&mut tx, now_ms, Some(account.id), "comment", &subject, &detail).await?;
    tx.commit().await?;
    Ok(comment.id)
}

/// Says that what a comment on `resource` is about is settled, or not.
///
/// # Errors
///
/// [`Error::Missing`] when there is no such comment on it.
pub async fn resolve(
    app: &App,
    caller: &Caller,
    resource: &Resource,
    comment: &str,
    resolved: bool,
) -> Result<(), Error> {
    let account = caller.account()?.id;
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    let there = db::reviews::comments(&mut tx, resource.id).await?;
    if !there.iter().any(|known| known.id == comment) {
        return Err(Error::Missing);
    }
    db::reviews::resolve_comment(&mut tx, comment, resolved.then_some(now_ms)).await?;
    let detail = json!({ "comment": comment, "resolved": resolved });
    let subject = resource.id.to_string();
    db::audit::record(&mut tx, now_ms, Some(account), "resolve", &subject, &detail).await?;
    Ok(tx.commit().await?)
}

/// Sets the chain of `library`. What was handed in before goes on along the chain of then.
///
/// # Errors
///
/// [`Error::Rule`] when the caller may not, or it cannot be kept.
pub async fn set_chain(
    app: &App,
    caller: &Caller,
    library: LibraryId,
    chain: Chain,
) -> Result<Chain, Error> {
    let account = caller.account()?.id;
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    let desk = Desk::of(&mut tx, caller, library, now_ms).await?;
    if !desk.may_set_chain(caller) {
        return Err(RuleError::Forbidden.into());
    }
    let chain = chain.checked(&desk.path)?;
    db::reviews::set_chain(&mut tx, library, &chain, now_ms).await?;
    let detail = json!({ "steps": chain });
    let subject = library.to_string();
    db::audit::record(&mut tx, now_ms, Some(account), "set-chain", &subject, &detail).await?;
    tx.commit().await?;
    Ok(chain)
}

/// Lets the account called `name` decide in the step called `step` of `library`, too, until
/// `ends_ms`, Unix milliseconds; gives the id.
///
/// # Errors
///
/// [`Error::Rule`] when the caller does not decide in it by right, or there is no such step,
/// account or time.
pub async fn delegate(
    app: &App,
    caller: &Caller,
    library: LibraryId,
    step: &str,
    name: &str,
    ends_ms: i64,
) -> Result<String, Error> {
    let account = caller.account()?.id;
    let now_ms = app.now_ms();
    let bad =
        |field, value: &str| RuleError::BadField { field, value: value.chars().take(40).collect() };
    let mut tx = app.db.begin().await?;
    let desk = Desk::of(&mut tx, caller, library, now_ms).await?;
    let found = desk.chain.0.iter().find(|known| known.name == step);
    let found = found.ok_or_else(|| bad("step", step))?;
    if !desk.is_own(caller, found) {
        return Err(RuleError::Forbidden.into());
    }
    if ends_ms <= now_ms || ends_ms > now_ms + MAX_DAYS * 24 * 3600 * 1000 {
        return Err(bad("until", &ends_ms.to_string()).into());
    }
    let to = db::accounts::find_by_name(&mut tx, name, now_ms).await?;
    let to = to.ok_or_else(|| bad("account", name))?;
    let times = (now_ms, ends_ms);
    let id = db::reviews::delegate(&mut tx, library, step, to.id, account, times).await?;
    let detail = json!({ "step": step, "to": to.id.to_string(), "ends_ms": ends_ms });
    let subject = library.to_string();
    db::audit::record(&mut tx, now_ms, Some(account), "delegate", &subject, &detail).await?;
    tx.commit().await?;
    Ok(id)
}

/// Ends a delegation in `library` before its time. For who gave it, and who could.
///
/// # Errors
///
/// [`Error::Missing`] when there is none, [`Error::Rule`] when the caller may not.
pub async fn end_delegation(
    app: &App,
    caller: &Caller,
    library: LibraryId,
    id: &str,
) -> Result<(), Error> {
    let account = caller.account()?.id;
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    let desk = Desk::of(&mut tx, caller, library, now_ms).await?;
    let held = db::reviews::delegations(&mut tx, Some(library), None, now_ms).await?;
    let held = held.into_iter().find(|one| one.id == id).ok_or(Error::Missing)?;
    let could = desk.chain.0.iter().any(|step| step.name == held.step && desk.is_own(caller, step));
    if held.given_by != account.to_string() && !could {
        return Err(RuleError::Forbidden.into());
    }
    db::reviews::end_delegation(&mut tx, id).await?;
    let detail = json!({ "step": held.step, "to": held.account });
    let subject = library.to_string();
    db::audit::record(&mut tx, now_ms, Some(account), "end-delegation", &subject, &detail).await?;
    Ok(tx.commit().await?)
}
