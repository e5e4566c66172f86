//! Makes renditions: copies the picture, encodes one part, encodes the sound.
//! Each part is stored, then named by a row, as it lands.

use std::collections::HashMap;
use std::fs::File;

use serde::{Deserialize, Serialize};
use transcode::{Event, Plan, VIDEO_SCALE};

use super::{Error, Held, NewObject, Outcome, open_source, probe, stage};
use crate::catalogue::{Part, Rendition, Segment, TrackKind};
use crate::db;
use crate::db::jobs::{Lane, NewJob};
use crate::db::media::InitFacts;
use crate::media::parent::{self, MediaChild};
use crate::media::protocol::{Answer, Step};

/// Copies the picture of a source that is fit to be played as it is. One that
/// turns out not to be is planned again, without a copy.
///
/// # Errors
///
/// [`Error`].
pub async fn copy(held: &Held) -> Result<Outcome, Error> {
    let (plan, source) = planned(held).await?;
    match make(held, Step::Copy(Box::new(plan.clone())), source, &plan).await {
        Err(Error::Media(error)) if gives_up(held, &error) => {
            tracing::info!(resource = %held.resource(), %error, "not copied but encoded");
            start_over(held).await
        }
        made => made,
    }
}

/// Whether the picture is not to be copied after this: it is not fit for it, or the media child
/// broke over it in the last attempt too.
fn gives_up(held: &Held, error: &parent::Error) -> bool {
    match error {
        parent::Error::Failed(failure) if !failure.transient => failure.code == "media_damaged",
        error if error.is_transient() => held.job.attempts >= held.app.config.work.max_attempts,
        _ => true,
    }
}

/// Forgets what was made and planned so far and plans again without a copy.
async fn start_over(held: &Held) -> Result<Outcome, Error> {
    let now_ms = held.app.now_ms();
    let mut tx = held.begin().await?;
    let mut resource = db::resources::get_locked(&mut tx, held.resource()).await?;
    stage::forget_made(&mut tx, resource.id).await?;
    db::jobs::delete_all(&mut tx, resource.id).await?;
    resource.plan = None;
    resource.jobs_left = 1;
    let payload = serde_json::to_string(&probe::Options { copy: false })?;
    let first = NewJob { kind: "probe", payload, priority: 1, weight: 1.0 };
    db::jobs::push(&mut tx, resource.id, &first, now_ms).await?;
    db::resources::save(&mut tx, &mut resource, now_ms).await?;
    tx.commit().await?;
    // This job is gone with the others; those that run elsewhere will notice too.
    Err(Error::LeaseLost)
}

/// What an `encode` job says: which part, and which rungs.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PartOrder {
    pub(super) part: usize,
    pub(super) rungs: Vec<String>,
}

/// Encodes the part that the job names at the rungs that it names.
///
/// # Errors
///
/// [`Error`].
pub async fn encode(held: &Held) -> Result<Outcome, Error> {
    let (plan, source) = planned(held).await?;
    let PartOrder { part, rungs } = serde_json::from_str(&held.job.payload)?;
    make(held, Step::EncodePart(Box::new(plan.clone()), part, rungs), source, &plan).await
}

/// Encodes the sound.
///
/// # Errors
///
/// [`Error`].
pub async fn audio(held: &Held) -> Result<Outcome, Error> {
    let (plan, source) = planned(held).await?;
    make(held, Step::EncodeAudio(Box::new(plan.clone())), source, &plan).await
}

/// The plan of the job's resource and its source.
pub(super) async fn planned(held: &Held) -> Result<(Plan, File), Error> {
    let (resource, source) = open_source(&held.app, held.resource()).await?;
    let plan = resource.plan.ok_or_else(|| Error::unusable("internal", "no plan"))?;
    Ok((serde_json::from_str(&plan)?, source))
}

async fn make(held: &Held, step: Step, source: File, plan: &Plan) -> Result<Outcome, Error> {
    let mut known = Known::of(held, plan).await?;
    let mut child = MediaChild::start(&held.app.config, step, source, plan.duration_ms)?;
    if Lane::of(&held.job.kind) == Lane::Heavy {
        child.set_nice(held.app.config.work.nice)?;
    }
    while let Some(answer) = child.next().await? {
        if let Answer::Media(event) = answer {
            known.keep(held, &child, event).await?;
        }
    }
    Ok(Outcome::default())
}

