//! Makes text and pictures of a document's pages: the text of all pages first, then pictures. With
//! those of the first pages it is ready; those of the others follow, and it is read as text there.

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::{Error, Held, NewObject, Outcome, open_pages, recognise};
use crate::catalogue::{OutlineItem, Page, PagePictures, Poster};
use crate::db;
use crate::db::jobs::{LATER_PAGES, NewJob};
use crate::db::passages::Passage;
use crate::media::document::{Document, PageText, picture_size};
use crate::media::parent::{self, MediaChild};
use crate::media::protocol::{Answer, PageAnswer, Step};

/// Pages that must have their pictures before a document is ready: some seconds of work.
const FIRST_PAGES: u32 = 6;

/// Later pages that one job makes pictures of.
const PAGES_A_JOB: u32 = 20;

/// Pages whose text is kept at one time.
const TEXTS_A_TIME: usize = 20;

/// Code of the warning that scanned pages have no text, as nothing here can read them.
pub(super) const UNREAD: &str = "pages_unread";

/// Which pages a job makes, from 1, the last one among them.
#[derive(Debug, Serialize, Deserialize)]
struct Range {
    first: u32,
    last: u32,
}

/// Finds out what is in a document, keeps the text of its pages and gives the jobs for their
/// pictures.
///
/// # Errors
///
/// [`Error::Media`] when it cannot be read.
pub async fn inspect(held: &Held) -> Result<Outcome, Error> {
    let app = &held.app;
    let (resource, source) = open_pages(app, held.resource()).await?;
    let step = Step::Inspect { max_pages: app.config.media.max_pages };
    let mut child = MediaChild::start(&app.config, step, source, 0)?;
    let mut document = None;
    let (mut texts, mut said): (Vec<PageText>, u32) = (Vec::new(), 0);
    while let Some(answer) = child.next().await? {
        match (answer, &document) {
            (Answer::Document(found), None) => document = Some(*found),
            (Answer::PageText(text), Some(document)) if text.page == said + 1 => {
                said = text.page;
                texts.push(text);
                if texts.len() >= TEXTS_A_TIME {
                    keep_texts(held, document, std::mem::take(&mut texts)).await?;
                    held.set_progress(f64::from(said) / f64::from(document.pages));
                }
            }
            _ => {}
        }
    }
    let document =
        document.ok_or_else(|| Error::unusable("document_damaged", resource.file_name))?;
    keep_texts(held, &document, texts).await?;
    if said != document.pages {
        let problem = format!("text of {said} of {} pages", document.pages);
        return Err(parent::Error::BadAnswer(problem).into());
    }
    let next = jobs(document.pages)?;
    Ok(Outcome {
        next,
        change: Some(Box::new(move |resource| {
            resource.pages = Some(document.pages.into());
            if document.unreadable_pages() > 0 {
                resource.warn("pages_damaged");
            }
            resource.derived.outline = document
                .outline
                .into_iter()
                .map(|item| OutlineItem {
                    title: item.title,
                    page: item.page,
                    anchor: String::new(),
                    depth: item.depth,
                })
                .collect();
            resource.derived.own_title = document.title.unwrap_or_default();
            if resource.details.author.is_empty() {
                resource.details.author = document.author.unwrap_or_default();
            }
        })),
    })
}

/// The jobs for the pictures of so many pages.
fn jobs(pages: u32) -> Result<Vec<NewJob>, Error> {
    let mut jobs = Vec::new();
    let mut first = 1;
    while first <= pages {
        let (kind, length) = match first {
            1 => ("pages", FIRST_PAGES),
            _ => (LATER_PAGES, PAGES_A_JOB),
        };
        let last = pages.min(first + length - 1);
        jobs.push(NewJob {
            kind,
            payload: serde_json::to_string(&Range { first, last })?,
            priority: 5 + i64::from(first / PAGES_A_JOB),
            weight: f64::from(last - first + 1),
        });
        first = last + 1;
    }
    Ok(jobs)
}

/// Keeps what pages say, with the places of the words.
async fn keep_texts(held: &Held, document: &Document, texts: Vec<PageText>) -> Result<(), Error> {
    // A bucket may be far away.
    let mut storing = JoinSet::new();
    for PageText { page, text, words } in texts {
        let held = held.clone();
        let (width, height) = picture_size(document, page);
        storing.spawn(async move {
            let words = serde_json::to_vec(&serde_json::json!({ "words": words }))?;
            let object = held.store_bytes(words, format!("page/{page:05}-words"), "json").await?;
            let (width, height, words) = (width.into(), height.into(), object.key.clone());
            let page = Page { number: page.into(), width, height, pictures: None, words };
            Ok::<_, Error>((page, object, text))
        });
    }
    let mut pages = Vec::new();
    while let Some(stored) = storing.join_next().await {
        pages.push(stored??);
    }
    let mut tx = held.begin().await?;
    for (page, object, text) in pages {
        object.insert(&mut tx, held.app.now_ms()).await?;
        db::media::save_page(&mut tx, held.resource(), &page).await?;
        let passage = Passage { start_ms: None, page: Some(page.number), text };
        let passages = [passage];
        let said = if passages[0].text.trim().is_empty() { &[] } else { &passages[..] };
        db::passages::replace(&mut tx, held.resource(), &origin(page.number), said).await?;
    }
    crate::fault::at("texts-stored");
    tx.commit().await?;
    crate::fault::at("texts-named");
    Ok(())
}

