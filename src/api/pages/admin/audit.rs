//! The page of the log.

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::super::super::audit::{AuditQuery, Names, filter, verified};
use super::super::super::listed::Listing;
use super::super::super::problem::ApiError;
use super::super::here::Here;
use crate::db;
use crate::pages::{self, AuditView, EntryRow, Listed};

/// Whether the chain is to be followed.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct VerifyQuery {
    #[serde(default)]
    verify: bool,
}

pub(in crate::api) async fn audit_page(
    here: Here,
    Query(list): Query<Listing>,
    Query(query): Query<AuditQuery>,
    Query(verify): Query<VerifyQuery>,
) -> Result<Response, ApiError> {
    here.caller().may_administer()?;
    let found = find(&here, &list, &query).await;
    let mut view = AuditView {
        who: query.who,
        action: query.action,
        subject: query.subject,
        from: query.from,
        to: query.to,
        ..AuditView::default()
    };
    let refused = match found {
        Ok((list, rows)) => {
            (view.list, view.rows) = (list, rows);
            false
        }
        Err(error) => {
            view.list = list.listed("/admin/audit", "/api/audit", 0, &[]);
            view.notice = here.refusal(error)?;
            true
        }
    };
    if verify.verify {
        let found = verified(&here.app).await?;
        view.verified = Some(found.fault.map_or(Ok((found.rows, found.hash)), Err));
    }
    let shown = |shell: &pages::Shell| pages::audit(shell, &view);
    Ok(if refused { here.refuse(shown) } else { here.show(shown) })
}

async fn find(
    here: &Here,
    list: &Listing,
    query: &AuditQuery,
) -> Result<(Listed, Vec<EntryRow>), ApiError> {
    let mut db = here.app.db.read().await?;
    let filter = filter(&here.app, &mut db, list, query).await?;
    let total = db::audit::count(&mut db, &filter).await?;
    let found = db::audit::list_before(&mut db, &filter, i64::MAX, list.span()).await?;
    let mut names = Names::default();
    let mut rows = Vec::with_capacity(found.len());
    for entry in found {
        // One that is gone is told by its id.
        let who = names.of(&mut db, entry.account.as_deref()).await?.or(entry.account);
        let subject = names.of(&mut db, Some(&entry.subject)).await?;
        rows.push(EntryRow {
            number: entry.number,
            at_ms: entry.at_ms,
            who,
            action: entry.action,
            subject: subject.unwrap_or(entry.subject),
            detail: entry.detail,
        });
    }
    let others = [
        ("who", query.who.as_str()),
        ("action", &query.action),
        ("subject", &query.subject),
        ("from", &query.from),
        ("to", &query.to),
    ];
    Ok((list.listed("/admin/audit", "/api/audit", total, &others), rows))
}
