//! The list of libraries; what it changes goes the way of the API.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::Response;

use super::super::super::caller::Who;
use super::super::super::libraries::{self, NewLibrary, has};
use super::super::super::listed::Listing;
use super::super::super::problem::ApiError;
use super::super::here::{Form, Here, done};
use super::choices::{administered, by_id, chosen};
use crate::catalogue::{Library, Organisation, RuleError, Visibility};
use crate::db;
use crate::pages::{self, LibrariesAdminView, LibraryRow, Notice};

/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// How far back the growth of a library is looked at, in days.
const LOOK_BACK_DAYS: i64 = 30;

pub(in crate::api) async fn libraries_page(
    here: Here,
    Query(list): Query<Listing>,
) -> Result<Response, ApiError> {
    let view = view(&here, &list, here.notice()).await?;
    Ok(here.show(|shell| pages::admin_libraries(shell, &view)))
}

pub(in crate::api) async fn libraries_form(form: Form) -> Result<Response, ApiError> {
    let (here, fields) = (form.here, form.fields);
    let make = async {
        let mut db = here.app.db.read().await?;
        let owners = by_id(&administered(&mut db, here.caller()).await?);
        drop(db);
        let owner = chosen(&owners, "owner", fields.one("owner"))?;
        let new = NewLibrary {
            slug: fields.one("slug").trim().to_owned(),
            name: fields.one("name").to_owned(),
            description: fields.one("description").to_owned(),
            visibility: Some(fields.one("visibility").to_owned()),
            publishing: None,
            quota_bytes: Some(quota(fields.one("quota_gb"))?),
            owner: Some(owner).filter(|owner| !owner.is_empty()),
        };
        let who = Who(here.caller().clone());
        libraries::create(State(here.app.clone()), who, Json(new)).await
    };
    match make.await {
        Ok(_) => Ok(done("/admin/libraries")),
        Err(error) => {
            let view = view(&here, &Listing::default(), here.refusal(error)?).await?;
            Ok(here.refuse(|shell| pages::admin_libraries(shell, &view)))
        }
    }
}

/// Bytes of a number of GiB; none is 0.
pub(super) fn quota(text: &str) -> Result<i64, RuleError> {
    let text = text.trim();
    let bad = || RuleError::BadField { field: "quota_gb", value: text.chars().take(40).collect() };
    match text {
        "" => Ok(0),
        _ => Ok(i64::from(text.parse::<u32>().map_err(|_| bad())?) << 30),
    }
}

async fn view(here: &Here, list: &Listing, notice: Notice) -> Result<LibrariesAdminView, ApiError> {
    let viewer = here.authority()?.viewer();
    let mut db = here.app.db.read().await?;
    let ours_of = db::people::libraries(&mut db, &viewer).await?;
    let all = db::organisations::list(&mut db).await?;
    let counts = db::resources::count_published(&mut db).await?;
    let found = db::libraries::list(&mut db).await?.into_iter();
    let found = found.filter(|one| ours_of.contains(&one.id) && has(one, list)).collect();
    let (total, found) = list.cut(found);
    let mut rows = Vec::with_capacity(found.len());
    for library in found {
        rows.push(row(&mut db, &all, &counts, &library, viewer.now_ms).await?);
    }
    Ok(LibrariesAdminView {
        rows,
        list: list.listed("/admin/libraries", "/api/libraries?mine=true", total, &[]),
        owners: by_id(&administered(&mut db, here.caller()).await?),
        whole: viewer.whole,
        notice,
    })
}

pub(super) async fn row(
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