/// Where the text of a page comes from.
pub(super) fn origin(page: i64) -> String {
    format!("page:{page:06}")
}

/// Makes the pictures of the pages that the job names.
///
/// # Errors
///
/// [`Error`].
pub async fn pages(held: &Held) -> Result<Outcome, Error> {
    let app = &held.app;
    let range: Range = serde_json::from_str(&held.job.payload)?;
    let (_, source) = open_pages(app, held.resource()).await?;
    let step = Step::Pages { first: range.first, last: range.last };
    let mut child = MediaChild::start(&app.config, step, source, 0)?;
    let asked = range.first..=range.last;
    let mut poster = None;
    let mut unread = Vec::new();
    let mut done = 0;
    while let Some(answer) = child.next().await? {
        let Answer::Page(drawn) = answer else { continue };
        if !asked.contains(&drawn.page) {
            continue;
        }
        poster = keep_poster(held, &child, &drawn).await?.or(poster);
        let text = keep_pictures(held, &child, &drawn).await?;
        if !drawn.blank && recognise::is_wanted(&text) {
            unread.push(drawn.page);
        }
        done += 1;
        held.set_progress(f64::from(done) / f64::from(range.last - range.first + 1));
    }
    unread.sort_unstable();
    let readable = recognise::options(&app.config).is_some();
    if app.config.ocr.enabled && !readable && !unread.is_empty() {
        warn(held, UNREAD).await?;
    }
    Ok(Outcome {
        next: if readable { recognise::pages(&unread) } else { Vec::new() },
        change: Some(Box::new(move |resource| {
            if let Some(poster) = poster {
                resource.poster = Some(poster.key.clone());
                resource.derived.posters = vec![poster];
            }
        })),
    })
}

/// Keeps the poster that comes with the first page.
async fn keep_poster(
    held: &Held,
    child: &MediaChild,
    drawn: &PageAnswer,
) -> Result<Option<Poster>, Error> {
    let Some(cover) = &drawn.poster else { return Ok(None) };
    let object = held.store_file(child.file(&cover.file)?, "poster/0".into(), "jpg").await?;
    let mut tx = held.begin().await?;
    object.insert(&mut tx, held.app.now_ms()).await?;
    tx.commit().await?;
    Ok(Some(Poster { key: object.key, time_ms: 0, width: cover.width, height: cover.height }))
}

/// Keeps the pictures of a page; gives what it says.
async fn keep_pictures(
    held: &Held,
    child: &MediaChild,
    drawn: &PageAnswer,
) -> Result<String, Error> {
    let (id, number) = (held.resource(), i64::from(drawn.page));
    let store = async |file: &str, name: &str| -> Result<NewObject, Error> {
        let name = format!("page/{number:05}-{name}");
        held.store_file(child.file(file)?, name, "webp").await
    };
    let large = store(&drawn.large, "large").await?;
    let small = store(&drawn.small, "small").await?;
    let size = (drawn.width.into(), drawn.height.into());
    let pictures = PagePictures { large: large.key.clone(), small: small.key.clone() };
    let mut tx = held.begin().await?;
    for object in [large, small] {
        object.insert(&mut tx, held.app.now_ms()).await?;
    }
    db::media::set_pictures(&mut tx, id, number, size, &pictures).await?;
    let text = db::passages::text_of(&mut tx, id, &origin(number)).await?;
    crate::fault::at("page-stored");
    tx.commit().await?;
    crate::fault::at("page-named");
    Ok(text)
}

/// Says of the resource that something was left out.
async fn warn(held: &Held, code: &str) -> Result<(), Error> {
    let mut tx = held.begin().await?;
    let mut resource = db::resources::get_locked(&mut tx, held.resource()).await?;
    if resource.warn(code) {
        db::resources::save(&mut tx, &mut resource, held.app.now_ms()).await?;
    }
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_ready_with_its_first_pages() {
        for (pages, kinds) in [
            (1, vec!["pages"]),
            (FIRST_PAGES, vec!["pages"]),
            (FIRST_PAGES + 1, vec!["pages", LATER_PAGES]),
            (FIRST_PAGES + PAGES_A_JOB + 1, vec!["pages", LATER_PAGES, LATER_PAGES]),
        ] {
            let jobs = jobs(pages).expect("plain numbers");
            assert_eq!(jobs.iter().map(|job| job.kind).collect::<Vec<_>>(), kinds, "{pages}");
            let ranges: Vec<Range> = jobs
                .iter()
                .map(|job| serde_json::from_str(&job.payload).expect("a range"))
                .collect();
            let all: u32 = ranges.iter().map(|range| range.last - range.first + 1).sum();
            assert_eq!(all, pages);
            assert!(ranges.is_sorted_by(|a, b| a.last + 1 == b.first));
            assert!(jobs.is_sorted_by_key(|job| job.priority));
        }
    }
}
