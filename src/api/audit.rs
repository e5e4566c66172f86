//! The log of all changes as JSON, for administrators of the net.

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Who;
use super::problem::ApiError;
use super::resources::rfc3339;
use crate::app::App;
use crate::catalogue::RuleError;
use crate::db::{self, audit};

/// Rows read at a time.
const BATCH: i64 = 5000;

/// A change that was acknowledged.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EntryView {
    /// From 1, without gaps.
    number: i64,
    /// RFC 3339.
    at: String,
    /// Id of who did it; null: the pipeline or the command line
    account: Option<String>,
    /// Login name of who did it.
    name: Option<String>,
    action: String,
    /// Id of what it was done to.
    subject: String,
    /// JSON.
    detail: String,
    /// SHA-256 over the row before's hash and all the above, hex.
    hash: String,
}

/// Changes, the last first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditPage {
    items: Vec<EntryView>,
    /// What to ask for as `before` to get earlier ones; null: there are none.
    next: Option<i64>,
}

/// Which changes.
#[derive(Debug, Default, Clone, Deserialize, IntoParams)]
pub(in crate::api) struct AuditQuery {
    /// Login name, telephone number or id of who did it.
    #[serde(default)]
    pub who: String,
    #[serde(default)]
    pub action: String,
    /// Id of what it was done to.
    #[serde(default)]
    pub subject: String,
    /// First day, as 2026-11-25, in the zone of the site.
    #[serde(default)]
    pub from: String,
    /// Last day.
    #[serde(default)]
    pub to: String,
    /// `next` of the answer before.
    pub before: Option<i64>,
    /// At most 1000; 100 when left out.
    pub limit: Option<i64>,
}

/// Whether the chain is whole.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Verified {
    /// Nothing was changed, cut out or added.
    pub whole: bool,
    /// What is wrong.
    pub fault: Option<String>,
    /// How many rows were followed.
    pub rows: i64,
    /// Hash of the last of them: noted elsewhere, it shows later that nothing before was changed.
    pub hash: String,
}

/// The log of all changes, the last first. For administrators of the net.
#[utoipa::path(get, path = "/api/audit", tag = "operation", params(AuditQuery), responses((status = 200, body = AuditPage), (status = 403), (status = 422)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditPage>, ApiError> {
    caller.may_administer()?;
    let limit = query.limit.unwrap_or(100).clamp(1, 1000);
    let mut db = app.db.read().await?;
    let found = find(&app, &mut db, &query, limit).await?;
    let next = found.last().filter(|_| found.len() as i64 == limit).map(|entry| entry.number);
    let mut items = Vec::with_capacity(found.len());
    for entry in found {
        let name = match &entry.account {
            None => None,
            Some(id) => db::people::name_of(&mut db, id).await?,
        };
        items.push(EntryView {
            number: entry.number,
            at: rfc3339(entry.at_ms),
            account: entry.account,
            name,
            action: entry.action,
            subject: entry.subject,
            detail: entry.detail,
            hash: entry.hash,
        });
    }
    Ok(Json(AuditPage { items, next }))
}

/// The rows that `query` means, at most `limit`.
pub(in crate::api) async fn find(
    app: &App,
    db: &mut sqlx::AnyConnection,
    query: &AuditQuery,
    limit: i64,
) -> Result<Vec<audit::Entry>, ApiError> {
    let given = |text: &str| Some(text.trim().replace('\0', "")).filter(|text| !text.is_empty());
    let account = match given(&query.who) {
        None => None,
        Some(who) => {
            let phone = who.parse().ok();
            let known = db::people::find_taken(db, &who.to_lowercase(), phone.as_ref()).await?;
            // Whoever is not there did nothing.
            Some(known.map_or(who, |(id, _)| id.to_string()))
        }
    };
    let zone = jiff::tz::TimeZone::get(&app.config.site.zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let filter = audit::Filter {
        account,
        action: given(&query.action),
        subject: given(&query.subject),
        from_ms: given(&query.from).map(|day| begin_of(&day, 0, &zone)).transpose()?,
        until_ms: given(&query.to).map(|day| begin_of(&day, 1, &zone)).transpose()?,
    };
    let before = query.before.unwrap_or(i64::MAX);
    Ok(audit::list_before(db, &filter, before, limit).await?)
}

/// The first millisecond of the day `later` days after `day`.
fn begin_of(day: &str, later: i64, zone: &jiff::tz::TimeZone) -> Result<i64, ApiError> {
    let bad = || RuleError::BadField { field: "day", value: day.chars().take(40).collect() };
    let date: jiff::civil::Date = day.parse().map_err(|_| bad())?;
    let date = date.checked_add(jiff::Span::new().days(later)).map_err(|_| bad())?;
    let begin = zone.to_timestamp(date.into()).map_err(|_| bad())?;
    Ok(begin.as_millisecond())
}

/// The whole log as JSON lines, as `duoku audit export` prints it.
#[utoipa::path(get, path = "/api/audit/export", tag = "operation", responses((status = 200, content_type = "application/x-ndjson"), (status = 403)))]
pub(super) async fn export(State(app): State<App>, Who(caller): Who) -> Result<Response, ApiError> {
    caller.may_administer()?;
    // Read batch by batch as it is sent: it may be long.
    let lines = futures::stream::try_unfold(0, move |after| {
        let app = app.clone();
        async move {
            let mut db = app.db.read().await?;
            let entries = audit::list_after(&mut db, after, BATCH).await?;
            let Some(last) = entries.last() else { return Ok::<_, db::Error>(None) };
            let next = last.number;
            let mut text = String::new();
            for entry in &entries {
                text.push_str(&serde_json::to_string(entry).unwrap_or_default());
                text.push('\n');
            }
            Ok(Some((text, next)))
        }
    });
    Response::builder()
        .header(CONTENT_TYPE, "application/x-ndjson")
        .header(CACHE_CONTROL, "no-store")
        .header(CONTENT_DISPOSITION, "attachment; filename=\"audit.jsonl\"")
        .body(Body::from_stream(lines))
        .map_err(|error| ApiError::bad(error.to_string()))
}

/// Follows the chain from the first row to the last.
#[utoipa::path(get, path = "/api/audit/verify", tag = "operation", responses((status = 200, body = Verified), (status = 403)))]
pub(super) async fn verify(
    State(app): State<App>,
    Who(caller): Who,
) -> Result<Json<Verified>, ApiError> {
    caller.may_administer()?;
    Ok(Json(verified(&app).await?))
}

/// Follows the chain up to the row that is the last one now.
pub(in crate::api) async fn verified(app: &App) -> Result<Verified, ApiError> {
    let mut db = app.db.read().await?;
    let expected = audit::last_number(&mut db).await?;
    let mut chain = audit::Chain::default();
    let fault = loop {
        let most = BATCH.min(expected - chain.head().0);
        let entries = audit::list_after(&mut db, chain.head().0, most).await?;
        if let Err(fault) = entries.iter().try_for_each(|entry| chain.take(entry)) {
            break Some(fault);
        }
        if entries.is_empty() || chain.head().0 >= expected {
            break chain.end(expected).err();
        }
    };
    let (rows, hash) = chain.head();
    Ok(Verified {
        whole: fault.is_none(),
        fault: fault.map(|fault| fault.to_string()),
        rows,
        hash: hash.to_owned(),
    })
}
