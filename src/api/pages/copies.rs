//! What the page of a resource says of where it came from, and the form that copies it.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::super::copies::{copy_in, may_be_copied};
use super::super::problem::ApiError;
use super::here::Form;
use crate::app::App;
use crate::catalogue::{Caller, Resource};
use crate::db;
use crate::pages::{CopyView, HomeLink};

/// Copies a harvested record: `library`. Leads to the copy.
pub(in crate::api) async fn copy_form(
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, ApiError> {
    let here = form.here;
    let made = copy_in(&here.app, here.caller(), &id, form.fields.one("library")).await?;
    Ok(Redirect::to(&format!("/studio/resources/{made}")).into_response())
}

/// Where `resource` was copied from.
pub(super) async fn copied_from(
    app: &App,
    resource: &Resource,
) -> Result<Option<HomeLink>, ApiError> {
    let found = db::copies::find(&mut *app.db.read().await?, resource.id).await?;
    Ok(found.map(|original| HomeLink { name: original.name, href: original.home }))
}

/// How `caller` may copy `resource`, which was harvested; nothing for those who look after no library.
pub(super) async fn copy_of(
    app: &App,
    caller: &Caller,
    resource: &Resource,
) -> Result<Option<CopyView>, ApiError> {
    let mut db = app.db.read().await?;
    let all = db::libraries::list(&mut db).await?;
    let mut managed: Vec<_> =
        all.iter().filter(|library| caller.is_librarian_of(library.id)).collect();
    if managed.is_empty() {
        return Ok(None);
    }
    let copies = db::copies::list_of(&mut db, resource.id).await?;
    managed.retain(|library| copies.iter().all(|(_, there)| *there != library.id));
    Ok(Some(CopyView {
        action: format!("/resources/{}/copy", resource.id),
        allowed: may_be_copied(app, &resource.details.licence),
        libraries: managed.iter().map(|one| (one.slug.to_string(), one.name.clone())).collect(),
        copies: copies.iter().map(|(id, _)| format!("/resources/{id}")).collect(),
    }))
}
