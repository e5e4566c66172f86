//! Posters, storyboard and embedded captions of a video or audio.

use transcode::Event;

use super::captions::passages_of;
use super::transcode::planned;
use super::{Error, Held, Outcome};
use crate::catalogue::{Caption, CaptionOrigin, LANGUAGES, Poster, Sprite, label_of};
use crate::db;
use crate::media::captions::{Captions, Cue};
use crate::media::parent::MediaChild;
use crate::media::protocol::{Answer, Step};

/// Derives them all.
///
/// # Errors
///
/// [`Error`].
pub async fn run(held: &Held) -> Result<Outcome, Error> {
    let (plan, source) = planned(held).await?;
    let duration_ms = plan.duration_ms;
    let step = Step::Derive(Box::new(plan));
    let mut child = MediaChild::start(&held.app.config, step, source, duration_ms)?;
    let (mut posters, mut storyboard) = (Vec::new(), Vec::new());
    while let Some(answer) = child.next().await? {
        match answer {
            Answer::Stills(stills) => {
                for (number, poster) in stills.posters.iter().enumerate() {
                    let file = child.file(&poster.file)?;
                    let key = store(held, file, format!("poster/{number}")).await?;
                    let (width, height) = (poster.width, poster.height);
                    posters.push(Poster { key, time_ms: poster.time_ms, width, height });
                }
                for (number, sprite) in stills.storyboard.iter().enumerate() {
                    let file = child.file(&sprite.file)?;
                    storyboard.push(Sprite {
                        key: store(held, file, format!("storyboard/{number:03}")).await?,
                        first_ms: sprite.first_ms,
                        interval_ms: sprite.interval_ms,
                        columns: sprite.columns,
                        count: sprite.count,
                        tile_width: sprite.tile_width,
                        tile_height: sprite.tile_height,
                    });
                }
            }
            Answer::Subtitles(tracks) => {
                for (number, track) in tracks.into_iter().enumerate() {
                    keep_subtitles(held, number, track).await?;
                }
            }
            Answer::Media(Event::Progress(progress)) => held.set_progress(progress),
            _ => {}
        }
    }
    Ok(Outcome {
        next: Vec::new(),
        change: Some(Box::new(move |resource| {
            resource.poster = posters.first().map(|poster| poster.key.clone());
            resource.derived.posters = posters;
            resource.derived.storyboard = storyboard;
        })),
    })
}

async fn store(held: &Held, file: std::fs::File, name: String) -> Result<String, Error> {
    let object = held.store_file(file, name, "jpg").await?;
    crate::fault::at("still-stored");
    let mut tx = held.begin().await?;
    object.insert(&mut tx, held.app.now_ms()).await?;
    tx.commit().await?;
    crate::fault::at("still-named");
    Ok(object.key)
}

async fn keep_subtitles(
    held: &Held,
    number: usize,
    track: transcode::EmbeddedSubtitles,
) -> Result<(), Error> {
    if track.cues.is_empty() {
        return Ok(());
    }
    let language = track.language.unwrap_or_else(|| "und".into());
    let label = match track.title.filter(|title| !title.is_empty()) {
        Some(title) => title,
        None => label_of(LANGUAGES, &language, true).to_owned(),
    };
    let cues = track.cues.into_iter().map(|cue| Cue {
        start_ms: u64::try_from(cue.start_ms).unwrap_or_default(),
        end_ms: u64::try_from(cue.end_ms).unwrap_or_default(),
        // Our own WebVTT escapes these.
        text: cue.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        settings: None,
    });
    let captions = Captions { cues: cues.collect(), ..Captions::default() };
    let text = crate::media::captions::to_webvtt(&captions);
    let object =
        held.store_bytes(text.into_bytes(), format!("caption/embedded-{number}"), "vtt").await?;
    let mut tx = held.begin().await?;
    let taken = db::media::list_captions(&mut tx, held.resource()).await?;
    // The same track again, from an attempt before this one.
    if taken.iter().any(|caption| caption.key == object.key) {
        return Ok(());
    }
    let name = free_name(&language, &taken);
    object.insert(&mut tx, held.app.now_ms()).await?;
    let caption = Caption {
        name: name.clone(),
        language,
        label,
        origin: CaptionOrigin::Embedded,
        forced: track.forced,
        hearing_impaired: track.hearing_impaired,
        key: object.key,
    };
    db::media::save_caption(&mut tx, held.resource(), &caption).await?;
    let passages = passages_of(&captions);
    db::passages::replace(&mut tx, held.resource(), &format!("caption:{name}"), &passages).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) fn free_name(language: &str, taken: &[Caption]) -> String {
    let free = |name: &str| !taken.iter().any(|caption| caption.name == name);
    std::iter::once(language.to_owned())
        .chain((2..).map(|number| format!("{language}-{number}")))
        .find(|name| free(name))
        .expect("numbers do not run out")
}
