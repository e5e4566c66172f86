//! Pages for those who look after people, organisations and libraries.

mod audit;
mod choices;
mod grants;
mod invitations;
mod jobs;
mod libraries;
mod library;
mod organisation;
mod organisations;
mod people;
mod person;
mod teams;
mod tokens;

use axum::response::Response;

pub(in crate::api) use audit::audit_page;
pub(in crate::api) use grants::{grants_form, grants_page};
pub(in crate::api) use invitations::{invitations_form, invitations_page};
pub(in crate::api) use jobs::{jobs_form, jobs_page};
pub(in crate::api) use libraries::{libraries_form, libraries_page};
pub(in crate::api) use library::{library_form, library_page};
pub(in crate::api) use organisation::{organisation_form, organisation_page};
pub(in crate::api) use organisations::{
    import_organisations, organisations_form, organisations_page,
};
pub(in crate::api) use people::{import_people, people_form, people_page};
pub(in crate::api) use person::{person_form, person_page};
pub(in crate::api) use teams::{team_form, team_page, teams_form, teams_page};
pub(in crate::api) use tokens::{tokens_form, tokens_page};

use super::super::problem::ApiError;
use super::here::Here;
use crate::db;
use crate::db::people::Filter;
use crate::pages::{self, AdminView};
use choices::ours;

/// The start page.
pub(in crate::api) async fn admin_page(here: Here) -> Result<Response, ApiError> {
    let viewer = here.authority()?.viewer();
    let mut db = here.app.db.read().await?;
    let (people, _) = db::people::list(&mut db, &viewer, &Filter::default(), (0, 0)).await?;
    let organisations = ours(&mut db, here.caller(), true).await?.len();
    let failed_jobs = if viewer.whole {
        let failed =
            db::jobs::Filter { state: Some("failed".to_owned()), ..db::jobs::Filter::default() };
        Some(db::jobs::count_all(&mut db, &failed).await?)
    } else {
        None
    };
    let view = AdminView {
        whole: viewer.whole,
        has_organisations: organisations > 0 || viewer.whole,
        people,
        libraries: db::people::libraries(&mut db, &viewer).await?.len(),
        organisations,
        failed_jobs,
    };
    Ok(here.show(|shell| pages::admin(shell, &view)))
}
