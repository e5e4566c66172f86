//! Logging in and out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, PasswordHash};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{COOKIE_NAME, Who, check_origin, fresh_token, token_hash};
use super::problem::ApiError;
use super::reader::cookie;
use crate::app::App;
use crate::catalogue::AccountId;
use crate::db;
use crate::server::Peer;

/// Name of the setting that holds the token of the set-up link.
pub(crate) const SETUP: &str = "setup_token";

/// Shortest password that is taken, in characters.
pub(super) const MIN_PASSWORD: usize = 8;

/// How long failures are remembered.
const WINDOW: Duration = Duration::from_secs(60);

/// Name and password.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Login {
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
    Peer(address): Peer,
    headers: HeaderMap,
    Json(login): Json<Login>,
) -> Result<Response, ApiError> {
    check_origin(&http::Method::POST, &headers, &app.config.server.public_url)?;
    let cookie = log_in(&app, address, &login).await?;
    let mut db = app.db.read().await?;
    let account = db::accounts::find_by_name(&mut db, &login.name.trim().to_lowercase())
        .await?
        .ok_or(ApiError::NotFound)?;
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

/// Checks name and password, begins a session, and gives its cookie.
pub(super) async fn log_in(
    app: &App,
    address: IpAddr,
    login: &Login,
) -> Result<HeaderValue, ApiError> {
    let name = login.name.trim().to_lowercase();
    let keys = [format!("address {address}"), format!("name {name}")];
    if keys.iter().any(|key| failures(key) >= app.config.session.max_failures) {
        return Err(ApiError::coded(StatusCode::TOO_MANY_REQUESTS, "too_many", ""));
    }
    let known = db::accounts::find_credentials(&mut *app.db.read().await?, &name).await?;
    let (account, hash) = match known {
        Some(known) => (Some(known.account), known.password_hash),
        // The same work for names that do not exist.
        None => (None, decoy().to_owned()),
    };
    let password = login.password.clone();
    let right =
        tokio::task::spawn_blocking(move || verify(&password, &hash)).await.unwrap_or(false);
    match account.filter(|_| right) {
        Some(account) => session(app, account).await,
        None => {
            keys.iter().for_each(|key| count_failure(key));
            Err(ApiError::coded(StatusCode::UNAUTHORIZED, "wrong_password", ""))
        }
    }
}

/// Ends the session of the request's cookie, and gives the cookie that removes it.
pub(super) async fn log_out(app: &App, headers: &HeaderMap) -> Result<HeaderValue, ApiError> {
    if let Some(token) = cookie(headers, COOKIE_NAME) {
        let mut tx = app.db.begin().await?;
        db::accounts::delete_session(&mut tx, &token_hash(token)).await?;
        tx.commit().await?;
    }
    Ok(set_cookie(app, "", 0))
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
    token: &str,
    password: &str,
) -> Result<HeaderValue, ApiError> {
    let password = password.to_owned();
    let hash = tokio::task::spawn_blocking(move || hash_password(&password)).await;
    let hash = hash.ok().and_then(Result::ok).ok_or_else(|| ApiError::bad("password"))?;
    let mut tx = app.db.begin().await?;
    check_setup(&mut tx, token).await?;
    db::settings::delete(&mut tx, SETUP).await?;
    let admin = db::accounts::find_by_name(&mut tx, "admin").await?.ok_or(ApiError::NotFound)?;
    db::accounts::set_password(&mut tx, admin.id, &hash).await?;
    tx.commit().await?;
    session(app, admin.id).await
}

/// Whether `token` is that of the set-up link, which was not used yet: `admin` has no password.
pub(super) async fn check_setup(db: &mut sqlx::AnyConnection, token: &str) -> Result<(), ApiError> {
    let known = db::settings::find(db, SETUP).await?.ok_or(ApiError::NotFound)?;
    let same: bool = subtle::ConstantTimeEq::ct_eq(known.as_bytes(), token.as_bytes()).into();
    let used = db::accounts::has_password(db, "admin").await?;
    if same && !used { Ok(()) } else { Err(ApiError::NotFound) }
}

async fn session(app: &App, account: AccountId) -> Result<HeaderValue, ApiError> {
    let token = fresh_token()
        .map_err(|_| ApiError::coded(StatusCode::INTERNAL_SERVER_ERROR, "broken", ""))?;
    let now_ms = app.now_ms();
    let seconds = app.config.session.days * 86_400;
    let mut tx = app.db.begin().await?;
    let hash = token_hash(&token);
    db::accounts::insert_session(&mut tx, &hash, account, now_ms, now_ms + seconds * 1000).await?;
    tx.commit().await?;
    Ok(set_cookie(app, &token, seconds))
}

fn set_cookie(app: &App, token: &str, seconds: i64) -> HeaderValue {
    let secure = if app.config.server.public_url.starts_with("https://") { "; Secure" } else { "" };
    let text =
        format!("{COOKIE_NAME}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).expect("a hexadecimal token")
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

static FAILURES: LazyLock<Mutex<HashMap<String, Vec<Instant>>>> = LazyLock::new(Mutex::default);

fn failures(key: &str) -> u32 {
    let all = FAILURES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let recent =
        all.get(key).map_or(0, |times| times.iter().filter(|t| t.elapsed() < WINDOW).count());
    u32::try_from(recent).unwrap_or(u32::MAX)
}

fn count_failure(key: &str) {
    let mut all = FAILURES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    all.retain(|_, times| times.iter().any(|time| time.elapsed() < WINDOW));
    let times = all.entry(key.to_owned()).or_default();
    times.retain(|time| time.elapsed() < WINDOW);
    times.push(Instant::now());
}
