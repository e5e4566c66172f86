//! Who decides in a step for somebody else, by the page of a library's chain.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::super::problem::ApiError;
use super::here::Here;
use super::studio::Fields;
use crate::app::App;
use crate::catalogue::{Library, RuleError};
use crate::db;
use crate::pages::{DelegationRow, DelegationsView};
use crate::review::{Desk, talk};

/// Days for which somebody may stand in, as the page offers them.
const MAX_DAYS: i64 = 364;

/// What the form asks for; false when it is not about delegations.
pub(super) async fn act(here: &Here, library: &Library, fields: &Fields) -> Result<bool, ApiError> {
    let (app, caller) = (&here.app, here.caller());
    match fields.one("act") {
        "delegate" => {
            let until = fields.one("until");
            let value = || until.chars().take(40).collect();
            let ends_ms = end_of(app, until)
                .ok_or_else(|| RuleError::BadField { field: "until", value: value() })?;
            let (step, to) = (fields.one("step"), fields.one("to").trim().to_lowercase());
            talk::delegate(app, caller, library.id, step, &to, ends_ms).await?;
        }
        "end-delegation" => {
            talk::end_delegation(app, caller, library.id, fields.one("delegation")).await?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// The end of a day such as `2026-12-01`, where the site is, Unix milliseconds.
fn end_of(app: &App, day: &str) -> Option<i64> {
    let next = day.trim().parse::<Date>().ok()?.checked_add(1.day()).ok()?;
    Some(zone(app).to_timestamp(next.at(0, 0, 0, 0)).ok()?.as_millisecond())
}

fn zone(app: &App) -> TimeZone {
    TimeZone::get(&app.config.site.zone).unwrap_or(TimeZone::UTC)
}

/// What the visitor may see and do about them in the library of `desk`.
pub(super) async fn view(here: &Here, desk: &Desk) -> Result<DelegationsView, ApiError> {
    let (app, caller) = (&here.app, here.caller());
    if !desk.reads(caller) {
        return Ok(DelegationsView::default());
    }
    let own = desk.chain.0.iter().filter(|step| desk.is_own(caller, step));
    let own: Vec<String> = own.map(|step| step.name.clone()).collect();
    let mut db = app.db.read().await?;
    let now_ms = app.now_ms();
    let held = db::reviews::delegations(&mut db, Some(desk.library.id), None, now_ms).await?;
    let me = caller.account()?.id.to_string();
    let row = |one: db::reviews::Delegation| DelegationRow {
        may_end: one.given_by == me || own.contains(&one.step),
        id: one.id,
        step: one.step,
        to: one.display_name,
        ends_ms: one.ends_ms,
    };
    let held = held.into_iter().map(row).collect();
    let now = Timestamp::from_millisecond(now_ms).unwrap_or_default();
    let today = now.to_zoned_datetime(zone(app)).date();
    let last = today.saturating_add(MAX_DAYS.days());
    Ok(DelegationsView { own, held, days: (today.to_string(), last.to_string()) })
}
