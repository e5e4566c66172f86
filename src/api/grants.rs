//! Roles as JSON: grants, teams and invitations.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Who;
use super::listed::{Listing, PageOf, batches, page_of, table};
use super::people::{Names, account_id, origin};
use super::problem::ApiError;
use super::reader::Reader;
use super::resources::rfc3339;
use crate::app::App;
use crate::catalogue::{RuleError, TeamId};
use crate::db;
use crate::db::granted::Filter;
use crate::db::grants::{Grant, Grantee, Scope};
use crate::db::invitations::Invitation;
use crate::db::teams::Team;
use crate::net::authority::Authority;
use crate::net::grants::{self, NewInvitation};
use crate::net::{organisations, people};

/// A role that somebody has somewhere.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GrantView {
    id: String,
    /// Id of the person, or else of the team.
    account: Option<String>,
    team: Option<String>,
    /// learner, teacher, author, reviewer, librarian or administrator
    role: &'static str,
    /// Id of the organisation: there and below.
    organisation: Option<String>,
    /// Slug of the library.
    library: Option<String>,
    /// RFC 3339; null: until it is taken away
    ends: Option<String>,
}

fn view(grant: &Grant, names: &Names) -> GrantView {
    let (account, team) = match grant.to {
        Grantee::Account(id) => (Some(id.to_string()), None),
        Grantee::Team(id) => (None, Some(id.to_string())),
    };
    let (organisation, library) = place(grant.on, names);
    GrantView {
        id: grant.id.clone(),
        account,
        team,
        role: grant.role.as_str(),
        organisation,
        library,
        ends: grant.ends_ms.map(rfc3339),
    }
}

fn place(on: Scope, names: &Names) -> (Option<String>, Option<String>) {
    match on {
        Scope::Organisation(id) => (Some(id.to_string()), None),
        Scope::Library(id) => (None, Some(names.slug(id).to_owned())),
    }
}

/// Which grants.
#[derive(Debug, Default, Clone, Deserialize, IntoParams)]
pub(super) struct GrantQuery {
    /// Id of a person.
    account: Option<String>,
    /// Id of a team.
    team: Option<String>,
    /// Id or code: granted right there.
    organisation: Option<String>,
    /// Slug: granted right there.
    library: Option<String>,
}

impl GrantQuery {
    async fn filter(
        &self,
        db: &mut sqlx::AnyConnection,
        by: &Authority<'_>,
        words: Option<String>,
    ) -> Result<Filter, ApiError> {
        Ok(Filter {
            account: self.account.as_deref().map(account_id).transpose()?,
            team: self.team.as_deref().map(team_id).transpose()?,
            organisation: match &self.organisation {
                None => None,
                Some(text) => Some(organisations::named(db, text).await?.id),
            },
            library: match &self.library {
                None => None,
                Some(slug) => Some(grants::library_named(db, by, slug).await?.id),
            },
            words,
        })
    }
}

/// A role to be given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewGrant {
    /// Id of a person, or else of a team.
    account: Option<String>,
    team: Option<String>,
    role: String,
    /// Id or code of an organisation, or else the slug of a library.
    organisation: Option<String>,
    library: Option<String>,
    /// RFC 3339; left out: until it is taken away
    ends: Option<String>,
}

/// What is granted in the caller's branch, oldest first; `q` is in the name of the person, the team
/// or the place.
#[utoipa::path(get, path = "/api/grants", tag = "people", params(Listing, GrantQuery), responses((status = 200, body = PageOf<GrantView>), (status = 403), (status = 422)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    Query(list): Query<Listing>,
    Query(query): Query<GrantQuery>,
) -> Result<Response, ApiError> {
    let by = Authority::of(&caller, app.now_ms())?;
    let mut db = app.db.read().await?;
    let filter = query.filter(&mut db, &by, list.words()).await?;
    let names = Names::read(&mut db).await?;
    if list.is_table()? {
        return as_table(&mut db, &by, &filter, &names).await;
    }
    let total = db::granted::count(&mut db, &by.viewer(), &filter).await?;
    let found = db::granted::list(&mut db, &by.viewer(), &filter, list.span()).await?;
    Ok(page_of(total, found.iter().map(|grant| view(grant, &names)).collect()))
}

