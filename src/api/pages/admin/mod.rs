//! Pages for those who look after people, organisations and libraries.

mod audit;
mod jobs;
mod libraries;
mod organisations;
mod people;
mod person;
mod teams;

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

pub(in crate::api) use audit::audit_page;
pub(in crate::api) use jobs::{jobs_form, jobs_page};
pub(in crate::api) use libraries::{libraries_form, libraries_page, library_form, library_page};
pub(in crate::api) use organisations::{
    import_organisations, organisation_form, organisation_page, organisations_form,
    organisations_page,
};
pub(in crate::api) use people::{import_people, people_form, people_page};
pub(in crate::api) use person::{person_form, person_page};
pub(in crate::api) use teams::{
    invitations_form, invitations_page, team_form, team_page, teams_form, teams_page,
};

use super::super::caller::Visitor;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use super::shell::{page, shell};
use super::studio::check_csrf;
use crate::app::App;
use crate::catalogue::{Caller, Organisation, Role};
use crate::db;
use crate::db::people::{Filter, Viewer};
use crate::net::authority::Authority;
use crate::pages::{self, AdminView, Givable, Notice, Option2};

/// What came of a form before.
#[derive(Debug, Default, Deserialize)]
pub(in crate::api) struct Came {
    #[serde(default)]
    done: bool,
}

impl Came {
    fn notice(&self, reader: &Reader) -> Notice {
        let saved = || reader.lang.pick("已保存。", "Saved.").to_owned();
        Notice { good: self.done.then(saved), bad: None }
    }
}

/// Why a form was refused, for the page that shows it again; other errors go on.
fn refusal(reader: &Reader, error: ApiError) -> Result<Notice, ApiError> {
    if error.is_refusal() {
        Ok(Notice { good: None, bad: Some(error.worded(reader.lang)) })
    } else {
        Err(error)
    }
}

/// Back to the page of a form that was taken.
fn done(path: &str) -> Response {
    Redirect::to(&format!("{path}?done=true")).into_response()
}

/// Where somebody who is not logged in goes first.
fn to_login(visitor: &Visitor, reader: &Reader) -> Option<Response> {
    let path = reader.path.split('?').next().unwrap_or("/admin");
    visitor.caller.0.is_none().then(|| Redirect::to(&format!("/login?next={path}")).into_response())
}

/// The start page.
pub(in crate::api) async fn admin_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    if let Some(login) = to_login(&visitor, &reader) {
        return Ok(login);
    }
    let viewer = Authority::of(&visitor.caller, app.now_ms())?.viewer();
    let mut db = app.db.read().await?;
    let (people, _) = db::people::list(&mut db, &viewer, &Filter::default(), 0, 0).await?;
    let organisations = ours(&mut db, &visitor.caller, true).await?.len();
    let failed = db::jobs::counts(&mut db).await?;
    let failed: i64 =
        failed.iter().filter(|(_, state, _)| state == "failed").map(|(.., count)| count).sum();
    let view = AdminView {
        whole: viewer.whole,
        has_organisations: organisations > 0 || viewer.whole,
        people,
        libraries: db::people::libraries(&mut db, &viewer).await?.len(),
        organisations,
        failed_jobs: viewer.whole.then_some(failed),
    };
    Ok(page(&reader, pages::admin(&shell(&app, &reader, &visitor), &view)))
}

/// The organisations that the caller looks after, who is above first; only `open` ones or all.
async fn ours(
    db: &mut sqlx::AnyConnection,
    caller: &Caller,
    open: bool,
) -> Result<Vec<Organisation>, ApiError> {
    let all = db::organisations::list(db).await?;
    let mut found: Vec<Organisation> = all
        .iter()
        .filter(|one| (!open || one.closed_ms.is_none()) && caller.roles_at(one).manages())
        .cloned()
        .collect();
    // By the places of all above in the list, which is by code and name.
    let place = |id| all.iter().position(|one| one.id == id);
    found.sort_by_cached_key(|one| one.path.iter().map(|id| place(*id)).collect::<Vec<_>>());
    Ok(found)
}

/// Organisations to choose from: what `value` makes of each, and its name, indented.
fn options(found: &[Organisation], value: impl Fn(&Organisation) -> String) -> Vec<Option2> {
    let top = found.iter().map(|one| one.path.len()).min().unwrap_or(1);
    let name = |one: &Organisation| {
        format!("{}{}", "　".repeat(one.path.len().saturating_sub(top)), one.name)
    };
    found.iter().map(|one| (value(one), name(one))).collect()
}

fn by_id(found: &[Organisation]) -> Vec<Option2> {
    options(found, |one| one.id.to_string())
}

/// Slugs and names of the libraries that the caller looks after.
async fn libraries_of(
    db: &mut sqlx::AnyConnection,
    viewer: &Viewer,
) -> Result<Vec<Option2>, ApiError> {
    let ours = db::people::libraries(db, viewer).await?;
    let all = db::libraries::list(db).await?.into_iter().filter(|one| ours.contains(&one.id));
    Ok(all.map(|one| (one.slug.to_string(), one.name)).collect())
}

/// Where the caller may give roles, and which.
async fn givable(
    db: &mut sqlx::AnyConnection,
    caller: &Caller,
    viewer: &Viewer,
) -> Result<Givable, ApiError> {
    let organisations = ours(db, caller, true).await?;
    let libraries = libraries_of(db, viewer).await?;
    let account = caller.account()?;
    let mut here = account.libraries.values().chain(account.organisations.values());
    let all = viewer.whole || here.any(|roles| roles.has(Role::Administrator));
    let roles = Role::ALL.into_iter().filter(|role| all || *role < Role::Librarian);
    Ok(Givable {
        organisations: options(&organisations, |one| format!("o:{}", one.id)),
        libraries: libraries.into_iter().map(|(slug, name)| (format!("l:{slug}"), name)).collect(),
        roles: roles.collect(),
    })
}

/// What a choice of a place names: an organisation's id, or a library's slug.
fn place_of(chosen: &str) -> (Option<&str>, Option<&str>) {
    (chosen.strip_prefix("o:"), chosen.strip_prefix("l:"))
}

/// A table that was sent, and the button that sent it.
struct Sent {
    act: String,
    bytes: Vec<u8>,
}

async fn sent(visitor: &Visitor, mut form: axum::extract::Multipart) -> Result<Sent, ApiError> {
    let bad = |error: axum::extract::multipart::MultipartError| ApiError::bad(error.to_string());
    let (mut csrf, mut act, mut bytes) = (String::new(), String::new(), Vec::new());
    while let Some(field) = form.next_field().await.map_err(bad)? {
        match field.name().unwrap_or("") {
            "csrf" => csrf = field.text().await.map_err(bad)?,
            "act" => act = field.text().await.map_err(bad)?,
            "file" => bytes = field.bytes().await.map_err(bad)?.to_vec(),
            _ => {}
        }
    }
    check_csrf(visitor, &csrf)?;
    Ok(Sent { act, bytes })
}
