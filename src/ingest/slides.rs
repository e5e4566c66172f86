//! Looks for slides in a video. It is played without them; they join later, their text later still.

use transcode::Event;

use super::transcode::planned;
use super::{Error, Held, Outcome, delete_object, recognise};
use crate::catalogue::Slide;
use crate::db;
use crate::db::jobs::{NewJob, SLIDES};
use crate::media::protocol::{Answer, Step};

/// After what is played, before texts and other codecs.
const PRIORITY: i64 = 1_500;

/// The share of the video's length that looking through it takes, about.
const WEIGHT: f64 = 0.01;

/// The job that looks for slides in a video of `duration_ms`.
pub(super) fn job(duration_ms: i64) -> NewJob {
    let weight = 1.0 + WEIGHT * duration_ms as f64 / 1_000.0;
    NewJob { kind: SLIDES, payload: "{}".into(), priority: PRIORITY, weight }
}

/// Finds the slides, and has their text read.
///
/// # Errors
///
/// [`Error`].
pub async fn run(held: &Held) -> Result<Outcome, Error> {
    let app = &held.app;
    let (plan, source) = planned(held).await?;
    let duration_ms = plan.duration_ms;
    let step = Step::Slides(Box::new(plan));
    let mut child = recognise::start(held, step, source, duration_ms)?;
    let (mut slides, mut objects) = (Vec::new(), Vec::new());
    while let Some(answer) = child.next().await? {
        match answer {
            Answer::Slides(found) => {
                for (number, slide) in (1_i64..).zip(&found) {
                    let file = child.file(&slide.file)?;
                    let object =
                        held.store_file(file, format!("slide/{number:04}"), "webp").await?;
                    slides.push(Slide {
                        number,
                        start_ms: slide.start_ms,
                        end_ms: slide.end_ms,
                        width: slide.width.into(),
                        height: slide.height.into(),
                        image: object.key.clone(),
                        text: String::new(),
                    });
                    objects.push(object);
                }
            }
            Answer::Media(Event::Progress(progress)) => held.set_progress(progress),
            _ => {}
        }
    }
    if slides.is_empty() {
        return Ok(Outcome::default());
    }
    crate::fault::at("slides-stored");
    let mut tx = held.begin().await?;
    let mut resource = db::resources::get_locked(&mut tx, held.resource()).await?;
    for object in &objects {
        object.insert(&mut tx, app.now_ms()).await?;
    }
    let gone = db::slides::replace(&mut tx, resource.id, &slides).await?;
    for key in &gone {
        db::objects::delete(&mut tx, key).await?;
    }
    db::resources::save(&mut tx, &mut resource, app.now_ms()).await?;
    tx.commit().await?;
    crate::fault::at("slides-named");
    app.announce(resource.id);
    for key in &gone {
        delete_object(app, key).await?;
    }
    let readable = recognise::options(&app.config).is_some();
    let next = if readable { recognise::slides(slides.len()) } else { Vec::new() };
    Ok(Outcome { next, change: None })
}
