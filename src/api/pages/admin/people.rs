//! The list of people, and forms that add some.

use axum::extract::{Multipart, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;

use super::super::super::caller::Visitor;
use super::super::super::people::{ImportView, Names, PeopleQuery, csv_file, filter, take};
use super::super::super::problem::ApiError;
use super::super::super::reader::Reader;
use super::super::shell::{page, shell};
use super::super::studio::{Fields, check_csrf};
use super::{by_id, givable, libraries_of, ours, place_of, refusal, sent, to_login};
use crate::app::App;
use crate::db;
use crate::db::grants::Grantee;
use crate::db::people::GrantFilter;
use crate::net::authority::Authority;
use crate::net::grants;
use crate::net::people::{self, NewPerson};
use crate::pages::{self, ImportReport, Notice, Paging, PeopleView, PersonRow, role_word};
use crate::table::as_csv;

const PER_PAGE: i64 = 50;

pub(in crate::api) async fn people_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(query): Query<PeopleQuery>,
) -> Result<Response, ApiError> {
    if let Some(login) = to_login(&visitor, &reader) {
        return Ok(login);
    }
    let view = view(&app, &reader, &visitor, &query).await?;
    Ok(page(&reader, pages::people(&shell(&app, &reader, &visitor), &view)))
}

pub(in crate::api) async fn people_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    match add(&app, &visitor, &fields).await {
        Ok(id) => Ok(Redirect::to(&format!("/admin/people/{id}?done=true")).into_response()),
        Err(error) => {
            let notice = refusal(&reader, error)?;
            let found = view(&app, &reader, &visitor, &PeopleQuery::default()).await?;
            refused(&app, &reader, &visitor, PeopleView { notice, ..found })
        }
    }
}

fn refused(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    view: PeopleView,
) -> Result<Response, ApiError> {
    let mut response = page(reader, pages::people(&shell(app, reader, visitor), &view));
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

async fn add(app: &App, visitor: &Visitor, fields: &Fields) -> Result<String, ApiError> {
    let by = Authority::of(&visitor.caller, app.now_ms())?;
    let mut tx = app.db.begin().await?;
    let home = people::home_named(&mut tx, fields.one("organisation")).await?;
    let new = NewPerson {
        name: fields.one("name").to_owned(),
        display_name: fields.one("display_name").to_owned(),
        phone: fields.one("phone").to_owned(),
        email: fields.one("email").to_owned(),
        home,
    };
    let role = Some(fields.one("role")).filter(|role| !role.is_empty());
    let place = match role {
        None => None,
        Some(role) => {
            let (organisation, library) = place_of(fields.one("place"));
            let on = grants::place_named(&mut tx, &by, organisation, library).await?;
            Some((role.parse()?, on))
        }
    };
    let person = people::add(&mut tx, &by, &new).await?;
    if let Some((role, on)) = place {
        let to = Grantee::Account(person.id);
        grants::grant(&mut tx, &by, to, role, on, None).await?;
    }
    tx.commit().await?;
    Ok(person.id.to_string())
}

/// Takes a table, or says what it would do. The links come as a table: they are shown only once.
pub(in crate::api) async fn import_people(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    form: Multipart,
) -> Result<Response, ApiError> {
    let sent = sent(&visitor, form).await?;
    let taken = take(&app, &reader, &visitor.caller, &sent.bytes, sent.act != "take", true).await;
    let found = view(&app, &reader, &visitor, &PeopleQuery::default()).await?;
    let taken = match taken {
        Ok(taken) => taken,
        Err(error) => {
            let notice = refusal(&reader, error)?;
            return refused(&app, &reader, &visitor, PeopleView { notice, ..found });
        }
    };
    if taken.done {
        let mut rows = vec![["name", "display_name", "link"].map(str::to_owned).to_vec()];
        let links = taken.links.into_iter();
        rows.extend(links.map(|link| vec![link.name, link.display_name, link.link]));
        return Ok(csv_file("links.csv", as_csv(&rows)));
    }
    let shown = PeopleView { report: Some(report(&taken)), ..found };
    Ok(page(&reader, pages::people(&shell(&app, &reader, &visitor), &shown)))
}

fn report(taken: &ImportView) -> ImportReport {
    ImportReport {
        added: taken.added,
        same: taken.same,
        granted: taken.granted,
        problems: taken.problems.iter().map(|one| (one.line, one.detail.clone())).collect(),
    }
}

async fn view(
    app: &App,
    reader: &Reader,
    visitor: &Visitor,
    query: &PeopleQuery,
) -> Result<PeopleView, ApiError> {
    let viewer = Authority::of(&visitor.caller, app.now_ms())?.viewer();
    let mut db = app.db.read().await?;
    let names = Names::read(&mut db).await?;
    let filter = filter(&mut db, query).await?;
    let at = query.page.unwrap_or(1).clamp(1, 1_000_000);
    let (total, found) =
        db::people::list(&mut db, &viewer, &filter, (at - 1) * PER_PAGE, PER_PAGE).await?;
    let mut rows = Vec::with_capacity(found.len());
    for person in found {
        let of = GrantFilter { account: Some(person.id), ..GrantFilter::default() };
        let granted = db::people::grants(&mut db, &viewer, &of, 100).await?;
        let words = granted.iter().map(|grant| {
            format!("{} · {}", role_word(reader.lang, grant.role), names.place(grant.on))
        });
        rows.push(PersonRow {
            id: person.id.to_string(),
            name: person.name,
            display_name: person.display_name,
            phone: person.phone.map(|phone| phone.to_string()).unwrap_or_default(),
            home: person.home.map(|id| names.organisation(id).to_owned()).unwrap_or_default(),
            roles: words.collect(),
            disabled: person.disabled_ms.is_some(),
            has_password: person.has_password,
        });
    }
    let asked = asked(query);
    Ok(PeopleView {
        q: query.q.clone(),
        organisation: query.organisation.clone(),
        library: query.library.clone(),
        disabled: query.disabled.clone(),
        organisations: by_id(&ours(&mut db, &visitor.caller, true).await?),
        libraries: libraries_of(&mut db, &viewer).await?,
        total,
        rows,
        paging: Some(Paging {
            page: u32::try_from(at).unwrap_or(1),
            pages: u32::try_from((total + PER_PAGE - 1) / PER_PAGE).unwrap_or(1),
            href: format!("/admin/people?{asked}&page="),
        }),
        export: format!("/api/people/export?{asked}"),
        givable: givable(&mut db, &visitor.caller, &viewer).await?,
        whole: viewer.whole,
        report: None,
        notice: Notice::default(),
    })
}

/// The conditions of `query`, as a query.
fn asked(query: &PeopleQuery) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in [
        ("q", &query.q),
        ("organisation", &query.organisation),
        ("library", &query.library),
        ("team", &query.team),
        ("disabled", &query.disabled),
    ] {
        text.append_pair(name, value);
    }
    text.finish()
}
