//! Logging in and out.

use std::net::IpAddr;
use std::sync::LazyLock;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, PasswordHash};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use http::header::{SET_COOKIE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::attempts::Attempt;
use super::caller::{COOKIE_NAME, Who, check_origin, fresh_token, token_hash};
use super::problem::ApiError;
use super::reader::cookie;
use crate::app::App;
use crate::catalogue::{AccountId, Phone, RuleError};
use crate::db;
use crate::db::sessions::{By, NewSession};
use crate::server::Peer;

/// Name of the setting that holds the token of the set-up link.
pub(crate) const SETUP: &str = "setup_token";

/// Shortest password that is taken, in characters.
pub(super) const MIN_PASSWORD: usize = 8;

/// Longest password that is taken, in bytes.
pub(super) const MAX_PASSWORD: usize = 1024;

/// Longest login name, in bytes.
const MAX_NAME: usize = 256;

/// From where somebody comes, as the list of their sessions shows it.
#[derive(Debug, Clone)]
pub(super) struct Browser {
    pub address: IpAddr,
    /// User-Agent.
    pub agent: String,
}

impl<S: Sync> FromRequestParts<S> for Browser {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let Peer(address) = Peer::from_request_parts(parts, state).await?;
        let agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self { address, agent: agent.unwrap_or("").to_owned() })
    }
}

/// Name and password.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Login {
    /// Login name or telephone number.
    pub name: String,
    pub password: String,
}

/// Who is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionView {
    name: String,
    display_name: String,
    administrator: bool,
}

