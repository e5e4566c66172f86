//! The pages of teams and invitations.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use serde::Deserialize;

use super::super::super::caller::Visitor;
use super::super::super::grants::team_id;
use super::super::super::people::{Names, account_id, origin};
use super::super::super::problem::ApiError;
use super::super::super::reader::Reader;
use super::super::shell::{page, shell};
use super::super::studio::{Fields, check_csrf};
use super::person::grant_rows;
use super::{Came, by_id, done, givable, ours, place_of, refusal, to_login};
use crate::app::App;
use crate::catalogue::{RuleError, TeamId};
use crate::db;
use crate::db::grants::Grantee;
use crate::db::people::{Filter, GrantFilter};
use crate::db::teams::Team;
use crate::net::authority::Authority;
use crate::net::grants::{self, NewInvitation};
use crate::net::people;
use crate::pages::{self, InvitationRow, InvitationsView, Notice, TeamRow, TeamView, TeamsView};

/// The most members, found people and invitations that a page lists.
const MAX_LISTED: i64 = 500;

/// Whom to take into a team.
#[derive(Debug, Default, Deserialize)]
pub(in crate::api) struct TeamQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    done: bool,
}

pub(in crate::api) async fn teams_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(came): Query<Came>,
) -> Result<Response, ApiError> {
    if let Some(login) = to_login(&visitor, &reader) {
        return Ok(login);
    }
    let view = teams_view(&app, &visitor, came.notice(&reader)).await?;
    Ok(page(&reader, pages::teams(&shell(&app, &reader, &visitor), &view)))
}

pub(in crate::api) async fn teams_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    let make = async {
        let by = Authority::of(&visitor.caller, app.now_ms())?;
        let mut tx = app.db.begin().await?;
        let home = people::home_named(&mut tx, fields.one("organisation")).await?;
        let team = grants::make_team(&mut tx, &by, fields.one("name"), home).await?;
        tx.commit().await?;
        Ok::<_, ApiError>(team.id)
    };
    match make.await {
        Ok(id) => Ok(done(&format!("/admin/teams/{id}"))),
        Err(error) => {
            let view = teams_view(&app, &visitor, refusal(&reader, error)?).await?;
            let shown = pages::teams(&shell(&app, &reader, &visitor), &view);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&reader, shown)).into_response())
        }
    }
}

async fn teams_view(app: &App, visitor: &Visitor, notice: Notice) -> Result<TeamsView, ApiError> {
    let viewer = Authority::of(&visitor.caller, app.now_ms())?.viewer();
    let mut db = app.db.read().await?;
    let names = Names::read(&mut db).await?;
    let found = db::teams::list(&mut db, &viewer, None).await?;
    Ok(TeamsView {
        rows: found.into_iter().map(|team| row(team, &names)).collect(),
        organisations: by_id(&ours(&mut db, &visitor.caller, true).await?),
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
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<TeamQuery>,
) -> Result<Response, ApiError> {
    if let Some(login) = to_login(&visitor, &reader) {
        return Ok(login);
    }
    let notice = Came { done: query.done }.notice(&reader);
    let view = team_view(&app, &visitor, team_id(&id)?, &query.q, notice).await?;
    Ok(page(&reader, pages::team(&shell(&app, &reader, &visitor), &view)))
}

pub(in crate::api) async fn team_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(id): Path<String>,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    let id = team_id(&id)?;
    match act(&app, &visitor, id, &fields).await {
        Ok(()) if fields.one("act") == "end" => Ok(Redirect::to("/admin/teams").into_response()),
        Ok(()) => Ok(done(&format!("/admin/teams/{id}"))),
        Err(error) => {
            let view = team_view(&app, &visitor, id, "", refusal(&reader, error)?).await?;
            let shown = pages::team(&shell(&app, &reader, &visitor), &view);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&reader, shown)).into_response())
        }
    }
}

async fn act(app: &App, visitor: &Visitor, id: TeamId, fields: &Fields) -> Result<(), ApiError> {
    let by = Authority::of(&visitor.caller, app.now_ms())?;
    let mut tx = app.db.begin().await?;
    match fields.one("act") {
        act @ ("join" | "leave") => {
            let account = account_id(fields.one("account"))?;
            grants::set_member(&mut tx, &by, id, account, act == "join").await?;
        }
        "rename" => drop(grants::rename_team(&mut tx, &by, id, fields.one("name")).await?),
        "end" => grants::end_team(&mut tx, &by, id).await?,
        "grant" => {
            let (organisation, library) = place_of(fields.one("place"));
            let on = grants::place_named(&mut tx, &by, organisation, library).await?;
            let role = fields.one("role").parse()?;
            grants::grant(&mut tx, &by, Grantee::Team(id), role, on, None).await?;
        }
        "revoke" => grants::revoke(&mut tx, &by, fields.one("grant")).await?,
        other => return Err(ApiError::bad(other.chars().take(40).collect::<String>())),
    }
    Ok(tx.commit().await?)
}

