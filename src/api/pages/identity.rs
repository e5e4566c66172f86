//! A browser goes to a provider to log in, and comes back.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;

use super::super::attempts::Attempt;
use super::super::caller::{Visitor, fresh_token, token_hash};
use super::super::problem::ApiError;
use super::super::reader::{Reader, cookie};
use super::super::sentences::sentence;
use super::super::session::{Browser, begin_session_by};
use super::here::Here;
use super::login::{login_page, own_path};
use super::me::refused_page;
use super::shell::{page, shell};
use crate::app::App;
use crate::db;
use crate::db::login_flows::LoginFlow;
use crate::db::sessions::By;
use crate::identity::{Error, Finishing, Provider};
use crate::net::identities;
use crate::pages::{self, IdentityRow, Lang, LoggedOutView, ProviderLink};

/// Name of the cookie that ties a login to the browser that began it.
const COOKIE: &str = "duoku_login";

/// Longest code or address that a browser may bring back, bytes.
const MAX_PART: usize = 8192;

/// What a browser asks for.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct Asked {
    #[serde(default)]
    next: String,
    /// The value that forms of the session carry: its account is to be linked.
    #[serde(default)]
    link: String,
    /// It was sent here from another host of this site.
    #[serde(default)]
    here: bool,
}

/// Sends a browser to the provider.
pub(in crate::api) async fn login_with(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    headers: HeaderMap,
    Path(key): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let provider = app.providers.find(&key).ok_or(ApiError::NotFound)?;
    if let Some(elsewhere) = at_the_site(&app, &reader, &asked) {
        return Ok(elsewhere);
    }
    let account = match (asked.link.as_str(), &visitor.caller.0) {
        ("", _) => None,
        (_, None) => return Ok(Redirect::to("/login?next=/me").into_response()),
        (link, Some(account)) => {
            super::studio::check_csrf(&visitor, link)?;
            Some(account.id)
        }
    };
    let next = if account.is_some() { "/me".to_owned() } else { own_path(&asked.next) };
    let begun = match Box::pin(provider.begin(reader.lang.tag())).await {
        Ok(begun) => begun,
        Err(error) => {
            let error = told(provider, error);
            return refused(&app, reader, visitor, provider, &next, error).await;
        }
    };
    let broken = |_| ApiError::coded(StatusCode::INTERNAL_SERVER_ERROR, "broken", "");
    // One for all of the browser's tabs.
    let browser = match cookie(&headers, COOKIE).filter(|value| value.len() == 64) {
        Some(known) => known.to_owned(),
        None => fresh_token().map_err(broken)?,
    };
    let now_ms = app.now_ms();
    let minutes = app.config.identity.login_minutes;
    let flow = LoginFlow {
        state_hash: token_hash(&begun.state),
        browser_hash: token_hash(&browser),
        provider: key,
        nonce: begun.nonce,
        verifier: begun.verifier,
        next,
        account,
        expires_ms: now_ms + minutes * 60_000,
    };
    let mut tx = app.db.begin().await?;
    db::login_flows::insert(&mut tx, &flow, now_ms).await?;
    tx.commit().await?;
    let mut response = Redirect::to(&begun.url).into_response();
    let secure = if app.config.server.is_secure() { "; Secure" } else { "" };
    let seconds = minutes * 60;
    let text = format!(
        "{COOKIE}={browser}; Path=/login/with; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}"
    );
    let set = HeaderValue::from_str(&text).map_err(|_| ApiError::bad("cookie"))?;
    response.headers_mut().append(SET_COOKIE, set);
    Ok(response)
}

/// The provider sends browsers back to one host: a login that begins at a library's own host goes
/// there first, for the cookie.
fn at_the_site(app: &App, reader: &Reader, asked: &Asked) -> Option<Response> {
    let site = reader.site(app);
    let authority = |url: &str| url.split_once("://").map(|(_, host)| host.to_lowercase());
    if asked.here || authority(&site) == authority(&reader.origin) {
        return None;
    }
    let mark = if reader.path.contains('?') { '&' } else { '?' };
    Some(Redirect::to(&format!("{site}{}{mark}here=true", reader.path)).into_response())
}

