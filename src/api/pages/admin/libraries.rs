//! The pages of libraries; what they change goes the way of the API.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use super::super::super::caller::{Visitor, Who};
use super::super::super::libraries::{self, LibraryPatch, NewLibrary};
use super::super::super::problem::ApiError;
use super::super::super::reader::Reader;
use super::super::shell::{page, shell};
use super::super::studio::{Fields, check_csrf};
use super::{Came, by_id, done, ours, refusal, to_login};
use crate::app::App;
use crate::catalogue::{Caller, Library, Organisation, Publishing, RuleError, Slug, Visibility};
use crate::db;
use crate::net::authority::Authority;
use crate::pages::{self, LibrariesAdminView, LibraryAdminView, LibraryRow, Notice};

/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// How far back the growth of a library is looked at, in days.
const LOOK_BACK_DAYS: i64 = 30;

pub(in crate::api) async fn libraries_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Query(came): Query<Came>,
) -> Result<Response, ApiError> {
    if let Some(login) = to_login(&visitor, &reader) {
        return Ok(login);
    }
    let view = list(&app, &visitor, came.notice(&reader)).await?;
    Ok(page(&reader, pages::admin_libraries(&shell(&app, &reader, &visitor), &view)))
}

pub(in crate::api) async fn libraries_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    let make = async {
        let new = NewLibrary {
            slug: fields.one("slug").trim().to_owned(),
            name: fields.one("name").to_owned(),
            description: fields.one("description").to_owned(),
            visibility: Some(fields.one("visibility").to_owned()),
            publishing: None,
            quota_bytes: Some(quota(fields.one("quota_gb"))?),
            owner: Some(fields.one("owner").to_owned()).filter(|owner| !owner.is_empty()),
        };
        let who = Who(visitor.caller.clone());
        libraries::create(State(app.clone()), who, Json(new)).await
    };
    match make.await {
        Ok(_) => Ok(done("/admin/libraries")),
        Err(error) => {
            let view = list(&app, &visitor, refusal(&reader, error)?).await?;
            let shown = pages::admin_libraries(&shell(&app, &reader, &visitor), &view);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&reader, shown)).into_response())
        }
    }
}

/// Bytes of a number of GiB; none is 0.
fn quota(text: &str) -> Result<i64, RuleError> {
    let text = text.trim();
    let bad = || RuleError::BadField { field: "quota_gb", value: text.chars().take(40).collect() };
    match text {
        "" => Ok(0),
        _ => Ok(i64::from(text.parse::<u32>().map_err(|_| bad())?) << 30),
    }
}

async fn list(
    app: &App,
    visitor: &Visitor,
    notice: Notice,
) -> Result<LibrariesAdminView, ApiError> {
    let viewer = Authority::of(&visitor.caller, app.now_ms())?.viewer();
    let mut db = app.db.read().await?;
    let ours_of = db::people::libraries(&mut db, &viewer).await?;
    let all = db::organisations::list(&mut db).await?;
    let counts = db::resources::count_published(&mut db).await?;
    let mut rows = Vec::with_capacity(ours_of.len());
    for library in db::libraries::list(&mut db).await? {
        if ours_of.contains(&library.id) {
            rows.push(row(&mut db, &all, &counts, &library, viewer.now_ms).await?);
        }
    }
    Ok(LibrariesAdminView {
        rows,
        owners: by_id(&administered(&mut db, &visitor.caller).await?),
        whole: viewer.whole,
        notice,
    })
}

/// Open organisations whose libraries the caller makes and gives.
async fn administered(
    db: &mut sqlx::AnyConnection,
    caller: &Caller,
) -> Result<Vec<Organisation>, ApiError> {
    let found = ours(db, caller, true).await?.into_iter();
    Ok(found.filter(|one| caller.is_administrator_of(one)).collect())
}

