//! Who is calling: a session's cookie, or a bearer token.

use axum::extract::FromRequestParts;
use http::header::{AUTHORIZATION, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};

use super::problem::ApiError;
use super::reader::cookie;
use crate::app::App;
use crate::catalogue::{Caller, Sha256};
use crate::db;
use crate::server::Kind;

/// Name of the session's cookie.
pub(super) const COOKIE_NAME: &str = "duoku_session";

/// A caller, with the value that their forms carry.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    pub caller: Caller,
    /// Of the session; empty when there is none.
    pub csrf: String,
}

impl Visitor {
    /// Who sends `headers`, as the database has it now.
    ///
    /// # Errors
    ///
    /// 401 for a token that is not known, and those of the database.
    pub(super) async fn of(app: &App, headers: &HeaderMap) -> Result<Self, ApiError> {
        if let Some(token) = bearer(headers) {
            let mut db = app.db.read().await?;
            let account =
                db::accounts::find_by_token(&mut db, &token_hash(token), app.now_ms()).await?;
            // A wrong token is an error, not nobody: its owner should know.
            let account = account.ok_or(crate::catalogue::RuleError::Anonymous)?;
            return Ok(Self { caller: Caller(Some(account)), csrf: String::new() });
        }
        let Some(token) = cookie(headers, COOKIE_NAME) else {
            return Ok(Self { caller: Caller(None), csrf: String::new() });
        };
        let mut db = app.db.read().await?;
        let account =
            db::accounts::find_by_session(&mut db, &token_hash(token), app.now_ms()).await?;
        let csrf = account.as_ref().map(|_| csrf_of(token)).unwrap_or_default();
        Ok(Self { caller: Caller(account), csrf })
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let headers = &parts.headers;
        let by_cookie = bearer(headers).is_none() && cookie(headers, COOKIE_NAME).is_some();
        if by_cookie && !parts.method.is_safe() {
            check_origin(&parts.method, headers, &app.config.server.public_url)?;
        }
        let visitor = Self::of(app, headers).await?;
        if let Some(account) = &visitor.caller.0 {
            app.rates.take_account(account.id, Kind::of(&parts.method, parts.uri.path()))?;
        }
        Ok(visitor)
    }
}

/// The caller alone.
#[derive(Debug, Clone)]
pub(super) struct Who(pub Caller);

impl FromRequestParts<App> for Who {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        Visitor::from_request_parts(parts, app).await.map(|visitor| Self(visitor.caller))
    }
}

/// What is stored of a token: its hash.
#[must_use]
pub(crate) fn token_hash(token: &str) -> String {
    Sha256::of(token.as_bytes()).to_string()
}

/// A fresh token, 256 random bits as hexadecimal.
///
/// # Errors
///
/// When the kernel gives no random numbers.
pub(crate) fn fresh_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Sha256(bytes).to_string())
}

/// What the forms of a session carry.
pub(super) fn csrf_of(token: &str) -> String {
    Sha256::of(format!("form:{token}").as_bytes()).to_string()[..32].to_owned()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// A write that a cookie authorises must come from our own pages.
pub(super) fn check_origin(
    method: &Method,
    headers: &HeaderMap,
    public_url: &str,
) -> Result<(), ApiError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign = match text(ORIGIN.as_str()) {
        Some(origin) => {
            let host = origin.split_once("://").map_or(origin, |(_, host)| host);
            text("host") != Some(host) && origin != public_url.trim_end_matches('/')
        }
        None => text("sec-fetch-site").is_some_and(|site| site == "cross-site"),
    };
    if foreign {
        tracing::warn!(%method, "write from a foreign origin refused");
        return Err(ApiError::coded(StatusCode::FORBIDDEN, "foreign_origin", ""));
    }
    Ok(())
}