/// All that matches, in words that a spreadsheet's reader knows.
async fn as_table(
    db: &mut sqlx::AnyConnection,
    by: &Authority<'_>,
    filter: &Filter,
    names: &Names,
) -> Result<Response, ApiError> {
    let mut rows = Vec::new();
    for span in batches() {
        let found = db::granted::list(db, &by.viewer(), filter, span).await?;
        if found.is_empty() {
            break;
        }
        let who = db::granted::names_of(db, &found).await?;
        rows.extend(found.into_iter().map(|grant| {
            let (kind, id) = match grant.to {
                Grantee::Account(id) => ("person", id.to_string()),
                Grantee::Team(id) => ("team", id.to_string()),
            };
            let (organisation, library) = place(grant.on, names);
            [
                who.get(&id).cloned().unwrap_or_default(),
                kind.to_owned(),
                grant.role.to_string(),
                names.place(grant.on).to_owned(),
                if organisation.is_some() { "organisation" } else { "library" }.to_owned(),
                library.unwrap_or_default(),
                grant.ends_ms.map(rfc3339).unwrap_or_default(),
            ]
        }));
    }
    let heading = ["name", "kind", "role", "place", "place_kind", "library", "ends"];
    table("grants.csv", heading, rows)
}

/// Gives a role to a person or a team that the caller looks after. Librarians give what is below
/// them, administrators everything.
#[utoipa::path(post, path = "/api/grants", tag = "people", request_body = NewGrant, responses((status = 201, body = GrantView), (status = 403), (status = 404), (status = 422)))]
pub(super) async fn create(
    State(app): State<App>,
    Who(caller): Who,
    Json(new): Json<NewGrant>,
) -> Result<(StatusCode, Json<GrantView>), ApiError> {
    let by = Authority::of(&caller, app.now_ms())?;
    let to = match (&new.account, &new.team) {
        (Some(id), None) => Grantee::Account(account_id(id)?),
        (None, Some(id)) => Grantee::Team(team_id(id)?),
        _ => return Err(ApiError::bad("account, team")),
    };
    let role = new.role.parse()?;
    let ends_ms = new.ends.as_deref().map(unix_ms).transpose()?;
    let mut tx = app.db.begin().await?;
    let (organisation, library) = (new.organisation.as_deref(), new.library.as_deref());
    let on = grants::place_named(&mut tx, &by, organisation, library).await?;
    let names = Names::read(&mut tx).await?;
    let id = grants::grant(&mut tx, &by, to, role, on, ends_ms).await?;
    tx.commit().await?;
    let grant = Grant { id, to, role, on, ends_ms };
    Ok((StatusCode::CREATED, Json(view(&grant, &names))))
}

/// Takes a role away.
#[utoipa::path(delete, path = "/api/grants/{id}", tag = "people", params(("id" = String, Path)), responses((status = 204), (status = 403), (status = 404)))]
pub(super) async fn delete(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let by = Authority::of(&caller, app.now_ms())?;
    let mut tx = app.db.begin().await?;
    grants::revoke(&mut tx, &by, &id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn unix_ms(text: &str) -> Result<i64, ApiError> {
    let bad = || RuleError::BadField { field: "ends", value: text.chars().take(40).collect() };
    let time: jiff::Timestamp = text.parse().map_err(|_| bad())?;
    Ok(time.as_millisecond())
}

/// An id that somebody sent; one that is none is no team's.
pub(in crate::api) fn team_id(text: &str) -> Result<TeamId, ApiError> {
    text.parse().map_err(|_| ApiError::NotFound)
}

/// People who get roles together.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TeamView {
    id: String,
    name: String,
    /// Id of who looks after it; null: administrators of the net
    organisation: Option<String>,
    /// How many people are in it; `/api/people?team=` lists them.
    members: i64,
}

impl From<Team> for TeamView {
    fn from(team: Team) -> Self {
        Self {
            id: team.id.to_string(),
            name: team.name,
            organisation: team.organisation.map(|id| id.to_string()),
            members: team.members,
        }
    }
}

/// A team to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTeam {
    name: String,
    /// Id or code of who looks after it; only administrators of the net leave it out.
    #[serde(default)]
    organisation: String,
}

/// A team's new name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TeamPatch {
    name: String,
}

