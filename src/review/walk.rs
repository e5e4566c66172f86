//! The way along a chain: published or handed in, decided, taken back.

use serde_json::json;

use super::{Desk, Error};
use crate::app::App;
use crate::catalogue::{
    AccountId, Caller, Chain, Decision, Resource, ResourceId, Review, ReviewState, RuleError,
    Snapshot, Stage, Verdict,
};
use crate::db::{self, Tx};

/// Publishes the resource `id`, or hands it in where the library has a chain that the caller does
/// not stand at the end of.
///
/// # Errors
///
/// [`Error::Rule`] when the caller may not, or the resource is not ready or was withdrawn by
/// somebody whom the caller may not overrule.
pub async fn publish(app: &App, caller: &Caller, id: ResourceId) -> Result<Resource, Error> {
    let account = caller.account()?.id;
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    let before = db::resources::get_locked(&mut tx, id).await?;
    caller.may_edit(&before)?;
    let desk = Desk::of(&mut tx, caller, before.library, now_ms).await?;
    if !desk.chain.is_empty() && !desk.may_skip(caller, &before) {
        if before.stage == Stage::Published {
            return Err(RuleError::WrongStage(before.stage).into());
        }
        let (mut resource, review) = hand_in(&mut tx, before, &desk.chain, account, now_ms).await?;
        db::resources::save(&mut tx, &mut resource, now_ms).await?;
        record_hand_in(&mut tx, &review, Some(account), now_ms).await?;
        return done(app, tx, resource).await;
    }
    if let Some(withdrawn) = db::complaints::withdrawal_of(&mut tx, id).await?
        && !desk.may_undo(caller, &withdrawn, false)
    {
        return Err(RuleError::Conflict("withdrawn_by_order").into());
    }
    let mut resource = before.publish(now_ms)?;
    db::complaints::lift_withdrawals(&mut tx, id, now_ms).await?;
    db::resources::save(&mut tx, &mut resource, now_ms).await?;
    let detail = json!({ "steps_skipped": desk.chain.0.len() });
    db::audit::record(&mut tx, now_ms, Some(account), "publish", &id.to_string(), &detail).await?;
    done(app, tx, resource).await
}

/// Commits, and tells everybody in this process.
pub(super) async fn done(app: &App, tx: Tx, resource: Resource) -> Result<Resource, Error> {
    crate::fault::at("stage-changed");
    tx.commit().await?;
    crate::fault::at("stage-changed-done");
    app.announce(resource.id);
    Ok(resource)
}

/// Hands in `resource`, whose row is locked, as it is; the caller saves it and then records it.
///
/// # Errors
///
/// [`Error::Rule`] when it cannot be handed in now.
pub async fn hand_in(
    tx: &mut Tx,
    resource: Resource,
    chain: &Chain,
    by: AccountId,
    now_ms: i64,
) -> Result<(Resource, Review), Error> {
    let captions = db::media::list_captions(tx, resource.id).await?;
    let snapshot = Snapshot::of(&resource, &captions);
    start(tx, resource, chain, snapshot, (by, now_ms)).await
}

/// Hands in what is to be said about `resource`, which is published, as in `edited`.
///
/// # Errors
///
/// [`Error::Rule`] when another version is in review.
pub async fn hand_in_update(
    tx: &mut Tx,
    resource: Resource,
    edited: &Resource,
    chain: &Chain,
    by: AccountId,
    now_ms: i64,
) -> Result<(Resource, Review), Error> {
    let captions = db::media::list_captions(tx, resource.id).await?;
    let snapshot = Snapshot::of(edited, &captions);
    start(tx, resource, chain, snapshot, (by, now_ms)).await
}

async fn start(
    tx: &mut Tx,
    resource: Resource,
    chain: &Chain,
    snapshot: Snapshot,
    (by, now_ms): (AccountId, i64),
) -> Result<(Resource, Review), Error> {
    let last = db::reviews::last(tx, resource.id).await?;
    if last.as_ref().is_some_and(|last| last.state == ReviewState::Open) {
        return Err(RuleError::Conflict("in_review").into());
    }
    let version = last.map_or(1, |last| last.version + 1);
    let (resource, review) = Review::hand_in(resource, chain, version, snapshot, by, now_ms)?;
    db::reviews::insert(tx, &review).await?;
    Ok((resource, review))
}

/// The row of the audit log of a hand-in; the last thing in its transaction.
///
/// # Errors
///
/// Those of the database.
pub async fn record_hand_in(
    tx: &mut Tx,
    review: &Review,
    account: Option<AccountId>,
    now_ms: i64,
) -> Result<(), db::Error> {
    let detail =
        json!({ "version": review.version, "steps": review.steps.len(), "update": review.update });
    let subject = review.resource.to_string();
    db::audit::record(tx, now_ms, account, "hand-in", &subject, &detail).await
}

