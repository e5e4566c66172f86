//! The page of invitations.

use axum::extract::Query;
use axum::response::Response;

use super::super::super::listed::Listing;
use super::super::super::people::{Names, origin};
use super::super::super::problem::ApiError;
use super::super::here::{Form, Here, done};
use super::super::studio::Fields;
use super::choices::{chosen_place, givable};
use crate::catalogue::RuleError;
use crate::db::invitations::{self, Invitation};
use crate::net::grants::{self, NewInvitation};
use crate::pages::{self, InvitationRow, InvitationsView, Notice};

pub(in crate::api) async fn invitations_page(
    here: Here,
    Query(list): Query<Listing>,
) -> Result<Response, ApiError> {
    let view = view(&here, &list, here.notice()).await?;
    Ok(here.show(|shell| pages::invitations(shell, &view)))
}

pub(in crate::api) async fn invitations_form(form: Form) -> Result<Response, ApiError> {
    let (here, list) = (form.here, Listing::default());
    match act(&here, &form.fields).await {
        Ok(None) => Ok(done("/admin/invitations")),
        Ok(Some(code)) => {
            let link = Some(format!("{}/join/{code}", origin(&here.app, &here.reader)));
            let view = InvitationsView { link, ..view(&here, &list, Notice::default()).await? };
            Ok(here.show(|shell| pages::invitations(shell, &view)))
        }
        Err(error) => {
            let view = view(&here, &list, here.refusal(error)?).await?;
            Ok(here.refuse(|shell| pages::invitations(shell, &view)))
        }
    }
}

/// Makes an invitation and gives what its link ends with, or takes one back.
async fn act(here: &Here, fields: &Fields) -> Result<Option<String>, ApiError> {
    let by = here.authority()?;
    let mut tx = here.app.db.begin().await?;
    let mut code = None;
    if fields.one("act") == "uninvite" {
        grants::uninvite(&mut tx, &by, fields.one("id")).await?;
    } else {
        let on = chosen_place(&mut tx, here.caller(), &by, fields.one("place")).await?;
        let number = |field: &'static str| -> Result<i64, RuleError> {
            let text = fields.one(field).trim();
            let bad = || RuleError::BadField { field, value: text.chars().take(40).collect() };
            text.parse().map_err(|_| bad())
        };
        let new = NewInvitation {
            role: fields.one("role").parse()?,
            on,
            note: fields.one("note").to_owned(),
            uses: number("uses")?,
            days: number("days")?,
        };
        code = Some(grants::invite(&mut tx, &by, &new).await?.1);
    }
    tx.commit().await?;
    Ok(code)
}

async fn view(here: &Here, list: &Listing, notice: Notice) -> Result<InvitationsView, ApiError> {
    let by = here.authority()?;
    let viewer = by.viewer();
    let mut db = here.app.db.read().await?;
    let names = Names::read(&mut db).await?;
    let words = list.words();
    let (total, found) = invitations::list(&mut db, &viewer, words.as_deref(), list.span()).await?;
    let row = |one: Invitation| InvitationRow {
        open: one.is_open(by.now_ms()),
        place: names.place(one.on).to_owned(),
        id: one.id,
        role: one.role,
        note: one.note,
        uses: one.uses,
        came: one.uses - one.uses_left,
        expires_ms: one.expires_ms,
    };
    Ok(InvitationsView {
        list: list.listed("/admin/invitations", "/api/invitations", total, &[]),
        rows: found.into_iter().map(row).collect(),
        givable: givable(&mut db, here.caller(), &viewer).await?,
        link: None,
        notice,
    })
}