async fn team_view(
    app: &App,
    visitor: &Visitor,
    id: TeamId,
    q: &str,
    notice: Notice,
) -> Result<TeamView, ApiError> {
    let by = Authority::of(&visitor.caller, app.now_ms())?;
    let viewer = by.viewer();
    let mut db = app.db.read().await?;
    let names = Names::read(&mut db).await?;
    let team = grants::team(&mut db, &by, id).await?;
    let may_change = grants::own_team(&mut db, &by, id).await.is_ok();
    let of = Filter { team: Some(id), ..Filter::default() };
    let (_, members) = db::people::list(&mut db, &viewer, &of, 0, MAX_LISTED).await?;
    let found = if q.trim().is_empty() || !may_change {
        Vec::new()
    } else {
        let of = Filter { words: Some(q.replace('\0', "")), ..Filter::default() };
        db::people::list(&mut db, &viewer, &of, 0, 20).await?.1
    };
    let found = found.into_iter().filter(|one| members.iter().all(|member| member.id != one.id));
    let of = GrantFilter { team: Some(id), ..GrantFilter::default() };
    let granted = db::people::grants(&mut db, &viewer, &of, MAX_LISTED).await?;
    Ok(TeamView {
        found: found.map(|one| (one.id.to_string(), one.display_name)).collect(),
        members: members.into_iter().map(|one| (one.id.to_string(), one.display_name)).collect(),
        team: row(team, &names),
        may_change,
        grants: grant_rows(&mut db, &by, &names, granted).await?,
        givable: givable(&mut db, &visitor.caller, &viewer).await?,
        q: q.to_owned(),
        notice,
    })
}

pub(in crate::api) async fn invitations_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(came): Query<Came>,
) -> Result<Response, ApiError> {
    if let Some(login) = to_login(&visitor, &reader) {
        return Ok(login);
    }
    let view = invitations_view(&app, &visitor, came.notice(&reader)).await?;
    Ok(page(&reader, pages::invitations(&shell(&app, &reader, &visitor), &view)))
}

pub(in crate::api) async fn invitations_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    match invite(&app, &visitor, &fields).await {
        Ok(None) => Ok(done("/admin/invitations")),
        Ok(Some(code)) => {
            let link = Some(format!("{}/join/{code}", origin(&app, &reader)));
            let view = invitations_view(&app, &visitor, Notice::default()).await?;
            let view = InvitationsView { link, ..view };
            Ok(page(&reader, pages::invitations(&shell(&app, &reader, &visitor), &view)))
        }
        Err(error) => {
            let view = invitations_view(&app, &visitor, refusal(&reader, error)?).await?;
            let shown = pages::invitations(&shell(&app, &reader, &visitor), &view);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&reader, shown)).into_response())
        }
    }
}

/// Makes an invitation and gives what its link ends with, or takes one back.
async fn invite(app: &App, visitor: &Visitor, fields: &Fields) -> Result<Option<String>, ApiError> {
    let by = Authority::of(&visitor.caller, app.now_ms())?;
    let mut tx = app.db.begin().await?;
    let mut code = None;
    if fields.one("act") == "uninvite" {
        grants::uninvite(&mut tx, &by, fields.one("id")).await?;
    } else {
        let (organisation, library) = place_of(fields.one("place"));
        let on = grants::place_named(&mut tx, &by, organisation, library).await?;
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

async fn invitations_view(
    app: &App,
    visitor: &Visitor,
    notice: Notice,
) -> Result<InvitationsView, ApiError> {
    let by = Authority::of(&visitor.caller, app.now_ms())?;
    let viewer = by.viewer();
    let mut db = app.db.read().await?;
    let names = Names::read(&mut db).await?;
    let found = db::invitations::list(&mut db, &viewer, None, MAX_LISTED).await?;
    let row = |one: db::invitations::Invitation| InvitationRow {
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
        rows: found.into_iter().map(row).collect(),
        givable: givable(&mut db, &visitor.caller, &viewer).await?,
        link: None,
        notice,
    })
}
