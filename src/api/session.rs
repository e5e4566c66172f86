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
use tokio::sync::Semaphore;
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

/// Longest password that is taken, in bytes.
pub(super) const MAX_PASSWORD: usize = 1024;

/// Longest login name, in bytes.
const MAX_NAME: usize = 256;

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
    let account =
        db::accounts::find_by_name(&mut db, &login.name.trim().to_lowercase(), app.now_ms())
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
    let wrong = || ApiError::coded(StatusCode::UNAUTHORIZED, "wrong_password", "");
    if name.len() > MAX_NAME || name.contains('\0') || login.password.len() > MAX_PASSWORD {
        return Err(wrong());
    }
    // Counted before the work is done, so that many at once cannot slip through.
    let keys = [format!("address {address}"), format!("name {name}")];
    let attempt = Attempt::begin(keys, app.config.session.max_failures)
        .ok_or_else(|| ApiError::coded(StatusCode::TOO_MANY_REQUESTS, "too_many", ""))?;
    let known = db::accounts::find_credentials(&mut *app.db.read().await?, &name).await?;
    let (account, hash) = match known {
        Some(known) => (Some(known.account), Some(known.password_hash)),
        None => (None, None),
    };
    let password = login.password.clone();
    // The same work for names that do not exist.
    let verify = move || verify(&password, hash.as_deref().unwrap_or_else(|| decoy()));
    let right = hashing(verify).await.inspect_err(|_| attempt.take_back())?;
    let account = account.filter(|_| right).ok_or_else(wrong)?;
    attempt.take_back();
    session(app, account).await
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
    let hash = hashing(move || hash_password(&password)).await?;
    let hash = hash.map_err(|_| ApiError::bad("password"))?;
    let mut tx = app.db.begin().await?;
    check_setup(&mut tx, token).await?;
    db::settings::delete(&mut tx, SETUP).await?;
    let admin = db::accounts::find_by_name(&mut tx, "admin", app.now_ms())
        .await?
        .ok_or(ApiError::NotFound)?;
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

/// Attempts of the last minute that failed or are not over, by address and by name.
static ATTEMPTS: LazyLock<Mutex<HashMap<String, Vec<Instant>>>> = LazyLock::new(Mutex::default);

/// An attempt to log in, which counts until it is taken back.
struct Attempt([String; 2]);

impl Attempt {
    /// Counts one more for each of `keys`, unless one of them has `most` already.
    fn begin(keys: [String; 2], most: u32) -> Option<Self> {
        let mut all = ATTEMPTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.retain(|_, times| {
            times.retain(|time| time.elapsed() < WINDOW);
            !times.is_empty()
        });
        let counted = |key| all.get(key).map_or(0, Vec::len);
        if keys.iter().map(counted).any(|count| count >= most as usize) {
            return None;
        }
        for key in &keys {
            all.entry(key.clone()).or_default().push(Instant::now());
        }
        Some(Self(keys))
    }

    fn take_back(&self) {
        let mut all = ATTEMPTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for key in &self.0 {
            if let Some(times) = all.get_mut(key) {
                times.pop();
            }
        }
    }
}
