//! The log of all changes as JSON, for administrators of the net.

use std::collections::HashMap;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Who;
use super::listed::{Listing, table};
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
    /// How many match in all.
    total: i64,
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
    /// `next` of the answer before: the rows before that one, whatever was added since.
    pub before: Option<i64>,
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

/// The log of all changes, the last first; `q` is in what was done, to what, or its detail. For
/// administrators of the net.
#[utoipa::path(get, path = "/api/audit", tag = "operation", params(Listing, AuditQuery), responses((status = 200, body = AuditPage), (status = 403), (status = 422)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    Query(list): Query<Listing>,
    Query(query): Query<AuditQuery>,
) -> Result<Response, ApiError> {
    caller.may_administer()?;
    let mut db = app.db.read().await?;
    let filter = filter(&app, &mut db, &list, &query).await?;
    if list.is_table()? {
        return as_table(&mut db, &filter).await;
    }
    let total = audit::count(&mut db, &filter).await?;
    let (span, before) = (list.span(), query.before.unwrap_or(i64::MAX));
    let found = audit::list_before(&mut db, &filter, before, span).await?;
    let next = found.last().filter(|_| found.len() as i64 == span.1).map(|entry| entry.number);
    let mut items = Vec::with_capacity(found.len());
    let mut names = Names::default();
    for entry in found {
        items.push(EntryView {
            number: entry.number,
            at: rfc3339(entry.at_ms),
            name: names.of(&mut db, entry.account.as_deref()).await?,
            account: entry.account,
            action: entry.action,
            subject: entry.subject,
            detail: entry.detail,
            hash: entry.hash,
        });
    }
    Ok(Json(AuditPage { total, items, next }).into_response())
}

/// All rows that match.
async fn as_table(
    db: &mut sqlx::AnyConnection,
    filter: &audit::Filter,
) -> Result<Response, ApiError> {
    let (mut rows, mut before, mut names) = (Vec::new(), i64::MAX, Names::default());
    loop {
        let found = audit::list_before(db, filter, before, (0, BATCH)).await?;
        let Some(last) = found.last() else { break };
        before = last.number;
        for entry in found {
            rows.push([
                entry.number.to_string(),
                rfc3339(entry.at_ms),
                names.of(db, entry.account.as_deref()).await?.unwrap_or_default(),
                entry.action,
                names.of(db, Some(&entry.subject)).await?.unwrap_or_default(),
                entry.subject,
                entry.detail,
            ]);
        }
    }
    let heading = ["number", "at", "who", "action", "subject_name", "subject", "detail"];
    table("audit.csv", heading, rows)
}

/// Login names of accounts, each asked for once.
#[derive(Debug, Default)]
pub(in crate::api) struct Names(HashMap<String, Option<String>>);

impl Names {
    /// That of the account `id`; `None` for what is no account.
    pub(in crate::api) async fn of(
        &mut self,
        db: &mut sqlx::AnyConnection,
        id: Option<&str>,
    ) -> Result<Option<String>, ApiError> {
        let Some(id) = id else { return Ok(None) };
        if let Some(known) = self.0.get(id) {
            return Ok(known.clone());
        }
        let name = db::people::name_of(db, id).await?;
        self.0.insert(id.to_owned(), name.clone());
        Ok(name)
    }
}

/// What `query` means.
pub(in crate::api) async fn filter(
    app: &App,
    db: &mut sqlx::AnyConnection,
    list: &Listing,
    query: &AuditQuery,
) -> Result<audit::Filter, ApiError> {
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
    Ok(audit::Filter {
        account,
        action: given(&query.action),
        subject: given(&query.subject),
        from_ms: given(&query.from).map(|day| begin_of(&day, 0, &zone)).transpose()?,
        until_ms: given(&query.to).map(|day| begin_of(&day, 1, &zone)).transpose()?,
        words: list.words(),
    })
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