/// The teams of the caller's branch, by name; `q` is in the name, or in that of who looks after it.
#[utoipa::path(get, path = "/api/teams", tag = "people", params(Listing), responses((status = 200, body = PageOf<TeamView>), (status = 403), (status = 422)))]
pub(super) async fn teams(
    State(app): State<App>,
    Who(caller): Who,
    Query(list): Query<Listing>,
) -> Result<Response, ApiError> {
    let viewer = Authority::of(&caller, app.now_ms())?.viewer();
    let words = list.words();
    let mut db = app.db.read().await?;
    if list.is_table()? {
        let names = Names::read(&mut db).await?;
        let (_, found) = db::teams::list(&mut db, &viewer, words.as_deref(), (0, i64::MAX)).await?;
        let rows = found.into_iter().map(|team| {
            let home = team.organisation.map(|id| names.organisation(id).to_owned());
            [team.name, home.unwrap_or_default(), team.members.to_string()]
        });
        return table("teams.csv", ["name", "organisation", "members"], rows);
    }
    let (total, found) = db::teams::list(&mut db, &viewer, words.as_deref(), list.span()).await?;
    Ok(page_of(total, found.into_iter().map(TeamView::from).collect()))
}

/// A team.
#[utoipa::path(get, path = "/api/teams/{id}", tag = "people", params(("id" = String, Path)), responses((status = 200, body = TeamView), (status = 404)))]
pub(super) async fn team(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<Json<TeamView>, ApiError> {
    let by = Authority::of(&caller, app.now_ms())?;
    let mut tx = app.db.read().await?;
    Ok(Json(grants::team(&mut tx, &by, team_id(&id)?).await?.into()))
}

/// Makes a team. For those who look after its organisation.
#[utoipa::path(post, path = "/api/teams", tag = "people", request_body = NewTeam, responses((status = 201, body = TeamView), (status = 403), (status = 422)))]
pub(super) async fn make_team(
    State(app): State<App>,
    Who(caller): Who,
    Json(new): Json<NewTeam>,
) -> Result<(StatusCode, Json<TeamView>), ApiError> {
    let by = Authority::of(&caller, app.now_ms())?;
    let mut tx = app.db.begin().await?;
    let organisation = people::home_named(&mut tx, &new.organisation).await?;
    let team = grants::make_team(&mut tx, &by, &new.name, organisation).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(team.into())))
}

/// Names a team anew. For those who could give all that is granted to it.
#[utoipa::path(patch, path = "/api/teams/{id}", tag = "people", params(("id" = String, Path)), request_body = TeamPatch, responses((status = 200, body = TeamView), (status = 403), (status = 404), (status = 422)))]
pub(super) async fn rename_team(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    Json(patch): Json<TeamPatch>,
) -> Result<Json<TeamView>, ApiError> {
    let by = Authority::of(&caller, app.now_ms())?;
    let mut tx = app.db.begin().await?;
    let team = grants::rename_team(&mut tx, &by, team_id(&id)?, &patch.name).await?;
    tx.commit().await?;
    Ok(Json(team.into()))
}