/// The renditions of a resource by name, as its plan made them.
pub(super) struct Known {
    renditions: HashMap<String, Rendition>,
    parts: usize,
    /// What the first part will tell with itself, in one transaction.
    inits: HashMap<String, (NewObject, InitFacts)>,
}

impl Known {
    pub(super) async fn of(held: &Held, plan: &Plan) -> Result<Self, Error> {
        let mut db = held.app.db.read().await?;
        let renditions = db::media::list_renditions(&mut db, held.resource()).await?;
        let named = renditions.into_iter().map(|rendition| (rendition.name.clone(), rendition));
        let parts = plan.parts.len().max(1);
        Ok(Self { renditions: named.collect(), parts, inits: HashMap::new() })
    }

    /// Stores what the child made, then names it by a row.
    pub(super) async fn keep(
        &mut self,
        held: &Held,
        child: &MediaChild,
        event: Event,
    ) -> Result<(), Error> {
        let app = &held.app;
        match event {
            Event::Init {
                rendition,
                file,
                codecs,
                width,
                height,
                frame_rate,
                sample_rate,
                channels,
                time_scale,
            } => {
                let rendition = self.named(&rendition)?;
                let expected = match rendition.kind {
                    TrackKind::Video => VIDEO_SCALE,
                    TrackKind::Audio => sample_rate,
                };
                if time_scale != expected {
                    return Err(bad(format!("time scale {time_scale} of {}", rendition.name)));
                }
                if rendition.init.is_some() {
                    return Ok(());
                }
                let name = format!("{}/init", rendition.name);
                let object = held.store_file(child.file(&file)?, name, "mp4").await?;
                let some = |value: u32| (value > 0).then_some(i64::from(value));
                let facts = InitFacts {
                    codecs,
                    width: some(width),
                    height: some(height),
                    frame_rate: (frame_rate > 0.0).then_some(frame_rate),
                    sample_rate: some(sample_rate),
                    channels: some(channels),
                    time_scale: time_scale.into(),
                    init: object.key.clone(),
                };
                let name = rendition.name.clone();
                self.inits.insert(name, (object, facts));
            }
            Event::Part { rendition, index, file, segments, .. } => {
                let id = self.named(&rendition)?.id;
                if index >= self.parts {
                    return Err(bad(format!("part {index} of {}", self.parts)));
                }
                let number = index as i64;
                let name = format!("{rendition}/{number:05}");
                let object = held.store_file(child.file(&file)?, name, "m4s").await?;
                let told: u64 = segments.iter().map(|segment| segment.length_bytes).sum();
                if u64::try_from(object.size_bytes()) != Ok(told) {
                    let size = object.size_bytes();
                    return Err(bad(format!("segments of {told} bytes in a part of {size}")));
                }
                let part = Part {
                    number,
                    key: object.key.clone(),
                    segments: segments.iter().map(segment).collect(),
                };
                crate::fault::at("part-stored");
                let init = self.inits.remove(&rendition);
                let mut tx = held.begin().await?;
                if let Some((object, facts)) = init
                    && db::media::save_init(&mut tx, id, &facts).await?
                {
                    object.insert(&mut tx, app.now_ms()).await?;
                }
                if db::media::insert_part(&mut tx, id, &part).await? {
                    object.insert(&mut tx, app.now_ms()).await?;
                }
                tx.commit().await?;
                crate::fault::at("part-named");
                app.announce(held.resource());
            }
            Event::Progress(progress) => held.set_progress(progress),
        }
        Ok(())
    }

    fn named(&self, name: &str) -> Result<&Rendition, Error> {
        self.renditions.get(name).ok_or_else(|| bad(format!("rendition {name:?}")))
    }
}

fn bad(what: String) -> Error {
    parent::Error::BadAnswer(what).into()
}

fn segment(segment: &transcode::Segment) -> Segment {
    Segment {
        offset: segment.offset_bytes,
        length: segment.length_bytes,
        key_length: segment.key_bytes,
        start: u64::try_from(segment.start_ticks).unwrap_or_default(),
        duration: u64::try_from(segment.duration_ticks).unwrap_or_default(),
    }
}
