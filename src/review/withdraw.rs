//! What is taken from the public at once, and appeals from that and from returns.

use serde_json::json;

use super::walk::{done, end_open, save};
use super::{Desk, Error};
use crate::app::App;
use crate::catalogue::{
    Appeal, AppealedFrom, Caller, CaseState, Deciders, Decision, Resource, ResourceId, Review,
    ReviewState, RuleError, Snapshot, Stage, Verdict, Withdrawal, words,
};
use crate::db::{self, Tx};

/// Withdraws the resource `id` because of `reason`, which only its author may leave empty. For its
/// author, and for all who read or manage in its library or above.
///
/// # Errors
///
/// [`Error::Rule`] when the caller may not, or it is not published.
pub async fn withdraw(
    app: &App,
    caller: &Caller,
    id: ResourceId,
    reason: &str,
) -> Result<Resource, Error> {
    let account = caller.account()?.id;
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    let resource = db::resources::get_locked(&mut tx, id).await?;
    let desk = Desk::of(&mut tx, caller, resource.library, now_ms).await?;
    if !caller.can_edit(&resource) && !desk.reads(caller) {
        return Err(RuleError::Forbidden.into());
    }
    let ordered = account != resource.uploaded_by;
    let reason = words("reason", reason, ordered)?;
    let mut resource = take(&mut tx, &desk, caller, resource, &reason, now_ms).await?;
    db::resources::save(&mut tx, &mut resource, now_ms).await?;
    let detail = json!({ "reason": reason, "ordered": ordered });
    let subject = id.to_string();
    db::audit::record(&mut tx, now_ms, Some(account), "withdraw", &subject, &detail).await?;
    done(app, tx, resource).await
}

/// Withdraws `resource`, whose row is locked; the caller saves and records it.
pub(super) async fn take(
    tx: &mut Tx,
    desk: &Desk,
    caller: &Caller,
    resource: Resource,
    reason: &str,
    now_ms: i64,
) -> Result<Resource, Error> {
    let account = caller.account()?.id;
    let resource = resource.withdraw()?;
    end_open(tx, &resource, now_ms).await?;
    let withdrawal = Withdrawal {
        id: uuid::Uuid::now_v7().simple().to_string(),
        resource: resource.id,
        account,
        reason: reason.to_owned(),
        ordered: account != resource.uploaded_by,
        office: desk.office_of(caller),
        at_ms: now_ms,
        lifted_ms: None,
    };
    db::complaints::insert_withdrawal(tx, &withdrawal).await?;
    Ok(resource)
}

/// Appeals from the withdrawal of the resource `id`, or else from its last return. For its author.
///
/// # Errors
///
/// [`Error::Rule`] when the caller is not its author, or there is nothing to appeal from, it was
/// appealed from before, or the resource was changed since it was returned.
pub async fn appeal(
    app: &App,
    caller: &Caller,
    id: ResourceId,
    why: &str,
) -> Result<Appeal, Error> {
    let account = caller.account()?.id;
    let now_ms = app.now_ms();
    let why = words("words", why, true)?;
    let mut tx = app.db.begin().await?;
    let resource = db::resources::get_locked(&mut tx, id).await?;
    if account != resource.uploaded_by {
        return Err(RuleError::Forbidden.into());
    }
    let desk = Desk::of(&mut tx, caller, resource.library, now_ms).await?;
    let (from, office, against) = cause(&mut tx, &desk, &resource).await?;
    let appeal = Appeal {
        id: uuid::Uuid::now_v7().simple().to_string(),
        resource: id,
        library: resource.library,
        from,
        judge: desk.above(office),
        against,
        account,
        words: why,
        state: CaseState::Open,
        answer: String::new(),
        created_ms: now_ms,
        answered_ms: None,
    };
    db::complaints::insert_appeal(&mut tx, &appeal).await.map_err(|error| {
        if error.is_taken() {
            RuleError::Conflict("appealed_already").into()
        } else {
            Error::Db(error)
        }
    })?;
    let detail = json!({ "appeal": appeal.id, "words": appeal.words });
    let subject = id.to_string();
    db::audit::record(&mut tx, now_ms, Some(account), "appeal", &subject, &detail).await?;
    tx.commit().await?;
    Ok(appeal)
}

/// What there is to appeal from, the organisation that decided it, and who did.
async fn cause(
    tx: &mut Tx,
    desk: &Desk,
    resource: &Resource,
) -> Result<
    (AppealedFrom, Option<crate::catalogue::OrganisationId>, crate::catalogue::AccountId),
    Error,
