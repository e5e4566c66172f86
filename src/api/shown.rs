//! What a search shows: resources and courses.

use std::collections::{BTreeSet, HashMap};

use super::problem::ApiError;
use crate::app::App;
use crate::catalogue::{Course, CourseId, Resource, ResourceId};
use crate::db;

/// A resource or a course that was found.
pub(super) enum Shown {
    Resource(Box<Resource>),
    Course(Box<Course>),
}

impl Shown {
    pub(super) fn id(&self) -> String {
        match self {
            Self::Resource(resource) => resource.id.to_string(),
            Self::Course(course) => course.id.to_string(),
        }
    }

    pub(super) fn title(&self) -> &str {
        match self {
            Self::Resource(resource) => &resource.details.title,
            Self::Course(course) => &course.details.title,
        }
    }

    /// Path of its page.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Resource(resource) => format!("/resources/{}", resource.id),
            Self::Course(course) => format!("/courses/{}", course.id),
        }
    }

    /// Plain text.
    pub(super) fn description(&self) -> &str {
        match self {
            Self::Resource(resource) => &resource.details.description,
            Self::Course(course) => &course.details.description,
        }
    }
}

/// Those of `ids` that everybody may see now.
pub(super) async fn public(app: &App, ids: &[String]) -> Result<HashMap<String, Shown>, ApiError> {
    let mut db = app.db.read().await?;
    let resources = db::resources::list_public(&mut db, ids).await?;
    let mut shown: HashMap<String, Shown> = resources
        .into_iter()
        .map(|resource| (resource.id.to_string(), Shown::Resource(Box::new(resource))))
        .collect();
    let others: Vec<String> = ids.iter().filter(|id| !shown.contains_key(*id)).cloned().collect();
    let courses = db::courses::list_public(&mut db, &others).await?;
    shown.extend(
        courses.into_iter().map(|course| (course.id.to_string(), Shown::Course(Box::new(course)))),
    );
    Ok(shown)
}

/// Those of `ids` that everybody may see now, by id alone.
pub(super) async fn public_ids(app: &App, ids: &[String]) -> Result<Vec<String>, ApiError> {
    let mut db = app.db.read().await?;
    let mut found = db::resources::public_among(&mut db, ids).await?;
    let others: Vec<String> = ids.iter().filter(|id| !found.contains(id)).cloned().collect();
    let courses = db::courses::list_public(&mut db, &others).await?;
    found.extend(courses.iter().map(|course| course.id.to_string()));
    Ok(found)
}

/// Ids of the resources in the course `id`, for a search in it; nothing when it names none.
pub(super) async fn lessons_of(app: &App, id: &str) -> Result<Vec<String>, ApiError> {
    let id: CourseId = id.parse().map_err(|_| ApiError::NotFound)?;
    let contents = db::lessons::contents(&mut *app.db.read().await?, id).await?;
    let ids: BTreeSet<ResourceId> = contents.lessons().map(|(_, lesson)| lesson.resource).collect();
    Ok(ids.iter().map(ToString::to_string).collect())
}
