//! The page of one library; what it changes goes the way of the API.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;

use super::super::super::caller::Who;
use super::super::super::libraries::{self, LibraryPatch, MediaPatch};
use super::super::super::problem::ApiError;
use super::super::here::{Form, Here, done};
use super::super::look::days;
use super::super::studio::Fields;
use super::choices::{administered, by_id, chosen};
use super::libraries::{quota, row};
use crate::catalogue::{Host, Publishing, RuleError, Slug};
use crate::db;
use crate::pages::{self, LibraryAdminView, LibrarySettings, Notice};

pub(in crate::api) async fn library_page(
    here: Here,
    Path(slug): Path<String>,
) -> Result<Response, ApiError> {
    let view = view(&here, &slug, here.notice()).await?;
    Ok(here.show(|shell| pages::admin_library(shell, &view)))
}

pub(in crate::api) async fn library_form(
    Path(slug): Path<String>,
    form: Form,
) -> Result<Response, ApiError> {
    let here = form.here;
    match act(&here, &slug, &form.fields).await {
        Ok(()) => Ok(done(&format!("/admin/libraries/{slug}"))),
        Err(error) => {
            let view = view(&here, &slug, here.refusal(error)?).await?;
            Ok(here.refuse(|shell| pages::admin_library(shell, &view)))
        }
    }
}

async fn act(here: &Here, slug: &str, fields: &Fields) -> Result<(), ApiError> {
    let patch = match fields.one("act") {
        "give" => {
            let mut db = here.app.db.read().await?;
            let owners = by_id(&administered(&mut db, here.caller()).await?);
            let owner = Some(chosen(&owners, "owner", fields.one("owner"))?);
            LibraryPatch { owner, ..LibraryPatch::default() }
        }
        "media" => LibraryPatch { media: Some(media(fields)?), ..LibraryPatch::default() },
        "save" => settings(fields)?,
        other => return Err(ApiError::bad(other.chars().take(40).collect::<String>())),
    };
    let who = Who(here.caller().clone());
    let path = Path(slug.to_owned());
    drop(libraries::patch(State(here.app.clone()), who, path, Json(patch)).await?);
    Ok(())
}

/// What the form of the settings says.
fn settings(fields: &Fields) -> Result<LibraryPatch, RuleError> {
    let text = |name| Some(fields.one(name).to_owned());
    Ok(LibraryPatch {
        name: text("name"),
        description: text("description"),
        visibility: text("visibility"),
        publishing: text("publishing"),
        licence: text("licence"),
        topics: Some(fields.all("topics")),
        retention_days: Some(days(fields.one("retention_days"))?.unwrap_or(0)),
        // Whoever may not set these is not shown them.
        quota_bytes: fields.find("quota_gb").map(quota).transpose()?,
        host: fields.find("host").map(|host| host.trim().to_owned()),
        ..LibraryPatch::default()
    })
}

fn media(fields: &Fields) -> Result<MediaPatch, RuleError> {
    let loudness = fields.one("loudness_lufs").trim();
    let bad = || RuleError::BadField {
        field: "loudness_lufs",
        value: loudness.chars().take(40).collect(),
    };
    let loudness_lufs = match loudness {
        "" => 0,
        _ => loudness.parse().map_err(|_| bad())?,
    };
    Ok(MediaPatch {
        codecs: Some(fields.all("codecs")),
        opus: Some(!fields.one("opus").is_empty()),
        loudness_lufs: Some(loudness_lufs),
    })
}

async fn view(here: &Here, slug: &str, notice: Notice) -> Result<LibraryAdminView, ApiError> {
    let viewer = here.authority()?.viewer();
    let mut db = here.app.db.read().await?;
    let slug: Slug = slug.parse().map_err(|_| ApiError::NotFound)?;
    let found = db::libraries::find_by_slug(&mut db, slug.as_str()).await?;
    let found = found.ok_or(ApiError::NotFound)?;
    if !db::people::libraries(&mut db, &viewer).await?.contains(&found.id) {
        return Err(ApiError::NotFound);
    }
    let all = db::organisations::list(&mut db).await?;
    let counts = db::resources::count_published(&mut db).await?;
    let owner = all.iter().find(|one| Some(one.id) == found.owner);
    Ok(LibraryAdminView {
        row: row(&mut db, &all, &counts, &found, viewer.now_ms).await?,
        may_decide: match owner {
            None => viewer.whole,
            Some(owner) => here.caller().is_administrator_of(owner),
        },
        owner: found.owner.map(|id| id.to_string()).unwrap_or_default(),
        owners: by_id(&administered(&mut db, here.caller()).await?),
        steps: db::reviews::chain(&mut db, found.id).await?.0.len(),
        settings: LibrarySettings {
            description: found.description,
            automatic: found.publishing == Publishing::Automatic,
            host: found.host.as_ref().map(Host::as_str).unwrap_or_default().to_owned(),
            licence: found.licence,
            topics: found.topics,
            retention_days: found.retention_days,
            codecs: found.media.codecs.iter().map(|codec| codec.as_str().to_owned()).collect(),
            opus: found.media.opus,
            loudness_lufs: found.media.loudness_lufs,
        },
        notice,
    })
}
