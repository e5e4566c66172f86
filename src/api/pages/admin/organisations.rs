//! The pages of the tree; what they change goes the way of the API.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Multipart, Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use super::super::super::caller::{Visitor, Who};
use super::super::super::organisations::{
    self, ImportQuery, Merge, NewOrganisation, OrganisationPatch,
};
use super::super::super::problem::ApiError;
use super::super::super::reader::Reader;
use super::super::shell::{page, shell};
use super::super::studio::{Fields, check_csrf};
use super::{Came, by_id, done, ours, refusal, sent, to_login};
use crate::app::App;
use crate::catalogue::{DivisionCode, Organisation, OrganisationId, RuleError};
use crate::db;
use crate::db::people::Filter;
use crate::net::authority::Authority;
use crate::pages::{self, Notice, OrganisationForm, OrganisationRow, OrganisationsView};

pub(in crate::api) async fn organisations_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(came): Query<Came>,
) -> Result<Response, ApiError> {
    if let Some(login) = to_login(&visitor, &reader) {
        return Ok(login);
    }
    let view = tree(&app, &visitor, came.notice(&reader)).await?;
    Ok(page(&reader, pages::admin_organisations(&shell(&app, &reader, &visitor), &view)))
}

pub(in crate::api) async fn organisations_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    let given = |name| Some(fields.one(name).trim().to_owned()).filter(|text| !text.is_empty());
    let new = NewOrganisation {
        name: fields.one("name").to_owned(),
        level: given("level"),
        parent: given("parent"),
        code: given("code"),
        contact: fields.one("contact").to_owned(),
        place: fields.one("place").to_owned(),
        longitude: None,
        latitude: None,
    };
    let who = Who(visitor.caller.clone());
    match organisations::create(State(app.clone()), who, Json(new)).await {
        Ok((_, Json(made))) => Ok(done(&format!("/admin/organisations/{}", made.id))),
        Err(error) => {
            let view = tree(&app, &visitor, refusal(&reader, error)?).await?;
            refused(&app, &reader, &visitor, &view)
        }
    }
}

/// Takes a table, or says what it would do.
pub(in crate::api) async fn import_organisations(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    form: Multipart,
) -> Result<Response, ApiError> {
    let sent = sent(&visitor, form).await?;
    let dry_run = sent.act != "take";
    let who = Who(visitor.caller.clone());
    let query = Query(ImportQuery { dry_run });
    let taken =
        organisations::import(State(app.clone()), who, query, Bytes::from(sent.bytes)).await;
    match taken {
        Ok(_) if !dry_run => Ok(done("/admin/organisations")),
        Ok(Json(would)) => {
            let report = reader.lang.pick(
                "可以导入，还没有改变任何东西。新增 {} 个，修改 {} 个，不变 {} 个。",
                "It can be imported; nothing was changed yet. New {}, changed {}, unchanged {}.",
            );
            let report = [would.added, would.changed, would.same]
                .iter()
                .fold(report.to_owned(), |text, n| text.replacen("{}", &n.to_string(), 1));
            let view = tree(&app, &visitor, Notice::default()).await?;
            let view = OrganisationsView { report: Some(report), ..view };
            Ok(page(&reader, pages::admin_organisations(&shell(&app, &reader, &visitor), &view)))
        }
        Err(error) => {
            let view = tree(&app, &visitor, refusal(&reader, error)?).await?;
            refused(&app, &reader, &visitor, &view)
        }
    }
}

fn refused(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    view: &OrganisationsView,
) -> Result<Response, ApiError> {
    let shown = pages::admin_organisations(&shell(app, reader, visitor), view);
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(reader, shown)).into_response())
}

async fn tree(app: &App, visitor: &Visitor, notice: Notice) -> Result<OrganisationsView, ApiError> {
    let by = Authority::of(&visitor.caller, app.now_ms())?;
    let mut db = app.db.read().await?;
    let ours = ours(&mut db, &visitor.caller, false).await?;
    let libraries = db::libraries::list(&mut db).await?;
    let top = ours.iter().map(|one| one.path.len()).min().unwrap_or(1);
    let rows = ours.iter().map(|one| {
        let owned = libraries.iter().filter(|library| library.owner == Some(one.id)).count();
        row(one, one.path.len() - top, owned)
    });
    let changed =
        |one: &&Organisation| one.closed_ms.is_none() && visitor.caller.is_administrator_of(one);
    let parents: Vec<Organisation> = ours.iter().filter(changed).cloned().collect();
    Ok(OrganisationsView {
        rows: rows.collect(),
        parents: by_id(&parents),
        whole: by.is_whole(),
        report: None,
        notice,
    })
}

