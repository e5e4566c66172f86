//! The lessons of a course as a caller sees them.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::ETAG;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Change, apply, etag, expected, visible};
use crate::api::caller::Who;
use crate::api::links;
use crate::api::problem::ApiError;
use crate::app::App;
use crate::catalogue::{
    Caller, Contents, Course, Lesson, LessonId, Library, Resource, ResourceId, RuleError, Section,
    Stage, Visibility,
};
use crate::db;

/// A lesson in its place.
pub(in crate::api) struct Place {
    /// From 1, through the whole course, lessons that are not shown among them.
    pub number: i64,
    /// Number of its section, from 0.
    pub section: usize,
    pub lesson: Lesson,
    /// The resource and its library; nothing when the caller may not see it, or it is gone.
    pub found: Option<(Resource, Library)>,
}

impl Place {
    /// Learners have it: its resource is published.
    pub(in crate::api) fn is_open(&self) -> bool {
        self.found.as_ref().is_some_and(|(resource, _)| resource.stage == Stage::Published)
    }

    /// Its own title, else that of its resource, else what that was called.
    pub(in crate::api) fn title(&self) -> &str {
        match &self.found {
            _ if !self.lesson.title.is_empty() => &self.lesson.title,
            Some((resource, _)) => &resource.details.title,
            None => &self.lesson.was,
        }
    }

    /// The library that is to be thanked: another than the course's.
    pub(in crate::api) fn owner(&self, course: &Course) -> Option<&Library> {
        let (_, library) = self.found.as_ref()?;
        Some(library).filter(|library| library.id != course.library)
    }

    /// Address of a picture of it.
    pub(in crate::api) fn poster(&self, app: &App) -> Option<String> {
        let (resource, library) = self.found.as_ref()?;
        poster(app, resource, library)
    }
}

/// The lessons of `course`: all of them with `all`, for who edits it; else those that are open to
/// `caller`.
pub(in crate::api) async fn places(
    app: &App,
    caller: &Caller,
    contents: &Contents,
    all: bool,
) -> Result<Vec<Place>, ApiError> {
    let mut db = app.db.read().await?;
    let ids: Vec<ResourceId> = contents.lessons().map(|(_, lesson)| lesson.resource).collect();
    let resources = db::resources::list_these(&mut db, &ids).await?;
    let libraries = db::libraries::list(&mut db).await?;
    let seen = |id: ResourceId| {
        let resource = resources.iter().find(|resource| resource.id == id)?;
        let library = libraries.iter().find(|library| library.id == resource.library)?;
        caller.can_see(resource, library).then(|| (resource.clone(), library.clone()))
    };
    let place = |(number, (section, lesson)): (i64, (usize, &Lesson))| Place {
        number,
        section,
        lesson: lesson.clone(),
        found: seen(lesson.resource),
    };
    let places = (1_i64..).zip(contents.lessons()).map(place);
    Ok(places.filter(|place| all || place.is_open()).collect())
}

/// Address of the cover of `course`: what was chosen, else of the first of `places` that has one.
pub(in crate::api) async fn cover(
    app: &App,
    caller: &Caller,
    course: &Course,
    places: &[Place],
) -> Result<Option<String>, ApiError> {
    if let Some(id) = course.cover {
        let mut db = app.db.read().await?;
        if let Some(resource) = db::resources::find(&mut db, id).await? {
            let library = db::libraries::get(&mut db, resource.library).await?;
            let shown = resource.stage == Stage::Published || course.can_be_edited_by(caller);
            if shown && caller.can_see(&resource, &library) && resource.poster.is_some() {
                return Ok(poster(app, &resource, &library));
            }
        }
    }
    let open = places.iter().filter(|place| place.is_open());
    Ok(open.filter_map(|place| place.poster(app)).next())
}

fn poster(app: &App, resource: &Resource, library: &Library) -> Option<String> {
    let public = resource.stage == Stage::Published && library.visibility == Visibility::Public;
    links::poster(&links::base_of(app, resource, public), resource.poster.as_deref())
}

/// What is in a course.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ContentsView {
    sections: Vec<SectionView>,
}

/// A section.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SectionView {
    /// Of the first it may be empty.
    title: String,
    lessons: Vec<LessonView>,
}

