//! Chains of review as JSON, and who decides for whom meanwhile.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Who;
use super::problem::ApiError;
use super::resources::{ms_of, rfc3339};
use crate::app::App;
use crate::catalogue::{
    Caller, Chain, Deciders, Library, Role, RuleError, Step, level_of, level_word,
};
use crate::db;
use crate::review::{Desk, talk};

/// The chain of a library.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChainView {
    /// In order; none: nothing is reviewed.
    steps: Vec<StepForm>,
    /// You may set it.
    may_set: bool,
    /// Who decides for somebody else now; only for those who read here.
    delegations: Vec<DelegationView>,
}

/// A step of a chain: who decides is a role at a level, an account or a team.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StepForm {
    name: String,
    /// library, community, township, district or city
    #[serde(default, skip_serializing_if = "Option::is_none")]
    level: Option<String>,
    /// reviewer, librarian or administrator: this or a higher one; reviewer when left out
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// Login name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    /// How long it has, days.
    days: i64,
}

/// A chain to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewChain {
    steps: Vec<StepForm>,
}

/// Somebody decides in a step for somebody else, for a time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DelegationView {
    id: String,
    /// Name of the step.
    step: String,
    /// Name of who decides.
    to: String,
    /// RFC 3339.
    until: String,
}

/// A delegation to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDelegation {
    /// Name of the step.
    step: String,
    /// Login name of who is to decide.
    account: String,
    /// RFC 3339; at most a year from now.
    until: String,
}

/// The chain of a library. For its people.
#[utoipa::path(get, path = "/api/libraries/{slug}/review", tag = "review", params(("slug" = String, Path)), responses((status = 200, body = ChainView), (status = 404)))]
pub(super) async fn chain(
    State(app): State<App>,
    Who(caller): Who,
    Path(slug): Path<String>,
) -> Result<Json<ChainView>, ApiError> {
    let (desk, _) = desk_of(&app, &caller, &slug).await?;
    Ok(Json(chain_view(&app, &caller, desk).await?))
}

/// Sets the chain of a library; what was handed in before goes on along the chain of then. For
/// administrators of the owner and of those who have a step in it now.
#[utoipa::path(put, path = "/api/libraries/{slug}/review", tag = "review", params(("slug" = String, Path)), request_body = NewChain, responses((status = 200, body = ChainView), (status = 403), (status = 422)))]
pub(super) async fn set_chain(
    State(app): State<App>,
    Who(caller): Who,
    Path(slug): Path<String>,
    Json(new): Json<NewChain>,
) -> Result<Json<ChainView>, ApiError> {
    let (desk, library) = desk_of(&app, &caller, &slug).await?;
    if !desk.may_set_chain(&caller) {
        return Err(RuleError::Forbidden.into());
    }
    let chain = chain_of(&app, new.steps).await?;
    talk::set_chain(&app, &caller, library.id, chain).await?;
    let (desk, _) = desk_of(&app, &caller, &slug).await?;
    Ok(Json(chain_view(&app, &caller, desk).await?))
}

/// Lets an account decide in a step, too, for a time. For those who decide in it by right.
#[utoipa::path(post, path = "/api/libraries/{slug}/review/delegations", tag = "review", params(("slug" = String, Path)), request_body = NewDelegation, responses((status = 201, body = ChainView), (status = 403), (status = 422)))]
pub(super) async fn delegate(
    State(app): State<App>,
    Who(caller): Who,
    Path(slug): Path<String>,
    Json(new): Json<NewDelegation>,
) -> Result<(StatusCode, Json<ChainView>), ApiError> {
    let (_, library) = desk_of(&app, &caller, &slug).await?;
    let bad =
        || RuleError::BadField { field: "until", value: new.until.chars().take(40).collect() };
    let ends_ms = ms_of(&new.until).ok_or_else(bad)?;
    talk::delegate(&app, &caller, library.id, &new.step, &new.account, ends_ms).await?;
    let (desk, _) = desk_of(&app, &caller, &slug).await?;
    Ok((StatusCode::CREATED, Json(chain_view(&app, &caller, desk).await?)))
}

