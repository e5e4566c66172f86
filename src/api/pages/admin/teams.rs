//! The pages of teams.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::super::super::grants::team_id;
use super::super::super::listed::Listing;
use super::super::super::people::{Names, account_id};
use super::super::super::problem::ApiError;
use super::super::here::{Form, Here, done};
use super::super::studio::Fields;
use super::choices::{by_id, chosen, chosen_place, givable, ours};
use super::person::grant_rows;
use crate::catalogue::TeamId;
use crate::db;
use crate::db::granted;
use crate::db::grants::Grantee;
use crate::db::people::Filter;
use crate::db::teams::Team;
use crate::net::grants;
use crate::net::people;
use crate::pages::{self, Notice, TeamRow, TeamView, TeamsView};

/// The most members and roles that a page tells.
const MAX_LISTED: i64 = 500;

/// The most people that are offered to be taken in.
const MAX_OFFERED: i64 = 20;

/// Whom to take into a team.
#[derive(Debug, Default, Deserialize)]
pub(in crate::api) struct TeamQuery {
    #[serde(default)]
    q: String,
}

pub(in crate::api) async fn teams_page(
    here: Here,
    Query(list): Query<Listing>,
) -> Result<Response, ApiError> {
    let view = teams_view(&here, &list, here.notice()).await?;
    Ok(here.show(|shell| pages::teams(shell, &view)))
}

pub(in crate::api) async fn teams_form(form: Form) -> Result<Response, ApiError> {
    let (here, fields) = (form.here, form.fields);
    let make = async {
        let by = here.authority()?;
        let mut tx = here.app.db.begin().await?;
        let offered = by_id(&ours(&mut tx, here.caller(), true).await?);
        let home = chosen(&offered, "organisation", fields.one("organisation"))?;
        let home = people::home_named(&mut tx, &home).await?;
        let team = grants::make_team(&mut tx, &by, fields.one("name"), home).await?;
        tx.commit().await?;
        Ok::<_, ApiError>(team.id)
    };
    match make.await {
        Ok(id) => Ok(done(&format!("/admin/teams/{id}"))),
        Err(error) => {
            let view = teams_view(&here, &Listing::default(), here.refusal(error)?).await?;
            Ok(here.refuse(|shell| pages::teams(shell, &view)))
        }
    }
}

async fn teams_view(here: &Here, list: &Listing, notice: Notice) -> Result<TeamsView, ApiError> {
    let viewer = here.authority()?.viewer();
    let mut db = here.app.db.read().await?;
    let names = Names::read(&mut db).await?;
    let words = list.words();
    let (total, found) = db::teams::list(&mut db, &viewer, words.as_deref(), list.span()).await?;
    Ok(TeamsView {
        list: list.listed("/admin/teams", "/api/teams", total, &[]),
        rows: found.into_iter().map(|team| row(team, &names)).collect(),
        organisations: by_id(&ours(&mut db, here.caller(), true).await?),
        whole: viewer.whole,
        notice,
    })
}

fn row(team: Team, names: &Names) -> TeamRow {
    TeamRow {
        id: team.id.to_string(),
        name: team.name,
        organisation: team
            .organisation
            .map(|id| names.organisation(id).to_owned())
            .unwrap_or_default(),
        members: team.members,
    }
}

pub(in crate::api) async fn team_page(
    here: Here,
    Path(id): Path<String>,
    Query(query): Query<TeamQuery>,
) -> Result<Response, ApiError> {
    let view = team_view(&here, team_id(&id)?, &query.q, here.notice()).await?;
    Ok(here.show(|shell| pages::team(shell, &view)))
}

pub(in crate::api) async fn team_form(
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, ApiError> {
    let (here, id) = (form.here, team_id(&id)?);
    match act(&here, id, &form.fields).await {
        Ok(()) if form.fields.one("act") == "end" => {
            Ok(Redirect::to("/admin/teams").into_response())
        }
        Ok(()) => Ok(done(&format!("/admin/teams/{id}"))),
        Err(error) => {
            let view = team_view(&here, id, "", here.refusal(error)?).await?;
            Ok(here.refuse(|shell| pages::team(shell, &view)))
        }
    }
}

async fn act(here: &Here, id: TeamId, fields: &Fields) -> Result<(), ApiError> {
    let by = here.authority()?;
    let mut tx = here.app.db.begin().await?;
    match fields.one("act") {
        act @ ("join" | "leave") => {
            let account = account_id(fields.one("account"))?;
            grants::set_member(&mut tx, &by, id, account, act == "join").await?;
        }
        "rename" => drop(grants::rename_team(&mut tx, &by, id, fields.one("name")).await?),
        "end" => grants::end_team(&mut tx, &by, id).await?,
        "grant" => {
            let on = chosen_place(&mut tx, here.caller(), &by, fields.one("place")).await?;
            let role = fields.one("role").parse()?;
            grants::grant(&mut tx, &by, Grantee::Team(id), role, on, None).await?;
        }
        "revoke" => grants::revoke(&mut tx, &by, fields.one("grant")).await?,
        other => return Err(ApiError::bad(other.chars().take(40).collect::<String>())),
    }
    Ok(tx.commit().await?)
}

async fn team_view(here: &Here, id: TeamId, q: &str, notice: Notice) -> Result<TeamView, ApiError> {
    let by = here.authority()?;
    let viewer = by.viewer();
    let mut db = here.app.db.read().await?;
    let names = Names::read(&mut db).await?;
    let team = grants::team(&mut db, &by, id).await?;
    let may_change = grants::own_team(&mut db, &by, id).await.is_ok();
    let of = Filter { team: Some(id), ..Filter::default() };
    let (_, members) = db::people::list(&mut db, &viewer, &of, (0, MAX_LISTED)).await?;
    let found = if q.trim().is_empty() || !may_change {
        Vec::new()
    } else {
        let of = Filter { words: Some(q.replace('\0', "")), ..Filter::default() };
        db::people::list(&mut db, &viewer, &of, (0, MAX_OFFERED)).await?.1
    };
    let found = found.into_iter().filter(|one| members.iter().all(|member| member.id != one.id));
    let of = granted::Filter { team: Some(id), ..granted::Filter::default() };
    let held = granted::list(&mut db, &viewer, &of, (0, MAX_LISTED)).await?;
    Ok(TeamView {
        found: found.map(|one| (one.id.to_string(), one.display_name)).collect(),
        members: members.into_iter().map(|one| (one.id.to_string(), one.display_name)).collect(),
        team: row(team, &names),
        may_change,
        grants: grant_rows(&mut db, &by, &names, held).await?,
        givable: givable(&mut db, here.caller(), &viewer).await?,
        q: q.to_owned(),
        notice,
    })
}