/// What a browser brings back (RFC 6749 section 4.1.2, RFC 9207).
#[derive(Debug, Deserialize)]
pub(in crate::api) struct CameBack {
    #[serde(default)]
    state: String,
    code: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// A browser comes back from the provider.
pub(in crate::api) async fn login_done(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    browser: Browser,
    headers: HeaderMap,
    Path(key): Path<String>,
    Query(came): Query<CameBack>,
) -> Result<Response, ApiError> {
    let provider = app.providers.find(&key).ok_or(ApiError::NotFound)?;
    let tried = format!("login with {key} from {}", browser.address);
    let attempt = match Attempt::begin(&app, browser.address, &tried).await {
        Ok(attempt) => attempt,
        Err(error) => return refused(&app, reader, visitor, provider, "/", error).await,
    };
    let taken = take(&app, &headers, &key, &came.state).await;
    let flow = match taken {
        Ok(Some(flow)) => flow,
        Ok(None) => {
            attempt.was_wrong(&app).await?;
            let error = ApiError::coded(StatusCode::UNPROCESSABLE_ENTITY, "identity_state", "");
            return refused(&app, reader, visitor, provider, "/", error).await;
        }
        Err(error) => {
            attempt.take_back();
            return Err(error);
        }
    };
    let next = flow.next.clone();
    let done = Box::pin(finish(&app, provider, &visitor, &browser, flow, came)).await;
    match &done {
        Err(ApiError::Coded { code: "identity_over" | "identity_token", .. }) => {
            attempt.was_wrong(&app).await?;
        }
        _ => attempt.take_back(),
    }
    match done {
        Ok(response) => Ok(response),
        Err(error) => refused(&app, reader, visitor, provider, &next, error).await,
    }
}

/// What this browser began with the provider and `state`, once.
async fn take(
    app: &App,
    headers: &HeaderMap,
    key: &str,
    state: &str,
) -> Result<Option<LoginFlow>, ApiError> {
    let Some(browser) = cookie(headers, COOKIE).filter(|_| state.len() <= MAX_PART) else {
        return Ok(None);
    };
    let mut tx = app.db.begin().await?;
    let (state, browser) = (token_hash(state), token_hash(browser));
    let flow = db::login_flows::take(&mut tx, &state, &browser, key, app.now_ms()).await?;
    tx.commit().await?;
    Ok(flow)
}

async fn finish(
    app: &App,
    provider: &Provider,
    visitor: &Visitor,
    browser: &Browser,
    flow: LoginFlow,
    came: CameBack,
) -> Result<Response, ApiError> {
    let told = |error| told(provider, error);
    provider.check_issuer(came.iss.as_deref()).await.map_err(told)?;
    if let Some(error) = came.error {
        return Err(told(refusal_of(&error)));
    }
    let code = came.code.filter(|code| !code.is_empty() && code.len() <= MAX_PART);
    let code = code.ok_or_else(|| told(Error::Code("there is none".into())))?;
    let finishing = Finishing { code, nonce: flow.nonce, verifier: flow.verifier };
    let vouched = provider.finish(finishing).await.map_err(told)?;
    let own = &provider.settings;
    if let Some(account) = flow.account {
        // Whoever began it is still who is here.
        if visitor.caller.0.as_ref().map(|one| one.id) != Some(account) {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(ApiError::coded(status, "identity_state", ""));
        }
        let mut tx = app.db.begin().await?;
        identities::link_own(&mut tx, own, &vouched, account, app.now_ms()).await?;
        tx.commit().await?;
        return Ok(Redirect::to("/me?done=true").into_response());
    }
    let mut tx = app.db.begin().await?;
    let arrived = identities::arrive(&mut tx, own, &vouched, app.now_ms()).await?;
    tx.commit().await?;
    let provider_session = vouched.session.as_deref();
    let by = By { identity: &arrived.identity, provider_session };
    let set = begin_session_by(app, browser, arrived.account, Some(by)).await?;
    let mut response = Redirect::to(&flow.next).into_response();
    response.headers_mut().append(SET_COOKIE, set);
    Ok(response)
}

/// What an error in the address means (RFC 6749 section 4.1.2.1, OpenID Connect Core 1.0 section
/// 3.1.2.6).
fn refusal_of(error: &str) -> Error {
    let told = error.chars().filter(|c| c.is_ascii_graphic()).take(60).collect();
    match error {
        "temporarily_unavailable" | "server_error" => Error::Unreachable(told),
        "access_denied"
        | "login_required"
        | "consent_required"
        | "interaction_required"
        | "account_selection_required" => Error::Denied(told),
        _ => Error::Refused(told),
    }
}

/// For the log, and then for people.
fn told(provider: &Provider, error: Error) -> ApiError {
    tracing::warn!(provider = provider.settings.key, %error, "a login by a provider failed");
    error.into()
}

/// The page that the browser came from, with why nothing came of it.
async fn refused(
    app: &App,
    reader: Reader,
    visitor: Visitor,
    provider: &Provider,
    next: &str,
    error: ApiError,
) -> Result<Response, ApiError> {
    if !matches!(&error, ApiError::Coded { .. } | ApiError::Rule(_)) {
        return Err(error);
    }
    let status = match error.status() {
        StatusCode::CONFLICT => StatusCode::UNPROCESSABLE_ENTITY,
        status => status,
    };
    let name = name_of(reader.lang, &provider.settings);
    let why = match &error {
        ApiError::Coded { code, .. } => sentence(reader.lang, code, name),
        other => other.worded(reader.lang),
    };
    let links = next == "/me" && visitor.caller.0.is_some();
    // Links of the page lead to it again, without what came from the provider.
    let path = if links { "/me".to_owned() } else { "/login".to_owned() };
    let reader = Reader { path, ..reader };
    let mut response = if links {
        let here = Here { app: app.clone(), reader, visitor: visitor.clone() };
        refused_page(&here, why).await?
    } else {
        login_page(app, &reader, &visitor, next, String::new(), Some(why))
    };
    *response.status_mut() = status;
    Ok(response)
}

/// What a provider is called.
pub(super) fn name_of(lang: Lang, own: &crate::identity::settings::Provider) -> &str {
    if lang == Lang::En && !own.name_en.is_empty() { &own.name_en } else { &own.name }
}

/// Buttons that begin a login, or with the value of a session's forms link an account.
pub(super) fn provider_links(app: &App, lang: Lang, next: &str, link: &str) -> Vec<ProviderLink> {
    let one = |provider: &Provider| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("next", next), ("link", link)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        let own = &provider.settings;
        let href = format!("/login/with/{}?{}", own.key, query.finish());
        ProviderLink { name: name_of(lang, own).to_owned(), href }
    };
    app.providers.iter().map(one).collect()
}

