//! Makes pictures and text of a document's pages.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Error, Held, NewObject, Outcome, open_pages, recognise};
use crate::catalogue::{OutlineItem, Page, Poster};
use crate::db;
use crate::db::jobs::NewJob;
use crate::db::passages::Passage;
use crate::media::document::PageText;
use crate::media::parent::MediaChild;
use crate::media::protocol::{Answer, Step};

/// Pages that one job makes.
const PAGES_A_JOB: u32 = 20;

/// Code of the warning that scanned pages have no text, as nothing here can read them.
const UNREAD: &str = "pages_unread";

/// Which pages a job makes, from 1, the last one among them.
#[derive(Debug, Serialize, Deserialize)]
struct Range {
    first: u32,
    last: u32,
}

/// Finds out what is in a document and gives the jobs for its pages.
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
    while let Some(answer) = child.next().await? {
        if let Answer::Document(found) = answer {
            document = Some(*found);
        }
    }
    let document =
        document.ok_or_else(|| Error::unusable("document_damaged", resource.file_name))?;
    let mut next = Vec::new();
    let mut first = 1;
    while first <= document.pages {
        let last = document.pages.min(first + PAGES_A_JOB - 1);
        next.push(NewJob {
            kind: "pages",
            payload: serde_json::to_string(&Range { first, last })?,
            priority: 5 + i64::from(first / PAGES_A_JOB),
            weight: f64::from(last - first + 1),
        });
        first = last + 1;
    }
    Ok(Outcome {
        next,
        change: Some(Box::new(move |resource| {
            resource.pages = Some(document.pages.into());
            if document.unreadable_pages() > 0 {
                resource.warnings = vec!["pages_damaged".into()];
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
            if resource.details.author.is_empty() {
                resource.details.author = document.author.unwrap_or_default();
            }
        })),
    })
}

/// Makes the pages that the job names.
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
    let mut texts: HashMap<u32, PageText> = HashMap::new();
    let mut poster = None;
    let mut unread = Vec::new();
    let mut done = 0;
    while let Some(answer) = child.next().await? {
        match answer {
            Answer::PageText(text) if asked.contains(&text.page) => {
                texts.insert(text.page, text);
            }
            Answer::Page(rendered) if asked.contains(&rendered.page) => {
                let number = rendered.page;
                let name = format!("page/{number:05}");
                let large = child.file(&rendered.large)?;
                let large = held.store_file(large, format!("{name}-large"), "webp").await?;
                let small = child.file(&rendered.small)?;
                let small = held.store_file(small, format!("{name}-small"), "webp").await?;
                let text = texts.remove(&number);
                if !rendered.blank && recognise::is_wanted(text.as_ref()) {
                    unread.push(number);
                }
                let words = text.as_ref().map(|text| text.words.as_slice()).unwrap_or_default();
                let words = serde_json::to_vec(&serde_json::json!({ "words": words }))?;
                let words = held.store_bytes(words, format!("{name}-words"), "json").await?;
                if let Some(cover) = &rendered.poster {
                    let file = child.file(&cover.file)?;
                    let object = held.store_file(file, "poster/0".into(), "jpg").await?;
                    poster = Some((object, cover.width, cover.height));
                }
                let page = Page {
                    number: number.into(),
                    width: rendered.width.into(),
                    height: rendered.height.into(),
                    large: large.key.clone(),
                    small: small.key.clone(),
                    words: words.key.clone(),
                };
                keep(held, &page, [&large, &small, &words], text.as_ref()).await?;
                done += 1;
                held.set_progress(f64::from(done) / f64::from(range.last - range.first + 1));
            }
            _ => {}
        }
    }
    let poster = match poster {
        Some((object, width, height)) => {
            let mut tx = held.begin().await?;
            object.insert(&mut tx, app.now_ms()).await?;
            tx.commit().await?;
            Some(Poster { key: object.key, time_ms: 0, width, height })
        }
        None => None,
    };
    unread.sort_unstable();
    let readable = recognise::options(&app.config).is_some();
    let lacks = app.config.ocr.enabled && !readable && !unread.is_empty();
    Ok(Outcome {
        next: if readable { recognise::pages(&unread) } else { Vec::new() },
        change: Some(Box::new(move |resource| {
            if let Some(poster) = poster {
                resource.poster = Some(poster.key.clone());
                resource.derived.posters = vec![poster];
            }
            if lacks && !resource.warnings.iter().any(|code| code == UNREAD) {
                resource.warnings.push(UNREAD.to_owned());
            }
        })),
    })
}

async fn keep(
    held: &Held,
    page: &Page,
    objects: [&NewObject; 3],
    text: Option<&PageText>,
) -> Result<(), Error> {
    let passages: Vec<Passage> = text
        .filter(|text| !text.text.trim().is_empty())
        .map(|text| Passage { start_ms: None, page: Some(page.number), text: text.text.clone() })
        .into_iter()
        .collect();
    let mut tx = held.begin().await?;
    for object in objects {
        object.insert(&mut tx, held.app.now_ms()).await?;
    }
    db::media::save_page(&mut tx, held.resource(), page).await?;
    let origin = format!("page:{:06}", page.number);
    db::passages::replace(&mut tx, held.resource(), &origin, &passages).await?;
    crate::fault::at("page-stored");
    tx.commit().await?;
    crate::fault::at("page-named");
    Ok(())
}
