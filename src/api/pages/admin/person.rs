//! The page of one person.

use axum::extract::Path;
use axum::response::Response;

use super::super::super::identity::named;
use super::super::super::people::{Names, account_id, start_link};
use super::super::super::problem::ApiError;
use super::super::here::{Form, Here, done};
use super::super::identity::{identity_rows, name_of};
use super::super::studio::Fields;
use super::choices::{by_id, chosen, chosen_place, givable, ours};
use crate::catalogue::{AccountId, Caller, Email, NetRole, Phone};
use crate::db::granted;
use crate::db::grants::{Grant, Grantee};
use crate::identity::settings;
use crate::net::authority::Authority;
use crate::net::people::{self, Edit};
use crate::net::{grants, identities};
use crate::pages::{self, GrantRow, Notice, PersonPage};

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// Most roles that the page tells.
const MOST_ROLES: i64 = 1000;

pub(in crate::api) async fn person_page(
    here: Here,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let view = view(&here, account_id(&id)?, here.notice()).await?;
    Ok(here.show(|shell| pages::person(shell, &view)))
}

pub(in crate::api) async fn person_form(
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, ApiError> {
    let (here, account) = (form.here, account_id(&id)?);
    match act(&here, account, &form.fields).await {
        Ok(None) => Ok(done(&format!("/admin/people/{account}"))),
        Ok(Some(code)) => {
            let link = start_link(&here.app, &here.reader, &code);
            let view = view(&here, account, Notice::default()).await?;
            let view = PersonPage { code: Some((code, link)), ..view };
            Ok(here.show(|shell| pages::person(shell, &view)))
        }
        Err(error) => {
            let view = view(&here, account, here.refusal(error)?).await?;
            Ok(here.refuse(|shell| pages::person(shell, &view)))
        }
    }
}

/// Does what the form asks for; gives the code of a reset.
async fn act(here: &Here, account: AccountId, fields: &Fields) -> Result<Option<String>, ApiError> {
    let by = here.authority()?;
    let mut tx = here.app.db.begin().await?;
    let mut code = None;
    match fields.one("act") {
        "save" => {
            let text = |name| Some(fields.one(name).to_owned());
            let homes = by_id(&ours(&mut tx, here.caller(), true).await?);
            let home = chosen(&homes, "organisation", fields.one("organisation"))?;
            let edit = Edit {
                display_name: text("display_name"),
                phone: text("phone"),
                email: text("email"),
                home: people::home_named(&mut tx, &home).await?,
                disabled: None,
            };
            people::edit(&mut tx, &by, account, &edit).await?;
        }
        act @ ("disable" | "enable") => {
            let edit = Edit { disabled: Some(act == "disable"), ..Edit::default() };
            people::edit(&mut tx, &by, account, &edit).await?;
        }
        "grant" => {
            let on = chosen_place(&mut tx, here.caller(), &by, fields.one("place")).await?;
            let role = fields.one("role").parse()?;
            grants::grant(&mut tx, &by, Grantee::Account(account), role, on, None).await?;
        }
        "link" => {
            let provider = named(&here.app, fields.one("provider"))?;
            identities::link(&mut tx, &by, account, provider, fields.one("subject")).await?;
        }
        "unlink" => identities::unlink(&mut tx, &by, account, fields.one("identity")).await?,
        "revoke" => grants::revoke(&mut tx, &by, fields.one("grant")).await?,
        "reset" => {
            let lasting_ms = here.app.config.session.reset_hours * HOUR_MS;
            let keep_tokens = fields.one("keep_tokens") == "true";
            let reset = people::reset(&mut tx, &by, account, lasting_ms, keep_tokens).await?;
            code = Some(reset.1);
        }
        other => return Err(ApiError::bad(other.chars().take(40).collect::<String>())),
    }
    tx.commit().await?;
    Ok(code)
}

async fn view(here: &Here, account: AccountId, notice: Notice) -> Result<PersonPage, ApiError> {
    let by = here.authority()?;
    let viewer = by.viewer();
    let mut db = here.app.db.read().await?;
    let person = people::get(&mut db, &by, account).await?;
    let names = Names::read(&mut db).await?;
    let of = granted::Filter { account: Some(account), ..granted::Filter::default() };
    let granted = granted::list(&mut db, &viewer, &of, (0, MOST_ROLES)).await?;
    let lang = here.reader.lang;
    let provider = |own: &settings::Provider| (own.key.clone(), name_of(lang, own).to_owned());
    Ok(PersonPage {
        identities: identity_rows(&here.app, &mut db, lang, account).await?,
        providers: here.app.providers.iter().map(|one| provider(&one.settings)).collect(),
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
        organisations: by_id(&ours(&mut db, here.caller(), true).await?),
        grants: grant_rows(&mut db, &by, &names, granted).await?,
        givable: givable(&mut db, here.caller(), &viewer).await?,
        code: None,
        code_hours: here.app.config.session.reset_hours,
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
