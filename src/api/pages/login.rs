//! Pages to log in and out, and to choose the first password.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::super::caller::{Visitor, check_origin};
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::sentences::sentence;
use super::super::session::{self, Browser, Login, MAX_PASSWORD, MIN_PASSWORD};
use super::identity::provider_links;
use super::shell::{page, shell};
use crate::app::App;
use crate::pages::{self, LoginView, SetupView};

/// Where to go after the login.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct Next {
    #[serde(default)]
    next: String,
}

pub(in crate::api) async fn login_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(next): Query<Next>,
) -> Response {
    login_page(&app, &reader, &visitor, &own_path(&next.next), String::new(), None)
}

/// The page to log in, which leads to `next` afterwards; with why an attempt was refused.
pub(super) fn login_page(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    next: &str,
    name: String,
    refusal: Option<String>,
) -> Response {
    let providers = provider_links(app, reader.lang, next, "");
    let view = LoginView { next: next.to_owned(), name, refusal, providers };
    page(reader, pages::login(&shell(app, reader, visitor), &view))
}

/// What the login form sends.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct LoginForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

pub(in crate::api) async fn log_in(
    State(app): State<App>,
    browser: Browser,
    reader: Reader,
    visitor: Visitor,
    headers: HeaderMap,
    Form(form): Form<LoginForm>,
) -> Result<Response, ApiError> {
    check_origin(&http::Method::POST, &headers, &app.config.server.public_url)?;
    let login = Login { name: form.name.clone(), password: form.password };
    match session::log_in(&app, &browser, &login).await {
        Ok((_, cookie)) => {
            let mut response = Redirect::to(&own_path(&form.next)).into_response();
            response.headers_mut().append(SET_COOKIE, cookie);
            Ok(response)
        }
        Err(ApiError::Coded { status, code, .. }) if status.is_client_error() => {
            let refusal = Some(sentence(reader.lang, code, ""));
            let next = own_path(&form.next);
            let mut response = login_page(&app, &reader, &visitor, &next, form.name, refusal);
            *response.status_mut() = if status == StatusCode::UNAUTHORIZED {
                StatusCode::UNPROCESSABLE_ENTITY
            } else {
                status
            };
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

pub(in crate::api) async fn log_out(
    State(app): State<App>,
    _: Visitor,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let by = session::provider_of(&app, &headers).await?;
    let cookie = session::log_out(&app, &headers).await?;
    // Forms lead nowhere outside this site (the policy of pages): a page of ours leads on.
    let next = match by.and_then(|key| app.providers.find(&key)).filter(|one| one.settings.logout) {
        Some(provider) => format!("/logged-out/{}", provider.settings.key),
        None => "/".to_owned(),
    };
    let mut response = Redirect::to(&next).into_response();
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

/// A path of this site; anything else leads home. Browsers drop tabs and line ends from an
/// address and read `\` as `/`.
pub(super) fn own_path(next: &str) -> String {
    let own = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains(|c: char| c == '\\' || c.is_control());
    if own { next.to_owned() } else { "/".to_owned() }
}

/// What the set-up form sends.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct SetupForm {
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
}

pub(in crate::api) async fn setup_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(token): Path<String>,
) -> Result<Response, ApiError> {
    session::check_setup(&mut *app.db.read().await?, &token).await?;
    Ok(setup_page(&app, &reader, &visitor, &token, None))
}

pub(in crate::api) async fn set_up(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(token): Path<String>,
    browser: Browser,
    headers: HeaderMap,
    Form(form): Form<SetupForm>,
) -> Result<Response, ApiError> {
    check_origin(&http::Method::POST, &headers, &app.config.server.public_url)?;
    session::check_setup(&mut *app.db.read().await?, &token).await?;
    let refusal = refused(&reader, &form.password, &form.again);
    if let Some(refusal) = refusal {
        let refusal = Some(refusal.to_owned());
        let mut response = setup_page(&app, &reader, &visitor, &token, refusal);
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(response);
    }
    let cookie = session::set_up(&app, &browser, &token, &form.password).await?;
    let mut response = Redirect::to("/studio").into_response();
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

/// Why a password that somebody chose cannot be theirs.
pub(super) fn refused(reader: &Reader, password: &str, again: &str) -> Option<&'static str> {
    if password.chars().count() < MIN_PASSWORD {
        Some(reader.lang.pick("密码至少 8 个字符。", "A password needs at least 8 characters."))
    } else if password.len() > MAX_PASSWORD {
        Some(reader.lang.pick("密码太长。", "The password is too long."))
    } else if password != again {
        Some(reader.lang.pick("两次输入的密码不一样。", "The two passwords differ."))
    } else {
        None
    }
}

fn setup_page(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    token: &str,
    refusal: Option<String>,
) -> Response {
    let view = SetupView { action: format!("/setup/{token}"), shortest: MIN_PASSWORD, refusal };
    page(reader, pages::setup(&shell(app, reader, visitor), &view))
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn a_login_leads_only_to_our_own_pages() {
        assert_eq!(own_path("/studio?page=2"), "/studio?page=2");
        for other in
            ["", "studio", "//evil", "/\t/evil", "/\n/evil", "/\\evil", "\t//evil", "https://evil"]
        {
            assert_eq!(own_path(other), "/", "{other:?}");
        }
    }
}
