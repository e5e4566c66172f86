//! The list of people, and forms that add some.

use axum::extract::Query;
use axum::response::Response;

use super::super::super::listed::Listing;
use super::super::super::people::{ImportView, Names, PeopleQuery, csv_file, filter, take};
use super::super::super::problem::ApiError;
use super::super::here::{Form, Here, TableForm, done};
use super::super::studio::Fields;
use super::choices::{by_id, chosen, chosen_place, givable, libraries_of, ours};
use crate::db;
use crate::db::granted;
use crate::db::grants::Grantee;
use crate::net::grants;
use crate::net::people::{self, NewPerson};
use crate::pages::{self, ImportReport, Notice, PeopleView, PersonRow, role_word};
use crate::table::as_csv;

/// Most roles of a person that the list tells.
const MOST_ROLES: i64 = 100;

pub(in crate::api) async fn people_page(
    here: Here,
    Query(list): Query<Listing>,
    Query(query): Query<PeopleQuery>,
) -> Result<Response, ApiError> {
    let view = view(&here, &list, &query).await?;
    Ok(here.show(|shell| pages::people(shell, &view)))
}

pub(in crate::api) async fn people_form(form: Form) -> Result<Response, ApiError> {
    match add(&form.here, &form.fields).await {
        Ok(id) => Ok(done(&format!("/admin/people/{id}"))),
        Err(error) => refused(&form.here, error).await,
    }
}

/// The list again, with why nothing was done.
async fn refused(here: &Here, error: ApiError) -> Result<Response, ApiError> {
    let notice = here.refusal(error)?;
    let found = view(here, &Listing::default(), &PeopleQuery::default()).await?;
    let view = PeopleView { notice, ..found };
    Ok(here.refuse(|shell| pages::people(shell, &view)))
}

async fn add(here: &Here, fields: &Fields) -> Result<String, ApiError> {
    let by = here.authority()?;
    let mut tx = here.app.db.begin().await?;
    let homes = by_id(&ours(&mut tx, here.caller(), true).await?);
    let home = chosen(&homes, "organisation", fields.one("organisation"))?;
    let new = NewPerson {
        name: fields.one("name").to_owned(),
        display_name: fields.one("display_name").to_owned(),
        phone: fields.one("phone").to_owned(),
        email: fields.one("email").to_owned(),
        home: people::home_named(&mut tx, &home).await?,
    };
    let role = Some(fields.one("role")).filter(|role| !role.is_empty());
    let place = match role {
        None => None,
        Some(role) => {
            let on = chosen_place(&mut tx, here.caller(), &by, fields.one("place")).await?;
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
pub(in crate::api) async fn import_people(form: TableForm) -> Result<Response, ApiError> {
    let (here, dry_run) = (form.here, form.act != "take");
    let taken = take(&here.app, &here.reader, here.caller(), &form.bytes, dry_run, true).await;
    let taken = match taken {
        Ok(taken) => taken,
        Err(error) => return refused(&here, error).await,
    };
    if taken.done {
        let mut rows = vec![["name", "display_name", "link"].map(str::to_owned).to_vec()];
        let links = taken.links.into_iter();
        rows.extend(links.map(|link| vec![link.name, link.display_name, link.link]));
        return Ok(csv_file("links.csv", as_csv(&rows)));
    }
    let found = view(&here, &Listing::default(), &PeopleQuery::default()).await?;
    let view = PeopleView { report: Some(report(&taken)), ..found };
    Ok(here.show(|shell| pages::people(shell, &view)))
}

fn report(taken: &ImportView) -> ImportReport {
    ImportReport {
        added: taken.added,
        same: taken.same,
        granted: taken.granted,
        problems: taken.problems.iter().map(|one| (one.line, one.detail.clone())).collect(),
    }
}

async fn view(here: &Here, list: &Listing, query: &PeopleQuery) -> Result<PeopleView, ApiError> {
    let viewer = here.authority()?.viewer();
    let mut db = here.app.db.read().await?;
    let names = Names::read(&mut db).await?;
    let organisations = by_id(&ours(&mut db, here.caller(), true).await?);
    // What is none of them finds nobody.
    let organisation = chosen(&organisations, "organisation", &query.organisation);
    let organisation = organisation.unwrap_or_else(|_| query.organisation.clone());
    let query = PeopleQuery { organisation, ..query.clone() };
    let filter = filter(&mut db, list, &query).await?;
    let (total, found) = db::people::list(&mut db, &viewer, &filter, list.span()).await?;
    let mut rows = Vec::with_capacity(found.len());
    for person in found {
        let of = granted::Filter { account: Some(person.id), ..granted::Filter::default() };
        let held = granted::list(&mut db, &viewer, &of, (0, MOST_ROLES)).await?;
        let words = held.iter().map(|grant| {
            format!("{} · {}", role_word(here.reader.lang, grant.role), names.place(grant.on))
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
    let others = [
        ("organisation", query.organisation.as_str()),
        ("library", &query.library),
        ("team", &query.team),
        ("disabled", &query.disabled),
    ];
    Ok(PeopleView {
        list: list.listed("/admin/people", "/api/people", total, &others),
        rows,
        organisations,
        libraries: libraries_of(&mut db, &viewer).await?,
        givable: givable(&mut db, here.caller(), &viewer).await?,
        organisation: query.organisation,
        library: query.library,
        disabled: query.disabled,
        whole: viewer.whole,
        report: None,
        notice: Notice::default(),
    })
}
