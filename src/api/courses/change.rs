//! What people do to a course: each in one transaction, with its audit row.

use std::collections::HashMap;

use http::StatusCode;
use serde_json::json;

use super::Expected;
use crate::api::problem::ApiError;
use crate::app::App;
use crate::catalogue::{
    Caller, Contents, Course, CourseId, Lesson, Library, Resource, ResourceId, RuleError, Section,
    Stage, Visibility,
};
use crate::db;

/// Says something else about a course.
pub(in crate::api) type EditCourse = Box<dyn FnOnce(&mut Course) -> Result<(), RuleError> + Send>;

/// What is to be done.
pub(in crate::api) enum Change {
    /// Say something else about it.
    Edit(EditCourse),
    /// Put its lessons otherwise, or other ones.
    Contents(Box<dyn FnOnce(&mut Contents) + Send>),
    /// Put these sections in the place of what is in it.
    Sections(Vec<Section>),
    Publish,
    Withdraw,
    Delete,
}

impl Change {
    fn name(&self) -> &'static str {
        match self {
            Self::Edit(_) => "edit-course",
            Self::Contents(_) | Self::Sections(_) => "edit-lessons",
            Self::Publish => "publish-course",
            Self::Withdraw => "withdraw-course",
            Self::Delete => "delete-course",
        }
    }
}

/// Does `change` to the course `id` if it is as `expected` and `caller` may.
pub(in crate::api) async fn apply(
    app: &App,
    caller: &Caller,
    id: &str,
    expected: &Expected,
    change: Change,
) -> Result<Course, ApiError> {
    let account = caller.account()?.id;
    let id: CourseId = id.parse().map_err(|_| ApiError::NotFound)?;
    let now_ms = app.now_ms();
    let mut tx = app.db.begin().await?;
    let course = db::courses::find_locked(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    let library = db::libraries::get(&mut tx, course.library).await?;
    if !course.can_be_seen_by(caller, &library) {
        return Err(ApiError::NotFound);
    }
    if !course.can_be_edited_by(caller) {
        return Err(RuleError::Forbidden.into());
    }
    expected.check(course.changed)?;
    let name = change.name();
    let mut course = match change {
        Change::Edit(edit) => edited(&mut tx, caller, course, edit).await?,
        Change::Contents(rearrange) => {
            let before = db::lessons::contents(&mut tx, id).await?;
            let mut after = before.clone();
            rearrange(&mut after);
            let most = app.config.courses.max_lessons;
            let after = Contents::of(after.into_sections(), most)?;
            filled(&mut tx, caller, &course, &before, after).await?;
            course
        }
        Change::Sections(sections) => {
            let before = db::lessons::contents(&mut tx, id).await?;
            let after = Contents::of(sections, app.config.courses.max_lessons)?;
            filled(&mut tx, caller, &course, &before, after).await?;
            course
        }
        Change::Publish => {
            if db::lessons::contents(&mut tx, id).await?.lessons().next().is_none() {
                return Err(ApiError::coded(StatusCode::CONFLICT, "course_empty", ""));
            }
            course.publish(now_ms)?
        }
        Change::Withdraw => course.withdraw()?,
        Change::Delete => {
            db::lessons::set(&mut tx, id, &Contents::default()).await?;
            course.delete()
        }
    };
    db::courses::save(&mut tx, &mut course, now_ms).await?;
    db::audit::record(&mut tx, now_ms, Some(account), name, &id.to_string(), &json!({})).await?;
    tx.commit().await?;
    app.resource_changed.notify_one();
    Ok(course)
}

async fn edited(
    tx: &mut db::Tx,
    caller: &Caller,
    mut course: Course,
    edit: EditCourse,
) -> Result<Course, ApiError> {
    let cover = course.cover;
    edit(&mut course)?;
    course.details = course.details.checked()?;
    if let Some(id) = course.cover.filter(|id| Some(*id) != cover) {
        let all = taken(tx, caller, &course, &[id]).await?;
        if !all.contains_key(&id) {
            return Err(RuleError::BadField { field: "cover", value: id.to_string() }.into());
        }
    }
    Ok(course)
}

/// Keeps `after`. What was not there `before` must be something that may be taken in.
async fn filled(
    tx: &mut db::Tx,
    caller: &Caller,
    course: &Course,
    before: &Contents,
    after: Contents,
) -> Result<(), ApiError> {
    let known: HashMap<_, &Lesson> =
        before.lessons().map(|(_, lesson)| (lesson.id, lesson)).collect();
    let same = |lesson: &Lesson| {
        known.get(&lesson.id).filter(|other| other.resource == lesson.resource).copied()
    };
    let fresh = after.lessons().filter(|(_, lesson)| same(lesson).is_none());
    let fresh: Vec<ResourceId> = fresh.map(|(_, lesson)| lesson.resource).collect();
    let taken = taken(tx, caller, course, &fresh).await?;
    let mut sections = after.into_sections();
    for lesson in sections.iter_mut().flat_map(|section| &mut section.lessons) {
        lesson.was = match (same(lesson), taken.get(&lesson.resource)) {
            (Some(other), _) => other.was.clone(),
            (None, Some(resource)) => resource.details.title.clone(),
            (None, None) => {
                let value = lesson.resource.to_string();
                return Err(RuleError::BadField { field: "lessons", value }.into());
            }
        };
    }
    let contents = Contents::of(sections, usize::MAX)?;
    Ok(db::lessons::set(tx, course.id, &contents).await?)
}

/// Those of the resources `ids` that `caller` may take into the course.
async fn taken(
    tx: &mut db::Tx,
    caller: &Caller,
    course: &Course,
    ids: &[ResourceId],
) -> Result<HashMap<ResourceId, Resource>, ApiError> {
    let libraries = db::libraries::list(tx).await?;
    let mut found = db::resources::list_these(tx, ids).await?;
    found.retain(|resource| {
        let library = libraries.iter().find(|library| library.id == resource.library);
        library.is_some_and(|library| may_be_taken(caller, course.library, resource, library))
    });
    Ok(found.into_iter().map(|resource| (resource.id, resource)).collect())
}

/// Whether `caller` may take `resource` of `library` into a course or collection of the library
/// `own`: of the same library whatever they see, of another what everybody sees.
pub(in crate::api) fn may_be_taken(
    caller: &Caller,
    own: crate::catalogue::LibraryId,
    resource: &Resource,
    library: &Library,
) -> bool {
    if resource.library == own {
        return caller.can_see(resource, library);
    }
    resource.stage == Stage::Published && library.visibility == Visibility::Public
}