/// A lesson.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LessonView {
    id: String,
    /// In its address, from 1.
    number: i64,
    title: String,
    /// Id of its resource.
    resource: String,
    /// Stage of its resource; `gone` when you cannot see it any more. For learners always published.
    state: &'static str,
    /// Of its resource: video, audio, document, image or package.
    kind: Option<&'static str>,
    duration_ms: Option<i64>,
    pages: Option<i64>,
    /// Slug and name of the library that it was taken from with thanks; null: the course's own.
    thanks: Option<(String, String)>,
    /// Its page.
    url: String,
}

/// Sections to be put in the place of what is in a course.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NewContents {
    sections: Vec<NewSection>,
}

/// A section.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSection {
    /// Of the first it may be empty.
    #[serde(default)]
    title: String,
    #[serde(default)]
    lessons: Vec<NewLesson>,
}

/// A lesson.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLesson {
    /// Of a lesson that is there already; left out: a new one.
    id: Option<String>,
    /// Id of the resource.
    resource: String,
    /// Empty: the resource's.
    #[serde(default)]
    title: String,
}

/// The lessons of a course in their sections. The entity tag is for `If-Match` of the `PUT` that follows.
#[utoipa::path(get, path = "/api/courses/{id}/lessons", tag = "courses", params(("id" = String, Path)), responses((status = 200, body = ContentsView), (status = 404)))]
pub(in crate::api) async fn get_lessons(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let (course, _) = visible(&app, &caller, &id).await?;
    told(&app, &caller, &course).await
}

/// Puts sections and lessons in the place of those in a course. With `If-Match` only while it is as it was read.
#[utoipa::path(put, path = "/api/courses/{id}/lessons", tag = "courses",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)), request_body = NewContents,
    responses((status = 200, body = ContentsView), (status = 412), (status = 422)))]
pub(in crate::api) async fn put_lessons(
    State(app): State<App>,
    Who(caller): Who,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(new): Json<NewContents>,
) -> Result<Response, ApiError> {
    let sections = new.sections.into_iter().map(section).collect::<Result<_, _>>()?;
    let change = Change::Sections(sections);
    let course = apply(&app, &caller, &id, &expected(&headers), change).await?;
    told(&app, &caller, &course).await
}

fn section(new: NewSection) -> Result<Section, RuleError> {
    let lessons = new.lessons.into_iter().map(lesson).collect::<Result<_, _>>()?;
    Ok(Section { title: new.title, lessons })
}

fn lesson(new: NewLesson) -> Result<Lesson, RuleError> {
    let wrong = |value: &str| RuleError::BadField {
        field: "lessons",
        value: value.chars().take(40).collect(),
    };
    Ok(Lesson {
        id: match &new.id {
            None => LessonId::fresh(),
            Some(id) => id.parse().map_err(|_| wrong(id))?,
        },
        resource: new.resource.parse().map_err(|_| wrong(&new.resource))?,
        title: new.title,
        was: String::new(),
    })
}

async fn told(app: &App, caller: &Caller, course: &Course) -> Result<Response, ApiError> {
    let contents = db::lessons::contents(&mut *app.db.read().await?, course.id).await?;
    let all = course.can_be_edited_by(caller);
    let mut places = places(app, caller, &contents, all).await?.into_iter().peekable();
    let mut sections = Vec::new();
    for (number, section) in contents.sections().iter().enumerate() {
        let mut lessons = Vec::new();
        while let Some(place) = places.next_if(|place| place.section == number) {
            lessons.push(lesson_view(course, &place));
        }
        sections.push(SectionView { title: section.title.clone(), lessons });
    }
    let view = ContentsView { sections };
    Ok(([(ETAG, etag(course.changed))], Json(view)).into_response())
}

fn lesson_view(course: &Course, place: &Place) -> LessonView {
    let resource = place.found.as_ref().map(|(resource, _)| resource);
    LessonView {
        id: place.lesson.id.to_string(),
        number: place.number,
        title: place.title().to_owned(),
        resource: place.lesson.resource.to_string(),
        state: resource.map_or("gone", |resource| resource.stage.as_str()),
        kind: resource.map(|resource| resource.kind.as_str()),
        duration_ms: resource.and_then(|resource| resource.duration_ms),
        pages: resource.and_then(|resource| resource.pages),
        thanks: place.owner(course).map(|library| (library.slug.to_string(), library.name.clone())),
        url: format!("/courses/{}/lessons/{}", course.id, place.number),
    }
}
