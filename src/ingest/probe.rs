//! Finds out what is in a video or audio and plans what is made of it.

use serde::{Deserialize, Serialize};
use transcode::{PartRange, Plan, Policy, Probe, Refusal, VideoCodec, VideoFacts};

use super::transcode::{Known, PartOrder};
use super::{Error, Held, Outcome, demand, open_source, slides};
use crate::catalogue::{
    AudioRole, Chapter, Kind, LibraryId, OtherCodec, Rendition, RenditionId, RenditionState,
    TrackKind,
};
use crate::config::Config;
use crate::db;
use crate::db::jobs::{EXTRA, NewJob};
use crate::media::parent::{self, MediaChild};
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

/// Probes, plans, keeps what the child makes at once, and gives the jobs that the plan needs.
///
/// # Errors
///
/// [`Error::Unusable`] when nothing can be made of the source.
pub async fn run(held: &Held) -> Result<Outcome, Error> {
    let app = &held.app;
    let (resource, source) = open_source(app, held.resource()).await?;
    let options: Options = serde_json::from_str(&held.job.payload)?;
    let mut policy = policy(held, resource.library, &options).await?;
    let step = Step::Probe(Box::new(policy.clone()));
    let mut child = MediaChild::start(&app.config, step, source, 0)?;
    let mut planned: Option<(Plan, Known)> = None;
    while let Some(answer) = child.next().await? {
        match answer {
            Answer::Probe(probe, copy_video) if planned.is_none() => {
                crate::fault::at("probed");
                policy.copy_video &= copy_video;
                let plan = transcode::plan(&probe, &policy).map_err(|refusal| refused(&refusal))?;
                keep_plan(held, &probe, &plan).await?;
                let known = Known::of(held, &plan).await?;
                planned = Some((plan, known));
            }
            Answer::Media(event) => {
                let (_, known) = planned.as_mut().ok_or_else(early)?;
                known.keep(held, &child, event).await?;
            }
            _ => {}
        }
    }
    let (plan, _) = planned.ok_or_else(|| Error::unusable("media_no_usable_streams", ""))?;
    Ok(Outcome { next: jobs(&app.config, &plan), change: None })
}

fn early() -> Error {
    parent::Error::BadAnswer("media before the probe".into()).into()
}

/// Writes down what was found and what will be made: parts can be named and played from now on.
async fn keep_plan(held: &Held, probe: &Probe, plan: &Plan) -> Result<(), Error> {
    let mut tx = held.begin().await?;
    let mut resource = db::resources::get_locked(&mut tx, held.resource()).await?;
    for (position, rendition) in (0_i64..).zip(&renditions(&held.app.config, plan, probe)) {
        db::media::insert_rendition(&mut tx, resource.id, position, rendition).await?;
    }
    resource.kind = if plan.video.is_some() { Kind::Video } else { Kind::Audio };
    resource.duration_ms = Some(plan.duration_ms);
    if let Some(facts) = plan.video.as_ref().and_then(|video| facts_of(probe, video.track)) {
        resource.width = Some(facts.width.into());
        resource.height = Some(facts.height.into());
    }
    resource.derived.chapters = plan.chapters.iter().map(chapter).collect();
    resource.warnings = warnings(probe, plan);
    resource.plan = Some(serde_json::to_string(plan)?);
    db::resources::save(&mut tx, &mut resource, held.app.now_ms()).await?;
    tx.commit().await?;
    crate::fault::at("renditions-named");
    Ok(())
}

fn facts_of(probe: &Probe, track: usize) -> Option<&VideoFacts> {
    probe.tracks.iter().find(|found| found.index == track)?.video.as_ref()
}

