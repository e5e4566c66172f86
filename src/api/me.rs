//! One's own account as JSON: names, password, sessions, tokens.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::caller::{Visitor, Who, fresh_token, token_hash};
use super::people::PersonView;
use super::problem::ApiError;
use super::resources::rfc3339;
use super::session::{Browser, check_password, chosen};
use crate::app::App;
use crate::catalogue::{AccountId, Person, RuleError, TokenScopes};
use crate::db;
use crate::db::people::Viewer;
use crate::net::is_id;
use crate::net::people::{self, Edit};

/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// Most days that a token lasts.
const MAX_DAYS: i64 = 3660;

/// Most tokens of one account.
const MAX_TOKENS: usize = 100;

/// What is changed; what is left out stays, what is empty is taken away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MePatch {
    display_name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
}

/// Old and new password. API tokens go on unless they are revoked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    pub old: String,
    /// At least 8 characters.
    pub new: String,
    /// Revokes all API tokens too.
    #[serde(default)]
    pub revoke_tokens: bool,
}

/// Who is logged in, with what others who look after them see.
#[utoipa::path(get, path = "/api/me", tag = "session", responses((status = 200, body = PersonView), (status = 401)))]
pub(super) async fn get(
    State(app): State<App>,
    Who(caller): Who,
) -> Result<Json<PersonView>, ApiError> {
    let id = caller.account()?.id;
    Ok(Json(own(&mut *app.db.read().await?, id).await?.into()))
}

/// Changes one's own names.
#[utoipa::path(patch, path = "/api/me", tag = "session", request_body = MePatch, responses((status = 200, body = PersonView), (status = 401), (status = 409), (status = 422)))]
pub(super) async fn patch(
    State(app): State<App>,
    Who(caller): Who,
    Json(patch): Json<MePatch>,
) -> Result<Json<PersonView>, ApiError> {
    let edit = Edit {
        display_name: patch.display_name,
        phone: patch.phone,
        email: patch.email,
        ..Edit::default()
    };
    Ok(Json(edit_own(&app, caller.account()?.id, &edit).await?.into()))
}

