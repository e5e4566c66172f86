//! Courses as JSON.

mod cartridge;
mod change;
mod lessons;
mod listings;
mod view;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{ETAG, IF_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

pub(super) use self::cartridge::{__path_get_cartridge, get_cartridge};
pub(crate) use self::cartridge::{gather as gather_cartridge, write as write_cartridge};
pub(super) use self::change::{Change, apply, may_be_taken};
pub(super) use self::lessons::{
    __path_get_lessons, __path_put_lessons, Place, cover, get_lessons, places, put_lessons,
};
pub(super) use self::listings::{
    __path_delete_listing, __path_put_listing, delete_listing, put_listing, set_listing,
};
use self::view::{CourseView, view};
use super::caller::Who;
use super::problem::ApiError;
use crate::app::App;
use crate::catalogue::{Caller, Course, CourseDetails, CourseId, Library};
use crate::db;
use crate::db::courses::Filter;

/// A page of courses.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CourseList {
    /// In all.
    total: i64,
    items: Vec<CourseView>,
}

/// Which courses to list.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct ListQuery {
    /// Slug of a library.
    library: Option<String>,
    /// Stage; others than published only where you are an author.
    stage: Option<String>,
    /// From 1.
    page: Option<i64>,
    /// At most 100.
    per_page: Option<i64>,
}

/// A course to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCourse {
    /// Slug of its library.
    library: String,
    title: String,
    #[serde(default)]
    description: String,
    /// Who teaches, as shown.
    #[serde(default)]
    teachers: String,
    #[serde(default)]
    topics: Vec<String>,
    #[serde(default)]
    audiences: Vec<String>,
    /// BCP 47
    language: Option<String>,
    #[serde(default)]
    licence: String,
    /// Of learning.
    hours: Option<f64>,
}

/// What can be changed; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CoursePatch {
    title: Option<String>,
    description: Option<String>,
    teachers: Option<String>,
    topics: Option<Vec<String>>,
    audiences: Option<Vec<String>>,
    /// Empty: not said.
    language: Option<String>,
    licence: Option<String>,
    /// 0: not said.
    hours: Option<f64>,
    /// Id of the resource whose poster is the cover; empty: the first lesson's.
    cover: Option<String>,
}

/// Lists courses that the caller may see, newest first.
#[utoipa::path(get, path = "/api/courses", tag = "courses", params(ListQuery), responses((status = 200, body = CourseList)))]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
    Query(query): Query<ListQuery>,
) -> Result<Json<CourseList>, ApiError> {
    let per_page = query.per_page.unwrap_or(20).clamp(1, 100);
    let page = query.page.unwrap_or(1).clamp(1, 1_000_000);
    let mut filter = Filter { stage: Some("published".into()), ..Filter::default() };
    let mut any_stage = caller.is_administrator();
    match &query.library {
        Some(slug) => {
            let library = visible_library(&app, &caller, slug).await?;
            any_stage = caller.is_author_of(library.id);
            if any_stage && !caller.is_librarian_of(library.id) {
                filter.seen_by = Some(caller.account()?.id.to_string());
            }
            filter.library = Some(library.id);
        }
        None => filter.public_only = !caller.is_administrator(),
    }
    if any_stage {
        filter.stage = query.stage;
    }
    let mut db = app.db.read().await?;
    let (total, found) =
        db::courses::list(&mut db, &filter, (page - 1) * per_page, per_page).await?;
    drop(db);
    let mut items = Vec::with_capacity(found.len());
    for course in found {
        items.push(view(&app, &caller, course).await?);
    }
    Ok(Json(CourseList { total, items }))
}

/// Makes a course without lessons, a draft.
#[utoipa::path(post, path = "/api/courses", tag = "courses", request_body = NewCourse, responses((status = 201, body = CourseView), (status = 422)))]
pub(super) async fn create(
    State(app): State<App>,
    Who(caller): Who,
    Json(new): Json<NewCourse>,
) -> Result<Response, ApiError> {
    let details = CourseDetails {
        title: new.title,
        description: new.description,
        teachers: new.teachers,
        topics: new.topics,
        audiences: new.audiences,
        language: new.language,
        licence: new.licence,
        hours: new.hours,
    };
    let course = make(&app, &caller, &new.library, details).await?;
    Ok((StatusCode::CREATED, told(&app, &caller, course).await?).into_response())
}

/// Makes a draft in the library `slug`.
pub(super) async fn make(
    app: &App,
    caller: &Caller,
    slug: &str,
    details: CourseDetails,
) -> Result<Course, ApiError> {
    let library = visible_library(app, caller, slug)
        .await
        .map_err(|_| ApiError::bad(format!("library {slug:?}")))?;
    let account = caller.may_upload(library.id)?.id;
    let now_ms = app.now_ms();
    let mut course = Course::draft(library.id, account, details.checked()?, now_ms);
    let mut tx = app.db.begin().await?;
    db::courses::insert(&mut tx, &mut course).await?;
    db::lessons::set(&mut tx, course.id, &crate::catalogue::Contents::default()).await?;
    let id = course.id.to_string();
    db::audit::record(&mut tx, now_ms, Some(account), "create-course", &id, &json!({})).await?;
    tx.commit().await?;
    Ok(course)
}

/// A course. The entity tag is for `If-Match` of the change that follows.
#[utoipa::path(get, path = "/api/courses/{id}", tag = "courses", params(("id" = String, Path)), responses((status = 200, body = CourseView), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let (course, _) = visible(&app, &caller, &id).await?;
    told(&app, &caller, course).await
}