/// Ends a delegation before its time.
#[utoipa::path(delete, path = "/api/libraries/{slug}/review/delegations/{delegation}", tag = "review", params(("slug" = String, Path), ("delegation" = String, Path)), responses((status = 204), (status = 404)))]
pub(super) async fn end_delegation(
    State(app): State<App>,
    Who(caller): Who,
    Path((slug, delegation)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (_, library) = desk_of(&app, &caller, &slug).await?;
    talk::end_delegation(&app, &caller, library.id, &delegation).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The caller's desk in the library `slug`, for its people and those who read there.
pub(super) async fn desk_of(
    app: &App,
    caller: &Caller,
    slug: &str,
) -> Result<(Desk, Library), ApiError> {
    caller.account()?;
    let mut db = app.db.read().await?;
    let library = db::libraries::find_by_slug(&mut db, slug).await?.ok_or(ApiError::NotFound)?;
    let desk = Desk::of(&mut db, caller, library.id, app.now_ms()).await?;
    if desk.reads(caller) || caller.is_author_of(library.id) {
        return Ok((desk, library));
    }
    let seen = caller.can_see_library(&library);
    Err(if seen { RuleError::Forbidden.into() } else { ApiError::NotFound })
}

/// The chain that `forms` say.
pub(super) async fn chain_of(app: &App, forms: Vec<StepForm>) -> Result<Chain, ApiError> {
    let mut db = app.db.read().await?;
    let mut steps = Vec::with_capacity(forms.len());
    for form in forms {
        let who = match (&form.level, &form.account, &form.team) {
            (Some(level), None, None) => Deciders::At {
                level: level_of(level)?,
                role: form.role.as_deref().unwrap_or("reviewer").parse::<Role>()?,
            },
            (None, Some(name), None) => {
                let found = db::accounts::find_by_name(&mut db, name, app.now_ms()).await?;
                let value = name.chars().take(40).collect();
                Deciders::Account(found.ok_or(RuleError::BadField { field: "account", value })?.id)
            }
            (None, None, Some(team)) => {
                let bad = || RuleError::BadField {
                    field: "team",
                    value: team.chars().take(40).collect(),
                };
                let id = team.parse().map_err(|_| bad())?;
                db::reviews::team_name(&mut db, id).await?.ok_or_else(bad)?;
                Deciders::Team(id)
            }
            _ => {
                let value = form.name.chars().take(40).collect();
                return Err(RuleError::BadField { field: "step", value }.into());
            }
        };
        steps.push(Step { name: form.name, who, days: form.days });
    }
    Ok(Chain(steps))
}

/// A step as it is asked for.
pub(super) fn step_at(name: &str, level: &str, role: &str, days: i64) -> StepForm {
    StepForm {
        name: name.to_owned(),
        level: Some(level.to_owned()),
        role: Some(role.to_owned()),
        account: None,
        team: None,
        days,
    }
}

/// A step for one person, by login name.
pub(super) fn step_for(name: &str, account: &str, days: i64) -> StepForm {
    StepForm {
        name: name.to_owned(),
        level: None,
        role: None,
        account: Some(account.to_owned()),
        team: None,
        days,
    }
}

/// A step for a team, by id.
pub(super) fn step_of_team(name: &str, team: &str, days: i64) -> StepForm {
    StepForm { account: None, team: Some(team.to_owned()), ..step_for(name, "", days) }
}

async fn chain_view(app: &App, caller: &Caller, desk: Desk) -> Result<ChainView, ApiError> {
    let mut db = app.db.read().await?;
    let mut steps = Vec::with_capacity(desk.chain.0.len());
    for step in &desk.chain.0 {
        let mut form = step_at(&step.name, "", "", step.days);
        (form.level, form.role) = (None, None);
        match step.who {
            Deciders::At { level, role } => {
                form.level = Some(level_word(level).to_owned());
                form.role = Some(role.to_string());
            }
            Deciders::Account(id) => {
                form.account = db::reviews::login_name(&mut db, id).await?;
            }
            Deciders::Team(id) => form.team = Some(id.to_string()),
        }
        steps.push(form);
    }
    let mut delegations = Vec::new();
    if desk.reads(caller) {
        let held =
            db::reviews::delegations(&mut db, Some(desk.library.id), None, app.now_ms()).await?;
        delegations.extend(held.into_iter().map(|one| DelegationView {
            id: one.id,
            step: one.step,
            to: one.display_name,
            until: rfc3339(one.ends_ms),
        }));
    }
    Ok(ChainView { may_set: desk.may_set_chain(caller), steps, delegations })
}
