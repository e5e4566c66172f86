//! Has read what was taken in while there was nothing here that reads pictures.

use super::{Error, recognise};
use crate::app::App;
use crate::catalogue::{Kind, Resource, ResourceId, Stage};
use crate::db::jobs::{LATER_PAGES, NewJob, RECOGNISE};
use crate::db::{self, Tx};

/// Pushes the jobs that read the pictures of `id` that have no text: pages, an image, slides. Not
/// again when they were read before, even if nothing was found, unless `again`. Gives how many jobs
/// were pushed.
///
/// # Errors
///
/// Those of the database.
pub async fn push(app: &App, id: ResourceId, again: bool) -> Result<usize, Error> {
    let mut tx = app.db.begin().await?;
    let mut resource = db::resources::get_locked(&mut tx, id).await?;
    // What was harvested is elsewhere.
    if resource.source.is_none()
        || !matches!(resource.stage, Stage::Ready | Stage::Published | Stage::Withdrawn)
        || is_read(&mut tx, id, again).await?
    {
        return Ok(0);
    }
    let jobs = unread(&mut tx, &resource).await?;
    if jobs.is_empty() {
        return Ok(0);
    }
    db::jobs::push_all(&mut tx, id, &jobs, app.now_ms()).await?;
    resource.warnings.retain(|code| code != super::document::UNREAD);
    db::resources::save(&mut tx, &mut resource, app.now_ms()).await?;
    tx.commit().await?;
    app.announce(id);
    app.job_pushed.notify_waiters();
    Ok(jobs.len())
}

/// Whether it was read, or is being read or drawn: then its own jobs see to it.
async fn is_read(tx: &mut Tx, id: ResourceId, again: bool) -> Result<bool, Error> {
    let jobs = db::jobs::list(tx, id).await?;
    Ok(jobs.iter().any(|job| {
        let open = job.state == "queued" || job.state == "running";
        match job.kind.as_str() {
            RECOGNISE => open || !again && job.state == "done",
            LATER_PAGES => open,
            _ => false,
        }
    }))
}

async fn unread(tx: &mut Tx, resource: &Resource) -> Result<Vec<NewJob>, Error> {
    match resource.kind {
        Kind::Image if resource.derived.picture_words.is_none() => Ok(vec![recognise::picture()]),
        Kind::Document => {
            let texts = db::passages::texts_of_pages(tx, resource.id).await?;
            let says = |number: i64| {
                texts.iter().any(|(page, text)| *page == number && !recognise::is_wanted(text))
            };
            let pages = db::media::list_pages(tx, resource.id).await?;
            let unread = pages.iter().map(|page| page.number).filter(|number| !says(*number));
            let unread: Vec<u32> = unread.filter_map(|number| u32::try_from(number).ok()).collect();
            Ok(recognise::pages(&unread))
        }
        Kind::Video => {
            let slides = db::slides::list(tx, resource.id).await?;
            match slides.iter().any(|slide| slide.text.is_empty()) {
                true => Ok(recognise::slides(slides.len())),
                false => Ok(Vec::new()),
            }
        }
        _ => Ok(Vec::new()),
    }
}

/// Whether anything here reads pictures.
#[must_use]
pub fn is_possible(app: &App) -> bool {
    recognise::options(&app.config).is_some()
}
