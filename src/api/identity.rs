//! Logging in by an account from elsewhere: which providers there are, who people are there.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Visitor, Who, check_origin};
use super::people::account_id;
use super::problem::ApiError;
use super::resources::rfc3339;
use crate::app::App;
use crate::catalogue::RuleError;
use crate::db;
use crate::db::identities::Identity;
use crate::identity::settings;
use crate::net::authority::Authority;
use crate::net::{identities, people};

/// Longest token of a logout that is looked at, bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// Where people may log in by an account from elsewhere.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProviderView {
    /// In addresses.
    key: String,
    /// Chinese.
    name: String,
    name_en: String,
    /// Where a browser begins; `?next=` names the path to come back to.
    href: String,
}

/// Where people may log in by an account from elsewhere, in the order of the settings.
#[utoipa::path(get, path = "/api/session/providers", tag = "session", responses((status = 200, body = Vec<ProviderView>)))]
pub(super) async fn providers(State(app): State<App>) -> Json<Vec<ProviderView>> {
    let view = |own: &settings::Provider| ProviderView {
        key: own.key.clone(),
        name: own.name.clone(),
        name_en: if own.name_en.is_empty() { own.name.clone() } else { own.name_en.clone() },
        href: format!("/login/with/{}", own.key),
    };
    Json(app.providers.iter().map(|one| view(&one.settings)).collect())
}

/// Who somebody is elsewhere.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IdentityView {
    id: String,
    /// Key of the provider.
    provider: String,
    issuer: String,
    subject: String,
    /// Name or address there, for people.
    label: String,
    /// RFC 3339.
    created: String,
    /// The last login; null: none yet.
    used: Option<String>,
}

impl From<Identity> for IdentityView {
    fn from(identity: Identity) -> Self {
        Self {
            id: identity.id,
            provider: identity.provider,
            issuer: identity.issuer,
            subject: identity.subject,
            label: identity.label,
            created: rfc3339(identity.created_ms),
            used: identity.used_ms.map(rfc3339),
        }
    }
}

/// Who one is elsewhere. Linking another goes by a browser, from `/me`.
#[utoipa::path(get, path = "/api/identities", tag = "session", responses((status = 200, body = Vec<IdentityView>), (status = 401)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
) -> Result<Json<Vec<IdentityView>>, ApiError> {
    let id = caller.account()?.id;
    let found = db::identities::list(&mut *app.db.read().await?, id).await?;
    Ok(Json(found.into_iter().map(Into::into).collect()))
}

/// Unlinks one of one's own identities; the last way in stays.
#[utoipa::path(delete, path = "/api/identities/{id}", tag = "session", params(("id" = String, Path)), responses((status = 204), (status = 401), (status = 404), (status = 409)))]
pub(super) async fn delete(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    unlink_own(&app, &visitor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Unlinks one of the visitor's own identities.
pub(in crate::api) async fn unlink_own(
    app: &App,
    visitor: &Visitor,
    id: &str,
) -> Result<(), ApiError> {
    let (account, issuers) = (visitor.caller.account()?.id, app.providers.issuers());
    let mut tx = app.db.begin().await?;
    let kept = visitor.session.as_deref();
    identities::unlink_own(&mut tx, account, id, &issuers, kept, app.now_ms()).await?;
    Ok(tx.commit().await?)
}

/// Who a person is elsewhere, for those who look after them.
#[utoipa::path(get, path = "/api/people/{id}/identities", tag = "people", params(("id" = String, Path)), responses((status = 200, body = Vec<IdentityView>), (status = 401), (status = 403), (status = 404)))]
pub(super) async fn list_of(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<Json<Vec<IdentityView>>, ApiError> {
    let (by, id) = (Authority::of(&caller, app.now_ms())?, account_id(&id)?);
    let mut db = app.db.read().await?;
    people::get(&mut db, &by, id).await?;
    let found = db::identities::list(&mut db, id).await?;
    Ok(Json(found.into_iter().map(Into::into).collect()))
}

/// Who a person is at a provider.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewIdentity {
    /// Key of the provider.
    provider: String,
    /// `sub` of its tokens.
    subject: String,
}

/// Links a person with an account of a provider.
#[utoipa::path(post, path = "/api/people/{id}/identities", tag = "people", params(("id" = String, Path)), request_body = NewIdentity, responses((status = 201, body = IdentityView), (status = 401), (status = 403), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn link(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    Json(new): Json<NewIdentity>,
) -> Result<(StatusCode, Json<IdentityView>), ApiError> {
    let (by, id) = (Authority::of(&caller, app.now_ms())?, account_id(&id)?);
    let mut tx = app.db.begin().await?;
    let provider = named(&app, &new.provider)?;
    let linked = identities::link(&mut tx, &by, id, provider, &new.subject).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(linked.into())))
}

/// Unlinks an account of a provider from a person; sessions that began by it end.
#[utoipa::path(delete, path = "/api/people/{id}/identities/{identity}", tag = "people", params(("id" = String, Path), ("identity" = String, Path)), responses((status = 204), (status = 401), (status = 403), (status = 404)))]
pub(super) async fn unlink(
    State(app): State<App>,
    Who(caller): Who,
    Path((id, identity)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (by, id) = (Authority::of(&caller, app.now_ms())?, account_id(&id)?);
    let mut tx = app.db.begin().await?;
    identities::unlink(&mut tx, &by, id, &identity).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The provider called `key`, as somebody wrote it.
pub(in crate::api) fn named<'a>(
    app: &'a App,
    key: &str,
) -> Result<&'a settings::Provider, RuleError> {
    let found = app.providers.find(key).map(|provider| &provider.settings);
    let value = || key.chars().take(40).collect();
    found.ok_or_else(|| RuleError::BadField { field: "provider", value: value() })
}

/// Ends the sessions of somebody who logged out at the provider (OpenID Connect Back-Channel Logout
/// 1.0 section 2.5). The token alone says that it may be done.
pub(super) async fn log_out(
    State(app): State<App>,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, ApiError> {
    // A provider is no browser, and names no origin.
    check_origin(&Method::POST, &headers, &app.config.server.public_url)?;
    let provider = app.providers.find(&key).ok_or(ApiError::NotFound)?;
    let bad = || ApiError::coded(StatusCode::BAD_REQUEST, "malformed", "");
    let token =
        url::form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "logout_token");
    let token =
        token.map(|(_, token)| token).filter(|token| token.len() <= MAX_TOKEN).ok_or_else(bad)?;
    let vouched = Box::pin(provider.logged_out(&token)).await.map_err(|error| {
        tracing::warn!(provider = key, %error, "a logout that is not trusted");
        bad()
    })?;
    let mut tx = app.db.begin().await?;
    identities::log_out(&mut tx, &vouched, app.now_ms()).await?;
    tx.commit().await?;
    let mut response = StatusCode::OK.into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