/// What a step is to say.
#[derive(Debug, Clone)]
pub struct Said {
    /// The version that was read; `None`: the one that is open.
    pub version: Option<i64>,
    /// Index of the step for which it is said; `None`: the one that has it.
    pub step: Option<usize>,
    /// Accepted or returned.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// Decides about what was handed in of the resource `id`.
///
/// # Errors
///
/// [`Error::Rule`]: [`RuleError::Forbidden`] when it is not the caller's step, and those of
/// [`Review::decide`].
pub async fn decide(
    app: &App,
    caller: &Caller,
    id: ResourceId,
    said: Said,
) -> Result<Resource, Error> {
    let account = caller.account()?.id;
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    let before = db::resources::get_locked(&mut tx, id).await?;
    let desk = Desk::of(&mut tx, caller, before.library, now_ms).await?;
    let last = db::reviews::last(&mut tx, id).await?;
    let review = last.ok_or(RuleError::Conflict("not_in_review"))?;
    if said.version.is_some_and(|version| version != review.version) {
        return Err(RuleError::Conflict("decided_already").into());
    }
    let step = review.waits_for().ok_or(RuleError::Conflict("not_in_review"))?;
    if !desk.is_for(caller, step) {
        return Err(RuleError::Forbidden.into());
    }
    review.may_be_read_by(account, before.uploaded_by)?;
    let decision = Decision {
        step: said.step.unwrap_or(review.step),
        verdict: said.verdict,
        reason: said.reason,
        account,
        at_ms: now_ms,
        appealed: false,
    };
    let (resource, review) = review.decide(before.clone(), decision)?;
    let came_out = resource.stage == Stage::Published && before.stage != Stage::Published;
    if came_out && let Some(withdrawn) = db::complaints::withdrawal_of(&mut tx, id).await? {
        if !desk.may_undo(caller, &withdrawn, true) {
            return Err(RuleError::Conflict("withdrawn_by_order").into());
        }
        db::complaints::lift_withdrawals(&mut tx, id, now_ms).await?;
    }
    save(app, tx, (before, resource), &review, account).await
}

/// Keeps a decision and what became of the resource.
pub(super) async fn save(
    app: &App,
    mut tx: Tx,
    (before, mut after): (Resource, Resource),
    review: &Review,
    account: AccountId,
) -> Result<Resource, Error> {
    let now_ms = app.now_ms();
    db::reviews::save(&mut tx, review).await?;
    if after != before {
        db::resources::save(&mut tx, &mut after, now_ms).await?;
    }
    if let Some(decision) = review.decisions.last() {
        let detail = json!({
            "version": review.version,
            "step": review.steps.get(decision.step).map(|step| &step.name),
            "reason": decision.reason,
            "stage": after.stage.as_str(),
            "appealed": decision.appealed,
        });
        let action = match decision.verdict {
            Verdict::Accept => "accept",
            Verdict::Return => "return",
        };
        let subject = after.id.to_string();
        db::audit::record(&mut tx, now_ms, Some(account), action, &subject, &detail).await?;
    }
    done(app, tx, after).await
}

/// Takes back what was handed in of the resource `id`. For those who may edit it.
///
/// # Errors
///
/// [`Error::Rule`] when the caller may not, or no step has it.
pub async fn take_back(app: &App, caller: &Caller, id: ResourceId) -> Result<Resource, Error> {
    let account = caller.account()?.id;
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    let before = db::resources::get_locked(&mut tx, id).await?;
    caller.may_edit(&before)?;
    let last = db::reviews::last(&mut tx, id).await?;
    let review = last.ok_or(RuleError::Conflict("not_in_review"))?;
    let (mut resource, review) = review.take_back(before.clone(), now_ms)?;
    db::reviews::save(&mut tx, &review).await?;
    if resource != before {
        db::resources::save(&mut tx, &mut resource, now_ms).await?;
    }
    let detail = json!({ "version": review.version });
    let subject = id.to_string();
    db::audit::record(&mut tx, now_ms, Some(account), "take-back", &subject, &detail).await?;
    done(app, tx, resource).await
}

/// Ends what is open of `resource`, which is withdrawn or deleted in the same transaction.
///
/// # Errors
///
/// Those of the database.
pub async fn end_open(tx: &mut Tx, resource: &Resource, now_ms: i64) -> Result<(), db::Error> {
    let last = db::reviews::last(tx, resource.id).await?;
    if let Some(review) = last.filter(|review| review.state == ReviewState::Open) {
        let ended = Review { state: ReviewState::TakenBack, ended_ms: Some(now_ms), ..review };
        db::reviews::save(tx, &ended).await?;
    }
    Ok(())
}
