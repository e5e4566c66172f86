//! The page of the tree; what it changes goes the way of the API.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;

use super::super::super::caller::Who;
use super::super::super::listed::Listing;
use super::super::super::organisations::{self, ImportQuery, NewOrganisation, has};
use super::super::super::problem::ApiError;
use super::super::here::{Form, Here, TableForm, done};
use super::choices::{by_id, chosen, ours};
use crate::catalogue::{DivisionCode, Organisation};
use crate::db;
use crate::pages::{self, Notice, OrganisationRow, OrganisationsView};

pub(in crate::api) async fn organisations_page(
    here: Here,
    Query(list): Query<Listing>,
) -> Result<Response, ApiError> {
    let view = tree(&here, &list, here.notice()).await?;
    Ok(here.show(|shell| pages::admin_organisations(shell, &view)))
}

pub(in crate::api) async fn organisations_form(form: Form) -> Result<Response, ApiError> {
    let (here, fields) = (form.here, form.fields);
    let given = |name| Some(fields.one(name).trim().to_owned()).filter(|text| !text.is_empty());
    let make = async {
        let offered = by_id(&ours(&mut *here.app.db.read().await?, here.caller(), true).await?);
        let parent = chosen(&offered, "parent", fields.one("parent"))?;
        let new = NewOrganisation {
            name: fields.one("name").to_owned(),
            level: given("level"),
            parent: Some(parent).filter(|parent| !parent.is_empty()),
            code: given("code"),
            contact: fields.one("contact").to_owned(),
            place: fields.one("place").to_owned(),
            longitude: None,
            latitude: None,
        };
        let who = Who(here.caller().clone());
        organisations::create(State(here.app.clone()), who, Json(new)).await
    };
    match make.await {
        Ok((_, Json(made))) => Ok(done(&format!("/admin/organisations/{}", made.id))),
        Err(error) => refused(&here, error).await,
    }
}

/// Takes a table, or says what it would do.
pub(in crate::api) async fn import_organisations(form: TableForm) -> Result<Response, ApiError> {
    let (here, dry_run) = (form.here, form.act != "take");
    let who = Who(here.caller().clone());
    let (query, bytes) = (Query(ImportQuery { dry_run }), Bytes::from(form.bytes));
    match organisations::import(State(here.app.clone()), who, query, bytes).await {
        Ok(_) if !dry_run => Ok(done("/admin/organisations")),
        Ok(Json(would)) => {
            let report = here.reader.lang.pick(
                "可以导入，还没有改变任何东西。新增 {} 个，修改 {} 个，不变 {} 个。",
                "It can be imported; nothing was changed yet. New {}, changed {}, unchanged {}.",
            );
            let report = [would.added, would.changed, would.same]
                .iter()
                .fold(report.to_owned(), |text, n| text.replacen("{}", &n.to_string(), 1));
            let view = tree(&here, &Listing::default(), Notice::default()).await?;
            let view = OrganisationsView { report: Some(report), ..view };
            Ok(here.show(|shell| pages::admin_organisations(shell, &view)))
        }
        Err(error) => refused(&here, error).await,
    }
}

/// The tree again, with why nothing was done.
async fn refused(here: &Here, error: ApiError) -> Result<Response, ApiError> {
    let view = tree(here, &Listing::default(), here.refusal(error)?).await?;
    Ok(here.refuse(|shell| pages::admin_organisations(shell, &view)))
}

async fn tree(here: &Here, list: &Listing, notice: Notice) -> Result<OrganisationsView, ApiError> {
    let by = here.authority()?;
    let mut db = here.app.db.read().await?;
    let ours = ours(&mut db, here.caller(), false).await?;
    let libraries = db::libraries::list(&mut db).await?;
    let top = ours.iter().map(|one| one.path.len()).min().unwrap_or(1);
    let changed =
        |one: &&Organisation| one.closed_ms.is_none() && here.caller().is_administrator_of(one);
    let parents: Vec<Organisation> = ours.iter().filter(changed).cloned().collect();
    let found = ours.into_iter().filter(|one| has(one, list)).collect();
    let (total, found) = list.cut(found);
    let rows = found.iter().map(|one| {
        let owned = libraries.iter().filter(|library| library.owner == Some(one.id)).count();
        row(one, one.path.len() - top, owned)
    });
    Ok(OrganisationsView {
        rows: rows.collect(),
        list: list.listed(
            "/admin/organisations",
            "/api/organisations?mine=true&closed=true",
            total,
            &[],
        ),
        parents: by_id(&parents),
        whole: by.is_whole(),
        report: None,
        notice,
    })
}

pub(super) fn row(one: &Organisation, depth: usize, libraries: usize) -> OrganisationRow {
    OrganisationRow {
        id: one.id.to_string(),
        name: one.name.clone(),
        depth,
        level: one.level,
        code: one.code.as_ref().map(DivisionCode::to_string).unwrap_or_default(),
        contact: one.contact.clone(),
        libraries,
        closed: one.closed_ms.is_some(),
    }
}
