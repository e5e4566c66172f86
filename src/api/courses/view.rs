//! A course as it is told.

use serde::Serialize;
use utoipa::ToSchema;

use super::{cover, places};
use crate::api::problem::ApiError;
use crate::api::resources::rfc3339;
use crate::app::App;
use crate::catalogue::{Caller, Course};
use crate::db;

/// A course.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct CourseView {
    id: String,
    /// Slug of its library.
    library: String,
    /// draft, published or withdrawn
    stage: &'static str,
    title: String,
    description: String,
    /// As shown.
    teachers: String,
    topics: Vec<String>,
    audiences: Vec<String>,
    language: Option<String>,
    licence: String,
    /// Of learning, as its teachers count them.
    hours: Option<f64>,
    /// Lessons that you may see.
    lessons: usize,
    /// How long those play that play, together.
    duration_ms: i64,
    /// Id of the resource whose poster was chosen as the cover.
    cover: Option<String>,
    /// Address of the cover.
    poster: Option<String>,
    /// Slugs of the libraries that show it beside their own courses.
    listings: Vec<String>,
    /// Its page.
    url: String,
    /// RFC 3339.
    created: String,
    /// RFC 3339.
    published: Option<String>,
}

/// `course` as `caller` sees it.
pub(in crate::api) async fn view(
    app: &App,
    caller: &Caller,
    course: Course,
) -> Result<CourseView, ApiError> {
    let mut db = app.db.read().await?;
    let contents = db::lessons::contents(&mut db, course.id).await?;
    let listings = db::courses::listings(&mut db, course.id).await?;
    let libraries = db::libraries::list(&mut db).await?;
    drop(db);
    let places = places(app, caller, &contents, false).await?;
    let own = libraries.iter().find(|library| library.id == course.library);
    let seen = libraries.iter().filter(|library| listings.contains(&library.id));
    let seen = seen.filter(|library| caller.can_see_library(library));
    let lasts = |place: &super::Place| place.found.as_ref().and_then(|(r, _)| r.duration_ms);
    Ok(CourseView {
        poster: cover(app, caller, &course, &places).await?,
        cover: course.cover.map(|id| id.to_string()),
        lessons: places.len(),
        duration_ms: places.iter().filter_map(lasts).sum(),
        listings: seen.map(|library| library.slug.to_string()).collect(),
        library: own.map(|library| library.slug.to_string()).unwrap_or_default(),
        stage: course.stage.as_str(),
        url: format!("/courses/{}", course.id),
        id: course.id.to_string(),
        title: course.details.title,
        description: course.details.description,
        teachers: course.details.teachers,
        topics: course.details.topics,
        audiences: course.details.audiences,
        language: course.details.language,
        licence: course.details.licence,
        hours: course.details.hours,
        created: rfc3339(course.created_ms),
        published: course.published_ms.map(rfc3339),
    })
}
