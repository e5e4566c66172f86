//! Finds out what is in a video or audio and plans what is made of it.

use serde::{Deserialize, Serialize};
use transcode::{Plan, Policy, Probe, Refusal};

use super::{Error, Held, Outcome, open_source};
use crate::catalogue::{Chapter, Kind, Rendition, RenditionId, TrackKind};
use crate::db;
use crate::db::jobs::NewJob;
use crate::media::parent::MediaChild;
use crate::media::protocol::{Answer, Step};

/// What a probe's job says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Options {
    /// Whether the picture may be copied.
    pub copy: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { copy: true }
    }
}

/// Probes, plans, and gives the jobs that the plan needs.
///
/// # Errors
///
/// [`Error::Unusable`] when nothing can be made of the source.
pub async fn run(held: &Held) -> Result<Outcome, Error> {
    let app = &held.app;
    let (_, source) = open_source(app, held.resource()).await?;
    let mut child = MediaChild::start(&app.config, Step::Probe, source, 0)?;
    let mut probe = None;
    while let Some(answer) = child.next().await? {
        if let Answer::Probe(found) = answer {
            probe = Some(*found);
        }
    }
    let probe = probe.ok_or_else(|| Error::unusable("media_no_usable_streams", ""))?;
    let options: Options = serde_json::from_str(&held.job.payload)?;
    let crf = app.config.media.crf as f32;
    let policy = Policy { crf, copy_video: options.copy, ..Policy::default() };
    let plan = transcode::plan(&probe, &policy).map_err(|refusal| refused(&refusal))?;
    let renditions = renditions(&plan, &probe);
    let mut tx = held.begin().await?;
    for (position, rendition) in (0_i64..).zip(&renditions) {
        db::media::insert_rendition(&mut tx, held.resource(), position, rendition).await?;
    }
    tx.commit().await?;
    let next = jobs(&plan);
    let text = serde_json::to_string(&plan)?;
    let size = plan.video.as_ref().map(|video| {
        let track = probe.tracks.iter().find(|track| track.index == video.track);
        track.and_then(|track| track.video.as_ref()).map(|facts| (facts.width, facts.height))
    });
    Ok(Outcome {
        next,
        change: Some(Box::new(move |resource| {
            resource.kind = if plan.video.is_some() { Kind::Video } else { Kind::Audio };
            resource.duration_ms = Some(plan.duration_ms);
            if let Some((width, height)) = size.flatten() {
                resource.width = Some(width.into());
                resource.height = Some(height.into());
            }
            resource.derived.chapters = plan.chapters.iter().map(chapter).collect();
            resource.warnings = warnings(&probe, &plan);
            resource.plan = Some(text);
        })),
    })
}

fn refused(refusal: &Refusal) -> Error {
    let info = match refusal {
        Refusal::UnknownCodec(codec) => codec.clone(),
        refusal => refusal.to_string(),
    };
    Error::unusable(&format!("media_{}", refusal.code()), info)
}

fn chapter(chapter: &transcode::Chapter) -> Chapter {
    Chapter {
        start_ms: chapter.start_ms,
        end_ms: chapter.end_ms,
        title: chapter.title.chars().take(1024).collect(),
    }
}

/// Tracks of the source that nothing is made of.
fn warnings(probe: &Probe, plan: &Plan) -> Vec<String> {
    let mut warnings = Vec::new();
    let lost = |kind| probe.tracks.iter().any(|track| track.kind == kind && !track.decodable);
    if lost(transcode::TrackKind::Audio) {
        warnings.push("audio_left_out".to_owned());
    }
    if plan.video.is_none() && lost(transcode::TrackKind::Video) {
        warnings.push("video_left_out".to_owned());
    }
    let pictures = probe
        .tracks
        .iter()
        .any(|track| track.kind == transcode::TrackKind::Subtitle && !track.text_subtitle);
    if pictures {
        warnings.push("picture_subtitles_left_out".to_owned());
    }
    warnings
}

fn renditions(plan: &Plan, probe: &Probe) -> Vec<Rendition> {
    let mut all = Vec::new();
    if let Some(video) = &plan.video {
        if let Some(copy) = &video.copy {
            let track = probe.tracks.iter().find(|track| track.index == video.track);
            let bitrate = track.and_then(|track| track.bitrate_bps).unwrap_or(probe.bitrate_bps);
            all.push(planned(&copy.name, TrackKind::Video, video.track, bitrate));
        }
        for rung in &video.rungs {
            all.push(planned(
                &rung.name,
                TrackKind::Video,
                video.track,
                rung.max_bitrate_bps.into(),
            ));
        }
    }
    for audio in &plan.audio {
        for rendition in &audio.renditions {
            all.push(Rendition {
                language: audio.language.clone(),
                label: audio.title.clone().unwrap_or_default(),
                selected: audio.default,
                ..planned(
                    &rendition.name,
                    TrackKind::Audio,
                    audio.track,
                    rendition.bitrate_bps.into(),
                )
            });
        }
    }
    all
}

fn planned(name: &str, kind: TrackKind, track: usize, bitrate_bps: i64) -> Rendition {
    Rendition {
        id: RenditionId::fresh(),
        name: name.to_owned(),
        kind,
        track: track as i64,
        language: None,
        label: String::new(),
        selected: true,
        bitrate_bps,
        codecs: None,
        width: None,
        height: None,
        frame_rate: None,
        sample_rate: None,
        channels: None,
        time_scale: 0,
        init: None,
        complete: false,
        parts: Vec::new(),
    }
}

/// The jobs of a plan. What is quick to play comes first; the first parts of
/// all resources come before the second of any.
fn jobs(plan: &Plan) -> Vec<NewJob> {
    let job = |kind, payload: usize, priority, weight| NewJob {
        kind,
        payload: payload.to_string(),
        priority,
        weight,
    };
    let seconds = plan.duration_ms as f64 / 1000.0;
    let mut jobs = Vec::new();
    if let Some(video) = &plan.video {
        if video.copy.is_some() {
            jobs.push(job("copy", 0, 2, 1.0 + seconds * 0.02));
        }
        if !video.rungs.is_empty() {
            let pixels: f64 =
                video.rungs.iter().map(|rung| f64::from(rung.width) * f64::from(rung.height)).sum();
            for part in &plan.parts {
                let part_seconds = (part.end_ms - part.start_ms) as f64 / 1000.0;
                let weight = 0.5 + part_seconds * pixels / 1e6;
                jobs.push(job("encode", part.index, 10 + part.index as i64, weight));
            }
        }
    }
    if !plan.audio.is_empty() {
        jobs.push(job("audio", 0, 3, 0.5 + seconds * 0.05));
    }
    jobs.push(job("derive", 0, 4, 1.0));
    jobs
}