/// Who somebody is elsewhere, as a page shows it.
pub(super) async fn identity_rows(
    app: &App,
    db: &mut sqlx::AnyConnection,
    lang: Lang,
    account: crate::catalogue::AccountId,
) -> Result<Vec<IdentityRow>, ApiError> {
    let row = |one: db::identities::Identity| {
        let known = app.providers.iter().find(|provider| provider.settings.issuer == one.issuer);
        IdentityRow {
            provider: known.map_or(one.provider, |known| name_of(lang, &known.settings).to_owned()),
            works: known.is_some(),
            id: one.id,
            label: one.label,
            created_ms: one.created_ms,
            used_ms: one.used_ms,
        }
    };
    Ok(db::identities::list(db, account).await?.into_iter().map(row).collect())
}

/// Says that one is logged out here, and offers to log out at the provider too.
pub(in crate::api) async fn logged_out(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(key): Path<String>,
) -> Result<Response, ApiError> {
    let provider = app.providers.find(&key).ok_or(ApiError::NotFound)?;
    let Some(href) = Box::pin(provider.logout_url()).await else {
        return Ok(Redirect::to("/").into_response());
    };
    let name = name_of(reader.lang, &provider.settings).to_owned();
    let view = LoggedOutView { link: ProviderLink { name, href } };
    Ok(page(&reader, pages::logged_out(&shell(&app, &reader, &visitor), &view)))
}