/// Ends a team, and what was granted to it.
#[utoipa::path(delete, path = "/api/teams/{id}", tag = "people", params(("id" = String, Path)), responses((status = 204), (status = 403), (status = 404)))]
pub(super) async fn end_team(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let by = Authority::of(&caller, app.now_ms())?;
    let mut tx = app.db.begin().await?;
    grants::end_team(&mut tx, &by, team_id(&id)?).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes somebody into a team.
#[utoipa::path(put, path = "/api/teams/{id}/members/{account}", tag = "people", params(("id" = String, Path), ("account" = String, Path)), responses((status = 204), (status = 403), (status = 404)))]
pub(super) async fn join_team(
    State(app): State<App>,
    Who(caller): Who,
    Path((id, account)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    set_member(&app, &caller, &id, &account, true).await
}

/// Takes somebody out of a team.
#[utoipa::path(delete, path = "/api/teams/{id}/members/{account}", tag = "people", params(("id" = String, Path), ("account" = String, Path)), responses((status = 204), (status = 403), (status = 404)))]
pub(super) async fn leave_team(
    State(app): State<App>,
    Who(caller): Who,
    Path((id, account)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    set_member(&app, &caller, &id, &account, false).await
}

async fn set_member(
    app: &App,
    caller: &crate::catalogue::Caller,
    id: &str,
    account: &str,
    joins: bool,
) -> Result<StatusCode, ApiError> {
    let by = Authority::of(caller, app.now_ms())?;
    let mut tx = app.db.begin().await?;
    grants::set_member(&mut tx, &by, team_id(id)?, account_id(account)?, joins).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A link that brings whoever opens it a role.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InvitationView {
    id: String,
    role: &'static str,
    /// Id of the organisation.
    organisation: Option<String>,
    /// Slug of the library.
    library: Option<String>,
    /// For whom it is.
    note: String,
    /// For how many people it was made, and how many may still come.
    uses: i64,
    uses_left: i64,
    /// RFC 3339.
    created: String,
    expires: String,
    /// Somebody may come by it.
    open: bool,
    /// Only in the answer that makes it.
    link: Option<String>,
}

fn invitation_view(found: Invitation, names: &Names, now_ms: i64) -> InvitationView {
    let (organisation, library) = place(found.on, names);
    InvitationView {
        open: found.is_open(now_ms),
        id: found.id,
        role: found.role.as_str(),
        organisation,
        library,
        note: found.note,
        uses: found.uses,
        uses_left: found.uses_left,
        created: rfc3339(found.created_ms),
        expires: rfc3339(found.expires_ms),
        link: None,
    }
}

/// An invitation to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewInvitationBody {
    role: String,
    /// Id or code of an organisation, or else the slug of a library.
    organisation: Option<String>,
    library: Option<String>,
    /// For whom it is.
    #[serde(default)]
    note: String,
    /// For how many people; 1 when left out, at most 10000.
    uses: Option<i64>,
    /// How long it lasts; 14 when left out, at most 366.
    days: Option<i64>,
}

/// The invitations into the caller's branch, the last first; `q` is in the note or in the name of
/// where they lead.
#[utoipa::path(get, path = "/api/invitations", tag = "people", params(Listing), responses((status = 200, body = PageOf<InvitationView>), (status = 403), (status = 422)))]
pub(super) async fn invitations(
    State(app): State<App>,
    Who(caller): Who,
    Query(list): Query<Listing>,
) -> Result<Response, ApiError> {
    let by = Authority::of(&caller, app.now_ms())?;
    let (viewer, words) = (by.viewer(), list.words());
    let mut db = app.db.read().await?;
    let names = Names::read(&mut db).await?;
    if list.is_table()? {
        let (_, found) =
            db::invitations::list(&mut db, &viewer, words.as_deref(), (0, i64::MAX)).await?;
        let rows = found.into_iter().map(|one| {
            [
                one.role.to_string(),
                names.place(one.on).to_owned(),
                one.note.clone(),
                one.uses.to_string(),
                (one.uses - one.uses_left).to_string(),
                rfc3339(one.created_ms),
                rfc3339(one.expires_ms),
                one.is_open(by.now_ms()).to_string(),
            ]
        });
        let heading = ["role", "place", "note", "uses", "came", "created", "expires", "open"];
        return table("invitations.csv", heading, rows);
    }
    let (total, found) =
        db::invitations::list(&mut db, &viewer, words.as_deref(), list.span()).await?;
    let view = |found| invitation_view(found, &names, by.now_ms());
    Ok(page_of(total, found.into_iter().map(view).collect()))
}

/// Makes a link that brings a role which the caller could give.
#[utoipa::path(post, path = "/api/invitations", tag = "people", request_body = NewInvitationBody, responses((status = 201, body = InvitationView), (status = 403), (status = 404), (status = 422)))]
pub(super) async fn invite(
    State(app): State<App>,
    Who(caller): Who,
    reader: Reader,
    Json(new): Json<NewInvitationBody>,
) -> Result<(StatusCode, Json<InvitationView>), ApiError> {
    let by = Authority::of(&caller, app.now_ms())?;
    let mut tx = app.db.begin().await?;
    let (organisation, library) = (new.organisation.as_deref(), new.library.as_deref());
    let on = grants::place_named(&mut tx, &by, organisation, library).await?;
    let names = Names::read(&mut tx).await?;
    let new = NewInvitation {
        role: new.role.parse()?,
        on,
        note: new.note,
        uses: new.uses.unwrap_or(1),
        days: new.days.unwrap_or(14),
    };
    let (invitation, code) = grants::invite(&mut tx, &by, &new).await?;
    tx.commit().await?;
    let link = Some(format!("{}/join/{code}", origin(&app, &reader)));
    let view = InvitationView { link, ..invitation_view(invitation, &names, by.now_ms()) };
    Ok((StatusCode::CREATED, Json(view)))
}

/// Takes an invitation back. Whoever came by it stays.
#[utoipa::path(delete, path = "/api/invitations/{id}", tag = "people", params(("id" = String, Path)), responses((status = 204), (status = 403), (status = 404)))]
pub(super) async fn uninvite(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let by = Authority::of(&caller, app.now_ms())?;
    let mut tx = app.db.begin().await?;
    grants::uninvite(&mut tx, &by, &id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