/// Changes one's own password; other sessions end.
#[utoipa::path(post, path = "/api/me/password", tag = "session", request_body = NewPassword, responses((status = 204), (status = 401), (status = 422), (status = 429)))]
pub(super) async fn password(
    State(app): State<App>,
    visitor: Visitor,
    browser: Browser,
    Json(new): Json<NewPassword>,
) -> Result<StatusCode, ApiError> {
    change_password(&app, &visitor, &browser, &new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The person of an account.
pub(in crate::api) async fn own(
    db: &mut sqlx::AnyConnection,
    id: AccountId,
) -> Result<Person, ApiError> {
    let everybody = Viewer { account: Some(id), whole: true, now_ms: 0 };
    db::people::find(db, &everybody, id).await?.ok_or(ApiError::NotFound)
}

/// Changes what is one's own to change.
pub(in crate::api) async fn edit_own(
    app: &App,
    id: AccountId,
    edit: &Edit,
) -> Result<Person, ApiError> {
    let mut tx = app.db.begin().await?;
    let person = own(&mut tx, id).await?;
    let person = people::edit_own(&mut tx, person, edit).await?;
    let detail = json!({ "display_name": person.display_name });
    let subject = id.to_string();
    db::audit::record(&mut tx, app.now_ms(), Some(id), "edit-person", &subject, &detail).await?;
    tx.commit().await?;
    Ok(person)
}

/// Changes one's own password.
pub(in crate::api) async fn change_password(
    app: &App,
    visitor: &Visitor,
    browser: &Browser,
    new: &NewPassword,
) -> Result<(), ApiError> {
    let id = visitor.caller.account()?.id;
    check_password(app, browser, id, &new.old).await?;
    let hash = chosen(&new.new).await?;
    let mut tx = app.db.begin().await?;
    db::accounts::change_password(&mut tx, id, &hash, visitor.session.as_deref()).await?;
    let tokens = if new.revoke_tokens { db::tokens::delete_all(&mut tx, id).await? } else { 0 };
    let (now_ms, subject, detail) = (app.now_ms(), id.to_string(), json!({ "tokens": tokens }));
    db::audit::record(&mut tx, now_ms, Some(id), "change-password", &subject, &detail).await?;
    Ok(tx.commit().await?)
}

/// A login of a browser.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LoginView {
    id: String,
    /// From where it was begun.
    address: String,
    /// As the browser calls itself.
    agent: String,
    /// Key of the provider by which it was begun; null: a password or a link
    provider: Option<String>,
    /// RFC 3339.
    created: String,
    /// Last used, to ten minutes.
    seen: String,
    expires: String,
    /// The one that asks.
    current: bool,
}

/// One's own sessions, the last used first.
#[utoipa::path(get, path = "/api/sessions", tag = "session", responses((status = 200, body = Vec<LoginView>), (status = 401)))]
pub(super) async fn sessions(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Json<Vec<LoginView>>, ApiError> {
    let id = visitor.caller.account()?.id;
    let found = db::sessions::list(&mut *app.db.read().await?, id, app.now_ms()).await?;
    let view = |one: db::sessions::Session| LoginView {
        current: visitor.session.as_ref() == Some(&one.id),
        id: one.id,
        address: one.address,
        agent: one.agent,
        provider: one.provider,
        created: rfc3339(one.created_ms),
        seen: rfc3339(one.seen_ms),
        expires: rfc3339(one.expires_ms),
    };
    Ok(Json(found.into_iter().map(view).collect()))
}

/// Ends one of one's own sessions.
#[utoipa::path(delete, path = "/api/sessions/{id}", tag = "session", params(("id" = String, Path)), responses((status = 204), (status = 401), (status = 404)))]
pub(super) async fn end_session(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    end_own_session(&app, caller.account()?.id, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a session of `account`.
pub(in crate::api) async fn end_own_session(
    app: &App,
    account: AccountId,
    id: &str,
) -> Result<(), ApiError> {
    let mut tx = app.db.begin().await?;
    if !is_id(id) || !db::sessions::delete_of(&mut tx, account, id).await? {
        return Err(ApiError::NotFound);
    }
    let now_ms = app.now_ms();
    db::audit::record(&mut tx, now_ms, Some(account), "end-session", id, &json!({})).await?;
    Ok(tx.commit().await?)
}

/// An API token of one's own.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenView {
    id: String,
    label: String,
    /// read, upload, manage
    scopes: Vec<String>,
    /// RFC 3339.
    created: String,
    /// null: until it is revoked
    expires: Option<String>,
    /// The token itself, only in the answer that makes it.
    token: Option<String>,
}

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    /// What it is for.
    #[serde(default)]
    label: String,
    /// read, upload, manage
    scopes: Vec<String>,
    /// Ends after so many days; left out: when it is revoked
    days: Option<i64>,
}

/// One's own API tokens, oldest first.
#[utoipa::path(get, path = "/api/tokens", tag = "session", responses((status = 200, body = Vec<TokenView>), (status = 401)))]
pub(super) async fn tokens(
    State(app): State<App>,
    Who(caller): Who,
) -> Result<Json<Vec<TokenView>>, ApiError> {
    let found = db::tokens::list(&mut *app.db.read().await?, caller.account()?.id).await?;
    Ok(Json(found.into_iter().map(|token| token_view(token, None)).collect()))
}

fn token_view(found: db::tokens::Token, token: Option<String>) -> TokenView {
    TokenView {
        id: found.id,
        label: found.label,
        scopes: found.scopes.split(' ').map(str::to_owned).collect(),
        created: rfc3339(found.created_ms),
        expires: found.expires_ms.map(rfc3339),
        token,
    }
}

/// Makes an API token. One that is made with a token has no use that that one lacks.
#[utoipa::path(post, path = "/api/tokens", tag = "session", request_body = NewToken, responses((status = 201, body = TokenView), (status = 401), (status = 403), (status = 422)))]
pub(super) async fn make_token(
    State(app): State<App>,
    visitor: Visitor,
    Json(new): Json<NewToken>,
) -> Result<(StatusCode, Json<TokenView>), ApiError> {
    let scopes = TokenScopes::of(new.scopes.iter().map(String::as_str))?;
    let (found, token) = make(&app, &visitor, &new.label, scopes, new.days).await?;
    Ok((StatusCode::CREATED, Json(token_view(found, Some(token)))))
}

/// Makes a token for whoever asks; gives it.
pub(in crate::api) async fn make(
    app: &App,
    visitor: &Visitor,
    label: &str,
    scopes: TokenScopes,
    days: Option<i64>,
) -> Result<(db::tokens::Token, String), ApiError> {
    let id = visitor.caller.account()?.id;
    if !scopes.within(visitor.scopes) {
        return Err(ApiError::coded(StatusCode::FORBIDDEN, "scope", scopes.to_string()));
    }
    let bad =
        |field, value: &str| RuleError::BadField { field, value: value.chars().take(40).collect() };
    let label = label.trim().to_owned();
    if label.chars().count() > 100 || label.chars().any(char::is_control) {
        return Err(bad("note", &label).into());
    }
    if let Some(days) = days.filter(|days| !(1..=MAX_DAYS).contains(days)) {
        return Err(bad("days", &days.to_string()).into());
    }
    let token = fresh_token().map_err(|_| crate::net::Error::Random)?;
    let (created_ms, hash) = (app.now_ms(), token_hash(&token));
    let expires_ms = days.map(|days| created_ms + days * DAY_MS);
    let mut tx = app.db.begin().await?;
    if db::tokens::list(&mut tx, id).await?.len() >= MAX_TOKENS {
        return Err(ApiError::coded(StatusCode::CONFLICT, "too_many_tokens", ""));
    }
    let token_id =
        db::tokens::insert(&mut tx, &hash, id, &label, scopes, created_ms, expires_ms).await?;
    let detail = json!({ "label": label, "scopes": scopes.to_string() });
    db::audit::record(&mut tx, created_ms, Some(id), "make-token", &token_id, &detail).await?;
    tx.commit().await?;
    let scopes = scopes.to_string();
    Ok((db::tokens::Token { id: token_id, label, scopes, created_ms, expires_ms }, token))
}

/// Revokes one of one's own API tokens.
#[utoipa::path(delete, path = "/api/tokens/{id}", tag = "session", params(("id" = String, Path)), responses((status = 204), (status = 401), (status = 404)))]
pub(super) async fn revoke_token(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    revoke_own_token(&app, caller.account()?.id, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Revokes a token of `account`.
pub(in crate::api) async fn revoke_own_token(
    app: &App,
    account: AccountId,
    id: &str,
) -> Result<(), ApiError> {
    let mut tx = app.db.begin().await?;
    if !is_id(id) || db::tokens::delete(&mut tx, id, Some(account)).await?.is_none() {
        return Err(ApiError::NotFound);
    }
    let now_ms = app.now_ms();
    db::audit::record(&mut tx, now_ms, Some(account), "revoke-token", id, &json!({})).await?;
    Ok(tx.commit().await?)
}