fn row(one: &Organisation, depth: usize, libraries: usize) -> OrganisationRow {
    OrganisationRow {
        id: one.id.to_string(),
        name: one.name.clone(),
        depth,
        level: one.level,
        code: one.code.as_ref().map(DivisionCode::to_string).unwrap_or_default(),
        contact: one.contact.clone(),
        libraries,
        closed: one.closed_ms.is_some(),
    }
}

pub(in crate::api) async fn organisation_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(came): Query<Came>,
) -> Result<Response, ApiError> {
    if let Some(login) = to_login(&visitor, &reader) {
        return Ok(login);
    }
    let view = form(&app, &visitor, &id, came.notice(&reader)).await?;
    Ok(page(&reader, pages::admin_organisation(&shell(&app, &reader, &visitor), &view)))
}

pub(in crate::api) async fn organisation_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(id): Path<String>,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    match act(&app, &visitor, &id, &fields).await {
        Ok(()) => Ok(done(&format!("/admin/organisations/{id}"))),
        Err(error) => {
            let view = form(&app, &visitor, &id, refusal(&reader, error)?).await?;
            let shown = pages::admin_organisation(&shell(&app, &reader, &visitor), &view);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&reader, shown)).into_response())
        }
    }
}

async fn act(app: &App, visitor: &Visitor, id: &str, fields: &Fields) -> Result<(), ApiError> {
    let (state, who, path) = (State(app.clone()), Who(visitor.caller.clone()), Path(id.to_owned()));
    match fields.one("act") {
        "save" => {
            let text = |name| Some(fields.one(name).to_owned());
            let patch = OrganisationPatch {
                name: text("name"),
                code: text("code"),
                contact: text("contact"),
                place: text("place"),
                longitude: degrees(fields.one("longitude"))?,
                latitude: degrees(fields.one("latitude"))?,
                parent: None,
            };
            drop(organisations::patch(state, who, path, Json(patch)).await?);
        }
        "move" => {
            let parent = Some(fields.one("parent").to_owned());
            let patch = OrganisationPatch { parent, ..OrganisationPatch::default() };
            drop(organisations::patch(state, who, path, Json(patch)).await?);
        }
        "merge" => {
            let into = fields.one("into").to_owned();
            drop(organisations::merge(state, who, path, Json(Merge { into })).await?);
        }
        "close" => drop(organisations::close(state, who, path).await?),
        other => return Err(ApiError::bad(other.chars().take(40).collect::<String>())),
    }
    Ok(())
}

fn degrees(text: &str) -> Result<Option<f64>, ApiError> {
    let text = text.trim();
    let bad = || RuleError::BadField { field: "position", value: text.chars().take(40).collect() };
    match text {
        "" => Ok(None),
        _ => Ok(Some(text.parse().map_err(|_| bad())?)),
    }
}

async fn form(
    app: &App,
    visitor: &Visitor,
    id: &str,
    notice: Notice,
) -> Result<OrganisationForm, ApiError> {
    let by = Authority::of(&visitor.caller, app.now_ms())?;
    let id: OrganisationId = id.parse().map_err(|_| ApiError::NotFound)?;
    let mut db = app.db.read().await?;
    let ours = ours(&mut db, &visitor.caller, false).await?;
    let one = ours.iter().find(|one| one.id == id).ok_or(ApiError::NotFound)?;
    let libraries = db::libraries::list_owned(&mut db, id).await?;
    let of = Filter { organisation: Some(id), ..Filter::default() };
    let (people, _) = db::people::list(&mut db, &by.viewer(), &of, 0, 0).await?;
    let named = |id: OrganisationId| {
        ours.iter().find(|one| one.id == id).map(|one| (id.to_string(), one.name.clone()))
    };
    let may_go = |target: &&Organisation| {
        target.closed_ms.is_none()
            && !target.path.contains(&id)
            && visitor.caller.is_administrator_of(target)
    };
    let targets: Vec<Organisation> = ours.iter().filter(may_go).cloned().collect();
    let below = ours.iter().filter(|other| other.parent() == Some(id));
    let degrees = |number: f64| number.to_string();
    Ok(OrganisationForm {
        row: row(one, 0, libraries.len()),
        place: one.place.clone(),
        longitude: one.position.map(|(longitude, _)| degrees(longitude)).unwrap_or_default(),
        latitude: one.position.map(|(_, latitude)| degrees(latitude)).unwrap_or_default(),
        parent: one.parent().and_then(named),
        below: below.map(|one| (one.id.to_string(), one.name.clone())).collect(),
        libraries: libraries.into_iter().map(|one| (one.slug.to_string(), one.name)).collect(),
        people,
        targets: by_id(&targets),
        may_change: visitor.caller.is_administrator_of(one),
        notice,
    })
}