async fn row(
    db: &mut sqlx::AnyConnection,
    all: &[Organisation],
    counts: &[(String, i64)],
    library: &Library,
    now_ms: i64,
) -> Result<LibraryRow, ApiError> {
    let used_bytes = db::libraries::used_bytes(db, library.id).await?;
    let since_ms = now_ms - LOOK_BACK_DAYS * DAY_MS;
    let grown_bytes = db::libraries::grown_bytes(db, library.id, since_ms).await?;
    let id = library.id.to_string();
    let owner = all.iter().find(|one| Some(one.id) == library.owner);
    Ok(LibraryRow {
        slug: library.slug.to_string(),
        name: library.name.clone(),
        owner: owner.map(|one| one.name.clone()).unwrap_or_default(),
        internal: library.visibility == Visibility::Internal,
        resources: counts.iter().find(|(of, _)| *of == id).map_or(0, |(_, count)| *count),
        used_bytes,
        quota_bytes: library.quota_bytes,
        full_in_days: full_in_days(used_bytes, library.quota_bytes, grown_bytes),
    })
}

/// Days until a library that grew by `grown_bytes` in [`LOOK_BACK_DAYS`] is full.
fn full_in_days(used_bytes: i64, quota_bytes: Option<i64>, grown_bytes: i64) -> Option<i64> {
    let left_bytes = quota_bytes? - used_bytes;
    if left_bytes <= 0 {
        return Some(0);
    }
    let days = i128::from(left_bytes) * i128::from(LOOK_BACK_DAYS) / i128::from(grown_bytes.max(1));
    (grown_bytes > 0).then(|| i64::try_from(days).unwrap_or(i64::MAX))
}

pub(in crate::api) async fn library_page(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(slug): Path<String>,
    Query(came): Query<Came>,
) -> Result<Response, ApiError> {
    if let Some(login) = to_login(&visitor, &reader) {
        return Ok(login);
    }
    let view = one(&app, &visitor, &slug, came.notice(&reader)).await?;
    Ok(page(&reader, pages::admin_library(&shell(&app, &reader, &visitor), &view)))
}

pub(in crate::api) async fn library_form(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    Path(slug): Path<String>,
    body: String,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body);
    check_csrf(&visitor, fields.one("csrf"))?;
    let change = async {
        let patch = match fields.one("act") {
            "give" => LibraryPatch {
                owner: Some(fields.one("owner").to_owned()),
                ..LibraryPatch::default()
            },
            _ => {
                let text = |name| Some(fields.one(name).to_owned());
                LibraryPatch {
                    name: text("name"),
                    description: text("description"),
                    visibility: text("visibility"),
                    publishing: text("publishing"),
                    // Whoever may not set it is not shown it.
                    quota_bytes: fields.find("quota_gb").map(quota).transpose()?,
                    ..LibraryPatch::default()
                }
            }
        };
        let who = Who(visitor.caller.clone());
        libraries::patch(State(app.clone()), who, Path(slug.clone()), Json(patch)).await
    };
    match change.await {
        Ok(_) => Ok(done(&format!("/admin/libraries/{slug}"))),
        Err(error) => {
            let view = one(&app, &visitor, &slug, refusal(&reader, error)?).await?;
            let shown = pages::admin_library(&shell(&app, &reader, &visitor), &view);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&reader, shown)).into_response())
        }
    }
}

async fn one(
    app: &App,
    visitor: &Visitor,
    slug: &str,
    notice: Notice,
) -> Result<LibraryAdminView, ApiError> {
    let viewer = Authority::of(&visitor.caller, app.now_ms())?.viewer();
    let mut db = app.db.read().await?;
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
        automatic: found.publishing == Publishing::Automatic,
        may_decide: match owner {
            None => viewer.whole,
            Some(owner) => visitor.caller.is_administrator_of(owner),
        },
        owner: found.owner.map(|id| id.to_string()).unwrap_or_default(),
        owners: by_id(&administered(&mut db, &visitor.caller).await?),
        description: found.description,
        notice,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forecast_follows_the_last_month() {
        assert_eq!(full_in_days(5, None, 100), None, "no quota");
        assert_eq!(full_in_days(5, Some(100), 0), None, "it does not grow");
        assert_eq!(full_in_days(100, Some(100), 0), Some(0));
        assert_eq!(full_in_days(40, Some(100), 30), Some(60));
        assert_eq!(full_in_days(0, Some(i64::MAX), 1), Some(i64::MAX));
        assert_eq!(quota(" 5 "), Ok(5 << 30));
        assert_eq!(quota(""), Ok(0));
        assert!(quota("-1").is_err() && quota("viel").is_err());
    }
}