/// How the resource is to be made, by the settings and its library.
async fn policy(held: &Held, library: LibraryId, options: &Options) -> Result<Policy, Error> {
    let media = db::libraries::get(&mut *held.app.db.read().await?, library).await?.media;
    let codec = |codec: &OtherCodec| match codec {
        OtherCodec::Hevc => VideoCodec::Hevc,
        OtherCodec::Av1 => VideoCodec::Av1,
    };
    Ok(Policy {
        crf: held.app.config.media.crf as f32,
        copy_video: options.copy,
        codecs: media.codecs.iter().map(codec).collect(),
        opus: media.opus,
        loudness_lufs: media.loudness_lufs,
        picture_subtitles: held.app.config.media.picture_subtitles,
        max_duration_ms: held.app.config.media.max_duration_ms,
        ..Policy::default()
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
    if pictures && plan.video.as_ref().is_none_or(|video| video.burn.is_none()) {
        warnings.push("picture_subtitles_left_out".to_owned());
    }
    warnings
}

fn renditions(config: &Config, plan: &Plan, probe: &Probe) -> Vec<Rendition> {
    let mut all = Vec::new();
    if let Some(video) = &plan.video {
        if let Some(copy) = &video.copy {
            let track = probe.tracks.iter().find(|track| track.index == video.track);
            let bitrate = track.and_then(|track| track.bitrate_bps).unwrap_or(probe.bitrate_bps);
            let copied = planned(&copy.name, TrackKind::Video, video.track, bitrate);
            all.push(Rendition { preview: !copy.keep, ..copied });
        }
        let now = demand::at_once(config, video);
        for rung in &video.rungs {
            let bitrate = rung.max_bitrate_bps.into();
            let encoded = planned(&rung.name, TrackKind::Video, video.track, bitrate);
            let state =
                if now.contains(&rung) { RenditionState::Making } else { RenditionState::Absent };
            all.push(Rendition {
                whole_parts: Some(plan.parts.len() as i64),
                spare: !demand::stays(video, rung),
                state,
                ..encoded
            });
        }
    }
    for audio in &plan.audio {
        for rendition in &audio.renditions {
            all.push(Rendition {
                language: audio.language.clone(),
                label: audio.title.clone().unwrap_or_default(),
                role: role(audio.role),
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

fn role(role: transcode::AudioRole) -> AudioRole {
    match role {
        transcode::AudioRole::Main => AudioRole::Main,
        transcode::AudioRole::Original => AudioRole::Original,
        transcode::AudioRole::Dub => AudioRole::Dub,
        transcode::AudioRole::Commentary => AudioRole::Commentary,
        transcode::AudioRole::Description => AudioRole::Description,
    }
}

fn planned(name: &str, kind: TrackKind, track: usize, bitrate_bps: i64) -> Rendition {
    Rendition {
        id: RenditionId::fresh(),
        name: name.to_owned(),
        kind,
        track: track as i64,
        language: None,
        label: String::new(),
        role: AudioRole::Main,
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
        whole_parts: None,
        preview: false,
        spare: false,
        state: RenditionState::Making,
        parts: Vec::new(),
    }
}

/// Before these come all parts in H.264, of every resource.
const EXTRA_PRIORITY: i64 = 10_000;

/// The jobs of a plan, of which the first part is made. What is quick to play comes first; the
/// first parts of all resources come before the second of any, and other codecs come last.
fn jobs(config: &Config, plan: &Plan) -> Vec<NewJob> {
    let job = |kind, priority, weight| NewJob { kind, payload: String::new(), priority, weight };
    let seconds = plan.duration_ms as f64 / 1000.0;
    let mut jobs = Vec::new();
    if let Some(video) = &plan.video {
        if video.copy.is_some() {
            jobs.push(job("copy", 2, 1.0 + seconds * 0.02));
        }
        for names in video.batches() {
            let priority = if work_of(plan, &names).1 { EXTRA_PRIORITY } else { 10 };
            jobs.extend(plan.parts.iter().filter_map(|part| {
                let rungs = rungs_left(config, plan, part.index, &names);
                (!rungs.is_empty()).then(|| encode_job(plan, part, rungs, priority))
            }));
        }
    }
    if !plan.audio.is_empty() {
        jobs.push(job("audio", 3, 0.5 + seconds * 0.05));
    }
    jobs.push(job("derive", 4, 1.0));
    if config.slides.enabled && plan.video.is_some() {
        jobs.push(slides::job(plan.duration_ms));
    }
    jobs
}

/// The job that encodes a part at the rungs of these names, which are of one codec. `priority` is
/// that of the first part.
pub(super) fn encode_job(
    plan: &Plan,
    part: &PartRange,
    rungs: Vec<String>,
    priority: i64,
) -> NewJob {
    let order = PartOrder { part: part.index, rungs };
    let seconds = (part.end_ms - part.start_ms) as f64 / 1000.0;
    let (pixels, extra) = work_of(plan, &order.rungs);
    let kind = if extra { EXTRA } else { "encode" };
    let payload = serde_json::to_string(&order).expect("names and a number");
    let (priority, weight) = (priority + part.index as i64, 0.5 + seconds * pixels / 1e6);
    NewJob { kind, payload, priority, weight }
}

/// The rungs of those named that are still to be made at once of a part.
fn rungs_left(config: &Config, plan: &Plan, part: usize, names: &[String]) -> Vec<String> {
    let Some(video) = &plan.video else { return Vec::new() };
    // Without a copy the smallest rung of the first part was made with the probe.
    let first = part == 0 && video.copy.is_none();
    let made = plan.smallest_rung().filter(|_| first).map(|rung| &rung.name);
    let wanted = demand::at_once(config, video).into_iter().map(|rung| &rung.name);
    wanted.filter(|name| names.contains(name) && Some(*name) != made).cloned().collect()
}

/// Pixels of a frame at rungs of these names together, and whether they are of another codec than
/// H.264.
fn work_of(plan: &Plan, names: &[String]) -> (f64, bool) {
    let rungs = plan.video.iter().flat_map(|video| &video.rungs);
    let wanted = rungs.filter(|rung| names.contains(&rung.name));
    let pixels = wanted.clone().map(|rung| f64::from(rung.width) * f64::from(rung.height)).sum();
    (pixels, wanted.clone().any(|rung| rung.codec != VideoCodec::H264))
}
