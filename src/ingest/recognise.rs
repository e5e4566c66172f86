//! Reads the text in pictures: pages without text, images, slides. What has such pictures is ready
//! without their text, which joins later.

use std::fs::File;

use serde::{Deserialize, Serialize};

use super::document::origin;
use super::{Error, Held, NewObject, Outcome, blocking, delete_object, open_pages, open_source};
use crate::config::Config;
use crate::db;
use crate::db::jobs::{NewJob, RECOGNISE};
use crate::db::passages::Passage;
use crate::media::document::PageText;
use crate::media::ocr::Options;
use crate::media::parent::MediaChild;
use crate::media::protocol::{Answer, Step};

/// Characters of a page's own text from which on it is not read: fewer are a page number that was
/// stamped on a scan.
const ENOUGH_TEXT: usize = 8;

/// Pictures that one job reads: some seconds each.
const A_JOB: usize = 8;

/// Seconds of one core that a picture takes, about.
const WEIGHT: f64 = 2.0;

/// After what is played and read at once, and before other codecs.
const PRIORITY: i64 = 2_000;

/// What a job reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// These pages, from 1.
    Pages(Vec<u32>),
    /// The picture of an image.
    Picture,
    /// These slides, from 1.
    Slides(Vec<u32>),
}

/// How pictures are read by the settings, as far as that can be done on this machine.
pub(super) fn options(config: &Config) -> Option<Options> {
    let ocr = &config.ocr;
    let (languages, dpi, page_ms) = (ocr.languages.clone(), ocr.dpi, ocr.page_ms);
    let options = Options { languages, dpi, page_ms };
    options.installed().filter(|_| ocr.enabled)
}

/// Whether a page with this text of its own is to be read.
pub(super) fn is_wanted(text: &str) -> bool {
    text.chars().filter(|c| !c.is_whitespace()).count() < ENOUGH_TEXT
}

/// The jobs that read these pages.
pub(super) fn pages(numbers: &[u32]) -> Vec<NewJob> {
    numbers
        .chunks(A_JOB)
        .map(|chunk| job(&Order::Pages(chunk.to_vec()), chunk.len(), i64::from(chunk[0])))
        .collect()
}

/// The jobs that read so many slides.
pub(super) fn slides(count: usize) -> Vec<NewJob> {
    let numbers: Vec<u32> = (1..).take(count).collect();
    numbers
        .chunks(A_JOB)
        .map(|chunk| job(&Order::Slides(chunk.to_vec()), chunk.len(), i64::from(chunk[0])))
        .collect()
}

/// The job that reads an image.
pub(super) fn picture() -> NewJob {
    job(&Order::Picture, 1, 0)
}

fn job(order: &Order, pictures: usize, place: i64) -> NewJob {
    let payload = serde_json::to_string(order).expect("plain data has a JSON form");
    let weight = WEIGHT * pictures as f64;
    NewJob { kind: RECOGNISE, payload, priority: PRIORITY + place, weight }
}

/// Reads what the job names.
///
/// # Errors
///
/// [`Error`]. A picture that cannot be read only stays without text.
pub async fn run(held: &Held) -> Result<Outcome, Error> {
    // It was installed when the job was pushed; another machine may lack it.
    let Some(options) = options(&held.app.config) else { return Ok(Outcome::default()) };
    match serde_json::from_str(&held.job.payload)? {
        Order::Pages(numbers) => read_pages(held, numbers, options).await?,
        Order::Picture => read_image(held, options).await?,
        Order::Slides(numbers) => read_slides(held, &numbers, options).await?,
    }
    Ok(Outcome::default())
}

async fn read_pages(held: &Held, numbers: Vec<u32>, options: Options) -> Result<(), Error> {
    let (_, source) = open_pages(&held.app, held.resource()).await?;
    let asked = numbers.clone();
    let mut child = start(held, Step::RecognisePages(numbers, options), source, 0)?;
    let mut done = 0;
    while let Some(answer) = child.next().await? {
        if let Answer::PageText(text) = answer
            && asked.contains(&text.page)
        {
            keep_page(held, &text).await?;
            done += 1;
            held.set_progress(f64::from(done) / asked.len() as f64);
        }
    }
    Ok(())
}

async fn read_image(held: &Held, options: Options) -> Result<(), Error> {
    let (_, source) = open_source(&held.app, held.resource()).await?;
    let text = read_picture(held, source, options).await?;
    let Some(text) = text.filter(|text| !text.words.is_empty()) else { return Ok(()) };
    let words = store_words(held, &text, "picture-words".into()).await?;
    let mut tx = held.begin().await?;
    let mut resource = db::resources::get_locked(&mut tx, held.resource()).await?;
    words.insert(&mut tx, held.app.now_ms()).await?;
    resource.derived.picture_words = Some(words.key.clone());
    let passage = Passage { start_ms: None, page: Some(1), text: text.text };
    db::passages::replace(&mut tx, held.resource(), "picture", &[passage]).await?;
    db::resources::save(&mut tx, &mut resource, held.app.now_ms()).await?;
    crate::fault::at("text-read");
    tx.commit().await?;
    held.app.announce(held.resource());
    Ok(())
}

