//! What the index follows: resources and courses, by the numbers of their changes.

use indexer::Entry;
use sqlx::AnyConnection;

use super::Error;
use super::index::{entry, labels};
use crate::catalogue::{Course, Resource, Stage, Visibility};
use crate::db;

/// A resource or a course that was changed.
pub(super) enum Changed {
    Resource(Box<Resource>),
    Course(Box<Course>),
}

/// Up to `limit` of what was changed after the change `mark`, in the order of the changes.
pub(super) async fn list(
    db: &mut AnyConnection,
    mark: i64,
    limit: i64,
) -> Result<Vec<Changed>, Error> {
    let resources = db::resources::list_changed(db, mark, limit).await?;
    let courses = db::courses::list_changed(db, mark, limit).await?;
    let resources = resources.into_iter().map(|one| Changed::Resource(Box::new(one)));
    let courses = courses.into_iter().map(|one| Changed::Course(Box::new(one)));
    let mut all: Vec<Changed> = resources.chain(courses).collect();
    all.sort_unstable_by_key(Changed::number);
    // Each list is whole up to its own last: so are the first of both.
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(all)
}

impl Changed {
    /// Number of the change.
    pub(super) fn number(&self) -> i64 {
        match self {
            Self::Resource(resource) => resource.changed,
            Self::Course(course) => course.changed,
        }
    }

    /// Its id, and what the index is given of it: nothing unless it is public.
    pub(super) async fn entry(
        self,
        db: &mut AnyConnection,
    ) -> Result<(String, Option<Entry>), Error> {
        match self {
            Self::Resource(resource) => entry(db, *resource).await,
            Self::Course(course) => course_entry(db, *course).await,
        }
    }
}

async fn course_entry(
    db: &mut AnyConnection,
    course: Course,
) -> Result<(String, Option<Entry>), Error> {
    let id = course.id.to_string();
    if course.stage != Stage::Published {
        return Ok((id, None));
    }
    let library = db::libraries::get(db, course.library).await?;
    if library.visibility != Visibility::Public {
        return Ok((id, None));
    }
    // Its own words only: what it says of its resources would have to follow their changes.
    let contents = db::lessons::contents(db, course.id).await?;
    let own = contents.sections().iter().map(|section| &section.title);
    let own = own.chain(contents.lessons().map(|(_, lesson)| &lesson.title));
    let own = own.filter(|title| !title.is_empty()).cloned();
    let details = course.details;
    let entry = Entry {
        resource: id.clone(),
        library: library.slug.to_string(),
        kind: indexer::COURSE.to_owned(),
        title: details.title,
        description: details.description,
        author: details.teachers,
        words: labels(&details.topics).into_iter().chain(own).collect(),
        topics: details.topics,
        audiences: details.audiences,
        language: details.language,
        published_ms: course.published_ms.unwrap_or_default(),
        duration_ms: None,
        passages: Vec::new(),
    };
    Ok((id, Some(entry)))
}
