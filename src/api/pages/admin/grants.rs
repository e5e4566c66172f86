//! The page of all roles that are given.

use axum::extract::Query;
use axum::response::Response;

use super::super::super::listed::Listing;
use super::super::super::people::Names;
use super::super::super::problem::ApiError;
use super::super::here::{Form, Here, done};
use super::person::grant_rows;
use crate::db::granted::{self, Filter};
use crate::db::grants::Grantee;
use crate::net::grants;
use crate::pages::{self, GrantedRow, GrantsView, Notice};

pub(in crate::api) async fn grants_page(
    here: Here,
    Query(list): Query<Listing>,
) -> Result<Response, ApiError> {
    let view = view(&here, &list, here.notice()).await?;
    Ok(here.show(|shell| pages::granted(shell, &view)))
}

/// Takes a role away.
pub(in crate::api) async fn grants_form(form: Form) -> Result<Response, ApiError> {
    let here = form.here;
    let revoke = async {
        let by = here.authority()?;
        let mut tx = here.app.db.begin().await?;
        grants::revoke(&mut tx, &by, form.fields.one("grant")).await?;
        Ok::<_, ApiError>(tx.commit().await?)
    };
    match revoke.await {
        Ok(()) => Ok(done("/admin/grants")),
        Err(error) => {
            let view = view(&here, &Listing::default(), here.refusal(error)?).await?;
            Ok(here.refuse(|shell| pages::granted(shell, &view)))
        }
    }
}

async fn view(here: &Here, list: &Listing, notice: Notice) -> Result<GrantsView, ApiError> {
    let by = here.authority()?;
    let viewer = by.viewer();
    let filter = Filter { words: list.words(), ..Filter::default() };
    let mut db = here.app.db.read().await?;
    let total = granted::count(&mut db, &viewer, &filter).await?;
    let found = granted::list(&mut db, &viewer, &filter, list.span()).await?;
    let names = Names::read(&mut db).await?;
    let who = granted::names_of(&mut db, &found).await?;
    let people = found.iter().map(|grant| match grant.to {
        Grantee::Account(id) => (id.to_string(), format!("/admin/people/{id}")),
        Grantee::Team(id) => (id.to_string(), format!("/admin/teams/{id}")),
    });
    let people: Vec<_> = people.collect();
    let roles = grant_rows(&mut db, &by, &names, found).await?;
    let rows = people.into_iter().zip(roles).map(|((id, href), grant)| GrantedRow {
        name: who.get(&id).cloned().unwrap_or_default(),
        href,
        grant,
    });
    Ok(GrantsView {
        list: list.listed("/admin/grants", "/api/grants", total, &[]),
        rows: rows.collect(),
        notice,
    })
}
