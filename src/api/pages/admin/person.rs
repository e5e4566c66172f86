//! The page of one person.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;

use super::super::super::caller::Visitor;
use super::super::super::identity::named;
use super::super::super::people::{Names, account_id, start_link};
use super::super::super::problem::ApiError;
use super::super::super::reader::Reader;
use super::super::identity::{identity_rows, name_of};
use super::super::shell::{page, shell};
use super::super::studio::{Fields, check_csrf};
use super::{Came, by_id, done, givable, ours, place_of, refusal, to_login};
use crate::app::App;
use crate::catalogue::{AccountId, Caller, Email, NetRole, Phone};
use crate::db;
use crate::db::grants::{Grant, Grantee};
use crate::db::people::GrantFilter;
use crate::net::authority::Authority;
use crate::net::people::{self, Edit};
use crate::net::{grants, identities};
use crate::pages::{self, GrantRow, Notice, PersonPage};

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

pub(in crate::api) async fn person_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(came): Query<Came>,
) -> Result<Response, ApiError> {
    if let Some(login) = to_login(&visitor, &reader) {
        return Ok(login);
    }
    let view = view(&app, &reader, &visitor, account_id(&id)?, came.notice(&reader)).await?;
    Ok(page(&reader, pages::person(&shell(&app, &reader, &visitor), &view)))
}

pub(in crate::api) async fn person_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(id): Path<String>,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    let account = account_id(&id)?;
    match act(&app, &visitor, account, &fields).await {
        Ok(None) => Ok(done(&format!("/admin/people/{account}"))),
        Ok(Some(code)) => {
            let link = start_link(&app, &reader, &code);
            let view = view(&app, &reader, &visitor, account, Notice::default()).await?;
            let view = PersonPage { code: Some((code, link)), ..view };
            Ok(page(&reader, pages::person(&shell(&app, &reader, &visitor), &view)))
        }
        Err(error) => {
            let notice = refusal(&reader, error)?;
            let view = view(&app, &reader, &visitor, account, notice).await?;
            let mut response = page(&reader, pages::person(&shell(&app, &reader, &visitor), &view));
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
    }
}

/// Does what the form asks for; gives the code of a reset.
async fn act(
    app: &App,
    visitor: &Visitor,
    account: AccountId,
    fields: &Fields,
) -> Result<Option<String>, ApiError> {
    let by = Authority::of(&visitor.caller, app.now_ms())?;
    let mut tx = app.db.begin().await?;
    let mut code = None;
    match fields.one("act") {
        "save" => {
            let text = |name| Some(fields.one(name).to_owned());
            let edit = Edit {
                display_name: text("display_name"),
                phone: text("phone"),
                email: text("email"),
                home: people::home_named(&mut tx, fields.one("organisation")).await?,
                disabled: None,
            };
            people::edit(&mut tx, &by, account, &edit).await?;
        }
        act @ ("disable" | "enable") => {
            let edit = Edit { disabled: Some(act == "disable"), ..Edit::default() };
            people::edit(&mut tx, &by, account, &edit).await?;
        }
        "grant" => {
            let (organisation, library) = place_of(fields.one("place"));
            let on = grants::place_named(&mut tx, &by, organisation, library).await?;
            let role = fields.one("role").parse()?;
            grants::grant(&mut tx, &by, Grantee::Account(account), role, on, None).await?;
        }
        "link" => {
            let provider = named(app, fields.one("provider"))?;
            identities::link(&mut tx, &by, account, provider, fields.one("subject")).await?;
        }
        "unlink" => identities::unlink(&mut tx, &by, account, fields.one("identity")).await?,
        "revoke" => grants::revoke(&mut tx, &by, fields.one("grant")).await?,
        "reset" => {
            let lasting_ms = app.config.session.reset_hours * HOUR_MS;
            let keep_tokens = fields.one("keep_tokens") == "true";
            let reset = people::reset(&mut tx, &by, account, lasting_ms, keep_tokens).await?;
            code = Some(reset.1);
        }
        other => return Err(ApiError::bad(other.chars().take(40).collect::<String>())),
    }
    tx.commit().await?;
    Ok(code)
}

async fn view(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    account: AccountId,
    notice: Notice,
) -> Result<PersonPage, ApiError> {
    let by = Authority::of(&visitor.caller, app.now_ms())?;
    let viewer = by.viewer();
    let mut db = app.db.read().await?;
    let person = people::get(&mut db, &by, account).await?;
    let names = Names::read(&mut db).await?;
    let of = GrantFilter { account: Some(account), ..GrantFilter::default() };
    let granted = db::people::grants(&mut db, &viewer, &of, 1000).await?;
    let provider = |own: &crate::identity::settings::Provider| {
        (own.key.clone(), name_of(reader.lang, own).to_owned())
    };
    Ok(PersonPage {
        identities: identity_rows(app, &mut db, reader.lang, account).await?,
        providers: app.providers.iter().map(|one| provider(&one.settings)).collect(),
        may_change: by.can_change(&mut db, &person).await?,
        id: account.to_string(),
        name: person.name,
        display_name: person.display_name,
        phone: person.phone.as_ref().map(Phone::to_string).unwrap_or_default(),
        email: person.email.as_ref().map(Email::as_str).unwrap_or_default().to_owned(),
        home: person.home.map(|id| id.to_string()).unwrap_or_default(),
        home_name: person.home.map(|id| names.organisation(id).to_owned()).unwrap_or_default(),
        created_ms: person.created_ms,
        net: person.role == NetRole::Administrator,
        disabled: person.disabled_ms.is_some(),
        has_password: person.has_password,
        organisations: by_id(&ours(&mut db, &visitor.caller, true).await?),
        grants: grant_rows(&mut db, &by, &names, granted).await?,
        givable: givable(&mut db, &visitor.caller, &viewer).await?,
        code: None,
        code_hours: app.config.session.reset_hours,
        notice,
    })
}

/// Grants as a page shows them.
pub(super) async fn grant_rows(
    db: &mut sqlx::AnyConnection,
    by: &Authority<'_>,
    names: &Names,
    granted: Vec<Grant>,
) -> Result<Vec<GrantRow>, ApiError> {
    let mut rows = Vec::with_capacity(granted.len());
    for grant in granted {
        let here = by.roles_on(db, grant.on).await?;
        rows.push(GrantRow {
            may_revoke: Caller::can_grant(grant.role, here),
            role: grant.role,
            place: names.place(grant.on).to_owned(),
            ends_ms: grant.ends_ms,
            id: grant.id,
        });
    }
    Ok(rows)
}