/// Logs in; the answer sets the session's cookie.
#[utoipa::path(post, path = "/api/session", tag = "session", request_body = Login, responses((status = 200, body = SessionView), (status = 401), (status = 429)))]
pub(super) async fn create(
    State(app): State<App>,
    browser: Browser,
    headers: HeaderMap,
    Json(login): Json<Login>,
) -> Result<Response, ApiError> {
    check_origin(&http::Method::POST, &headers, &app.config.server.public_url)?;
    let (id, cookie) = log_in(&app, &browser, &login).await?;
    let found = db::accounts::find(&mut *app.db.read().await?, id, app.now_ms()).await?;
    let account = found.ok_or(ApiError::NotFound)?;
    let administrator = account.role == crate::catalogue::NetRole::Administrator;
    let view =
        SessionView { name: account.name, display_name: account.display_name, administrator };
    let mut response = Json(view).into_response();
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

/// Who is logged in.
#[utoipa::path(get, path = "/api/session", tag = "session", responses((status = 200, body = SessionView), (status = 401)))]
pub(super) async fn get(Who(caller): Who) -> Result<Json<SessionView>, ApiError> {
    let account = caller.account()?;
    Ok(Json(SessionView {
        name: account.name.clone(),
        display_name: account.display_name.clone(),
        administrator: caller.is_administrator(),
    }))
}

/// Logs out.
#[utoipa::path(delete, path = "/api/session", tag = "session", responses((status = 204)))]
pub(super) async fn delete(
    State(app): State<App>,
    _: Who,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().append(SET_COOKIE, log_out(&app, &headers).await?);
    Ok(response)
}

/// Checks name and password, begins a session, and gives its account and cookie.
pub(super) async fn log_in(
    app: &App,
    browser: &Browser,
    login: &Login,
) -> Result<(AccountId, HeaderValue), ApiError> {
    let name = login.name.trim().to_lowercase();
    let wrong = || ApiError::coded(StatusCode::UNAUTHORIZED, "wrong_password", "");
    if name.len() > MAX_NAME || name.contains('\0') || login.password.len() > MAX_PASSWORD {
        return Err(wrong());
    }
    let phone: Option<Phone> = name.parse().ok();
    // However a number is typed, it is one.
    let tried = phone.as_ref().map_or(name.as_str(), Phone::as_str);
    let attempt = Attempt::begin(app, browser.address, tried).await?;
    let mut db = app.db.read().await?;
    let known = db::accounts::find_credentials(&mut db, &name, phone.as_ref()).await?;
    drop(db);
    let (account, hash) = match known {
        Some(known) => (Some(known.account), Some(known.password_hash)),
        None => (None, None),
    };
    let password = login.password.clone();
    // The same work for names that do not exist.
    let verify = move || verify(&password, hash.as_deref().unwrap_or_else(|| decoy()));
    let right = hashing(verify).await.inspect_err(|_| attempt.take_back())?;
    let Some(account) = account.filter(|_| right) else {
        attempt.was_wrong(app).await?;
        return Err(wrong());
    };
    attempt.take_back();
    Ok((account, begin_session(app, browser, account).await?))
}

/// Checks the password of somebody who is logged in.
///
/// # Errors
///
/// 422 when it is not theirs, 429 after too many that were not.
pub(super) async fn check_password(
    app: &App,
    browser: &Browser,
    account: AccountId,
    password: &str,
) -> Result<(), ApiError> {
    let attempt = Attempt::begin(app, browser.address, &account.to_string()).await?;
    let hash = db::accounts::find_password(&mut *app.db.read().await?, account).await?;
    let password = password.to_owned();
    let verify = move || verify(&password, hash.as_deref().unwrap_or_else(|| decoy()));
    if hashing(verify).await.inspect_err(|_| attempt.take_back())? {
        attempt.take_back();
        return Ok(());
    }
    attempt.was_wrong(app).await?;
    Err(ApiError::coded(StatusCode::UNPROCESSABLE_ENTITY, "wrong_old_password", ""))
}

/// argon2id of a password that somebody chose.
///
/// # Errors
///
/// 422 when it is too short or too long, 503 when too many wait.
pub(super) async fn chosen(password: &str) -> Result<String, ApiError> {
    if password.chars().count() < MIN_PASSWORD || password.len() > MAX_PASSWORD {
        let value = String::new();
        return Err(RuleError::BadField { field: "password", value }.into());
    }
    let password = password.to_owned();
    hashing(move || hash_password(&password)).await?.map_err(|_| ApiError::bad("password"))
}

/// Ends the session of the request's cookie, and gives the cookie that removes it.
pub(super) async fn log_out(app: &App, headers: &HeaderMap) -> Result<HeaderValue, ApiError> {
    if let Some(token) = cookie(headers, COOKIE_NAME) {
        let mut tx = app.db.begin().await?;
        db::sessions::delete(&mut tx, &token_hash(token)).await?;
        tx.commit().await?;
    }
    Ok(set_cookie(app, "", 0))
}

/// Key of the provider by which the session of the request's cookie was begun.
pub(super) async fn provider_of(
    app: &App,
    headers: &HeaderMap,
) -> Result<Option<String>, ApiError> {
    let Some(token) = cookie(headers, COOKIE_NAME) else { return Ok(None) };
    Ok(db::sessions::provider_of(&mut *app.db.read().await?, &token_hash(token)).await?)
}

/// argon2id of `password`, as a PHC string.
///
/// # Errors
///
/// When the library refuses the password or there are no random numbers.
pub(crate) fn hash_password(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

/// Gives `admin` its first password and begins its session; the link that led
/// here ends.
pub(super) async fn set_up(
    app: &App,
    browser: &Browser,
    token: &str,
    password: &str,
) -> Result<HeaderValue, ApiError> {
    let hash = chosen(password).await?;
    let mut tx = app.db.begin().await?;
    check_setup(&mut tx, token).await?;
    db::settings::delete(&mut tx, SETUP).await?;
    let admin = db::accounts::find_by_name(&mut tx, "admin", app.now_ms())
        .await?
        .ok_or(ApiError::NotFound)?;
    db::accounts::set_password(&mut tx, admin.id, &hash).await?;
    tx.commit().await?;
    begin_session(app, browser, admin.id).await
}

/// Whether `token` is that of the set-up link, which was not used yet: `admin` has no password.
pub(super) async fn check_setup(db: &mut sqlx::AnyConnection, token: &str) -> Result<(), ApiError> {
    let known = db::settings::find(db, SETUP).await?.ok_or(ApiError::NotFound)?;
    let same: bool = subtle::ConstantTimeEq::ct_eq(known.as_bytes(), token.as_bytes()).into();
    let used = db::accounts::has_password(db, "admin").await?;
    if same && !used { Ok(()) } else { Err(ApiError::NotFound) }
}

/// Begins a session of `account`, and gives its cookie.
///
/// # Errors
///
/// Those of the database.
pub(super) async fn begin_session(
    app: &App,
    browser: &Browser,
    account: AccountId,
) -> Result<HeaderValue, ApiError> {
    begin_session_by(app, browser, account, None).await
}

/// The same for somebody who came by a provider.
///
/// # Errors
///
/// Those of the database.
pub(super) async fn begin_session_by(
    app: &App,
    browser: &Browser,
    account: AccountId,
    by: Option<By<'_>>,
) -> Result<HeaderValue, ApiError> {
    let token = fresh_token()
        .map_err(|_| ApiError::coded(StatusCode::INTERNAL_SERVER_ERROR, "broken", ""))?;
    let now_ms = app.now_ms();
    let seconds = app.config.session.days * 86_400;
    let mut tx = app.db.begin().await?;
    let new = NewSession {
        token_hash: &token_hash(&token),
        account,
        address: &browser.address.to_string(),
        agent: &browser.agent,
        by,
        now_ms,
        expires_ms: now_ms + seconds * 1000,
    };
    db::sessions::insert(&mut tx, &new).await?;
    tx.commit().await?;
    Ok(set_cookie(app, &token, seconds))
}

fn set_cookie(app: &App, token: &str, seconds: i64) -> HeaderValue {
    let secure = if app.config.server.is_secure() { "; Secure" } else { "" };
    let domain = &app.config.session.domain;
    let domain = if domain.is_empty() { String::new() } else { format!("; Domain={domain}") };
    let text = format!(
        "{COOKIE_NAME}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{domain}{secure}"
    );
    HeaderValue::from_str(&text).expect("a hexadecimal token, and a host name")
}

fn verify(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// A hash that no password has, to spend the same time on.
fn decoy() -> &'static str {
    static DECOY: LazyLock<String> = LazyLock::new(|| hash_password("").unwrap_or_default());
    &DECOY
}

/// Does `work` on a password in its turn.
///
/// # Errors
///
/// 503 when too many wait already.
async fn hashing<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let busy = || ApiError::coded(StatusCode::SERVICE_UNAVAILABLE, "busy", "");
    let place = WAITING.try_acquire().map_err(|_| busy())?;
    let turn = HASHING.acquire().await.map_err(|_| busy())?;
    // The work goes on when the request is given up: it keeps its turn.
    let work = move || {
        let _held = (place, turn);
        work()
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| ApiError::coded(StatusCode::INTERNAL_SERVER_ERROR, "broken", ""))
}

/// Passwords that are hashed at the same time; each takes 19 MiB and a core.
static HASHING: Semaphore = Semaphore::const_new(2);

/// Passwords that are hashed or wait for it.
static WAITING: Semaphore = Semaphore::const_new(32);
