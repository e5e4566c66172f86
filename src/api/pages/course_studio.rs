//! Pages in which courses and collections are made and edited.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use serde::Deserialize;

use super::super::collections::{self, Edit};
use super::super::courses::{self, Change, Expected, Place, apply, cover, places, visible};
use super::super::problem::ApiError;
use super::super::search::{SearchQuery, find};
use super::super::sentences::{rule, sentence};
use super::super::shown::Shown;
use super::here::{Form, Here};
use super::studio::Fields;
use super::tiles::tiles;
use crate::app::App;
use crate::catalogue::{
    Caller, Contents, Course, CourseDetails, Lesson, LessonId, Library, LibraryId, Ordering,
    Resource, ResourceId, RuleError, Stage, Way,
};
use crate::db;
use crate::pages::{
    self, CollectionEditView, CourseEditView, CourseStudioRow, CoursesView, EditLesson,
    EditSection, Lang, LessonState, PickedRow, PickerView, TileKind,
};

/// Resources that a picker offers of the own library, and of what a search finds.
const PICKED: i64 = 24;

/// Courses that the list shows.
const LISTED: i64 = 200;

/// What is looked for, and what came of a form.
#[derive(Debug, Default, Deserialize)]
pub(in crate::api) struct EditQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    saved: String,
}

pub(in crate::api) async fn courses_page(here: Here) -> Result<Response, ApiError> {
    let (app, caller) = (&here.app, here.caller());
    let mut db = app.db.read().await?;
    let all = db::libraries::list(&mut db).await?;
    let own: Vec<&Library> = all.iter().filter(|own| caller.is_author_of(own.id)).collect();
    let name = |id: LibraryId| {
        own.iter().find(|library| library.id == id).map(|library| library.name.clone())
    };
    let (mut courses, mut collections) = (Vec::new(), Vec::new());
    for library in &own {
        let filter = db::courses::Filter { library: Some(library.id), ..Default::default() };
        let (_, found) = db::courses::list(&mut db, &filter, 0, LISTED).await?;
        for course in found.into_iter().filter(|course| course.can_be_edited_by(caller)) {
            let lessons = db::lessons::contents(&mut db, course.id).await?.lessons().count();
            courses.push(CourseStudioRow {
                href: format!("/studio/courses/{}", course.id),
                library: name(course.library).unwrap_or_default(),
                title: course.details.title,
                stage: Some(course.stage),
                count: lessons as u64,
                updated_ms: course.updated_ms,
            });
        }
        let found = db::collections::list(&mut db, Some(library.id)).await?;
        for collection in found.into_iter().filter(|one| one.can_be_edited_by(caller)) {
            let count = db::collections::resources(&mut db, collection.id).await?.len();
            collections.push(CourseStudioRow {
                href: format!("/studio/collections/{}", collection.id),
                library: name(collection.library).unwrap_or_default(),
                title: collection.title,
                stage: None,
                count: count as u64,
                updated_ms: collection.updated_ms,
            });
        }
    }
    drop(db);
    courses.sort_by_key(|row| std::cmp::Reverse(row.updated_ms));
    collections.sort_by_key(|row| std::cmp::Reverse(row.updated_ms));
    let libraries =
        own.iter().map(|library| (library.slug.to_string(), library.name.clone())).collect();
    let view = CoursesView { libraries, courses, collections };
    Ok(here.show(|shell| pages::courses(shell, &view)))
}

/// Makes a course: `title`, `library`.
pub(in crate::api) async fn new_course(form: Form) -> Result<Response, ApiError> {
    let (here, fields) = (form.here, form.fields);
    let details = CourseDetails { title: fields.one("title").to_owned(), ..Default::default() };
    let course = courses::make(&here.app, here.caller(), fields.one("library"), details).await?;
    Ok(Redirect::to(&format!("/studio/courses/{}", course.id)).into_response())
}

/// Makes a collection: `title`, `library`.
pub(in crate::api) async fn new_collection(form: Form) -> Result<Response, ApiError> {
    let (here, fields) = (form.here, form.fields);
    let edit = Edit { title: Some(fields.one("title").to_owned()), ..Edit::default() };
    let made = collections::make(&here.app, here.caller(), fields.one("library"), edit).await?;
    Ok(Redirect::to(&format!("/studio/collections/{}", made.id)).into_response())
}