> {
    let withdrawal = db::complaints::withdrawal_of(tx, resource.id).await?;
    let appeals = db::complaints::appeals_of(tx, resource.id).await?;
    let hidden = matches!(resource.stage, Stage::Withdrawn | Stage::Ready);
    if let Some(withdrawal) = withdrawal
        && withdrawal.may_be_appealed(&appeals)
        && hidden
    {
        return Ok((
            AppealedFrom::Withdrawal(withdrawal.id),
            withdrawal.office,
            withdrawal.account,
        ));
    }
    let last = db::reviews::last(tx, resource.id).await?;
    let review = last.filter(|review| review.state == ReviewState::Returned);
    let review = review.ok_or(RuleError::Conflict("nothing_to_appeal"))?;
    is_unchanged(tx, resource, &review).await?;
    let decision = review.decisions.last().ok_or(RuleError::Conflict("nothing_to_appeal"))?;
    let office = match review.steps.get(decision.step).map(|step| step.who) {
        Some(Deciders::At { level: Some(level), .. }) => {
            desk.path.iter().find(|at| at.level == level).map(|at| at.id)
        }
        _ => desk.library.owner,
    };
    Ok((AppealedFrom::Return(review.id), office, decision.account))
}

/// Whether `resource` is still what was returned.
async fn is_unchanged(tx: &mut Tx, resource: &Resource, review: &Review) -> Result<(), Error> {
    let captions = db::media::list_captions(tx, resource.id).await?;
    let now = Snapshot::of(resource, &captions);
    if review.update || now.changes(&review.snapshot).is_empty() {
        Ok(())
    } else {
        Err(RuleError::Conflict("changed_since").into())
    }
}

/// Whether `caller` decides about `appeal`: who reads or manages at the level above, but for who
/// decided before and the author.
#[must_use]
pub fn judges(desk: &Desk, caller: &Caller, appeal: &Appeal) -> bool {
    let other = caller
        .0
        .as_ref()
        .is_some_and(|account| account.id != appeal.against && account.id != appeal.account);
    other && desk.stands_over(caller, appeal.judge)
}

/// Answers an appeal: `upheld` lets what was withdrawn be seen again, or what was returned go on
/// as if that step had accepted it.
///
/// # Errors
///
/// [`Error::Missing`] when there is no such appeal for the caller, [`Error::Rule`] when it was
/// answered before, or the resource was changed since.
pub async fn answer_appeal(
    app: &App,
    caller: &Caller,
    id: &str,
    upheld: bool,
    answer: &str,
) -> Result<Appeal, Error> {
    let account = caller.account()?.id;
    let answer = words("answer", answer, true)?;
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    let appeal = db::complaints::find_appeal(&mut tx, id).await?.ok_or(Error::Missing)?;
    let before = db::resources::get_locked(&mut tx, appeal.resource).await?;
    let desk = Desk::of(&mut tx, caller, before.library, now_ms).await?;
    if !judges(&desk, caller, &appeal) {
        let sees = caller.can_edit(&before) || desk.reads(caller);
        return Err(if sees { RuleError::Forbidden.into() } else { Error::Missing });
    }
    let state = if upheld { CaseState::Upheld } else { CaseState::Rejected };
    let appeal = Appeal { state, answer, answered_ms: Some(now_ms), ..appeal };
    if !db::complaints::answer_appeal(&mut tx, &appeal).await? {
        return Err(RuleError::Conflict("decided_already").into());
    }
    match (&appeal.from, upheld) {
        (AppealedFrom::Return(review), true) => {
            let last = db::reviews::last(&mut tx, before.id).await?;
            let review = last.filter(|last| last.id == *review);
            let review = review.ok_or(RuleError::Conflict("changed_since"))?;
            is_unchanged(&mut tx, &before, &review).await?;
            let decision = Decision {
                step: review.step,
                verdict: Verdict::Accept,
                reason: appeal.answer.clone(),
                account,
                at_ms: now_ms,
                appealed: true,
            };
            let (after, review) = review.overrule(before.clone(), decision)?;
            save(app, tx, (before, after), &review, account).await?;
        }
        (AppealedFrom::Withdrawal(_), true) => {
            let mut resource = before;
            if matches!(resource.stage, Stage::Withdrawn | Stage::Ready) {
                resource = resource.publish(now_ms)?;
                db::complaints::lift_withdrawals(&mut tx, resource.id, now_ms).await?;
                db::resources::save(&mut tx, &mut resource, now_ms).await?;
            }
            record_answer(&mut tx, &appeal, account, now_ms).await?;
            done(app, tx, resource).await?;
        }
        (_, false) => {
            record_answer(&mut tx, &appeal, account, now_ms).await?;
            tx.commit().await?;
        }
    }
    Ok(appeal)
}

async fn record_answer(
    tx: &mut Tx,
    appeal: &Appeal,
    account: crate::catalogue::AccountId,
    now_ms: i64,
) -> Result<(), db::Error> {
    let detail = json!({
        "appeal": appeal.id,
        "state": appeal.state.as_str(),
        "answer": appeal.answer,
    });
    let subject = appeal.resource.to_string();
    db::audit::record(tx, now_ms, Some(account), "answer-appeal", &subject, &detail).await
}
