//! Makes chapters of what is read in chapters: EPUB, Markdown, HTML, plain text.

use std::io::{Read as _, Seek as _};

use super::office::limits;
use super::{Error, Held, NewObject, Outcome, blocking, io, open_source};
use crate::catalogue::{BookChapter, Figure, OutlineItem, Poster, Resource};
use crate::db;
use crate::db::passages::Passage;
use crate::media::book::{self, Book, Chapter, MAX_CHAPTER_BYTES};
use crate::media::parent::MediaChild;
use crate::media::protocol::{Answer, PagePoster, Step};

/// Has the source read, and keeps its chapters, pictures and text.
///
/// # Errors
///
/// [`Error::Media`] when it cannot be read.
pub async fn run(held: &Held) -> Result<Outcome, Error> {
    let app = &held.app;
    let (resource, source) = open_source(app, held.resource()).await?;
    let media_type = resource.media_type.clone();
    let step = Step::Book { media_type, limits: limits(&app.config) };
    let mut child = MediaChild::start(&app.config, step, source, 0)?;
    let (mut chapters, mut poster, mut told) = (Vec::new(), None, None);
    while let Some(answer) = child.next().await? {
        match answer {
            Answer::Chapter(chapter) if chapters.len() < book::MAX_CHAPTERS => {
                chapters.push(keep_text(held, chapter).await?);
            }
            Answer::Figure(figure) => {
                poster = keep_figure(held, &child, figure).await?.or(poster);
            }
            Answer::Book(book) => told = Some(*book),
            _ => {}
        }
    }
    let book = told.ok_or_else(|| Error::unusable("book_damaged", resource.file_name.clone()))?;
    keep_chapters(held, &child, &book, chapters).await?;
    Ok(Outcome {
        next: Vec::new(),
        change: Some(Box::new(move |resource| say(resource, book, poster))),
    })
}

/// Keeps what a chapter says; gives the chapter without it.
async fn keep_text(held: &Held, chapter: Chapter) -> Result<Chapter, Error> {
    let passage = |text| Passage { start_ms: None, page: Some(chapter.number.into()), text };
    let passages: Vec<Passage> = chapter.passages.into_iter().map(passage).collect();
    let origin = format!("chapter:{:06}", chapter.number);
    let mut tx = held.begin().await?;
    db::passages::replace(&mut tx, held.resource(), &origin, &passages).await?;
    tx.commit().await?;
    crate::fault::at("chapter-said");
    Ok(Chapter { passages: Vec::new(), ..chapter })
}

/// Keeps a picture that chapters name; gives the cover.
async fn keep_figure(
    held: &Held,
    child: &MediaChild,
    figure: book::Figure,
) -> Result<Option<Poster>, Error> {
    let now_ms = held.app.now_ms();
    if figure.number > 0 {
        let name = format!("figure/{:05}", figure.number);
        let object = held.store_file(child.file(&figure.file)?, name, "webp").await?;
        let figure = Figure { number: figure.number.into(), picture: object.key.clone() };
        let mut tx = held.begin().await?;
        object.insert(&mut tx, now_ms).await?;
        db::books::save_figure(&mut tx, held.resource(), &figure).await?;
        crate::fault::at("figure-stored");
        tx.commit().await?;
    }
    let Some(PagePoster { file, width, height }) = figure.poster else { return Ok(None) };
    let object = held.store_file(child.file(&file)?, "poster/0".into(), "jpg").await?;
    let mut tx = held.begin().await?;
    object.insert(&mut tx, now_ms).await?;
    tx.commit().await?;
    Ok(Some(Poster { key: object.key, time_ms: 0, width, height }))
}

/// Stores the chapters as pages of their own, and names them all at once.
async fn keep_chapters(
    held: &Held,
    child: &MediaChild,
    book: &Book,
    chapters: Vec<Chapter>,
) -> Result<(), Error> {
    let all = chapters.len();
    let mut kept: Vec<(NewObject, BookChapter)> = Vec::new();
    for Chapter { number, title, file, .. } in chapters {
        let file = child.file(&file)?;
        let (title_of_page, language) = (title.clone(), book.language.clone());
        let page = blocking(move || {
            let mut html = String::new();
            let mut file = file;
            file.rewind().map_err(io("reading a chapter"))?;
            file.take(MAX_CHAPTER_BYTES as u64)
                .read_to_string(&mut html)
                .map_err(io("reading a chapter"))?;
            Ok(page(&title_of_page, language.as_deref(), &html))
        })
        .await?;
        let name = format!("chapter/{number:05}");
        let object = held.store_bytes(page.into_bytes(), name, "html").await?;
        let html = object.key.clone();
        kept.push((object, BookChapter { number: number.into(), title, html }));
        held.set_progress(kept.len() as f64 / all as f64);
    }
    let mut tx = held.begin().await?;
    for (object, chapter) in &kept {
        object.insert(&mut tx, held.app.now_ms()).await?;
        db::books::save_chapter(&mut tx, held.resource(), chapter).await?;
    }
    crate::fault::at("chapters-stored");
    tx.commit().await?;
    crate::fault::at("chapters-named");
    Ok(())
}

/// A chapter as a page. What is in its body is not trusted: see `SHUT_IN` in `deliver::reply`.
fn page(title: &str, language: Option<&str>, body: &str) -> String {
    use maud::{DOCTYPE, PreEscaped, html};
    html! {
        (DOCTYPE)
        html lang=[language] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="stylesheet" href="style.css";
            }
            body dir="auto" { main { (PreEscaped(body)) } }
        }
    }
    .into_string()
}

/// Puts down what the book says of itself, where nobody has said otherwise.
fn say(resource: &mut Resource, book: Book, poster: Option<Poster>) {
    let item = |item: book::ContentsItem| OutlineItem {
        title: item.title,
        page: item.chapter,
        anchor: item.anchor,
        depth: item.depth,
    };
    resource.derived.outline = book.contents.into_iter().map(item).collect();
    resource.derived.right_to_left = book.right_to_left;
    if let Some(poster) = poster {
        resource.poster = Some(poster.key.clone());
        resource.derived.posters = vec![poster];
    }
    let details = &mut resource.details;
    let unnamed = details.title == super::upload::title_from(&resource.file_name);
    if let Some(title) = book.title.filter(|_| unnamed) {
        details.title = title;
    }
    if details.author.is_empty() {
        details.author = book.author.unwrap_or_default();
    }
    details.language = details.language.take().or(book.language);
}
