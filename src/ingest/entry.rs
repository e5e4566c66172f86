//! What the index is given of resources and courses, by the numbers of their changes.

use indexer::{Entry, Passage, PassageKind};
use sqlx::AnyConnection;

use super::Error;
use crate::catalogue::{
    Course, DIALECTS, DocumentForm, FileType, HERITAGE, Particulars, Resource, Stage, TOPICS,
    Visibility, label_of,
};
use crate::db;

/// What a change means for the index.
#[derive(Debug)]
pub(super) struct Change {
    /// Of the resource; as its row has it.
    pub id: String,
    /// Number of the change.
    pub number: i64,
    /// What is to be done.
    pub what: What,
}

/// What the index is to do.
#[derive(Debug)]
pub(super) enum What {
    /// Take this.
    Put(Box<Entry>),
    /// Have nothing of it: it is not public.
    Remove,
    /// Have nothing of it, since it cannot be read: why.
    LeaveOut(String),
}

impl Change {
    /// Bytes of text in it.
    pub(super) fn text_bytes(&self) -> usize {
        let What::Put(entry) = &self.what else { return 0 };
        let passages = entry.passages.iter().map(|passage| passage.text.len());
        entry.description.len() + passages.sum::<usize>()
    }
}

/// The first of the changes after `mark`, in their order: up to `limit`, or until they have `bytes`
/// of text. Whether there were fewer than `limit`.
///
/// # Errors
///
/// Those of the database. A row that cannot be read is a change too, and no error.
pub(super) async fn changes(
    db: &mut AnyConnection,
    mark: i64,
    limit: i64,
    bytes: usize,
) -> Result<(Vec<Change>, bool), Error> {
    let (mut changes, mut taken) = (Vec::new(), 0);
    let numbers = numbers(db, mark, limit).await?;
    let all = (numbers.len() as i64) < limit;
    let mut resources = match db::resources::list_changed(db, mark, limit).await {
        Ok(resources) => resources,
        // Each is read alone.
        Err(error) if error.is_of_row() => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    resources.reverse();
    for (number, of, id) in numbers {
        let what = match resources.pop_if(|resource| resource.changed == number) {
            Some(resource) => what(db, resource).await,
            None => alone(db, of, &id).await,
        };
        let what = match what {
            Ok(what) => what,
            Err(error) if error.is_of_row() => What::LeaveOut(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        let change = Change { id, number, what };
        taken += change.text_bytes();
        changes.push(change);
        if taken >= bytes {
            return Ok((changes, false));
        }
    }
    Ok((changes, all))
}

/// Of what a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    Resource,
    Course,
}

/// The first of the changes after `mark`, up to `limit`: number, of what, and its id.
async fn numbers(
    db: &mut AnyConnection,
    mark: i64,
    limit: i64,
) -> Result<Vec<(i64, Of, String)>, db::Error> {
    let resources = db::resources::list_changes(db, mark, limit).await?;
    let courses = db::courses::list_changes(db, mark, limit).await?;
    let resources = resources.into_iter().map(|(id, number)| (number, Of::Resource, id));
    let courses = courses.into_iter().map(|(id, number)| (number, Of::Course, id));
    let mut all: Vec<_> = resources.chain(courses).collect();
    all.sort_unstable();
    // Each list is whole up to its own last: so are the first of both.
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(all)
}

async fn alone(db: &mut AnyConnection, of: Of, id: &str) -> Result<What, db::Error> {
    let bad = |what| db::Error::Row { what, value: id.to_owned() };
    match of {
        Of::Resource => {
            let id = id.parse().map_err(|_| bad("resource.id"))?;
            match db::resources::find(db, id).await? {
                Some(resource) => what(db, resource).await,
                None => Ok(What::Remove),
            }
        }
        Of::Course => {
            let id = id.parse().map_err(|_| bad("course.id"))?;
            match db::courses::find(db, id).await? {
                Some(course) => what_of_course(db, course).await,
                None => Ok(What::Remove),
            }
        }
    }
}

/// What the index is given of `resource`: nothing unless it is public.
async fn what(db: &mut AnyConnection, resource: Resource) -> Result<What, db::Error> {
    if resource.stage != Stage::Published {
        return Ok(What::Remove);
    }
    let library = db::libraries::get(db, resource.library).await?;
    if library.visibility != Visibility::Public {
        return Ok(What::Remove);
    }
    let passages = db::passages::list(db, resource.id).await?;
    let passages: Vec<Passage> = passages
        .into_iter()
        .map(|passage| Passage {
            kind: match passage.start_ms {
                Some(_) if passage.page.is_some() => PassageKind::Slide,
                _ => kind_of(&resource, passage.page.is_some()),
            },
            start_ms: passage.start_ms,
            page: passage.page.and_then(|page| u32::try_from(page).ok()),
            text: passage.text,
        })
        .collect();
    let mut local = Vec::new();
    if resource.details.particulars.local.is_some() {
        local.push("true".to_owned());
        if !db::vouchers::standing_for(db, resource.id).await?.is_empty() {
            local.push(indexer::VOUCHED.to_owned());
        }
    }
    let mut words = labels(&resource.details.topics);
    words.extend(particular_words(&resource.details.particulars));
    let entry = Entry {
        resource: resource.id.to_string(),
        library: library.slug.to_string(),
        kind: resource.kind.as_str().to_owned(),
        title: resource.details.title,
        description: resource.details.description,
        author: resource.details.author,
        words,
        topics: resource.details.topics,
        audiences: resource.details.audiences,
        local,
        language: resource.details.language,
        published_ms: resource.published_ms.unwrap_or_default(),
        duration_ms: resource.duration_ms,
        passages,
    };
    Ok(What::Put(Box::new(entry)))
}

/// What the index is given of `course`: nothing unless it is public.
async fn what_of_course(db: &mut AnyConnection, course: Course) -> Result<What, db::Error> {
    if course.stage != Stage::Published {
        return Ok(What::Remove);
    }
    let library = db::libraries::get(db, course.library).await?;
    if library.visibility != Visibility::Public {
        return Ok(What::Remove);
    }
    // Its own words only: what it says of its resources would have to follow their changes.
    let contents = db::lessons::contents(db, course.id).await?;
    let own = contents.sections().iter().map(|section| &section.title);
    let own = own.chain(contents.lessons().map(|(_, lesson)| &lesson.title));
    let own = own.filter(|title| !title.is_empty()).cloned();
    let details = course.details;
    let entry = Entry {
        resource: course.id.to_string(),
        library: library.slug.to_string(),
        kind: indexer::COURSE.to_owned(),
        title: details.title,
        description: details.description,
        author: details.teachers,
        words: labels(&details.topics).into_iter().chain(own).collect(),
        topics: details.topics,
        audiences: details.audiences,
        local: Vec::new(),
        language: details.language,
        published_ms: course.published_ms.unwrap_or_default(),
        duration_ms: None,
        passages: Vec::new(),
    };
    Ok(What::Put(Box::new(entry)))
}

/// What is said of a resource beside title, description and author, as it is searched.
fn particular_words(particulars: &Particulars) -> Vec<String> {
    let mut words = particulars.keywords.clone();
    words.extend(particulars.contributors.iter().map(|one| one.name.clone()));
    words.extend([particulars.place.clone(), particulars.publisher.clone()]);
    if let Some(mark) = &particulars.local {
        words.extend([mark.origin.clone(), mark.bearer.clone(), mark.dialect_words.clone()]);
        for (terms, code) in [(DIALECTS, &mark.dialect), (HERITAGE, &mark.heritage)] {
            words.extend([true, false].map(|chinese| label_of(terms, code, chinese).to_owned()));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What the passages of `resource` are pieces of.
fn kind_of(resource: &Resource, numbered: bool) -> PassageKind {
    match FileType::form(&resource.media_type) {
        _ if !numbered => PassageKind::Caption,
        DocumentForm::Book => PassageKind::Chapter,
        _ if resource.derived.deck => PassageKind::Slide,
        _ => PassageKind::Page,
    }
}

/// What the topics of `codes` are called, in both languages.
fn labels(codes: &[String]) -> Vec<String> {
    let both =
        |code: &String| [true, false].map(|chinese| label_of(TOPICS, code, chinese).to_owned());
    codes.iter().flat_map(both).collect()
}
