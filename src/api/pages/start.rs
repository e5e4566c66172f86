//! Ways in: links and codes with which somebody chooses a password, and invitations.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::json;

use super::super::attempts::Attempt;
use super::super::caller::{Visitor, check_origin};
use super::super::me::own;
use super::super::people::Names;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::super::session::{Browser, MIN_PASSWORD, begin_session, chosen};
use super::login::refused;
use super::shell::{page, shell};
use super::studio::{Fields, check_csrf};
use crate::app::App;
use crate::catalogue::{Account, AccountId, NetRole};
use crate::db;
use crate::db::grants::Scope;
use crate::db::invitations::Invitation;
use crate::net::{grants, people};
use crate::pages::{self, JoinView, StartView, role_word};

/// Longest code that is looked up.
const MAX_CODE: usize = 200;

pub(in crate::api) async fn start_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
) -> Response {
    page(&reader, pages::start_code(&shell(&app, &reader, &visitor), None))
}

/// A code that was typed in.
pub(in crate::api) async fn start_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    browser: Browser,
    headers: HeaderMap,
    body: String,
) -> Result<Response, ApiError> {
    check_origin(&Method::POST, &headers, &app.config.server.public_url)?;
    let fields = Fields::parse(&body);
    // What is no code must not become another path.
    let code: String =
        fields.one("code").chars().filter(char::is_ascii_alphanumeric).take(MAX_CODE).collect();
    match whose(&app, &browser, &code).await {
        Ok(_) => Ok(Redirect::to(&format!("/start/{code}")).into_response()),
        Err(error) if error.is_refusal() => {
            let why = error.worded(reader.lang);
            let shown = pages::start_code(&shell(&app, &reader, &visitor), Some(&why));
            Ok((error.status(), page(&reader, shown)).into_response())
        }
        Err(error) => Err(error),
    }
}

pub(in crate::api) async fn choose_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    browser: Browser,
    Path(code): Path<String>,
) -> Result<Response, ApiError> {
    match whose(&app, &browser, &code).await {
        Ok(id) => choose(&app, &reader, &visitor, &code, id, None).await,
        Err(error) if error.is_refusal() => {
            let why = error.worded(reader.lang);
            let shown = pages::start_code(&shell(&app, &reader, &visitor), Some(&why));
            Ok((error.status(), page(&reader, shown)).into_response())
        }
        Err(error) => Err(error),
    }
}

/// A password was chosen: the code ends, a session begins.
pub(in crate::api) async fn choose_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    browser: Browser,
    headers: HeaderMap,
    Path(code): Path<String>,
    body: String,
) -> Result<Response, ApiError> {
    check_origin(&Method::POST, &headers, &app.config.server.public_url)?;
    let fields = Fields::parse(&body);
    let id = whose(&app, &browser, &code).await?;
    if let Some(why) = refused(&reader, fields.one("password"), fields.one("again")) {
        return choose(&app, &reader, &visitor, &code, id, Some(why)).await;
    }
    let hash = chosen(fields.one("password")).await?;
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    // It may have been used meanwhile.
    if people::find_by_code(&mut tx, &code, now_ms).await? != Some(id) {
        return Err(wrong_code());
    }
    db::accounts::set_password(&mut tx, id, &hash).await?;
    let subject = id.to_string();
    db::audit::record(&mut tx, now_ms, Some(id), "change-password", &subject, &json!({})).await?;
    tx.commit().await?;
    into(begin_session(&app, &browser, id).await?, "/me")
}

fn wrong_code() -> ApiError {
    ApiError::coded(StatusCode::UNPROCESSABLE_ENTITY, "wrong_code", "")
}

/// Whose code it is; wrong ones are counted.
async fn whose(app: &App, browser: &Browser, code: &str) -> Result<AccountId, ApiError> {
    if code.len() > MAX_CODE {
        return Err(wrong_code());
    }
    let attempt = Attempt::begin(app, browser.address, &format!("start {code}")).await?;
    let found = people::find_by_code(&mut *app.db.read().await?, code, app.now_ms()).await;
    match found.inspect_err(|_| attempt.take_back())? {
        Some(id) => {
            attempt.take_back();
            Ok(id)
        }
        None => {
            attempt.was_wrong(app).await?;
            Err(wrong_code())
        }
    }
}