pub(in crate::api) async fn course_edit_page(
    here: Here,
    Path(id): Path<String>,
    Query(query): Query<EditQuery>,
) -> Result<Response, ApiError> {
    let (course, library) = editable(&here.app, here.caller(), &id).await?;
    let mut view = edit_view(&here.app, here.caller(), &course, &library, &query.q).await?;
    view.saved = saved(&here, &query);
    Ok(here.show(|shell| pages::edit_course(shell, &view)))
}

/// What came of a form.
fn saved(here: &Here, query: &EditQuery) -> Option<String> {
    (!query.saved.is_empty()).then(|| here.reader.lang.pick("已保存", "Saved").to_owned())
}

/// The course `id` and its library, if the caller may edit it.
async fn editable(app: &App, caller: &Caller, id: &str) -> Result<(Course, Library), ApiError> {
    let (course, library) = visible(app, caller, id).await?;
    if course.can_be_edited_by(caller) {
        Ok((course, library))
    } else {
        Err(RuleError::Forbidden.into())
    }
}

/// What a form of the course's page asks for: `action`, a verb and mostly what it is done to.
pub(in crate::api) async fn course_form(
    Path(id): Path<String>,
    Query(query): Query<EditQuery>,
    Form { here, fields }: Form,
) -> Result<Response, ApiError> {
    let (app, caller, lang) = (&here.app, here.caller(), here.reader.lang);
    let wrong = || ApiError::bad("version");
    let expected = Expected::only(fields.one("version").parse().map_err(|_| wrong())?);
    let (verb, what) = fields.one("action").split_once(':').unwrap_or((fields.one("action"), ""));
    let (verb, what) = (verb.to_owned(), what.to_owned());
    let details = details(&fields);
    let done = match change(&verb, &what, fields, details.clone()) {
        Ok(change) => apply(app, caller, &id, &expected, change).await,
        Err(rule) => Err(rule.into()),
    };
    let (refusals, status) = match done {
        Ok(_) if verb == "delete" => return Ok(Redirect::to("/studio/courses").into_response()),
        Ok(_) => {
            let saved = format!(
                "/studio/courses/{id}?q={}&saved=1",
                super::super::search::encode(&query.q)
            );
            return Ok(Redirect::to(&format!("{saved}{}", place_of(&verb, &what))).into_response());
        }
        Err(ApiError::Rule(broken @ RuleError::BadField { field, .. })) => {
            (vec![(field.to_owned(), rule(lang, &broken))], StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(ApiError::Rule(broken @ RuleError::WrongStage(_))) => {
            (vec![(String::new(), rule(lang, &broken))], StatusCode::CONFLICT)
        }
        Err(ApiError::Coded { status, code, info }) => {
            (vec![(String::new(), sentence(lang, code, &info))], status)
        }
        Err(error) => return Err(error),
    };
    // What is there now, with what was typed where that is what was refused.
    let (course, library) = editable(app, caller, &id).await?;
    let mut view = edit_view(app, caller, &course, &library, &query.q).await?;
    view.refusals = refusals;
    if verb == "save" {
        typed(&mut view, details);
    }
    Ok((status, here.show(|shell| pages::edit_course(shell, &view))).into_response())
}

/// Where the page opens again, so that what was just done stays in sight.
fn place_of(verb: &str, what: &str) -> String {
    match verb {
        "up" | "down" | "put" | "to" => format!("#lesson-{what}"),
        "add" | "cover" => "#picker".to_owned(),
        "save" => "#details".to_owned(),
        "publish" | "withdraw" => String::new(),
        _ => "#contents".to_owned(),
    }
}

fn details(fields: &Fields) -> (CourseDetails, String) {
    let hours = fields.one("hours").trim().to_owned();
    let details = CourseDetails {
        title: fields.one("title").to_owned(),
        description: fields.one("description").to_owned(),
        teachers: fields.one("teachers").to_owned(),
        topics: fields.all("topics"),
        audiences: fields.all("audiences"),
        language: Some(fields.one("language").to_owned()).filter(|language| !language.is_empty()),
        licence: fields.one("licence").to_owned(),
        // What is no number cannot be kept, which is told then.
        hours: (!hours.is_empty()).then(|| hours.parse().unwrap_or(f64::NAN)),
    };
    (details, hours)
}

fn typed(view: &mut CourseEditView, (details, hours): (CourseDetails, String)) {
    view.title = details.title;
    view.description = details.description;
    view.teachers = details.teachers;
    view.hours = hours;
    view.language = details.language.unwrap_or_default();
    view.licence = details.licence;
    view.topics = details.topics;
    view.audiences = details.audiences;
}

/// The change that a button stands for.
fn change(
    verb: &str,
    what: &str,
    fields: Fields,
    (details, hours): (CourseDetails, String),
) -> Result<Change, RuleError> {
    let wrong =
        |field: &'static str| RuleError::BadField { field, value: what.chars().take(40).collect() };
    let lesson = || what.parse::<LessonId>().map_err(|_| wrong("lessons"));
    let section = || what.parse::<usize>().map_err(|_| wrong("sections"));
    let rearrange = |how: Box<dyn FnOnce(&mut Contents) + Send>| Ok(Change::Contents(how));
    match verb {
        "publish" => Ok(Change::Publish),
        "withdraw" => Ok(Change::Withdraw),
        "delete" => Ok(Change::Delete),
        "save" => {
            if details.hours.is_some_and(f64::is_nan) {
                return Err(RuleError::BadField { field: "hours", value: hours });
            }
            Ok(Change::Edit(Box::new(move |course| {
                course.details = details;
                Ok(())
            })))
        }
        "cover" => {
            let cover = match what {
                "" => None,
                id => Some(id.parse().map_err(|_| wrong("cover"))?),
            };
            Ok(Change::Edit(Box::new(move |course| {
                course.cover = cover;
                Ok(())
            })))
        }
        "add" => {
            let resource: ResourceId = what.parse().map_err(|_| wrong("lessons"))?;
            let into = fields.one("section").parse().unwrap_or(usize::MAX);
            let (title, was) = (String::new(), String::new());
            let lesson = Lesson { id: LessonId::fresh(), resource, title, was };
            rearrange(Box::new(move |contents| contents.add(into, lesson)))
        }
        "up" | "down" => {
            let (id, way) = (lesson()?, if verb == "up" { Way::Up } else { Way::Down });
            rearrange(Box::new(move |contents| contents.shift(id, way)))
        }
        "remove" => {
            let id = lesson()?;
            rearrange(Box::new(move |contents| drop(contents.take(id))))
        }
        "to" => {
            let id = lesson()?;
            let to = fields.one(&format!("to-{what}")).parse().unwrap_or(usize::MAX);
            rearrange(Box::new(move |contents| contents.put(id, to, None)))
        }
        "put" => {
            let (id, to) = (lesson()?, fields.one("to").parse().unwrap_or(usize::MAX));
            let before = fields.one("before").parse().ok();
            rearrange(Box::new(move |contents| contents.put(id, to, before)))
        }
        "add-section" => {
            let title = fields.one("new-section").to_owned();
            rearrange(Box::new(move |contents| contents.add_section(&title)))
        }
        "section-up" | "section-down" => {
            let way = if verb == "section-up" { Way::Up } else { Way::Down };
            let number = section()?;
            rearrange(Box::new(move |contents| contents.shift_section(number, way)))
        }
        "section-remove" => {
            let number = section()?;
            rearrange(Box::new(move |contents| contents.remove_section(number)))
        }
        "titles" => rearrange(Box::new(move |contents| name_all(contents, &fields))),
        _ => Err(RuleError::BadField { field: "action", value: verb.chars().take(40).collect() }),
    }
}

/// Gives sections and lessons the titles that are in the form.
fn name_all(contents: &mut Contents, fields: &Fields) {
    for number in 0..contents.sections().len() {
        if let Some(title) = fields.find(&format!("section-{number}")) {
            contents.rename_section(number, title);
        }
    }
    let ids: Vec<LessonId> = contents.lessons().map(|(_, lesson)| lesson.id).collect();
    for id in ids {
        if let Some(title) = fields.find(&format!("title-{id}")) {
            contents.rename(id, title);
        }
    }
}

async fn edit_view(
    app: &App,
    caller: &Caller,
    course: &Course,
    library: &Library,
    q: &str,
) -> Result<CourseEditView, ApiError> {
    let contents = db::lessons::contents(&mut *app.db.read().await?, course.id).await?;
    let places = places(app, caller, &contents, true).await?;
    let inside: Vec<ResourceId> = places.iter().map(|place| place.lesson.resource).collect();
    let details = course.details.clone();
    Ok(CourseEditView {
        id: course.id.to_string(),
        version: course.changed,
        stage: course.stage,
        library_name: library.name.clone(),
        library: library.slug.to_string(),
        saved: None,
        refusals: Vec::new(),
        title: details.title,
        description: details.description,
        teachers: details.teachers,
        hours: details.hours.map(|hours| hours.to_string()).unwrap_or_default(),
        language: details.language.unwrap_or_default(),
        licence: details.licence,
        topics: details.topics,
        audiences: details.audiences,
        poster: cover(app, caller, course, &places).await?,
        cover_chosen: course.cover.is_some(),
        sections: contents
            .sections()
            .iter()
            .enumerate()
            .map(|(number, section)| EditSection {
                title: section.title.clone(),
                lessons: places
                    .iter()
                    .filter(|place| place.section == number)
                    .map(|place| edit_lesson(course, place))
                    .collect(),
            })
            .collect(),
        picker: picker(app, caller, library, q, &inside).await?,
    })
}

fn edit_lesson(course: &Course, place: &Place) -> EditLesson {
    let resource = place.found.as_ref().map(|(resource, _)| resource);
    EditLesson {
        id: place.lesson.id.to_string(),
        number: place.number,
        title: place.title().to_owned(),
        own_title: place.lesson.title.clone(),
        kind: resource.map(|resource| resource.kind),
        duration_ms: resource.and_then(|r| r.duration_ms).and_then(|ms| u64::try_from(ms).ok()),
        pages: resource.and_then(|r| r.pages).and_then(|pages| u32::try_from(pages).ok()),
        thanks: place.owner(course).map(|library| library.name.clone()),
        state: match resource.map(|resource| resource.stage) {
            Some(Stage::Published) => LessonState::Open,
            Some(stage) => LessonState::Not(stage),
            None => LessonState::Gone,
        },
    }
}

/// Resources whose titles hold `q` of the own library, then what a search finds everywhere.
async fn picker(
    app: &App,
    caller: &Caller,
    library: &Library,
    q: &str,
    inside: &[ResourceId],
) -> Result<PickerView, ApiError> {
    let account = caller.account()?.id.to_string();
    let seen_by = (!caller.is_librarian_of(library.id)).then_some(account.as_str());
    let mut db = app.db.read().await?;
    let mut found =
        db::resources::find_in_library(&mut db, library.id, seen_by, q.trim(), PICKED).await?;
    drop(db);
    if !q.trim().is_empty() {
        let kinds = "video,audio,document,image,package".to_owned();
        let query = SearchQuery { q: q.to_owned(), kind: kinds, ..SearchQuery::default() };
        for shown in find(app, &query).await?.1 {
            if let Shown::Resource(resource) = shown
                && !found.iter().any(|other| other.id == resource.id)
            {
                found.push(*resource);
            }
        }
    }
    let rows = tiles(app, &found, true).await?;
    let row = |(resource, tile): (&Resource, pages::ResourceTile)| PickedRow {
        id: resource.id.to_string(),
        title: tile.title,
        kind: match tile.kind {
            TileKind::Resource(kind) => kind,
            TileKind::Course(_) => resource.kind,
        },
        stage: resource.stage,
        duration_ms: tile.duration_ms,
        pages: tile.pages,
        poster: tile.poster,
        library: tile.library.filter(|_| resource.library != library.id),
        inside: inside.contains(&resource.id),
    };
    let rows = found.iter().zip(rows).map(row).collect();
    Ok(PickerView { query: q.to_owned(), rows })
}

pub(in crate::api) async fn collection_edit_page(
    here: Here,
    Path(id): Path<String>,
    Query(query): Query<EditQuery>,
) -> Result<Response, ApiError> {
    let mut view = collection_edit_view(&here.app, here.caller(), &id, &query.q).await?;
    view.saved = saved(&here, &query);
    Ok(here.show(|shell| pages::edit_collection(shell, &view)))
}

async fn collection_edit_view(
    app: &App,
    caller: &Caller,
    id: &str,
    q: &str,
) -> Result<CollectionEditView, ApiError> {
    let (collection, library) = collections::visible(app, caller, id).await?;
    if !collection.can_be_edited_by(caller) {
        return Err(RuleError::Forbidden.into());
    }
    let resources = collections::all_of(app, caller, &collection).await?;
    let inside: Vec<ResourceId> = resources.iter().map(|resource| resource.id).collect();
    let hidden =
        |resource: &Resource| Some(resource.stage).filter(|stage| *stage != Stage::Published);
    Ok(CollectionEditView {
        id: collection.id.to_string(),
        version: collection.version,
        library_name: library.name.clone(),
        saved: None,
        refusal: None,
        title: collection.title,
        description: collection.description,
        newest: collection.ordering == Ordering::Newest,
        resources: resources
            .iter()
            .map(|one| (one.id.to_string(), one.details.title.clone(), hidden(one)))
            .collect(),
        picker: picker(app, caller, &library, q, &inside).await?,
    })
}

/// What a form of the collection's page asks for: `action`, as for courses.
pub(in crate::api) async fn collection_form(
    Path(id): Path<String>,
    Query(query): Query<EditQuery>,
    Form { here, fields }: Form,
) -> Result<Response, ApiError> {
    let (app, caller, lang) = (&here.app, here.caller(), here.reader.lang);
    let wrong = |_| ApiError::bad("version");
    let expected = Expected::only(fields.one("version").parse().map_err(wrong)?);
    let (verb, what) = fields.one("action").split_once(':').unwrap_or((fields.one("action"), ""));
    if verb == "delete" {
        collections::remove(app, caller, &id, &expected).await?;
        return Ok(Redirect::to("/studio/courses").into_response());
    }
    let edit = collection_edit(app, caller, &id, verb, what, &fields).await?;
    match collections::apply(app, caller, &id, &expected, edit).await {
        Ok(_) => {
            let q = super::super::search::encode(&query.q);
            let place = if verb == "add" { "#picker" } else { "#contents" };
            let to = format!("/studio/collections/{id}?q={q}&saved=1{place}");
            Ok(Redirect::to(&to).into_response())
        }
        Err(error) => {
            let (says, status) = refused(lang, error)?;
            let mut view = collection_edit_view(app, caller, &id, &query.q).await?;
            view.refusal = Some(says);
            Ok((status, here.show(|shell| pages::edit_collection(shell, &view))).into_response())
        }
    }
}

async fn collection_edit(
    app: &App,
    caller: &Caller,
    id: &str,
    verb: &str,
    what: &str,
    fields: &Fields,
) -> Result<Edit, ApiError> {
    if verb == "save" {
        return Ok(Edit {
            title: Some(fields.one("title").to_owned()),
            description: Some(fields.one("description").to_owned()),
            ordering: fields.one("ordering").parse().ok(),
            resources: None,
        });
    }
    let (collection, _) = collections::visible(app, caller, id).await?;
    let mut db = app.db.read().await?;
    let mut resources = db::collections::resources(&mut db, collection.id).await?;
    let one: ResourceId = what.parse().map_err(|_| ApiError::bad("action"))?;
    let seen = collections::all_of(app, caller, &collection).await?;
    let is_seen = |id: &ResourceId| seen.iter().any(|resource| resource.id == *id);
    let at = resources.iter().position(|id| *id == one);
    match (verb, at) {
        ("add", None) => resources.push(one),
        ("remove", Some(at)) => drop(resources.remove(at)),
        // Past those that the editor does not see.
        ("up", Some(at)) => {
            if let Some(other) = (0..at).rev().find(|other| is_seen(&resources[*other])) {
                resources.swap(at, other);
            }
        }
        ("down", Some(at)) => {
            if let Some(other) = (at + 1..resources.len()).find(|other| is_seen(&resources[*other]))
            {
                resources.swap(at, other);
            }
        }
        _ => {}
    }
    Ok(Edit { resources: Some(resources), ..Edit::default() })
}

/// The sentence about what can be told beside the form, and its status.
fn refused(lang: Lang, error: ApiError) -> Result<(String, StatusCode), ApiError> {
    match error {
        ApiError::Rule(broken @ RuleError::BadField { .. }) => {
            Ok((rule(lang, &broken), StatusCode::UNPROCESSABLE_ENTITY))
        }
        ApiError::Coded { status, code, info } => Ok((sentence(lang, code, &info), status)),
        error => Err(error),
    }
}
