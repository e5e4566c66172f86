//! Who is calling: a session's cookie, or a bearer token.

use axum::extract::{FromRequestParts, OriginalUri};
use http::header::{AUTHORIZATION, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};

use super::problem::ApiError;
use super::reader::cookie;
use crate::app::App;
use crate::catalogue::{Caller, Sha256, TokenScope, TokenScopes};
use crate::db;
pub(crate) use crate::net::code::{fresh_token, token_hash};
use crate::server::Kind;

/// Name of the session's cookie.
pub(super) const COOKIE_NAME: &str = "duoku_session";

/// A caller, with the value that their forms carry.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    pub caller: Caller,
    /// Of the session; empty when there is none.
    pub csrf: String,
    /// Id of the session, when there is one.
    pub session: Option<String>,
    /// What a token may be used for; everything without one.
    pub scopes: TokenScopes,
    /// When the session was last noted as used, Unix milliseconds.
    seen_ms: i64,
}

impl Visitor {
    /// Who sends `headers`, as the database has it now.
    ///
    /// # Errors
    ///
    /// 401 for a token that is not known, and those of the database.
    pub(super) async fn of(app: &App, headers: &HeaderMap) -> Result<Self, ApiError> {
        let nobody = Self {
            caller: Caller(None),
            csrf: String::new(),
            session: None,
            scopes: TokenScopes::ALL,
            seen_ms: i64::MAX,
        };
        if let Some(token) = bearer(headers) {
            let mut db = app.db.read().await?;
            let found = db::tokens::find(&mut db, &token_hash(token), app.now_ms()).await?;
            // A wrong token is an error, not nobody: its owner should know.
            let (account, scopes) = found.ok_or(crate::catalogue::RuleError::Anonymous)?;
            return Ok(Self { caller: Caller(Some(account)), scopes, ..nobody });
        }
        let Some(token) = cookie(headers, COOKIE_NAME) else { return Ok(nobody) };
        let mut db = app.db.read().await?;
        let found = db::sessions::find(&mut db, &token_hash(token), app.now_ms()).await?;
        let Some((account, id, seen_ms)) = found else { return Ok(nobody) };
        let caller = Caller(Some(account));
        Ok(Self { caller, csrf: csrf_of(token), session: Some(id), seen_ms, ..nobody })
    }

    /// Writes down now and then that the session is used.
    async fn note(&self, app: &App) -> Result<(), ApiError> {
        let now_ms = app.now_ms();
        if let Some(id) = &self.session
            && db::sessions::is_to_note(self.seen_ms, now_ms)
        {
            let mut tx = app.db.begin().await?;
            db::sessions::note(&mut tx, id, now_ms).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// What a token must be for to make a request.
fn needed(method: &Method, path: &str) -> TokenScope {
    let uploads = path == "/api/uploads" || path.starts_with("/api/uploads/");
    if uploads || path == "/api/resources" && *method == Method::POST {
        TokenScope::Upload
    } else if method.is_safe() {
        TokenScope::Read
    } else {
        TokenScope::Manage
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        // The route's policy may have asked already.
        if let Some(known) = parts.extensions.remove::<Self>() {
            return Ok(known);
        }
        let headers = &parts.headers;
        let by_cookie = bearer(headers).is_none() && cookie(headers, COOKIE_NAME).is_some();
        if by_cookie && !parts.method.is_safe() {
            check_origin(&parts.method, headers, &app.config.server.public_url)?;
        }
        let visitor = Self::of(app, headers).await?;
        let path = parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |u| u.0.path());
        let scope = needed(&parts.method, path);
        if !visitor.scopes.has(scope) {
            return Err(ApiError::coded(StatusCode::FORBIDDEN, "scope", scope.as_str()));
        }
        visitor.note(app).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_needs_one_use_of_a_token() {
        for (method, path, scope) in [
            (Method::GET, "/api/people", TokenScope::Read),
            (Method::GET, "/media/x/original", TokenScope::Read),
            (Method::HEAD, "/api/uploads/x", TokenScope::Upload),
            (Method::POST, "/api/uploads", TokenScope::Upload),
            (Method::POST, "/api/resources", TokenScope::Upload),
            (Method::POST, "/api/resources/x/publish", TokenScope::Manage),
            (Method::POST, "/api/uploadsx", TokenScope::Manage),
            (Method::PATCH, "/api/people/x", TokenScope::Manage),
            (Method::DELETE, "/api/session", TokenScope::Manage),
        ] {
            assert_eq!(needed(&method, path), scope, "{method} {path}");
        }
    }
}
