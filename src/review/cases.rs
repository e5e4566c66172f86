//! Complaints of the public.

use serde_json::json;

use super::withdraw::take;
use super::{Desk, Error};
use crate::app::App;
use crate::catalogue::{
    COMPLAINT_REASONS, Caller, CaseNumber, CaseState, Complaint, Resource, RuleError, Stage, words,
};
use crate::db;

/// The longest contact, characters.
const MAX_CONTACT: usize = 200;

/// What somebody complains about.
#[derive(Debug, Clone, Default)]
pub struct Grievance {
    /// Code of [`COMPLAINT_REASONS`].
    pub reason: String,
    /// In the person's own words.
    pub words: String,
    /// How to reach the person; may be empty.
    pub contact: String,
}

/// Takes a complaint about `resource`, which the caller sees.
///
/// # Errors
///
/// [`Error::Rule`] for a field that cannot be kept, when the resource is not published, or when so
/// many complaints about it are open that one more says nothing new.
pub async fn complain(
    app: &App,
    caller: &Caller,
    resource: &Resource,
    grievance: Grievance,
) -> Result<Complaint, Error> {
    let now_ms = app.now_ms();
    if !COMPLAINT_REASONS.iter().any(|known| known.code == grievance.reason) {
        let value = grievance.reason.chars().take(40).collect();
        return Err(RuleError::BadField { field: "reason", value }.into());
    }
    let said = words("words", &grievance.words, true)?;
    let contact = words("contact", &grievance.contact, false)?;
    if contact.chars().count() > MAX_CONTACT {
        let value = contact.chars().take(40).collect();
        return Err(RuleError::BadField { field: "contact", value }.into());
    }
    if resource.stage != Stage::Published {
        return Err(RuleError::WrongStage(resource.stage).into());
    }
    let mut tx = app.db.begin().await?;
    let open = db::complaints::count_open(&mut tx, resource.id).await?;
    if open >= app.config.review.max_open_complaints {
        return Err(RuleError::Conflict("complained_enough").into());
    }
    let complaint = Complaint {
        number: db::complaints::next_number(&mut tx, year(app, now_ms)).await?,
        resource: resource.id,
        library: resource.library,
        reason: grievance.reason,
        words: said,
        contact,
        account: caller.0.as_ref().map(|account| account.id),
        state: CaseState::Open,
        answer: String::new(),
        created_ms: now_ms,
        answered_ms: None,
        answered_by: None,
    };
    db::complaints::insert(&mut tx, &complaint).await?;
    let detail = json!({ "number": complaint.number.to_string(), "reason": complaint.reason });
    let subject = resource.id.to_string();
    db::audit::record(&mut tx, now_ms, complaint.account, "complain", &subject, &detail).await?;
    tx.commit().await?;
    Ok(complaint)
}

/// The year in the zone of the site.
fn year(app: &App, now_ms: i64) -> i64 {
    let zone = jiff::tz::TimeZone::get(&app.config.site.zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let now = jiff::Timestamp::from_millisecond(now_ms).unwrap_or_default();
    i64::from(now.to_zoned_datetime(zone).year())
}

/// Answers the complaint `number`: `upheld` withdraws the resource. For those who look after its
/// library. The public reads the answer.
///
/// # Errors
///
/// [`Error::Missing`] when there is no such complaint for the caller, [`Error::Rule`] when it was
/// answered before, or there is no answer.
pub async fn answer(
    app: &App,
    caller: &Caller,
    number: CaseNumber,
    upheld: bool,
    said: &str,
) -> Result<Complaint, Error> {
    let account = caller.account()?.id;
    let said = words("answer", said, true)?;
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    let complaint = db::complaints::find(&mut tx, number).await?.ok_or(Error::Missing)?;
    if !caller.is_librarian_of(complaint.library) {
        return Err(Error::Missing);
    }
    let resource = db::resources::get_locked(&mut tx, complaint.resource).await?;
    let complaint = Complaint {
        state: if upheld { CaseState::Upheld } else { CaseState::Rejected },
        answer: said,
        answered_ms: Some(now_ms),
        answered_by: Some(account),
        ..complaint
    };
    if !db::complaints::answer(&mut tx, &complaint).await? {
        return Err(RuleError::Conflict("decided_already").into());
    }
    let withdrawn = upheld && resource.stage == Stage::Published;
    if withdrawn {
        let desk = Desk::of(&mut tx, caller, resource.library, now_ms).await?;
        let reason = format!("{number}: {}", complaint.answer);
        let mut resource = take(&mut tx, &desk, caller, resource, &reason, now_ms).await?;
        db::resources::save(&mut tx, &mut resource, now_ms).await?;
    }
    let detail = json!({
        "number": number.to_string(),
        "state": complaint.state.as_str(),
        "answer": complaint.answer,
        "withdrawn": withdrawn,
    });
    let subject = complaint.resource.to_string();
    db::audit::record(&mut tx, now_ms, Some(account), "answer-complaint", &subject, &detail)
        .await?;
    tx.commit().await?;
    app.announce(complaint.resource);
    Ok(complaint)
}
