//! The page on which an organisation vouches for what is local about a resource.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};

use super::super::caller::Visitor;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::resources::visible;
use super::shell::{page, shell};
use super::studio::{Fields, SavedQuery, check_csrf};
use crate::app::App;
use crate::catalogue::{Caller, Library, Resource, RuleError};
use crate::db;
use crate::pages::{self, VouchView, VoucherRow};
use crate::review::vouch;

pub(in crate::api) async fn vouch_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<SavedQuery>,
) -> Result<Response, ApiError> {
    if visitor.caller.0.is_none() {
        return Ok(Redirect::to(&format!("/login?next=/resources/{id}/vouch")).into_response());
    }
    let (resource, library) = visible(&app, &visitor.caller, &id).await?;
    let mut view = view(&app, &visitor.caller, &resource, &library).await?;
    view.saved = query.sentence(reader.lang);
    Ok(page(&reader, pages::vouch(&shell(&app, &reader, &visitor), &view)))
}

pub(in crate::api) async fn vouch_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(id): Path<String>,
    body: String,
) -> Result<Response, ApiError> {
    visitor.caller.account()?;
    let (resource, library) = visible(&app, &visitor.caller, &id).await?;
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    match act(&app, &visitor.caller, &resource, &fields).await {
        Ok(()) => Ok(Redirect::to(&format!("/resources/{id}/vouch?saved=1")).into_response()),
        Err(error) if error.is_refusal() => {
            let mut view = view(&app, &visitor.caller, &resource, &library).await?;
            view.refusal = Some(error.worded(reader.lang));
            let shell = shell(&app, &reader, &visitor);
            let mut response = page(&reader, pages::vouch(&shell, &view));
            *response.status_mut() = error.status();
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

async fn act(
    app: &App,
    caller: &Caller,
    resource: &Resource,
    fields: &Fields,
) -> Result<(), ApiError> {
    if fields.one("action") == "withdraw" {
        let voucher = fields.one("voucher").parse().map_err(|_| ApiError::NotFound)?;
        return Ok(vouch::unvouch(app, caller, resource.id, voucher).await?);
    }
    let organisation = fields.one("organisation");
    let value = organisation.chars().take(40).collect();
    let bad = |_| RuleError::BadField { field: "organisation", value };
    let organisation = organisation.parse().map_err(bad)?;
    vouch::vouch(app, caller, resource.id, organisation, fields.one("note")).await?;
    Ok(())
}

/// Only those who may vouch, or may withdraw what there is, have the page.
async fn view(
    app: &App,
    caller: &Caller,
    resource: &Resource,
    library: &Library,
) -> Result<VouchView, ApiError> {
    let mut offices = vouch::offices(app, caller, library.owner).await?;
    let mut db = app.db.read().await?;
    let mark = resource.details.particulars.local.clone();
    let mut vouchers = Vec::new();
    for one in db::vouchers::list(&mut db, resource.id).await? {
        let organisation = db::organisations::find(&mut db, one.organisation).await?;
        let Some(organisation) = organisation else { continue };
        let stands = one.stands_for(mark.as_ref());
        offices.retain(|office| !stands || office.id != organisation.id);
        vouchers.push(VoucherRow {
            id: one.id.to_string(),
            by: db::reviews::person(&mut db, one.account).await?.unwrap_or_default(),
            level: one.level,
            at_ms: one.at_ms,
            stands,
            withdrawn_ms: one.withdrawn_ms,
            may_withdraw: one.withdrawn_ms.is_none() && caller.roles_at(&organisation).reviews(),
            organisation: organisation.name,
            note: one.note,
        });
    }
    if offices.is_empty() && !vouchers.iter().any(|one| one.may_withdraw) {
        let may_see = caller.is_reviewer_of(library.id) && !vouchers.is_empty();
        if !may_see {
            return Err(RuleError::Forbidden.into());
        }
    }
    Ok(VouchView {
        id: resource.id.to_string(),
        title: resource.details.title.clone(),
        mark,
        offices: offices
            .into_iter()
            .map(|office| (office.id.to_string(), office.name, office.level))
            .collect(),
        vouchers,
        saved: None,
        refusal: None,
    })
}