/// Changes what is said about a course. With `If-Match` only while it is as it was read.
#[utoipa::path(patch, path = "/api/courses/{id}", tag = "courses",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)), request_body = CoursePatch,
    responses((status = 200, body = CourseView), (status = 412), (status = 422)))]
pub(super) async fn patch(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(patch): Json<CoursePatch>,
) -> Result<Response, ApiError> {
    let change = Change::Edit(Box::new(move |course| {
        let old = std::mem::take(&mut course.details);
        course.details = CourseDetails {
            title: patch.title.unwrap_or(old.title),
            description: patch.description.unwrap_or(old.description),
            teachers: patch.teachers.unwrap_or(old.teachers),
            topics: patch.topics.unwrap_or(old.topics),
            audiences: patch.audiences.unwrap_or(old.audiences),
            // An empty one is dropped when it is checked.
            language: patch.language.or(old.language),
            licence: patch.licence.unwrap_or(old.licence),
            hours: patch.hours.or(old.hours).filter(|hours| *hours != 0.0),
        };
        match patch.cover.as_deref() {
            None => {}
            Some("") => course.cover = None,
            Some(id) => {
                let wrong = || crate::catalogue::RuleError::BadField {
                    field: "cover",
                    value: id.chars().take(40).collect(),
                };
                course.cover = Some(id.parse().map_err(|_| wrong())?);
            }
        }
        Ok(())
    }));
    changed(&app, &caller, &id, &headers, change).await
}

/// Removes a course; its lessons' resources stay.
#[utoipa::path(delete, path = "/api/courses/{id}", tag = "courses", params(("id" = String, Path)), responses((status = 204), (status = 404)))]
pub(super) async fn delete(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    apply(&app, &caller, &id, &expected(&headers), Change::Delete).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets others see a course; it has a lesson at least.
#[utoipa::path(post, path = "/api/courses/{id}/publish", tag = "courses", params(("id" = String, Path)), responses((status = 200, body = CourseView), (status = 409)))]
pub(super) async fn publish(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    changed(&app, &caller, &id, &headers, Change::Publish).await
}

/// Takes a course back; its lessons' resources stay as they are.
#[utoipa::path(post, path = "/api/courses/{id}/withdraw", tag = "courses", params(("id" = String, Path)), responses((status = 200, body = CourseView), (status = 409)))]
pub(super) async fn withdraw(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    changed(&app, &caller, &id, &headers, Change::Withdraw).await
}

async fn changed(
    app: &App,
    caller: &Caller,
    id: &str,
    headers: &HeaderMap,
    change: Change,
) -> Result<Response, ApiError> {
    let course = apply(app, caller, id, &expected(headers), change).await?;
    told(app, caller, course).await
}

/// The course as JSON, with its entity tag.
async fn told(app: &App, caller: &Caller, course: Course) -> Result<Response, ApiError> {
    let tag = etag(course.changed);
    Ok(([(ETAG, tag)], Json(view(app, caller, course).await?)).into_response())
}

/// The course `id` and its library, if the caller may see it.
pub(super) async fn visible(
    app: &App,
    caller: &Caller,
    id: &str,
) -> Result<(Course, Library), ApiError> {
    let id: CourseId = id.parse().map_err(|_| ApiError::NotFound)?;
    let mut db = app.db.read().await?;
    let course = db::courses::find(&mut db, id).await?.ok_or(ApiError::NotFound)?;
    let library = db::libraries::get(&mut db, course.library).await?;
    if course.can_be_seen_by(caller, &library) {
        Ok((course, library))
    } else {
        Err(ApiError::NotFound)
    }
}

/// The library `slug`, if the caller may see it.
pub(super) async fn visible_library(
    app: &App,
    caller: &Caller,
    slug: &str,
) -> Result<Library, ApiError> {
    db::libraries::find_by_slug(&mut *app.db.read().await?, slug)
        .await?
        .filter(|library| caller.can_see_library(library))
        .ok_or(ApiError::NotFound)
}

/// The entity tag of what was changed last by this number.
pub(super) fn etag(number: i64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{number}\"")).expect("digits")
}

/// What may be changed: anything, or what has one of these numbers (RFC 9110 section 13.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expected(Option<Vec<i64>>);

impl Expected {
    /// Only what has this number.
    pub(super) fn only(number: i64) -> Self {
        Self(Some(vec![number]))
    }

    /// 412 unless `number` is among them.
    pub(super) fn check(&self, number: i64) -> Result<(), ApiError> {
        match &self.0 {
            Some(numbers) if !numbers.contains(&number) => {
                Err(ApiError::coded(StatusCode::PRECONDITION_FAILED, "edited_meanwhile", ""))
            }
            _ => Ok(()),
        }
    }
}

/// What the `If-Match` of a request allows to change.
pub(super) fn expected(headers: &HeaderMap) -> Expected {
    let values = headers.get_all(IF_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    let tags: Vec<&str> = values.flat_map(|list| list.split(',')).map(str::trim).collect();
    if tags.is_empty() || tags.contains(&"*") {
        return Expected(None);
    }
    // What compresses on the way makes our tags weak; they are numbers of changes all the same.
    let bare = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"').parse().ok();
    Expected(Some(tags.into_iter().filter_map(bare).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_name_numbers_of_changes() {
        let with = |value: &'static str| {
            expected(&HeaderMap::from_iter([(IF_MATCH, HeaderValue::from_static(value))]))
        };
        assert!(expected(&HeaderMap::new()).check(7).is_ok());
        assert!(with("*").check(7).is_ok() && with("\"6\", W/\"7\"").check(7).is_ok());
        assert!(with("\"6\"").check(7).is_err() && with("x").check(7).is_err());
    }
}
