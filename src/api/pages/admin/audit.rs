//! The page of the log.

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Deserialize;

use super::super::super::audit::{AuditQuery, find, verified};
use super::super::super::caller::Visitor;
use super::super::super::problem::ApiError;
use super::super::super::reader::Reader;
use super::super::shell::{page, shell};
use super::{refusal, to_login};
use crate::app::App;
use crate::db;
use crate::pages::{self, AuditView, EntryRow};

const PER_PAGE: i64 = 100;

/// Whether the chain is to be followed.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct VerifyQuery {
    #[serde(default)]
    verify: bool,
}

pub(in crate::api) async fn audit_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(query): Query<AuditQuery>,
    Query(verify): Query<VerifyQuery>,
) -> Result<Response, ApiError> {
    if let Some(login) = to_login(&visitor, &reader) {
        return Ok(login);
    }
    visitor.caller.may_administer()?;
    let mut view = AuditView {
        who: query.who.clone(),
        action: query.action.clone(),
        subject: query.subject.clone(),
        from: query.from.clone(),
        to: query.to.clone(),
        ..AuditView::default()
    };
    let mut status = StatusCode::OK;
    match rows(&app, &query).await {
        Ok(rows) => {
            let last = rows.last().filter(|_| rows.len() as i64 == PER_PAGE);
            view.next = last.map(|row| earlier(&query, row.number));
            view.rows = rows;
        }
        Err(error) => {
            view.notice = refusal(&reader, error)?;
            status = StatusCode::UNPROCESSABLE_ENTITY;
        }
    }
    if verify.verify {
        let found = verified(&app).await?;
        view.verified = Some(found.fault.map_or(Ok((found.rows, found.hash)), Err));
    }
    let shown = page(&reader, pages::audit(&shell(&app, &reader, &visitor), &view));
    Ok((status, shown).into_response())
}

async fn rows(app: &App, query: &AuditQuery) -> Result<Vec<EntryRow>, ApiError> {
    let mut db = app.db.read().await?;
    let found = find(app, &mut db, query, PER_PAGE).await?;
    let mut rows = Vec::with_capacity(found.len());
    for entry in found {
        let who = match &entry.account {
            None => None,
            // One that is gone is told by its id.
            Some(id) => Some(db::people::name_of(&mut db, id).await?.unwrap_or_else(|| id.clone())),
        };
        let subject = db::people::name_of(&mut db, &entry.subject).await?;
        rows.push(EntryRow {
            number: entry.number,
            at_ms: entry.at_ms,
            who,
            action: entry.action,
            subject: subject.unwrap_or(entry.subject),
            detail: entry.detail,
        });
    }
    Ok(rows)
}

fn earlier(query: &AuditQuery, before: i64) -> String {
    let mut text = url::form_urlencoded::Serializer::new("/admin/audit?".to_owned());
    text.append_pair("before", &before.to_string());
    for (name, value) in [
        ("who", &query.who),
        ("action", &query.action),
        ("subject", &query.subject),
        ("from", &query.from),
        ("to", &query.to),
    ] {
        if !value.is_empty() {
            text.append_pair(name, value);
        }
    }
    text.finish()
}
