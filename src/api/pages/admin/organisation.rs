//! The page of one organisation; what it changes goes the way of the API.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;

use super::super::super::caller::Who;
use super::super::super::organisations::{self, Merge, OrganisationPatch};
use super::super::super::problem::ApiError;
use super::super::here::{Form, Here, done};
use super::super::studio::Fields;
use super::choices::{administered, by_id, chosen, ours};
use super::organisations::row;
use crate::catalogue::{Organisation, OrganisationId, RuleError};
use crate::db;
use crate::db::people::Filter;
use crate::pages::{self, Notice, OrganisationForm};

pub(in crate::api) async fn organisation_page(
    here: Here,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let view = view(&here, &id, here.notice()).await?;
    Ok(here.show(|shell| pages::admin_organisation(shell, &view)))
}

pub(in crate::api) async fn organisation_form(
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, ApiError> {
    let here = form.here;
    match act(&here, &id, &form.fields).await {
        Ok(()) => Ok(done(&format!("/admin/organisations/{id}"))),
        Err(error) => {
            let view = view(&here, &id, here.refusal(error)?).await?;
            Ok(here.refuse(|shell| pages::admin_organisation(shell, &view)))
        }
    }
}

async fn act(here: &Here, id: &str, fields: &Fields) -> Result<(), ApiError> {
    let who = Who(here.caller().clone());
    let (state, path) = (State(here.app.clone()), Path(id.to_owned()));
    let target = async |field| {
        let mut db = here.app.db.read().await?;
        chosen(&by_id(&administered(&mut db, here.caller()).await?), field, fields.one(field))
    };
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
            let parent = Some(target("parent").await?);
            let patch = OrganisationPatch { parent, ..OrganisationPatch::default() };
            drop(organisations::patch(state, who, path, Json(patch)).await?);
        }
        "merge" => {
            let into = target("into").await?;
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

async fn view(here: &Here, id: &str, notice: Notice) -> Result<OrganisationForm, ApiError> {
    let by = here.authority()?;
    let id: OrganisationId = id.parse().map_err(|_| ApiError::NotFound)?;
    let mut db = here.app.db.read().await?;
    let ours = ours(&mut db, here.caller(), false).await?;
    let one = ours.iter().find(|one| one.id == id).ok_or(ApiError::NotFound)?;
    let libraries = db::libraries::list_owned(&mut db, id).await?;
    let of = Filter { organisation: Some(id), ..Filter::default() };
    let (people, _) = db::people::list(&mut db, &by.viewer(), &of, (0, 0)).await?;
    let named = |id: OrganisationId| {
        ours.iter().find(|one| one.id == id).map(|one| (id.to_string(), one.name.clone()))
    };
    let may_go = |target: &&Organisation| {
        target.closed_ms.is_none()
            && !target.path.contains(&id)
            && here.caller().is_administrator_of(target)
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
        may_change: here.caller().is_administrator_of(one),
        notice,
    })
}