async fn choose(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    code: &str,
    id: AccountId,
    refusal: Option<&str>,
) -> Result<Response, ApiError> {
    let person = own(&mut *app.db.read().await?, id).await?;
    let status = if refusal.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let view = StartView {
        action: format!("/start/{code}"),
        display_name: person.display_name,
        name: person.name,
        shortest: MIN_PASSWORD,
        refusal: refusal.map(str::to_owned),
    };
    let shown = pages::start(&shell(app, reader, visitor), &view);
    Ok((status, page(reader, shown)).into_response())
}

fn into(cookie: HeaderValue, path: &str) -> Result<Response, ApiError> {
    let mut response = Redirect::to(path).into_response();
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

pub(in crate::api) async fn join_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    browser: Browser,
    Path(code): Path<String>,
) -> Result<Response, ApiError> {
    let invitation = invited(&app, &browser, &code).await?;
    let typed = [String::new(), String::new(), String::new()];
    join(&app, &reader, &visitor, &code, &invitation, typed, None).await
}

/// Somebody accepts an invitation, with the account they are logged in with or a new one.
pub(in crate::api) async fn join_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    browser: Browser,
    headers: HeaderMap,
    Path(code): Path<String>,
    body: String,
) -> Result<Response, ApiError> {
    check_origin(&Method::POST, &headers, &app.config.server.public_url)?;
    let fields = Fields::parse(&body);
    let invitation = invited(&app, &browser, &code).await?;
    if let Some(account) = &visitor.caller.0 {
        check_csrf(&visitor, fields.one("csrf"))?;
        let mut tx = app.db.begin().await?;
        grants::accept(&mut tx, &invitation, account, app.now_ms()).await?;
        tx.commit().await?;
        return Ok(Redirect::to("/me?done=true").into_response());
    }
    let typed = ["display_name", "phone", "name"].map(|name| fields.one(name).to_owned());
    let (password, again) = (fields.one("password"), fields.one("again"));
    if let Some(why) = refused(&reader, password, again) {
        let why = Some(why.to_owned());
        return join(&app, &reader, &visitor, &code, &invitation, typed, why).await;
    }
    let hash = chosen(password).await?;
    match come(&app, &invitation, &typed, &hash).await {
        Ok(id) => into(begin_session(&app, &browser, id).await?, "/me?done=true"),
        Err(error) if error.is_refusal() => {
            let why = Some(error.worded(reader.lang));
            join(&app, &reader, &visitor, &code, &invitation, typed, why).await
        }
        Err(error) => Err(error),
    }
}

/// The invitation that `code` opens; wrong ones are counted.
async fn invited(app: &App, browser: &Browser, code: &str) -> Result<Invitation, ApiError> {
    if code.len() > MAX_CODE {
        return Err(ApiError::NotFound);
    }
    let attempt = Attempt::begin(app, browser.address, &format!("join {code}")).await?;
    let found = grants::find_open(&mut *app.db.read().await?, code, app.now_ms()).await;
    match found.inspect_err(|_| attempt.take_back())? {
        Some(invitation) => {
            attempt.take_back();
            Ok(invitation)
        }
        None => {
            attempt.was_wrong(app).await?;
            Err(ApiError::NotFound)
        }
    }
}

/// Makes an account for somebody who was invited. They belong where the invitation leads.
async fn come(
    app: &App,
    invitation: &Invitation,
    [display_name, phone, name]: &[String; 3],
    hash: &str,
) -> Result<AccountId, ApiError> {
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    let home = match invitation.on {
        Scope::Organisation(id) => Some(id),
        Scope::Library(id) => db::libraries::get(&mut tx, id).await?.owner,
    };
    let new = people::NewPerson {
        name: name.clone(),
        display_name: display_name.clone(),
        phone: phone.clone(),
        email: String::new(),
        home,
    };
    let person = people::come(&mut tx, &new, hash, now_ms).await?;
    let account = Account { id: person.id, ..Account::new(&person.name, "", NetRole::Learner) };
    grants::accept(&mut tx, invitation, &account, now_ms).await?;
    tx.commit().await?;
    Ok(person.id)
}

async fn join(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    code: &str,
    invitation: &Invitation,
    typed: [String; 3],
    refusal: Option<String>,
) -> Result<Response, ApiError> {
    let names = Names::read(&mut *app.db.read().await?).await?;
    let status = if refusal.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let view = JoinView {
        action: format!("/join/{code}"),
        role: role_word(reader.lang, invitation.role).to_owned(),
        place: names.place(invitation.on).to_owned(),
        who: visitor.caller.0.as_ref().map(|account| account.display_name.clone()),
        shortest: MIN_PASSWORD,
        typed,
        refusal,
    };
    let shown = pages::join(&shell(app, reader, visitor), &view);
    Ok((status, page(reader, shown)).into_response())
}