/// The text in a picture; `None` when it takes too long to be read.
async fn read_picture(
    held: &Held,
    picture: File,
    options: Options,
) -> Result<Option<PageText>, Error> {
    let max_pixels = held.app.config.media.max_pixels;
    let mut child = start(held, Step::RecognisePicture { max_pixels, options }, picture, 0)?;
    let mut text = None;
    while let Some(answer) = child.next().await? {
        if let Answer::PageText(read) = answer {
            text = Some(read);
        }
    }
    Ok(text)
}

/// Starts a media child that gives way to everything else, on a source of `duration_ms`.
pub(super) fn start(
    held: &Held,
    step: Step,
    source: File,
    duration_ms: i64,
) -> Result<MediaChild, Error> {
    let child = MediaChild::start(&held.app.config, step, source, duration_ms)?;
    child.set_nice(held.app.config.work.nice)?;
    Ok(child)
}

/// Reads slides, which are shown already; the texts of all of them are named at once.
async fn read_slides(held: &Held, numbers: &[u32], options: Options) -> Result<(), Error> {
    let (app, id) = (&held.app, held.resource());
    let slides = db::slides::list(&mut *app.db.read().await?, id).await?;
    let mut read = Vec::new();
    for (done, number) in numbers.iter().enumerate() {
        let Some(slide) = slides.iter().find(|slide| slide.number == i64::from(*number)) else {
            continue;
        };
        let (store, key) = (app.store.clone(), slide.image.clone());
        let picture = blocking(move || Ok(store.open_object(&key)?)).await?;
        if let Some(text) = read_picture(held, picture, options.clone()).await?
            && !text.text.is_empty()
        {
            let (start_ms, page) = (Some(slide.start_ms), Some(slide.number));
            read.push(Passage { start_ms, page, text: text.text });
        }
        held.set_progress((done + 1) as f64 / numbers.len() as f64);
    }
    let mut tx = held.begin().await?;
    let mut resource = db::resources::get_locked(&mut tx, id).await?;
    for passage in read {
        let origin = db::slides::origin(passage.page.unwrap_or_default());
        db::passages::replace(&mut tx, id, &origin, &[passage]).await?;
    }
    db::resources::save(&mut tx, &mut resource, app.now_ms()).await?;
    crate::fault::at("text-read");
    tx.commit().await?;
    app.announce(id);
    Ok(())
}

async fn store_words(held: &Held, text: &PageText, name: String) -> Result<NewObject, Error> {
    let words = serde_json::to_vec(&serde_json::json!({ "words": text.words }))?;
    held.store_bytes(words, name, "json").await
}

/// Puts the text of a page and its words in the place of what it had.
async fn keep_page(held: &Held, text: &PageText) -> Result<(), Error> {
    if text.words.is_empty() {
        return Ok(());
    }
    let (app, id, number) = (&held.app, held.resource(), i64::from(text.page));
    let words = store_words(held, text, format!("page/{number:05}-words")).await?;
    let mut tx = held.begin().await?;
    let mut resource = db::resources::get_locked(&mut tx, id).await?;
    let before = db::media::set_words(&mut tx, id, number, &words.key).await?;
    let Some(before) = before else { return Ok(()) };
    words.insert(&mut tx, app.now_ms()).await?;
    if before != words.key {
        db::objects::delete(&mut tx, &before).await?;
    }
    let passage = Passage { start_ms: None, page: Some(number), text: text.text.clone() };
    db::passages::replace(&mut tx, id, &origin(number), &[passage]).await?;
    db::resources::save(&mut tx, &mut resource, app.now_ms()).await?;
    crate::fault::at("text-read");
    tx.commit().await?;
    crate::fault::at("text-named");
    app.announce(id);
    if before != words.key {
        delete_object(app, &before).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_without_text_are_read() {
        assert!(is_wanted("") && is_wanted(" - 12 -\n "));
        assert!(!is_wanted("第一章 剪纸的由来"));
    }

    #[test]
    fn a_long_scan_is_read_in_many_jobs_the_first_pages_first() {
        let jobs = pages(&(1..=20).collect::<Vec<_>>());
        assert_eq!(jobs.len(), 3);
        assert!(jobs.is_sorted_by_key(|job| job.priority) && jobs[0].weight > jobs[2].weight);
        let last: Order = serde_json::from_str(&jobs[2].payload).expect("an order");
        assert_eq!(last, Order::Pages(vec![17, 18, 19, 20]));
    }
}
